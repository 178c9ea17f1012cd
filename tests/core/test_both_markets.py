"""Two actors, one bet: what the markets of a game decide, each for itself, fits together."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.decide import Reason
from arb.core.evaluate import WAIT, Evaluation, Evaluator, Gate, Inputs, Signal
from arb.core.events import Quote, Side, Top
from arb.core.exits import Holding
from arb.core.listing import HAS_BEGUN, Listing, MarketStatus
from arb.core.money import CountE2, PriceE4
from arb.core.parameters import Execution, Risk, Strategy
from arb.core.staleness import QuoteBoard
from arb.core.ways import Outcome
from tests.core.order_factory import BOS, GAME, NYY, listing, top

EVALUATOR = Evaluator(Strategy(), Risk(), Execution())
NOW_MS = 3_000
# A price that one market doubts keeps the other from buying beside it.
DOUBTS = {Reason.TOO_GOOD, Gate.INVERTED}


def board(home: int, margin: float = 1.0) -> QuoteBoard:
    """Make a game's board on which the home team has so many thousandths, just changed."""
    made = QuoteBoard()
    odds = 1_000 / home / margin, 1_000 / (1_000 - home) / margin
    for book in ("a", "b", "c"):
        made.apply(Quote("feed", "e1", book, *odds, 1_000, 1_000))
    made.evaluate(1_500, min_books=3, book_confirm_ms=60_000, stale_odds_threshold_ms=5_000)
    made.apply(Quote("feed", "e1", "a", odds[0] * 0.9999, odds[1], 2_500, 2_500))
    return made


def inputs(ticker: str, tops: dict[str, Top], **changes: Any) -> Inputs:
    """Put together what one of the two markets knows."""
    other = NYY if ticker == BOS else BOS
    holding = Holding(ticker, CountE2(0), PriceE4(0), ())
    made = Inputs(listing(ticker), tops[ticker], tops[other], holding, None, NOW_MS)
    return attrs.evolve(made, sibling=listing(other), **changes)


def both(
    quotes: QuoteBoard, home: Top, away: Top, evaluator: Evaluator = EVALUATOR, **changes: Any
) -> dict[str, Evaluation]:
    """Evaluate both markets of a game as each of them sees it."""
    tops = {BOS: home, NYY: away}
    return {ticker: evaluator.evaluate(quotes, inputs(ticker, tops, **changes)) for ticker in tops}


def bets(found: dict[str, Evaluation]) -> set[tuple[str, str]]:
    """Return who wishes what."""
    return {
        (ticker, each.wished.outcome.value)
        for ticker, each in found.items()
        if each.wished is not None
    }


@pytest.mark.parametrize(
    "home, away, who",
    [
        ((5_400, 5_700), (4_200, 4_600), {(BOS, "YES")}),
        ((5_400, 5_700), (4_400, 4_600), {(NYY, "NO")}),
        ((5_400, 5_700), (4_300, 4_600), {(BOS, "YES")}),
        ((5_400, 6_200), (4_300, 4_600), {(NYY, "NO")}),
        ((6_700, 7_000), (3_000, 3_500), {(BOS, "NO")}),
        ((6_700, 7_000), (3_000, 3_200), {(NYY, "YES")}),
        ((6_700, 7_000), (3_000, 3_300), {(NYY, "YES")}),
        ((6_100, 6_300), (3_700, 3_900), set()),
    ],
)
def test_one_market_acts_and_it_is_the_cheaper(
    home: tuple[int, int], away: tuple[int, int], who: set[tuple[str, str]]
) -> None:
    """The home team at 62 per cent: on either team, in either market, YES where all is equal."""
    found = both(board(620), top(*home, ticker=BOS), top(*away, ticker=NYY))

    assert bets(found) == who


@pytest.mark.parametrize(
    "changes",
    [
        {"sibling": None},
        {"sibling": attrs.evolve(listing(NYY), status=MarketStatus.INACTIVE)},
        {"sibling_top": None},
        {"sibling_top": top(4_400, 4_600, ticker=NYY, usable=False)},
    ],
)
def test_a_sibling_that_cannot_act_is_not_waited_for(changes: dict[str, Any]) -> None:
    """Not listed, paused, or without a live book: the bet is taken here."""
    tops = {BOS: top(5_400, 5_700, ticker=BOS), NYY: top(4_400, 4_600, ticker=NYY)}
    quotes = board(620)

    assert EVALUATOR.evaluate(quotes, inputs(BOS, tops)).reason == Gate.SIBLING_CHEAPER
    usual = inputs(BOS, tops)
    assert EVALUATOR.evaluate(quotes, attrs.evolve(usual, **changes)).wished is not None


TOPS = st.tuples(st.none() | st.integers(1, 99), st.none() | st.integers(1, 99))


def shown(ticker: str, cents: tuple[int | None, int | None]) -> Top:
    """Show a book, uncrossed, in cents."""
    bid, ask = cents
    if bid is not None and ask is not None and bid >= ask:
        bid, ask = (ask, bid) if ask < bid else (bid, None)
    return top(
        None if bid is None else bid * 100, None if ask is None else ask * 100, ticker=ticker
    )


@given(st.integers(30, 970), TOPS, TOPS, st.sampled_from([1.0, 1.04]))
def test_a_bet_is_never_made_twice_and_never_left_lying(
    home: int, ours: tuple[int | None, int | None], theirs: tuple[int | None, int | None], m: float
) -> None:
    """Whatever the books: of those who would buy alone, exactly one does, with the other there."""
    quotes = board(home, m)
    tops = {BOS: shown(BOS, ours), NYY: shown(NYY, theirs)}
    together = both(quotes, tops[BOS], tops[NYY])
    alone = {
        ticker: EVALUATOR.evaluate(quotes, attrs.evolve(inputs(ticker, tops), sibling=None))
        for ticker in tops
    }
    for team in (BOS, NYY):
        other = NYY if team == BOS else BOS
        ways = {(team, "YES"), (other, "NO")}
        willing = ways & bets(alone)
        wished = ways & bets(together)
        assert wished <= willing
        doubted = any(each.reason in DOUBTS for each in alone.values())
        assert len(wished) == (1 if willing else 0) or (doubted and not wished)


@given(st.integers(30, 970), TOPS, TOPS)
def test_swapped_teams_make_swapped_bets(
    home: int, ours: tuple[int | None, int | None], theirs: tuple[int | None, int | None]
) -> None:
    """The game seen from the other bench: each market does what its sibling did."""
    straight = both(board(home), shown(BOS, ours), shown(NYY, theirs))
    swapped = {
        ticker: EVALUATOR.evaluate(
            board(home), _as_other(inputs(ticker, {BOS: shown(BOS, theirs), NYY: shown(NYY, ours)}))
        )
        for ticker in (BOS, NYY)
    }

    for ticker, other in ((BOS, NYY), (NYY, BOS)):
        assert swapped[ticker].wished == straight[other].wished


def _as_other(given: Inputs) -> Inputs:
    # The markets change places within the game, so that the same odds are of the other one.
    game = attrs.evolve(GAME, home_ticker=NYY, away_ticker=BOS)
    found = attrs.evolve(given.listing, game=game)
    assert given.sibling is not None
    return attrs.evolve(given, listing=found, sibling=attrs.evolve(given.sibling, game=game))


# The order, the signal and the game's beginning.


def test_no_is_an_ask_with_the_least_chance_of_its_side() -> None:
    """An entry of NO is sold, immediate or post-only as one of YES, at the YES price."""
    tops = {BOS: top(6_700, 7_000, ticker=BOS), NYY: top(None, None, ticker=NYY)}
    seen = inputs(BOS, tops)
    found = EVALUATOR.evaluate(board(600, 1.04), seen)
    assert found.wished is not None
    entry = EVALUATOR.entry(found, found.wished, seen, 7)

    assert (entry.side, entry.price_e4, entry.post_only) == (Side.ASK, 6_700, False)
    assert entry.low == found.no_low
    assert found.no_low is not None
    assert found.fair is not None
    assert found.no_low < 1.0 - found.fair + 1e-9
    assert found.edge_e4(Outcome.NO, PriceE4(6_700)) == found.wished.edge_e4
    assert Evaluation(WAIT, "").edge_e4(Outcome.NO, PriceE4(6_700)) is None


@pytest.mark.parametrize(
    "used, is_used_up",
    [
        (None, False),
        (Signal("b", 2_400, 3), False),
        (Signal("b", 2_400, 4), True),
        (Signal("b", 2_400, 5), True),
        (Signal("b", 2_500, 3), True),
    ],
)
def test_two_books_in_one_millisecond_are_one_signal(used: Signal | None, is_used_up: bool) -> None:
    """What was acted on, or came beside it or before it, does not trigger again."""
    tops = {BOS: top(5_400, 5_700, ticker=BOS), NYY: top(4_200, 4_600, ticker=NYY)}
    found = EVALUATOR.evaluate(board(620), inputs(BOS, tops, used=used))

    assert found.signal == Signal("a", 2_500, 4)
    assert (found.reason == Gate.SIGNAL_USED) is is_used_up


def begun(ticker: str) -> Listing:
    """List a market whose game began a second ago."""
    return attrs.evolve(listing(ticker), game=attrs.evolve(GAME, start_ms=NOW_MS - 1_000))


def in_play(ask: int, **settings: Any) -> Evaluation:
    """Evaluate the home market after its game has begun."""
    strategy = Strategy(in_play=True, **settings)
    evaluator = Evaluator(strategy, Risk(in_play_max_contracts=3), Execution())
    tops = {BOS: top(5_000, ask, ticker=BOS), NYY: top(None, None, ticker=NYY)}
    return evaluator.evaluate(board(620), inputs(BOS, tops, listing=begun(BOS)))


def test_nothing_is_bought_once_the_game_has_begun() -> None:
    """By default; fair value goes on for what is held."""
    tops = {BOS: top(5_000, 5_200, ticker=BOS), NYY: top(None, None, ticker=NYY)}
    found = EVALUATOR.evaluate(board(620), inputs(BOS, tops, listing=begun(BOS)))

    assert (found.action, found.reason, found.wished) == (WAIT, HAS_BEGUN, None)
    assert found.gated_fair == pytest.approx(0.62, abs=1e-4)
    on_time = attrs.evolve(GAME, start_ms=NOW_MS + 1)
    early = EVALUATOR.evaluate(
        board(620), inputs(BOS, tops, listing=attrs.evolve(listing(BOS), game=on_time))
    )
    assert early.wished is not None


def test_in_play_has_limits_of_its_own() -> None:
    """Where a person wants it: from a larger edge on, and for fewer contracts."""
    bought, thin = in_play(5_300), in_play(5_500)

    assert bought.wished is not None
    assert bought.wished.count_e2 == 300
    assert (thin.action, thin.reason) == ("SKIP", "edge too thin")
    assert in_play(5_500, in_play_edge_threshold=5).wished is not None


def test_kelly_wishes_for_all_that_there_is_room_for() -> None:
    """Risk knows the cash and cuts it."""
    evaluator = Evaluator(Strategy(sizing="kelly"), Risk(), Execution())
    tops = {BOS: top(5_400, 5_700, ticker=BOS), NYY: top(4_200, 4_600, ticker=NYY)}
    found = evaluator.evaluate(board(620), inputs(BOS, tops))

    assert found.wished is not None
    assert found.wished.count_e2 == 1_000
