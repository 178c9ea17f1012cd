"""How orders and positions of the paper exchange end: expiry, pause, close, and the real result."""

# flake8: noqa: ASYNC124 - a clock needs a running loop, whether anything waits or not

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
import trio

from arb.core.commands import Amendment
from arb.core.events import OrderClosed
from arb.core.ledger import Ledger
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.engine.paper_exchange import PaperExchange
from arb.io.clock import VirtualClock
from arb.journal.records import RecordKind
from arb.journal.recovery import recover
from arb.journal.writer import MemoryFile
from arb.settings import Mode
from arb.sim.exchange.lifecycle import close, determine, settle
from tests.core.order_factory import NYY, PLAIN
from tests.engine.conftest import EPOCH_MS, Rig, new_world
from tests.engine.test_paper_exchange import MAKER, SALE, TAKER, top

OpenRig = Callable[..., Any]


@pytest.fixture
async def exchange() -> PaperExchange:
    """Return an exchange in virtual time, with a book and a thousand dollars."""
    made = PaperExchange(Ledger(MoneyE6(1_000_000_000)), VirtualClock(EPOCH_MS))
    made.see(top(size=500))
    return made


def open_forever(_ticker: str) -> str | None:
    """Say that every market trades."""
    return None


async def test_an_order_expires_when_it_says(
    exchange: PaperExchange, autojump_clock: object
) -> None:
    """At the second it names, and not before; one that names none stays."""
    expiring = attrs.evolve(MAKER, expires_s=EPOCH_MS // 1000 + 15)
    exchange.place("o1", expiring, PLAIN)
    exchange.place("o2", attrs.evolve(MAKER, expires_s=None), PLAIN)
    await trio.sleep(13)
    assert exchange.sweep(open_forever) == []
    await trio.sleep(2)
    assert exchange.sweep(open_forever) == [OrderClosed("o1", CountE2(0), "canceled: expired")]
    assert [order.client_order_id for order in exchange.resting] == ["o2"]


async def test_an_order_that_is_moved_lives_as_long_as_the_move_says(
    exchange: PaperExchange, autojump_clock: object
) -> None:
    """A move that names no end keeps the one there is."""
    ends_s = EPOCH_MS // 1000 + 15
    for name in ("o1", "o2"):
        exchange.place(name, attrs.evolve(MAKER, expires_s=ends_s), PLAIN)
    move = Amendment("o1", "x", NYY, MAKER.side, MAKER.price_e4, MAKER.count_e2, 0, ends_s + 15)
    exchange.amend(move)
    exchange.amend(attrs.evolve(move, client_order_id="o2", expires_s=None))
    await trio.sleep(16)
    exchange.sweep(open_forever)
    assert [order.client_order_id for order in exchange.resting] == ["o1"]
    await trio.sleep(15)
    assert exchange.sweep(open_forever) == [OrderClosed("o1", CountE2(0), "canceled: expired")]


async def test_what_rests_ends_with_its_market(exchange: PaperExchange) -> None:
    """A pause and a close take everything away that rests there, and say so."""
    exchange.place("o1", attrs.evolve(MAKER, expires_s=None), PLAIN)
    (closed,) = exchange.sweep(lambda ticker: f"{ticker} is shut")
    assert closed == OrderClosed("o1", CountE2(0), f"canceled: {NYY} is shut")


@pytest.mark.parametrize("value_e4", [10_000, 0, 5_000, 3_333])
async def test_a_position_is_paid_what_the_market_came_to(
    value_e4: int, exchange: PaperExchange
) -> None:
    """Once, to the last unit; what is flat is paid nothing."""
    assert exchange.settle(NYY, PriceE4(value_e4), 7) is None
    exchange.place("o1", TAKER, PLAIN)
    before_e6, held_e2 = exchange.account.cash_e6, exchange.account.position(NYY).count_e2
    assert exchange.at_work == (NYY,)
    settlement = exchange.settle(NYY, PriceE4(value_e4), 7)
    assert settlement is not None
    assert exchange.account.cash_e6 == before_e6 + held_e2 * value_e4
    assert settlement.revenue_e6 == held_e2 * value_e4 // 10_000 * 10_000
    assert settlement.fee_e6 == exchange.account.position(NYY).fees_e6
    assert exchange.settle(NYY, PriceE4(value_e4), 8) is None
    assert not exchange.at_work


async def test_a_sale_of_what_was_paid_rests_no_longer(exchange: PaperExchange) -> None:
    """Its market is shut by then: the sweep takes it away before it could sell anything short."""
    exchange.place("o1", TAKER, PLAIN)
    exchange.place("s1", SALE, PLAIN)
    exchange.settle(NYY, PriceE4(10_000), 7)
    exchange.sweep(lambda _ticker: "the market is settled")
    assert exchange.resting == ()


def end_a_held_game(rig: Rig, value_e4: int) -> list[str]:
    """End the game of a paper position in the real world, and pay it there."""
    venue = rig.simulation.venue
    ticker = rig.gateway._exchange.at_work[0]  # type: ignore[attr-defined]
    fixture = next(
        each
        for each in rig.simulation.world.fixtures.values()
        if ticker in (each.game.home_ticker, each.game.away_ticker)
    )
    fixture.over = True
    pair = [fixture.game.home_ticker, fixture.game.away_ticker]
    for each in pair:
        close(venue, venue.markets[each])
    for each in pair:
        worth_e4 = value_e4 if each == ticker else 10_000 - value_e4
        determine(venue, venue.markets[each], worth_e4, "")
    for each in pair:
        settle(venue, venue.markets[each])
    return pair


@pytest.mark.parametrize("value_e4", [10_000, 0, 3_333])
async def test_a_paper_engine_is_paid_by_the_real_result(
    value_e4: int, open_rig: OpenRig, autojump_clock: object
) -> None:
    """Within a reading: booked and journalled once, nothing held, nothing stopped."""
    file, world = MemoryFile(), new_world(seed=3)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.run)
        async with open_rig(mode=Mode.PAPER, simulation=world, file=file) as rig:
            await rig.until(lambda: bool(rig.gateway._exchange.at_work))
            pair = end_a_held_game(rig, value_e4)
            await rig.until(lambda: rig.board.counts["settlements"] >= 1, 40)
            await trio.sleep(40)
            ledger, account = rig.risk._books.ledger, rig.gateway._exchange.account
            assert not any(ledger.position(ticker).count_e2 for ticker in pair)
            assert ledger.cash_e6 == account.cash_e6
            assert rig.state == "running"
            assert rig.board.counts["invariant_violations"] == 0, list(rig.board.log)
            assert rig.said("settled: ")
            kinds = [record.kind for record in rig.parts.journal.records()]
            assert kinds.count(RecordKind.SETTLEMENT) == rig.board.counts["settlements"]
            assert recover(rig.parts.journal.records()).ledger.cash_e6 == account.cash_e6
            assert rig.orders() == []
        nursery.cancel_scope.cancel()


async def test_results_that_cannot_be_read_are_read_later(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A failure is said; the position stands until the exchange answers again."""
    async with open_rig(mode=Mode.PAPER, seed=3) as rig:
        await rig.until(lambda: bool(rig.gateway._exchange.at_work))
        rig.simulation.exchange_conditions.rest_status = 503
        end_a_held_game(rig, 10_000)
        await trio.sleep(20)
        assert rig.said("results not read")
        assert rig.board.counts["settlements"] == 0
        rig.heal()
        await rig.until(lambda: rig.board.counts["settlements"] >= 1, 40)


async def test_a_game_that_is_over_leaves_no_book(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """There is always another one: what was last shown of it goes with its markets."""
    async with open_rig(mode=Mode.PAPER, seed=3) as rig:
        exchange = rig.gateway._exchange
        await rig.until(lambda: bool(exchange.at_work))
        pair = set(end_a_held_game(rig, 10_000))
        assert pair <= exchange._books.keys()
        others = exchange._books.keys() - pair
        await rig.until(lambda: pair.isdisjoint(rig.markets()), 400)
        await trio.sleep(2)

        assert exchange._books.keys() == others
