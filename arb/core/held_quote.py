"""One book's price as a provider last gave it, and what another quote of it does to that.

Two ages are kept apart: when the price last *changed*, and when it was last *confirmed*.
"""

from __future__ import annotations

from enum import StrEnum

import attrs

from arb.core.consensus import BookChance, BookRejected
from arb.core.events import Quote, QuoteOrigin
from arb.core.suspicion import Margin

# A reading that was asked for before a message of the stream may come so much after it.
DETOUR_MAX_MS = 10_000


class QuoteEffect(StrEnum):
    """What a quote did to the board; counted under these words, the last two as bad input."""

    CHANGED = "changed"
    CONFIRMED = "confirmed"
    SUSPENDED = "suspended"
    EXCLUDED = "a book that the settings exclude"
    OUTDATED = "a poll older than what is known"
    TOO_MANY_BOOKS = "too many books in one game"


@attrs.define
class HeldQuote:
    """One book's price as a provider last gave it, and what is known of its age.

    ``key`` tells books apart, however they are spelled. ``chance`` is the price without its margin,
    worked out once. ``change_number`` orders the changes of the whole board, where two may fall
    into one millisecond; ``stands`` says that the book was in the last evaluation. ``found_ms`` is
    when a change was found that a reading brought, until a stream tells of it. ``apart_since_ms``
    and ``frozen`` are `watch_movers`'.
    """

    quote: Quote
    key: str
    chance: BookChance | BookRejected
    changed_ms: int
    confirmed_ms: int
    change_number: int
    margin: Margin
    stands: bool = False
    found_ms: int | None = None
    apart_since_ms: int | None = None
    frozen: bool = False

    @property
    def book(self) -> str:
        """Return the book's name as its provider spells it."""
        return self.quote.book


def suspend(held: HeldQuote, quote: Quote) -> QuoteEffect:
    """Take in that the book has taken its price away."""
    # The price stays the one that was good last, so that what follows is compared with that.
    last = held.quote
    held.quote = attrs.evolve(quote, home=last.home, away=last.away, draw=last.draw)
    return QuoteEffect.SUSPENDED


def confirm(held: HeldQuote, quote: Quote) -> QuoteEffect:
    """Take in that the price is as it was."""
    if held.found_ms is not None and quote.origin is QuoteOrigin.STREAM:
        _date_by_stream(held, quote, held.found_ms)
    held.quote = quote
    held.confirmed_ms = later_ms(held.confirmed_ms, quote.received_ms)
    return QuoteEffect.CONFIRMED


def later_ms(known_ms: int, heard_ms: int) -> int:
    """Return the later of two moments of which the second was heard of last.

    Where the first is much later, the clock was set back in between, and the second counts.
    """
    return known_ms if 0 < known_ms - heard_ms <= DETOUR_MAX_MS else heard_ms


def same_price(quote: Quote, other: Quote) -> bool:
    """Tell whether two quotes say the same of every outcome."""
    return quote.home == other.home and quote.away == other.away and quote.draw == other.draw


def is_outdated(quote: Quote, known: Quote) -> bool:
    """Tell whether a quote is older than the one that is known."""
    # A stream's messages come in order; a poll's answer may have been passed by one of them.
    return quote.origin is QuoteOrigin.POLL and _stamp_ms(quote) < _stamp_ms(known)


def _stamp_ms(quote: Quote) -> int:
    # A stamp in the future is a wrong clock: it must not make later polls look outdated.
    return min(quote.source_ms, quote.received_ms)


def date_change(held: HeldQuote, quote: Quote) -> None:
    """Note when a price has changed that differs from the one that was known before."""
    if quote.origin is QuoteOrigin.POLL:
        # Its stamp is often the time of the scrape: it may have changed right after it was
        # last known to be as before.
        held.found_ms = _stamp_ms(quote)
        held.changed_ms = min(held.found_ms, held.confirmed_ms)
    else:
        held.found_ms, held.changed_ms = None, _told_ms(quote)


def first_seen_ms(quote: Quote) -> int:
    """Return when a book's first price has changed, as far as anybody can tell."""
    return _stamp_ms(quote) if quote.origin is QuoteOrigin.POLL else _told_ms(quote)


def _date_by_stream(held: HeldQuote, quote: Quote, found_ms: int) -> None:
    # The stream was passed by a reading. What it repeats later than that is no later for it.
    held.changed_ms = max(held.changed_ms, min(_told_ms(quote), found_ms))
    held.found_ms = None


def _told_ms(quote: Quote) -> int:
    # A stream tells a change when it happens, unless the frame was held up on its way: then it
    # is as old as the stamp that the provider's gateway gave it, where there is one.
    if quote.gateway_ms is None:
        return quote.received_ms
    return min(quote.gateway_ms, quote.received_ms)
