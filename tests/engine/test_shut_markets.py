"""A market that takes no orders, alone and at the risk manager's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import trio

from arb.core.commands import OrderIntent
from arb.core.events import Side
from arb.core.listing import Catalogue, MarketStatus
from arb.core.risk import RefusalCode
from arb.engine.messages import Relisted
from arb.engine.names import RISK
from arb.sim.exchange.lifecycle import pause_market
from tests.core.order_factory import BOS, ENTRY, EXIT, NYY, listing
from tests.engine.listing_bench import first_game
from tests.engine.market_bench import Bench, open_bench, open_order
from tests.engine.test_listed import found

OpenRig = Callable[..., Any]


def relist(bench: Bench, status: MarketStatus) -> None:
    """List the bench's market with another status, and tell it."""
    changed = attrs.evolve(listing(NYY), status=status)
    bench.parts.relist(found(), Catalogue((changed, listing(BOS))))
    bench.tell(Relisted())


async def test_a_sale_waits_for_the_market(autojump_clock: object) -> None:
    """While the market is paused nothing is wished; when it is resumed the sale is."""
    async with open_bench() as bench:
        await bench.ready(0.6)
        bench.top(5_900, 6_100)
        bench.quote(2.6, "a")
        relist(bench, MarketStatus.INACTIVE)
        bench.hold(500)
        await trio.sleep(1)
        assert bench.wishes() == []

        relist(bench, MarketStatus.ACTIVE)
        (sale,) = bench.wishes()
        assert isinstance(sale, OrderIntent)
        assert (sale.side, sale.count_e2) == (Side.ASK, 500)


async def test_a_pause_takes_back_what_rests_to_be_bought(autojump_clock: object) -> None:
    """An entry that rests is cancelled at once: it would rest at an old fair value."""
    async with open_bench() as bench:
        await bench.ready(0.6)
        bench.top(4_000, 4_200)
        bench.hold(0, open_order())
        assert bench.cancels() == []
        relist(bench, MarketStatus.INACTIVE)

        (cancel,) = bench.cancels()
        assert (cancel.client_order_id, cancel.why) == ("o1", "Kalshi has paused the market")


async def test_risk_refuses_what_the_exchange_would(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Whoever wishes it: nothing is sent into a paused market, and the refusal says why."""
    async with open_rig() as rig:
        await rig.until_running()
        ticker = first_game(rig).home_ticker
        pause_market(rig.simulation.venue, rig.simulation.venue.markets[ticker])
        await trio.sleep(0.1)
        sent = len(rig.orders(ticker))
        for wish in (ENTRY, EXIT):
            rig.system.address(RISK).tell(attrs.evolve(wish, ticker=ticker))
        await trio.sleep(0.1)

        assert rig.board.refusals[RefusalCode.MARKET_SHUT.value] == 2
        assert len(rig.orders(ticker)) == sent
