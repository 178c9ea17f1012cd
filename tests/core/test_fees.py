"""What the exchange charges, to the last digit."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.events import Liquidity, Side
from arb.core.fees import (
    OTHER_PRECISION_E6,
    FeeMeter,
    FeeRounding,
    FeeSchedule,
    UnknownFees,
    schedule_from_series,
)
from arb.core.money import count_from_text, money_from_text, price_from_text

TAKER, MAKER = Liquidity.TAKER, Liquidity.MAKER
PLAIN = FeeSchedule("quadratic_with_maker_fees")
BASEBALL = FeeSchedule("quadratic_with_maker_fees", 5_000)
TABLE = FeeSchedule("quadratic", rounding=FeeRounding.WHOLE_CENT)


@pytest.mark.parametrize(
    "schedule,count,price,liquidity,fee",
    [
        (PLAIN, "1", "0.50", TAKER, "0.0175"),
        (PLAIN, "100", "0.50", TAKER, "1.7500"),
        (PLAIN, "3", "0.33", TAKER, "0.0465"),
        (PLAIN, "100", "0.50", MAKER, "0.4375"),
        (PLAIN, "1", "0.01", MAKER, "0.0002"),
        (BASEBALL, "1", "0.52", TAKER, "0.0088"),
        (BASEBALL, "10", "0.50", MAKER, "0.0219"),
        (FeeSchedule("quadratic"), "100", "0.50", MAKER, "0"),
        (FeeSchedule("quadratic_with_combo_maker_fees"), "100", "0.50", MAKER, "0.8750"),
        (FeeSchedule("quadratic", 0), "100", "0.50", TAKER, "0"),
    ],
)
def test_the_trade_fee(
    schedule: FeeSchedule, count: str, price: str, liquidity: Liquidity, fee: str
) -> None:
    """Rate, multiplier, count and variance, rounded up to a hundredth of a cent."""
    charged = schedule.trade_fee_e6(price_from_text(price), count_from_text(count), liquidity)

    assert charged == money_from_text(fee)


def test_the_fee_is_the_same_from_either_side() -> None:
    """Buying YES at 30 and NO at 70 carry one trade fee."""
    assert PLAIN.trade_fee_e6(3000, 1234, TAKER) == PLAIN.trade_fee_e6(7000, 1234, TAKER)


@pytest.mark.parametrize(
    "price_e4,one,hundred",
    [(100, "0.01", "0.07"), (1000, "0.01", "0.63"), (2500, "0.02", "1.32"), (5000, "0.02", "1.75")],
)
def test_whole_cents_as_in_the_table(price_e4: int, one: str, hundred: str) -> None:
    """The published table rounds up to the cent."""
    assert TABLE.trade_fee_e6(price_e4, 100, TAKER) == money_from_text(one)
    assert TABLE.trade_fee_e6(price_e4, 10_000, TAKER) == money_from_text(hundred)


def test_rounding_of_the_balance_is_charged_too() -> None:
    """A purchase whose cost is no whole hundredth of a cent costs up to the next one."""
    # 227.27 contracts at $0.001 cost $0.22727; the fee of $0.0159 makes $0.24317, charged $0.2432.
    assert PLAIN.fee_e6(10, 22_727, TAKER) == money_from_text("0.015930")


def test_a_sale_is_rounded_the_other_way() -> None:
    """What a sale brings is rounded down, so that the fee differs from a purchase's."""
    # 0.27 contracts at $0.0013 are $0.000351: bought, $0.000049 more is charged; sold, $0.000051.
    assert PLAIN.fee_e6(13, 27, TAKER, Side.BID) == 100 + 49
    assert PLAIN.fee_e6(13, 27, TAKER, Side.ASK) == 100 + 51


@given(st.integers(1, 9_999), st.integers(1, 10**6), st.sampled_from([100, 10_000]))
def test_selling_yes_costs_what_buying_no_costs(
    price_e4: int, count_e2: int, precision_e6: int
) -> None:
    """An ask's fee does not depend on whether it closes YES or opens NO."""
    sold = FeeMeter(PLAIN, precision_e6).charge_e6(price_e4, count_e2, TAKER, Side.ASK)
    bought = FeeMeter(PLAIN, precision_e6).charge_e6(10_000 - price_e4, count_e2, TAKER)

    assert sold == bought


def test_a_cent_comes_back_when_rounding_has_taken_more_than_a_cent() -> None:
    """What rounding took is summed over an order's fills; a cent of it is paid back."""
    meter = FeeMeter(PLAIN, OTHER_PRECISION_E6)

    assert meter.rounded_e6(-55_000, 8_500) == 15_000
    assert meter.accumulator_e6 == 6_500
    assert meter.rounded_e6(-55_000, 8_500) == 5_000
    assert meter.accumulator_e6 == 3_000
    assert meter.rounded_e6(-55_000, 8_500) == 15_000


def test_exactly_a_cent_does_not_come_back() -> None:
    """The rebate is due above a cent, not at it."""
    meter = FeeMeter(PLAIN, OTHER_PRECISION_E6)

    assert meter.rounded_e6(-5_000, 0) == 5_000
    assert meter.rounded_e6(-5_000, 0) == 5_000
    assert meter.accumulator_e6 == 10_000
    assert meter.rounded_e6(-9_999, 0) == 1 - 10_000


@given(
    st.integers(1, 9_999), st.integers(1, 10**6), st.sampled_from(Liquidity), st.sampled_from(Side)
)
def test_the_fee_of_a_whole_order_is_that_of_its_first_fill(
    price_e4: int, count_e2: int, liquidity: Liquidity, side: Side
) -> None:
    """What is reckoned with beforehand is what a new order's meter charges for one fill."""
    charged = FeeMeter(PLAIN).charge_e6(price_e4, count_e2, liquidity, side)

    assert PLAIN.fee_e6(price_e4, count_e2, liquidity, side) == charged


RATES = {
    ("quadratic", TAKER): Fraction(7, 100),
    ("quadratic", MAKER): Fraction(0),
    ("quadratic_with_maker_fees", TAKER): Fraction(7, 100),
    ("quadratic_with_maker_fees", MAKER): Fraction(175, 10_000),
    ("quadratic_with_combo_maker_fees", TAKER): Fraction(7, 100),
    ("quadratic_with_combo_maker_fees", MAKER): Fraction(35, 1_000),
}


def exact_fees(
    rate: Fraction, precision: Fraction, fills: list[tuple[Fraction, Fraction]]
) -> list[Fraction]:
    """Follow the exchange's own words, step by step, in exact fractions of a dollar."""
    accumulator, charged = Fraction(0), []
    for count, price in fills:
        trade_fee = Fraction(math.ceil(rate * count * price * (1 - price) * 10_000), 10_000)
        balance_change = -(count * price) - trade_fee
        floored = math.floor(balance_change / precision) * precision
        rounding_fee = balance_change - floored
        accumulator += rounding_fee
        rebate = Fraction(1, 100) if accumulator > Fraction(1, 100) else Fraction(0)
        accumulator -= rebate
        charged.append(trade_fee + rounding_fee - rebate)
    return charged


@given(
    st.sampled_from(sorted(RATES)),
    st.integers(0, 30_000),
    st.sampled_from([100, 10_000]),
    st.lists(st.tuples(st.integers(1, 200_000), st.integers(1, 9_999)), min_size=1, max_size=6),
)
def test_agrees_with_exact_fractions(
    kind: tuple[str, Liquidity],
    multiplier_e4: int,
    precision_e6: int,
    fills: list[tuple[int, int]],
) -> None:
    """Integers give what exact fractions give, for orders of several fills."""
    fee_type, liquidity = kind
    rate = RATES[kind] * Fraction(multiplier_e4, 10_000)
    meter = FeeMeter(FeeSchedule(fee_type, multiplier_e4), precision_e6)
    expected = exact_fees(
        rate,
        Fraction(precision_e6, 10**6),
        [(Fraction(count, 100), Fraction(price, 10_000)) for count, price in fills],
    )

    charged = [meter.charge_e6(price, count, liquidity) for count, price in fills]

    assert [Fraction(fee, 10**6) for fee in charged] == expected


@pytest.mark.parametrize("fee_type", ["flat", "", "cubic", "Quadratic"])
def test_a_fee_type_that_cannot_be_computed_is_refused(fee_type: str) -> None:
    """Nothing is traded under fees that we do not know."""
    with pytest.raises(UnknownFees, match="is unknown; known are quadratic, "):
        FeeSchedule(fee_type)


@pytest.mark.parametrize("multiplier_e4", [-1, 1_000_001])
def test_a_multiplier_that_cannot_be_is_refused(multiplier_e4: int) -> None:
    """A negative fee or one a hundred times too large is damage."""
    with pytest.raises(UnknownFees, match="is not within 0 to 100"):
        FeeSchedule("quadratic", multiplier_e4)


@pytest.mark.parametrize(
    "number,multiplier_e4", [(1, 10_000), (0.5, 5_000), (0, 0), (0.07, 700), (1.1, 11_000)]
)
def test_reads_the_multiplier_of_a_series(number: float, multiplier_e4: int) -> None:
    """The exchange sends a JSON number, which is read without loss."""
    expected = FeeSchedule("quadratic", multiplier_e4)

    assert schedule_from_series("quadratic", number) == expected


NO_MULTIPLIERS: list[tuple[Any, str]] = [
    ("0.5", "is not a number"),
    (None, "is not a number"),
    (True, "is not a number"),
    (-0.5, "is not within 0 to 100"),
    (101, "is not within 0 to 100"),
    (math.nan, "is not within 0 to 100"),
    (math.inf, "is not within 0 to 100"),
    (0.00005, "more than four decimals"),
    (1 / 3, "more than four decimals"),
]


@pytest.mark.parametrize("number,complaint", NO_MULTIPLIERS)
def test_refuses_a_multiplier_that_is_none(number: Any, complaint: str) -> None:
    """A text, a flag, and a number that would have to be rounded are refused in one line."""
    with pytest.raises(UnknownFees, match=complaint):
        schedule_from_series("quadratic", number)


def vectors(shared_data: Path) -> dict[str, Any]:
    """Read the collected tables, vectors and fills."""
    found: dict[str, Any] = json.loads((shared_data / "kalshi" / "fee_vectors.json").read_text())
    return found


def test_agrees_with_the_published_table(shared_data: Path) -> None:
    """Every row of the table of taker's fees, for one contract and for a hundred."""
    rows = vectors(shared_data)["published_table_taker_M1_cent_ceiled"]

    assert len(rows) == 21
    for row in rows:
        price_e4 = price_from_text(row["price"])
        assert TABLE.trade_fee_e6(price_e4, 100, TAKER) == money_from_text(row["fee_1_contract"])
        assert TABLE.trade_fee_e6(price_e4, 10_000, TAKER) == money_from_text(
            row["fee_100_contracts"]
        )


def test_agrees_with_the_computed_vectors(shared_data: Path) -> None:
    """Trade fee and whole fee of each vector, for direct members and for others."""
    rows = vectors(shared_data)["computed_vectors"]

    assert len(rows) == 60
    for row in rows:
        liquidity = MAKER if row["schedule"].startswith("maker") else TAKER
        schedule = BASEBALL if "M=0.5" in row["schedule"] else PLAIN
        price_e4, count_e2 = price_from_text(row["price"]), count_from_text(row["count"])
        other = FeeMeter(schedule, OTHER_PRECISION_E6)
        assert schedule.trade_fee_e6(price_e4, count_e2, liquidity) == money_from_text(
            row["trade_fee"]
        )
        assert schedule.fee_e6(price_e4, count_e2, liquidity) == money_from_text(
            row["net_fee_direct_member_0.0001"]
        )
        assert other.charge_e6(price_e4, count_e2, liquidity) == money_from_text(
            row["net_fee_nondirect_0.01"]
        )


# What the three examples buy in each fill: count and price.
EXAMPLE_LOTS = [("1", "0.055"), ("0.30", "0.50"), ("0.03", "0.3301")]


def test_agrees_with_the_documents_rounding_examples(shared_data: Path) -> None:
    """Rounding, accumulator, rebate, fee and balance change, fill by fill."""
    examples = vectors(shared_data)["docs_fee_rounding_worked_examples"]

    assert len(examples) == len(EXAMPLE_LOTS)
    for example, (count, price) in zip(examples, EXAMPLE_LOTS, strict=True):
        meter = FeeMeter(PLAIN, OTHER_PRECISION_E6)
        cost_e6 = price_from_text(price) * count_from_text(count)
        for row in example["fills"]:
            trade_fee, rounding, accumulator, rebate, net, change = map(money_from_text, row)
            charged = meter.rounded_e6(-cost_e6, trade_fee)
            assert charged == net == trade_fee + rounding - rebate
            assert meter.accumulator_e6 == accumulator - rebate
            assert -cost_e6 - trade_fee - rounding == change


def test_agrees_with_collected_fills(shared_data: Path) -> None:
    """What the exchange really charged, as collected with the vectors."""
    rows = vectors(shared_data)["real_fills"]

    assert len(rows) == 12
    for row in rows:
        schedule = schedule_from_series("quadratic_with_maker_fees", float(row["multiplier"]))
        charged = schedule.fee_e6(
            price_from_text(row["price"]),
            count_from_text(row["count"]),
            Liquidity(row["liquidity"]),
        )
        assert charged == money_from_text(row["fee_cost_observed"])


@pytest.mark.parametrize(
    "recording,fills",
    [("prod-2026-08/portfolio_fills.json", 15), ("demo-2026-06/fills__after_taker.json", 3)],
)
def test_agrees_with_recorded_fills(shared_data: Path, recording: str, fills: int) -> None:
    """What the exchange really charged, in its own recorded answers."""
    recorded = json.loads((shared_data / "kalshi" / "recorded" / recording).read_text())["fills"]

    assert len(recorded) == fills
    for fill in recorded:
        charged = PLAIN.fee_e6(
            price_from_text(fill["yes_price_dollars"]),
            count_from_text(fill["count_fp"]),
            TAKER if fill["is_taker"] else MAKER,
            Side(fill["book_side"]),
        )
        assert charged == money_from_text(fill["fee_cost"])


def test_agrees_with_fills_of_baseball() -> None:
    """Three fills of a series with half fees, as the exchange charged them."""
    for count_e2, price_e4, fee_e6 in ((100, 5200, 8_800), (1000, 2700, 69_000), (27, 2700, 1_900)):
        assert BASEBALL.fee_e6(price_e4, count_e2, TAKER) == fee_e6
