"""An entry opens a position, on whichever side it stands: it never closes one."""

from __future__ import annotations

from typing import Any

import pytest

from arb.core.events import Side
from arb.core.ledger import Ledger
from arb.core.orders import OrderState
from arb.core.parameters import Risk
from arb.core.permission import Permission
from arb.core.risk import RefusalCode, review
from tests.core.order_factory import EXIT, hold, intent, ledger_with, no_fee, order_in


def code(ledger: Ledger, **changes: Any) -> RefusalCode | None:
    """Review the usual entry with some things different, and return the refusal's code."""
    refusal = review(intent(**changes), ledger, Risk(), Permission(ready=True), no_fee)
    return None if refusal is None else refusal.code


@pytest.mark.parametrize("held, side, refused", [
    (500, Side.BID, False),
    (-500, Side.ASK, False),
    (500, Side.ASK, True),
    (-500, Side.BID, True),
])  # fmt: skip
def test_an_entry_never_closes_a_position(held: int, side: Side, refused: bool) -> None:
    """Against what is held it would be an exit without its exit's rules."""
    ledger = ledger_with()
    hold(ledger, held)
    expected = RefusalCode.OTHER_SIDE_HELD if refused else None

    assert code(ledger, side=side) is expected


@pytest.mark.parametrize("side, refused", [(Side.BID, False), (Side.ASK, True)])
def test_an_entry_never_stands_beside_an_exit(side: Side, refused: bool) -> None:
    """While a sale of ours may fill, nothing else is sold: the sum may be more than is held."""
    ledger = ledger_with(order_in(OrderState.UNKNOWN, wish=EXIT))
    expected = RefusalCode.OTHER_SIDE_HELD if refused else None

    assert code(ledger, side=side) is expected
