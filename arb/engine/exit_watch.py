"""Whether everything that is ours is on sale, and never more: looked at all the time, and said.

It sees the ledger alone, so that an exit loop that has died in silence is seen as well.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from arb.core.commands import CancelOrder, Purpose
from arb.core.events import Fill
from arb.core.exits import Holding, excess_exits
from arb.core.money import contracts
from arb.core.orders import OrderState
from arb.core.risk import Refusal
from arb.engine.board import Alarm
from arb.engine.bookkeeping import Bookkeeper
from arb.engine.messages import WatchExits
from arb.engine.parts import Parts

# Often enough that an alarm is half a second late at most.
WATCH_EVERY_S = 0.5

# An order is answered within a tenth of that; whoever is without an exit for longer is at risk.
UNCOVERED_MAX_NS = 1_000_000_000

# A cancel that was not heard of is sent again after this; sooner would find a cancelled order.
CANCEL_AGAIN_NS = 1_000_000_000


@attrs.frozen
class WatchHands:
    """What the watch may do, and the one thing it must ask."""

    cancel: Callable[[CancelOrder], None]
    keep_exits: Callable[[str], None]
    come_back: Callable[[float, WatchExits], object]
    is_away: Callable[[str], bool]


class ExitWatch:
    """Warns where an exit is missing, cancels one that is too much, and has markets look again."""

    def __init__(self, parts: Parts, books: Bookkeeper, hands: WatchHands) -> None:
        self._parts = parts
        self._board = parts.board
        self._books = books
        self._hands = hands
        self._uncovered_ns: dict[str, int] = {}
        self._refused: dict[str, str] = {}
        self._reversed: set[str] = set()
        self._canceled_ns: dict[str, int] = {}

    def begin(self) -> None:
        """Look from now on."""
        self._hands.come_back(WATCH_EVERY_S, WatchExits())

    def look(self, wish: WatchExits) -> None:
        """Look at every market in which something is ours, and come back."""
        active = self._books.ledger.active_tickers()
        for ticker in active:
            self._look_at(self._books.holding(ticker, 0))
        told = self._uncovered_ns.keys() | self._board.alarms.keys() | self._refused.keys()
        for gone in told - set(active):
            self._covered(gone)
        self._forget_cancels()
        self._hands.come_back(WATCH_EVERY_S, wish)

    def trim(self, ticker: str) -> None:
        """Cancel at once what could sell more than is left of what is ours."""
        now_ns = self._parts.clock.monotonic_ns()
        for order in excess_exits(self._books.holding(ticker, 0)):
            since_ns = now_ns - self._canceled_ns.get(order.client_order_id, -CANCEL_AGAIN_NS)
            if since_ns >= CANCEL_AGAIN_NS:
                name, why = order.client_order_id, "more than is held"
                self._canceled_ns[name] = now_ns
                wish = CancelOrder(name, order.order_id, ticker, order.count_e2, why)
                self._hands.cancel(wish)

    def changed(self, holding: Holding) -> None:
        """Take a warning back as soon as everything that is ours is on sale."""
        if holding.ticker in self._board.alarms and not holding.unrested_e2:
            self._covered(holding.ticker, keep_warning=bool(holding.ours_e2))

    def refused(self, refusal: Refusal) -> None:
        """Remember why the last exit of a market was refused."""
        if refusal.purpose is Purpose.EXIT:
            self._refused[refusal.ticker] = f"{refusal.code}: {refusal.text}"

    def booked(self, fill: Fill) -> None:
        """Warn where an exit has filled beyond what was ours, and opened the other side."""
        if not self._books.is_reversal(fill):
            return
        self._reversed.add(fill.ticker)
        self._board.counts["reversals"] += 1
        self._warn(fill.ticker, self._reversal_text(self._books.holding(fill.ticker, 0)))

    def _forget_cancels(self) -> None:
        since_ns = self._parts.clock.monotonic_ns() - CANCEL_AGAIN_NS
        past = [name for name, at_ns in self._canceled_ns.items() if at_ns <= since_ns]
        for name in past:
            del self._canceled_ns[name]

    def _look_at(self, holding: Holding) -> None:
        ticker = holding.ticker
        self.trim(ticker)
        if holding.ours_e2:
            # Renewals, limits of time and whatever a market has missed come with time alone.
            self._hands.keep_exits(ticker)
        if not holding.unrested_e2:
            self._covered(ticker, keep_warning=bool(holding.ours_e2))
            return
        now_ns = self._parts.clock.monotonic_ns()
        since_ns = self._uncovered_ns.setdefault(ticker, now_ns)
        if now_ns - since_ns > UNCOVERED_MAX_NS:
            left, held = contracts(holding.unrested_e2), contracts(abs(holding.ours_e2))
            way = "YES" if holding.ours_e2 > 0 else "NO"
            text = f"no exit rests for {left} of {held} {way}: {self._why(holding)}"
            if ticker not in self._board.alarms:
                self._board.counts["exits_missing"] += 1
            self._warn(ticker, text)

    def _covered(self, ticker: str, *, keep_warning: bool = False) -> None:
        self._uncovered_ns.pop(ticker, None)
        self._refused.pop(ticker, None)
        if keep_warning and ticker in self._reversed:
            self._warn(ticker, self._reversal_text(self._books.holding(ticker, 0)))
            return
        self._reversed.discard(ticker)
        if self._board.alarms.pop(ticker, None) is not None:
            self._board.say("RISK", f"{ticker}: everything that is ours is on sale again")

    def _warn(self, ticker: str, text: str) -> None:
        before = self._board.alarms.get(ticker)
        if before is not None and before.text == text:
            return
        since_ms = before.since_ms if before is not None else self._parts.clock.wall_ms()
        self._board.alarms[ticker] = Alarm(ticker, since_ms, text)
        self._board.say("RISK", f"{ticker}: {text}", level="error")

    def _reversal_text(self, holding: Holding) -> str:
        way = "YES" if holding.ours_e2 > 0 else "NO"
        held = contracts(abs(holding.ours_e2))
        return (
            f"an exit has sold more than was held: {held} {way} are held now and on their way out"
        )

    def _why(self, holding: Holding) -> str:
        """Say in a few words why nothing rests, the first cause first."""
        ticker, switches = holding.ticker, self._parts.switches
        listing = self._parts.listing(ticker)
        if listing is None:
            return "its market is not traded here"
        row = self._board.markets.get(ticker)
        reason = row.reason if row is not None else "nothing heard yet"
        if ticker in switches.closing:
            return f"it is being closed; {reason}"
        causes = (
            "sales were cancelled on purpose" if switches.exits_withdrawn else None,
            None if switches.resting_known else "what rests at the exchange is not read yet",
            listing.shut(self._parts.clock.wall_ms()),
            _waiting(holding),
            self._refused.get(ticker),
            "its market is away" if self._hands.is_away(ticker) else None,
        )
        first = next((cause for cause in causes if cause is not None), None)
        return first if first is not None else f"no exit was wished; {reason}"

    def __repr__(self) -> str:
        return f"<ExitWatch {len(self._uncovered_ns)} uncovered, {len(self._board.alarms)} alarms>"


def _waiting(holding: Holding) -> str | None:
    states = {order.state for order in holding.closing}
    if OrderState.UNKNOWN in states:
        return "whether its exit rests is unknown and being looked up"
    return "its exit has no answer yet" if OrderState.PENDING in states else None
