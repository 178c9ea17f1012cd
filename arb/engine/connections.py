"""What follows when a connection is lost, and what must be compared before it counts as back."""

from __future__ import annotations

from collections.abc import Callable

from arb.core.commands import OrderIntent, Purpose
from arb.core.permission import Permission
from arb.core.risk import Refusal, RefusalCode
from arb.engine.board import Board
from arb.engine.link import BEAT_S, STILL_MAX_S
from arb.engine.messages import ConnectionChanged
from arb.engine.names import ACCOUNT_LINK, ORDER_LANES
from arb.engine.reconciler import Reconciler
from arb.engine.withdrawals import Withdrawals
from arb.io.clock import NS_PER_S

# A connection that nobody has looked after for so long is given up as soon as somebody does.
STILL_MAX_NS = int((BEAT_S + STILL_MAX_S) * NS_PER_S)


class Connections:
    """Pauses what depends on a connection that is down, and has books compared once it is back."""

    def __init__(
        self,
        board: Board,
        permission: Permission,
        withdrawals: Withdrawals,
        reconciler: Reconciler,
        publish: Callable[[], None],
        sell_again: Callable[[], None],
    ) -> None:
        self._board = board
        self._permission = permission
        self._withdrawals = withdrawals
        self._reconciler = reconciler
        self._publish = publish
        self._sell_again = sell_again
        self._lost: set[str] = set()

    def changed(self, changed: ConnectionChanged) -> None:
        """Note that a connection has come or gone."""
        name, connected = changed.name, changed.connected
        self._board.connection(name, connected=connected, detail=changed.detail)
        if not self._permission.connection(name, connected=connected, detail=changed.detail):
            return
        if not self._permission.stopping:
            word = "connected" if connected else f"down: {changed.detail}"
            self._board.say("ENGINE", f"{name} {word}", level="info" if connected else "warning")
        if not connected:
            self._withdrawals.cancel_entries(f"{name} is down")
            if self._permission.ready:
                self._lost.add(name)
        elif name in self._lost:
            self._lost.discard(name)
            self._compare_again(name)
        self._publish()
        if connected and name == ORDER_LANES:
            # Sales that found no lane for so long wait seconds for their next try.
            self._sell_again()

    def unproven(self, intent: OrderIntent) -> Refusal | None:
        """Refuse an entry between a standstill and the moment in which connections are given up."""
        still_ns = self._board.still_ns if intent.purpose is Purpose.ENTRY else 0
        if still_ns <= STILL_MAX_NS:
            return None
        text = f"this machine stood still for {still_ns / NS_PER_S:.1f} s: all connections are old"
        return Refusal(intent.ticker, intent.purpose, RefusalCode.NOT_RUNNING, text)

    def _compare_again(self, name: str) -> None:
        # The account's own connection is back only after a reading; for the others one is due.
        if name == ORDER_LANES or (name == ACCOUNT_LINK and self._reconciler.differs):
            self._reconciler.distrust(f"{name} was down")

    def __repr__(self) -> str:
        return f"<Connections {len(self._lost)} lost>"
