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


@attrs.frozen
class Way:
    """One way, priced: what a contract of it costs, and what a count of them with the fee."""

    outcome: Outcome
    price_e4: PriceE4
    count_e2: CountE2
    cost_e6: MoneyE6

    @property
    def contract_e4(self) -> PriceE4:
        """Return what one contract costs with its fee, rounded up."""
        return PriceE4(-(-self.cost_e6 // self.count_e2))


def yes_way(price_e4: PriceE4, count_e2: CountE2, liquidity: Liquidity, fees: FeeSchedule) -> Way:
    """Price buying YES; ``count_e2`` is above 0."""
    fee_e6 = fees.fee_e6(price_e4, count_e2, liquidity, Side.BID)
    return Way(Outcome.YES, price_e4, count_e2, MoneyE6(price_e4 * count_e2 + fee_e6))


def no_way(bid_e4: PriceE4, count_e2: CountE2, fees: FeeSchedule) -> Way:
    """Price taking NO of the opponent's market at its bid; ``count_e2`` is above 0.

    The two markets of a game belong to one series and have its fees.
    """
    price_e4 = PriceE4(ONE_DOLLAR_E4 - bid_e4)
    fee_e6 = fees.fee_e6(bid_e4, count_e2, Liquidity.TAKER, Side.ASK)
    return Way(Outcome.NO, price_e4, count_e2, MoneyE6(price_e4 * count_e2 + fee_e6))


def cheaper(yes: Way, no: Way) -> Way:
    """Return the way that costs less after fees; YES where both cost the same."""
    return no if no.cost_e6 < yes.cost_e6 else yes
