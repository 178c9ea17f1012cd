"""A machine that wakes up: on connections of before nothing leaves, and nothing is waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from arb.core.commands import Amendment, CancelOrder
from arb.core.events import Side
from arb.core.money import CountE2, PriceE4
from arb.engine.link import STILL_MAX_S
from arb.engine.names import ACCOUNT_LINK, GATEWAY, ORDER_LANES
from arb.engine.order_sender import NO_LANE
from arb.engine.venue_watch import LOOK_EVERY_S
from arb.faults.clock import fall_asleep
from arb.sim.exchange.values import Order
from tests.core.order_factory import EXIT
from tests.engine.conftest import SLOW_MAKER, Rig

OpenRig = Callable[..., Any]

# Less than the makers' timeout, or the entry would have to be cancelled for that alone.
SLEPT_S = 4.0


def sleep_and_lose_every_peer(rig: Rig) -> None:
    """Let the machine sleep for so long that nobody at the other ends knows of it any more."""
    for connection in rig.network.connections:
        for pipe in (connection._incoming, connection._outgoing):
            pipe.data.clear()
            # Taken, and lost on its way: nothing ever says so.
            pipe.put = len  # type: ignore[method-assign, assignment]
    fall_asleep(SLEPT_S)


async def resting_entry(rig: Rig) -> Order:
    """Wait for an entry that rests, and of which nothing is on its way."""
    await rig.until(lambda: bool(rig.resting_entries()))
    entry = rig.resting_entries()[0]
    await trio.sleep(0.1)
    assert entry in rig.resting_entries()
    return entry


@pytest.mark.parametrize("who", ["a link that is lost", "somebody in the moment of waking"])
async def test_a_cancel_after_a_sleep_leaves_on_a_fresh_lane(
    who: str, open_rig: OpenRig, autojump_clock: object
) -> None:
    """Whoever wishes it, none goes down a lane on which nobody answers."""
    async with open_rig(settings=SLOW_MAKER) as rig:
        entry = await resting_entry(rig)
        name = entry.client_order_id
        sleep_and_lose_every_peer(rig)
        if who != "a link that is lost":
            wish = CancelOrder(name, entry.order_id, entry.ticker, CountE2(0), who)
            rig.system.address(GATEWAY).tell(wish)
        await rig.until(lambda: entry not in rig.resting_entries(), 1.0)
        assert not rig.said("looked up")


async def test_readings_after_a_sleep_take_fresh_connections(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """The account is read again and trading goes on before a dead connection would time out."""
    async with open_rig() as rig:
        await rig.until_running()
        sleep_and_lose_every_peer(rig)
        await trio.sleep(0.6)
        assert rig.state == "paused"
        assert f"{ACCOUNT_LINK} is down" in rig.reasons
        await rig.until(lambda: rig.state == "running", 4.0)
        assert not rig.said("Timeout")
        assert rig.board.connections[ORDER_LANES].connected
        rig.assert_books_equal()


@pytest.mark.parametrize("what", ["place", "amend"])
async def test_what_leaves_in_the_moment_of_waking_is_refused_instead_of_lost(
    what: str, open_rig: OpenRig, autojump_clock: object
) -> None:
    """It certainly was not sent, so that it can be tried again as soon as a lane is back."""
    async with open_rig() as rig:
        await rig.until_running()
        refused: list[Any] = []
        rig.gateway._desk._report = refused.append
        sleep_and_lose_every_peer(rig)
        assert rig.gateway._exchange.lanes.free == 3
        if what == "place":
            rig.gateway.place("mine", EXIT)
        else:
            rig.gateway.amend(
                Amendment("mine", "id", "T", Side.ASK, PriceE4(5_000), CountE2(100), 0)
            )
        assert [(each.client_order_id, each.code) for each in refused] == [("mine", NO_LANE)]


async def test_connections_are_given_up_once_for_one_sleep(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """However many notice it; a loop that is a little late gives nothing up."""
    async with open_rig() as rig:
        await rig.until_running()
        exchange, whys = rig.gateway._exchange, list[str]()
        give_up = exchange.lanes.give_up

        def noted(why: str) -> None:
            whys.append(why)
            give_up(why)

        exchange.lanes.give_up = noted
        fall_asleep(STILL_MAX_S - LOOK_EVERY_S)
        await trio.sleep(1.0)
        assert whys == []
        fall_asleep(SLEPT_S)
        rig.gateway._watch.notice_standstill()
        await trio.sleep(2.0)
        assert len(whys) == 1
        assert "this machine stood still for" in whys[0]
        assert exchange.lanes.connected == 3
