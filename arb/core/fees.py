"""What the exchange charges for a fill, to the last digit and in integers.

The schedule of 2026-07-07: a trade fee of ``rate * M * C * P * (1 - P)``, rounded up to
$0.0001; then the balance change is rounded down to the member's precision, and what that takes
is charged too; an order that has lost more than a cent to this gets a cent back. Rate and
multiplier are read from the series, never assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

import attrs

from arb.core.events import Liquidity, Side
from arb.core.money import ONE_CENT_E6, ONE_DOLLAR_E4, MoneyE6

# Rates times 10**4, taker and maker: a maker pays a quarter of a taker, half with combos.
RATES_E4: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "quadratic": (700, 0),
        "quadratic_with_maker_fees": (700, 175),
        "quadratic_with_combo_maker_fees": (700, 350),
    }
)

# What a balance of a direct member (who trades through the interface) is kept to, and others'.
DIRECT_PRECISION_E6 = 100
OTHER_PRECISION_E6 = ONE_CENT_E6

MULTIPLIER_ONE_E4 = 10_000

# The exchange's multipliers are 0.5 and 1; one a hundred times as large is damage.
MULTIPLIER_MAX_E4 = 100 * MULTIPLIER_ONE_E4

# rate, multiplier, price and its complement are times 10**4 each, the count times 10**2.
_PRODUCT_PER_CENTICENT = 10**14
_CENTICENT_E6 = 100


class UnknownFees(ValueError):
    """A fee structure that we cannot compute, so that nothing may be traded under it."""


class FeeRounding(Enum):
    """What the trade fee is rounded up to, in millionths of a dollar.

    The exchange charges by the hundredth of a cent; its published table shows whole cents.
    """

    CENTICENT = _CENTICENT_E6
    WHOLE_CENT = ONE_CENT_E6


@attrs.frozen
class FeeSchedule:
    """The fees of one series; raises `UnknownFees` for a type that we cannot compute."""

    fee_type: str
    multiplier_e4: int = MULTIPLIER_ONE_E4
    rounding: FeeRounding = FeeRounding.CENTICENT

    def __attrs_post_init__(self) -> None:
        """Refuse what would otherwise be charged differently from what we expect."""
        if self.fee_type not in RATES_E4:
            known = ", ".join(RATES_E4)
            raise UnknownFees(f"fee type {self.fee_type!r} is unknown; known are {known}")
        if not 0 <= self.multiplier_e4 <= MULTIPLIER_MAX_E4:
            raise UnknownFees(f"fee multiplier {self.multiplier_e4} e-4 is not within 0 to 100")

    def trade_fee_e6(self, price_e4: int, count_e2: int, liquidity: Liquidity) -> MoneyE6:
        """Return the trade fee of one fill, rounded up, before the balance is rounded.

        It is the same for the YES price and for the NO price of a fill.
        """
        taker_e4, maker_e4 = RATES_E4[self.fee_type]
        rate_e4 = taker_e4 if liquidity is Liquidity.TAKER else maker_e4
        variance_e8 = price_e4 * (ONE_DOLLAR_E4 - price_e4)
        product = rate_e4 * self.multiplier_e4 * count_e2 * variance_e8
        unit_e6 = self.rounding.value
        per_unit = _PRODUCT_PER_CENTICENT * (unit_e6 // _CENTICENT_E6)
        return MoneyE6(-(-product // per_unit) * unit_e6)

    def fee_e6(
        self, price_e4: int, count_e2: int, liquidity: Liquidity, side: Side = Side.BID
    ) -> MoneyE6:
        """Return all that a direct member pays for one order that fills at once and at one price.

        In several fills it may come to a hundredth of a cent more for each. One fill's rounding
        is below a hundredth of a cent, so that no rebate can be due.
        """
        trade_fee_e6 = self.trade_fee_e6(price_e4, count_e2, liquidity)
        value_e6 = price_e4 * count_e2
        revenue_e6 = -value_e6 if side is Side.BID else value_e6
        return MoneyE6(trade_fee_e6 + (revenue_e6 - trade_fee_e6) % DIRECT_PRECISION_E6)


@attrs.define
class FeeMeter:
    """The fees of one order, fill by fill: what rounding took is carried from fill to fill."""

    schedule: FeeSchedule
    precision_e6: int = DIRECT_PRECISION_E6
    accumulator_e6: int = attrs.field(default=0, init=False)

    def charge_e6(
        self, price_e4: int, count_e2: int, liquidity: Liquidity, side: Side = Side.BID
    ) -> MoneyE6:
        """Return the fee of the order's next fill, as the exchange's ``fee_cost`` shows it.

        Price and side are of the YES book. Whether an ask closes YES or opens NO makes no
        difference: the two change the balance by amounts whole cents apart.
        """
        trade_fee_e6 = self.schedule.trade_fee_e6(price_e4, count_e2, liquidity)
        value_e6 = price_e4 * count_e2
        return self.rounded_e6(-value_e6 if side is Side.BID else value_e6, trade_fee_e6)

    def rounded_e6(self, revenue_e6: int, trade_fee_e6: int) -> MoneyE6:
        """Return a trade fee with the rounding of its balance change and a rebate that is due.

        ``revenue_e6`` is what the fill pays us without fees, negative for a purchase.
        """
        rounding_e6 = (revenue_e6 - trade_fee_e6) % self.precision_e6
        self.accumulator_e6 += rounding_e6
        rebate_e6 = ONE_CENT_E6 if self.accumulator_e6 > ONE_CENT_E6 else 0
        self.accumulator_e6 -= rebate_e6
        return MoneyE6(trade_fee_e6 + rounding_e6 - rebate_e6)


def schedule_from_series(fee_type: str, fee_multiplier: float) -> FeeSchedule:
    """Read a series' ``fee_type`` and ``fee_multiplier``, a JSON number; raises `UnknownFees`."""
    if isinstance(fee_multiplier, bool) or not isinstance(fee_multiplier, (int, float)):
        raise UnknownFees(f"fee multiplier {fee_multiplier!r} is not a number")
    if not 0 <= fee_multiplier <= MULTIPLIER_MAX_E4 // MULTIPLIER_ONE_E4:
        raise UnknownFees(f"fee multiplier {fee_multiplier!r} is not within 0 to 100")
    multiplier_e4 = round(fee_multiplier * MULTIPLIER_ONE_E4)
    if multiplier_e4 / MULTIPLIER_ONE_E4 != fee_multiplier:
        raise UnknownFees(f"fee multiplier {fee_multiplier!r} has more than four decimals")
    return FeeSchedule(fee_type, multiplier_e4)
