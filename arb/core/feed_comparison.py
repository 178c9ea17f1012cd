"""Two providers' quotes of the same books side by side: how late, how many, how far apart, who led.

Books are compared freed of their margin, as chances: American and decimal odds round differently.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from statistics import median

import attrs

from arb.core.consensus import BookChance, book_chance
from arb.core.eastern import eastern_date
from arb.core.events import Quote, QuoteOrigin
from arb.core.games import OddsEvent
from arb.core.teams import Team, TeamTable
from arb.core.voices import key_of

# Two decimals carry 0.4 points of noise at short odds: what is nearer is one price, spelled twice.
SAME_PRICE = 0.004

# A move that the other provider has not told by then is one that it does not tell, or another one.
SAME_MOVE_MS = 60_000

# A day of the busiest book; percentiles of what came before change little.
SAMPLES_MAX = 10_000

# Moves of one book of one game that wait for the other provider; more is one that has gone.
WAITING_MAX = 100


@attrs.frozen
class Common:
    """One game that both providers offer; ``flipped`` says that home stands second in its name."""

    name: str
    flipped: bool


def common_games(
    table: TeamTable, one: Iterable[OddsEvent], other: Iterable[OddsEvent]
) -> tuple[dict[str, Common], dict[str, Common]]:
    """Return by either side's event ids the games that both offer surely.

    Games are the same by league, teams and day; a day on which one side offers more of them than
    the other is left out, as nobody could tell which is which.
    """
    sides = (_by_game(table, one), _by_game(table, other))
    found: tuple[dict[str, Common], dict[str, Common]] = ({}, {})
    for key in sides[0].keys() & sides[1].keys():
        if len(sides[0][key]) != len(sides[1][key]):
            continue
        for side, into in zip(sides, found, strict=True):
            for number, (event, flipped) in enumerate(side[key], start=1):
                into[event.event_id] = Common(f"{' '.join(key)} {number}", flipped)
    return found


def _by_game(
    table: TeamTable, events: Iterable[OddsEvent]
) -> dict[tuple[str, ...], list[tuple[OddsEvent, bool]]]:
    games: dict[tuple[str, ...], list[tuple[OddsEvent, bool]]] = {}
    for event in sorted(events, key=lambda each: each.start_ms):
        home, away = table.find(event.league, event.home), table.find(event.league, event.away)
        if isinstance(home, Team) and isinstance(away, Team):
            names = sorted((home.name, away.name))
            key = (home.league, eastern_date(event.start_ms).isoformat(), *names)
            games.setdefault(key, []).append((event, home.name != names[0]))
    return games


@attrs.frozen
class SideRow:
    """What one provider gave of one book; latencies are None where nothing was streamed.

    A latency is from the source's stamp to the receipt, in milliseconds: stamps of whole seconds
    make it as coarse.
    """

    games: int
    changes: int
    latency_p50_ms: int | None
    latency_p90_ms: int | None
    moved_first: int


@attrs.frozen
class BookRow:
    """One book at both providers.

    ``apart_mean`` and ``apart_max`` are the distances of the two chances, over the time in which
    both stood; ``lead_p50_ms`` is how much earlier the first one told a move, in the median.
    """

    book: str
    sides: tuple[SideRow, SideRow]
    apart_mean: float | None
    apart_max: float | None
    lead_p50_ms: int | None


@attrs.define
class _Price:
    """One book's price of one game at both providers, None where there is none now."""

    chances: list[float | None] = attrs.field(factory=lambda: [None, None])
    told: tuple[deque[tuple[int, float]], deque[tuple[int, float]]] = attrs.field(
        factory=lambda: (deque(maxlen=WAITING_MAX), deque(maxlen=WAITING_MAX))
    )
    since_ms: int = 0

    @property
    def apart(self) -> float | None:
        """Return how far the two are from each other."""
        one, other = self.chances
        return abs(one - other) if one is not None and other is not None else None


@attrs.define
class _Tally:
    """What is counted of one book, by the name that was heard first."""

    book: str
    games: tuple[set[str], set[str]] = attrs.field(factory=lambda: (set(), set()))
    changes: Counter[int] = attrs.field(factory=Counter)
    first: Counter[int] = attrs.field(factory=Counter)
    latencies_ms: tuple[deque[int], deque[int]] = attrs.field(
        factory=lambda: (deque(maxlen=SAMPLES_MAX), deque(maxlen=SAMPLES_MAX))
    )
    leads_ms: deque[int] = attrs.field(factory=lambda: deque(maxlen=SAMPLES_MAX))
    both_ms: int = 0
    apart_ms: float = 0.0
    apart_max: float | None = None


class FeedComparison:
    """Takes the quotes of two providers, 0 and 1, in the order in which they came."""

    def __init__(self) -> None:
        self._prices: dict[tuple[str, str], _Price] = {}
        self._tallies: dict[str, _Tally] = {}

    def take(self, side: int, game: Common, quote: Quote) -> None:
        """Take one quote of a game that both offer."""
        chance = _chance(quote, flipped=game.flipped)
        key = key_of(quote.book)
        tally = self._tallies.get(key) or self._tallies.setdefault(key, _Tally(quote.book))
        price = self._prices.setdefault((game.name, key), _Price())
        self._pass_time(price, tally, quote.received_ms)
        before, price.chances[side] = price.chances[side], chance
        _note_apart(price, tally)
        if chance is None or chance == before:
            return
        tally.games[side].add(game.name)
        if before is None:
            return
        tally.changes[side] += 1
        if quote.origin is QuoteOrigin.STREAM:
            tally.latencies_ms[side].append(quote.received_ms - quote.source_ms)
        if abs(chance - before) > SAME_PRICE:
            _moved(price, tally, side, quote.received_ms, chance)

    def rows(self, now_ms: int) -> tuple[BookRow, ...]:
        """Return each book's figures up to a moment, in order of name."""
        for (_, key), price in self._prices.items():
            self._pass_time(price, self._tallies[key], now_ms)
        return tuple(_row(tally) for tally in sorted(self._tallies.values(), key=_book))

    def _pass_time(self, price: _Price, tally: _Tally, now_ms: int) -> None:
        passed_ms, apart = max(0, now_ms - price.since_ms), price.apart
        price.since_ms = max(now_ms, price.since_ms)
        if apart is not None:
            tally.both_ms += passed_ms
            tally.apart_ms += apart * passed_ms

    def __repr__(self) -> str:
        return f"<FeedComparison {len(self._tallies)} books, {len(self._prices)} prices>"


def _chance(quote: Quote, *, flipped: bool) -> float | None:
    found = None if quote.suspended else book_chance(quote)
    if not isinstance(found, BookChance):
        return None
    return 1.0 - found.home if flipped else found.home


def _note_apart(price: _Price, tally: _Tally) -> None:
    apart = price.apart
    if apart is not None:
        tally.apart_max = apart if tally.apart_max is None else max(tally.apart_max, apart)


def _moved(price: _Price, tally: _Tally, side: int, at_ms: int, chance: float) -> None:
    """Find the same move among those that the other told before; else let it wait for that."""
    others = price.told[1 - side]
    while others and at_ms - others[0][0] > SAME_MOVE_MS:
        others.popleft()
    if all(abs(told - chance) > SAME_PRICE for _, told in others):
        price.told[side].append((at_ms, chance))
        return
    # What the other told before it was passed over here.
    told_ms, told = others.popleft()
    while abs(told - chance) > SAME_PRICE:
        told_ms, told = others.popleft()
    tally.first[1 - side] += 1
    tally.leads_ms.append(at_ms - told_ms)


def _book(tally: _Tally) -> str:
    return tally.book


def _row(tally: _Tally) -> BookRow:
    sides = tuple(
        SideRow(
            len(tally.games[side]),
            tally.changes[side],
            _percentile(tally.latencies_ms[side], 50),
            _percentile(tally.latencies_ms[side], 90),
            tally.first[side],
        )
        for side in (0, 1)
    )
    return BookRow(
        tally.book,
        (sides[0], sides[1]),
        tally.apart_ms / tally.both_ms if tally.both_ms else None,
        tally.apart_max,
        round(median(tally.leads_ms)) if tally.leads_ms else None,
    )


def _percentile(samples: Sequence[int], percent: int) -> int | None:
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else None
