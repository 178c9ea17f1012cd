"""The settings in a box: each with its source, and thresholds changed after a question."""

from __future__ import annotations

import pytest

from arb.console.closeups import Look, Wish, read_closeup
from arb.console.cockpit import Cockpit
from arb.io.login import login
from tests.console.fake_closeups import closeup
from tests.console.fake_engine import picture
from tests.console.fake_shell import Bench

KEY = "strategy.maker_edge_threshold"
WISH = Wish("settings")
BY = {"by": login()}


def seen(**changes: object) -> Look:
    """Return what an engine shows of its settings."""
    return Look(WISH, read_closeup("settings", closeup("settings", "") | changes))


@pytest.fixture
def bench() -> Bench:
    """Return a cockpit with the box open and the engine's answer in it."""
    made = Bench()
    made.show(picture(2))
    made.press("c")
    made.cockpit.see(seen())
    return made


def test_every_setting_has_its_source(bench: Bench) -> None:
    """Value, unit, source, reason and range; what takes a new start says so."""
    text = bench.text(120, 30)
    assert "Settings in force" in text
    assert f"{KEY} " in text
    assert " own.toml " in text
    assert "the reason of strategy.taker_edge_threshold" in text
    assert "Enter changes it now" in text
    bench.press("j")
    assert "from /home/kim/own.toml" in bench.text(120, 30)
    bench.press("G")
    assert "takes a new start" in bench.text(120, 30)
    bench.press("enter")
    assert "SettingsBox at 'strategy.min_books' [3" in repr(bench.cockpit.root.dialog)


@pytest.mark.parametrize("letter,write", [("y", False), ("w", True)])
def test_a_change_is_typed_checked_and_asked(bench: Bench, letter: str, write: bool) -> None:
    """A wrong value is refused at once; the question shows old and new, and No is focused."""
    bench.press("j", "enter", *"200", "enter")
    assert "must be from 1 to 99 cents" in bench.text()
    assert bench.shell.sent == []
    bench.press("ctrl u", "3", "enter")
    assert f"{KEY}: 2 → 3 cents" in bench.text()
    assert "▸ No ◂" in bench.text()
    bench.press(letter)
    sent = ("set", {"key": KEY, "value": "3", "write": write, **BY})
    assert bench.shell.sent == [sent]
    assert "SettingsBox at 'strategy.maker" in repr(bench.cockpit.root.dialog)


def test_no_leads_back_and_changes_nothing(bench: Bench) -> None:
    """Enter on the question's default is no."""
    bench.press("enter", "9", "enter", "enter")

    assert bench.shell.sent == []
    assert "SettingsBox" in repr(bench.cockpit.root.dialog)


def test_without_a_file_nothing_can_be_written(bench: Bench) -> None:
    """The third answer is not there."""
    bench.cockpit.see(seen(file=None))
    bench.press("enter", "9", "enter")
    assert "no file to keep it" in bench.text()
    assert "write it" not in bench.text()


def test_until_the_engine_answers_this_consoles_own_are_shown() -> None:
    """They are said to be this console's, and none can be changed."""
    bench = Bench()
    bench.show(picture(2))
    bench.press("c")
    assert bench.cockpit.wish == WISH
    assert "as this console reads them" in bench.text()
    bench.press("enter", "j", "k", "page down", "home", "end")
    assert bench.shell.sent == []
    bench.cockpit.see(Look(WISH, why="the engine is held up"))
    assert "! the engine is held up" in bench.text()
    bench.press("esc")
    assert bench.cockpit.root.dialog is None


def test_its_own_settings_are_rows_too() -> None:
    """What the console was started with stands there with its source."""
    bench = Bench()
    cockpit = Cockpit(
        bench.link, bench.shell, owns_engine=False, settings=(("a.b", "3 books  ·  default"),)
    )
    cockpit.press("c")
    text = "\n".join(cockpit.root.render((80, 24)).decoded_text)
    assert "3 books" in text


def test_a_new_value_is_seen_while_the_box_is_open(bench: Bench) -> None:
    """The engine is asked again and again, and what is the same is not drawn again."""
    dialog = bench.cockpit.root.dialog
    assert dialog is not None
    assert not dialog.see(seen())
    other = closeup("settings", "")["settings"]
    other[0]["value"] = "7"
    assert dialog.see(seen(settings=other))
    assert "7 cents" in bench.text()


def test_a_small_terminal_scrolls(bench: Bench) -> None:
    """The selected one is always in sight."""
    rows = [
        closeup("settings", "")["settings"][0] | {"key": f"strategy.number_{n}"} for n in range(40)
    ]
    bench.cockpit.see(seen(settings=rows))
    for key, words in (("G", "number_39"), ("page up", "number_29"), ("g", "number_0 ")):
        bench.press(key)
        for size in ((80, 24), (60, 12)):
            assert words in bench.text(*size)
    assert "1 of 40" in bench.text()


def test_a_read_only_console_changes_no_setting() -> None:
    """It may look at them."""
    bench = Bench()
    bench.cockpit = Cockpit(bench.link, bench.shell, owns_engine=False, read_only=True)
    bench.show(picture(2))
    bench.press("c")
    bench.cockpit.see(seen())
    bench.press("enter")
    assert "read-only" in bench.text()
    assert bench.shell.sent == []
