"""The order book's priority, levels and plans."""

from __future__ import annotations

from arb.sim.exchange.order_book import OrderBook
from arb.sim.exchange.values import BookSide, Order, OrderRequest, SelfTrade

BID, ASK = BookSide.BID, BookSide.ASK


def order(name: str, side: BookSide, price_e4: int, count_e2: int, account: str = "maker") -> Order:
    request = OrderRequest("T", side, count_e2, price_e4)
    return Order(name, account, request, price_e4, count_e2, count_e2, 0, 0, None, "")


def filled_book() -> tuple[OrderBook, dict[str, Order]]:
    orders = {
        one.order_id: one
        for one in (
            order("a", ASK, 5_200, 300),
            order("b", ASK, 5_100, 100),
            order("c", ASK, 5_100, 200, "member"),
            order("d", ASK, 5_100, 400),
            order("e", BID, 4_900, 700),
            order("f", BID, 4_800, 900),
        )
    }
    book = OrderBook()
    for one in orders.values():
        book.add(one)
    return book, orders


def test_levels_are_summed_best_first() -> None:
    """A level is the sum of its orders; the best price comes first on both sides."""
    book, _ = filled_book()
    assert book.levels(ASK) == [(5_100, 700), (5_200, 300)]
    assert book.levels(BID) == [(4_900, 700), (4_800, 900)]
    assert (book.best_e4(BID), book.best_e4(ASK)) == (4_900, 5_100)
    assert repr(book) == "OrderBook(bid=4900, ask=5100)"


def test_an_emptied_level_is_gone() -> None:
    """Taking the last order of a level takes the level."""
    book, orders = filled_book()
    book.remove(orders["e"])
    assert book.best_e4(BID) == 4_800
    book.remove(orders["f"])
    assert book.best_e4(BID) is None
    assert book.size_e2(BID, None) == 0


def test_a_plan_keeps_price_then_time() -> None:
    """The best price trades first and at one price the oldest order."""
    book, _ = filled_book()
    plan = book.plan(BID, 5_200, 650, "other", SelfTrade.TAKER_AT_CROSS)
    assert [(meeting.resting.order_id, meeting.count_e2) for meeting in plan.meetings] == [
        ("b", 100),
        ("c", 200),
        ("d", 350),
    ]
    assert (plan.count_e2, plan.cut) == (650, False)


def test_a_plan_stops_at_the_limit_price() -> None:
    """Nothing is planned beyond the order's own price, on either side."""
    book, _ = filled_book()
    assert book.plan(BID, 5_000, 100, "other", SelfTrade.MAKER).meetings == ()
    assert book.plan(ASK, 4_900, 9_999, "other", SelfTrade.MAKER).count_e2 == 700


def test_a_taker_gives_way_to_its_own_order_and_keeps_what_came_before() -> None:
    """With taker_at_cross execution ends at one's own order; earlier fills stand."""
    book, _ = filled_book()
    plan = book.plan(BID, 5_200, 650, "member", SelfTrade.TAKER_AT_CROSS)
    assert ([meeting.resting.order_id for meeting in plan.meetings], plan.cut) == (["b"], True)


def test_an_own_resting_order_gives_way_when_asked() -> None:
    """With maker the resting order is cancelled and matching goes on behind it."""
    book, orders = filled_book()
    plan = book.plan(BID, 5_200, 650, "member", SelfTrade.MAKER)
    assert [meeting.resting.order_id for meeting in plan.meetings] == ["b", "d", "a"]
    assert (plan.gives_way, plan.cut) == ((orders["c"],), False)


def test_crossing_is_touching_the_other_side() -> None:
    """An order at the other side's best price would trade; one tick short it would not."""
    book, _ = filled_book()
    assert book.crosses(BID, 5_100)
    assert not book.crosses(BID, 5_000)
    assert book.crosses(ASK, 4_900)
    assert not OrderBook().crosses(ASK, 100)


def test_the_queue_ahead_counts_only_older_orders_of_the_level() -> None:
    """A queue position is what stands before an order at its own price."""
    book, orders = filled_book()
    assert [book.ahead_of_e2(orders[name]) for name in "bcda"] == [0, 100, 300, 0]
    assert [one.order_id for one in book.orders()] == ["e", "f", "b", "c", "d", "a"]
