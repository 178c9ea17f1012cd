"""An engine that ends, and the next one on the same journal in the same living world."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import trio

from arb.engine import account_reader, look_back
from arb.engine.messages import HaltTrading
from arb.journal.writer import MemoryFile
from arb.sim.exchange.values import Change
from tests.engine.conftest import SLOW_MAKER, new_world

OpenRig = Callable[..., Any]


async def test_positions_cash_and_orders_are_recovered(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """The second engine knows at once what the first held, adopts its sales, and trades on."""
    world, file = new_world(), MemoryFile()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.run)
        async with open_rig(file=file, simulation=world) as rig:
            await rig.until(lambda: len(rig.held_e2) >= 2)
            rig.simulation.odds_conditions.freeze = True
            await trio.sleep(1)
            cash_e6, held = rig.account.total_cash_e6, rig.held_e2
            fills = len(rig.account.fills)
            sales = {o.client_order_id for o in rig.resting_exits()}
        async with open_rig(file=file, simulation=world) as rig:
            if len(rig.account.fills) == fills:
                ledger = rig.risk._books.ledger
                assert ledger.cash_e6 == cash_e6
                assert {t: p.count_e2 for t, p in ledger.positions.items() if p.count_e2} == held
            await rig.until_running()
            rig.assert_books_equal()
            rig.assert_no_orphan()
            still = {o.client_order_id for o in rig.resting_exits()}
            assert still <= sales, "no sale was made twice"
            rig.heal()
            before = len(rig.orders())
            await rig.until(lambda: len(rig.orders()) > before)
            rig.assert_no_orphan()
        nursery.cancel_scope.cancel()


async def test_fills_while_no_engine_ran_are_booked(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A sale that filled while nobody looked is found, and everything agrees again."""
    world, file = new_world(), MemoryFile()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.run)
        async with open_rig(file=file, simulation=world) as rig:
            await rig.until(lambda: bool(rig.resting_exits()))
            ticker = rig.resting_exits()[0].ticker
        filled = len(world.member.fills)
        for game_id, fixture in world.world.fixtures.items():
            world.world.jump(game_id, 0.95 if fixture.game.home_ticker == ticker else 0.05)
        await trio.sleep(60)
        assert len(world.member.fills) > filled
        async with open_rig(file=file, simulation=world) as rig:
            await rig.until_running()
            rig.assert_books_equal()
            rig.assert_no_orphan()
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("listed_late", [False, True])
async def test_fills_of_any_absence_are_booked(
    listed_late: bool,
    open_rig: OpenRig,
    autojump_clock: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However far back: a second is read in any case here, a minute again, and four are missing."""
    monkeypatch.setattr(account_reader, "FIRST_FILLS_MS", 1_000)
    monkeypatch.setattr(look_back, "LOOKED_BACK_MS", 60_000)
    world, file = new_world(), MemoryFile()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.run)
        async with open_rig(file=file, simulation=world) as rig:
            await rig.until(lambda: bool(rig.resting_exits()))
            sale = rig.resting_exits()[0]
            rig.simulation.odds_conditions.freeze = True
            await trio.sleep(1)
        everything = list(world.member.fills)
        home = {game_id: each.game.home_ticker for game_id, each in world.world.fixtures.items()}
        for game_id, ticker in home.items():
            world.world.jump(game_id, 0.95 if ticker == sale.ticker else 0.05)
        await trio.sleep(240)
        missing = world.member.fills[len(everything) :]
        assert missing
        if listed_late:
            world.member.fills[:] = everything
        async with open_rig(file=file, simulation=world) as rig:
            if listed_late:
                await rig.until(lambda: "at Kalshi" in rig.reasons)
                world.member.fills[:] = [*everything, *missing]
            await rig.until_running()
            assert rig.said("account differs") == listed_late
            assert {each.trade_id for each in missing} <= rig.risk._books.ledger.trade_ids
            rig.assert_books_equal()
        nursery.cancel_scope.cancel()


async def test_an_entry_that_outlived_its_engine_is_cancelled(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Killed with an entry at rest: the next engine finds it and takes it away at once."""
    world, file = new_world(), MemoryFile()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.run)
        async with open_rig(file=file, simulation=world, settings=SLOW_MAKER) as rig:
            await rig.until(lambda: bool(rig.resting_entries()))
            (entry, *_) = rig.resting_entries()
        world.odds_conditions.freeze = True
        async with open_rig(file=file, simulation=world) as rig:
            await rig.until(lambda: entry not in rig.resting(), 10)
            assert entry.change in (Change.CANCEL, Change.TRADE)
            await rig.until_running()
            await trio.sleep(3)
            rig.assert_no_orphan()
        nursery.cancel_scope.cancel()


async def test_ids_are_never_used_twice(open_rig: OpenRig, autojump_clock: object) -> None:
    """Five engines in a row on one journal: no order id at the exchange is used twice."""
    world, file = new_world(), MemoryFile()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.run)
        for _ in range(5):
            async with open_rig(file=file, simulation=world) as rig:
                before = len(rig.orders())
                await rig.until(lambda rig=rig, before=before: len(rig.orders()) >= before + 2)
        names = Counter(order.client_order_id for order in world.member.history.values())
        assert len(names) >= 10
        assert set(names.values()) == {1}
        async with open_rig(file=file, simulation=world) as rig:
            await rig.until_running()
            assert rig.risk._books.ledger.illegal_reports == 0
            rig.assert_books_equal()
        nursery.cancel_scope.cancel()


async def test_a_halt_outlives_the_engine(open_rig: OpenRig, autojump_clock: object) -> None:
    """The next engine is halted for the same reason, until a person clears it."""
    file = MemoryFile()
    async with open_rig(file=file) as rig:
        await rig.until_running()
        await rig.ask(HaltTrading("a test of halts", "me", cancel_exits=True))
    async with open_rig(file=file) as rig:
        await trio.sleep(20)
        assert rig.state == "halted"
        assert "a test of halts" in rig.reasons
        assert rig.risk._switches.exits_withdrawn
        assert rig.orders() == []


async def test_a_second_halt_gives_no_sale_back_to_the_next_engine(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Sales were cancelled on purpose, then a rule halted too: none rests until a clear."""
    world, file = new_world(), MemoryFile()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.run)
        async with open_rig(file=file, simulation=world) as rig:
            await rig.until(lambda: bool(rig.resting_exits()))
            # Nobody buys what is to be taken away.
            world.world.fixtures.clear()
            await rig.steering.steer("halt", {"reason": "a test", "exits": "cancel"})
            await rig.until(lambda: not rig.resting(), 5)
            await rig.ask(HaltTrading("a test of rules", "a rule"))
        async with open_rig(file=file, simulation=world) as rig:
            await trio.sleep(20)
            assert "a test of rules" in rig.reasons
            assert rig.held_e2
            assert rig.resting() == []
            await rig.steering.steer("clear", {"reason": "looked"})
            await rig.until(lambda: bool(rig.resting_exits()), 30)
        nursery.cancel_scope.cancel()


async def test_an_orderly_end_leaves_sales_and_no_entry(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Stopped in order, sales that may stay do, and the next engine finds them as they were."""
    world, file = new_world(), MemoryFile()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.run)
        async with open_rig(file=file, simulation=world) as rig:
            await rig.until(lambda: bool(rig.resting_exits()))
            await rig.withdraw(cancel_exits=False)
            assert rig.resting() == rig.resting_exits() != []
        async with open_rig(file=file, simulation=world) as rig:
            await rig.until_running()
            rig.assert_no_orphan()
        nursery.cancel_scope.cancel()
