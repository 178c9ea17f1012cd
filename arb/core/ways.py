"""The two ways to hold one opinion: YES of a team, or NO of its opponent's market.

In the one YES book that a market has, NO is bought by selling to whoever bids for YES; it costs a
dollar less that bid.
"""

from __future__ import annotations

from enum import StrEnum

import attrs

from arb.core.events import Liquidity, Side
from arb.core.fees import FeeSchedule
from arb.core.money import ONE_DOLLAR_E4, CountE2, MoneyE6, PriceE4


class Outcome(StrEnum):
    """What is bought."""

    YES = "YES"
    NO = "NO"

    @property
    def other(self) -> Outcome:
        """Return what whoever is on the other side of the trade buys."""
        return Outcome.NO if self is Outcome.YES else Outcome.YES

    @property
    def side(self) -> Side:
        """Return the side of the YES book on which it is bought."""
        return Side.BID if self is Outcome.YES else Side.ASK

    def own_price_e4(self, price_e4: PriceE4) -> PriceE4:
        """Return what a contract of it costs at a YES price."""
        return price_e4 if self is Outcome.YES else PriceE4(ONE_DOLLAR_E4 - price_e4)


@attrs.frozen
class Way:
    """One way, priced: what a contract of it costs, and what a count of them with the fee."""

    outcome: Outcome
    price_e4: PriceE4
    count_e2: CountE2
    liquidity: Liquidity
    cost_e6: MoneyE6

    @property
    def contract_e4(self) -> PriceE4:
        """Return what one contract costs with its fee, rounded up."""
        return PriceE4(-(-self.cost_e6 // self.count_e2))


def way_of(
    outcome: Outcome, price_e4: PriceE4, count_e2: CountE2, liquidity: Liquidity, fees: FeeSchedule
) -> Way:
    """Price buying an outcome at a YES price; ``count_e2`` is above 0."""
    own_e4 = outcome.own_price_e4(price_e4)
    fee_e6 = fees.fee_e6(price_e4, count_e2, liquidity, outcome.side)
    return Way(outcome, own_e4, count_e2, liquidity, MoneyE6(own_e4 * count_e2 + fee_e6))


def preferred(one: Way, other: Way) -> Way:
    """Return the better way to hold one opinion: what fills now, then what costs less, then YES.

    Whoever rests may not be filled, and that is worth less than the fee it saves: where the edge
    is a taker's, so says the taker's threshold.
    """
    return min(one, other, key=_rank)


def _rank(way: Way) -> tuple[bool, int, bool]:
    return way.liquidity is Liquidity.MAKER, way.cost_e6, way.outcome is Outcome.NO
