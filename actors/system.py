"""A running tree: opened as a context, addressed by name, steered by a person."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from random import Random
from typing import Any, overload

import attrs
import trio

from actors.actor import Address
from actors.cell import Cell
from actors.dead_letters import DeadLetters
from actors.errors import SpecError, SteeringRefused, UnknownActor
from actors.inbox import Turn
from actors.node import SETTLED, Node, State, traceback_of
from actors.registry import Registry
from actors.snapshot import NodeSnapshot, TreeSnapshot, node_snapshots, take_snapshot
from actors.spec import ActorSpec, ChildSpec, SupervisorSpec, validate, validate_tree
from actors.supervisor import Supervisor
from actors.timers import Timers
from actors.watchdog import Heartbeat, WatchdogSpec


@attrs.frozen
class TreeEvent:
    """Something that a person may want in a log.

    ``kind`` is failed, restarting, quarantined, escalated, stuck or deadlock.
    """

    kind: str
    path: str
    generation: int
    text: str
    at_s: float


@attrs.frozen
class Steering:
    """What a person asked for, already begun; awaited, it ends when the node has settled.

    The result is the state then: usually running, or backoff where the new start has failed.
    """

    _node: Node

    def __await__(self) -> Generator[Any, Any, State]:
        """Wait until the node runs, is down, or has begun a backoff."""
        return self._wait().__await__()

    async def _wait(self) -> State:
        await trio.lowlevel.checkpoint()
        node = self._node
        ends = SETTLED | {State.BACKOFF}
        await node.wait_for(
            lambda: node.state is State.STUCK or (node.then is None and node.state in ends)
        )
        return node.state


@attrs.define(eq=False, repr=False)
class System:
    """One tree. Made by `open_system`."""

    _spec: SupervisorSpec
    _nursery: trio.Nursery
    rng: Random
    turn: Turn
    _on_event: Callable[[TreeEvent], None] | None
    _heartbeat: Heartbeat | None
    root: Supervisor = attrs.field(init=False)
    dead_letters: DeadLetters = attrs.field(factory=DeadLetters)
    timers: Timers = attrs.field(factory=Timers)
    failure: BaseException | None = None
    interrupted: BaseException | None = None
    body_scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    _service_scope: trio.CancelScope = attrs.field(factory=lambda: trio.CancelScope(shield=True))
    _registry: Registry = attrs.field(factory=Registry)
    _snapshots: int = 0

    def __attrs_post_init__(self) -> None:
        """Plant the whole tree, so that every address is usable; nothing runs yet."""
        self.root = Supervisor(spec=self._spec, path=self._spec.name, parent=self, system=self)
        self._registry.add(self.root)

    def __repr__(self) -> str:
        """Name the root and its state."""
        return f"<System {self.root.path} {self.root.state}>"

    # ---------------------------------------------------------------- addressing

    def address(self, name: str) -> Address:
        """Return an actor's address by path, or by name where unique; it need not be up yet.

        Raises `UnknownActor` with the nearest names.
        """
        node = self._registry.find(name)
        if isinstance(node, Cell):
            return node.address
        raise UnknownActor(f"{node.path} is a supervisor and takes no messages")

    def find(self, name: str) -> Node:
        """Return the actor's cell or the supervisor of this name, for who looks closely."""
        return self._registry.find(name)

    def cell_of(self, address: Address) -> Cell:
        """Return the cell behind an address."""
        return address._cell  # noqa: SLF001 - private to the library, not to its class

    def snapshot(self) -> TreeSnapshot:
        """Return the whole tree as it is now, immutable."""
        self._snapshots += 1
        return take_snapshot(self, self._snapshots)

    def nodes(self) -> Iterator[NodeSnapshot]:
        """Yield each node of the tree as it is then: a large tree need not be seen in one turn."""
        return node_snapshots(self)

    async def wait(self) -> None:
        """Wait until the root has ended; raise what it failed of, with the chain of causes."""
        await self.root.wait_for(lambda: self.root.state is State.STOPPED)
        if self.failure is not None:
            raise self.failure

    # ------------------------------------------------------------ a person's will

    @overload
    def spawn(self, branch: str, spec: ActorSpec) -> Address: ...

    @overload
    def spawn(self, branch: str, spec: SupervisorSpec) -> None: ...

    def spawn(self, branch: str, spec: ChildSpec) -> Address | None:
        """Add a child to a supervisor and start it; return its address, usable at once.

        A child that was removed and is spawned again answers at its old addresses.
        """
        validate(spec)
        supervisor = self._registry.find(branch)
        if not isinstance(supervisor, Supervisor):
            raise UnknownActor(f"{supervisor.path} is an actor and has no children")
        if supervisor.state is State.STOPPED:
            raise SteeringRefused(f"{supervisor.path} is stopped: restart it first")
        if spec.name in supervisor.children:
            raise SpecError(f"{supervisor.path} has a child named {spec.name}: remove it first")
        node = supervisor.add(spec)
        return node.address if isinstance(node, Cell) else None

    def remove(self, name: str) -> Steering:
        """Stop a child in order and take it out of the tree; its address leads nowhere then."""
        return self._steer(name, Supervisor.remove)

    def kill(self, name: str) -> Steering:
        """Cancel an actor now, without its ``stop``; its supervisor restarts it at once."""
        return self._steer(name, partial(Supervisor.renew, abrupt=True))

    def restart(self, name: str) -> Steering:
        """Stop an actor in order and start it again, also one that had ended."""
        return self._steer(name, partial(Supervisor.renew, abrupt=False))

    def quarantine(self, name: str) -> Steering:
        """Stop an actor in order and keep it down until released; its mailbox fills meanwhile."""
        return self._steer(name, Supervisor.quarantine)

    def release(self, name: str) -> Steering:
        """Start a quarantined actor again."""
        return self._steer(name, Supervisor.release)

    def _steer(self, name: str, steer: Callable[[Supervisor, Node], None]) -> Steering:
        node = self._registry.find(name)
        if not isinstance(node.parent, Supervisor):
            raise SteeringRefused(f"{node.path} is the root: stop the whole system instead")
        steer(node.parent, node)
        return Steering(node)

    # ------------------------------------------------------- for the tree's nodes

    def plant(self, spec: ChildSpec, parent: Supervisor) -> Node:
        """Make the node that ``spec`` describes, with everything under it."""
        path = spec.name if parent.parent is self else f"{parent.path}/{spec.name}"
        node: Node | None
        if isinstance(spec, SupervisorSpec):
            node = Supervisor(spec=spec, path=path, parent=parent, system=self)
        else:
            node = self._registry.recall(path)
            if node is None:
                node = Cell(spec=spec, path=path, parent=parent, system=self)
            else:
                node.furnish_anew(spec, parent)
        self._registry.add(node)
        return node

    def uproot(self, node: Node) -> None:
        """Forget a node and everything under it."""
        for each in list(node.branch()):
            self._registry.discard(each)

    def start_task(self, run: Callable[[], Awaitable[None]], name: str) -> None:
        """Run an instance or a supervisor's work, which shields itself from all outside."""
        self._nursery.start_soon(run, name=name)

    def report(self, kind: str, node: Node, text: str) -> None:
        """Tell the listener of an event; what the listener raises is counted and kept off."""
        if self._on_event is None:
            return
        event = TreeEvent(kind, node.path, node.generation, text, trio.current_time())
        try:
            self._on_event(event)
        except Exception as error:  # noqa: BLE001 - a listener must not decide over the tree
            self.dead_letters.add(node.path, event, "event listener failed", traceback_of(error))

    def interrupt(self, error: BaseException) -> None:
        """Let a KeyboardInterrupt or SystemExit end the whole tree, in order."""
        self.interrupted = self.interrupted or error
        self.body_scope.cancel()

    def child_exited(self, child: Node, failure: BaseException | None) -> None:
        """Take the end of the root; its failure is the tree's."""
        self.failure = failure
        child.rest(State.STOPPED)
        if failure is not None:
            self.body_scope.cancel()

    def lag_s(self) -> tuple[float | None, float | None]:
        """Return the median and the 99th percentile of the loop's lag, where it is measured."""
        return self._heartbeat.lag_s() if self._heartbeat else (None, None)

    def worst_lag_s(self) -> float | None:
        """Return how late the loop was at worst in the last half minute; None if not measured."""
        return self._heartbeat.worst_lag_s() if self._heartbeat else None

    # ----------------------------------------------------------- opening, closing

    async def start(self) -> None:
        """Start the tree and wait until its root is ready; raise what it failed of."""
        self._nursery.start_soon(self._serve)
        if self._heartbeat is not None:
            self._heartbeat.start()
        self.root.launch()
        await self.root.settled()
        if self.failure is not None:
            raise self.failure

    async def shut(self, reason: str) -> None:
        """Stop the tree in order."""
        if self.root.alive:
            self.root.request_stop(reason, State.STOPPED)
            await self.root.stop()
        for node in self.root.branch():
            if isinstance(node, Cell):
                node.fail_asks(reason, None)
        self._service_scope.cancel()
        if self._heartbeat is not None:
            self._heartbeat.close()

    def abort(self) -> None:
        """Cancel every actor now instead of in order: for a person's second Ctrl-C."""
        if self.root.alive:
            self.root.request_stop("aborted", State.STOPPED, abrupt=True)

    async def _serve(self) -> None:
        with self._service_scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.timers.run)
                if self._heartbeat is not None:
                    nursery.start_soon(self._heartbeat.run)


@asynccontextmanager
async def open_system(
    root: SupervisorSpec,
    *,
    rng: Random,
    on_event: Callable[[TreeEvent], None] | None = None,
    choose_direct: Callable[[], bool] | None = None,
    watchdog: WatchdogSpec | None = None,
) -> AsyncGenerator[System, None]:
    """Start a tree in order, and stop it in reverse order when the body is left.

    When the root fails, the body is cancelled and the failure is raised, with the chain of causes
    down to the first. ``rng`` draws the backoffs. ``choose_direct`` decides, in a simulation, for
    each possible direct delivery whether it is one. Raises `SpecError` before anything runs.
    """
    validate_tree(root)
    body_error: BaseException | None = None
    async with trio.open_nursery() as nursery:
        heartbeat = Heartbeat(watchdog) if watchdog else None
        system = System(root, nursery, rng, Turn(choose_direct), on_event, heartbeat)
        try:
            with system.body_scope:
                try:
                    await system.start()
                    yield system
                except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001
                    # Raised again below, outside the nursery, which would wrap it in a group.
                    body_error = error
        finally:
            with trio.CancelScope(shield=True):
                await system.shut("shutdown")
    failure = system.interrupted or body_error or system.failure
    if failure is not None:
        raise failure
