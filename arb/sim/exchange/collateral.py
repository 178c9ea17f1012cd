"""What must be set aside for resting orders, so that no fill can ever overdraw an account.

An order that lessens a position needs nothing; what it would open needs its full price, because
the exchange lends none. The fee is set aside at its highest.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from arb.sim.exchange.account import ONE_DOLLAR_E4, Account
from arb.sim.exchange.fees import FeeSchedule
from arb.sim.exchange.values import BookSide


@attrs.frozen
class Claim:
    """An order, or a wish for one, as far as its collateral is concerned."""

    side: BookSide
    price_e4: int
    count_e2: int


def claims_in(account: Account, ticker: str, *, without: str | None = None) -> list[Claim]:
    """Return the claims of an account's resting orders in one market, one order left out."""
    return [
        Claim(order.side, order.price_e4, order.remaining_e2)
        for order in account.resting_in(ticker)
        if order.order_id != without
    ]


def needed_e6(position_e2: int, claims: Iterable[Claim], fees: FeeSchedule) -> int:
    """Return the collateral of one market's orders, the position in it closed by the best first."""
    claims = list(claims)
    return sum(_side_needs_e6(position_e2, claims, side, fees) for side in BookSide)


def _side_needs_e6(position_e2: int, claims: list[Claim], side: BookSide, fees: FeeSchedule) -> int:
    closable_e2 = max(-position_e2 if side is BookSide.BID else position_e2, 0)
    best_first = sorted(
        (claim for claim in claims if claim.side is side),
        key=lambda claim: -claim.price_e4 if side is BookSide.BID else claim.price_e4,
    )
    total_e6 = 0
    for claim in best_first:
        closing_e2 = min(closable_e2, claim.count_e2)
        closable_e2 -= closing_e2
        own_e4 = claim.price_e4 if side is BookSide.BID else ONE_DOLLAR_E4 - claim.price_e4
        opening_e2 = claim.count_e2 - closing_e2
        if opening_e2:
            total_e6 += opening_e2 * own_e4 + fees.highest_fee_e6(opening_e2)
    return total_e6
