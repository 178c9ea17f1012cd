"""One market between stand-ins: what it wishes, when, and when it keeps still."""

from __future__ import annotations

import attrs
import pytest
import trio

from arb.core.commands import AmendIntent, OrderIntent, Purpose, TimeInForce
from arb.core.events import Liquidity
from arb.core.listing import SHOWN_LIVE
from arb.core.money import PriceE4
from arb.core.orders import OrderState
from arb.core.parameters import Execution
from arb.core.risk import WISH_VALID_NS, Refusal, RefusalCode
from arb.engine.exit_keeper import EXITS_WITHDRAWN_RETRY_S
from arb.engine.messages import CloseNow, Hello, SellAgain
from arb.engine.names import BOOK_FEED, ODDS_FEED, RISK
from arb.engine.sale_tries import EXIT_RETRY_S
from arb.faults.clock import MachineClock
from arb.io.clock import VirtualClock
from tests.core.order_factory import ENTRY, NYY
from tests.engine.market_bench import EPOCH_MS, Bench, open_bench, open_order

# Away wins with 1 - 1/home: 2.5 makes 60 %, 2.0 makes 50 %.
SIXTY, FIFTY = 2.5, 2.0


def triggered(bench: Bench, home: float = SIXTY) -> None:
    """Let all books agree, and two of them, which make the median, move to where an edge is."""
    bench.hold(0)
    bench.top(4_800, 5_000)
    bench.quote(FIFTY, "a", "b", "c")
    bench.quote(home, "a")
    bench.quote(home, "b")


def triggered_but_dear(bench: Bench) -> None:
    """Let the books move while the market asks for more than that is worth."""
    bench.hold(0)
    bench.top(5_900, 6_200)
    bench.quote(FIFTY, "a", "b", "c")
    bench.quote(SIXTY, "a")
    bench.quote(SIXTY, "b")


async def test_it_asks_everybody_for_what_it_must_know(autojump_clock: object) -> None:
    """A market that comes up greets the book feed, the odds feed and the risk manager."""
    async with open_bench() as bench:
        assert [bench.told[name] for name in (BOOK_FEED, ODDS_FEED, RISK)] == [[Hello(NYY)]] * 3


async def test_an_edge_becomes_one_taker_at_the_ask(autojump_clock: object) -> None:
    """With fair value at 60 c and an ask of 50 c it wishes to buy at the ask, at once."""
    async with open_bench() as bench:
        triggered(bench)

        (wish,) = bench.wishes()
        assert isinstance(wish, OrderIntent)
        assert (wish.price_e4, wish.purpose) == (5_000, Purpose.ENTRY)
        assert wish.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL
        assert wish.expires_s is None


async def test_what_came_before_it_began_is_in_hand_since(autojump_clock: object) -> None:
    """A market that comes back is told the book as it stands: a wish on it is no old one."""
    async with open_bench() as bench:
        began_ns = bench.parts.clock.monotonic_ns()
        triggered_but_dear(bench)
        assert bench.wishes() == []
        bench.top(4_800, 5_000, received_ns=began_ns - WISH_VALID_NS)

        (wish,) = bench.wishes()
        assert wish.trigger_ns == began_ns


async def test_a_signal_fires_once(autojump_clock: object) -> None:
    """Tops and holdings that come after do not fire the same change of price again."""
    async with open_bench() as bench:
        triggered(bench)
        bench.hold(0)
        for ask in (4_900, 5_000, 4_800):
            bench.top(4_700, ask)
        assert len(bench.wishes()) == 1

        await trio.sleep(0.001)
        bench.quote(SIXTY - 0.01, "b")
        assert len(bench.wishes()) == 2


async def test_nothing_is_wished_before_the_last_wish_was_heard(autojump_clock: object) -> None:
    """Until the holding shows what became of a wish, no other follows."""
    async with open_bench() as bench:
        triggered(bench)
        await trio.sleep(0.001)
        bench.quote(SIXTY - 0.01, "b")
        assert len(bench.wishes()) == 1

        bench.hold(0)
        bench.top(4_800, 4_900)
        assert len(bench.wishes()) == 2


async def test_an_entry_is_cancelled_when_its_time_is_over(autojump_clock: object) -> None:
    """A resting buy goes after ``maker_timeout_ms``; its cancel is repeated until it is gone."""
    async with open_bench() as bench:
        bench.hold(0, open_order())
        await trio.sleep(0.49)
        assert bench.cancels() == []
        await trio.sleep(0.02)
        assert [each.why for each in bench.cancels()] == ["not filled in time"]
        await trio.sleep(1.1)
        assert len(bench.cancels()) == 2

        bench.hold(0)
        await trio.sleep(5)
        assert len(bench.cancels()) == 2


async def test_a_clock_that_was_set_back_makes_no_entry_rest_longer(autojump_clock: object) -> None:
    """An entry that was sent before that seems to come from the future."""
    async with open_bench() as bench:
        bench.hold(0, open_order(created_ms=EPOCH_MS + 3_600_000))
        await trio.sleep(0.51)
        assert [each.why for each in bench.cancels()] == ["not filled in time"]


async def test_a_clock_that_was_set_back_makes_no_old_price_fresh(autojump_clock: object) -> None:
    """A price of nineteen seconds ago seems to be four old, where the clock lost fifteen since."""
    clock = MachineClock(VirtualClock(EPOCH_MS))
    async with open_bench(clock=clock) as bench:
        triggered_but_dear(bench)
        await trio.sleep(19)
        clock.step(-15)
        bench.top(4_800, 5_000)
        assert bench.wishes() == []

        bench.quote(SIXTY - 0.01, "b")
        assert len(bench.wishes()) == 1


async def test_an_entry_that_has_ended_is_not_cancelled(autojump_clock: object) -> None:
    """An order whose fills alone are awaited cannot be cancelled any more."""
    async with open_bench() as bench:
        bench.hold(0, open_order(state=OrderState.CLOSED))
        await trio.sleep(3)

        assert bench.cancels() == []


async def test_an_adopted_entry_has_no_second_life(autojump_clock: object) -> None:
    """An entry from before a restart is as old as it is."""
    async with open_bench() as bench:
        bench.hold(0, open_order(created_ms=EPOCH_MS - 10_000))
        await trio.sleep(0.01)

        assert len(bench.cancels()) == 1


async def test_an_entry_without_its_edge_is_cancelled(autojump_clock: object) -> None:
    """A resting buy goes at once when fair value has come down to it."""
    async with open_bench(Execution(maker_timeout_ms=60_000)) as bench:
        bench.hold(0, open_order(price=4_800))
        bench.top(4_800, 5_200)
        bench.quote(FIFTY, "a", "b", "c")
        assert bench.cancels() == []
        bench.quote(1.96, "a")
        bench.quote(1.96, "b")

        assert [each.why for each in bench.cancels()] == ["fair value moved"]


async def test_a_fill_is_put_on_sale_at_fair_rounded_up(autojump_clock: object) -> None:
    """What was bought is on sale in the very turn in which it is heard of, and with an expiry."""
    async with open_bench() as bench:
        triggered(bench, home=2.51)
        bench.hold(500)

        sale = bench.wishes()[-1]
        assert isinstance(sale, OrderIntent)
        assert (sale.purpose, sale.price_e4, sale.count_e2) == (Purpose.EXIT, 6_100, 500)
        assert sale.post_only
        assert sale.expires_s == EPOCH_MS // 1000 + 21_600


async def test_a_bid_that_pays_already_is_taken(autojump_clock: object) -> None:
    """When the bid is at fair value the sale takes it instead of resting."""
    async with open_bench() as bench:
        triggered(bench)
        bench.top(6_200, 6_400)
        bench.hold(500)

        sale = bench.wishes()[-1]
        assert isinstance(sale, OrderIntent)
        assert sale.liquidity is Liquidity.TAKER
        assert sale.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL


async def test_a_partial_fill_is_covered_and_no_more(autojump_clock: object) -> None:
    """A second fill puts on sale only what no sale covers yet."""
    async with open_bench() as bench:
        triggered(bench)
        bench.hold(200)
        bench.hold(500, open_order("s1", Purpose.EXIT, 6_000, 200))

        counts = [w.count_e2 for w in bench.wishes()[1:] if isinstance(w, OrderIntent)]
        assert counts == [200, 300]


async def test_sales_move_with_fair_value_but_not_oftener_than_they_may(
    autojump_clock: object,
) -> None:
    """A new fair value moves the sale; the next one within a quarter of a second waits."""
    async with open_bench() as bench:
        triggered(bench)
        sale = open_order("s1", Purpose.EXIT, 6_000, 500)
        bench.top(5_000, 6_500)
        bench.hold(500, sale)
        bench.quote(2.6, "a")
        bench.quote(2.6, "b")
        moves = [w for w in bench.wishes() if isinstance(w, AmendIntent)]
        assert [(m.client_order_id, m.price_e4, m.remaining_e2) for m in moves] == [
            ("s1", 6_200, 500)
        ]

        bench.hold(500, attrs.evolve(sale, price_e4=PriceE4(6_200)))
        bench.quote(2.7, "a")
        bench.quote(2.7, "b")
        assert len([w for w in bench.wishes() if isinstance(w, AmendIntent)]) == 1
        await trio.sleep(0.3)
        assert [w.price_e4 for w in bench.wishes() if isinstance(w, AmendIntent)] == [6_200, 6_300]


async def test_a_refused_sale_is_tried_again_but_not_at_once(autojump_clock: object) -> None:
    """Whoever refuses a sale is asked again a quarter of a second later, not in a tight loop."""
    async with open_bench() as bench:
        triggered(bench)
        bench.hold(500)
        for _ in range(10):
            # The exchange has refused it: the position stands there uncovered again.
            bench.hold(500)
        assert len(bench.wishes()) == 2

        await trio.sleep(EXIT_RETRY_S + 0.01)
        assert len(bench.wishes()) == 3


@pytest.mark.parametrize("code, tries", [
    (RefusalCode.NOT_SENT, 20),
    (RefusalCode.RESTING_UNKNOWN, 5),
    (RefusalCode.EXCHANGE, 5),
])  # fmt: skip
async def test_a_sale_that_never_left_does_not_wait_longer_each_time(
    code: RefusalCode, tries: int, autojump_clock: object
) -> None:
    """Lanes are free again in milliseconds; an exchange that refuses goes on to."""
    async with open_bench() as bench:
        triggered(bench)
        before = len(bench.wishes())
        bench.hold(500)
        wished = 0
        for _ in range(500):
            if len(bench.wishes()) > wished:
                wished = len(bench.wishes())
                bench.tell(Refusal(NYY, Purpose.EXIT, code, "no lane"))
                bench.hold(500)
            await trio.sleep(0.01)

        assert wished - before == pytest.approx(tries, abs=1)


async def test_sales_are_tried_at_once_when_a_person_allows_them(autojump_clock: object) -> None:
    """Whatever pause is under way, it is over."""
    async with open_bench() as bench:
        triggered(bench)
        bench.hold(500)
        bench.tell(Refusal(NYY, Purpose.EXIT, RefusalCode.NOT_RUNNING, "withdrawn"))
        bench.hold(500)
        await trio.sleep(1)
        assert len(bench.wishes()) == 2
        bench.tell(SellAgain())

        assert len(bench.wishes()) == 3


async def test_what_is_bought_meanwhile_does_not_wait(autojump_clock: object) -> None:
    """A refused sale holds up no sale of what was bought after it."""
    async with open_bench() as bench:
        triggered(bench)
        bench.hold(300)
        bench.hold(500, open_order("s1", Purpose.EXIT, 6_000, 300))

        assert [w.count_e2 for w in bench.wishes()[1:] if isinstance(w, OrderIntent)] == [300, 200]


async def test_sales_that_a_person_withdrew_are_asked_about_seldom(autojump_clock: object) -> None:
    """A refusal because trading is off is repeated every few seconds only."""
    async with open_bench() as bench:
        triggered(bench)
        bench.hold(500)
        bench.tell(Refusal(NYY, Purpose.EXIT, RefusalCode.NOT_RUNNING, "withdrawn"))
        bench.hold(500)
        await trio.sleep(EXITS_WITHDRAWN_RETRY_S - 0.1)
        assert len(bench.wishes()) == 2
        await trio.sleep(0.2)
        assert len(bench.wishes()) == 3
        assert bench.parts.board.markets[NYY].action == "REFUSED"
        assert "withdrawn" in bench.parts.board.markets[NYY].reason


async def test_a_person_closes_a_position(autojump_clock: object) -> None:
    """Sales are cancelled first, then everything goes at the bid, again until it is gone."""
    async with open_bench() as bench:
        triggered(bench)
        bench.hold(500, open_order("s1", Purpose.EXIT, 6_000, 500))
        bench.tell(CloseNow("me"))
        assert [each.client_order_id for each in bench.cancels()] == ["s1"]
        assert len(bench.wishes()) == 1

        bench.hold(500)
        sale = bench.wishes()[-1]
        assert isinstance(sale, OrderIntent)
        assert (sale.price_e4, sale.liquidity) == (4_800, Liquidity.TAKER)
        bench.hold(300)
        await trio.sleep(0.3)
        assert [w.count_e2 for w in bench.wishes()[1:] if isinstance(w, OrderIntent)] == [500, 300]
        bench.hold(0)
        await trio.sleep(1)
        assert len(bench.wishes()) == 3


async def test_closing_waits_for_a_bid_and_needs_no_new_odds(autojump_clock: object) -> None:
    """Without a usable book nothing is sold; once there is one, the sale follows by itself."""
    async with open_bench() as bench:
        bench.hold(500)
        bench.tell(CloseNow("me"))
        bench.top(None, None, usable=False)
        await trio.sleep(1)
        assert bench.wishes() == []
        bench.top(3_000, 3_500)
        await trio.sleep(0.3)

        assert [w.price_e4 for w in bench.wishes()] == [3_000]


async def test_a_message_of_no_meaning_is_a_dead_letter(autojump_clock: object) -> None:
    """What nobody sends to a market is counted, and the market goes on."""
    async with open_bench() as bench:
        bench.tell("nonsense")

        letters = bench.system.snapshot().dead_letters
        assert [each.reason for each in letters] == ["not for a market"]
        triggered(bench)
        assert len(bench.wishes()) == 1


async def test_what_rests_is_cancelled_once_a_book_shows_the_game_as_live(
    autojump_clock: object,
) -> None:
    """Long before the start that is stated; what was sent and not answered yet, too."""
    async with open_bench() as bench:
        triggered_but_dear(bench)
        waiting = open_order("o2", state=OrderState.PENDING, order_id=None)
        bench.hold(0, open_order("o1"), waiting)
        bench.quote(SIXTY, "a", live=True)

        assert {each.client_order_id: each.why for each in bench.cancels()} == {
            "o1": SHOWN_LIVE,
            "o2": SHOWN_LIVE,
        }
        assert bench.parts.limits(NYY) == attrs.evolve(
            bench.parts.risk, max_contracts_per_market=bench.parts.risk.in_play_max_contracts
        )
        row = bench.parts.board.markets[NYY]
        assert row.reason == SHOWN_LIVE
        refusal = bench.parts.shut(ENTRY)
        assert refusal is not None
        assert refusal.text == SHOWN_LIVE
