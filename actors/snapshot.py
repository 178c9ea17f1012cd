"""Snapshots: the whole tree at one moment, immutable, built only when somebody asks.

Counters only grow; rates are for the reader to compute from two snapshots. Every time is in the
tree's own seconds, which are Trio's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import attrs

from actors.cell import Cell
from actors.dead_letters import DeadLetterCount
from actors.inbox import NOTHING
from actors.node import LastError, Node, State
from actors.spec import Restart, Strategy
from actors.supervisor import Supervisor
from actors.waiting import deadlocks

if TYPE_CHECKING:
    from actors.system import System


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
    now_s = system.now_s()
    nodes = tuple(_walk(system.root, 0, None, now_s))
    p50_s, p99_s = system.lag_s()
    letters = system.dead_letters.counts()
    cells = [node for node in all_nodes(system.root) if isinstance(node, Cell)]
    return TreeSnapshot(seq, now_s, nodes, letters, deadlocks(cells), p50_s, p99_s)


def all_nodes(node: Node) -> Iterator[Node]:
    """Yield a node and everything under it, in start order."""
    yield node
    if isinstance(node, Supervisor):
        for child in node.children.values():
            yield from all_nodes(child)


def _walk(
    node: Node, depth: int, parent: Supervisor | None, now_s: float
) -> Iterator[NodeSnapshot]:
    yield _node(node, depth, parent, now_s)
    if isinstance(node, Supervisor):
        for child in node.children.values():
            yield from _walk(child, depth + 1, node, now_s)


def _node(node: Node, depth: int, parent: Supervisor | None, now_s: float) -> NodeSnapshot:
    is_waiting = node.state is State.BACKOFF
    if isinstance(node, Cell):
        kind, own = "actor", _with_messages(node, now_s)
    else:
        kind, own = "supervisor", _with_children(cast("Supervisor", node))
    return NodeSnapshot(
        name=node.name,
        path=node.path,
        parent=parent.path if parent else None,
        depth=depth,
        kind=kind,
        state=node.state,
        generation=node.generation,
        restart=node.spec.restart,
        restarts=max(0, node.generation - 1),
        restarts_in_window=node.failures.count(now_s) if node.failures else 0,
        restart_limit=parent.spec.intensity.limit if parent else None,
        next_restart_in_s=max(0.0, node.not_before_s - now_s) if is_waiting else None,
        state_for_s=now_s - node.since_s,
        uptime_s=now_s - node.up_since_s if node.up_since_s is not None else None,
        last_error=node.last_error,
        **own,
    )


def _with_children(supervisor: Supervisor) -> dict[str, Any]:
    paths = tuple(child.path for child in supervisor.children.values())
    return {"strategy": supervisor.spec.strategy, "children": paths}


def _with_messages(cell: Cell, now_s: float) -> dict[str, Any]:
    box = cell.mailbox
    is_busy = cell.in_hand is not NOTHING
    waiting_on = cell.waiting_on
    return {
        "mailbox": MailboxSnapshot(
            policy=str(box.spec.policy),
            length=len(box.store),
            capacity=box.spec.capacity,
            peak=box.peak,
            dropped=cell.dropped,
            conflated=box.conflated,
            refused=box.refused,
            control_length=cell.control_length,
        ),
        "received": cell.received,
        "handled": cell.handled,
        "handled_directly": cell.direct,
        "failed": cell.failed,
        "in_hand": int(is_busy),
        "late_replies": cell.late_replies,
        "handling": type(cell.in_hand).__qualname__ if is_busy else None,
        "handling_for_s": cell.handling_for_s(now_s) if is_busy else None,
        "waiting_on": waiting_on[0].path if waiting_on else None,
        "waiting_for_s": now_s - waiting_on[1] if waiting_on else None,
    }
