"""Tests that the shipped settings file and the code agree, and that both are complete."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from arb.core.devig import METHODS
from arb.core.setting import Setting
from arb.settings import Secret, Settings, load
from arb.settings.render import defaults_text, toml_value
from arb.settings.schema import Entry, WrongType, entries, from_text, nearest, structure

REQUIRED = {
    "strategy.taker_edge_threshold": 5,
    "strategy.maker_edge_threshold": 2,
    "strategy.min_edge_after_fees": 1,
    "risk.max_contracts_per_market": 10,
    "risk.max_total_exposure_cents": 50_000,
    "risk.max_concurrent_markets": 5,
    "execution.maker_timeout_ms": 500,
    "execution.stale_odds_threshold_ms": 5_000,
    "execution.book_confirm_ms": 60_000,
    "kalshi.api_key": "",
    "kalshi.private_key_path": "",
    "odds_feed.provider": ["odds-api-io"],
    "odds_feed.api_key": "",
    "odds_feed.sports": ["nfl", "nba", "mlb", "nhl"],
}


def flat(table: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Return a file's values by their dotted keys."""
    found: dict[str, Any] = {}
    for name, value in table.items():
        inner = flat(value, f"{above}{name}.") if isinstance(value, dict) else None
        found.update({f"{above}{name}": value} if inner is None else inner)
    return found


def shipped(root: Path) -> dict[str, Any]:
    """Return the values of the shipped file."""
    return flat(tomllib.loads((root / "settings.toml").read_text()))


def test_the_shipped_file_is_what_the_code_would_write(root: Path) -> None:
    """Defaults, units and reasons in the file are those of the code, to the letter."""
    assert (root / "settings.toml").read_text() == defaults_text()


def test_file_and_code_name_the_same_settings(root: Path) -> None:
    """Neither knows a key that the other does not."""
    assert set(shipped(root)) == set(entries())


def test_file_and_code_have_the_same_defaults(root: Path) -> None:
    """Loading the shipped file changes nothing."""
    assert load({}, file=root / "settings.toml", folder=root) == Settings()


def test_the_required_settings_are_there(root: Path) -> None:
    """The settings that people were promised have the defaults they were promised."""
    values = shipped(root)

    assert {key: values[key] for key in REQUIRED} == REQUIRED


def test_no_key_is_shipped(root: Path) -> None:
    """Whatever is masked is empty in the repository."""
    values = shipped(root)
    secrets = [key for key, entry in entries().items() if entry.secret]

    assert len(secrets) >= 4
    assert [values[key] for key in secrets] == [""] * len(secrets)


@pytest.mark.parametrize("entry", entries().values(), ids=lambda entry: str(entry.key))
def test_every_setting_explains_itself(entry: Entry) -> None:
    """A reason of a few words, a unit and a range for every number, an allowed default."""
    assert len(entry.setting.reason) > 10
    if entry.type is int:
        assert entry.setting.unit
        assert entry.setting.low is not None
    assert entry.setting.problem(entry.default) is None


def test_every_way_of_taking_the_margin_out_can_be_chosen() -> None:
    """The setting offers the methods that the code has."""
    assert entries()["strategy.devig_method"].setting.choices == tuple(METHODS)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (5, "5"),
        (("a", "b"), '["a", "b"]'),
        ('say "a\\b"', '"say \\"a\\\\b\\""'),
        (Secret(), '""'),
    ],
)
def test_values_are_written_as_toml(value: object, text: str) -> None:
    """What is written reads back as the same value."""
    assert toml_value(value) == text
    if not isinstance(value, Secret):
        back = tomllib.loads(f"x = {text}")["x"]
        assert (tuple(back) if isinstance(back, list) else back) == value


FLAG = Entry("a.flag", bool, False, Setting("why"))
NUMBER = Entry("a.number", int, 1, Setting("why"))


@pytest.mark.parametrize(
    ("text", "entry", "value"),
    [
        ("true", FLAG, True),
        (" FALSE ", FLAG, False),
        ("-12", NUMBER, -12),
        (" 7 ", NUMBER, 7),
    ],
)
def test_variables_become_the_type_of_their_setting(text: str, entry: Entry, value: object) -> None:
    """An environment has only texts; the setting's type says what they mean."""
    assert from_text(text, entry) is value or from_text(text, entry) == value


@pytest.mark.parametrize(("text", "entry"), [("yes", FLAG), ("", NUMBER), ("1_0", NUMBER)])
def test_variables_of_another_type_are_refused(text: str, entry: Entry) -> None:
    """Nothing is guessed."""
    with pytest.raises(WrongType):
        from_text(text, entry)


def test_a_number_is_no_flag() -> None:
    """A file's 1 is not taken for true."""
    with pytest.raises(WrongType):
        structure(1, FLAG)


def test_nothing_is_near_to_nonsense() -> None:
    """A name like no other gets no suggestion."""
    assert nearest("zzzz.qqqq", tuple(entries())) is None
