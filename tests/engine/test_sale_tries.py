"""A sale that nobody takes on is tried after longer and longer, at once if something changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
import trio

from arb.core.commands import Purpose
from arb.core.exit_parameters import Exits
from arb.core.exits import Holding
from arb.core.money import CountE2, PriceE4
from arb.core.parameters import Execution, Risk
from arb.engine.messages import ConnectionChanged
from arb.engine.names import ORDER_LANES
from arb.engine.sale_tries import EXIT_RETRY_MAX_S, SalesTried, SaleTries
from arb.io.clock import NS_PER_S
from arb.kalshi.lane import LANES, NoLane, Sent
from arb.settings import Settings
from arb.sim.exchange.lifecycle import pause_trading, resume_trading
from arb.sim.exchange.values import Change
from tests.core.order_factory import NYY
from tests.engine.conftest import MAKER_ONLY
from tests.engine.market_bench import open_order

OpenRig = Callable[..., Any]

HELD = Holding(NYY, CountE2(500), PriceE4(4_000), ())
RESTING = attrs.evolve(HELD, orders=(open_order(purpose=Purpose.EXIT, price=6_000),))

# The exchange rests for two hours each Thursday; a hundredth of that shows how often it is asked.
PAUSE_S = 72.0

# Limits that let a dozen games be held at once; what falls stays where it was bought.
MANY = Settings(
    risk=Risk(
        max_concurrent_markets=40,
        max_total_exposure_cents=500_000,
        max_game_exposure_cents=100_000,
        max_daily_loss_cents=100_000,
        max_orders_per_second=50,
    ),
    execution=Execution(order_group_contracts=100_000),
    exits=Exits(exit_follow_down=False),
)


def moments(tries: SaleTries, until_s: float) -> list[float]:
    """Return when a position is put on sale by somebody who asks ten times a second."""
    found = []
    for tenth in range(int(until_s * 10)):
        now_ns = tenth * NS_PER_S // 10
        if tries.left_s(HELD, now_ns) <= 0:
            tries.tried(HELD, now_ns)
            found.append(tenth / 10)
    return found


def test_each_pause_is_twice_the_one_before() -> None:
    """Until it is as long as it may be."""
    assert moments(SaleTries(), 20) == [0, 0.3, 0.8, 1.8, 3.8, 7.8, 12.8, 17.8]


def test_what_changes_is_tried_at_once() -> None:
    """Another position has no pause; one that was on sale begins with the shortest."""
    tries = SaleTries()
    moments(tries, 10)
    now_ns = 10 * NS_PER_S

    assert tries.left_s(attrs.evolve(HELD, count_e2=CountE2(400)), now_ns) == 0
    assert tries.left_s(HELD, now_ns) == pytest.approx(EXIT_RETRY_MAX_S - 2.2)
    assert tries.left_s(RESTING, now_ns) == 0
    tries.tried(HELD, now_ns)
    assert tries.left_s(HELD, now_ns) == 0.25


def test_absent_markets_have_pauses_of_their_own() -> None:
    """One that is back, or over, begins anew."""
    sales = SalesTried()
    other = attrs.evolve(HELD, ticker="KXMLBGAME-26NOV22NYYBOS-BOS")

    assert sales.may(HELD, 0)
    assert not sales.may(HELD, 0)
    assert sales.may(other, 0)
    sales.forget(NYY)
    assert sales.may(HELD, 0)
    assert not sales.may(other, 0)


def test_what_never_left_is_no_try() -> None:
    """What the exchange has refused before it still counts, from when it did."""
    tries = SaleTries()
    for at_s in (0, 1, 2):
        tries.tried(HELD, at_s * NS_PER_S)
    tries.tried(HELD, 3 * NS_PER_S)
    tries.not_sent()
    tries.not_sent()

    assert tries.left_s(HELD, 2 * NS_PER_S) == 1
    assert tries.left_s(HELD, 3 * NS_PER_S) == 0
    sales = SalesTried()
    sales.not_sent(NYY)
    assert sales.may(HELD, 0)
    sales.not_sent(NYY)
    assert sales.may(HELD, 0)


async def many_positions(rig: Any) -> int:
    """Have more positions than lanes put on sale, and return how many."""
    world = rig.simulation.world
    for game in list(world.fixtures):
        # First towards the middle, so that what follows is a rise of what is bought.
        home = world.fixtures[game].chance.value
        sign = 1 if home <= 0.5 else -1
        for by in (0.07, 0.02):
            world.jump(game, home + sign * by)
            await trio.sleep(1)
    return len(rig.held_e2)


def off_sale(rig: Any) -> list[str]:
    """Return the markets of which not all that is held is on sale."""
    return [t for t, held_e2 in rig.held_e2.items() if rig.on_sale_e2.get(t, 0) != held_e2]


@pytest.mark.slow
@pytest.mark.parametrize("answer_s", [0.0, 0.03])
async def test_all_is_on_sale_within_two_seconds_of_a_clear(
    answer_s: float, open_rig: OpenRig, autojump_clock: object
) -> None:
    """With more positions than lanes, one of which stands without its market's actor."""
    async with open_rig(settings=MANY, games=12) as rig:
        await rig.until_running()
        count = await many_positions(rig)
        assert count > 2 * LANES
        away = min(rig.held_e2)
        await rig.steering.steer("pause", {})
        await rig.steering.steer("halt", {"reason": "a test", "exits": "cancel"})
        await rig.steering.steer("quarantine", {"name": away})
        rig.simulation.exchange_conditions.order_delay_s = answer_s
        await trio.sleep(11.3)
        assert len(off_sale(rig)) == count
        await rig.steering.steer("clear", {"reason": "a test"})
        await trio.sleep(2)

        assert off_sale(rig) == []


@pytest.mark.slow
async def test_lanes_that_are_back_are_used_at_once(
    open_rig: OpenRig, autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any lane each try waits longer than the one before; the last wait is cut short."""
    async with open_rig(settings=MAKER_ONLY) as rig:
        await rig.until(lambda: bool(rig.resting_exits()), 300)
        sale = rig.resting_exits()[0]
        tell, lanes = rig.gateway._risk.tell, rig.gateway._exchange.lanes

        def none(_request: object) -> Sent:
            raise NoLane("no order lane is connected")

        with monkeypatch.context() as patch:
            patch.setattr(lanes, "send", none)
            tell(ConnectionChanged(ORDER_LANES, connected=False, detail="a test"))
            rig.simulation.venue.take_off_book(sale, Change.CANCEL)
            await trio.sleep(20)
            assert off_sale(rig)
            assert rig.board.refusals["exchange: no lane"] <= 10 * len(rig.held_e2)
        tell(ConnectionChanged(ORDER_LANES, connected=True, detail="a test"))
        await trio.sleep(0.1)

        assert off_sale(rig) == []


@pytest.mark.parametrize("away", [False, True])
async def test_a_pause_of_the_exchange_is_not_filled_with_orders(
    away: bool, open_rig: OpenRig, autojump_clock: object
) -> None:
    """With its market's actor or without; when trading goes on, all is on sale within seconds."""
    async with open_rig(settings=MAKER_ONLY) as rig:
        await rig.until(lambda: bool(rig.resting_exits()), 300)
        ticker = rig.resting_exits()[0].ticker
        if away:
            await rig.steering.steer("quarantine", {"name": ticker})
        before = set(rig.risk._books.ledger.orders)
        pause_trading(rig.simulation.venue)
        await trio.sleep(PAUSE_S)
        assert not rig.resting_exits()
        orders = rig.risk._books.ledger.orders
        tried = [order.is_entry for name, order in orders.items() if name not in before]
        # Some positions may have been bought in the moment in which the pause began.
        assert 10 <= tried.count(False) <= 20 * len(rig.held_e2)
        assert tried.count(True) <= PAUSE_S / 5 + 3
        resume_trading(rig.simulation.venue)
        await trio.sleep(EXIT_RETRY_MAX_S + 1)

        assert rig.on_sale_e2.get(ticker, 0) == rig.held_e2.get(ticker, 0)
