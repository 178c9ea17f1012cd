"""Orders arriving at the simulated exchange."""

from __future__ import annotations

import pytest

from arb.sim.exchange.lifecycle import close, pause_market, pause_trading
from arb.sim.exchange.refusals import Refused
from arb.sim.exchange.values import BookSide, Change, Lifetime, OrderStatus, SelfTrade
from tests.sim.sim_client import EPOCH_MS, Bench

BID, ASK = BookSide.BID, BookSide.ASK
IOC, FOK = Lifetime.IMMEDIATE_OR_CANCEL, Lifetime.FILL_OR_KILL


def refused(bench: Bench, *arguments: object, **more: object) -> tuple[int, str, str | None]:
    """Return status, code and details of an order that must be refused."""
    with pytest.raises(Refused) as caught:
        bench.place(bench.member, *arguments, **more)  # type: ignore[arg-type]
    refusal = caught.value.refusal
    return refusal.status, refusal.code, refusal.details


def test_an_order_that_meets_nobody_rests(bench: Bench) -> None:
    """A good-till-cancelled order off the touch stands on the book."""
    placed = bench.place(bench.member, BID, 4_000, 500, client_order_id="a")
    assert placed.order.status is OrderStatus.RESTING
    assert bench.home.book.levels(BID) == [(4_000, 500)]
    assert bench.member.resting_in(bench.home.ticker) == [placed.order]


def test_a_trade_happens_at_the_resting_price(bench: Bench) -> None:
    """A buyer who would pay more pays what the seller asked, and the fee on top."""
    bench.place(bench.maker, ASK, 4_000, 500)
    placed = bench.place(bench.member, BID, 4_500, 300, IOC)
    (fill,) = placed.fills
    assert (fill.price_e4, fill.count_e2, fill.is_taker) == (4_000, 300, True)
    assert placed.order.status is OrderStatus.EXECUTED
    spent_e6 = 1_000_000_000 - bench.member.cash_e6[3]
    assert spent_e6 == 4_000 * 300 + fill.fee_e6
    assert bench.member.position(bench.home.ticker).count_e2 == 300
    assert bench.maker.position(bench.home.ticker).count_e2 == -300


def test_what_is_left_of_a_taker_rests(bench: Bench) -> None:
    """A partial fill leaves the rest on the other side of the book."""
    bench.place(bench.maker, ASK, 4_000, 200)
    placed = bench.place(bench.member, BID, 4_000, 500)
    assert (placed.order.filled_e2, placed.order.remaining_e2) == (200, 300)
    assert bench.home.book.levels(BID) == [(4_000, 300)]
    assert bench.home.book.best_e4(ASK) is None


def test_an_immediate_order_never_rests(bench: Bench) -> None:
    """What an immediate-or-cancel order does not get is cancelled."""
    bench.place(bench.maker, ASK, 4_000, 200)
    placed = bench.place(bench.member, BID, 4_000, 500, IOC)
    assert (placed.order.filled_e2, placed.order.remaining_e2) == (200, 0)
    assert placed.order.status is OrderStatus.CANCELED
    assert bench.home.book.best_e4(BID) is None


def test_fill_or_kill_fills_whole_or_not_at_all(bench: Bench) -> None:
    """A fill-or-kill order that finds too little changes nothing but uses up its id."""
    bench.place(bench.maker, ASK, 4_000, 200)
    outcome = refused(bench, BID, 4_000, 300, FOK, client_order_id="k")
    assert outcome[:2] == (409, "fill_or_kill_insufficient_resting_volume")
    assert bench.home.book.levels(ASK) == [(4_000, 200)]
    assert refused(bench, BID, 4_000, 100, client_order_id="k")[1] == "order_already_exists"
    placed = bench.place(bench.member, BID, 4_000, 200, FOK)
    assert placed.order.status is OrderStatus.EXECUTED


def test_post_only_refuses_to_cross(bench: Bench) -> None:
    """A post-only order that would take is refused, one tick away it rests."""
    bench.place(bench.maker, ASK, 4_000, 200)
    assert refused(bench, BID, 4_000, 100, post_only=True) == (
        400,
        "invalid_order",
        "post only cross",
    )
    assert bench.place(bench.member, BID, 3_900, 100, post_only=True).order.remaining_e2 == 100


def test_a_client_order_id_is_used_once_for_ever(bench: Bench) -> None:
    """The id stays taken after the order was cancelled."""
    placed = bench.place(bench.member, BID, 4_000, 500, client_order_id="once")
    assert refused(bench, BID, 4_000, 500, client_order_id="once")[:2] == (
        409,
        "order_already_exists",
    )
    bench.venue.take_off_book(placed.order, Change.CANCEL)
    assert refused(bench, BID, 4_000, 500, client_order_id="once")[0] == 409


def test_dedup_against_open_orders_only_can_be_switched_on(bench: Bench) -> None:
    """The fault that frees an id once its order no longer rests."""
    bench.venue.conditions.dedup_open_orders_only = True
    placed = bench.place(bench.member, BID, 4_000, 500, client_order_id="again")
    assert refused(bench, BID, 4_000, 500, client_order_id="again")[0] == 409
    bench.venue.take_off_book(placed.order, Change.CANCEL)
    assert bench.place(bench.member, BID, 4_000, 500, client_order_id="again").order.remaining_e2


@pytest.mark.parametrize(
    ("price_e4", "count_e2", "more", "code"),
    [
        (4_050, 100, {}, "invalid_price"),
        (0, 100, {}, "invalid_price"),
        (10_000, 100, {}, "invalid_price"),
        (4_000, 0, {}, "invalid_order_size"),
        (4_000, 100, {"client_order_id": "a.b"}, "invalid_parameters"),
        (4_000, 100, {"reduce_only": True}, "invalid_order"),
        (4_000, 100, {"expires_s": EPOCH_MS // 1_000}, "invalid_order"),
        (4_000, 100, {"expires_s": EPOCH_MS, "lifetime": IOC}, "invalid_order"),
        (4_000, 100, {"group_id": "nobody's"}, "order_group_not_found"),
        (4_000, 100, {"ticker": "NOWHERE"}, "market_not_found"),
    ],
)
def test_bad_orders_are_refused_with_their_code(
    bench: Bench, price_e4: int, count_e2: int, more: dict[str, object], code: str
) -> None:
    """Each rule has the code that the exchange uses, and nothing is left behind."""
    assert refused(bench, BID, price_e4, count_e2, **more)[1] == code
    assert bench.member.orders() == []


def test_reduce_only_is_capped_by_the_position(bench: Bench) -> None:
    """It sells no more than is held and is refused without a position."""
    assert refused(bench, ASK, 4_000, 100, IOC, reduce_only=True)[1] == "invalid_order"
    bench.place(bench.maker, ASK, 4_000, 200)
    bench.place(bench.member, BID, 4_000, 200, IOC)
    bench.place(bench.maker, BID, 3_900, 900)
    placed = bench.place(bench.member, ASK, 3_900, 500, IOC, reduce_only=True)
    assert placed.order.initial_e2 == 200
    assert bench.member.position(bench.home.ticker).count_e2 == 0


def test_a_self_cross_cancels_the_taker(bench: Bench) -> None:
    """With taker_at_cross nothing trades, the resting order is untouched."""
    resting = bench.place(bench.member, BID, 4_000, 100).order
    placed = bench.place(bench.member, ASK, 4_000, 100)
    assert placed.order.status is OrderStatus.CANCELED
    assert placed.order.change is Change.SELF_TRADE
    assert (placed.fills, resting.remaining_e2) == ((), 100)


def test_a_self_cross_can_cancel_the_resting_order(bench: Bench) -> None:
    """With maker the resting order ends and the arriving one goes on, and rests."""
    resting = bench.place(bench.member, BID, 4_000, 100).order
    bench.place(bench.maker, BID, 4_000, 100)
    placed = bench.place(bench.member, ASK, 4_000, 150, self_trade=SelfTrade.MAKER)
    assert resting.status is OrderStatus.CANCELED
    assert (placed.order.filled_e2, placed.order.remaining_e2) == (100, 50)
    assert bench.home.book.levels(ASK) == [(4_000, 50)]


def test_nothing_is_placed_while_trading_stops(bench: Bench) -> None:
    """A paused market, a paused exchange and a closed market each refuse in their own words."""
    pause_market(bench.venue, bench.home)
    assert refused(bench, BID, 4_000, 100)[:2] == (409, "trading_is_paused")
    close(bench.venue, bench.home)
    assert refused(bench, BID, 4_000, 100)[:2] == (400, "market_inactive")
    pause_trading(bench.venue)
    assert refused(bench, BID, 4_000, 100, ticker=bench.away.ticker)[1] == "trading_is_paused"
    pause_trading(bench.venue, whole_exchange=True)
    assert refused(bench, BID, 4_000, 100)[1] == "exchange_is_paused"


def test_a_short_position_is_no(bench: Bench) -> None:
    """Selling below zero opens NO, which costs one dollar less the price."""
    bench.place(bench.maker, BID, 4_000, 100)
    (fill,) = bench.place(bench.member, ASK, 4_000, 100, IOC).fills
    position = bench.member.position(bench.home.ticker)
    assert (position.count_e2, position.cost_e6) == (-100, 6_000 * 100)
    assert bench.member.cash_e6[3] == 1_000_000_000 - 6_000 * 100 - fill.fee_e6


def test_trades_and_volumes_are_kept(bench: Bench) -> None:
    """A market remembers its last price, its volume and what is open."""
    bench.place(bench.maker, ASK, 4_000, 300)
    bench.place(bench.member, BID, 4_000, 200, IOC)
    assert (bench.home.last_price_e4, bench.home.volume_e2) == (4_000, 200)
    assert bench.home.open_interest_e2 == 200
    assert [trade.count_e2 for trade in bench.home.trades] == [200]
    assert "active" in repr(bench.home)
