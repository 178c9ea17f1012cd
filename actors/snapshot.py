"""Snapshots: the whole tree at one moment, immutable, built only when somebody asks.

Counters only grow; rates are for the reader to compute from two snapshots. Every time is in the
tree's own seconds, which are Trio's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import attrs
import trio

from actors.cell import Cell
from actors.dead_letters import DeadLetterCount
from actors.inbox import NOTHING
from actors.node import LastError, Node, State
from actors.spec import Restart, Strategy
from actors.supervisor import Supervisor

if TYPE_CHECKING:
    from actors.system import System

# What a snapshot holds of a node, and of an actor, as it is.
OF_NODE = ("name", "path", "state", "generation", "last_error")
OF_ACTOR = ("received", "handled", "handled_directly", "failed", "late_replies")


@attrs.frozen
class MailboxSnapshot:
    """A mailbox: its policy and limit, what waits, and what became of the rest."""

    policy: str
    length: int
    capacity: int
    peak: int
    dropped: int
    conflated: int
    refused: int
    control_length: int


@attrs.frozen
class NodeSnapshot:
    """One actor or supervisor. ``mailbox`` and ``strategy`` are for the one or the other only.

    received = handled + in_hand + mailbox.length + mailbox.control_length + mailbox.dropped +
    mailbox.conflated + failed. ``restart_limit`` is how many of ``restarts_in_window`` its
    supervisor allows.
    """

    name: str
    path: str
    parent: str | None
    depth: int
    kind: str
    state: State
    generation: int
    restart: Restart
    restarts: int
    restarts_in_window: int
    restart_limit: int | None
    next_restart_in_s: float | None
    state_for_s: float
    uptime_s: float | None
    last_error: LastError | None
    strategy: Strategy | None = None
    children: tuple[str, ...] = ()
    mailbox: MailboxSnapshot | None = None
    received: int = 0
    handled: int = 0
    handled_directly: int = 0
    failed: int = 0
    in_hand: int = 0
    late_replies: int = 0
    handling: str | None = None
    handling_for_s: float | None = None
    waiting_on: str | None = None
    waiting_for_s: float | None = None

    @property
    def queued(self) -> int:
        """Return how many messages wait, control messages included."""
        return self.mailbox.length + self.mailbox.control_length if self.mailbox else 0

    @property
    def adds_up(self) -> bool:
        """Return whether every received message is accounted for."""
        box = self.mailbox
        lost = box.dropped + box.conflated if box else 0
        return self.received == self.handled + self.in_hand + self.queued + lost + self.failed


@attrs.frozen
class TreeSnapshot:
    """The tree, root first and children in start order; ``seq`` counts the snapshots taken."""

    seq: int
    at_s: float
    nodes: tuple[NodeSnapshot, ...]
    dead_letters: tuple[DeadLetterCount, ...]
    deadlocks: tuple[tuple[str, ...], ...]
    lag_p50_s: float | None
    lag_p99_s: float | None

    def __iter__(self) -> Iterator[NodeSnapshot]:
        """Iterate over the nodes."""
        return iter(self.nodes)

    def __getitem__(self, path: str) -> NodeSnapshot:
        """Return the node with this path."""
        for node in self.nodes:
            if node.path == path:
                return node
        raise KeyError(path)


def take_snapshot(system: System, seq: int) -> TreeSnapshot:
    """Build a snapshot of the whole tree."""
    now_s = trio.current_time()
    nodes = tuple(_node(node, now_s) for node in system.root.branch())
    cells = [node for node in system.root.branch() if isinstance(node, Cell)]
    letters = system.dead_letters.counts()
    return TreeSnapshot(seq, now_s, nodes, letters, _deadlocks(cells), *system.lag_s())


def node_snapshots(system: System) -> Iterator[NodeSnapshot]:
    """Yield every node of the tree as it is when it is asked for."""
    for node in tuple(system.root.branch()):
        yield _node(node, trio.current_time())


def _deadlocks(cells: list[Cell]) -> tuple[tuple[str, ...], ...]:
    # Every circle once, beginning with its first member by path.
    found: dict[frozenset[str], tuple[str, ...]] = {}
    for cell in sorted(cells, key=lambda each: each.path):
        circle = cell.circle()
        if circle:
            found.setdefault(frozenset(circle), circle)
    return tuple(found.values())


def _node(node: Node, now_s: float) -> NodeSnapshot:
    parent = node.parent if isinstance(node.parent, Supervisor) else None
    allowed = parent.spec.intensity if parent else None
    is_in_backoff = node.state is State.BACKOFF
    own = _of_actor(node, now_s) if isinstance(node, Cell) else {}
    if isinstance(node, Supervisor):
        own["strategy"] = node.spec.strategy
        own["children"] = tuple(child.path for child in node.children.values())
    return NodeSnapshot(
        **{name: getattr(node, name) for name in OF_NODE},
        kind="actor" if isinstance(node, Cell) else "supervisor",
        parent=parent.path if parent else None,
        depth=node.path.count("/") + 1 if parent else 0,
        restart=node.spec.restart,
        restarts=max(0, node.generation - 1),
        restarts_in_window=node.failures.count(now_s, allowed.per_s) if allowed else 0,
        restart_limit=allowed.limit if allowed else None,
        next_restart_in_s=max(0.0, node.not_before_s - now_s) if is_in_backoff else None,
        state_for_s=now_s - node.since_s,
        uptime_s=now_s - node.up_since_s if node.up_since_s is not None else None,
        **own,
    )


def _of_actor(cell: Cell, now_s: float) -> dict[str, Any]:
    box = cell.mailbox
    waiting = len(box.store), box.spec.capacity, box.peak
    lost = cell.dropped, box.conflated, box.refused
    own = {name: getattr(cell, name) for name in OF_ACTOR}
    own["mailbox"] = MailboxSnapshot(str(box.spec.policy), *waiting, *lost, len(cell.control))
    if cell.in_hand is not NOTHING:
        own["in_hand"] = 1
        own["handling"] = type(cell.in_hand).__qualname__
        own["handling_for_s"] = cell.handling_for_s(now_s)
    if cell.waiting_on is not None:
        own["waiting_on"] = cell.waiting_on[0].path
        own["waiting_for_s"] = now_s - cell.waiting_on[1]
    return own
