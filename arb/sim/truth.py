"""What is true in a simulated world, for whoever judges an engine that lives in another process."""

from __future__ import annotations

from typing import Any

from arb.sim.exchange.markets import MarketStatus
from arb.sim.exchange.values import BookSide
from arb.sim.simulation import Simulation


def truth_of(simulation: Simulation) -> dict[str, Any]:
    """Return every book and the member's account, to the last unit, as JSON has it."""
    member = simulation.member
    return {
        "books": {
            ticker: {side.value: _levels(market, side) for side in BookSide}
            for ticker, market in simulation.venue.markets.items()
        },
        "cash_e6": member.total_cash_e6,
        "positions": {t: p.count_e2 for t, p in member.positions.items() if p.count_e2},
        "fees_e6": {t: p.fees_e6 for t, p in member.positions.items() if p.fees_e6},
        "realised_e6": {t: p.realised_e6 for t, p in member.positions.items() if p.realised_e6},
        "resting": {
            str(order.client_order_id): [order.price_e4, order.remaining_e2]
            for order in member.resting.values()
        },
        "fills": len(member.fills),
        "trade_ids": sorted(fill.trade_id for fill in member.fills),
        "settled": sorted([end.ticker, end.count_e2, end.value_e4] for end in member.settlements),
        "ended": sum(
            market.status is MarketStatus.FINALIZED for market in simulation.venue.markets.values()
        ),
        "orders": len(member.history),
        "filled_e2": [[o.client_order_id, o.filled_e2] for o in member.history.values()],
    }


def _levels(market: Any, side: BookSide) -> dict[str, int]:
    levels: dict[str, int] = {}
    for order in market.book.orders():
        if order.side is side:
            key = str(order.price_e4)
            levels[key] = levels.get(key, 0) + order.remaining_e2
    return levels
