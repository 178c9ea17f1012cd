"""A market's minutes: what bid, ask and trades did within each."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import attrs

MINUTE_MS = 60_000
# Two days of minutes; a run lasts hours.
MINUTES_KEPT = 2_880


@attrs.define
class Range:
    """Open, lowest, highest and last value of a stretch of time."""

    open_e4: int
    low_e4: int
    high_e4: int
    close_e4: int

    @classmethod
    def at(cls, value_e4: int) -> Range:
        """Return the range of a single value."""
        return cls(value_e4, value_e4, value_e4, value_e4)

    def note(self, value_e4: int) -> None:
        """Take in the latest value."""
        self.close_e4 = value_e4
        if value_e4 > self.high_e4:
            self.high_e4 = value_e4
        elif value_e4 < self.low_e4:
            self.low_e4 = value_e4

    def follow(self, later: Range) -> None:
        """Take in a later stretch."""
        self.low_e4 = min(self.low_e4, later.low_e4)
        self.high_e4 = max(self.high_e4, later.high_e4)
        self.close_e4 = later.close_e4


@attrs.define
class Candle:
    """One stretch of time; ``price`` is None while nothing traded in it."""

    end_ms: int
    bid: Range
    ask: Range
    price: Range | None = None
    volume_e2: int = 0
    traded_e6: int = 0
    open_interest_e2: int = 0


@attrs.define
class CandleTape:
    """The latest minutes of one market in which anything happened."""

    minutes: deque[Candle] = attrs.field(factory=lambda: deque(maxlen=MINUTES_KEPT))

    def touch(self, at_ms: int, bid_e4: int, ask_e4: int) -> None:
        """Note bid and ask, 0 and one dollar where a side is empty."""
        minute = self._minute(at_ms, bid_e4, ask_e4)
        minute.bid.note(bid_e4)
        minute.ask.note(ask_e4)

    def trade(self, at_ms: int, price_e4: int, count_e2: int, open_interest_e2: int) -> None:
        """Note a trade."""
        before = self.minutes[-1] if self.minutes else None
        bid_e4, ask_e4 = (0, 10_000) if before is None else _closes(before)
        minute = self._minute(at_ms, bid_e4, ask_e4)
        if minute.price is None:
            minute.price = Range.at(price_e4)
        minute.price.note(price_e4)
        minute.volume_e2 += count_e2
        minute.traded_e6 += price_e4 * count_e2
        minute.open_interest_e2 = open_interest_e2

    def _minute(self, at_ms: int, bid_e4: int, ask_e4: int) -> Candle:
        if self.minutes and at_ms <= self.minutes[-1].end_ms:
            return self.minutes[-1]
        end_ms = -(-at_ms // MINUTE_MS) * MINUTE_MS
        interest_e2 = self.minutes[-1].open_interest_e2 if self.minutes else 0
        bid, ask = Range.at(bid_e4), Range.at(ask_e4)
        self.minutes.append(Candle(end_ms, bid, ask, open_interest_e2=interest_e2))
        return self.minutes[-1]


def merged(minutes: Iterable[Candle], length_ms: int) -> list[Candle]:
    """Return candles of a longer period, each ending at a multiple of its length."""
    found: list[Candle] = []
    for minute in minutes:
        end_ms = -(-minute.end_ms // length_ms) * length_ms
        if not found or found[-1].end_ms != end_ms:
            found.append(_copy(minute, end_ms))
            continue
        whole = found[-1]
        whole.bid.follow(minute.bid)
        whole.ask.follow(minute.ask)
        if whole.price is None:
            whole.price = None if minute.price is None else attrs.evolve(minute.price)
        elif minute.price is not None:
            whole.price.follow(minute.price)
        whole.volume_e2 += minute.volume_e2
        whole.traded_e6 += minute.traded_e6
        whole.open_interest_e2 = minute.open_interest_e2
    return found


def _copy(minute: Candle, end_ms: int) -> Candle:
    price = None if minute.price is None else attrs.evolve(minute.price)
    return attrs.evolve(
        minute,
        end_ms=end_ms,
        bid=attrs.evolve(minute.bid),
        ask=attrs.evolve(minute.ask),
        price=price,
    )


def _closes(candle: Candle) -> tuple[int, int]:
    return candle.bid.close_e4, candle.ask.close_e4
