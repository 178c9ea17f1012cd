"""Strict reading of the exchange's fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.events import Side
from arb.core.money import count_text, money_text, price_text
from arb.kalshi import fields
from arb.kalshi.fields import Fault, Malformed


@given(st.integers(1, 9_999), st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12))
def test_numbers_are_read_as_they_are_written(price_e4: int, count_e2: int, money_e6: int) -> None:
    """Writing and reading gives the same integer."""
    assert fields.price(price_text(price_e4)) == price_e4
    assert fields.signed_count(count_text(count_e2)) == count_e2
    assert fields.money(money_text(money_e6)) == money_e6


@pytest.mark.parametrize("text", ["0.56", "0.5600", "0.560000", "00.56"])
def test_trailing_zeros_do_not_matter(text: str) -> None:
    """Two to six decimals mean the same price."""
    assert fields.price(text) == 5600


@pytest.mark.parametrize(
    "read, text, fault",
    [
        (fields.price, "0.0000", Fault.OFF_SCALE),
        (fields.price, "1.0000", Fault.OFF_SCALE),
        (fields.price, "-0.5000", Fault.OFF_SCALE),
        (fields.price, "56", Fault.OFF_SCALE),
        (fields.price, "0.56001", Fault.TOO_FINE),
        (fields.price, 0.56, Fault.WRONG_TYPE),
        (fields.price, 1, Fault.WRONG_TYPE),
        (fields.price, True, Fault.WRONG_TYPE),
        (fields.price, None, Fault.WRONG_TYPE),
        (fields.price, "", Fault.BAD_NUMBER),
        (fields.price, " 0.56", Fault.BAD_NUMBER),
        (fields.price, "0.56\n", Fault.BAD_NUMBER),
        (fields.price, "+0.56", Fault.BAD_NUMBER),
        (fields.price, "5.6e-1", Fault.BAD_NUMBER),
        (fields.price, "0_0.56", Fault.BAD_NUMBER),
        (fields.price, "NaN", Fault.BAD_NUMBER),
        (fields.price, "٠.٥", Fault.BAD_NUMBER),
        (fields.price, "0,56", Fault.BAD_NUMBER),
        (fields.price, ".56", Fault.BAD_NUMBER),
        (fields.signed_count, "1.001", Fault.TOO_FINE),
        (fields.signed_count, "1" * 13, Fault.BAD_NUMBER),
        (fields.count, "-1.00", Fault.NEGATIVE),
        (fields.money, "0.0000001", Fault.BAD_NUMBER),
        (fields.fee_multiplier_e4, "0.5", Fault.WRONG_TYPE),
        (fields.fee_multiplier_e4, True, Fault.WRONG_TYPE),
        (fields.fee_multiplier_e4, float("nan"), Fault.BAD_NUMBER),
        (fields.fee_multiplier_e4, -1, Fault.BAD_NUMBER),
        (fields.fee_multiplier_e4, 0.12345, Fault.TOO_FINE),
    ],
)
def test_what_is_no_number_of_its_kind_is_refused(
    read: Callable[[Any], int], text: object, fault: Fault
) -> None:
    """Each fault has its own word to be counted by."""
    with pytest.raises(Malformed) as caught:
        read(text)

    assert caught.value.reason is fault


def test_a_list_where_a_price_belongs_is_a_type_error() -> None:
    """What cannot be looked up is refused by Python itself, and the caller counts it so."""
    with pytest.raises(TypeError):
        fields.price(["0.56"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value, e4", [(0.5, 5000), (1, 10_000), (0.0001, 1), (2.0, 20_000), (0, 0)]
)
def test_fee_multipliers_are_exact(value: float, e4: int) -> None:
    """A JSON number becomes an integer without a rounding."""
    assert fields.fee_multiplier_e4(value) == e4


@pytest.mark.parametrize(
    "given, side",
    [
        ({"book_side": "bid"}, Side.BID),
        ({"book_side": "ask", "outcome_side": "yes"}, Side.ASK),
        ({"outcome_side": "no"}, Side.ASK),
        ({"book_side": None, "outcome_side": "yes"}, Side.BID),
    ],
)
def test_the_side_is_that_of_the_yes_book(given: dict[str, Any], side: Side) -> None:
    """The newer field decides, the older one stands in for it."""
    assert fields.side_of(given) is side


@pytest.mark.parametrize(
    "given, fault",
    [
        ({}, Fault.MISSING_FIELD),
        ({"book_side": "buy"}, Fault.UNKNOWN_SIDE),
        ({"outcome_side": "maybe"}, Fault.UNKNOWN_SIDE),
    ],
)
def test_an_unknown_side_is_refused(given: dict[str, Any], fault: Fault) -> None:
    """A side is never guessed."""
    with pytest.raises(Malformed) as caught:
        fields.side_of(given)

    assert caught.value.reason is fault


def test_required_fields_must_have_their_type() -> None:
    """A number is no text, a text no number, true no number, null nothing."""
    wrong: list[Callable[[], object]] = [
        lambda: fields.text_of({"a": 1}, "a"),
        lambda: fields.text_of({"a": ""}, "a"),
        lambda: fields.optional_text({"a": 1}, "a"),
        lambda: fields.whole_of({"a": "1"}, "a"),
        lambda: fields.whole_of({"a": True}, "a"),
        lambda: fields.whole_of({"a": 1.0}, "a"),
        lambda: fields.optional_whole({"a": "1"}, "a"),
        lambda: fields.flag_of({"a": 1}, "a"),
        lambda: fields.object_of({"a": []}, "a"),
        lambda: fields.list_of({"a": {}}, "a"),
        lambda: fields.texts_of({"a": ["x", 1]}, "a"),
        lambda: fields.texts_of({"a": "x"}, "a"),
    ]
    for read in wrong:
        with pytest.raises(Malformed) as caught:
            read()
        assert caught.value.reason is Fault.WRONG_TYPE


def test_optional_fields_may_be_missing_null_or_empty() -> None:
    """What may be left out reads as None, and as no texts."""
    for content in ({}, {"a": None}):
        assert fields.optional_text(content, "a") is None
        assert fields.optional_whole(content, "a") is None
        assert fields.optional_time_ms(content, "a") is None
        assert fields.texts_of(content, "a") == ()
    assert fields.optional_text({"a": ""}, "a") is None


def test_times_are_read_to_the_millisecond() -> None:
    """An ISO stamp is Unix milliseconds; anything else is refused."""
    assert fields.time_ms_of({"t": "2026-08-14T02:00:00Z"}, "t") == 1_786_672_800_000
    for bad in ("soon", 1_786_672_800, None):
        with pytest.raises(Malformed) as caught:
            fields.time_ms_of({"t": bad}, "t")
        assert caught.value.reason is Fault.BAD_TIME


def test_malformed_shows_one_bounded_line() -> None:
    """The example is cut to 200 signs and has no line ends."""
    malformed = Malformed(Fault.NOT_JSON, "x\n" * 500)

    assert len(malformed.text) <= 200
    assert str(malformed).startswith("not JSON: x x")
