"""Tests of `arb fee`."""

from __future__ import annotations

import orjson
import pytest

from arb.cli import app


def tokens_of(**options: str) -> list[str]:
    """Return the command line for an order, with a default for what is not named."""
    order = {"series": "KXNFLGAME", "price": "0.50", "count": "1", "liquidity": "taker", **options}
    return ["fee", *(word for name, value in order.items() for word in (f"--{name}", value))]


def answer(capsys: pytest.CaptureFixture[str], **options: str) -> dict[str, str]:
    """Run the command and return the object it prints."""
    assert app.run([*tokens_of(**options), "--json"]) == 0
    found: dict[str, str] = orjson.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize(
    ("options", "fee_dollars"),
    [
        ({"series": "KXMLBGAME", "price": "0.52"}, "0.008800"),
        ({"series": "KXMLBGAME", "price": "0.27", "count": "10"}, "0.069000"),
        ({"series": "KXMLBGAME", "price": "0.27", "count": "0.27"}, "0.001900"),
        ({"series": "KXUFCFIGHT", "price": "0.74", "count": "15"}, "0.202100"),
        ({"series": "KXWNBAGAME", "price": "0.28"}, "0.014200"),
        ({"price": "0.50", "count": "100", "liquidity": "maker"}, "0.437500"),
        ({"price": "0.50", "count": "100", "multiplier": "0.5"}, "0.875000"),
        ({"series": "KXMLBGAME", "price": "0.50", "count": "100", "multiplier": "1"}, "1.750000"),
        ({"multiplier": "0"}, "0.000000"),
    ],
)
def test_the_fee_is_an_exact_text(
    options: dict[str, str], fee_dollars: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the exchange charged for such fills, to the last digit; baseball pays half."""
    assert answer(capsys, **options)["fee_dollars"] == fee_dollars


def test_the_steps_sum_to_the_fee(capsys: pytest.CaptureFixture[str]) -> None:
    """Trade fee and rounding are shown apart, in exact texts."""
    found = answer(capsys, series="KXMLBGAME", price="0.27", count="0.27")

    assert found["cost_dollars"] == "0.072900"
    assert found["trade_fee_dollars"] == "0.001900"
    assert found["rounding_dollars"] == "0.000000"
    assert (found["rate"], found["multiplier"]) == ("0.0700", "0.5000")


def test_a_person_sees_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    """The table shows rate, cost and both roundings, and what was assumed."""
    assert app.run(tokens_of(series="KXMLBGAME", price="0.52", liquidity="maker")) == 0

    shown = capsys.readouterr().out
    for step in ("maker order in KXMLBGAME", "0.0175 x 0.5000", "$0.520000", "assumed"):
        assert step in shown


@pytest.mark.parametrize(
    ("options", "about"),
    [
        ({"price": "52"}, "52 cents are 0.52"),
        ({"price": "0"}, "above 0 and below 1"),
        ({"price": "0.52001"}, "more than 4 decimals"),
        ({"price": "half"}, "'half' is not a decimal number"),
        ({"count": "0"}, "count 0 must be above 0"),
        ({"count": "-3"}, "count -3 must be above 0"),
        ({"count": "1.234"}, "more than 2 decimals"),
        ({"multiplier": "x"}, "multiplier 'x' must be a number"),
        ({"multiplier": "nan"}, "multiplier 'nan' must be a number"),
        ({"multiplier": "0.00001"}, "at most four decimals"),
        ({"multiplier": "1000"}, "not within 0 to 100"),
        ({"liquidity": "both"}, "both"),
    ],
)
def test_an_order_that_cannot_be_is_one_line(
    options: dict[str, str], about: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bad input ends with 2 and says what is allowed."""
    assert app.run(tokens_of(**options)) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert about in captured.err
