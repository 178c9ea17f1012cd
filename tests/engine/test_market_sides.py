"""One market between stand-ins buys either outcome, and fits in with its sibling."""

from __future__ import annotations

import attrs
import trio

from arb.core.commands import OrderIntent
from arb.core.events import Side
from arb.core.exits import OpenOrder
from arb.core.listing import HAS_BEGUN, Catalogue
from arb.core.money import CountE2, PriceE4
from arb.core.orders import OrderState
from arb.core.parameters import Execution
from arb.engine.bookkeeping import Bookkeeper
from arb.engine.messages import Relisted
from tests.core.order_factory import BOS, ENTRY, EXIT, GAME, NYY, listing, order
from tests.engine.market_bench import EPOCH_MS, Bench, bench_parts, open_bench, open_order

# Away wins with 1 - 1/home.
SIXTY, FIFTY, FORTY = 2.5, 2.0, 1 / 0.6


def short(price: int = 5_200, state: OrderState = OrderState.RESTING) -> OpenOrder:
    """Describe an entry of NO that rests."""
    return attrs.evolve(open_order(price=price, state=state), side=Side.ASK)


def settle_at(bench: Bench, home: float) -> None:
    """Let all books agree on even odds, and two of them then move."""
    bench.quote(FIFTY, "a", "b", "c")
    bench.quote(home, "a")
    bench.quote(home, "b")


async def test_no_is_bought_at_the_bid(autojump_clock: object) -> None:
    """With fair value at 40 c and a bid of 49 c it sells to the bid, at once."""
    async with open_bench() as bench:
        bench.hold(0)
        bench.top(4_900, 5_100)
        settle_at(bench, FORTY)

        (wish,) = bench.wishes()
        assert isinstance(wish, OrderIntent)
        assert (wish.side, wish.price_e4, wish.post_only) == (Side.ASK, 4_900, False)
        row = bench.parts.board.markets[NYY]
        assert (row.action, row.buys, row.edge_e4) == ("TAKER", "NO", 900)


async def test_a_held_side_keeps_the_other_one_out(autojump_clock: object) -> None:
    """Selling what is held as YES is its exit's business."""
    async with open_bench() as bench:
        sale = open_order("o2", price=4_100, purpose=EXIT.purpose)
        bench.hold(500, sale)
        bench.top(4_900, 5_100)
        settle_at(bench, FORTY)

        assert not [each for each in bench.wishes() if isinstance(each, OrderIntent)]


async def test_a_market_that_deferred_acts_when_its_sibling_is_dearer(
    autojump_clock: object,
) -> None:
    """The sibling's next top is enough: nobody waits for another quote."""
    async with open_bench() as bench:
        bench.hold(0)
        bench.top(4_800, 5_000)
        bench.top(5_200, 5_500, ticker=BOS)
        settle_at(bench, SIXTY)
        assert bench.wishes() == []
        assert "sibling" in bench.parts.board.markets[NYY].reason

        bench.top(5_000, 5_500, ticker=BOS)
        assert len(bench.wishes()) == 1


async def test_a_signal_fires_once_for_both_markets(autojump_clock: object) -> None:
    """What the sibling has acted on is used up here, and what this market did is used up there."""
    async with open_bench() as bench:
        odds = bench.parts.odds_of(GAME.game_id)
        bench.hold(0)
        bench.top(4_800, 5_000)
        settle_at(bench, SIXTY)
        assert odds.used is not None
        assert odds.used.book == "b"

        await trio.sleep(0.01)
        bench.quote(SIXTY - 0.01, "c")
        assert len(bench.wishes()) == 1  # the first is not heard yet
        odds.used = attrs.evolve(odds.used, number=odds.used.number + 1)
        bench.hold(0)
        bench.top(4_700, 4_900)
        assert len(bench.wishes()) == 1


async def test_an_entry_of_no_without_its_edge_is_cancelled(autojump_clock: object) -> None:
    """It goes when fair value has come up to it, and stays while there is an edge."""
    async with open_bench(Execution(maker_timeout_ms=60_000)) as bench:
        bench.hold(0, short(5_200))
        bench.top(4_800, 5_200)
        bench.quote(FIFTY, "a", "b", "c")
        assert bench.cancels() == []
        bench.quote(2.04, "a")
        bench.quote(2.04, "b")

        assert [each.why for each in bench.cancels()] == ["fair value moved"]


async def test_what_rests_is_cancelled_when_the_game_begins(autojump_clock: object) -> None:
    """At the scheduled start, as it was changed to last, without any message from outside."""
    async with open_bench(Execution(maker_timeout_ms=600_000)) as bench:
        game = attrs.evolve(GAME, start_ms=EPOCH_MS + 2_000)
        listings = tuple(attrs.evolve(listing(each), game=game) for each in (NYY, BOS))
        bench.parts.relist(None, Catalogue(listings))
        bench.hold(0, open_order())
        bench.tell(Relisted())
        bench.tell(Relisted())
        await trio.sleep(1.9)
        assert bench.cancels() == []
        await trio.sleep(0.2)

        assert [each.why for each in bench.cancels()] == [HAS_BEGUN]
        assert bench.parts.board.markets[NYY].reason == HAS_BEGUN


def test_what_is_ours_in_the_book_is_known_for_both_sides() -> None:
    """Entries and exits of either outcome that may rest; what takes never stands in the book."""
    books = Bookkeeper(bench_parts())
    sold = attrs.evolve(ENTRY, side=Side.ASK, price_e4=PriceE4(5_300))
    for number, wish in enumerate(
        (
            ENTRY,
            sold,
            attrs.evolve(EXIT, price_e4=PriceE4(5_300)),
            attrs.evolve(EXIT, side=Side.BID, price_e4=PriceE4(4_700)),
            attrs.evolve(sold, post_only=False),
        )
    ):
        books.ledger.open_order(order(f"o{number}", wish=wish))
    own = books.own_resting(NYY)

    assert own.bids == {PriceE4(5_000): CountE2(500), PriceE4(4_700): CountE2(500)}
    assert own.asks == {PriceE4(5_300): CountE2(1_000)}
