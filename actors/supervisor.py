"""Supervisors: they start children in order, decide what a failure means, and stop in reverse.

A supervisor has no task of its own. A child's end is reported to it by a plain call, and it
decides at once; work that takes time (stopping in order, backoff, waiting for readiness) is a
`Recovery`. All of it runs in scopes that nothing outside can cancel.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import attrs
import trio

from actors.errors import RestartIntensityExceeded, SteeringRefused
from actors.node import SETTLED, TO_START, FailureWindow, Node, State, one_line, traceback_of
from actors.spec import AutoShutdown, ChildSpec, Exceeded, Restart, Strategy, SupervisorSpec

# The key of the work that concerns the children together; no child can have this name.
TOGETHER = "/"


@attrs.define(eq=False, repr=False)
class Recovery:
    """A piece of work: stop these in reverse order, wait, start those in order.

    A supervisor that restarts its children one for one has a recovery for each of them, so that
    one child's backoff or slow start delays no other. One that restarts them in groups has a
    single recovery, to which each further failure adds; so the order holds whatever happens.
    """

    _supervisor: Supervisor
    key: str
    not_before_s: float = 0.0
    scope: trio.CancelScope = attrs.field(factory=lambda: trio.CancelScope(shield=True))
    _stops: dict[Node, None] = attrs.field(factory=dict)
    _starts: dict[Node, None] = attrs.field(factory=dict)
    _nudge: trio.CancelScope = attrs.field(factory=trio.CancelScope)

    def __repr__(self) -> str:
        """Say what is left to do."""
        return f"<Recovery {self.key}: stop {len(self._stops)}, start {len(self._starts)}>"

    def add(self, stops: Iterable[Node], starts: Iterable[Node]) -> None:
        """Add work; what is being waited for is looked at anew."""
        self._stops = self._in_order({*self._stops, *stops})
        self._starts = self._in_order({*self._starts, *starts})
        self._nudge.cancel()

    @trio.lowlevel.enable_ki_protection
    async def run(self) -> None:
        """Do the work, with whatever is added to it meanwhile, until nothing is left."""
        with self.scope:
            while self._stops or self._starts:
                if self._stops:
                    await self._stop_last()
                else:
                    with trio.CancelScope() as self._nudge:
                        await self._start_first()
        self._supervisor.recovered(self)

    def _in_order(self, nodes: set[Node]) -> dict[Node, None]:
        if len(nodes) < 2:  # noqa: PLR2004 - one alone is in order
            return dict.fromkeys(nodes)
        return {child: None for child in self._supervisor.children.values() if child in nodes}

    async def _stop_last(self) -> None:
        node = next(reversed(self._stops))
        is_over = node.spec.restart is Restart.TEMPORARY
        await node.end("restart", State.STOPPED if is_over else State.WAITING)
        # A child that was removed from the tree while it stopped is not in order any more.
        self._stops.pop(node, None)

    async def _start_first(self) -> None:
        wait_s = self.not_before_s - trio.current_time()
        if wait_s > 0:
            await trio.sleep(wait_s)
        node = next(iter(self._starts))
        # A cancellation only takes effect where a task waits: without this look, a supervisor that
        # has given up meanwhile would get a child that nobody stops.
        if node.state in TO_START and not self.scope.cancel_called:
            node.launch()
        await node.settled()
        if node.state in SETTLED and node not in self._stops:
            self._starts.pop(node, None)


@attrs.define(eq=False, repr=False, kw_only=True)
class Supervisor(Node):
    """A branch of the tree, and the rules by which its children live."""

    spec: SupervisorSpec
    closing: bool = False
    children: dict[str, Node] = attrs.field(factory=dict)
    _recoveries: dict[str, Recovery] = attrs.field(factory=dict)
    _window: FailureWindow = attrs.field(factory=FailureWindow)

    def __attrs_post_init__(self) -> None:
        """Plant the whole branch; nothing runs yet."""
        for child in self.spec.children:
            self.children[child.name] = self.system.plant(child, self)

    # ---------------------------------------------------------------- as a node

    def branch(self) -> Iterator[Node]:
        """Yield the supervisor and everything under it, in start order."""
        yield self
        for child in self.children.values():
            yield from child.branch()

    def launch(self) -> None:
        """Start the children in order; it is ready once each of them is, or is given up."""
        self.generation += 1
        self.stop_reason = ""
        self.closing = False
        self._window.clear()
        self.set_state(State.STARTING)
        for child in self.children.values():
            child.forgive()
            has_had_its_life = child.spec.restart is Restart.TEMPORARY and child.generation > 0
            if child.state in TO_START or child.state is State.STOPPED:
                child.rest(State.STOPPED if has_had_its_life else State.WAITING)
        starts = [child for child in self.children.values() if child.state is State.WAITING]
        self._recover(TOGETHER, (), starts)

    def request_stop(self, reason: str, then: State, *, abrupt: bool = False) -> None:
        """Begin to stop the children in reverse order."""
        self.then = then
        self.stop_reason = reason
        for child in self.children.values():
            if abrupt and child.alive:
                child.request_stop(reason, child.then or State.WAITING, abrupt=True)
        if not self.closing:
            self._close(None)

    async def stop(self) -> None:
        """Wait until the children have had their graces."""
        await self.wait_for(lambda: not self.alive)

    def rest(self, state: State) -> None:
        """Go down; where that is for good, the children are down for good as well."""
        super().rest(state)
        for child in self.children.values():
            if state is State.STOPPED and child.state in TO_START:
                child.rest(State.STOPPED)

    # ------------------------------------------------------------------ deciding

    def child_exited(self, child: Node, failure: BaseException | None) -> None:
        """Decide what the end of a child's instance means."""
        restart = child.spec.restart
        if child.removed:
            child.rest(State.STOPPED)
            self._detach(child)
        elif child.then is not None or not self._is_open:
            self._rest_as_planned(child, child.then or State.WAITING)
        elif restart is Restart.TEMPORARY or (restart is Restart.TRANSIENT and failure is None):
            child.rest(State.STOPPED)
            self._shut_down_with(child)
        else:
            self._restart(child, failure)

    def recovered(self, recovery: Recovery) -> None:
        """Take note that a piece of work is done."""
        if self._recoveries.get(recovery.key) is recovery:
            del self._recoveries[recovery.key]
        if not self._recoveries and self.state is State.STARTING:
            self.set_state(State.RUNNING)

    # ------------------------------------------------------------ a person's will

    def add(self, spec: ChildSpec) -> Node:
        """Plant one more child, after the others, and start it."""
        child = self.children[spec.name] = self.system.plant(spec, self)
        if self._is_open:
            self._recover(self._key(child), (), [child])
        return child

    def remove(self, child: Node) -> None:
        """Stop a child and take it out of the tree."""
        child.removed = True
        self._take_down(child, "removed", State.STOPPED)
        if not child.alive:
            self._detach(child)

    def renew(self, child: Node, *, abrupt: bool) -> None:
        """Restart a child and whom the strategy restarts with it; it never counts."""
        if not self._is_open:
            raise SteeringRefused(f"{child.path} is under {self.path}, which is {self.state}")
        if child.state is State.QUARANTINED or child.then is State.QUARANTINED:
            raise SteeringRefused(f"{child.path} is quarantined: release it first")
        if child.state is State.STUCK:
            raise SteeringRefused(f"{child.path} is stuck: it ignores its cancellation")
        if child.state is State.STOPPED and abrupt:
            raise SteeringRefused(f"{child.path} is stopped: restart it instead")
        if child.state is State.WAITING:
            return
        child.failures_in_row = 0
        child.then = State.WAITING if child.alive else None
        if child.alive and abrupt:
            child.request_stop("killed", State.WAITING, abrupt=True)
        elif not child.alive:
            child.rest(State.WAITING)
        self._recover_group(child).not_before_s = 0.0

    def quarantine(self, child: Node) -> None:
        """Take a child down and keep it there; its siblings go on."""
        self._take_down(child, "quarantined", State.QUARANTINED)

    def release(self, child: Node) -> None:
        """Start a quarantined child again, at once or when its supervisor starts."""
        if child.then is State.QUARANTINED:
            child.then = State.WAITING
        elif child.state is State.QUARANTINED:
            child.rest(State.STOPPED if self.state is State.STOPPED else State.WAITING)
        else:
            raise SteeringRefused(f"{child.path} is {child.state}, not quarantined")
        child.forgive()
        if self._is_open:
            self._recover(self._key(child), (), [child]).not_before_s = 0.0

    # -------------------------------------------------------------------- inside

    @property
    def _is_open(self) -> bool:
        return self.alive and not self.closing

    def _key(self, child: Node) -> str:
        is_alone = self.spec.strategy is Strategy.ONE_FOR_ONE
        return child.name if is_alone else TOGETHER

    def _group(self, child: Node) -> list[Node]:
        if self.spec.strategy is Strategy.ONE_FOR_ONE:
            return [child]
        children = list(self.children.values())
        is_rest = self.spec.strategy is Strategy.REST_FOR_ONE
        return children[children.index(child) :] if is_rest else children

    def _rest_as_planned(self, child: Node, then: State) -> None:
        was_stuck = child.state is State.STUCK
        is_over = self.state is State.STOPPED and then is State.WAITING
        child.rest(State.STOPPED if is_over else then)
        if was_stuck and self._is_open and then is State.WAITING:
            self._recover(self._key(child), (), [child])

    def _restart(self, child: Node, failure: BaseException | None) -> None:
        excess = self._count(child, failure)
        cause = "its end" if failure is None else one_line(failure)
        if excess is None:
            delay_s = self._backoff_s(child)
            child.rest(State.BACKOFF if delay_s > 0 else State.WAITING)
            child.not_before_s = trio.current_time() + delay_s
            self.system.report("restarting", child, f"in {delay_s:.3f} s after {cause}")
            recovery = self._recover_group(child)
            recovery.not_before_s = max(recovery.not_before_s, child.not_before_s)
        elif self.spec.exceeded is Exceeded.QUARANTINE:
            child.rest(State.QUARANTINED)
            self.system.report("quarantined", child, f"{excess}, last of {cause}")
        else:
            child.rest(State.WAITING)
            error = RestartIntensityExceeded(f"{self.path} gave up: {child.path} {excess}")
            error.__cause__ = failure
            self.system.report("escalated", self, f"{error}, last of {cause}")
            self._close(error)

    def _count(self, child: Node, failure: BaseException | None) -> str | None:
        limit, now_s = self.spec.intensity, trio.current_time()
        kind = child.failed_kind if failure is not None else None
        child.failures.add(now_s, kind)
        self._window.add(now_s)
        own, together = (each.count(now_s, limit.per_s) for each in (child.failures, self._window))
        if (own if self.spec.exceeded is Exceeded.QUARANTINE else together) > limit.limit:
            return f"failed past the limit of {limit.limit} restarts in {limit.per_s:g} s"
        same = child.failures.count(now_s, limit.per_s, kind)
        if kind is not None and limit.same_kind is not None and same > limit.same_kind:
            return f"failed {same} times in {limit.per_s:g} s over {kind}"
        return None

    def _backoff_s(self, child: Node) -> float:
        backoff = self.spec.backoff
        up_since_s = child.up_since_s
        if up_since_s is not None and trio.current_time() - up_since_s >= backoff.healthy_after_s:
            child.failures_in_row = 0
        child.failures_in_row += 1
        return backoff.delay_s(child.failures_in_row - 1, self.system.rng)

    def _recover_group(self, child: Node) -> Recovery:
        group = self._group(child)
        stops = [node for node in group if node.alive and node.state is not State.STUCK]
        starts = [
            node
            for node in group
            if node is child
            or node.state in TO_START
            or (node in stops and node.spec.restart is not Restart.TEMPORARY)
        ]
        return self._recover(self._key(child), stops, starts)

    def _recover(self, key: str, stops: Iterable[Node], starts: Iterable[Node]) -> Recovery:
        recovery = self._recoveries.get(key)
        if recovery is None:
            recovery = self._recoveries[key] = Recovery(self, key)
            self.system.start_task(recovery.run, f"recovery of {self.path}")
        recovery.add(stops, starts)
        return recovery

    def _take_down(self, child: Node, reason: str, then: State) -> None:
        if not child.alive:
            child.rest(then)
            return
        child.request_stop(reason, then)
        if not self.closing:
            self._recover(self._key(child), [child], ())

    def _shut_down_with(self, child: Node) -> None:
        auto = self.spec.auto_shutdown
        if auto is AutoShutdown.NEVER or not child.spec.significant:
            return
        significant = [node for node in self.children.values() if node.spec.significant]
        is_last = all(node.state is State.STOPPED for node in significant)
        if is_last or auto is AutoShutdown.ANY_SIGNIFICANT:
            self.stop_reason = f"{child.name} has ended"
            self._close(None)

    def _close(self, failure: BaseException | None) -> None:
        self.closing = True
        for recovery in self._recoveries.values():
            recovery.scope.cancel()
        self._recoveries.clear()
        self.set_state(State.STOPPING)
        self.system.start_task(partial(self._collapse, failure), f"stop of {self.path}")

    @trio.lowlevel.enable_ki_protection
    async def _collapse(self, failure: BaseException | None) -> None:
        with trio.CancelScope(shield=True):
            for child in reversed(list(self.children.values())):
                await child.end(self.stop_reason or "shutdown", State.WAITING)
                if child.state is State.BACKOFF:
                    # Its start was called off with all others: it waits for its supervisor's.
                    child.rest(State.WAITING)
        if failure is not None:
            self.note_failure(failure, traceback_of(failure))
        self.parent.child_exited(self, failure)

    def _detach(self, child: Node) -> None:
        del self.children[child.name]
        self.system.uproot(child)
