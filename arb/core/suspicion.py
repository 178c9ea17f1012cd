"""Books that have stopped quoting without saying so: they vanish, freeze, or double their margin.

Feeds say "suspended" only sometimes. What a book stops to do is told by the others: a reading of
its provider that lacks it, a move that it does not follow, a margin that is not its own. Such a
book supports nothing, neither an order nor an exit, until it is normal again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import attrs

from arb.core.consensus import BookChance, BookRejected
from arb.core.events import Quote

# A reading of a provider may be overtaken by a message of its stream, and the pages of one reading
# take a second or two: a book that was heard so shortly before a reading has not vanished.
VANISHED_AFTER_MS = 5_000

# Books differ by half a cent to a cent for hours. Where two have moved this far from one that stood
# still, it is not an opinion of its own.
APART_MIN = 0.03

# One that moved alone may be the one that is wrong.
MOVERS_MIN = 2

# Slow books follow the first within 0.8 to 4.5 s; what has not followed by then is frozen.
FROZEN_AFTER_MS = 5_000

# Who is frozen is so until a price changes, however long that takes.
FOR_EVER_MS = 2**62

# A book about to suspend doubles its margin, give or take the noise of prices of two decimals: that
# is 0.4 points at short odds, so that a sharp book's 2 per cent may double by chance. Therefore it
# must be so much more as well, and is normal again only when it is clearly less.
MARGIN_TIMES = 1.9
MARGIN_TIMES_NORMAL = 1.5
MARGIN_GAIN_MIN = 0.02

# Nobody works for less in the long run; a first price that is crossed must not become the usual.
MARGIN_LEAST = 0.02

# The usual margin is a mean over about sixteen changes. An unusual one counts much less: a book
# that stays so for some hundred changes has taken up another margin for good.
MARGIN_LEARN = 1 / 16
MARGIN_RELEARN = 1 / 256


@attrs.define
class Margin:
    """One book's margin of one game: the usual one, and whether the last was twice as large."""

    usual: float
    doubled: bool = False

    @classmethod
    def of(cls, quote: Quote) -> Margin:
        """Begin with a first price."""
        return cls(max(_margin(quote), MARGIN_LEAST))

    def watch(self, quote: Quote) -> None:
        """Take a further price in."""
        margin, usual = _margin(quote), self.usual
        times = MARGIN_TIMES_NORMAL if self.doubled else MARGIN_TIMES
        self.doubled = margin >= times * usual and margin - usual >= MARGIN_GAIN_MIN
        usual += (margin - usual) * (MARGIN_RELEARN if self.doubled else MARGIN_LEARN)
        self.usual = usual if usual > MARGIN_LEAST else MARGIN_LEAST  # noqa: FURB136 - half the time


class Watched(Protocol):
    """What is known of one book's price; see `arb.core.staleness.HeldQuote`."""

    chance: BookChance | BookRejected
    change_number: int
    apart_since_ms: int | None
    frozen: bool

    @property
    def book(self) -> str:
        """Return the book's name."""


def watch_movers(held: Sequence[Watched], now_ms: int, family_of: Mapping[str, str]) -> int | None:
    """Note who stands apart and who is frozen; returns until when that holds, None if nobody does.

    A book stands apart while two others, of different families, are far from it on one side. It
    becomes so when they have moved since it did, is frozen if that lasts, and is normal again when
    it does not stand apart any more.
    """
    until_ms: int | None = None
    for one in held:
        if not _is_apart(one, held, family_of):
            one.apart_since_ms, one.frozen = None, False
            continue
        if one.apart_since_ms is None:
            one.apart_since_ms = now_ms
        due_ms = one.apart_since_ms + FROZEN_AFTER_MS
        one.frozen = now_ms >= due_ms
        holds_ms = FOR_EVER_MS if one.frozen else due_ms - 1
        until_ms = holds_ms if until_ms is None else min(until_ms, holds_ms)
    return until_ms


def _is_apart(one: Watched, held: Sequence[Watched], family_of: Mapping[str, str]) -> bool:
    if not isinstance(one.chance, BookChance):
        return False
    mine, since = one.chance.home, one.change_number
    above: set[str] = set()
    below: set[str] = set()
    for other in held:
        if not isinstance(other.chance, BookChance):
            continue
        gap = other.chance.home - mine
        if abs(gap) >= APART_MIN and (one.frozen or other.change_number > since):
            key = other.chance.key
            (above if gap > 0.0 else below).add(family_of.get(key, key))
    return max(len(above), len(below)) >= MOVERS_MIN


def _margin(quote: Quote) -> float:
    if not (quote.home > 1.0 and quote.away > 1.0):
        return 0.0
    return 1.0 / quote.home + 1.0 / quote.away - 1.0
