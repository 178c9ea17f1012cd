"""Tests of `arb fair`."""

from __future__ import annotations

import orjson
import pytest

from arb.cli import app


def answer(capsys: pytest.CaptureFixture[str], *tokens: str) -> dict[str, object]:
    """Run the command and return the object it prints."""
    assert app.run(["fair", *tokens, "--json"]) == 0
    found: dict[str, object] = orjson.loads(capsys.readouterr().out)
    return found


def test_american_odds_work_as_typed(capsys: pytest.CaptureFixture[str]) -> None:
    """`arb fair -150 +130` needs no option and no quoting."""
    found = answer(capsys, "-150", "+130")

    assert found["format"] == "american"
    assert found["method"] == "multiplicative"
    assert found["probabilities"] == pytest.approx([0.579832, 0.420168], abs=1e-6)
    assert found["margin"] == pytest.approx(0.034783, abs=1e-6)
    assert found["decimal"] == pytest.approx([1 + 100 / 150, 2.3])


@pytest.mark.parametrize("odds", [("-110", "-110"), ("100", "-120"), ("-1000", "+650")])
def test_fair_chances_sum_to_one(odds: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """The margin is gone."""
    found = answer(capsys, *odds)

    assert isinstance(found["probabilities"], list)
    assert sum(found["probabilities"]) == pytest.approx(1.0)


@pytest.mark.parametrize("tokens", [("1.91", "2.05"), ("1.91", "2.05", "--format", "decimal")])
def test_decimal_odds_are_known_by_their_point(
    tokens: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """A point says decimal; the option says it too."""
    found = answer(capsys, *tokens)

    assert found["format"] == "decimal"
    assert found["decimal"] == [1.91, 2.05]


def test_whole_decimal_odds_need_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    """2 and 3 are decimal odds when the option says so."""
    found = answer(capsys, "--format", "decimal", "2", "3", "4")

    assert found["decimal"] == [2.0, 3.0, 4.0]


def test_a_person_sees_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    """The table shows odds, decimal odds, implied and fair chances, and the margin."""
    assert app.run(["fair", "-150", "+130"]) == 0

    shown = capsys.readouterr().out
    for step in ("-150", "1.6667", "60.0000%", "57.9832%", "57.98", "-138", "103.4783%", "3.4783%"):
        assert step in shown
    assert "damaged" not in shown


def test_odds_without_a_margin_are_doubted(capsys: pytest.CaptureFixture[str]) -> None:
    """No book sells below cost, and the command says so."""
    assert app.run(["fair", "2.5", "2.5"]) == 0
    assert "damaged" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("tokens", "line"),
    [
        (["-150"], "arb: 1 odds given; a game has two or three outcomes\n"),
        (["2", "3", "4", "5"], "arb: 4 odds given; a game has two or three outcomes\n"),
        (
            ["-50", "+130"],
            (
                "arb: American odds lie between -100 and 100: '-50', read as american;"
                " --format says otherwise\n"
            ),
        ),
        (
            ["0.9", "2.1"],
            "arb: decimal odds are not above 1: '0.9', read as decimal; --format says otherwise\n",
        ),
        (["-150", "+130", "--method", "magic"], "arb: no method 'magic'; there are "),
    ],
)
def test_odds_that_cannot_be_are_one_line(
    tokens: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bad odds end with 2 and say what is wrong."""
    assert app.run(["fair", *tokens]) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(line)
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    ("method", "first"),
    [
        ("additive", 0.582609),
        ("power", 0.584003),
        ("shin", 0.582609),
        ("odds_ratio", 0.582671),
        ("probit", 0.582697),
        ("worst_case", 0.579832),
        ("average", 0.582148),
    ],
)
def test_every_method_answers_by_its_name(
    method: str, first: float, capsys: pytest.CaptureFixture[str]
) -> None:
    """The favourite at -150 against +130, by each way of taking the margin out."""
    found = answer(capsys, "-150", "+130", "--method", method)

    assert found["method"] == method
    assert isinstance(found["probabilities"], list)
    assert found["probabilities"][0] == pytest.approx(first, abs=5e-5)


def test_the_method_is_explained_and_a_bound_called_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What the method does stands below the table, and what does not sum to 1 says so."""
    assert app.run(["fair", "-150", "+130", "--method", "power"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "power: Raise all implied chances to one power" in shown
    assert "bound" not in shown

    assert app.run(["fair", "-150", "+130", "--method", "worst_case"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "Each is a bound by itself; together they make 99.58" in shown


def test_a_chance_without_odds_is_shown_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """Next to certain is 100 cents and no odds that anybody could write."""
    assert app.run(["fair", "1.0001", "10001.0", "--method", "power"]) == 0
    assert "100.0000%" in capsys.readouterr().out
