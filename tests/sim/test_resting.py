"""What can be done to an order that rests."""

from __future__ import annotations

import pytest

from arb.sim.exchange.groups import OrderGroup
from arb.sim.exchange.lifecycle import close, pause_market, pause_trading
from arb.sim.exchange.refusals import Refused
from arb.sim.exchange.resting import Amendment, amend, cancel, cancel_all, decrease, expire
from arb.sim.exchange.values import BookSide, Change, Lifetime, Order, OrderStatus
from tests.sim.sim_client import EPOCH_MS, Bench

BID, ASK = BookSide.BID, BookSide.ASK
IOC = Lifetime.IMMEDIATE_OR_CANCEL


def rested(bench: Bench, price_e4: int = 4_000, count_e2: int = 500, **more: object) -> Order:
    return bench.place(bench.member, BID, price_e4, count_e2, **more).order  # type: ignore[arg-type]


def wish(bench: Bench, price_e4: int, count_e2: int, **more: object) -> Amendment:
    return Amendment(bench.home.ticker, BID, price_e4, count_e2, **more)  # type: ignore[arg-type]


def code_of(caught: pytest.ExceptionInfo[Refused]) -> str:
    return caught.value.refusal.code


def test_a_cancel_takes_what_rests(bench: Bench) -> None:
    """The count that rested is reported and the level is gone."""
    order = rested(bench)
    assert cancel(bench.venue, bench.member, order.order_id, 3) == (order, 500)
    assert (order.status, order.remaining_e2, order.filled_e2) == (OrderStatus.CANCELED, 0, 0)
    assert bench.home.book.best_e4(BID) is None


def test_the_404_of_a_cancel_proves_nothing(bench: Bench) -> None:
    """Cancelled, executed, unknown, somebody else's and on another shard all read the same."""
    cancelled, filled = rested(bench), rested(bench, 4_100)
    others = bench.place(bench.maker, BID, 3_000, 100).order
    bench.place(bench.maker, ASK, 4_100, 500, IOC)
    cancel(bench.venue, bench.member, cancelled.order_id, 3)
    alive = rested(bench, 3_900)
    for order_id, shard in (
        (cancelled.order_id, 3),
        (filled.order_id, 3),
        ("unknown", 3),
        (others.order_id, 3),
        (alive.order_id, 0),
    ):
        with pytest.raises(Refused) as caught:
            cancel(bench.venue, bench.member, order_id, shard)
        assert caught.value.refusal.body() == {
            "error": {"code": "not_found", "message": "not found"}
        }
    assert alive.status is OrderStatus.RESTING


def test_a_trading_pause_allows_cancels_and_an_exchange_pause_does_not(bench: Bench) -> None:
    """Only while the whole exchange is paused is a cancel refused."""
    first, second = rested(bench), rested(bench)
    pause_trading(bench.venue)
    cancel(bench.venue, bench.member, first.order_id, 3)
    pause_trading(bench.venue, whole_exchange=True)
    with pytest.raises(Refused) as caught:
        cancel(bench.venue, bench.member, second.order_id, 3)
    assert code_of(caught) == "exchange_is_paused"


def test_after_the_close_even_cancels_are_refused(bench: Bench) -> None:
    """A closed market answers market_inactive to everything, and cancel-all passes it over."""
    order = rested(bench)
    close(bench.venue, bench.home)
    with pytest.raises(Refused) as caught:
        cancel(bench.venue, bench.member, order.order_id, 3)
    assert code_of(caught) == "market_inactive"
    assert cancel_all(bench.venue, bench.member) == 0


def test_cancel_all_takes_every_order_of_the_account(bench: Bench) -> None:
    """Both markets are swept; other accounts' orders stay."""
    rested(bench)
    rested(bench, ticker=bench.away.ticker)
    bench.place(bench.maker, BID, 3_000, 100)
    assert cancel_all(bench.venue, bench.member) == 2
    assert bench.member.resting == {}
    assert bench.home.book.levels(BID) == [(3_000, 100)]


def test_a_decrease_keeps_the_place_in_the_queue(bench: Bench) -> None:
    """An order made smaller still trades before one that came later."""
    first = rested(bench, count_e2=500)
    bench.place(bench.maker, BID, 4_000, 500)
    decrease(bench.venue, first, 200)
    assert (first.remaining_e2, first.initial_e2) == (200, 200)
    assert bench.home.book.ahead_of_e2(first) == 0
    assert bench.home.book.levels(BID) == [(4_000, 700)]


def test_a_decrease_to_nothing_is_a_cancel_and_to_more_is_refused(bench: Bench) -> None:
    """Counts may only go down."""
    order = rested(bench)
    with pytest.raises(Refused) as caught:
        decrease(bench.venue, order, 500)
    assert code_of(caught) == "invalid_order_size"
    decrease(bench.venue, order, 0)
    assert order.status is OrderStatus.CANCELED


def test_an_amended_price_loses_the_place(bench: Bench) -> None:
    """Another price means the end of that price's queue."""
    bench.place(bench.maker, BID, 4_100, 300)
    order = rested(bench)
    amended = amend(bench.venue, bench.member, order, wish(bench, 4_100, 500))
    assert (amended.resized, amended.fills) == (False, ())
    assert bench.home.book.ahead_of_e2(order) == 300
    assert bench.home.book.levels(BID) == [(4_100, 800)]


def test_an_amended_size_keeps_the_place_only_downwards(bench: Bench) -> None:
    """Less keeps the place, more goes to the end."""
    order = rested(bench)
    bench.place(bench.maker, BID, 4_000, 300)
    assert amend(bench.venue, bench.member, order, wish(bench, 4_000, 400)).resized
    assert bench.home.book.ahead_of_e2(order) == 0
    amend(bench.venue, bench.member, order, wish(bench, 4_000, 600))
    assert bench.home.book.ahead_of_e2(order) == 300
    assert order.remaining_e2 == 600


def test_an_amendment_counts_what_filled_already(bench: Bench) -> None:
    """The count is what filled plus what shall rest; asking for less than filled is refused."""
    order = rested(bench)
    bench.place(bench.maker, ASK, 4_000, 200, IOC)
    amend(bench.venue, bench.member, order, wish(bench, 4_000, 300))
    assert (order.filled_e2, order.remaining_e2) == (200, 100)
    with pytest.raises(Refused) as caught:
        amend(bench.venue, bench.member, order, wish(bench, 4_000, 200))
    assert code_of(caught) == "invalid_order_size"


def test_an_amendment_can_trade(bench: Bench) -> None:
    """Moved across the touch the order takes, and what is left rests at the new price."""
    bench.place(bench.maker, ASK, 4_500, 200)
    order = rested(bench)
    amended = amend(bench.venue, bench.member, order, wish(bench, 4_500, 500))
    assert sum(fill.count_e2 for fill in amended.fills) == 200
    assert amended.resized
    assert bench.home.book.levels(BID) == [(4_500, 300)]


def test_an_amended_id_names_the_order_from_then_on(bench: Bench) -> None:
    """The new client order id is used up like any other."""
    order = rested(bench, client_order_id="old")
    change = wish(bench, 4_000, 500, client_order_id="old", updated_client_order_id="new")
    amend(bench.venue, bench.member, order, change)
    assert order.client_order_id == "new"
    with pytest.raises(Refused) as caught:
        rested(bench, client_order_id="new")
    assert code_of(caught) == "order_already_exists"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"ticker": "ELSEWHERE"}, "order_ticker_mismatch"),
        ({"side": ASK}, "order_side_mismatch"),
        ({"client_order_id": "other"}, "order_id_and_client_order_id_mismatch"),
        ({"price_e4": 4_050}, "invalid_price"),
        ({"updated_client_order_id": "mine"}, "order_already_exists"),
        ({"expires_s": EPOCH_MS // 1_000}, "invalid_order"),
        ({"price_e4": 4_500}, "invalid_order"),
        ({"count_e2": 900_000_000}, "insufficient_balance"),
    ],
)
def test_bad_amendments_change_nothing(bench: Bench, more: dict[str, object], code: str) -> None:
    """Each mismatch has its code and the order stays as it was."""
    bench.place(bench.maker, ASK, 4_500, 100)
    order = rested(bench, client_order_id="mine", post_only=True)
    fields: dict[str, object] = {
        "ticker": bench.home.ticker,
        "side": BID,
        "price_e4": 4_000,
        "count_e2": 500,
    }
    with pytest.raises(Refused) as caught:
        amend(bench.venue, bench.member, order, Amendment(**(fields | more)))  # type: ignore[arg-type]
    assert code_of(caught) == code
    assert (order.price_e4, order.remaining_e2, order.client_order_id) == (4_000, 500, "mine")


def test_an_order_expires_at_its_second(bench: Bench) -> None:
    """It rests until the second it was given and is then cancelled by the exchange."""
    order = rested(bench, expires_s=EPOCH_MS // 1_000 + 10)
    bench.clock.now_ms += 9_999
    expire(bench.venue)
    assert order.status is OrderStatus.RESTING
    bench.clock.now_ms += 1
    expire(bench.venue)
    assert (order.status, order.change) == (OrderStatus.CANCELED, Change.EXPIRY)
    assert bench.venue.expiring == {}


def test_an_expiry_can_be_moved_and_removed(bench: Bench) -> None:
    """An amendment to the expiry alone keeps the place; nought removes it."""
    order = rested(bench, expires_s=EPOCH_MS // 1_000 + 10)
    amend(
        bench.venue, bench.member, order, wish(bench, 4_000, 500, expires_s=EPOCH_MS // 1_000 + 20)
    )
    bench.clock.now_ms += 10_000
    expire(bench.venue)
    assert order.status is OrderStatus.RESTING
    amend(bench.venue, bench.member, order, wish(bench, 4_000, 500, expires_s=0))
    assert (order.expires_s, bench.venue.expiring) == (None, {})


def test_a_pause_cancels_only_who_asked_for_it(bench: Bench) -> None:
    """cancel_order_on_pause ends an order with its market's pause; others rest through it."""
    careful, careless = rested(bench, cancel_on_pause=True), rested(bench)
    pause_market(bench.venue, bench.home)
    assert (careful.change, careless.status) == (Change.HALT, OrderStatus.RESTING)


def test_a_pause_of_all_trading_cancels_who_asked_for_it(bench: Bench) -> None:
    """The flag counts for a pause of the whole exchange as well."""
    careful, careless = rested(bench, cancel_on_pause=True), rested(bench)
    pause_trading(bench.venue)
    assert (careful.change, careless.status) == (Change.HALT, OrderStatus.RESTING)


def test_a_group_over_its_limit_cancels_its_orders(bench: Bench) -> None:
    """More than the limit within fifteen seconds ends the group's orders until it is reset."""
    group = bench.venue.groups["g"] = OrderGroup("g", "member", 150, exchange_index=3)
    first, second = rested(bench, count_e2=100, group_id="g"), rested(bench, 3_900, group_id="g")
    bench.place(bench.maker, ASK, 4_000, 100, IOC)
    assert (first.status, second.status) == (OrderStatus.EXECUTED, OrderStatus.RESTING)
    third = rested(bench, count_e2=100, group_id="g")
    bench.place(bench.maker, ASK, 4_000, 100, IOC)
    assert (third.status, second.change) == (OrderStatus.EXECUTED, Change.GROUP)
    with pytest.raises(Refused) as caught:
        rested(bench, group_id="g")
    assert code_of(caught) == "exceeded_order_group_risk_limit"
    group.reset()
    assert rested(bench, group_id="g").status is OrderStatus.RESTING


def test_a_group_forgets_after_its_window(bench: Bench) -> None:
    """What traded more than fifteen seconds ago counts no longer."""
    group = OrderGroup("g", "member", limit_e2=150)
    assert not group.note(0, 100)
    assert not group.note(15_000, 100)
    assert group.note(15_001, 100)


def test_a_taker_stops_when_its_group_is_over(bench: Bench) -> None:
    """An order that takes its own group over the limit does not rest with what is left."""
    bench.venue.groups["g"] = OrderGroup("g", "member", 150, exchange_index=3)
    bench.place(bench.maker, ASK, 4_000, 200)
    order = rested(bench, group_id="g")
    assert (order.filled_e2, order.status) == (200, OrderStatus.CANCELED)
    assert bench.home.book.best_e4(BID) is None


def test_a_group_that_breaks_while_it_is_met_is_met_no_further(bench: Bench) -> None:
    """Orders that a group's cancel takes away are not traded by the order that set it off."""
    bench.venue.groups["g"] = OrderGroup("g", "maker", 50, exchange_index=3)
    bench.place(bench.maker, ASK, 4_000, 100, group_id="g")
    gone = bench.place(bench.maker, ASK, 4_100, 100, group_id="g").order
    bench.place(bench.maker, ASK, 4_200, 100)
    order = rested(bench, 4_200, 300)
    assert (gone.status, gone.filled_e2) == (OrderStatus.CANCELED, 0)
    assert (order.filled_e2, order.remaining_e2) == (200, 100)
