"""Short names for Kalshi tickers, where a column has no room for the whole."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import Any

import attrs

from arb.console.cells import Cell, Column, Tone
from arb.console.formats import one_line

# KXMLBGAME-25AUG231905NYYBOS-NYY: series, date (with an hour in some sports) and teams, side.
_DATED = re.compile(r"^\d{2}[A-Z]{3}(\d{2})(?:\d{4})?(?=[A-Z])")
SHORT_COLUMNS = 16
# A longer ticker is cut: the page of a market has the whole.
LONGEST_COLUMNS = 40
# The whole ticker is shown only where so much is left beside it for what the market does.
ROOM_BESIDE = 30


@attrs.frozen
class TickerNames:
    """The short name of each ticker that still tells it from all others of the picture."""

    short: dict[str, str]
    longest: int = SHORT_COLUMNS

    def fitted(self, ticker: str, width: int) -> str:
        """Return the ticker, or its short name where the ticker is wider than ``width``.

        What is still too wide loses its beginning: the end says which side of the game it is.
        """
        text = ticker if len(ticker) <= width else self.short.get(ticker, ticker)
        return text if len(text) <= width else f"…{text[len(text) - max(0, width - 1) :]}"


@lru_cache(maxsize=4)
def ticker_names(tickers: tuple[str, ...]) -> TickerNames:
    """Shorten these tickers as far as no two of them look the same.

    The same teams play on several days; their games then carry the day of the month, and what is
    still the same keeps its full name. A person must never take one game for another.
    """
    forms = {ticker: (shorten(ticker), shorten(ticker, day=True)) for ticker in tickers}
    seen = Counter(form for pair in forms.values() for form in set(pair))
    short = {
        ticker: next((form for form in pair if seen[form] == 1), ticker)
        for ticker, pair in forms.items()
    }
    longest = max((len(ticker) for ticker in tickers), default=SHORT_COLUMNS)
    return TickerNames(short, min(LONGEST_COLUMNS, longest))


def shorten(ticker: str, *, day: bool = False) -> str:
    """Leave KX, the word GAME and the date out: ``MLB-NYYBOS-NYY``, with its day ``MLB-23NYYBOS``.

    What is no ticker stays as it is.
    """
    series, *rest = ticker.split("-")
    if not rest:
        return ticker
    middle = [_DATED.sub(r"\1" if day else "", part) for part in rest]
    return "-".join([series.removeprefix("KX").removesuffix("GAME"), *middle])


def ticker_column(names: TickerNames, priority: int) -> Column[Any]:
    """Return a column of tickers: short names, or the whole where there is plenty of room."""

    def cell(row: Any, width: int) -> Cell:
        return Cell(one_line(names.fitted(row.ticker, width)), Tone.STRONG)

    grow_from = names.longest - SHORT_COLUMNS + ROOM_BESIDE
    return Column("Ticker", SHORT_COLUMNS, priority, cell, names.longest, grow_from=grow_from)
