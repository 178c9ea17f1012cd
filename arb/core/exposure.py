"""The most that can be lost by what we hold and what may still fill.

Worst case: every position becomes worthless, and every entry that is pending, resting or
unknown fills to the end at its price, as a taker. Exits lessen a position; they add nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from arb.core.events import Liquidity, Side
from arb.core.ledger import Ledger, Position
from arb.core.money import ONE_DOLLAR_E4, CountE2, MoneyE6, PriceE4, cost_e6
from arb.core.orders import Order

# The fee of a market, as money, from price, count and liquidity: each market brings its own.
FeeOf = Callable[[str, PriceE4, CountE2, Liquidity], MoneyE6]


def entry_cost_e6(
    ticker: str, side: Side, price_e4: PriceE4, count_e2: CountE2, fee_of: FeeOf
) -> MoneyE6:
    """Return what an entry costs if all of it fills, with the dearer of the two fees."""
    own_price_e4 = price_e4 if side is Side.BID else PriceE4(ONE_DOLLAR_E4 - price_e4)
    fee_e6 = fee_of(ticker, price_e4, count_e2, Liquidity.TAKER)
    return MoneyE6(cost_e6(own_price_e4, count_e2) + fee_e6)


def position_exposure_e6(position: Position) -> MoneyE6:
    """Return what is lost if a position ends worthless."""
    return position.cost_e6


def order_exposure_e6(order: Order, fee_of: FeeOf) -> MoneyE6:
    """Return what the unfilled part of an order may add to the loss; 0 for exits."""
    if not order.is_entry or not order.at_stake_e2:
        return MoneyE6(0)
    return entry_cost_e6(order.intent.ticker, order.side, order.price_e4, order.at_stake_e2, fee_of)


def market_exposure_e6(ledger: Ledger, ticker: str, fee_of: FeeOf) -> MoneyE6:
    """Return the worst loss of one market, orders at stake included."""
    position = ledger.positions.get(ticker)
    held_e6 = position_exposure_e6(position) if position is not None else 0
    at_stake_e6 = sum(order_exposure_e6(order, fee_of) for order in ledger.at_stake(ticker))
    return MoneyE6(held_e6 + at_stake_e6)


def by_hand_exposure_e6(ledger: Ledger, fee_of: FeeOf) -> MoneyE6:
    """Return what a person's own orders may add to the loss, beyond closing what is held."""
    total_e6 = 0
    for order in ledger.by_hand:
        held_e2 = ledger.position(order.ticker).count_e2
        closable_e2 = max(0, -held_e2 if order.side is Side.BID else held_e2)
        opening_e2 = CountE2(order.remaining_e2 - closable_e2)
        if opening_e2 > 0:
            total_e6 += entry_cost_e6(order.ticker, order.side, order.price_e4, opening_e2, fee_of)
    return MoneyE6(total_e6)


def total_exposure_e6(ledger: Ledger, fee_of: FeeOf) -> MoneyE6:
    """Return the worst loss over all markets."""
    markets_e6 = sum(
        market_exposure_e6(ledger, ticker, fee_of) for ticker in ledger.active_tickers()
    )
    return MoneyE6(markets_e6 + by_hand_exposure_e6(ledger, fee_of))
