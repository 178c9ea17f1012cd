"""The soak in a short form: the same engine, sockets and faults, in seconds instead of minutes."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import attrs
import pytest

from tools.soaking import main as program
from tools.soaking.faults import FAULTS
from tools.soaking.soak import MIB, Outcome, Plan, faults_found, growth

SHORT = ["--minutes", "1", "--period", "12", "--rate", "400"]


@pytest.mark.slow
def test_a_short_soak_ends_with_everything_equal(capsys: pytest.CaptureFixture[str]) -> None:
    """Gap, reset, 502, 429 and pause in one go: books and ledger are the exchange's."""
    code = program.main(SHORT)

    captured = capsys.readouterr()
    report = json.loads(captured.out)
    # How busy the machine is, and whether a trade comes in twelve seconds, is not judged here.
    judged = [each for each in report["wrong"] if "a second" not in each and "traded" not in each]
    assert judged == []
    assert code in {0, 1}
    assert report["books_equal"]
    assert report["ledger_equal"]
    assert report["faults"] == {fault.name: 1 for fault in FAULTS}
    assert report["bad_input"]["gap in the sequence"] >= 1
    assert report["book_messages"] > 1_000
    assert report["levels_compared"] > 100


GOOD = Outcome(
    fills=3,
    state="running",
    faults=Counter({fault.name: 10 for fault in FAULTS}),
    per_s=[2_000] * 600,
    memory_bytes=[80 * MIB] * 600,
)


def outcome(**changes: Any) -> Outcome:
    """Return a good outcome with something changed."""
    return attrs.evolve(GOOD, **changes)


def test_a_good_soak_has_nothing_wrong() -> None:
    """All that is judged is as it must be."""
    assert faults_found(Plan(), GOOD) == []


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"book_differences": ["T bid 5000: 1 here, None"]}, "books: T bid 5000"),
        ({"ledger_differences": ["cash_e6: 1 here, 2 there"]}, "ledger: cash_e6"),
        ({"state": "stopped"}, "trading had not come back: stopped"),
        ({"violations": 2}, "2 invariants"),
        ({"fills": 0}, "nothing was traded"),
        ({"faults": Counter({"gap": 9})}, "gap did not come in each period"),
        ({"per_s": [1_000] * 600}, "only 1000 book messages"),
        ({"memory_bytes": [n * MIB // 10 for n in range(500, 1_100)]}, "memory grew"),
    ],
)
def test_what_is_wrong_is_said(changes: dict[str, Any], words: str) -> None:
    """Each thing that is judged can fail."""
    assert any(words in each for each in faults_found(Plan(), outcome(**changes)))


def test_memory_is_compared_after_the_warm_up() -> None:
    """What fills at the start and then stands is no growth."""
    filling = [50 * MIB + n * MIB for n in range(30)] + [80 * MIB] * 570
    assert growth(outcome(memory_bytes=filling)) == (80 * MIB, 80 * MIB)


@pytest.mark.parametrize("arguments", [["--minutes", "0"], ["--rate", "0"], ["--rate", "1e9"]])
def test_wrong_numbers_are_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A soak has an end and a rate that a machine can reach."""
    with pytest.raises(SystemExit) as ended:
        program.plan_of(arguments)
    assert ended.value.code == 2


def test_a_world_that_does_not_start_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a world there is no soak, and the exit code says so."""
    monkeypatch.setattr("sys.executable", "/bin/false")

    assert program.main(SHORT) == 1
    assert "soak failed: the simulated world said nothing" in capsys.readouterr().err
