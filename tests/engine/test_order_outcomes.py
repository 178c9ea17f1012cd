"""Every way an order can go, and that the books are right in the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from arb.core.events import OrderClosed, OrderEvent, OrderRefused
from arb.core.money import CountE2
from arb.core.orders import OrderState
from arb.engine.lookups import NEVER_TAKEN
from arb.engine.messages import Resume
from arb.engine.sale_tries import EXIT_RETRY_MAX_S
from arb.sim.conditions import OrderAnswer
from tests.engine.conftest import SLOW_MAKER, Rig

OpenRig = Callable[..., Any]


def sent(rig: Rig) -> int:
    """Count the orders that the engine has approved."""
    return rig.board.counts["orders"]


async def heal_after_one_more(rig: Rig, answer: OrderAnswer) -> str:
    """Let the next order meet a fault, and return its id."""
    conditions = rig.simulation.exchange_conditions
    conditions.order_answer = answer
    before = sent(rig)
    await rig.until(lambda: sent(rig) > before)
    orders = rig.risk._books.ledger.orders
    name = list(orders)[before]
    # What is said of it must be heard before the fault ends; sales of its own may follow.
    await trio.sleep(0.001)
    rig.heal()
    return name


async def test_a_refused_order_leaves_nothing(open_rig: OpenRig, autojump_clock: object) -> None:
    """A refusal is counted and shown, and nothing of the order counts any more."""
    async with open_rig() as rig:
        await rig.until_running()
        name = await heal_after_one_more(rig, OrderAnswer.REFUSE)
        order = rig.risk._books.ledger.orders[name]

        assert order.state is OrderState.REFUSED
        assert order.at_stake_e2 == 0
        assert rig.board.refusals["exchange: trading_is_paused"] >= 1
        assert rig.board.trades[0].what == "refused"
        await trio.sleep(10)
        rig.assert_books_equal()


@pytest.mark.parametrize(
    "answer", [OrderAnswer.DROP_ACK, OrderAnswer.ERROR_AFTER, OrderAnswer.EMPTY_SUCCESS]
)
async def test_an_order_that_was_taken_without_an_answer_is_found(
    answer: OrderAnswer, open_rig: OpenRig, autojump_clock: object
) -> None:
    """Taken, but not heard of on either way: it counts, is looked up, and is never sent again."""
    async with open_rig() as rig:
        await rig.until_running()
        rig.simulation.exchange_conditions.drop_private = True
        name = await heal_after_one_more(rig, answer)
        await rig.until(lambda: any(line.what == "unknown" for line in rig.board.trades), 5)
        order = rig.risk._books.ledger.orders[name]
        assert str(order.state) == "unknown"
        assert rig.board.account.exposure_e6 >= order.price_e4 * order.count_e2

        await rig.until(lambda: order.state is OrderState.CLOSED, 30)
        await trio.sleep(5)
        (taken,) = [o for o in rig.orders() if o.client_order_id == name]
        assert order.filled_e2 == taken.filled_e2
        rig.assert_books_equal()
        rig.assert_no_orphan()


async def test_an_order_that_was_lost_on_its_way_counts_until_that_is_certain(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Its absence is believed only when the exchange's reads are well past its sending."""
    async with open_rig() as rig:
        await rig.until_running()
        name = await heal_after_one_more(rig, OrderAnswer.DROP_REQUEST)
        order = rig.risk._books.ledger.orders[name]
        await trio.sleep(20)
        assert str(order.state) == "unknown"
        assert order.at_stake_e2 == order.count_e2
        game = order.intent.game_id
        ledger = rig.risk._books.ledger
        others = [o for o in ledger.orders.values() if o.is_entry and o.intent.game_id == game]
        assert others == [order], "a second entry of the game was sent meanwhile"

        await rig.until(lambda: order.state is OrderState.REFUSED, 60)
        assert all(o.client_order_id != name for o in rig.orders())
        assert rig.board.refusals["exchange: never taken"] == 1
        rig.assert_books_equal()


async def test_a_slow_answer_is_waited_for_and_then_unknown(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """An answer later than the timeout makes the order unknown; its fills are booked anyway."""
    async with open_rig() as rig:
        await rig.until_running()
        rig.simulation.exchange_conditions.order_delay_s = 4.0
        await rig.until(lambda: any(line.what == "unknown" for line in rig.board.trades), 60)
        rig.heal()
        await trio.sleep(15)

        rig.assert_books_equal()
        rig.assert_no_orphan()


async def test_a_fill_that_is_told_twice_is_booked_once(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Repeated fills change nothing but a count."""
    async with open_rig() as rig:
        rig.simulation.exchange_conditions.duplicate_fills = True
        await rig.until(lambda: rig.board.counts["fills"] >= 4)

        assert rig.board.counts["fills_repeated"] >= rig.board.counts["fills"] - 1
        rig.assert_books_equal()


async def test_fills_that_were_not_told_are_read_within_seconds(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """When the answer counts a fill and the private channel is silent, the account is read soon."""
    async with open_rig() as rig:
        await rig.until_running()
        rig.simulation.exchange_conditions.drop_private = True
        await rig.until(lambda: bool(rig.account.fills))
        await trio.sleep(2)

        bought = rig.account.fills[0]
        assert bought.trade_id in rig.risk._books.ledger.trade_ids
        assert rig.exits(bought.ticker)


async def test_sales_that_fill_unheard_are_found_when_the_account_is_read(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Nothing told by the private channel for minutes: at the next reading everything agrees."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        rig.simulation.exchange_conditions.drop_private = True
        await trio.sleep(60)
        rig.heal()
        rig.simulation.odds_conditions.freeze = True
        await trio.sleep(45)

        rig.assert_books_equal()
        rig.assert_no_orphan()


async def test_an_order_that_the_exchange_took_away_unheard_is_noticed(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A sale that ended without a word is missing from the list, looked up, and made anew."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        rig.simulation.exchange_conditions.drop_private = True
        (sale, *_) = rig.resting_exits()
        rig.simulation.venue.take_off_book(sale, sale.change)
        await trio.sleep(1)
        rig.heal()
        rig.simulation.odds_conditions.freeze = True
        held_e2 = rig.account.position(sale.ticker).count_e2
        await trio.sleep(40)

        assert rig.on_sale_e2.get(sale.ticker, 0) == rig.account.position(sale.ticker).count_e2
        assert held_e2
        rig.assert_no_orphan()


@pytest.mark.parametrize(
    "end",
    [
        lambda name: OrderClosed(name, CountE2(0), "canceled: found so"),
        lambda name: OrderRefused(name, NEVER_TAKEN, "the exchange has no such order"),
    ],
)
async def test_an_end_that_was_looked_up_leaves_nothing_to_be_ready_for(
    end: Callable[[str], OrderEvent], open_rig: OpenRig, autojump_clock: object
) -> None:
    """The places for orders with ready signatures are few, and nobody else gives this one back."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        name = rig.resting_exits()[0].client_order_id
        signatures = rig.gateway._exchange.signatures
        assert name in signatures._orders
        rig.gateway._looked_up(end(name))

        assert rig.gateway._desk.known(name) is None
        assert name not in signatures._orders


async def test_what_filled_unheard_leaves_nothing_to_be_ready_for(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A sale whose end nobody told has filled in the books, and is listed no more."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        rig.simulation.exchange_conditions.drop_private = True
        sales = {order.client_order_id for order in rig.resting_exits()}
        known = rig.gateway._desk._known
        await rig.until(lambda: bool(sales - {o.client_order_id for o in rig.resting()}), 600)
        rig.simulation.odds_conditions.freeze = True
        rig.simulation.exchange_conditions.drop_private = False
        await trio.sleep(75)

        resting = {order.client_order_id for order in rig.resting()}
        assert known.keys() <= resting
        assert rig.gateway._exchange.signatures._orders.keys() <= resting


async def test_an_order_of_ours_that_nobody_knows_is_cancelled(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """What rests under our name and stands in no ledger is taken away after two readings."""
    async with open_rig(settings=SLOW_MAKER) as rig:
        await rig.until(lambda: bool(rig.resting_entries()))
        (entry, *_) = rig.resting_entries()
        rig.system.quarantine(entry.ticker)
        ledger = rig.risk._books.ledger
        ledger.orders.pop(entry.client_order_id)
        ledger._open_by_ticker.pop(entry.ticker)
        entry.expires_s = None
        rig.simulation.venue.expiring.clear()
        await rig.until(lambda: entry not in rig.resting(), 60)

        assert rig.said("nobody's here")


async def test_a_cancel_is_sent_once_while_its_answer_is_out(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """However often a cancel is wished, one is on its way at a time."""
    async with open_rig(settings=SLOW_MAKER) as rig:
        await rig.until(lambda: bool(rig.resting_entries()))
        asked: list[str] = []
        send = rig.gateway._exchange.lanes.send

        def counted(request: Any) -> Any:
            asked.append(request.method)
            return send(request)

        rig.gateway._exchange.lanes.send = counted
        for _ in range(20):
            rig.risk._withdrawals.cancel_entries("a test")
        await trio.sleep(0.1)

        assert asked == ["DELETE"]
        await rig.ask(Resume("me"))
        assert rig.risk._books.ledger.illegal_reports == 0


async def test_cancels_without_a_lane_are_kept_until_there_is_one(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A cancel that could not leave leaves as soon as it can."""
    async with open_rig(settings=SLOW_MAKER) as rig:
        await rig.until(lambda: bool(rig.resting_entries()))
        (entry,) = rig.resting_entries()
        for lane in rig.gateway._exchange.lanes._lanes:
            lane._proven = False
        rig.risk._withdrawals.cancel_entries("a test")
        await trio.sleep(0.1)
        assert entry in rig.resting()
        for lane in rig.gateway._exchange.lanes._lanes:
            lane._proven = True

        await rig.until(lambda: entry not in rig.resting(), 1)


async def test_a_sale_that_cannot_leave_is_not_tried_in_a_loop(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Refused, a sale is tried after longer and longer, and goes when it can.

    What met no lane is tried a quarter of a second later, and is no try.
    """
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        (sale, *_) = rig.resting_exits()
        rig.simulation.odds_conditions.freeze = True
        await trio.sleep(0.5)
        for lane in rig.gateway._exchange.lanes._lanes:
            lane._proven = False
        before = sent(rig)
        rig.simulation.venue.take_off_book(sale, sale.change)
        await trio.sleep(0.2)
        assert sent(rig) - before <= 2

        rig.simulation.exchange_conditions.order_answer = OrderAnswer.REFUSE
        for lane in rig.gateway._exchange.lanes._lanes:
            lane._proven = True
        await trio.sleep(5)
        assert 4 <= sent(rig) - before <= 7
        rig.heal()
        rig.simulation.odds_conditions.freeze = True
        await trio.sleep(EXIT_RETRY_MAX_S)
        assert rig.on_sale_e2[sale.ticker] == rig.account.position(sale.ticker).count_e2


async def test_an_account_that_differs_stops_entries_until_it_agrees(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Money that no fill explains: seen twice it stops trading and says by how much."""
    async with open_rig() as rig:
        await rig.until_running()
        cash_e6 = rig.account.cash_e6
        (shard, *_) = cash_e6
        cash_e6[shard] += 1_230_000
        await rig.until(lambda: "not reconciled" in rig.reasons, 60)
        assert "cash" in rig.reasons
        assert rig.state == "paused"
        asked = rig.gateway._accounts._wanted
        await trio.sleep(100)
        assert rig.gateway._accounts._wanted - asked <= 55, "it is read every two seconds at most"
        before = len(rig.entries())

        cash_e6[shard] -= 1_230_000
        await rig.until_running()
        await rig.until(lambda: len(rig.entries()) > before)
