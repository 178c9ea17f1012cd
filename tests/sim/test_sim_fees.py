"""The simulated exchange's own fee arithmetic, against published, recorded and own cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.money import count_from_text, money_from_text, price_from_text
from arb.sim.exchange.fees import FeeSchedule, FeeType, charge_e6
from arb.sim.exchange.values import BookSide, Order, OrderRequest

HALF = FeeSchedule(multiplier_e4=5_000)
WHOLE = FeeSchedule()


def order_at(price_e4: int, count_e2: int) -> Order:
    request = OrderRequest("T", BookSide.BID, count_e2, price_e4)
    return Order("o", "member", request, price_e4, count_e2, count_e2, 0, 0, None, "")


def charge(schedule: FeeSchedule, price: str, count: str, *, is_taker: bool = True) -> int:
    price_e4, count_e2 = price_from_text(price), count_from_text(count)
    order = order_at(price_e4, count_e2)
    return charge_e6(schedule, order, -price_e4 * count_e2, price_e4, count_e2, is_taker=is_taker)


@pytest.mark.parametrize(
    ("schedule", "count", "price", "fee"),
    [
        (WHOLE, "227.27", "0.0010", "0.015930"),
        (WHOLE, "71.94", "0.0130", "0.064780"),
        (WHOLE, "4.15", "0.2280", "0.051200"),
        (WHOLE, "15.00", "0.7400", "0.202100"),
        (WHOLE, "1.00", "0.5200", "0.017500"),
        (WHOLE, "1.00", "0.9900", "0.000700"),
        (HALF, "1.00", "0.5200", "0.008800"),
        (HALF, "10.00", "0.2700", "0.069000"),
        (HALF, "0.27", "0.2700", "0.001900"),
    ],
)
def test_real_fills_cost_what_they_did(
    schedule: FeeSchedule, count: str, price: str, fee: str
) -> None:
    """Fees observed on the real exchange come out to the last digit."""
    assert charge(schedule, price, count) == money_from_text(fee)


def test_recorded_fills_cost_what_they_did(shared_data: Path) -> None:
    """Every recorded production fill has the recorded fee."""
    path = shared_data / "kalshi" / "recorded" / "prod-2026-08" / "portfolio_fills.json"
    found: Any = orjson.loads(path.read_bytes())
    fills = found["fills"]
    assert len(fills) >= 10
    for fill in fills:
        schedule = HALF if fill["ticker"].startswith("KXMLB") else WHOLE
        yes = fill["outcome_side"] == "yes"
        price = fill["yes_price_dollars" if yes else "no_price_dollars"]
        assert charge(schedule, price, fill["count_fp"]) == money_from_text(fill["fee_cost"]), fill


def test_makers_pay_a_quarter_and_only_where_the_series_says_so() -> None:
    """The maker's rate is 0.0175, 0.035 for combinations, or nothing."""
    price_e4, count_e2 = 5_000, 10_000
    fees = {
        kind: FeeSchedule(kind).trade_fee_e6(price_e4, count_e2, is_taker=False) for kind in FeeType
    }
    assert fees == {
        FeeType.QUADRATIC: 0,
        FeeType.QUADRATIC_WITH_MAKER_FEES: 437_500,
        FeeType.QUADRATIC_WITH_COMBO_MAKER_FEES: 875_000,
    }


def test_what_rounding_took_comes_back_by_the_cent() -> None:
    """Once more than a cent of rounding has added up over an order, a cent is rebated."""
    order = order_at(1_234, 100_000)
    fees = [charge_e6(WHOLE, order, -1_234 * 1, 1_234, 1, is_taker=True) for _ in range(400)]
    assert min(fees) < 0 < max(fees)
    assert 0 <= order.accumulator_e6 <= 10_000


@given(
    price_e4=st.integers(1, 9_999),
    count_e2=st.integers(1, 1_000_000),
    is_taker=st.booleans(),
    buys=st.booleans(),
)
def test_a_balance_moves_in_hundredths_of_a_cent(
    price_e4: int, count_e2: int, is_taker: bool, buys: bool
) -> None:
    """Whatever is traded, the change of balance is even to $0.0001 and never above the bound."""
    order = order_at(price_e4, count_e2)
    revenue_e6 = price_e4 * count_e2 * (-1 if buys else 1)
    fee_e6 = charge_e6(WHOLE, order, revenue_e6, price_e4, count_e2, is_taker=is_taker)
    assert (revenue_e6 - fee_e6) % 100 == 0
    assert 0 <= fee_e6 <= WHOLE.highest_fee_e6(count_e2)
