"""What an answered cancel says of an order that the gateway does not remember."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import trio

from arb.core.events import OrderClosed
from arb.core.money import CountE2
from arb.engine.names import GATEWAY
from tests.engine.conftest import SLOW_MAKER, Member
from tests.engine.desk_bench import DeskBench, meet, not_read, open_desk

OpenRig = Callable[..., Any]


async def partly_filled(bench: DeskBench) -> str:
    """Have an order of 100 rest, of which 30 have filled unheard."""
    (name,) = await bench.rest_orders(1)
    bench.fill(name, 30)
    return name


def end_of(bench: DeskBench, name: str) -> OrderClosed:
    """Return the one end that was reported of an order."""
    (closed,) = [event for event in bench.of(name) if isinstance(event, OrderClosed)]
    return closed


async def test_what_filled_unheard_is_told_of_an_order_that_was_never_known(
    member: Member, autojump_clock: object
) -> None:
    """A gateway that was just started has heard of no order; whoever cancels knows its count."""
    async with open_desk(member) as bench:
        name = await partly_filled(bench)
        bench.desk._known.clear()
        bench.cancel_by_id(name, 100)
        await trio.sleep(0.1)

        assert end_of(bench, name).filled_e2 == 30


async def test_what_filled_unheard_is_told_of_an_order_that_was_not_listed(
    member: Member, autojump_clock: object
) -> None:
    """Two readings that lag let go of an order that rests, before its cancel or during it."""
    async with open_desk(member, answer_s=0.05) as bench:
        before = await partly_filled(bench)
        bench.desk.listed(())
        bench.desk.listed(())
        bench.cancel_by_id(before, 100)
        await trio.sleep(0.2)
        assert end_of(bench, before).filled_e2 == 30

        during = await partly_filled(bench)
        bench.cancel(during)
        bench.desk.listed(())
        bench.desk.listed(())
        await trio.sleep(0.2)
        assert end_of(bench, during).filled_e2 == 30


async def test_what_was_told_with_the_end_is_not_told_otherwise(
    member: Member, autojump_clock: object
) -> None:
    """Of what a person took off a sale the answer to a cancel knows nothing."""
    async with open_desk(member, answer_s=0.05) as bench:
        name = await partly_filled(bench)
        bench.desk._known.clear()
        bench.cancel_by_id(name, 100)
        # The private channel is quicker than the answer, and tells its end.
        bench.desk.forget(name)
        await trio.sleep(0.2)

        assert end_of(bench, name).filled_e2 is None
        assert bench.desk.cancels._ended == set()


@pytest.mark.parametrize("known", [True, False])
async def test_what_the_exchange_says_of_the_count_comes_first(
    known: bool, member: Member, autojump_clock: object
) -> None:
    """Where the order is remembered, its count is the exchange's own."""
    async with open_desk(member) as bench:
        name = await partly_filled(bench)
        if not known:
            bench.desk._known.clear()
        bench.cancel_by_id(name, 500)
        await trio.sleep(0.1)

        assert end_of(bench, name).filled_e2 == (CountE2(30) if known else CountE2(430))


async def test_of_what_nobody_knows_nothing_is_told(member: Member, autojump_clock: object) -> None:
    """An order whose count nobody knows is in no ledger."""
    async with open_desk(member) as bench:
        name = await partly_filled(bench)
        bench.desk._known.clear()
        bench.cancel_by_id(name, 0)
        await trio.sleep(0.1)

        assert end_of(bench, name).filled_e2 is None


@pytest.mark.parametrize("kind", ["sale", "entry"])
async def test_what_a_new_gateway_cancels_is_not_traded_twice(
    kind: str, open_rig: OpenRig, autojump_clock: object
) -> None:
    """What filled while nobody listened is at stake until its fills are booked."""
    async with open_rig(**({} if kind == "sale" else {"settings": SLOW_MAKER})) as rig:
        found = rig.resting_exits if kind == "sale" else rig.resting_entries
        await rig.until(lambda: bool(found()))
        (one, *_) = found()
        rig.simulation.odds_conditions.freeze = True
        rig.simulation.exchange_conditions.drop_private = True
        serve: Any = rig.simulation.exchange.rest
        rig.simulation.exchange.rest = partial(not_read, serve)
        before_e2 = one.filled_e2
        meet(rig.simulation, one, 100)
        await rig.system.kill(GATEWAY)
        await trio.sleep(0.5)
        await rig.steering.steer("halt", {"reason": "a test", "exits": "cancel"})
        await rig.until(lambda: one not in rig.resting(), 5)
        await trio.sleep(0.2)
        order = rig.risk._books.ledger.orders[one.client_order_id]

        assert not order.is_open
        assert order.reported_filled_e2 == before_e2 + 100
        assert order.at_stake_e2 == 100
        rig.simulation.exchange.rest = serve
        rig.heal()
        await trio.sleep(30)
        rig.assert_books_equal()
