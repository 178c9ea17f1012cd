"""A person makes a sale of ours smaller in the exchange's own app."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from arb.sim.exchange.resting import decrease
from tests.engine.conftest import Rig

OpenRig = Callable[..., Any]

REST_E2 = 200


async def made_smaller(rig: Rig, *, unheard: bool = False) -> str:
    """Let a sale rest alone, take a part of it off by hand, and return its market."""
    await rig.until(lambda: bool(rig.resting_exits()))
    rig.simulation.odds_conditions.freeze = True
    rig.simulation.world.fixtures.clear()
    await trio.sleep(0.5)
    (sale, *_) = rig.resting_exits()
    rig.simulation.exchange_conditions.drop_private = unheard
    decrease(rig.simulation.venue, sale, REST_E2)
    await trio.sleep(0.5)
    return str(sale.ticker)


async def test_who_accepts_it_leaves_the_engine_what_it_holds(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Nothing has filled: all is still ours, and what was taken off is put on sale again."""
    async with open_rig() as rig:
        ticker = await made_smaller(rig)
        held_e2 = rig.held_e2[ticker]
        await rig.until(lambda: "rests with 2 at Kalshi" in rig.reasons, 60)
        await rig.steering.steer("accept", {"by": "kim"})
        await rig.until(lambda: rig.on_sale_e2[ticker] == held_e2, 10)
        await trio.sleep(60)

        assert rig.held_e2[ticker] == held_e2
        assert rig.risk._books.ledger.position(ticker).ours_e2 == held_e2
        assert rig.board.alarms == {}
        rig.assert_no_orphan()
        rig.assert_books_equal()


@pytest.mark.parametrize("unheard", [False, True])
async def test_what_was_taken_off_is_not_awaited_as_a_fill(
    unheard: bool, open_rig: OpenRig, autojump_clock: object
) -> None:
    """When the sale is cancelled: at once where the change was heard, else by looking it up."""
    async with open_rig() as rig:
        ticker = await made_smaller(rig, unheard=unheard)
        held_e2 = rig.held_e2[ticker]
        await rig.steering.steer("halt", {"reason": "a test", "exits": "cancel"})
        await rig.until(lambda: not rig.resting(), 5)
        ledger = rig.risk._books.ledger
        await trio.sleep(0.2)
        assert bool(list(ledger.at_stake(ticker))) is unheard
        await rig.until(lambda: not list(ledger.at_stake(ticker)), 10)

        assert ledger.position(ticker).ours_e2 == held_e2
        rig.assert_books_equal()
