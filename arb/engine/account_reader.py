"""Reading the whole account at intervals: cash, positions, fills and what rests."""

from __future__ import annotations

from collections.abc import Callable

import trio

from arb.engine.messages import Account, HeldPosition, RestingOrder
from arb.engine.parts import Parts
from arb.kalshi.rest import Rest, RestError

# Fills and positions come from two read models, which were seen apart for less than this.
FILLS_OVERLAP_MS = 60_000

# A resting order lives for a week at most, so no fill of ours can be older when we come back.
FIRST_FILLS_MS = 8 * 86_400_000

MS_PER_S = 1000


class AccountReader:
    """Reads when asked, and at intervals; ``read`` hears of each reading that succeeded."""

    def __init__(
        self, rest: Rest, parts: Parts, prefix: str, read: Callable[[Account, int], None]
    ) -> None:
        self._rest = rest
        self._parts = parts
        self._prefix = prefix
        self._read = read
        self._fills_since_ms = parts.clock.wall_ms() - FIRST_FILLS_MS
        self._wake = trio.Event()
        self._wanted = 0

    def want(self) -> int:
        """Ask for a reading that begins from now on, and return its number."""
        self._wanted += 1
        self._wake.set()
        return self._wanted

    async def run(self) -> None:
        """Read for ever; ``read`` is told which wish each reading has fulfilled."""
        while True:
            with trio.move_on_after(self._parts.execution.reconcile_interval_ms / MS_PER_S):
                await self._wake.wait()
            self._wake = trio.Event()
            wanted = self._wanted
            account = await self._account()
            if account is not None:
                self._read(account, wanted)

    async def _account(self) -> Account | None:
        now_ms = self._parts.clock.wall_ms()
        try:
            fills = await self._rest.fills(self._fills_since_ms)
            cash_e6 = await self._rest.balance()
            positions = await self._rest.positions()
            orders = await self._rest.open_orders()
        except RestError as error:
            self._parts.board.say("KALSHI", f"account not read: {error}", level="warning")
            return None
        self._fills_since_ms = now_ms - FILLS_OVERLAP_MS
        return Account(
            cash_e6,
            tuple(HeldPosition(each.ticker, each.count_e2, each.cost_e6) for each in positions),
            tuple(fills),
            tuple(
                RestingOrder(each.client_order_id, each.order_id, each.ticker)
                for each in orders
                if each.client_order_id is not None
                and each.client_order_id.startswith(self._prefix)
            ),
        )

    def __repr__(self) -> str:
        return f"<AccountReader {self._wanted} wanted>"
