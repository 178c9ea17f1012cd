"""What a day has gained or lost: what was realised, and what is held at what it would fetch.

A day is US Eastern, as the games are dated: a night's last game ends before it does, save on the
west coast.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from arb.core.eastern import eastern_date
from arb.core.ledger import Ledger
from arb.core.money import CountE2, MoneyE6, PriceE4

# A clock that shows another day for less than this was set wrong, and put right again.
DATE_STANDS_NS = 60_000_000_000


@attrs.define
class Midnight:
    """Tells when a new day begins, by a clock that may be set wrong for a while, or for long.

    The first date that is seen is followed; each later one when it has stood for a minute.
    """

    _date: str = ""
    _since_ns: int = 0
    _stood: str = ""

    def has_come(self, counted: str, date: str, now_ns: int) -> bool:
        """Tell whether a new day begins now; ``counted`` is the one whose loss is counted.

        A clock that is set back brings no day back. One that was ahead for so long that a day of
        the future is counted begins a new day at its next midnight all the same.
        """
        if date != self._date:
            self._date, self._since_ns = date, now_ns
        if self._stood and now_ns - self._since_ns < DATE_STANDS_NS:
            return False
        before, self._stood = self._stood, date
        return date > counted or (bool(before) and before < date < counted)

    def stands(self, now_ns: int) -> bool:
        """Tell whether the date that was seen last has stood for long enough to be believed."""
        return now_ns - self._since_ns >= DATE_STANDS_NS


@attrs.frozen
class Mark:
    """The last bid and ask of YES that were known in one market, None where none ever was."""

    bid_e4: PriceE4 | None = None
    ask_e4: PriceE4 | None = None

    def followed_by(self, later: Mark) -> Mark:
        """Return what is known after a later look, which may have found a side empty."""
        bid_e4 = self.bid_e4 if later.bid_e4 is None else later.bid_e4
        return Mark(bid_e4, self.ask_e4 if later.ask_e4 is None else later.ask_e4)

    def closing_e4(self, count_e2: CountE2) -> PriceE4 | None:
        """Return the price that closes a position: YES is sold at the bid, NO bought at the ask."""
        return self.bid_e4 if count_e2 > 0 else self.ask_e4


@attrs.frozen
class Earlier:
    """The day that was counted before a start which saw another date, while that may be wrong."""

    date: str
    before_e6: int
    awaited: tuple[str, ...] = ()


@attrs.frozen
class Day:
    """One day, and what had been gained in all when it began: ``date`` is ISO, US Eastern.

    ``marks`` are what was held was last seen at. ``awaited`` are the markets that were held when it
    began and that nobody had looked at yet: the first price there belongs to the beginning.
    ``earlier`` goes on in place of this day where the clock was ahead and is put right.
    """

    date: str
    before_e6: int
    marks: dict[str, Mark] = attrs.field(factory=dict)
    awaited: tuple[str, ...] = ()
    earlier: Earlier | None = None


def day_of(now_ms: int) -> str:
    """Return the day of a moment, Unix milliseconds."""
    return eastern_date(now_ms).isoformat()


def gained_e6(ledger: Ledger, marks: Mapping[str, Mark]) -> MoneyE6:
    """Return all that was ever gained, fees paid, with what is held at what it would fetch.

    YES is worth its bid, NO what the ask leaves of a dollar, and either what it cost where nobody
    has ever shown a price.
    """
    total_e6 = ledger.realised_e6 - ledger.fees_e6
    for position in ledger.held():
        mark = marks.get(position.ticker)
        if mark is not None:
            price_e4 = mark.closing_e4(position.count_e2)
            total_e6 += position.unrealised_e6(price_e4) if price_e4 is not None else 0
    return MoneyE6(total_e6)
