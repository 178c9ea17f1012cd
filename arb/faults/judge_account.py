"""The judge of the whole account: our ledger beside the exchange's own, to the last unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from arb.core.exposure import FeeOf, RivalOf, market_losses, total_exposure_e6, worst_e6
from arb.core.ledger import Ledger


def account_differences(ledger: Ledger, truth: Mapping[str, Any]) -> list[str]:
    """Return where a ledger is not what the exchange's own says, as `arb.sim.truth` tells it.

    Cash, positions, fees, gains, every fill, every settlement, and every order that rests: one
    that rests and is not in the ledger is nobody's.
    """
    ours = _account(ledger)
    found = [
        f"{name}: {_apart(ours[name], truth[name])}" for name in ours if ours[name] != truth[name]
    ]
    placed = Counter(name for name, _ in truth["filled_e2"])
    found += [f"{name} was placed {times} times" for name, times in placed.items() if times > 1]
    for name, filled_e2 in truth["filled_e2"]:
        order = ledger.orders.get(name)
        if order is None:
            found.append(f"{name} was placed and is in no ledger")
        elif order.filled_e2 != filled_e2:
            found.append(f"{name} filled {order.filled_e2} here, {filled_e2} there")
    return found


def exposure_beside_e6(
    ledger: Ledger, fee_of: FeeOf, rival_of: RivalOf, left_out: Collection[str]
) -> int:
    """Return what a ledger's games may lose, but for those of some markets."""
    games = {frozenset({ticker, rival_of(ticker) or ticker}) for ticker in left_out}
    losses = ([market_losses(ledger, each, fee_of) for each in sorted(game)] for game in games)
    return total_exposure_e6(ledger, fee_of, rival_of) - sum(worst_e6(*each) for each in losses)


def _account(ledger: Ledger) -> dict[str, Any]:
    positions = ledger.positions
    return {
        "cash_e6": ledger.cash_e6,
        "positions": {t: p.count_e2 for t, p in positions.items() if p.count_e2},
        "fees_e6": {t: p.fees_e6 for t, p in positions.items() if p.fees_e6},
        "realised_e6": {t: p.realised_e6 for t, p in positions.items() if p.realised_e6},
        "resting": {
            order.client_order_id: [order.price_e4, order.at_stake_e2]
            for order in ledger.all_at_stake()
            if order.is_open
        },
        "fills": ledger.fills_booked,
        "trade_ids": sorted(ledger.trade_ids),
    }


def _apart(here: Any, there: Any) -> str:
    """Say where two values differ; of many entries, those alone that do."""
    if isinstance(here, dict) and isinstance(there, dict):
        keys = [key for key in {**here, **there} if here.get(key) != there.get(key)]
        return ", ".join(f"{key} {here.get(key)} here, {there.get(key)} there" for key in keys)
    if isinstance(here, list):
        lost, invented = sorted(set(there) - set(here)), sorted(set(here) - set(there))
        return f"lost {lost}, invented {invented}"
    return f"{here} here, {there} there"
