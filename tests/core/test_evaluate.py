"""One market's evaluation: each gate alone closes it, with its reason."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from arb.core.commands import OrderIntent, Purpose, TimeInForce
from arb.core.consensus import BookRejected, NoConsensusReason, RejectReason
from arb.core.decide import Action, Decision, Reason
from arb.core.devig import worst_case
from arb.core.edge import buy_edge_e4
from arb.core.evaluate import WAIT, Evaluation, Evaluator, Gate, Inputs, Signal
from arb.core.events import Liquidity, Quote, Side
from arb.core.exits import Holding, OpenOrder
from arb.core.listing import MarketStatus
from arb.core.money import CountE2, PriceE4
from arb.core.orders import OrderState
from arb.core.parameters import Execution, Risk, Strategy
from arb.core.staleness import NotFresh, QuoteBoard
from tests.core.order_factory import BOS, ENTRY, EXIT, NYY, listing, order_in, top

EVALUATOR = Evaluator(Strategy(), Risk(), Execution())
BOOKS = ("a", "b", "c")
NOW_MS = 3_000
EMPTY = Holding(BOS, CountE2(0), PriceE4(0), ())

# The home team at 62 per cent, without a margin.
HOME, AWAY = 1 / 0.62, 1 / 0.38
INPUTS = Inputs(
    listing(BOS),
    top(bid=5_400, ask=5_700, ticker=BOS),
    sibling_top=top(bid=4_200, ask=4_600, ticker=NYY),
    holding=EMPTY,
    used=None,
    now_ms=NOW_MS,
    sibling=listing(NYY),
)


def quote(book: str, at_ms: int, home: float = HOME, away: float = AWAY, **more: Any) -> Quote:
    """Let a sportsbook say its price."""
    return Quote("feed", "e1", book, home, away, source_ms=at_ms, received_ms=at_ms, **more)


def board(*, changed_ms: int | None = 2_500) -> QuoteBoard:
    """Make a board whose set of books is known, and whose first book has then changed."""
    made = QuoteBoard()
    for book in BOOKS:
        made.apply(quote(book, 1_000))
    made.evaluate(1_500, min_books=3, book_confirm_ms=60_000, stale_odds_threshold_ms=5_000)
    if changed_ms is not None:
        made.apply(quote("a", changed_ms, home=HOME * 0.999))
    return made


def evaluate(quotes: QuoteBoard | None = None, **changes: Any) -> Evaluation:
    """Evaluate the usual market with some things different."""
    return EVALUATOR.evaluate(quotes or board(), attrs.evolve(INPUTS, **changes))


def test_an_edge_with_every_gate_open_is_wished_for() -> None:
    """Fresh quotes, a live book and nothing at work: five cents of edge are taken."""
    evaluation = evaluate()

    assert (evaluation.action, evaluation.reason) == ("TAKER", Reason.TAKER_EDGE)
    assert evaluation.wished is evaluation.decision
    assert evaluation.wished is not None
    assert (evaluation.wished.price_e4, evaluation.wished.count_e2) == (5_700, 500)
    assert evaluation.fair == evaluation.gated_fair == pytest.approx(0.62)
    assert (evaluation.signal, evaluation.books) == (Signal("a", 2_500, 4), 3)


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"status": MarketStatus.INACTIVE}, "Kalshi has paused the market"),
        ({"close_ms": NOW_MS}, "the market is closed"),
        ({"left_out": "start times disagree"}, "start times disagree"),
    ],
)
def test_a_market_that_may_not_be_entered_says_why(changes: dict[str, Any], reason: str) -> None:
    """Whatever the edge: nothing is wished, and fair value goes on for what is held."""
    evaluation = evaluate(listing=attrs.evolve(listing(BOS), **changes))

    assert (evaluation.action, evaluation.reason, evaluation.wished) == (WAIT, reason, None)
    assert evaluation.gated_fair == pytest.approx(0.62)


def test_no_consensus_waits() -> None:
    """Too few confirmed books are no fair value; how many there were is said."""
    quotes = QuoteBoard()
    quotes.apply(quote("a", 1_000))

    assert evaluate(quotes) == Evaluation(WAIT, NoConsensusReason.TOO_FEW_BOOKS, books=1)
    assert evaluate(QuoteBoard()) == Evaluation(WAIT, NoConsensusReason.NO_BOOKS, books=0)


def test_books_that_are_not_confirmed_do_not_count() -> None:
    """Long after the last word of any book there is no fair value any more."""
    assert evaluate(now_ms=100_000).reason == NoConsensusReason.NO_BOOKS


@pytest.mark.parametrize(
    "seen, gate", [(None, Gate.NO_BOOK), (top(ticker=BOS, usable=False), Gate.BOOK_DOWN)]
)
def test_without_a_live_book_nothing_is_decided(seen: Any, gate: Gate) -> None:
    """Without a top, or with one that is only the last known, fair value is shown and no more."""
    evaluation = evaluate(top=seen)

    assert (evaluation.action, evaluation.reason) == (WAIT, gate)
    assert evaluation.fair == pytest.approx(0.62)
    assert evaluation.signal == Signal("a", 2_500, 4)
    assert (evaluation.wished, evaluation.decision, evaluation.gated_fair) == (None, None, None)


def gated(evaluation: Evaluation, reason: str, *, fair_passes: bool = True) -> None:
    """Check that a purchase was decided on and stopped for one reason."""
    assert (evaluation.action, evaluation.reason) == ("SKIP", reason)
    assert evaluation.wished is None
    assert evaluation.decision is not None
    assert evaluation.decision.action is Action.TAKER
    assert (evaluation.gated_fair is not None) is fair_passes
    settles = reason in {NotFresh.BOOKS_CHANGED, NotFresh.NO_CHANGE_SINCE}
    assert evaluation.unsettled_fair == (evaluation.fair if settles else None)


@pytest.mark.parametrize(
    "quotes, now_ms, reason",
    [
        (board(changed_ms=None), NOW_MS, NotFresh.NO_CHANGE_SINCE),
        (board(changed_ms=2_500), 7_501, NotFresh.ODDS_STALE),
    ],
)
def test_odds_that_are_not_fresh_trigger_nothing(
    quotes: QuoteBoard, now_ms: int, reason: NotFresh
) -> None:
    """An edge on odds that did not change lately is no trade, and moves no exit."""
    gated(evaluate(quotes, now_ms=now_ms), reason, fair_passes=False)


def test_odds_may_be_as_old_as_the_threshold() -> None:
    """At the threshold itself a change still triggers."""
    assert evaluate(now_ms=7_500).action == "TAKER"


def test_a_changed_set_of_books_triggers_nothing() -> None:
    """When a book comes or goes, the jump in fair value is not traded."""
    quotes = board()
    quotes.apply(quote("d", 2_600))

    gated(evaluate(quotes), NotFresh.BOOKS_CHANGED, fair_passes=False)


def test_a_market_that_does_not_know_its_holding_waits() -> None:
    """Before risk has said what is held and at work, nothing is wished for."""
    gated(evaluate(holding=None), Gate.NO_HOLDING)


def test_an_entry_at_work_is_enough() -> None:
    """While an entry may fill, no second one is wished for; an exit does not matter."""
    entry, sale = (OpenOrder.of(order_in(OrderState.RESTING, wish=wish)) for wish in (ENTRY, EXIT))

    gated(evaluate(holding=attrs.evolve(EMPTY, orders=(entry,))), Gate.ENTRY_AT_WORK)
    assert evaluate(holding=attrs.evolve(EMPTY, orders=(sale,))).action == "TAKER"


def test_one_signal_fires_once() -> None:
    """A price change that was acted on triggers no more; the next change does."""
    quotes = board()
    used = evaluate(quotes).signal

    gated(evaluate(quotes, used=used), Gate.SIGNAL_USED)

    quotes.apply(quote("b", 2_700, home=HOME * 0.999))
    again = evaluate(quotes, used=used)
    assert (again.action, again.signal) == ("TAKER", Signal("b", 2_700, 5))


@pytest.mark.parametrize("bid, cheaper", [(4_300, False), (4_301, True), (None, False)])
def test_the_sibling_may_sell_the_same_bet_cheaper(bid: int | None, cheaper: bool) -> None:
    """NO of the other team at less than YES here wins; at the same price this market buys."""
    evaluation = evaluate(sibling_top=top(bid=bid, ticker=NYY))

    if cheaper:
        gated(evaluation, Gate.SIBLING_CHEAPER)
    else:
        assert evaluation.action == "TAKER"


@pytest.mark.parametrize("seen", [None, top(bid=9_000, ticker=NYY, usable=False)])
def test_a_sibling_without_a_live_book_offers_nothing(seen: Any) -> None:
    """What cannot be bought there is no reason not to buy here."""
    assert evaluate(sibling_top=seen).action == "TAKER"


@pytest.mark.parametrize("chance, wished", [(0.591, True), (0.589, False)])
@pytest.mark.parametrize("is_home", [True, False])
def test_a_change_that_sees_no_edge_itself_buys_nothing(
    chance: float, wished: bool, is_home: bool
) -> None:
    """Two books at 62 % outvote one that has just gone to where the exchange is."""
    quotes = QuoteBoard()
    sides = (HOME, AWAY) if is_home else (AWAY, HOME)
    for book in BOOKS:
        quotes.apply(quote(book, 1_000, *sides))
    quotes.evaluate(1_500, min_books=3, book_confirm_ms=60_000, stale_odds_threshold_ms=5_000)
    sides = (1 / chance, 1 / (1 - chance))
    quotes.apply(quote("a", 2_500, *(sides if is_home else sides[::-1])))
    evaluation = evaluate(quotes, listing=listing(BOS if is_home else NYY), sibling_top=None)

    assert (evaluation.wished is not None) is wished
    if not wished:
        gated(evaluation, Gate.TRIGGER_AGAINST)


def test_books_that_are_left_out_are_named() -> None:
    """Whoever asks why reads which book did not count, and for what."""
    quotes = board()
    quotes.apply(quote("d", 2_600, home=1.1, away=1.1))
    out = (BookRejected("d", RejectReason.OVERROUND_TOO_LARGE),)

    assert evaluate(quotes).left_out == out
    assert evaluate(quotes, top=None).left_out == out
    few = attrs.evolve(EVALUATOR, strategy=Strategy(min_books=5))
    assert few.evaluate(quotes, INPUTS).left_out == out


def test_gates_are_asked_in_their_order() -> None:
    """Of several closed gates the first is told: odds, holding, entry, signal, sibling."""
    quotes = board()
    signal = evaluate(quotes).signal
    entry = OpenOrder.of(order_in(OrderState.RESTING))
    busy = attrs.evolve(EMPTY, orders=(entry,))
    sibling = top(bid=9_000, ticker=NYY)
    told = [
        evaluate(board(), now_ms=9_000, holding=None, used=signal, sibling_top=sibling),
        evaluate(quotes, holding=None, used=signal, sibling_top=sibling),
        evaluate(quotes, holding=busy, used=signal, sibling_top=sibling),
        evaluate(quotes, used=signal, sibling_top=sibling),
        evaluate(quotes, sibling_top=sibling),
    ]

    assert [each.reason for each in told] == [
        NotFresh.ODDS_STALE,
        Gate.NO_HOLDING,
        Gate.ENTRY_AT_WORK,
        Gate.SIGNAL_USED,
        Gate.SIBLING_CHEAPER,
    ]


def test_a_thin_edge_is_skipped_and_still_moves_exits() -> None:
    """Where nothing is to be bought, fair value has passed its gates all the same."""
    evaluation = evaluate(top=top(bid=6_000, ask=6_300, ticker=BOS))

    assert (evaluation.action, evaluation.reason) == ("SKIP", Reason.EDGE_TOO_THIN)
    assert evaluation.gated_fair == pytest.approx(0.62)
    assert evaluation.wished is None


def test_the_away_market_pays_for_the_other_side() -> None:
    """The away team's fair value is what the home team leaves."""
    evaluation = evaluate(
        listing=listing(NYY), top=top(bid=3_000, ask=3_200, ticker=NYY), sibling_top=None
    )

    assert evaluation.fair == pytest.approx(0.38)
    assert evaluation.action == "TAKER"


@pytest.mark.parametrize(
    "held, count, reason",
    [
        (0, 500, Reason.TAKER_EDGE),
        (500, 500, Reason.TAKER_EDGE),
        (700, 300, Reason.TAKER_EDGE),
        (1_000, 0, Reason.NO_COUNT),
        (1_200, 0, Reason.NO_COUNT),
    ],
)
def test_no_more_is_wished_for_than_the_market_has_room(
    held: int, count: int, reason: Reason
) -> None:
    """One order's size, cut by what is held; a full market buys nothing."""
    evaluation = evaluate(holding=attrs.evolve(EMPTY, count_e2=CountE2(held)))

    assert evaluation.decision is not None
    assert (evaluation.decision.count_e2, evaluation.reason) == (count, reason)


def test_a_purchase_must_pay_by_the_worst_case_of_its_side() -> None:
    """With a margin in the odds the underdog's least chance is below its fair value."""
    quotes = QuoteBoard()
    for book in BOOKS:
        quotes.apply(quote(book, 1_000, home=1.5, away=2.7))
    home = evaluate(quotes, top=top(bid=6_400, ask=6_500, ticker=BOS))
    away = evaluate(
        quotes, listing=listing(NYY), top=top(bid=3_400, ask=3_500, ticker=NYY), sibling_top=None
    )

    assert home.low == home.fair == pytest.approx(0.642857, abs=1e-6)
    assert away.fair == pytest.approx(1.0 - 0.642857, abs=1e-6)
    assert away.low == worst_case((1.5, 2.7))[1] < 0.355
    assert away.decision is not None
    assert away.decision.edge_e4 == buy_edge_e4(away.low, 3_500)


def test_an_edge_beyond_belief_is_not_wished_for() -> None:
    """Sixteen cents are an error until proven otherwise."""
    evaluation = evaluate(top=top(bid=4_500, ask=4_600, ticker=BOS), sibling_top=None)

    assert (evaluation.action, evaluation.reason) == ("SKIP", Reason.TOO_GOOD)
    assert evaluation.wished is None


def test_a_market_whose_price_fits_the_other_team_is_quarantined() -> None:
    """It wishes nothing and moves no exit, and stays so until its price fits its own team."""
    found = evaluate(top=top(bid=3_700, ask=3_900, ticker=BOS))
    assert (found.action, found.reason, found.inverted) == (WAIT, Gate.INVERTED, True)
    assert (found.wished, found.gated_fair, found.decision) == (None, None, None)
    assert found.fair == pytest.approx(0.62)

    still = [
        evaluate(inverted=True, top=top(bid=4_900, ask=5_100, ticker=BOS)),
        evaluate(inverted=True, top=top(bid=None, ask=5_700, ticker=BOS)),
        evaluate(inverted=True, top=None),
    ]
    assert [each.reason for each in still] == [Gate.INVERTED] * 3
    assert evaluate(QuoteBoard(), inverted=True).inverted

    again = evaluate(inverted=True)
    assert (again.action, again.inverted) == ("TAKER", False)


# From a decision to an order.


def entry_of(seen: Any) -> OrderIntent:
    """Evaluate under a top, and return the order that follows."""
    inputs = attrs.evolve(INPUTS, top=seen)
    evaluation = EVALUATOR.evaluate(board(), inputs)
    assert evaluation.wished is not None
    return EVALUATOR.entry(evaluation, evaluation.wished, inputs, trigger_ns=7)


def test_a_taker_is_immediate_and_carries_no_expiry() -> None:
    """A taker buys at the ask or not at all."""
    entry = entry_of(INPUTS.top)

    assert entry.fair == pytest.approx(0.62)
    assert attrs.evolve(entry, fair=0.62) == OrderIntent(
        ticker=BOS,
        game_id="g1",
        purpose=Purpose.ENTRY,
        side=Side.BID,
        price_e4=PriceE4(5_700),
        count_e2=CountE2(500),
        liquidity=Liquidity.TAKER,
        time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
        post_only=False,
        trigger_ns=7,
        fair=0.62,
        low=entry.low,
    )
    assert entry.low == pytest.approx(0.62)


def test_a_maker_is_post_only_and_expires_at_the_exchange() -> None:
    """A maker stands a tick above the bid, and the exchange removes it should we die."""
    entry = entry_of(top(bid=5_400, ask=5_900, ticker=BOS))

    assert (entry.price_e4, entry.post_only, entry.liquidity) == (5_500, True, Liquidity.MAKER)
    assert entry.time_in_force is TimeInForce.GOOD_TILL_CANCELED
    assert entry.expires_s == NOW_MS // 1_000 + Execution().entry_expiry_s


def test_a_skip_is_no_order() -> None:
    """Neither a decision without a price nor an evaluation without a fair value is a purchase."""
    skipped = Decision(Action.SKIP, Reason.NO_ASK)
    with pytest.raises(ValueError, match="is no purchase"):
        EVALUATOR.entry(evaluate(), skipped, INPUTS, trigger_ns=7)

    wished = evaluate().wished
    assert wished is not None
    with pytest.raises(ValueError, match="is no purchase"):
        EVALUATOR.entry(Evaluation(WAIT, ""), wished, INPUTS, trigger_ns=7)
