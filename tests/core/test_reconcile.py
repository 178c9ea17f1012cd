"""The line that says where the exchange and we differ."""

from __future__ import annotations

from arb.core.ledger import Ledger
from arb.core.money import CountE2, MoneyE6
from arb.core.reconcile import MARKETS_NAMED_MAX, difference
from tests.core.order_factory import CASH, hold


def held(**counts_e2: int) -> Ledger:
    """Make a ledger that holds some positions and has all its cash left."""
    ledger = Ledger(CASH)
    for ticker, count in counts_e2.items():
        hold(ledger, count, ticker=ticker)
    ledger.cash_e6 = CASH
    return ledger


def test_agreement_is_no_text() -> None:
    """Where positions and cash are equal there is nothing to say."""
    positions = {"A": CountE2(200), "B": CountE2(-100)}

    assert difference(held(A=200, B=-100), CASH, positions) is None


def test_flat_and_absent_are_the_same() -> None:
    """A market listed with nothing equals one that is not listed, on either side."""
    ledger = held(A=200)
    hold(ledger, -200, ticker="A")
    ledger.cash_e6 = CASH

    assert difference(ledger, CASH, {}) is None
    assert difference(Ledger(CASH), CASH, {"A": CountE2(0)}) is None


def test_each_kind_of_difference_is_named() -> None:
    """More there, less there, only there and only here each say both counts."""
    ledger = held(A=200, C=50)
    there = {"A": CountE2(150), "B": CountE2(-100)}

    assert difference(ledger, CASH, there) == (
        "A: 1.5 there, 2 here; B: -1 there, 0 here; C: 0 there, 0.5 here"
    )


def test_cash_differs_by_a_millionth() -> None:
    """The smallest difference of money is one, and is written in full."""
    text = difference(Ledger(CASH), MoneyE6(CASH + 1), {})

    assert text == "cash: $1000.000001 there, $1000.000000 here"


def test_positions_come_before_cash() -> None:
    """Both kinds stand in one line."""
    text = difference(held(A=200), MoneyE6(0), {})

    assert text == "A: 0 there, 2 here; cash: $0.000000 there, $1000.000000 here"


def test_a_few_markets_are_all_named() -> None:
    """Up to the limit every market is named."""
    counts = dict.fromkeys("ABC", 100)

    text = difference(held(**counts), CASH, {})

    assert len(counts) == MARKETS_NAMED_MAX
    assert text == "A: 0 there, 1 here; B: 0 there, 1 here; C: 0 there, 1 here"


def test_many_markets_are_counted() -> None:
    """Beyond the limit the others are a number, and cash is still told."""
    text = difference(held(**dict.fromkeys("ABCDE", 100)), MoneyE6(0), {})

    assert text == (
        "A: 0 there, 1 here; B: 0 there, 1 here; C: 0 there, 1 here; and 2 more; "
        "cash: $0.000000 there, $1000.000000 here"
    )
