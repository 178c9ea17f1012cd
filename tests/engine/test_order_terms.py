"""The terms of every order."""

from __future__ import annotations

import pytest
import trio

from arb.core.commands import OrderIntent, TimeInForce
from arb.core.events import OrderAccepted
from arb.engine.order_terms import terms_of
from arb.kalshi.wire_orders import SelfTrade
from tests.core.order_factory import ENTRY, EXIT, intent
from tests.engine.conftest import Member
from tests.engine.desk_bench import open_desk

IOC = TimeInForce.IMMEDIATE_OR_CANCEL
TAKING_EXIT = intent(purpose=EXIT.purpose, side=EXIT.side, time_in_force=IOC, post_only=False)


@pytest.mark.parametrize(
    "wish, meets_own, self_trade, reduce_only",
    [
        (ENTRY, True, SelfTrade.TAKER_AT_CROSS, False),
        (intent(time_in_force=IOC, post_only=False), True, SelfTrade.TAKER_AT_CROSS, False),
        (EXIT, True, SelfTrade.MAKER, False),
        (EXIT, False, SelfTrade.TAKER_AT_CROSS, False),
        (TAKING_EXIT, True, SelfTrade.MAKER, True),
        (TAKING_EXIT, False, SelfTrade.TAKER_AT_CROSS, True),
    ],
)
def test_a_buy_gives_way_to_a_sale_and_a_taking_sale_cannot_oversell(
    wish: OrderIntent, meets_own: bool, self_trade: SelfTrade, reduce_only: bool
) -> None:
    """Whichever came first, and only where it is ours; all of them end when trading pauses."""
    terms = terms_of(wish, meets_own=meets_own)

    assert (terms.self_trade, terms.reduce_only) == (self_trade, reduce_only)
    assert terms.cancel_on_pause


async def test_the_exchange_is_told_all_of_them(member: Member, autojump_clock: object) -> None:
    """What rests is post-only, expires, ends in a pause, and carries its self-trade rule."""
    async with open_desk(member) as bench:
        expires_s = bench.parts.clock.wall_ms() // 1000 + 15
        entry = bench.place(expires_s=expires_s)
        sale = bench.place(EXIT, price_e4=9_900)
        await trio.sleep(0.1)
        asked = {o.client_order_id: o.request for o in bench.account.resting.values()}
        assert asked[entry].expires_s == expires_s
        assert all(each.post_only and each.cancel_on_pause for each in asked.values())
        assert asked[entry].self_trade.value == "taker_at_cross"
        assert asked[sale].self_trade.value == "taker_at_cross"


async def test_a_sale_that_takes_sells_no_more_than_is_held(
    member: Member, autojump_clock: object
) -> None:
    """Without a position the exchange refuses it, whatever we had counted."""
    async with open_desk(member) as bench:
        name = bench.place(TAKING_EXIT, price_e4=100)
        await trio.sleep(0.1)
        (event,) = bench.of(name)
        assert not isinstance(event, OrderAccepted)
        assert not bench.account.fills
