"""One setting of a running engine, changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from arb.core.parameters import Strategy
from arb.settings import (
    CHANGEABLE,
    Settings,
    SettingsError,
    Source,
    SourceKind,
    changed,
    checked,
    load,
)
from arb.settings.schema import entries
from arb.settings.shown import settings_closeup

KEY = "strategy.maker_edge_threshold"
HAND = Source(SourceKind.PERSON, "kim, 2026-11-22 16:00:00 UTC")


def test_a_change_is_a_new_value_with_its_source() -> None:
    """Nothing else changes, and the settings before stay as they were."""
    before = Settings()
    after = changed(before, KEY, "4", HAND)

    assert after.strategy == Strategy(maker_edge_threshold=4)
    assert (after.risk, after.execution) == (before.risk, before.execution)
    assert str(after.source(KEY)) == HAND.name
    assert before.strategy == Strategy()
    assert str(before.source(KEY)) == "default"


@pytest.mark.parametrize(
    "key,text,words",
    [
        (KEY, "x", "must be a whole number from 1 to 99 cents"),
        (KEY, "2.5", "must be a whole number"),
        (KEY, "", "must be a whole number"),
        (KEY, "0", "= 0: must be from 1 to 99 cents"),
        (KEY, "6", r"kim, .* must be at most strategy.taker_edge_threshold = 5, or no edge"),
        ("strategy.min_books", "2", "cannot change while the engine runs"),
        ("strategy.maker_edge", "2", f"is no setting; the nearest is {KEY}"),
        ("q", "2", "is no setting; arb settings prints"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(key: str, text: str, words: str) -> None:
    """The line says what is allowed."""
    with pytest.raises(SettingsError, match=words) as caught:
        changed(Settings(), key, text, HAND)

    assert "\n" not in str(caught.value)


def test_every_changeable_setting_is_a_number_with_a_range() -> None:
    """What is written to a file is one number, and what is typed is checked against a range."""
    for key in CHANGEABLE:
        setting = entries()[key].setting
        assert entries()[key].type is int
        assert checked(key, str(setting.low)) == setting.low


def test_settings_know_their_file(tmp_path: Path) -> None:
    """Where something could be written to is kept, also where it says nothing."""
    file = tmp_path / "own.toml"
    file.write_text("")

    assert load({}, file=file, folder=tmp_path).file == file
    assert load({}, folder=tmp_path).file is None


def test_what_a_console_is_shown(tmp_path: Path) -> None:
    """What can change comes first; every setting is there once, and no key is."""
    file = tmp_path / "own.toml"
    file.write_text('[kalshi]\napi_key = "tell-nobody"\n')
    seen = settings_closeup(load({}, file=file, folder=tmp_path))
    rows = seen["settings"]

    assert seen["file"] == str(file)
    assert [row["key"] for row in rows if row["changeable"]] == list(CHANGEABLE)
    assert {row["key"] for row in rows} == set(entries())
    assert len(rows) == len(entries())
    assert "tell-nobody" not in str(seen)
    taker = rows[0]
    assert (taker["value"], taker["unit"], taker["source"]) == ("5", "cents", "default")
    assert "from 1 to 99 cents" in taker["allowed"]
