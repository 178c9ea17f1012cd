"""What a console sees when it looks at one thing closely: a market, the matching, an actor.

Each is made only when a console asks, which it does while that screen is open. The engine pays
nothing for what nobody looks at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from actors import ActorDied, AskTimeout, NodeSnapshot, System
from arb.core.consensus import BookChance, BookRejected, Consensus, NoConsensus, fair_value
from arb.core.held_quote import HeldQuote
from arb.core.parameters import Execution, Strategy
from arb.core.staleness import QuoteBoard
from arb.core.voices import Pooling
from arb.engine.messages import ShowBook, ShowMarket
from arb.engine.names import BOOK_FEED
from arb.engine.parts import Parts
from arb.settings.shown import settings_closeup

# An actor answers in its next turn; one that is busy for longer is shown as not answering.
ASK_TIMEOUT_S = 0.5

NS_PER_US = 1_000
US_PER_S = 1_000_000

PERCENTILES = (50, 90, 99)
# Upper ends of the histogram's bars in microseconds, three to a decade; a last bar takes the rest.
BAR_ENDS_US = (20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 200_000)

WHOLE_PERCENT = 100


@attrs.frozen
class QuotesView:
    """The quotes of one game as one of its markets sees them at a moment."""

    quotes: QuoteBoard
    is_home: bool
    now_ms: int


def quotes_closeup(view: QuotesView, strategy: Strategy, execution: Execution) -> dict[str, Any]:
    """Return every book's quote with its ages and its weight, and what they come to.

    Unlike an evaluation this changes nothing: what set of books was complete last is not touched.
    """
    board = view.quotes
    confirmed = board.confirmed(view.now_ms, execution.book_confirm_ms)
    suspected = board.suspected(view.now_ms, execution.book_confirm_ms)
    chances = [*[held.chance for held in confirmed], *suspected]
    fair = fair_value(chances, strategy.min_books, board.pooling)
    weights = _weights(confirmed, fair, board.pooling)
    left_out = {each.book: str(each.reason) for each in fair.rejected}
    newest_ms = max((held.changed_ms for held in confirmed), default=None)
    return {
        "quotes": [
            _quote(view, held, _standing(view, held, confirmed, left_out), weights)
            for held in board.quotes()
        ],
        "fair": _side(view, fair.home) if isinstance(fair, Consensus) else None,
        "spread": fair.spread if isinstance(fair, Consensus) else None,
        "no_consensus": None if isinstance(fair, Consensus) else str(fair.reason),
        "counted": len(fair.books),
        "newest_change_ms": view.now_ms - newest_ms if newest_ms is not None else None,
    }


def _quote(
    view: QuotesView, held: HeldQuote, standing: str, weights: dict[int, int]
) -> dict[str, Any]:
    quote = held.quote
    return {
        "book": quote.book,
        "provider": quote.provider,
        "home": quote.home,
        "away": quote.away,
        "chance": None if isinstance(held.chance, BookRejected) else _side(view, held.chance.home),
        "changed_ms": view.now_ms - held.changed_ms,
        "confirmed_ms": view.now_ms - held.confirmed_ms,
        "weight_percent": weights.get(id(held), 0),
        "standing": f"{standing}, live" if quote.live else standing,
    }


def _standing(
    view: QuotesView, held: HeldQuote, confirmed: Sequence[HeldQuote], left_out: dict[str, str]
) -> str:
    if held.quote.suspended:
        return "suspended"
    if not any(held is each for each in confirmed):
        return str(view.quotes.suspicion(held) or "not confirmed lately")
    return left_out.get(held.book, "counted")


def _weights(
    confirmed: Sequence[HeldQuote], fair: Consensus | NoConsensus, pooling: Pooling
) -> dict[int, int]:
    """Return how many per cent of a fair value each quote makes up; no consensus has none."""
    if isinstance(fair, NoConsensus):
        return {}
    counted = [held for held in confirmed if held.book in fair.books]
    chances = [held.chance for held in counted if isinstance(held.chance, BookChance)]
    shares = pooling.shares(chances)
    return {id(held): round(WHOLE_PERCENT * shares[held.book]) for held in counted}


def _side(view: QuotesView, home: float) -> float:
    return home if view.is_home else 1.0 - home


class CloseUps:
    """Answers what consoles ask of one engine."""

    def __init__(self, parts: Parts, system: System) -> None:
        self._parts = parts
        self._system = system
        self._at_once: dict[str, Callable[[str], dict[str, Any]]] = {
            "matching": self._matching,
            "latency": self._latency,
            "actor": self._actor,
            "settings": self._settings,
        }

    def __repr__(self) -> str:
        return f"<CloseUps of a market, {', '.join(self._at_once)}>"

    async def show(self, what: str, name: str) -> dict[str, Any]:
        """Return one thing; raises `LookupError` or `ActorError` where there is none."""
        if what == "market":
            return await self._market(name)
        return self._at_once[what](name)

    async def _market(self, ticker: str) -> dict[str, Any]:
        listing = self._parts.listing(ticker)
        if listing is None:
            raise LookupError(f"{ticker or 'no name'} is no market of this engine")
        holding = self._parts.board.holdings.get(ticker)
        strategy, execution = self._parts.strategy, self._parts.execution
        now_ms = self._parts.clock.wall_ms()
        return {
            "ticker": ticker,
            "odds": await self._asked(ticker, ShowMarket()),
            "book": await self._asked(BOOK_FEED, ShowBook(ticker)),
            "orders": [
                {
                    "side": str(order.side),
                    "purpose": str(order.purpose),
                    "price_e4": order.price_e4,
                    "count_e2": order.at_stake_e2,
                    "state": str(order.state),
                    "age_ms": now_ms - order.created_ms,
                }
                for order in (holding.orders if holding is not None else ())
            ],
            "listing": self._parts.why_not_entered(listing),
            "status": str(listing.status),
            "min_books": strategy.min_books,
            "taker_edge_e4": strategy.taker_edge_e4,
            "maker_edge_e4": strategy.maker_edge_e4,
            "min_net_e4": strategy.min_net_e4,
            "stale_ms": execution.stale_odds_threshold_ms,
        }

    async def _asked(self, name: str, question: object) -> Any:
        """Return an actor's answer, None where it is away or busy: the rest is shown all the same.

        Whoever is restarted while a person looks at it must not take the picture with it.
        """
        try:
            return await self._system.address(name).ask(question, timeout_s=ASK_TIMEOUT_S)
        except (ActorDied, AskTimeout):
            return None

    def _matching(self, _name: str) -> dict[str, Any]:
        catalogue = self._parts.catalogue
        set_apart = {each.name: each for each in self._system.nodes() if each.last_error}
        return {
            "matched": [
                {
                    "game": f"{game.away.name} at {game.home.name}",
                    "league": game.league,
                    "start_ms": game.start_ms,
                    "event": game.event_ticker,
                    "providers": [each.provider for each in game.odds],
                    "swapped": any(each.swapped for each in game.odds),
                    "quarantined": [
                        f"{ticker}: {set_apart[ticker].last_error}"
                        for ticker in game.tickers
                        if ticker in set_apart and set_apart[ticker].state == "quarantined"
                    ],
                }
                for game in catalogue.games
            ],
            "unmatched": [
                {
                    "source": str(each.what),
                    "id": each.id,
                    "reason": str(each.reason),
                    "text": each.text,
                    "candidates": list(each.candidates),
                }
                for each in catalogue.unmatched
            ],
        }

    def _latency(self, _name: str) -> dict[str, Any]:
        board = self._parts.board
        lags_us = [
            None if lag_s is None else round(lag_s * US_PER_S)
            for lag_s in (*self._system.lag_s(), self._system.worst_lag_s())
        ]
        return {
            "at_ms": self._parts.clock.wall_ms(),
            "steps": [
                {"name": name, **measured(times_ns)} for name, times_ns in board.steps.items()
            ],
            "lag_p50_us": lags_us[0],
            "lag_p99_us": lags_us[1],
            "lag_worst_us": lags_us[2],
            "counts": dict(board.counts),
        }

    def _settings(self, _name: str) -> dict[str, Any]:
        return settings_closeup(self._parts.settings)

    def _actor(self, name: str) -> dict[str, Any]:
        node = self._system.find(name)
        tree = self._system.snapshot()
        shown = tree[node.path]
        error = shown.last_error
        return {
            "path": node.path,
            "spec": _spec(node.spec),
            "counters": _counters(shown),
            "waiting_on": shown.waiting_on,
            "waiting_for_ms": _ms(shown.waiting_for_s),
            "handling": shown.handling,
            "next_restart_ms": _ms(shown.next_restart_in_s),
            "failures": error.count if error is not None else 0,
            "failed_ms": _ms(tree.at_s - error.at_s) if error is not None else None,
            "traceback": error.traceback if error is not None else "",
            "dead_letters": [
                {
                    "reason": each.reason,
                    "count": each.count,
                    "age_ms": _ms(tree.at_s - each.last.at_s),
                }
                for each in tree.dead_letters
                if each.last.path == node.path
            ],
            "deadlocks": [list(each) for each in tree.deadlocks if node.path in each],
        }


def measured(times_ns: Sequence[int]) -> dict[str, Any]:
    """Return percentiles in microseconds and a histogram of some times."""
    ordered = sorted(times_ns)
    bars = [0] * (len(BAR_ENDS_US) + 1)
    for time_ns in ordered:
        time_us = time_ns // NS_PER_US
        bars[next((i for i, end in enumerate(BAR_ENDS_US) if time_us < end), -1)] += 1
    percentiles = {
        f"p{percent}_us": (
            ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] // NS_PER_US
            if ordered
            else None
        )
        for percent in PERCENTILES
    }
    worst = ordered[-1] // NS_PER_US if ordered else None
    return {"count": len(ordered), **percentiles, "max_us": worst, "bars": bars}


def _spec(spec: Any) -> dict[str, str]:
    # Whatever a spec holds that is a plain fact; how to build and whom to supervise are not.
    return {
        each.name: str(value)
        for each in attrs.fields(type(spec))
        if isinstance(value := getattr(spec, each.name), (str, int, float))
    }


def _counters(node: NodeSnapshot) -> dict[str, int]:
    box = node.mailbox
    counters = {
        name: int(getattr(node, name))
        for name in ("received", "handled", "handled_directly", "failed", "in_hand", "late_replies")
    }
    if box is not None:
        counters |= {
            name: int(getattr(box, name))
            for name in ("dropped", "conflated", "refused", "control_length")
        }
    return counters


def _ms(seconds: float | None) -> int | None:
    return int(seconds * 1_000) if seconds is not None else None
