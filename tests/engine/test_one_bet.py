"""Two markets of one game are one bet, for whoever stakes a share of the cash on it."""

# flake8: noqa: ASYNC124 - a clock needs a running loop, whether anything waits or not

from __future__ import annotations

import pytest

from arb.core.commands import OrderIntent
from arb.core.ledger import Ledger
from arb.core.money import CountE2, MoneyE6
from arb.core.parameters import Risk, Strategy
from arb.core.permission import Permission
from arb.engine.bookkeeping import Bookkeeper
from arb.settings import Settings
from tests.core.order_factory import BOS, NYY, hold, intent
from tests.engine.market_bench import bench_parts

WISH = intent(count_e2=CountE2(100_000), fair=0.6, low=0.6)
WIDE = Risk(
    max_contracts_per_market=5_000,
    max_total_exposure_cents=1_000_000,
    max_game_exposure_cents=1_000_000,
    price_collar=50,
)


def staked_e2(ledger_holds: tuple[str, int] | None) -> int:
    """Return how much Kelly buys of one market with something held there or in the other one."""
    parts = bench_parts()
    parts.retune(Settings(strategy=Strategy(sizing="kelly", kelly_fraction=1.0)))
    books = Bookkeeper(parts)
    books.ledger.cash_e6 = MoneyE6(1_000_000_000)
    if ledger_holds is not None:
        hold_beside_the_cash(books.ledger, *ledger_holds)
    found = books.fitted(WISH, WIDE, Permission(ready=True))
    assert isinstance(found, OrderIntent)
    return found.count_e2


def hold_beside_the_cash(ledger: Ledger, ticker: str, count_e2: int) -> None:
    """Let something be held that has cost nothing of what is free."""
    cash_e6 = ledger.cash_e6
    hold(ledger, count_e2, ticker=ticker)
    ledger.cash_e6 = cash_e6


@pytest.mark.parametrize("held", [(NYY, 10_000), (BOS, -10_000), (BOS, 10_000)])
async def test_what_is_held_of_either_market_is_staked_already(
    autojump_clock: object, held: tuple[str, int]
) -> None:
    """A hundred contracts of the game are a hundred less, in whichever of its markets."""
    assert staked_e2(held) == staked_e2(None) - 10_000
