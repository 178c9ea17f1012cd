"""Prices, counts and money from and to text: exact, or refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.money import (
    TEXT_LENGTH_MAX,
    CountE2,
    MoneyE6,
    NotExact,
    PriceE4,
    cents,
    contracts,
    cost_e6,
    count_from_text,
    count_text,
    dollars,
    money_from_text,
    money_text,
    price_from_text,
    price_text,
)


@pytest.mark.parametrize(
    "text,price_e4",
    [
        ("0.5600", 5600),
        ("0.56", 5600),
        ("0.0010", 10),
        ("0.0001", 1),
        ("0.3301", 3301),
        ("1", 10_000),
        ("1.0000", 10_000),
        ("0.560000", 5600),
        ("0", 0),
        ("-0.0100", -100),
        ("-0.01", -100),
        ("-0.0000", 0),
        ("00.5600", 5600),
    ],
)
def test_reads_a_price(text: str, price_e4: int) -> None:
    """Dollars with fewer, as many or needlessly many decimals are one price."""
    assert price_from_text(text) == price_e4


@pytest.mark.parametrize(
    "text,count_e2",
    [("10.00", 1000), ("0.27", 27), ("-100.00", -10_000), ("24268.00", 2_426_800), ("5", 500)],
)
def test_reads_a_count(text: str, count_e2: int) -> None:
    """Contracts may be fractions, and changes of a level negative."""
    assert count_from_text(text) == count_e2


def test_reads_money() -> None:
    """Fees come with six decimals."""
    assert money_from_text("0.017500") == 17_500
    assert money_from_text("-1234.5") == -1_234_500_000


DAMAGED = [
    "",
    " ",
    ".",
    "-",
    "+",
    "--1",
    "-.50",
    ".5000",
    "0.",
    "5.",
    "1_0.0000",
    "0.56_0",
    "1_000",
    "1E3",
    "1e3",
    "5e-1",
    " 0.5600",
    "0.5600 ",
    "0.5600\n",
    "0 .5600",
    "+0.5600",
    "+1",
    "0,5600",
    "1.2.3",
    "1.2.3456",
    "0x10",
    "NaN",
    "nan",
    "sNaN",
    "Infinity",
    "-Infinity",
    "inf",
    "٠.٥٦٠٠",
    "0.٥٦٠٠",
    "0.56０0",
    "².0000",
    "0.560²",
    "½",
    "0.−100",
    "−0.0100",
    "0.5600\x00",
    "1" * (TEXT_LENGTH_MAX + 1),
    "0." + "0" * TEXT_LENGTH_MAX,
]


@pytest.mark.parametrize("text", DAMAGED)
def test_refuses_a_damaged_text(text: str) -> None:
    """What Python's own numbers allow besides digits and a point is damage in every unit."""
    for read in (price_from_text, count_from_text, money_from_text):
        with pytest.raises(NotExact):
            read(text)


NOT_TEXTS: list[Any] = [0.56, 56, True, None, b"0.5600", ["0.5600"], {"0.5600": 1}, Decimal("0.56")]


@pytest.mark.parametrize("value", NOT_TEXTS)
def test_refuses_what_is_no_text(value: Any) -> None:
    """A JSON number, or anything else where a text belongs, is refused and not converted."""
    for read in (price_from_text, count_from_text, money_from_text):
        with pytest.raises(NotExact, match="is not a decimal text"):
            read(value)


@pytest.mark.parametrize("text", ["0.56001", "0.00001", "-0.12345", "0.1234567"])
def test_refuses_more_decimals_than_a_price_holds(text: str) -> None:
    """Rounding a price would be another price."""
    with pytest.raises(NotExact, match="has more than 4 decimals"):
        price_from_text(text)


def test_refuses_a_third_decimal_of_a_count() -> None:
    """A count of a thousandth of a contract does not exist."""
    with pytest.raises(NotExact, match="has more than 2 decimals"):
        count_from_text("1.001")


def test_the_message_of_a_refusal_is_short() -> None:
    """A megabyte where a price belongs does not end up in the log."""
    with pytest.raises(NotExact) as refused:
        price_from_text("9" * 1_000_000)

    assert len(str(refused.value)) < 80


@given(st.integers(-(10**12), 10**12))
def test_text_and_back_is_the_same(value: int) -> None:
    """Whatever is written is read as what it was."""
    assert price_from_text(price_text(value)) == value
    assert count_from_text(count_text(value)) == value
    assert money_from_text(money_text(value)) == value


@given(st.integers(0, 10_000))
def test_every_price_between_nothing_and_a_dollar_is_read(price_e4: int) -> None:
    """Looked up or read digit by digit, a price is the same."""
    assert price_from_text(price_text(price_e4)) == price_e4


@given(st.decimals(-1000, 1000, places=4), st.integers(0, 3))
def test_agrees_with_decimal(value: Decimal, zeros: int) -> None:
    """The hand-written reading and exact decimal arithmetic say the same."""
    assert price_from_text(f"{value:f}" + "0" * zeros) == int(value * 10_000)


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    """No text raises anything but `NotExact`, and what is read is what Decimal reads."""
    try:
        read = money_from_text(text)
    except NotExact:
        return
    assert Decimal(text) * 10**6 == read


def test_a_price_times_a_count_is_money() -> None:
    """No factor and no rounding lies between the three units."""
    assert cost_e6(PriceE4(5600), CountE2(1000)) == MoneyE6(5_600_000)


@pytest.mark.parametrize(
    "money_e6,text",
    [
        (1_234_567_000, "$1,234.57"),
        (-1_234_567_000, "-$1,234.57"),
        (5_000, "$0.01"),
        (4_999, "$0.00"),
        (-4_999, "$0.00"),
        (0, "$0.00"),
    ],
)
def test_money_for_people(money_e6: int, text: str) -> None:
    """Dollars to the cent, half away from zero, and no negative nothing."""
    assert dollars(money_e6) == text


def test_prices_and_counts_for_people() -> None:
    """Cents and contracts without needless decimals."""
    assert [cents(6200), cents(6250), cents(-100), cents(1)] == ["62", "62.5", "-1", "0.01"]
    assert [contracts(500), contracts(27), contracts(-150)] == ["5", "0.27", "-1.5"]


def test_texts_of_negative_amounts() -> None:
    """The sign stands before the digits, also below one."""
    assert [price_text(-1), count_text(-27), money_text(-17_500)] == [
        "-0.0001",
        "-0.27",
        "-0.017500",
    ]
