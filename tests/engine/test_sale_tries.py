"""A sale that nobody takes on is tried after longer and longer, at once if something changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
import trio

from arb.core.commands import Purpose
from arb.core.exits import Holding
from arb.core.money import CountE2, PriceE4
from arb.engine.sale_tries import EXIT_RETRY_MAX_S, SalesTried, SaleTries
from arb.io.clock import NS_PER_S
from arb.sim.exchange.lifecycle import pause_trading, resume_trading
from tests.core.order_factory import NYY
from tests.engine.conftest import MAKER_ONLY
from tests.engine.market_bench import open_order

OpenRig = Callable[..., Any]

HELD = Holding(NYY, CountE2(500), PriceE4(4_000), ())
RESTING = attrs.evolve(HELD, orders=(open_order(purpose=Purpose.EXIT, price=6_000),))

# The exchange rests for two hours each Thursday; a hundredth of that shows how often it is asked.
PAUSE_S = 72.0


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
