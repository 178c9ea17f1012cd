"""What the engine shows closely of one thing, as it comes over the socket, in frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import cattrs

from arb.console.snapshot import Unreadable


@attrs.frozen
class BookQuote:
    """One sportsbook's price in a market; ages in milliseconds, ``chance`` for this market."""

    book: str
    provider: str = ""
    home: float = 0.0
    away: float = 0.0
    chance: float | None = None
    changed_ms: int = 0
    confirmed_ms: int = 0
    weight_percent: int = 0
    standing: str = ""


@attrs.frozen
class Odds:
    """Every quote of a game and what they come to; None where there is no consensus."""

    quotes: tuple[BookQuote, ...] = ()
    fair: float | None = None
    spread: float | None = None
    no_consensus: str | None = None
    counted: int = 0
    newest_change_ms: int | None = None


@attrs.frozen
class Level:
    """One price of the book with everything that rests there, and our part of it."""

    price_e4: int
    size_e2: int = 0
    own_e2: int = 0


@attrs.frozen
class OrderBook:
    """A market's book, each side from its best price; ``fault`` says why it is not trusted."""

    bids: tuple[Level, ...] = ()
    asks: tuple[Level, ...] = ()
    fault: str | None = None


@attrs.frozen
class OrderAtStake:
    """One order of ours that is not over."""

    side: str
    purpose: str
    price_e4: int
    count_e2: int
    state: str
    age_ms: int = 0


@attrs.frozen
class MarketCloseup:
    """One market; ``odds`` and ``book`` are None while their actor does not answer."""

    ticker: str
    odds: Odds | None = None
    book: OrderBook | None = None
    orders: tuple[OrderAtStake, ...] = ()
    listing: str | None = None
    status: str = ""
    min_books: int = 0
    taker_edge_e4: int = 0
    maker_edge_e4: int = 0
    min_net_e4: int = 0
    stale_ms: int = 0


@attrs.frozen
class MatchedGame:
    """A game that is traded; ``quarantined`` says which of its markets are down, and why."""

    game: str
    league: str = ""
    start_ms: int | None = None
    event: str = ""
    providers: tuple[str, ...] = ()
    swapped: bool = False
    quarantined: tuple[str, ...] = ()


@attrs.frozen
class UnmatchedGame:
    """A game that stays out, which side it was seen on, and why."""

    source: str
    id: str
    reason: str = ""
    text: str = ""
    candidates: tuple[str, ...] = ()


@attrs.frozen
class Matching:
    """Every game that was seen on either side."""

    matched: tuple[MatchedGame, ...] = ()
    unmatched: tuple[UnmatchedGame, ...] = ()


@attrs.frozen
class Step:
    """What one step of an entry's way took, in microseconds; None before the first order."""

    name: str
    count: int = 0
    p50_us: int | None = None
    p90_us: int | None = None
    p99_us: int | None = None
    max_us: int | None = None
    bars: tuple[int, ...] = ()


@attrs.frozen
class Latencies:
    """Every step, the lag of the engine's loop, and counts to take rates from."""

    at_ms: int = 0
    steps: tuple[Step, ...] = ()
    lag_p50_us: int | None = None
    lag_p99_us: int | None = None
    lag_worst_us: int | None = None
    counts: Mapping[str, int] = attrs.Factory(dict)


@attrs.frozen
class LetterCount:
    """Messages of one actor that nobody handled, of one kind."""

    reason: str
    count: int = 0
    age_ms: int = 0


@attrs.frozen
class ActorCloseup:
    """One actor: how it is specified, what it has counted, and how it failed last."""

    path: str
    spec: Mapping[str, str] = attrs.Factory(dict)
    counters: Mapping[str, int] = attrs.Factory(dict)
    waiting_on: str | None = None
    waiting_for_ms: int | None = None
    handling: str | None = None
    next_restart_ms: int | None = None
    failures: int = 0
    failed_ms: int | None = None
    traceback: str = ""
    dead_letters: tuple[LetterCount, ...] = ()
    deadlocks: tuple[tuple[str, ...], ...] = ()


@attrs.frozen
class WorldFault:
    """One fault of the simulated world, on since ``at_ms``; a passing one was last used then."""

    name: str
    where: str = ""
    does: str = ""
    passing: bool = False
    on: bool = False
    at_ms: int | None = None


@attrs.frozen
class Faults:
    """Every fault that a person can switch on the simulated world."""

    faults: tuple[WorldFault, ...] = ()


@attrs.frozen
class SettingSeen:
    """One setting: its value, where that came from, why it is so, and what it may be."""

    key: str
    value: str = ""
    unit: str = ""
    source: str = ""
    reason: str = ""
    allowed: str = ""
    changeable: bool = False


@attrs.frozen
class SettingsSeen:
    """Every setting in force; ``file`` is where a change can be kept, None where nowhere."""

    settings: tuple[SettingSeen, ...] = ()
    file: str | None = None


Closeup = MarketCloseup | Matching | Latencies | ActorCloseup | Faults | SettingsSeen

KINDS: Mapping[str, type[Closeup]] = {
    "market": MarketCloseup,
    "matching": Matching,
    "latency": Latencies,
    "actor": ActorCloseup,
    "faults": Faults,
    "settings": SettingsSeen,
}


@attrs.frozen
class Wish:
    """What a screen wants to look at closely: a kind of `KINDS`, and the name of the thing."""

    what: str
    name: str = ""


@attrs.frozen
class Look:
    """The last answer to a wish: what was seen, or in one line why nothing is."""

    wish: Wish
    seen: Closeup | None = None
    why: str = ""


_converter = cattrs.Converter(detailed_validation=False)


def read_closeup(what: str, document: Any) -> Closeup:
    """Return what a decoded JSON object shows; raises `Unreadable`."""
    try:
        seen: Closeup = _converter.structure(document, KINDS[what])
    except (TypeError, ValueError, KeyError, AttributeError, cattrs.BaseValidationError) as error:
        raise Unreadable(
            f"what the engine shows of {what} is damaged: {type(error).__name__}"
        ) from None
    return seen
