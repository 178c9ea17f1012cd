"""How much of a resting paper order fills: what crosses it, once."""

from __future__ import annotations

from itertools import pairwise

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.commands import Amendment, OrderIntent, TimeInForce
from arb.core.events import Fill, Liquidity, OrderAccepted, OrderAmended, OrderClosed, Side
from arb.core.ledger import Ledger
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.engine.paper_book import PaperBook
from arb.engine.paper_exchange import PaperExchange
from tests.core.order_factory import NYY, PLAIN
from tests.engine.market_bench import StillClock
from tests.engine.test_paper_exchange import MAKER, SALE, TAKER, top

CASH = MoneyE6(1_000_000_000)


@pytest.fixture
def exchange() -> PaperExchange:
    """Return an exchange at which a bid for five rests at 50 c."""
    made = PaperExchange(Ledger(CASH), StillClock())
    made.see(top())
    made.place("o1", MAKER, PLAIN)
    return made


def counts(exchange: PaperExchange, ask: int | None, size: int, bid: int = 4_000) -> list[int]:
    """Show an ask, and return how much each fill is of."""
    said = exchange.see(top(bid=bid, ask=ask, size=size))
    return [each.count_e2 for each in said if isinstance(each, Fill)]


def test_an_order_fills_by_what_crosses_it(exchange: PaperExchange) -> None:
    """An ask of one at 49 c fills one of a bid for five at 50 c; the rest goes on resting."""
    (fill,) = exchange.see(top(bid=4_800, ask=4_900, size=100))

    assert isinstance(fill, Fill)
    assert (fill.price_e4, fill.count_e2, fill.liquidity) == (5_000, 100, Liquidity.MAKER)
    assert exchange.find("o1") == [OrderAccepted("o1", "paper-order-1", CountE2(100), CountE2(400))]
    assert exchange.account.position(NYY).count_e2 == 100
    assert exchange.cancel("o1", "a test") == [OrderClosed("o1", CountE2(100), "canceled: a test")]


def test_the_same_size_seen_again_fills_nothing_more(exchange: PaperExchange) -> None:
    """Only its growth is new, and what it has shrunk to is no growth when it comes back."""
    assert counts(exchange, 4_900, 100) == [100]
    assert counts(exchange, 4_900, 100) == []
    assert counts(exchange, 4_900, 100, bid=4_100) == []
    assert counts(exchange, 4_900, 150) == [50]
    assert counts(exchange, 4_900, 50) == []
    assert counts(exchange, 4_900, 120) == [70]
    assert exchange.resting[0].remaining_e2 == 280


def test_a_price_behind_a_better_one_is_still_the_same(exchange: PaperExchange) -> None:
    """It stands there unseen; only when the ask has gone up is it a new one."""
    assert counts(exchange, 4_900, 100) == [100]
    assert counts(exchange, 4_800, 50) == [50]
    assert counts(exchange, 4_900, 100) == []
    assert counts(exchange, 5_100, 100) == []
    assert counts(exchange, 4_900, 100) == [100]
    assert counts(exchange, None, 0) == []
    assert counts(exchange, 4_900, 900) == [250]
    assert exchange.resting == ()


def test_a_gap_in_the_book_makes_nothing_new(exchange: PaperExchange) -> None:
    """What stood before a connection was lost and stands after it has been taken."""
    assert counts(exchange, 4_900, 100) == [100]
    for ask in (4_900, None):
        assert exchange.see(top(bid=None, ask=ask, usable=False)) == []
    assert counts(exchange, 4_900, 100) == []


def test_a_sale_fills_by_the_bids_that_cross_it(exchange: PaperExchange) -> None:
    """The mirror of a purchase."""
    exchange.cancel("o1", "a test")
    exchange.see(top(size=500))
    exchange.place("o2", TAKER, PLAIN)
    exchange.place("s1", SALE, PLAIN)

    assert counts(exchange, 5_800, 200, bid=5_600) == [200]
    assert counts(exchange, 5_900, 200, bid=5_600) == []
    assert counts(exchange, 5_900, 250, bid=5_700) == [250]
    assert exchange.account.position(NYY).count_e2 == 50


def resting(price: int) -> OrderIntent:
    """Wish for a purchase that takes what it can and rests with what remains."""
    return attrs.evolve(
        MAKER,
        price_e4=PriceE4(price),
        post_only=False,
        time_in_force=TimeInForce.GOOD_TILL_CANCELED,
    )


def test_what_an_order_took_as_it_came_does_not_fill_its_rest(exchange: PaperExchange) -> None:
    """Three of five are bought from an ask of three; the ask that stands there is the same."""
    exchange.cancel("o1", "a test")
    fill, accepted = exchange.place("o2", resting(5_300), PLAIN)

    assert isinstance(fill, Fill)
    assert (fill.price_e4, fill.count_e2) == (5_200, 300)
    assert accepted == OrderAccepted("o2", "paper-order-2", CountE2(300), CountE2(200))
    assert counts(exchange, 5_200, 300) == []
    assert counts(exchange, 5_200, 350) == [50]


def test_the_best_price_fills_first_and_nothing_twice(exchange: PaperExchange) -> None:
    """Two orders share what crosses both, the one that pays more before the older one."""
    exchange.place("o2", attrs.evolve(MAKER, price_e4=PriceE4(5_100)), PLAIN)
    said = exchange.see(top(bid=4_000, ask=4_900, size=700))

    assert [(each.client_order_id, each.count_e2) for each in said if isinstance(each, Fill)] == [
        ("o2", 500),
        ("o1", 200),
    ]


def test_an_order_that_has_filled_in_part_can_be_moved(exchange: PaperExchange) -> None:
    """Its count includes what has filled; it crosses nothing where all that stands is taken."""
    counts(exchange, 4_900, 100)
    move = Amendment("o1", "x", NYY, Side.BID, PriceE4(4_950), CountE2(500), 0)

    assert exchange.amend(move) == [OrderAmended("o1", PriceE4(4_950), CountE2(400))]
    assert counts(exchange, 4_900, 100) == []


@given(st.lists(st.tuples(st.sampled_from([4_800, 4_900]), st.integers(0, 400)), min_size=1))
def test_no_more_fills_than_was_ever_new(seen: list[tuple[int, int]]) -> None:
    """Whatever a book shows: fills are at most all sizes that came or grew at their price."""
    exchange = PaperExchange(Ledger(CASH), StillClock())
    exchange.see(top())
    exchange.place("o1", attrs.evolve(MAKER, count_e2=CountE2(100_000)), PLAIN)
    filled = sum(sum(counts(exchange, ask, size)) for ask, size in seen)
    steps = [(0, (0, 0)), *enumerate(seen, 1)]
    came = sum(
        now[1] if now[0] != before[0] else max(0, now[1] - before[1])
        for (_, before), (_, now) in pairwise(steps)
    )

    assert filled <= came
    assert max(size for _, size in seen) <= filled or exchange.resting == ()


def test_a_paper_book_says_what_it_shows() -> None:
    """Its best prices, and whether they may be traded on; an empty one has nothing to take."""
    book = PaperBook()
    book.take(Side.ASK, CountE2(100))
    assert (book.best_e4(Side.BID), book.within_e2(Side.ASK, PriceE4(9_900))) == (None, 0)
    book.see(top())
    assert repr(book) == "<PaperBook bid=5000 ask=5200 usable=True>"
