"""One game's quotes: what each book says, since when, and whether that may trigger an order.

Feeds send changes, so an unchanged price is not an old one and a price heard again is not a new
one. Two ages are kept apart: when a book's price last *changed*, and when it was last
*confirmed*. A source's own stamp is often the time of a scrape, so it confirms nothing, and makes
a price that was polled older only: what a reading finds changed may have changed as long ago as the
price before it was last confirmed, until a stream tells when.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import cast

import attrs

from arb.core.consensus import (
    BookChance,
    BookRejected,
    Consensus,
    NoConsensus,
    Panel,
    RejectReason,
    book_chance,
    combine,
)
from arb.core.devig import Devig, multiplicative
from arb.core.events import Quote, QuoteOrigin
from arb.core.held_quote import (
    HeldQuote,
    QuoteEffect,
    confirm,
    date_change,
    first_seen_ms,
    is_outdated,
    later_ms,
    same_price,
    suspend,
)
from arb.core.suspicion import APART_MIN, VANISHED_AFTER_MS, Margin, watch_movers
from arb.core.voices import MEDIAN, Pooling, key_of

# A provider lets one ask for 30 books at most, and two providers may run at once; more is a feed
# that invents names.
BOOKS_MAX = 64

# Falling behind the monotonic clock by more than this, the wall clock was set back. Less makes no
# price fresh that is not: thresholds are seconds. More than a busy machine lets pass between two
# readings of its clocks.
SET_BACK_MIN_MS = 250

_NS_PER_MS = 1_000_000


class NotFresh(StrEnum):
    """Why a complete evaluation may not trigger an order."""

    BOOKS_CHANGED = "the set of books changed"
    NO_CHANGE_SINCE = "no price has changed since the set of books did"
    ODDS_STALE = "no price changed recently"


@attrs.frozen
class Freshness:
    """Whether one complete evaluation may trigger an order; ``reason`` is None if it may.

    ``book`` is the one whose price changed last, ``changed_ms`` when that was, ``home`` its own
    chance of the home team, and ``change_number`` which change of the whole board it was.
    """

    reason: NotFresh | None
    book: str
    changed_ms: int
    home: float
    change_number: int

    @property
    def may_trigger(self) -> bool:
        """Return whether an order may follow."""
        return self.reason is None


@attrs.frozen
class Evaluation:
    """A game's fair value at one moment; ``freshness`` is None where there is no consensus.

    ``confirmed_ms`` is since when every book that supports it has been confirmed: its age.
    """

    fair: Consensus | NoConsensus
    freshness: Freshness | None
    confirmed_ms: int | None = None


@attrs.define
class _Standing:
    """The books that support a fair value until one comes, goes, or is confirmed no more.

    ``until_ms`` is the last moment at which all are surely confirmed, and nobody becomes frozen.
    ``value`` is what they came to when a price changed last: most evaluations follow a move of the
    exchange's book. While books are ``apart`` each change may decide who stands. ``newest`` changed
    last of those that are held.
    """

    held: list[HeldQuote]
    panel: Panel
    newest: HeldQuote | None
    confirmed_within_ms: int
    until_ms: int
    apart: bool = False
    min_books: int = 0
    value: _Value | None = None

    def hold(self, apart_until_ms: int | None) -> None:
        """Take in that books stand apart, and until when it is known who of them is frozen."""
        self.apart = apart_until_ms is not None
        if apart_until_ms is not None:
            self.until_ms = min(self.until_ms, apart_until_ms)


@attrs.frozen
class _Value:
    """What standing books say: its contributor that changed last, and since when all stand."""

    fair: Consensus | NoConsensus
    newest: HeldQuote | None = None
    confirmed_ms: int | None = None


def _folded(books: Iterable[str]) -> frozenset[str]:
    # Providers spell one exchange in several ways.
    return frozenset(key_of(book) for book in books)


# Nothing with a converter is ever set anew: to look for one took 0.4 µs each time anything was set.
@attrs.define(on_setattr=attrs.setters.NO_OP)
class QuoteBoard:
    """The quotes of one game, and the set of books of its last complete evaluation.

    An evaluation is *complete* when it gave a consensus; its set is the books that contributed.
    A set that differs from the last complete one, or the first set of all, triggers nothing and
    becomes the one to compare with. From then on an order needs a price of the set that changed
    after that evaluation: the jump that a coming or going book makes in the median would
    otherwise be traded on a moment later, at the next move of the exchange's ask.
    """

    devig: Devig = multiplicative
    excluded_books: frozenset[str] = attrs.field(default=frozenset(), converter=_folded)
    pooling: Pooling = MEDIAN
    _held: dict[tuple[str, str], HeldQuote] = attrs.field(factory=dict, init=False)
    _changes: int = attrs.field(default=0, init=False)
    _set: tuple[str, ...] = attrs.field(default=(), init=False)
    _set_since_change: int = attrs.field(default=0, init=False)
    _now_ms: int = attrs.field(default=0, init=False)
    _lead_ms: int = attrs.field(default=0, init=False)
    _polled_ms: dict[str, int] = attrs.field(factory=dict, init=False)
    _standing: _Standing | None = attrs.field(default=None, init=False)

    def __repr__(self) -> str:
        """Say how many quotes are held and which set of books was complete last."""
        books = ", ".join(self._set) or "none yet"
        return f"<QuoteBoard: {len(self._held)} quotes, last complete set: {books}>"

    def apply(self, quote: Quote) -> QuoteEffect:
        """Take one quote in, and say what it did."""
        key = (quote.provider, quote.book)
        held = self._held.get(key)
        if held is None and key_of(quote.book) in self.excluded_books:
            return QuoteEffect.EXCLUDED
        if quote.origin is QuoteOrigin.POLL:
            self._read_again(quote)
        if held is None:
            return self._add(key, quote)
        if quote.suspended:
            self._standing = None
            return suspend(held, quote)
        is_same = same_price(quote, held.quote)
        if is_outdated(quote, held.quote) and (held.quote.suspended or not is_same):
            return QuoteEffect.OUTDATED
        if not held.stands:
            self._standing = None
        if is_same:
            return confirm(held, quote)
        self._changes += 1
        if quote.live is not held.quote.live:
            # Margins of a game that is played are larger than those before it.
            held.margin = Margin.of(quote)
        held.quote = quote
        held.chance = book_chance(quote, self.devig, key=held.key)
        held.margin.watch(quote)
        standing = self._standing
        if standing is not None:
            standing.value, standing.newest = None, held
            if held.margin.doubled or standing.apart or isinstance(held.chance, BookRejected):
                self._standing = None
        date_change(held, quote)
        held.confirmed_ms = later_ms(held.confirmed_ms, quote.received_ms)
        held.change_number = self._changes
        return QuoteEffect.CHANGED

    def remove(self, provider: str, book: str) -> bool:
        """Forget a book that its provider no longer carries; False if it was not there."""
        self._standing = None
        return self._held.pop((provider, book), None) is not None

    def quotes(self) -> tuple[HeldQuote, ...]:
        """Return all that is held, in the order in which it first came."""
        return tuple(self._held.values())

    def confirmed(self, now_ms: int, book_confirm_ms: int) -> tuple[HeldQuote, ...]:
        """Return one quote a book, confirmed within ``book_confirm_ms`` and not suspended.

        Of two providers that carry a book, the one that carried it first speaks for it while it
        is confirmed: taking turns would show each of its moves twice. A book that looks suspended
        at one of them does not speak there.
        """
        by_book: dict[str, HeldQuote] = {}
        for held in self._heard(now_ms, book_confirm_ms):
            if self.suspicion(held) is None:
                by_book.setdefault(held.key, held)
        return tuple(by_book.values())

    def suspicion(self, held: HeldQuote) -> RejectReason | None:
        """Return why a book is taken for suspended although nobody said so, None where it is not.

        Whether it is frozen is what the last evaluation found.
        """
        polled_ms = self._polled_ms.get(held.quote.provider, 0)
        if polled_ms - held.confirmed_ms > VANISHED_AFTER_MS:
            return RejectReason.VANISHED
        if held.margin.doubled:
            return RejectReason.MARGIN_DOUBLED
        return RejectReason.FROZEN if held.frozen else None

    def _heard(self, now_ms: int, book_confirm_ms: int) -> list[HeldQuote]:
        # What was heard in the future was heard before the clock was set back.
        oldest_ms = now_ms - book_confirm_ms
        return [
            held
            for held in self._held.values()
            if oldest_ms <= held.confirmed_ms <= now_ms and not held.quote.suspended
        ]

    def _read_again(self, quote: Quote) -> None:
        """Note that a provider was read: who is not in the reading may have vanished."""
        known_ms = self._polled_ms.get(quote.provider, 0)
        read_ms = later_ms(known_ms, quote.received_ms)
        if read_ms != known_ms:
            self._polled_ms[quote.provider] = read_ms
            self._standing = None

    def evaluate(
        self,
        now_ms: int,
        *,
        min_books: int,
        book_confirm_ms: int,
        stale_odds_threshold_ms: int,
        now_ns: int = 0,
    ) -> Evaluation:
        """Return the fair value of the confirmed books, and whether it may trigger an order.

        Without ``now_ns`` a clock that was set back by less than has passed since is not noticed.
        """
        lead_ms = now_ms - now_ns // _NS_PER_MS
        if now_ms < self._now_ms or lead_ms < self._lead_ms - SET_BACK_MIN_MS:
            self._be_set_back()
        self._now_ms, self._lead_ms = now_ms, lead_ms
        standing = self._standing
        if (
            standing is None
            or now_ms > standing.until_ms
            or book_confirm_ms != standing.confirmed_within_ms
        ):
            standing = self._standing = self._stand(now_ms, book_confirm_ms)
        value = standing.value
        if value is None or standing.min_books != min_books:
            standing.min_books = min_books
            value = standing.value = self._value(standing)
            if not standing.apart and _may_be_apart(value.fair, standing):
                heard = self._heard(now_ms, book_confirm_ms)
                standing.hold(watch_movers(heard, now_ms, self.pooling.family_of))
        if isinstance(value.fair, NoConsensus) or value.newest is None:
            return Evaluation(value.fair, None)
        oldest_ms = now_ms - stale_odds_threshold_ms
        freshness = self._complete(value.fair.books, value.newest, oldest_ms)
        return Evaluation(value.fair, freshness, value.confirmed_ms)

    def _be_set_back(self) -> None:
        """Let no price trigger that changed before the clock was set back: nobody knows its age."""
        self._standing = None
        self._set_since_change = self._changes

    def _value(self, standing: _Standing) -> _Value:
        held, panel = standing.held, standing.panel
        # Who stands has a chance; whoever loses it makes the books stand anew.
        panel.chances = cast("list[BookChance]", [each.chance for each in held])
        fair = combine(panel, standing.min_books, self.pooling)
        if isinstance(fair, NoConsensus):
            return _Value(fair)
        newest = standing.newest
        if newest is None or len(fair.books) < len(held):
            held = [each for each in held if each.book in fair.books]
            newest = max(held, key=_change_number)
        return _Value(fair, newest, min([each.confirmed_ms for each in held]))

    def _stand(self, now_ms: int, book_confirm_ms: int) -> _Standing:
        heard = self._heard(now_ms, book_confirm_ms)
        apart_until_ms = None
        if any(each.apart_since_ms is not None for each in heard):
            apart_until_ms = watch_movers(heard, now_ms, self.pooling.family_of)
        confirmed = self.confirmed(now_ms, book_confirm_ms)
        for each in self._held.values():
            each.stands = False
        held = [each for each in confirmed if isinstance(each.chance, BookChance)]
        for each in held:
            each.stands = True
        # In order of their chances, which then stay nearly sorted while prices move.
        held.sort(key=_home)
        books = tuple(sorted([each.book for each in held]))
        rejected = (*_rejected(confirmed), *self._suspected(heard, confirmed))
        standing = _Standing(
            held,
            Panel([], books, rejected, self.pooling.has_relatives(books)),
            max(held, key=_change_number, default=None),
            book_confirm_ms,
            min([each.confirmed_ms for each in confirmed], default=now_ms) + book_confirm_ms,
        )
        standing.hold(apart_until_ms)
        return standing

    def suspected(self, now_ms: int, book_confirm_ms: int) -> list[BookRejected]:
        """Return the books that nobody confirms because they look suspended."""
        confirmed = self.confirmed(now_ms, book_confirm_ms)
        return self._suspected(self._heard(now_ms, book_confirm_ms), confirmed)

    def _suspected(
        self, heard: list[HeldQuote], confirmed: tuple[HeldQuote, ...]
    ) -> list[BookRejected]:
        speak = {each.key for each in confirmed}
        silent = {each.key: each for each in heard if each.key not in speak}
        reasons = [(each.book, self.suspicion(each)) for each in silent.values()]
        return [BookRejected(book, reason) for book, reason in reasons if reason]

    def _complete(self, books: tuple[str, ...], newest: HeldQuote, oldest_ms: int) -> Freshness:
        """Record one complete evaluation, and say whether it may trigger an order."""
        reason = self._not_fresh(books, newest, oldest_ms)
        if books != self._set:
            self._set = books
            self._set_since_change = self._changes
        home = newest.chance.home if isinstance(newest.chance, BookChance) else 0.0
        return Freshness(reason, newest.book, newest.changed_ms, home, newest.change_number)

    def _not_fresh(
        self, books: tuple[str, ...], newest: HeldQuote, oldest_ms: int
    ) -> NotFresh | None:
        if books != self._set:
            return NotFresh.BOOKS_CHANGED
        if newest.change_number <= self._set_since_change:
            return NotFresh.NO_CHANGE_SINCE
        return NotFresh.ODDS_STALE if newest.changed_ms < oldest_ms else None

    def _add(self, key: tuple[str, str], quote: Quote) -> QuoteEffect:
        if len(self._held) >= BOOKS_MAX:
            return QuoteEffect.TOO_MANY_BOOKS
        self._changes += 1
        self._standing = None
        self._held[key] = HeldQuote(
            quote,
            key_of(quote.book),
            book_chance(quote, self.devig),
            changed_ms=first_seen_ms(quote),
            confirmed_ms=quote.received_ms,
            change_number=self._changes,
            margin=Margin.of(quote),
        )
        return QuoteEffect.SUSPENDED if quote.suspended else QuoteEffect.CHANGED


def _may_be_apart(fair: Consensus | NoConsensus, standing: _Standing) -> bool:
    """Tell cheaply whether anybody can stand apart: who was cut is far from the rest anyway."""
    if len(fair.rejected) > len(standing.panel.rejected):
        return True
    return isinstance(fair, Consensus) and fair.spread >= APART_MIN


def _rejected(confirmed: tuple[HeldQuote, ...]) -> list[BookRejected]:
    return [each.chance for each in confirmed if isinstance(each.chance, BookRejected)]


def _home(held: HeldQuote) -> float:
    return held.chance.home if isinstance(held.chance, BookChance) else 0.0


def _change_number(held: HeldQuote) -> int:
    return held.change_number
