"""The judge of limits: games' losses, a day's loss, orders within a second, refusals in a row.

Exposure is counted from the exchange's ledger and the wire; the day and the refusals from the
journal's bytes, because a rule can only follow what its engine has heard. All of it is counted by
code that the engine does not have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import attrs

from arb.faults.clock import true_s
from arb.faults.judge_books import SeenBook, SeenBooks
from arb.faults.sometimes import DAY_LOST, REFUSED_IN_A_ROW
from arb.faults.trace import Trace
from arb.settings import Settings

DOLLAR_E4 = 10_000

# What the two markets of a game may be worth at its end: one team wins, a tie, and the fair prices
# of a game that is not played.
ENDS_E4 = ((10_000, 0), (0, 10_000), (5_000, 5_000), (3_700, 6_300), (6_300, 3_700))

# What was approved before a rule was broken may leave as long as its approval is valid.
APPROVAL_S = 0.051

# Said of orders that never arrived, and by an exchange at rest.
_NO_FAULT_OF_THE_EXCHANGE = frozenset(
    {"no tokens", "no lane", "no order group", "not sent", "gateway full", "never taken"}
    | {"trading_is_paused", "exchange_is_paused"}
)


@attrs.frozen
class AtRisk:
    """Something that may lose money: so many YES, or NO where negative, and what they cost."""

    ticker: str
    count_e2: int
    cost_e6: int

    @classmethod
    def of_entry(cls, ticker: str, price_e4: int, count_e2: int, *, buys_yes: bool) -> AtRisk:
        """Return what an entry may lose that fills whole: one that sells YES buys NO."""
        if buys_yes:
            return cls(ticker, count_e2, price_e4 * count_e2)
        return cls(ticker, -count_e2, (DOLLAR_E4 - price_e4) * count_e2)

    def loss_e6(self, yes_e4: int) -> int:
        """Return what it loses where YES is worth so much; nothing where it gains."""
        own_e4 = yes_e4 if self.count_e2 > 0 else DOLLAR_E4 - yes_e4
        return max(0, self.cost_e6 - own_e4 * abs(self.count_e2))


def game_loss_e6(home: str, items: Iterable[AtRisk]) -> int:
    """Return the most that a game may lose, its ends tried one by one."""
    some = list(items)
    return max(
        sum(each.loss_e6(home_e4 if each.ticker == home else away_e4) for each in some)
        for home_e4, away_e4 in ENDS_E4
    )


@attrs.define
class Tally:
    """One market's account as the journal's fills make it; money in dollars times 10**6."""

    yes_e2: int = 0
    cash_e6: int = 0
    dearest_e4: int = 0
    cheapest_e4: int = DOLLAR_E4

    def trade(self, yes_e2: int, price_e4: int, fee_e6: int = 0) -> None:
        """Take so many YES, negative is sold, at a price."""
        self.yes_e2 += yes_e2
        self.cash_e6 -= yes_e2 * price_e4 + fee_e6
        self.dearest_e4 = max(self.dearest_e4, price_e4)
        self.cheapest_e4 = min(self.cheapest_e4, price_e4)

    def most_e6(self, book: SeenBook | None) -> int:
        """Return the most that it can be worth by any price that was paid or seen."""
        bid_e4, ask_e4 = self.dearest_e4, self.cheapest_e4
        if book is not None:
            bid_e4 = max(bid_e4, book.dearest_bid_e4)
            ask_e4 = min(ask_e4, book.cheapest_ask_e4)
        return self.cash_e6 + self.yes_e2 * (bid_e4 if self.yes_e2 > 0 else ask_e4)

    def least_e6(self) -> int:
        """Return what it is worth at least: what is held at nothing."""
        return self.cash_e6 + min(0, self.yes_e2) * DOLLAR_E4


@attrs.define
class LimitsJudge:
    """Reads the journal as it is written, and says when a rule should have stopped trading."""

    settings: Settings
    trace: Trace
    books: SeenBooks
    started_s: float = -1.0
    _tallies: dict[str, Tally] = attrs.field(factory=lambda: defaultdict(Tally))
    _entries: set[str] = attrs.field(factory=set)
    _settled: set[tuple[str, int]] = attrs.field(factory=set)
    _refused: int = 0
    _base_e6: int = 0
    _day: dict[str, Any] | None = None
    _cleared: bool = False
    _broken_s: dict[str, float] = attrs.field(factory=dict)

    def record(self, record: dict[str, Any]) -> None:
        """Take one record, and judge an entry that is about to leave."""
        self._take(record)
        if record["k"] == "intent" and record["d"]["intent"]["purpose"] == "entry":
            now_s = true_s()
            for why, since_s in self._broken_s.items():
                late = now_s - since_s > APPROVAL_S
                name = record["d"]["id"]
                self.trace.check("I9", not late, f"entry {name} was written although {why}")
        self._look()

    def found_after_loss(self, records: list[dict[str, Any]]) -> None:
        """Begin anew from what a machine found on its disk."""
        self._tallies.clear()
        self._settled.clear()
        self._refused = self._base_e6 = 0
        self._day, self._cleared = None, False
        for record in records:
            self._take(record)
        self._look()

    def started(self) -> None:
        """Note that a new engine starts: it has sent nothing and was refused nothing."""
        self.started_s = true_s()
        self._refused = 0
        self._look()

    def pace(self, name: str, sent_s: Iterable[float], now_s: float) -> None:
        """Judge an entry that leaves now, after orders that left at some times."""
        since_s = max(self.started_s, now_s - 1.0 + APPROVAL_S)
        count = 1 + sum(each_s > since_s for each_s in sent_s)
        most = self.settings.risk.max_orders_per_second
        text = f"with {name} {count} orders have left within a second, of {most}"
        self.trace.check("I3", count <= most, text)

    def _take(self, record: dict[str, Any]) -> None:
        kind, data = record["k"], record["d"]
        if kind == "intent" and data["intent"]["purpose"] == "entry":
            self._entries.add(data["id"])
        elif kind == "report":
            self._report(data["type"], data["event"])
        elif kind == "fill":
            self._fill(data)
        elif kind == "settlement":
            self._settle(data)
        elif kind == "day":
            self._day_written(data)
        elif kind == "halt":
            self._cleared = False
            self.trace.sometimes[DAY_LOST] += data["by"] == "the daily loss limit"
            self.trace.sometimes[REFUSED_IN_A_ROW] += data["by"] == "the refusal limit"
        elif kind == "clear":
            self._cleared, self._refused = True, 0
        elif kind == "account":
            # What was taken on the exchange's word is no gain or loss of today's.
            self._cleared = True

    def _report(self, kind: str, event: dict[str, Any]) -> None:
        if event["client_order_id"] not in self._entries:
            return
        if kind == "OrderAccepted":
            self._refused = 0
        elif kind == "OrderRefused" and event["code"] not in _NO_FAULT_OF_THE_EXCHANGE:
            self._refused += 1

    def _fill(self, data: dict[str, Any]) -> None:
        yes_e2 = data["count_e2"] if data["side"] == "bid" else -data["count_e2"]
        self._tallies[data["ticker"]].trade(yes_e2, data["price_e4"], data["fee_e6"])

    def _settle(self, data: dict[str, Any]) -> None:
        key = data["ticker"], data["at_ms"]
        if key not in self._settled:
            self._settled.add(key)
            tally = self._tallies[data["ticker"]]
            tally.trade(-tally.yes_e2, data["value_e4"])

    def _day_written(self, data: dict[str, Any]) -> None:
        """Follow a day that begins, that somebody has begun anew, or that keeps its marks."""
        before, self._day = self._day, data
        if before is None:
            return
        if before["date"] == data["date"]:
            # What a day awaits begins with the first price that is seen.
            if before["before_e6"] == data["before_e6"] or before.get("awaited"):
                return
            text = "the day began anew, and nobody had cleared its loss"
            self.trace.check("I9", self._cleared, text)
        self._base_e6 = sum(each.least_e6() for each in self._tallies.values())

    def _look(self) -> None:
        """Note which rules are broken now, and since when."""
        risk, books = self.settings.risk, self.books.books
        most_e6 = sum(each.most_e6(books.get(name)) for name, each in self._tallies.items())
        lost_e6 = self._base_e6 - most_e6
        self._note("the day has lost its limit", broken=lost_e6 >= risk.max_daily_loss_e6)
        refused = self._refused >= risk.max_consecutive_refusals
        self._note("entries were refused in a row", broken=refused)

    def _note(self, what: str, *, broken: bool) -> None:
        if broken:
            self._broken_s.setdefault(what, true_s())
        else:
            self._broken_s.pop(what, None)
