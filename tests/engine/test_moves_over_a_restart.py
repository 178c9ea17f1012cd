"""Orders that are moved while the gateway does not know where they stood, or does not listen."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
import trio

from arb.engine.names import GATEWAY
from arb.journal.frames import scan
from arb.sim.conditions import OrderAnswer
from arb.sim.exchange.resting import Amendment, amend
from arb.sim.exchange.values import Order
from tests.engine.conftest import Member, Rig
from tests.engine.desk_bench import not_read, open_desk

OpenRig = Callable[..., Any]


async def resting_sale(rig: Rig) -> Order:
    """Wait for a sale, and let no price move any more."""
    await rig.until(lambda: bool(rig.resting_exits()))
    rig.simulation.odds_conditions.freeze = True
    rig.simulation.world.fixtures.clear()
    await trio.sleep(0.5)
    (sale, *_) = rig.resting_exits()
    return sale


async def moved_up(rig: Rig, sale: Order) -> int:
    """Have a move of a sale come into effect, and return the price that the ledger then has."""
    price_e4 = min(9_900, sale.price_e4 + 200)
    wish = Amendment(sale.ticker, sale.side, price_e4, sale.initial_e2)
    assert price_e4 != sale.price_e4
    amend(rig.simulation.venue, rig.account, sale, wish)
    await trio.sleep(0.05)
    assert sale.client_order_id in {order.client_order_id for order in rig.resting_exits()}
    return rig.risk._books.ledger.orders[sale.client_order_id].price_e4


async def test_a_move_after_a_look_up_is_heard(open_rig: OpenRig, autojump_clock: object) -> None:
    """What a new gateway has looked up has a price that the next message may change."""
    async with open_rig() as rig:
        sale = await resting_sale(rig)
        await rig.system.kill(GATEWAY)
        await rig.until(lambda: rig.gateway._desk.known(sale.client_order_id) is not None, 5)

        assert rig.gateway._desk.known(sale.client_order_id).price_e4 == sale.price_e4
        assert await moved_up(rig, sale) == sale.price_e4


async def test_a_move_before_any_look_up_is_heard(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """While nothing can be read the private channel alone says where an order stands."""
    async with open_rig() as rig:
        sale = await resting_sale(rig)
        serve: Any = rig.simulation.exchange.rest
        rig.simulation.exchange.rest = partial(not_read, serve)
        await rig.system.kill(GATEWAY)
        await trio.sleep(1)
        assert rig.gateway._desk.known(sale.client_order_id) is None

        assert await moved_up(rig, sale) == sale.price_e4


async def test_a_move_that_nobody_heard_of_is_found_by_the_readings(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Two of them list another price than the ledger has: the order is looked up."""
    async with open_rig() as rig:
        sale = await resting_sale(rig)
        rig.simulation.exchange_conditions.drop_private = True
        believed_e4 = sale.price_e4
        assert await moved_up(rig, sale) == believed_e4
        rig.heal()
        rig.simulation.odds_conditions.freeze = True
        order = rig.risk._books.ledger.orders[sale.client_order_id]
        await rig.until(lambda: rig.risk._reconciler.differs, 60)
        await rig.until(lambda: order.price_e4 == sale.price_e4, 4)
        await rig.until(lambda: not rig.risk._reconciler.differs, 4)

        assert rig.gateway._desk.known(sale.client_order_id).price_e4 == sale.price_e4


async def test_the_first_message_of_a_new_order_moves_nothing(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """It may come before the answer, and says of the price what was asked for."""
    async with open_rig() as rig:
        rig.simulation.exchange_conditions.order_delay_s = 0.05
        sale = await resting_sale(rig)
        reports = [
            record["d"]["type"]
            for record in map(orjson.loads, scan(rig.file.read()).payloads)
            if record["d"].get("event", {}).get("client_order_id") == sale.client_order_id
        ]

        assert reports.count("OrderAccepted") >= 2
        assert "OrderAmended" not in reports


async def test_whose_prices_these_are_is_forgotten_with_the_orders(
    member: Member, autojump_clock: object
) -> None:
    """What was refused, has ended or is listed no more leaves nothing behind."""
    async with open_desk(member) as bench:
        one, other = await bench.rest_orders(2)
        assert bench.desk.has_priced(one)
        assert bench.desk.has_priced(other)
        bench.world.exchange_conditions.order_answer = OrderAnswer.REFUSE
        bench.place()
        bench.cancel(one)
        await trio.sleep(0.1)
        assert bench.desk._priced == {other}
        bench.desk.listed(())
        bench.desk.listed(())
        assert bench.desk._priced == set()
