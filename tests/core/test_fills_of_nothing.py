"""Fills of no contracts, which no exchange should send and a journal may hold."""

from __future__ import annotations

import attrs
import pytest

from arb.core.ledger import Ledger
from arb.core.money import CountE2, MoneyE6
from tests.core.order_factory import CASH, NYY, fill, hold


@pytest.mark.parametrize("held", [0, 300, -300])
def test_a_fill_of_nothing_moves_nothing_but_its_fee(held: int) -> None:
    """A journal that holds one is read: neither contracts nor what they cost change."""
    ledger = Ledger(CASH)
    if held:
        hold(ledger, held)
    cash_e6, before = ledger.cash_e6, attrs.evolve(ledger.position(NYY))

    assert ledger.book(fill(count_e2=CountE2(0), fee_e6=MoneyE6(5)))
    after = ledger.position(NYY)
    assert (after.count_e2, after.cost_e6) == (before.count_e2, before.cost_e6)
    assert (after.open_fees_e6, ledger.cash_e6) == (before.open_fees_e6, cash_e6 - 5)
