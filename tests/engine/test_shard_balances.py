"""Cash on the wrong shard: nothing is bought with it, and everybody hears why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import trio

from arb.core.risk import RefusalCode
from tests.engine.conftest import Rig

OpenRig = Callable[..., Any]


def entries_on(rig: Rig, shard: int) -> int:
    """Count the entries that ever came to a shard."""
    markets = rig.simulation.venue.markets
    return sum(markets[order.ticker].exchange_index == shard for order in rig.entries())


async def test_a_shard_without_cash_buys_nothing_until_it_has_some(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """The exchange is not asked in vain; money that is moved there is seen at the next reading."""
    async with open_rig() as rig:
        cash_e6, refusals = rig.account.cash_e6, rig.board.refusals
        cash_e6[0], cash_e6[3] = cash_e6[0] + cash_e6[3], 0
        await rig.until(lambda: refusals[RefusalCode.SHARD_BALANCE.value] > 3, 300)
        assert entries_on(rig, 0)
        assert not entries_on(rig, 3)
        # Enough for one entry of five contracts at a time, whatever it costs.
        cash_e6[0], cash_e6[3] = cash_e6[0] - 5_500_000, 5_500_000
        await rig.until(lambda: entries_on(rig, 3) > 1, 300)
        await rig.withdraw(cancel_exits=True)
        await trio.sleep(2)

        assert not [code for code in refusals if code.startswith("exchange: insufficient")]
        rig.assert_books_equal()
