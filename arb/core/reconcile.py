"""Whether the exchange and we agree on positions and cash, to the last unit."""

from __future__ import annotations

from collections.abc import Mapping

from arb.core.ledger import Ledger
from arb.core.money import CountE2, contracts, money_text

# Beyond a few markets a person reads the journal, not a line of text.
MARKETS_NAMED_MAX = 3


def difference(ledger: Ledger, cash_e6: int, positions: Mapping[str, CountE2]) -> str | None:
    """Say in one line where the exchange's account differs from the ledger, or None."""
    differing = [
        f"{ticker}: {contracts(positions.get(ticker, CountE2(0)))} there, "
        f"{contracts(_held_e2(ledger, ticker))} here"
        for ticker in sorted(positions.keys() | ledger.positions.keys())
        if positions.get(ticker, 0) != _held_e2(ledger, ticker)
    ]
    if len(differing) > MARKETS_NAMED_MAX:
        rest = len(differing) - MARKETS_NAMED_MAX
        differing = [*differing[:MARKETS_NAMED_MAX], f"and {rest} more"]
    if cash_e6 != ledger.cash_e6:
        here, there = money_text(ledger.cash_e6), money_text(cash_e6)
        differing.append(f"cash: ${there} there, ${here} here")
    return "; ".join(differing) or None


def _held_e2(ledger: Ledger, ticker: str) -> CountE2:
    position = ledger.positions.get(ticker)
    return position.count_e2 if position is not None else CountE2(0)
