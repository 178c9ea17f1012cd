"""What wants a word or a reason before it is done, and a console that may only look."""

from __future__ import annotations

from pathlib import Path

import pytest

from arb.console.cockpit import Cockpit
from arb.console.keys import STEERING, Action
from tests.console.fake_engine import picture
from tests.console.fake_shell import Bench


@pytest.fixture
def bench() -> Bench:
    """Return a cockpit that shows a running engine of eight markets."""
    made = Bench()
    made.show(picture(8))
    return made


def test_flatten_wants_its_word(bench: Bench) -> None:
    """Enter alone, or another word, does nothing; the word does it."""
    bench.press("F", "enter", *"flat", "enter")
    assert bench.shell.sent == []
    assert 'Type "flatten"' in bench.text()
    bench.press(*"ten", "enter")
    assert bench.shell.sent == [("flatten", {})]
    assert bench.cockpit.root.dialog is None


def test_esc_leaves_a_typed_question(bench: Bench) -> None:
    """A word that was typed is not done without Enter."""
    bench.press("F", *"flatten", "esc")

    assert bench.shell.sent == []
    assert bench.cockpit.root.dialog is None


def test_a_halt_and_its_end_want_a_reason(bench: Bench) -> None:
    """The reason goes to the engine; without a halt there is nothing to clear."""
    bench.press("C")
    assert "nothing is halted" in bench.text()
    bench.press("H", "enter", *"odd x", "backspace", *"fills", "enter")
    assert bench.shell.sent == [("halt", {"reason": "odd fills"})]
    bench.show(picture(8, trading={"state": "halted", "reasons": ["odd fills by a person"]}))
    bench.press("C")
    assert "It is because: odd fills by a person" in bench.text()
    bench.press("ctrl u", *"looked", "enter")
    assert bench.shell.sent[1:] == [("clear", {"reason": "looked"})]
    assert "TypedQuestion" not in repr(bench.cockpit.root)


def test_nothing_held_is_nothing_to_flatten() -> None:
    """A question without an object is not asked."""
    bench = Bench()
    bench.show(picture(2, positions=[]))
    bench.press("F")

    assert "nothing is held" in bench.text()


def test_a_read_only_console_changes_nothing(bench: Bench) -> None:
    """Every key that steers is refused in words; looking goes on."""
    cockpit = Cockpit(bench.link, bench.shell, owns_engine=False, read_only=True)
    bench.cockpit = cockpit
    cockpit.refresh(bench.now_s)
    for action in STEERING:
        cockpit.do(action)
        assert f"read-only: {action} is not for it" in bench.text(120)
    bench.press("K", "y", "F", "2")

    assert bench.shell.sent == []
    assert "READ-ONLY" in bench.text(140)
    assert "▾ trading" in bench.text(140)


def test_settings_are_shown_with_their_sources(bench: Bench) -> None:
    """c shows every setting that the console was given, until the engine shows its own."""
    facts = (("strategy.min_books", "2 books · default"),)
    bench.cockpit = Cockpit(bench.link, bench.shell, owns_engine=True, settings=facts)
    bench.cockpit.do(Action.SETTINGS)
    assert "2 books · default" in bench.text()
    assert "Hands on" in repr(bench.cockpit._hands)
    assert "/nowhere" in repr(bench.cockpit)
    assert bench.link._path == Path("/nowhere")
