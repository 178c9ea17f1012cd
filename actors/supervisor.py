"""Supervisors: they start children in order, decide what a failure means, and stop in reverse.

A supervisor has no task of its own. A child's end is reported to it by a plain call, and it
decides at once; work that takes time (stopping in order, backoff, waiting for readiness) is a
`Recovery`. All of it runs in scopes that nothing outside can cancel.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from actors.backoff import FailureWindow
from actors.errors import RestartIntensityExceeded, SteeringRefused
from actors.node import TO_START, TO_STOP, Node, State, one_line
from actors.recovery import Recovery
from actors.spec import AutoShutdown, Exceeded, Restart, Strategy

if TYPE_CHECKING:
    from actors.spec import ChildSpec, SupervisorSpec
    from actors.system import System

# The key of the work that concerns the children together; no child can have this name.
TOGETHER = "/"


class Parent(Protocol):
    """Whoever decides what becomes of a node that has ended."""

    def child_exited(self, child: Node, failure: BaseException | None) -> None:
        """Take the end of a child's instance, with its failure if it was one."""


class Supervisor(Node):
    """A branch of the tree, and the rules by which its children live."""

    __slots__ = ("_recoveries", "_window", "children", "closing", "spec")

    spec: SupervisorSpec

    def __init__(self, spec: SupervisorSpec, path: str, parent: Parent, system: System) -> None:
        """Plant the whole branch; nothing runs yet."""
        super().__init__(spec, path, parent, system)
        self.spec = spec
        self.closing = False
        self.children: dict[str, Node] = {}
        self._recoveries: dict[str, Recovery] = {}
        self._window = FailureWindow(spec.intensity.per_s)
        for child in spec.children:
            self.children[child.name] = system.plant(child, self)

    # ---------------------------------------------------------------- as a node

    def launch(self) -> None:
        """Start the children in order; it is ready once each of them is, or is given up."""
        self.generation += 1
        self.then = None
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
        if abrupt:
            for child in self._alive_children():
                child.request_stop(reason, child.then or State.WAITING, abrupt=True)
        if not self.closing:
            self._close(None)

    async def stop(self) -> None:
        """Wait until the children have had their graces."""
        await self.wait_for(lambda: not self.alive)

    def rest(self, state: State) -> None:
        """Go down; where that is for good, the children are down for good as well."""
        super().rest(state)
        if state is State.STOPPED:
            for child in self.children.values():
                if child.state in TO_START:
                    child.rest(State.STOPPED)

    # ------------------------------------------------------------------ deciding

    def child_exited(self, child: Node, failure: BaseException | None) -> None:
        """Decide what the end of a child's instance means."""
        then, was_stuck = child.then, child.state is State.STUCK
        if child.removed:
            child.rest(State.STOPPED)
            self._detach(child)
        elif then is not None or self.closing or not self.alive:
            self._rest_as_planned(child, then or State.WAITING, was_stuck=was_stuck)
        elif self._stays_down(child, failure):
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
        if child.alive:
            self._take_down(child, "removed", State.STOPPED)
        else:
            child.rest(State.STOPPED)
            self._detach(child)

    def renew(self, child: Node, *, abrupt: bool) -> None:
        """Restart a child and whom the strategy restarts with it; it never counts."""
        self._refuse_unless_open(child)
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
        self._recover_group(child, 0.0, hurry=True)

    def quarantine(self, child: Node) -> None:
        """Take a child down and keep it there; its siblings go on."""
        if child.alive:
            self._take_down(child, "quarantined", State.QUARANTINED)
        else:
            child.rest(State.QUARANTINED)

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
            self._recover(self._key(child), (), [child], hurry=True)

    # -------------------------------------------------------------------- inside

    @property
    def _is_open(self) -> bool:
        return self.alive and not self.closing

    def _refuse_unless_open(self, child: Node) -> None:
        if not self._is_open:
            raise SteeringRefused(f"{child.path} is under {self.path}, which is {self.state}")

    def _alive_children(self) -> list[Node]:
        return [child for child in self.children.values() if child.alive]

    def _key(self, child: Node) -> str:
        is_alone = self.spec.strategy is Strategy.ONE_FOR_ONE
        return child.name if is_alone else TOGETHER

    def _group(self, child: Node) -> list[Node]:
        if self.spec.strategy is Strategy.ONE_FOR_ONE:
            return [child]
        children = list(self.children.values())
        is_rest = self.spec.strategy is Strategy.REST_FOR_ONE
        return children[children.index(child) :] if is_rest else children

    def _rest_as_planned(self, child: Node, then: State, *, was_stuck: bool) -> None:
        is_over = self.state is State.STOPPED and then is State.WAITING
        child.rest(State.STOPPED if is_over else then)
        if was_stuck and self._is_open and then is State.WAITING:
            self._recover(self._key(child), (), [child])

    def _stays_down(self, child: Node, failure: BaseException | None) -> bool:
        restart = child.spec.restart
        return restart is Restart.TEMPORARY or (restart is Restart.TRANSIENT and failure is None)

    def _restart(self, child: Node, failure: BaseException | None) -> None:
        excess = self._count(child, failure)
        if excess is None:
            delay_s = self._backoff_s(child)
            child.rest(State.BACKOFF if delay_s > 0 else State.WAITING)
            child.not_before_s = self.system.now_s() + delay_s
            self.system.report("restarting", child, f"in {delay_s:.3f} s after {_text(failure)}")
            self._recover_group(child, delay_s)
        elif self.spec.exceeded is Exceeded.QUARANTINE:
            child.rest(State.QUARANTINED)
            self.system.report("quarantined", child, f"{excess}, last of {_text(failure)}")
        else:
            child.rest(State.WAITING)
            error = RestartIntensityExceeded(f"{self.path} gave up: {child.path} {excess}")
            error.__cause__ = failure
            self.system.report("escalated", self, f"{error}, last of {_text(failure)}")
            self._close(error)

    def _count(self, child: Node, failure: BaseException | None) -> str | None:
        limit, now_s = self.spec.intensity, self.system.now_s()
        if child.failures is None:
            child.failures = FailureWindow(limit.per_s)
        kind = child.failed_kind if failure is not None else None
        child.failures.add(now_s, kind)
        self._window.add(now_s, None)
        is_apart = self.spec.exceeded is Exceeded.QUARANTINE
        window = child.failures if is_apart else self._window
        if window.count(now_s) > limit.limit:
            return f"failed past the limit of {limit.limit} restarts in {limit.per_s:g} s"
        same = child.failures.count_kind(now_s, kind)
        if limit.same_kind is not None and same > limit.same_kind:
            return f"failed {same} times in {limit.per_s:g} s over {kind}"
        return None

    def _backoff_s(self, child: Node) -> float:
        backoff = self.spec.backoff
        up_since_s = child.up_since_s
        if up_since_s is not None and self.system.now_s() - up_since_s >= backoff.healthy_after_s:
            child.failures_in_row = 0
        child.failures_in_row += 1
        return backoff.delay_s(child.failures_in_row - 1, self.system.rng)

    def _recover_group(self, child: Node, delay_s: float, *, hurry: bool = False) -> None:
        group = self._group(child)
        stops = [node for node in group if node.alive and node.state is not State.STUCK]
        starts = [
            node
            for node in group
            if node is child
            or node.state in TO_START
            or (node in stops and node.spec.restart is not Restart.TEMPORARY)
        ]
        self._recover(self._key(child), stops, starts, delay_s=delay_s, hurry=hurry)

    def _recover(
        self,
        key: str,
        stops: Iterable[Node],
        starts: Iterable[Node],
        *,
        delay_s: float = 0.0,
        hurry: bool = False,
    ) -> None:
        recovery = self._recoveries.get(key)
        is_new = recovery is None
        if recovery is None:
            recovery = self._recoveries[key] = Recovery(self, key)
        not_before_s = self.system.now_s() + delay_s
        recovery.add(stops, starts, not_before_s=not_before_s, hurry=hurry)
        if is_new:
            self.system.start_task(recovery.run, f"recovery of {self.path}")

    def _take_down(self, child: Node, reason: str, then: State) -> None:
        child.request_stop(reason, then)
        if not self.closing:
            self._recover(self._key(child), [child], ())

    def _shut_down_with(self, child: Node) -> None:
        auto = self.spec.auto_shutdown
        if auto is AutoShutdown.NEVER or not child.spec.significant:
            return
        significant = [node for node in self.children.values() if node.spec.significant]
        if auto is AutoShutdown.ANY_SIGNIFICANT or all(
            node.state is State.STOPPED for node in significant
        ):
            self.stop_reason = f"{child.name} has ended"
            self._close(None)

    def _close(self, failure: BaseException | None) -> None:
        self.closing = True
        for recovery in self._recoveries.values():
            recovery.scope.cancel()
        self._recoveries.clear()
        self.set_state(State.STOPPING)

        async def collapse() -> None:
            await self._stop_children()
            self._exit(failure)

        self.system.start_task(collapse, f"stop of {self.path}")

    async def _stop_children(self) -> None:
        for child in reversed(list(self.children.values())):
            if child.alive:
                if child.state in TO_STOP:
                    child.request_stop(self.stop_reason or "shutdown", child.then or State.WAITING)
                await child.stop()

    def _exit(self, failure: BaseException | None) -> None:
        if failure is not None:
            self.note_failure(failure)
        self.parent.child_exited(self, failure)

    def _detach(self, child: Node) -> None:
        del self.children[child.name]
        self.system.uproot(child)


def _text(failure: BaseException | None) -> str:
    return "its end" if failure is None else one_line(failure)
