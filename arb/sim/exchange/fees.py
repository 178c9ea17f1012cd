"""Trading fees to the documented rounding, in whole millionths of a dollar.

Two steps for each fill (fee schedule of 2026-07-07 and the exchange's page on fee rounding): the
trade fee is rounded up to a hundredth of a cent, then the change of balance is rounded down to
one, and what that takes is paid back, a cent at a time, as it adds up over an order.
"""

from __future__ import annotations

from enum import StrEnum

import attrs

from arb.sim.exchange.values import Order

TAKER_RATE_E4 = 700
MAKER_RATE_E4 = 175
COMBO_MAKER_RATE_E4 = 350

# The balance of a direct member moves in hundredths of a cent.
_STEP_E6 = 100
_REBATE_E6 = 10_000
_ONE_E4 = 10_000
# rate, multiplier, price and its complement each times 10**4, the count times 10**2: 10**18 in
# all, of which a step of 10**-4 dollars is 10**14.
_STEP_OF_PRODUCT = 10**14


class FeeType(StrEnum):
    """The kinds of fee a series can have."""

    QUADRATIC = "quadratic"
    QUADRATIC_WITH_MAKER_FEES = "quadratic_with_maker_fees"
    QUADRATIC_WITH_COMBO_MAKER_FEES = "quadratic_with_combo_maker_fees"


_MAKER_RATES = {
    FeeType.QUADRATIC: 0,
    FeeType.QUADRATIC_WITH_MAKER_FEES: MAKER_RATE_E4,
    FeeType.QUADRATIC_WITH_COMBO_MAKER_FEES: COMBO_MAKER_RATE_E4,
}


@attrs.frozen
class FeeSchedule:
    """A series' fee; ``multiplier_e4`` is its multiplier times 10**4."""

    fee_type: FeeType = FeeType.QUADRATIC_WITH_MAKER_FEES
    multiplier_e4: int = _ONE_E4

    def trade_fee_e6(self, price_e4: int, count_e2: int, *, is_taker: bool) -> int:
        """Return the fee of one fill before the rounding of the balance; YES or NO price alike."""
        rate_e4 = TAKER_RATE_E4 if is_taker else _MAKER_RATES[self.fee_type]
        product = rate_e4 * self.multiplier_e4 * count_e2 * price_e4 * (_ONE_E4 - price_e4)
        return -(-product // _STEP_OF_PRODUCT) * _STEP_E6

    def highest_fee_e6(self, count_e2: int) -> int:
        """Return a fee that no fill of so many contracts can exceed, all roundings included."""
        middle = self.trade_fee_e6(_ONE_E4 // 2, count_e2, is_taker=True)
        return middle + _STEP_E6


def charge_e6(
    schedule: FeeSchedule,
    order: Order,
    revenue_e6: int,
    price_e4: int,
    count_e2: int,
    *,
    is_taker: bool,
) -> int:
    """Return what a fill costs in fees and remember in ``order`` the rounding still owed to it.

    ``revenue_e6`` is what the fill brings before fees, negative for a purchase.
    """
    trade_fee_e6 = schedule.trade_fee_e6(price_e4, count_e2, is_taker=is_taker)
    change_e6 = revenue_e6 - trade_fee_e6
    rounding_e6 = change_e6 % _STEP_E6
    order.accumulator_e6 += rounding_e6
    rebate_e6 = _REBATE_E6 if order.accumulator_e6 > _REBATE_E6 else 0
    order.accumulator_e6 -= rebate_e6
    return trade_fee_e6 + rounding_e6 - rebate_e6
