"""Words that every body of the exchange uses: direction, prices, dollars."""

from __future__ import annotations

from arb.core.money import price_text
from arb.sim.exchange.account import ONE_DOLLAR_E4
from arb.sim.exchange.values import BookSide

Json = dict[str, object]


def direction(side: BookSide) -> Json:
    """Return the words for a side, the deprecated ones included as they are still sent."""
    outcome = "yes" if side is BookSide.BID else "no"
    return {"action": "buy", "book_side": side.value, "outcome_side": outcome, "side": outcome}


def prices(price_e4: int) -> Json:
    """Return a YES price with its complement."""
    return {
        "no_price_dollars": price_text(ONE_DOLLAR_E4 - price_e4),
        "yes_price_dollars": price_text(price_e4),
    }


def dollars_text(money_e6: int) -> str:
    """Write money with four decimals, to which a direct member's balance is always even."""
    return price_text(money_e6 // 100)
