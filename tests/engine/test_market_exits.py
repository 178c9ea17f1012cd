"""Which fair value moves a market's exits, and how it gives a position up."""

from __future__ import annotations

import attrs
import pytest
import trio

from arb.core.closing import LOOKS_WITHOUT_PROGRESS_MAX
from arb.core.commands import AmendIntent, OrderIntent, Purpose, TimeInForce
from arb.core.events import Side
from arb.core.exit_parameters import Exits
from arb.core.exit_policy import Bought
from arb.core.exits import Holding
from arb.core.listing import Catalogue
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.core.orders import OrderState
from arb.engine.exit_keeper import CLOSE_AGAIN_NS, last_fair
from arb.engine.messages import CloseGivenUp, CloseNow
from arb.engine.names import RISK
from arb.engine.sale_tries import EXIT_RETRY_S
from tests.core.order_factory import BOS, NYY, listing
from tests.engine.market_bench import Bench, open_bench, open_order

SALE = open_order("s1", Purpose.EXIT, 6_000, 500)


def moves(bench: Bench) -> list[int]:
    """Return where its sale was to be moved."""
    return [each.price_e4 for each in bench.wishes() if isinstance(each, AmendIntent)]


async def on_sale(bench: Bench, bid: int = 5_000, ask: int = 6_500) -> None:
    """Hold five, all on sale at their fair value of 60 cents."""
    await bench.ready(0.6)
    bench.top(bid, ask)
    bench.hold(500, SALE)


async def test_a_fair_value_that_passed_every_gate_moves_what_rests(
    autojump_clock: object,
) -> None:
    """The books change their minds, and the sale follows, down as well as up."""
    async with open_bench() as bench:
        await on_sale(bench)
        bench.quote(2.2, "a")
        bench.quote(2.2, "b")

        assert moves(bench) == [5_500]


@pytest.mark.parametrize("bid, moved", [(5_900, [6_000]), (6_100, [])])
async def test_a_fall_far_below_the_book_moves_nothing(
    bid: int, moved: list[int], autojump_clock: object
) -> None:
    """A feed that says 55 cents where others pay 61 is wrong until proven otherwise."""
    async with open_bench() as bench:
        bench.parts.strategy = attrs.evolve(bench.parts.strategy, max_edge_threshold=5)
        await bench.ready(0.62)
        bench.top(bid, 9_500)
        bench.hold(500, attrs.evolve(SALE, price_e4=PriceE4(6_200)))
        bench.quote(2.2, "a")
        bench.quote(2.2, "b")

        assert moves(bench)[-1:] == moved


@pytest.mark.parametrize("count_e2, fair, moved", [
    (500, 0.90, [9_000]),
    (500, 0.64, []),
    (500, 0.30, []),
    (-500, 0.30, [3_000]),
    (-500, 0.56, []),
    (-500, 0.90, []),
])  # fmt: skip
async def test_a_jump_that_changes_the_set_of_books_is_followed_where_it_asks_for_more(
    count_e2: int, fair: float, moved: list[int], autojump_clock: object
) -> None:
    """Whoever is quicker would buy what stays behind; what may be the set's doing moves nothing."""
    async with open_bench() as bench:
        await bench.ready(0.6)
        bench.top(5_000, 6_500)
        bench.hold(count_e2, SALE if count_e2 > 0 else attrs.evolve(SALE, side=Side.BID))
        bench.quote(2.6, "a")
        assert moves(bench) == []
        bench.quote(1 / (1 - fair), "a", "b", "c", "d")

        assert moves(bench) == moved


async def test_a_doubtful_match_moves_nothing(autojump_clock: object) -> None:
    """In a game that is no longer surely matched the price may be another game's."""
    async with open_bench() as bench:
        await on_sale(bench)
        doubted = attrs.evolve(listing(NYY), left_out="the teams differ")
        bench.parts.relist(None, Catalogue((doubted, listing(BOS))))
        bench.quote(2.2, "a")
        bench.quote(2.2, "b")

        assert moves(bench) == []


async def test_a_market_that_comes_back_knows_the_last_good_value_and_no_other(
    autojump_clock: object,
) -> None:
    """What was shown beside it, from quotes that passed no gate, sells nothing."""
    async with open_bench() as bench:
        await on_sale(bench)
        bench.quote(2.6, "a")
        bench.quote(2.6, "b")
        row = bench.parts.board.markets[NYY]
        bench.parts.board.markets[NYY] = attrs.evolve(row, fair=0.2)
        await bench.system.kill(NYY)
        await trio.sleep(0.1)
        bench.hold(500, heard=0)

        (sale,) = (each for each in bench.wishes() if isinstance(each, OrderIntent))
        assert sale.price_e4 == 6_200


async def test_without_any_value_it_is_sold_for_what_it_was_bought_on(
    autojump_clock: object,
) -> None:
    """After a restart of everything the purchase is known, and what it was decided on."""
    async with open_bench() as bench:
        bought = Bought(CountE2(500), MoneyE6(2_000_000), MoneyE6(0), 0, fair=0.57)
        nothing = Holding(NYY, CountE2(500), PriceE4(4_000), (), 0, 0)
        bench.tell(nothing)
        assert bench.wishes() == []
        assert last_fair(bench.parts, nothing) is None
        bench.tell(attrs.evolve(nothing, bought=bought))

        (sale,) = bench.wishes()
        assert sale.price_e4 == 5_700


@pytest.mark.parametrize("count_e2, price_e4", [(500, 4_100), (-500, 5_900)])
async def test_left_out_and_without_any_value_it_is_sold_for_what_pays_for_it(
    count_e2: int, price_e4: int, autojump_clock: object
) -> None:
    """Nobody will ever say what it is worth: what it cost and the sale's fee, rounded up."""
    async with open_bench() as bench:
        bought = Bought(CountE2(count_e2), MoneyE6(2_000_000), MoneyE6(0), 0)
        held = Holding(NYY, CountE2(count_e2), PriceE4(4_000), (), bought=bought)
        bench.tell(held)
        assert bench.wishes() == []
        out = tuple(attrs.evolve(listing(each), left_out="no match") for each in (NYY, BOS))
        bench.parts.relist(None, Catalogue(out))
        bench.tell(held)

        (sale,) = bench.wishes()
        assert sale.price_e4 == price_e4


async def test_what_rests_says_what_it_was_last_worth(autojump_clock: object) -> None:
    """An engine that has just begun does not move a sale back to what was bought on."""
    async with open_bench() as bench:
        bought = Bought(CountE2(500), MoneyE6(2_000_000), MoneyE6(0), 0, fair=0.57)
        held = Holding(NYY, CountE2(500), PriceE4(4_000), (SALE,), bought=bought)
        bench.top(5_000, 6_500)
        bench.tell(held)
        assert bench.wishes() == []
        assert last_fair(bench.parts, held) == 0.6
        gone = attrs.evolve(held, orders=(attrs.evolve(SALE, state=OrderState.UNKNOWN),))
        assert last_fair(bench.parts, gone) == 0.57


async def test_a_persons_share_is_not_sold(autojump_clock: object) -> None:
    """Of five, two are his."""
    async with open_bench() as bench:
        await bench.ready(0.6)
        bench.top(5_000, 6_500)
        bench.quote(2.6, "a")
        bench.tell(Holding(NYY, CountE2(500), PriceE4(4_000), (), 0, 0, CountE2(200)))

        (sale,) = bench.wishes()
        assert isinstance(sale, OrderIntent)
        assert sale.count_e2 == 300


async def test_time_alone_renews(autojump_clock: object) -> None:
    """Told the same as before, a market moves a sale that would end to where it stands."""
    async with open_bench() as bench:
        await on_sale(bench)
        bench.quote(2.6, "a")
        bench.quote(2.6, "b")
        bench.hold(500, attrs.evolve(SALE, price_e4=PriceE4(6_200)))
        await trio.sleep(1)
        assert moves(bench) == [6_200]
        life_s = bench.parts.execution.exit_expiry_s
        bench.hold(500, attrs.evolve(SALE, price_e4=PriceE4(6_200), expires_s=life_s // 2))

        move = bench.wishes()[-1]
        assert isinstance(move, AmendIntent)
        assert (move.price_e4, move.expires_s) == (6_200, bench.now_ms() // 1000 + life_s)


async def test_a_person_closes_no_in_steps(autojump_clock: object) -> None:
    """YES is bought back at the ask, no more of it at once than is offered there."""
    async with open_bench() as bench:
        bench.top(3_000, 3_500, ask_size=200)
        bench.hold(-500)
        bench.tell(CloseNow("me"))
        (step,) = bench.wishes()

        assert isinstance(step, OrderIntent)
        assert (step.side, step.price_e4, step.count_e2) == (Side.BID, 3_500, 200)
        assert step.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL


async def test_closing_is_given_up_and_what_is_left_rests(autojump_clock: object) -> None:
    """Nobody pays: after so many looks it is said why, risk is told, and a sale rests again."""
    async with open_bench() as bench:
        await bench.ready(0.6)
        bench.quote(2.6, "a")
        bench.top(None, 6_500)
        bench.hold(500)
        bench.hold(500)
        rested = len(bench.wishes())
        bench.tell(CloseNow("me"))
        await trio.sleep(LOOKS_WITHOUT_PROGRESS_MAX * EXIT_RETRY_S + 1)

        (given_up,) = (each for each in bench.told[RISK] if isinstance(each, CloseGivenUp))
        assert given_up.ticker == NYY
        assert given_up.why.endswith("is given up with 5 left: by me; waits for somebody to pay")
        assert bench.parts.board.counts["closings_given_up"] == 1
        (sale,) = bench.wishes()[rested:]
        assert isinstance(sale, OrderIntent)
        assert sale.post_only


async def test_a_rule_gives_up_and_tries_again_later(autojump_clock: object) -> None:
    """A rule rests what nobody takes, and a minute later looks whether somebody does."""
    async with open_bench() as bench:
        bench.parts.exits = Exits(exit_after_s=10)
        bought = Bought(CountE2(500), MoneyE6(2_000_000), MoneyE6(0), bench.now_ms(), fair=0.57)
        held = Holding(NYY, CountE2(500), PriceE4(4_000), (), 0, 0, CountE2(0), bought)

        def look() -> None:
            bench.tell(attrs.evolve(held, wishes_heard=len(bench.wishes())))

        look()
        (sale,) = bench.wishes()
        assert sale.price_e4 == 5_700
        await trio.sleep(10.3)
        for _ in range(LOOKS_WITHOUT_PROGRESS_MAX):
            look()
            await trio.sleep(EXIT_RETRY_S)
        assert bench.parts.board.counts["closings_given_up"] == 1
        assert not [each for each in bench.told[RISK] if isinstance(each, CloseGivenUp)]
        bench.top(4_500, 6_500)
        look()
        await trio.sleep(1)
        assert all(each.post_only for each in bench.wishes() if isinstance(each, OrderIntent))

        await trio.sleep(CLOSE_AGAIN_NS / 1e9)
        look()
        await trio.sleep(1)
        assert bench.wishes()[-1].price_e4 == 4_500


async def test_a_rule_ends_with_its_reason(autojump_clock: object) -> None:
    """Worth enough again, a position waits for its price."""
    async with open_bench() as bench:
        bench.parts.exits = Exits(exit_stop=10)
        bought = Bought(CountE2(500), MoneyE6(3_500_000), MoneyE6(0), 0, fair=0.75)
        await bench.ready(0.58)
        bench.top(None, 7_500)
        bench.quote(2.4, "a")
        held = Holding(NYY, CountE2(500), PriceE4(7_000), (), 0, 0, CountE2(0), bought)
        bench.tell(held)
        assert bench.parts.board.markets[NYY].action in ("CLOSING", "EXITING", "SKIP", "WAIT")
        assert bench.wishes() == []
        bench.quote(2.7, "a")
        bench.quote(2.7, "b")
        await trio.sleep(1)

        (sale,) = bench.wishes()
        assert isinstance(sale, OrderIntent)
        assert sale.post_only
