"""Pause, halt, limit, closing and stopping, through the verbs that a person uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import attrs
import pytest
import trio

from arb.core.parameters import Risk
from arb.engine.control_requests import SteeringError
from arb.engine.messages import ForceClose, StopTrading
from arb.settings import Settings
from arb.sim.conditions import OrderAnswer
from arb.sim.exchange.values import BookSide, OrderStatus
from tests.engine.conftest import SLOW_MAKER, Rig

OpenRig = Callable[..., Any]


def bought(rig: Rig) -> int:
    """Count the entries that ever reached the exchange."""
    return len(rig.entries())


def costs_e6(rig: Rig) -> Counter[str]:
    """Return what is paid, and what entries that rest would pay, by the team they bet on."""
    costs_e6: Counter[str] = Counter()
    for ticker, held in rig.account.positions.items():
        costs_e6[team_of(rig, ticker, is_no=held.count_e2 < 0)] += held.cost_e6
    for order in rig.resting_entries():
        is_no = order.side is BookSide.ASK
        own_e4 = 10_000 - order.price_e4 if is_no else order.price_e4
        costs_e6[team_of(rig, order.ticker, is_no=is_no)] += own_e4 * order.remaining_e2
    return costs_e6


def team_of(rig: Rig, ticker: str, *, is_no: bool) -> str:
    """Return the market whose team a bet is on: NO of a team is a bet on its opponent."""
    listing = rig.parts.listing(ticker)
    assert listing is not None
    return listing.sibling if is_no else ticker


async def test_pause_and_resume(open_rig: OpenRig, autojump_clock: object) -> None:
    """A pause cancels what rests to be bought and lets nothing new out until resume."""
    async with open_rig(settings=SLOW_MAKER) as rig:
        await rig.until(lambda: bool(rig.resting_entries()))
        assert "no new entries" in await rig.steering.steer("pause", {})
        await trio.sleep(0.05)
        assert rig.resting_entries() == []
        before = bought(rig)
        assert rig.state == "paused"
        await trio.sleep(30)
        assert bought(rig) == before
        assert "resume" in rig.reasons

        await rig.steering.steer("resume", {})
        assert rig.state == "running"
        await rig.until(lambda: bought(rig) > before)


async def test_a_halt_keeps_sales_and_ends_with_clear(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Halted, nothing is bought and sales stay; resume does not end it, clear does."""
    async with open_rig() as rig:
        with pytest.raises(SteeringError, match="nothing is halted"):
            await rig.steering.steer("clear", {"reason": "early"})
        await rig.until(lambda: bool(rig.resting_exits()))
        said = await rig.steering.steer("halt", {"reason": "a test"})
        assert "exits kept" in said
        await rig.steering.steer("resume", {})
        before = bought(rig)
        await trio.sleep(20)
        assert bought(rig) == before
        assert rig.state == "halted"
        assert "a test" in rig.reasons
        assert rig.on_sale_e2 == rig.held_e2

        await rig.steering.steer("clear", {"reason": "done"})
        await rig.until(lambda: bought(rig) > before)


async def test_a_halt_that_cancels_sales_keeps_them_cancelled(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Sales that a person has had cancelled do not come back before clear, not after a restart."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        said = await rig.steering.steer("halt", {"reason": "a test", "exits": "cancel"})
        assert "exits cancelled" in said
        for restart in ("", "risk"):
            if restart:
                await rig.system.kill(restart)
            await trio.sleep(12)
            assert rig.resting() == []
        assert rig.held_e2

        await rig.steering.steer("clear", {"reason": "done"})
        await rig.until(lambda: bool(rig.resting()), 10)
        await trio.sleep(6)
        assert rig.on_sale_e2 == rig.held_e2


async def test_a_cancel_that_is_lost_is_sent_again_until_nothing_rests(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Cancels that the exchange never got are repeated, and meanwhile no sale is moved."""
    async with open_rig(seed=3) as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        rig.simulation.exchange_conditions.cancel_answer = OrderAnswer.DROP_REQUEST
        await rig.steering.steer("halt", {"reason": "a test", "exits": "cancel"})
        sales = rig.resting()
        prices = [order.price_e4 for order in sales]
        await trio.sleep(4)
        assert [order.price_e4 for order in sales] == prices
        rig.heal()
        await trio.sleep(4)

    assert {order.status for order in sales} == {OrderStatus.CANCELED}


async def test_flatten_sells_everything_at_the_bid(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Every position is gone within seconds, its sales are cancelled, and entries are paused."""
    async with open_rig() as rig:
        await rig.until(lambda: len(rig.held_e2) >= 2)
        held = len(rig.held_e2)
        said = await rig.steering.steer("flatten", {})

        assert said.startswith(f"{held} positions")
        await rig.until(lambda: not rig.held_e2, 5)
        await trio.sleep(1)
        assert rig.resting() == []
        assert rig.state == "paused"
        assert rig.parts.switches.closing == set()
        rig.assert_books_equal()


async def test_one_position_is_closed_and_the_market_trades_on(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A forced close sells one market's position; later ones are sold at fair value again."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        ticker = rig.resting_exits()[0].ticker
        await rig.steering.steer("force_close", {"ticker": ticker})
        await rig.until(lambda: ticker not in rig.held_e2, 5)
        assert rig.state == "running"
        for name in (ticker, "KXNONE"):
            with pytest.raises(SteeringError, match="holds nothing"):
                await rig.steering.steer("force_close", {"ticker": name})
        rig.assert_books_equal()


async def test_a_close_is_not_forgotten_while_its_market_is_away(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """What a person wanted gone while its market was in quarantine goes when it is released."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        ticker = rig.resting_exits()[0].ticker
        await rig.system.quarantine(ticker)
        assert await rig.ask(ForceClose(ticker, "me"))
        await rig.system.release(ticker)

        await rig.until(lambda: ticker not in rig.held_e2, 5)


async def test_a_close_goes_through_although_sales_are_withdrawn(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Halted with its sales cancelled, a position can still be sold by a person."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        ticker = rig.resting_exits()[0].ticker
        await rig.steering.steer("halt", {"reason": "a test", "exits": "cancel"})
        await trio.sleep(1)
        await rig.steering.steer("force_close", {"ticker": ticker})

        await rig.until(lambda: ticker not in rig.held_e2, 5)
        assert rig.resting() == []


async def test_the_limit_moves_within_what_the_file_allows(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """It can be lowered to a dollar and raised to the file's; purchases keep within it."""
    async with open_rig() as rig:
        assert "$500.00" in await rig.steering.steer("limit", {"change_cents": 100_000})
        assert "$1.00" in await rig.steering.steer("limit", {"change_cents": -90_000_000})
        assert "$3.00" in await rig.steering.steer("limit", {"change_cents": 200})
        await trio.sleep(60)
        assert rig.board.exposure_max_e6 <= 3_000_000
        assert rig.board.refusals["total exposure"] >= 1

        await rig.steering.steer("limit", {"change_cents": 90_000_000})
        await rig.until(lambda: rig.board.exposure_max_e6 > 3_000_000)
        assert rig.board.counts["invariant_violations"] == 0


async def test_exposure_keeps_within_the_files_limit(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A cap of five dollars holds at every order, in the exchange's own numbers too."""
    settings = attrs.evolve(Settings(), risk=Risk(max_total_exposure_cents=500))
    async with open_rig(settings=settings) as rig:
        for _ in range(1200):
            await trio.sleep(0.05)
            # Of a game's two teams one wins: the dearer of two bets on them is what may be lost.
            dearest_e6: dict[str, int] = {}
            for ticker, cost_e6 in costs_e6(rig).items():
                game = ticker.rpartition("-")[0]
                dearest_e6[game] = max(dearest_e6.get(game, 0), cost_e6)
            assert sum(dearest_e6.values()) <= 5_000_000
        assert rig.board.counts["fills"] >= 1
        assert rig.board.exposure_max_e6 <= 5_000_000


async def test_stopping_leaves_no_entry(open_rig: OpenRig, autojump_clock: object) -> None:
    """The first answer counts what stands; within moments none does, and none follows."""
    async with open_rig(settings=SLOW_MAKER) as rig:
        await rig.until(lambda: bool(rig.resting_entries()))
        assert await rig.ask(StopTrading(cancel_exits=False)) >= 1
        await trio.sleep(0.05)
        assert await rig.ask(StopTrading(cancel_exits=False)) == 0
        assert rig.resting_entries() == []
        before = bought(rig)
        await trio.sleep(20)
        assert bought(rig) == before
        assert rig.state == "stopping"


async def test_stopping_takes_sales_away_where_that_is_wanted(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """With sales to be cancelled nothing of ours rests in the end, and nothing comes back."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        await rig.withdraw(cancel_exits=True)
        assert rig.resting() == []
        await trio.sleep(5)
        assert rig.resting() == []
        assert rig.held_e2
        rig.assert_books_equal()


async def test_a_person_asks_the_engine_to_stop(open_rig: OpenRig, autojump_clock: object) -> None:
    """The verb latches the request, with what shall become of the sales."""
    async with open_rig() as rig:
        await rig.steering.steer("stop", {"exits": "cancel"})
        rig.stop.request("later")

        assert await rig.stop.wait() == "a person asked"
        assert rig.stop.exits == "cancel"
        assert "a person asked" in repr(rig.stop)
