"""How many contracts one entry buys: the stake that is wished, cut to what may be had.

Kelly stakes a share of the cash: the edge over the price after fee, divided by what a contract
can win. The chance is the least that the books leave, and what positions hold is no cash: what is
staked already is not staked again, so that bets side by side never stake more than there is.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from arb.core.commands import OrderIntent
from arb.core.events import Side
from arb.core.exposure import FeeOf, entry_cost_e6
from arb.core.money import ONE_CONTRACT_E2, ONE_DOLLAR_E6, CountE2, MoneyE6, cents
from arb.core.risk import Refusal, RefusalCode

# A larger count may pass none of these where a smaller one does; all others ask for no count.
CUT_BY = frozenset(
    {
        RefusalCode.CONTRACTS_PER_MARKET,
        RefusalCode.GAME_EXPOSURE,
        RefusalCode.TOTAL_EXPOSURE,
        RefusalCode.BALANCE,
        RefusalCode.SHARD_BALANCE,
    }
)

# Chances and fractions are floats; from here on a stake is counted in integers.
_PARTS = 1_000_000

WhyNot = Callable[[OrderIntent], Refusal | None]


@attrs.frozen
class Stake:
    """What Kelly stakes: a fraction of what the edge calls for, of the cash that is free.

    ``held_e2`` is what is staked on the game already, in either of its markets.
    """

    fraction: float
    cash_e6: MoneyE6
    held_e2: CountE2

    def count_e2(self, wish: OrderIntent, fee_of: FeeOf) -> CountE2:
        """Return how many whole contracts to buy beside what is held of the game."""
        one_e2 = CountE2(ONE_CONTRACT_E2)
        cost_e6 = entry_cost_e6(wish.ticker, wish.side, wish.price_e4, one_e2, fee_of)
        edge_e6 = int(_least(wish) * ONE_DOLLAR_E6) - cost_e6
        if edge_e6 <= 0 or self.cash_e6 <= 0:
            return CountE2(0)
        fraction = int(self.fraction * _PARTS)
        stake_e6 = self.cash_e6 * edge_e6 * fraction // ((ONE_DOLLAR_E6 - cost_e6) * _PARTS)
        whole_e2 = stake_e6 // cost_e6 * ONE_CONTRACT_E2
        return CountE2(max(0, whole_e2 - abs(self.held_e2)))


def by_kelly(wish: OrderIntent, stake: Stake, fee_of: FeeOf) -> OrderIntent | Refusal:
    """Cut a wish to what Kelly stakes on it, or refuse it where that is less than a contract."""
    count_e2 = stake.count_e2(wish, fee_of)
    if count_e2 >= wish.count_e2:
        return wish
    if count_e2 < ONE_CONTRACT_E2:
        text = f"bought at {cents(wish.price_e4)}c with a chance of {_least(wish):.4f} to win"
        return Refusal(wish.ticker, wish.purpose, RefusalCode.STAKE_TOO_SMALL, text)
    return attrs.evolve(wish, count_e2=count_e2)


def cut(wish: OrderIntent, why_not: WhyNot) -> OrderIntent | Refusal:
    """Cut a wish to the most whole contracts that every limit lets through, or refuse it."""
    refusal = why_not(wish)
    if refusal is None:
        return wish
    if refusal.code not in CUT_BY or wish.count_e2 <= ONE_CONTRACT_E2:
        return refusal
    passes, fails = 1, -(-wish.count_e2 // ONE_CONTRACT_E2)
    refusal = why_not(_of(wish, passes))
    if refusal is not None:
        return refusal
    while fails - passes > 1:
        middle = (passes + fails) // 2
        if why_not(_of(wish, middle)) is None:
            passes = middle
        else:
            fails = middle
    return _of(wish, passes)


def _of(wish: OrderIntent, whole: int) -> OrderIntent:
    return attrs.evolve(wish, count_e2=CountE2(whole * ONE_CONTRACT_E2))


def _least(wish: OrderIntent) -> float:
    if wish.low is not None:
        return wish.low
    return wish.fair if wish.side is Side.BID else 1.0 - wish.fair
