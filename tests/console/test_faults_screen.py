"""The screen on which a person switches the faults of the simulated world."""

from __future__ import annotations

import pytest

from arb.console.closeups import Faults, Look, Wish, read_closeup
from arb.console.fault_view import fault_facts, faults_table
from arb.console.keys import Screen
from tests.console.fake_closeups import closeup
from tests.console.fake_engine import picture
from tests.console.fake_shell import Bench

WISH = Wish("faults")


def faults() -> Faults:
    """Return the faults that the pretended world has."""
    seen = read_closeup("faults", closeup("faults", ""))
    assert isinstance(seen, Faults)
    return seen


def on_faults(bench: Bench) -> Bench:
    """Turn a console to the faults, which the engine shows."""
    bench.show(picture())
    bench.press("6")
    assert bench.cockpit.wish == WISH
    bench.cockpit.see(Look(WISH, faults()))
    bench.cockpit.refresh(bench.now_s)
    return bench


@pytest.mark.parametrize("key", ["enter", " "])
def test_a_fault_is_switched_by_enter_and_space(key: str) -> None:
    """One that is off goes on, one that is on goes off, one that has passed happens again."""
    bench = on_faults(Bench())
    bench.press(key, "j", key)
    for _ in range(4):
        bench.press("j")
    bench.press(key)
    assert bench.shell.sent == [
        ("fault", {"name": "order-refused", "switch": "on"}),
        ("fault", {"name": "answer-lost", "switch": "off"}),
        ("fault", {"name": "sequence-gap", "switch": "on"}),
    ]


def test_one_key_switches_all_off() -> None:
    """It asks nothing: what is off harms nobody."""
    bench = on_faults(Bench())
    bench.press("O")
    assert bench.shell.sent == [("faults_off", {})]


def test_a_console_that_only_looks_switches_nothing() -> None:
    """Enter, space and O say so."""
    bench = on_faults(Bench(read_only=True))
    for key in ("enter", " ", "O"):
        bench.press(key)
        assert "read-only" in bench.text()
    assert bench.shell.sent == []
    assert "switch" not in bench.lines()[-1]


def test_what_is_on_is_told_by_words_and_its_moment() -> None:
    """The title counts them; what has passed says done."""
    text = on_faults(Bench()).text(120, 36)
    assert "Simulated World, 1 ON" in text
    assert "● ON    answer-lost" in text
    assert "done  sequence-gap" in text


def test_an_engine_without_a_world_says_why_nothing_is_here() -> None:
    """What the engine answered stands where the rows would."""
    bench = Bench()
    bench.show(picture(mode="demo"))
    bench.press("6")
    why = "only the simulated world has faults to switch: this engine runs in demo"
    bench.cockpit.see(Look(WISH, why=why))
    bench.cockpit.refresh(bench.now_s)
    assert why in bench.text()
    bench.press("enter")
    assert bench.shell.sent == []
    assert "no fault is selected" in bench.text()


def test_a_lost_engine_switches_nothing() -> None:
    """The foot says that it is not connected."""
    bench = on_faults(Bench())
    bench.lose("gone")
    bench.press("enter")
    assert "not connected" in bench.text(120, 36)
    assert bench.shell.sent == []


def test_details_show_the_command_for_a_shell() -> None:
    """All of one fault, and how to switch it without a console."""
    bench = on_faults(Bench())
    bench.press("j", "d")
    text = bench.text(100, 30)
    assert "arb faults off answer-lost" in text
    assert "until it is switched off" in text
    facts = dict(fault_facts(faults().faults[5], None))
    assert facts["lasts"].startswith("once")
    assert facts["in a shell"] == "arb faults on sequence-gap"
    assert dict(fault_facts(faults().faults[0], None))["last"] == "never"


def test_the_palette_finds_the_screen_and_its_keys() -> None:
    """The screen from anywhere, what is done on it from there."""
    bench = Bench()
    bench.show(picture())
    bench.press(":", *"faults screen", "enter")
    assert bench.cockpit.panels.screen is Screen.FAULTS
    bench.press(":", *"switch fault", "enter")
    assert "no fault is selected" in bench.text(120, 36)
    bench.press(":", *"faults off", "enter")
    assert bench.shell.sent == [("faults_off", {})]
    bench.press("?")
    assert "switch the selected fault on or off" in bench.text(120, 50)


def test_it_sorts_by_what_is_on_and_by_names() -> None:
    """What is on comes first."""
    view = faults_table(faults(), "", None)
    by_title = {column.title: column.sort for column in view.columns}
    for title in ("Now", "Fault", "Where", "Since"):
        sort = by_title[title]
        assert sort is not None
        assert sort(view.rows[1]) is not None
