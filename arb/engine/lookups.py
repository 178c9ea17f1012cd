"""Finding out what became of an order that had no certain answer.

An order is looked up by its own id in the list of orders, then in the fills, until the exchange
shows it. That it was never taken is believed only when the exchange's read model has passed the
moment of sending by a margin, twice, and no fill is left that might be its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import attrs
import trio

from arb.core.events import (
    Fill,
    OrderAccepted,
    OrderAmended,
    OrderClosed,
    OrderEvent,
    OrderRefused,
)
from arb.core.money import CountE2
from arb.engine.board import Board
from arb.engine.messages import LookUp
from arb.io.clock import Clock
from arb.kalshi.listing import ListedOrder
from arb.kalshi.rest import Rest
from arb.kalshi.rest_calls import RestError

# The pause between two lookups of one order; it grows, because a read costs rate budget.
FIRST_PAUSE_S = 0.3
PAUSE_MAX_S = 5.0

# Said of an order that the exchange has never had.
NEVER_TAKEN = "never taken"

# A read was seen to be stale for 400 ms after a cancel: "resting" is believed only later.
STALE_READ_MS = 1_000

# The read model must be this far past the sending, this many times, before absence proves
# anything.
ABSENT_AFTER_MS = 30_000
ABSENT_READS = 2

# The exchange's clock and ours may be apart, by less than its tolerance for signatures.
FILLS_BEFORE_MS = 30_000


@attrs.define
class Wanted:
    """One order that is being looked for."""

    client_order_id: str
    ticker: str
    sent_ms: int
    existed: bool = False
    order_id: str | None = None
    pause_s: float = FIRST_PAUSE_S
    next_s: float = 0.0
    absent_reads: int = 0


class Lookups:
    """Looks wanted orders up until each is settled."""

    def __init__(
        self, rest: Rest, clock: Clock, board: Board, found: Callable[[OrderEvent], None]
    ) -> None:
        self._rest = rest
        self._clock = clock
        self._board = board
        self._found = found
        self._wanted: dict[str, Wanted] = {}
        self._wake = trio.Event()

    def want(
        self,
        client_order_id: str,
        ticker: str,
        sent_ms: int,
        *,
        existed: bool = False,
        order_id: str | None = None,
    ) -> None:
        """Start looking for an order; looking for it twice changes nothing.

        One that ``existed`` and is not listed any more has ended; it was never refused.
        """
        if client_order_id not in self._wanted:
            next_s = trio.current_time() + FIRST_PAUSE_S
            self._wanted[client_order_id] = Wanted(
                client_order_id, ticker, sent_ms, existed, order_id, next_s=next_s
            )
            self._wake.set()

    def look_up(self, wish: LookUp) -> None:
        """Start looking for the order that somebody wishes to know of."""
        self.want(
            wish.client_order_id,
            wish.ticker,
            wish.sent_ms,
            existed=wish.existed,
            order_id=wish.order_id,
        )

    async def run(self) -> None:
        """Look up what is due, for ever."""
        while True:
            wanted = await self._next_due()
            await self._look(wanted)
            wanted.pause_s = min(PAUSE_MAX_S, wanted.pause_s * 2)
            wanted.next_s = trio.current_time() + wanted.pause_s

    async def _next_due(self) -> Wanted:
        """Wait until one is due; an order that is wanted meanwhile may come before the others."""
        while True:
            first = min(self._wanted.values(), key=lambda each: each.next_s, default=None)
            due_s = math.inf if first is None else first.next_s
            if first is not None and due_s <= trio.current_time():
                return first
            self._wake = trio.Event()
            with trio.CancelScope(deadline=due_s):
                await self._wake.wait()

    async def _look(self, wanted: Wanted) -> None:
        try:
            # How far the reads are comes first: what is read afterwards is at least as new.
            passed = await self._passed(wanted)
            fills: list[Fill] = []
            listed = await self._rest.orders([("ticker", wanted.ticker)])
            order = next((o for o in listed if o.client_order_id == wanted.client_order_id), None)
            if order is None and passed:
                since_ms = wanted.sent_ms - FILLS_BEFORE_MS
                fills = await self._rest.fills(since_ms, ticker=wanted.ticker)
        except RestError as error:
            self._board.say("KALSHI", f"lookup failed: {error}", level="warning")
            return
        if order is not None:
            self._settle_found(wanted, order)
        elif passed:
            self._settle_absent(wanted, listed, fills)

    async def _passed(self, wanted: Wanted) -> bool:
        """Tell whether the exchange's reads are so far past the sending that absence is proof."""
        # Nothing was sent in the future: the clock was ahead when this was noted.
        wanted.sent_ms = min(wanted.sent_ms, self._clock.wall_ms())
        if self._clock.wall_ms() - wanted.sent_ms < ABSENT_AFTER_MS:
            return False
        return await self._rest.user_data_ms() - wanted.sent_ms >= ABSENT_AFTER_MS

    def _settle_found(self, wanted: Wanted, order: ListedOrder) -> None:
        name = wanted.client_order_id
        if order.status != "resting":
            why = "filled" if order.status == "executed" else "canceled: found so"
            # The exchange's id first: fills that are read carry no other.
            known = OrderAccepted(name, order.order_id, order.filled_e2, CountE2(0))
            self._done(wanted, known)
            self._found(OrderClosed(name, order.filled_e2, why))
        elif self._clock.wall_ms() - wanted.sent_ms >= STALE_READ_MS:
            accepted = OrderAccepted(name, order.order_id, order.filled_e2, order.remaining_e2)
            self._done(wanted, accepted)
            now = OrderAmended(name, order.price_e4, order.remaining_e2, order.expires_s)
            self._found(now)

    def _settle_absent(
        self, wanted: Wanted, listed: Sequence[ListedOrder], fills: Sequence[Fill]
    ) -> None:
        wanted.absent_reads += 1
        if wanted.absent_reads < ABSENT_READS:
            return
        name = wanted.client_order_id
        own = [fill for fill in fills if _is_of(fill, wanted)]
        if own:
            filled_e2 = CountE2(sum(fill.count_e2 for fill in own))
            self._done(wanted, OrderAccepted(name, own[0].order_id, filled_e2, CountE2(0)))
            self._found(OrderClosed(name, filled_e2, "filled: seen in the fills alone"))
        elif wanted.existed:
            self._done(wanted, OrderClosed(name, None, "canceled: no longer listed"))
        elif not {fill.order_id for fill in fills} - {order.order_id for order in listed}:
            refused = OrderRefused(name, NEVER_TAKEN, "the exchange has no such order")
            self._done(wanted, refused)
        else:
            # A fill of an order that is not listed, and fills name no id of ours: who knows.
            self._board.note_bad("exchange", "fill of an unlisted order", name)

    def _done(self, wanted: Wanted, event: OrderEvent) -> None:
        del self._wanted[wanted.client_order_id]
        self._found(event)

    def __repr__(self) -> str:
        return f"<Lookups {len(self._wanted)} wanted>"


def _is_of(fill: Fill, wanted: Wanted) -> bool:
    same_order = wanted.order_id is not None and fill.order_id == wanted.order_id
    return same_order or fill.client_order_id == wanted.client_order_id
