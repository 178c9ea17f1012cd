"""When a game counts as begun: at the earliest start that anybody states, or at a book's word."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from arb.core.evaluate import WAIT, Evaluation, Evaluator
from arb.core.events import Quote, QuoteOrigin
from arb.core.in_play import shows_live
from arb.core.listing import HAS_BEGUN, SHOWN_LIVE
from arb.core.parameters import Execution, Risk, Strategy
from arb.core.risk import review_listing
from arb.core.staleness import QuoteBoard
from tests.core.order_factory import BOS, ENTRY, EXIT, GAME, NYY, listing, top
from tests.core.test_both_markets import NOW_MS, inputs

# The home team at 62 per cent, without a margin.
HOME, AWAY = 1 / 0.62, 1 / 0.38


def said(book: str, at_ms: int, home: float = HOME, **more: Any) -> Quote:
    """Let a book say its price."""
    return Quote("feed", "e1", book, home, AWAY, at_ms, at_ms, **more)


def board(*live: str) -> QuoteBoard:
    """Make a board of which some books say that the game is played, and one has just changed."""
    made = QuoteBoard()
    for book in "abc":
        made.apply(said(book, 1_000, live=book in live))
    made.evaluate(1_500, min_books=3, book_confirm_ms=60_000, stale_odds_threshold_ms=5_000)
    made.apply(said("a", 2_500, HOME * 0.9999, origin=QuoteOrigin.STREAM, live="a" in live))
    return made


def evaluate(quotes: QuoteBoard, ask: int = 5_200, **strategy: Any) -> Evaluation:
    """Evaluate the home market long before the start that Kalshi states."""
    evaluator = Evaluator(Strategy(**strategy), Risk(in_play_max_contracts=3), Execution())
    tops = {BOS: top(5_000, ask, ticker=BOS), NYY: top(None, None, ticker=NYY)}
    return evaluator.evaluate(quotes, inputs(BOS, tops))


@pytest.mark.parametrize("live", ["a", "c", "abc"])
def test_a_game_that_a_book_shows_as_live_is_not_bought_before_its_start(live: str) -> None:
    """However far away the start that is stated is; fair value goes on for what is held."""
    assert evaluate(board()).wished is not None
    found = evaluate(board(*live))

    assert (found.action, found.reason, found.wished) == (WAIT, SHOWN_LIVE, None)
    assert found.gated_fair == pytest.approx(0.62, abs=1e-4)


def test_with_in_play_a_live_game_has_the_limits_of_one() -> None:
    """From a larger edge on, and for fewer contracts, as after its start."""
    bought, thin = (evaluate(board("b"), ask, in_play=True) for ask in (5_300, 5_500))

    assert bought.wished is not None
    assert bought.wished.count_e2 == 300
    assert (thin.action, thin.reason) == ("SKIP", "edge too thin")
    before = evaluate(board(), 5_500, in_play=True).wished
    assert before is not None
    assert before.count_e2 == 500


def test_a_book_that_is_suspended_in_a_live_game_has_said_so_all_the_same() -> None:
    """Its last word counts, and another word of it takes that back."""
    quotes = board("c")
    quotes.apply(said("c", 2_600, suspended=True, live=True))
    assert shows_live(quotes)
    assert evaluate(quotes, min_books=2).reason == SHOWN_LIVE
    quotes.apply(said("c", 2_700))
    assert not shows_live(quotes)


def test_an_order_for_a_live_game_is_refused_and_a_sale_is_not() -> None:
    """Risk looks again, where a person does not want to trade on."""
    refusal = review_listing(ENTRY, listing(NYY), NOW_MS, in_play=False, is_live=True)
    assert refusal is not None
    assert refusal.text == SHOWN_LIVE
    assert review_listing(ENTRY, listing(NYY), NOW_MS, in_play=True, is_live=True) is None
    assert review_listing(EXIT, listing(NYY), NOW_MS, in_play=False, is_live=True) is None


def test_after_its_start_a_live_game_has_begun() -> None:
    """The scheduled start is the better known of the two reasons."""
    game = attrs.evolve(GAME, start_ms=NOW_MS)
    begun = attrs.evolve(listing(NYY), game=game)

    assert begun.why_not_entered(NOW_MS, in_play=False, is_live=True) == HAS_BEGUN
    assert begun.why_not_entered(NOW_MS, in_play=True, is_live=True) is None
