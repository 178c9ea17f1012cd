"""One piece of a supervisor's work: stop these in reverse order, wait, start those in order.

A supervisor that restarts its children one for one has a recovery for each of them, so that one
child's backoff or slow start delays no other. One that restarts them in groups has a single
recovery, to which each further failure adds; so the order holds whatever happens meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import trio

from actors.node import SETTLED, TO_START, TO_STOP, Node, State
from actors.spec import Restart

if TYPE_CHECKING:
    from actors.supervisor import Supervisor


class Recovery:
    """What is still to be stopped and started, and the task that does it."""

    __slots__ = ("_not_before_s", "_nudge", "_starts", "_stops", "_supervisor", "key", "scope")

    def __init__(self, supervisor: Supervisor, key: str) -> None:
        """Start with nothing to do."""
        self._supervisor = supervisor
        self.key = key
        self.scope = trio.CancelScope(shield=True)
        self._stops: dict[Node, None] = {}
        self._starts: dict[Node, None] = {}
        self._not_before_s = 0.0
        self._nudge: trio.CancelScope | None = None

    def __repr__(self) -> str:
        """Say what is left to do."""
        return f"<Recovery {self.key}: stop {len(self._stops)}, start {len(self._starts)}>"

    def add(
        self, stops: Iterable[Node], starts: Iterable[Node], *, not_before_s: float, hurry: bool
    ) -> None:
        """Add work; a person's ``hurry`` ends a backoff, a failure only prolongs it."""
        self._stops = self._in_order({*self._stops, *stops})
        self._starts = self._in_order({*self._starts, *starts})
        self._not_before_s = not_before_s if hurry else max(self._not_before_s, not_before_s)
        if self._nudge is not None:
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
                    self._nudge = None
        self._supervisor.recovered(self)

    def _in_order(self, nodes: set[Node]) -> dict[Node, None]:
        if len(nodes) < 2:  # noqa: PLR2004 - one alone is in order
            return dict.fromkeys(nodes)
        return {child: None for child in self._supervisor.children.values() if child in nodes}

    async def _stop_last(self) -> None:
        node = next(reversed(self._stops))
        if node.alive:
            if node.state in TO_STOP:
                is_over = node.spec.restart is Restart.TEMPORARY
                rests_in = State.STOPPED if is_over else State.WAITING
                node.request_stop("restart", node.then or rests_in)
            await node.stop()
        # A child that was removed from the tree while it stopped is not in order any more.
        self._stops.pop(node, None)

    async def _start_first(self) -> None:
        wait_s = self._not_before_s - self._supervisor.system.now_s()
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
