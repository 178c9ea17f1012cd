"""A market seen closely shows the fair value that the engine uses, and who makes it up."""

from __future__ import annotations

import math
from typing import Any

import attrs
import pytest

from arb.core.consensus import Consensus, NoConsensusReason, RejectReason
from arb.core.events import Quote, QuoteOrigin
from arb.core.parameters import Execution, Strategy
from arb.core.staleness import QuoteBoard
from arb.engine.closeup import QuotesView, quotes_closeup
from arb.engine.game_odds import GameOdds

NOW_MS = 10_000_000
EXECUTION = Execution()

# Odds of the home team, against these for the other.
AWAY = {"Wild": 5.0}
AWAY_USUAL = 1.95
AGREED = {"FanDuel": 1.95, "Paddy Power": 1.97, "Pinnacle": 1.80, "Bet365": 1.90, "Other": 1.93}
FAMILY = {"FanDuel": 1.95, "Paddy Power": 1.95, "Pinnacle": 1.80}
OUTLIER = {**AGREED, "Wild": 1.20}
STRATEGIES = {
    "usual": Strategy(),
    "median": Strategy(consensus="median", book_families=()),
    "families": Strategy(consensus="median", book_families=("FanDuel+Paddy Power",)),
    "weighted": Strategy(
        consensus="weighted",
        book_weights=("Pinnacle=1.0", "FanDuel=0.5"),
        book_families=("FanDuel+Paddy Power", "Other+Bet365"),
    ),
    "power": Strategy(devig_method="power", consensus="weighted"),
}


def quote(book: str, home: float, at_ms: int = NOW_MS, **more: Any) -> Quote:
    """Let a book say its price."""
    return Quote(
        "p", "e", book, home, AWAY.get(book, AWAY_USUAL), at_ms, at_ms, QuoteOrigin.STREAM, **more
    )


def board(strategy: Strategy, odds: dict[str, float]) -> QuoteBoard:
    """Make a board as a running engine does."""
    made = GameOdds.of(strategy).quotes
    for book, home in odds.items():
        made.apply(quote(book, home))
    return made


def seen(quotes: QuoteBoard, strategy: Strategy, now_ms: int = NOW_MS) -> dict[str, Any]:
    """Look at a board closely, and check that it says what the engine finds."""
    engine = quotes.evaluate(
        now_ms,
        min_books=strategy.min_books,
        book_confirm_ms=EXECUTION.book_confirm_ms,
        stale_odds_threshold_ms=EXECUTION.stale_odds_threshold_ms,
    ).fair
    shown = quotes_closeup(QuotesView(quotes, True, now_ms), strategy, EXECUTION)
    if isinstance(engine, Consensus):
        said = (shown["fair"], shown["spread"], shown["no_consensus"])
        assert said == pytest.approx((engine.home, engine.spread, None), abs=1e-12)
    else:
        assert (shown["fair"], shown["no_consensus"]) == (None, str(engine.reason))
        assert not any(each["weight_percent"] for each in shown["quotes"])
    assert shown["counted"] == len(engine.books)
    return shown


@pytest.mark.parametrize("odds", [AGREED, FAMILY, OUTLIER], ids=["agreed", "family", "outlier"])
@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES.keys())
def test_fair_value_is_the_engines(strategy: Strategy, odds: dict[str, float]) -> None:
    """By whichever way of combining and of taking margins out, and where too few are left."""
    shown = seen(board(strategy, odds), strategy)

    standing = {each["book"]: each["standing"] for each in shown["quotes"]}
    if "Wild" in odds:
        assert standing.pop("Wild") == str(RejectReason.OUTLIER)
    assert set(standing.values()) == {"counted"}


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES.keys())
def test_the_weights_that_are_shown_make_up_fair_value(strategy: Strategy) -> None:
    """Chances, or their log-odds, by the shares of the books; per cents are their rounding."""
    shown = seen(board(strategy, OUTLIER), strategy)
    chances = board(strategy, AGREED).confirmed(NOW_MS, EXECUTION.book_confirm_ms)
    shares = strategy.pooling.shares([each.chance for each in chances])  # type: ignore[misc]

    assert sum(shares.values()) == pytest.approx(1.0)
    assert {each["book"]: each["weight_percent"] for each in shown["quotes"]} == {
        "Wild": 0,
        **{book: round(100 * share) for book, share in shares.items()},
    }
    of = {each["book"]: each["chance"] for each in shown["quotes"]}
    if strategy.consensus == "median":
        made_up = sum(share * of[book] for book, share in shares.items())
        assert made_up == pytest.approx(shown["fair"])
    elif strategy.devig_method == "power":
        logs = [share * math.log(of[book] / (1 - of[book])) for book, share in shares.items()]
        assert 1 / (1 + math.exp(-sum(logs))) == pytest.approx(shown["fair"], abs=1e-4)


def test_a_family_shares_what_its_voice_counts_for() -> None:
    """Two books of one company are one of three voices, and half each of that one."""
    strategy = attrs.evolve(STRATEGIES["weighted"], book_weights=("Pinnacle=1.0", "FanDuel=1.0"))
    odds = {"FanDuel": 1.95, "Paddy Power": 1.97, "Pinnacle": 1.9, "Lone": 1.93, "Else": 1.94}
    shown = seen(board(strategy, odds), strategy)

    assert [each["weight_percent"] for each in shown["quotes"]] == [20, 20, 40, 10, 10]


def test_too_few_books_have_the_engines_reason_and_no_weight() -> None:
    """A book that looks suspended is why, and is shown so; who says live is shown with it."""
    strategy = STRATEGIES["usual"]
    quotes = board(strategy, {"b": 1.95, "c": 1.95})
    quotes.apply(quote("a", 1.95, live=True))
    quotes.apply(attrs.evolve(quote("c", 1.95, NOW_MS + 1), away=1.80))
    shown = seen(quotes, strategy, NOW_MS + 1)

    assert shown["no_consensus"] == str(NoConsensusReason.TOO_FEW_USUAL)
    assert {each["book"]: each["standing"] for each in shown["quotes"]} == {
        "a": "counted, live",
        "b": "counted",
        "c": str(RejectReason.MARGIN_DOUBLED),
    }
