"""Questions and pages."""

from __future__ import annotations

import pytest

from arb.console.cells import Tone
from arb.console.questions import about_actor, about_closing, about_leaving
from arb.console.snapshot import Position
from arb.console.widgets.dialog import Choice, Dialog, Page, Question, wrap


class Done:
    """Counts how often an answer was acted on."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def text(dialog: Dialog, columns: int = 80, rows: int = 24) -> list[str]:
    """Return what the box draws in a terminal of this size."""
    return list(dialog.render(dialog.size_in(columns, rows)).decoded_text)


@pytest.mark.parametrize("verb", ["kill", "restart", "quarantine", "release"])
def test_enter_on_a_fresh_question_does_nothing(verb: str) -> None:
    """The default is No, whatever is asked."""
    done = Done()
    question = about_actor(verb, "KXA", done)

    assert question.focused == "No"
    assert question.press("enter")
    assert done.count == 0
    assert any(f"{verb.capitalize()} KXA?" in line for line in text(question))


@pytest.mark.parametrize("keys", [["tab", "enter"], ["right", " "], ["h", "enter"], ["y"]])
def test_yes_takes_a_deliberate_key(keys: list[str]) -> None:
    """Moving to Yes and Enter, or y at once, does what was asked, once."""
    done = Done()
    question = about_actor("kill", "KXA", done)

    assert [question.press(key) for key in keys][-1]
    assert done.count == 1


@pytest.mark.parametrize("keys", [["n"], ["esc"], ["tab", "esc"], ["tab", "tab", "enter"]])
def test_no_is_easy(keys: list[str]) -> None:
    """n, Esc and a move back do nothing."""
    done = Done()
    question = about_actor("kill", "KXA", done)

    assert [question.press(key) for key in keys][-1]
    assert done.count == 0


def test_other_keys_leave_the_question_open() -> None:
    """A key that means nothing here changes nothing."""
    question = about_actor("kill", "KXA", Done())

    assert not question.press("K")
    assert "No" in repr(question)


def test_the_question_about_closing_names_count_and_result() -> None:
    """What is sold, and what it stands at, is there to be read."""
    position = Position("KXA", 500, 6_000, 6_200, 500, -100_000)
    drawn = "\n".join(text(about_closing(position, Done())))

    assert "Sell 5 contracts of KXA now?" in drawn
    assert "Bought at 60c; open result -$0.10." in drawn
    assert "▸ No ◂" in drawn


def test_leaving_asks_what_becomes_of_the_engine() -> None:
    """Cancel is the default; leaving and stopping have a letter each."""
    leave, stop = Done(), Done()
    question = about_leaving(owns_engine=True, leave=leave, stop=stop)
    drawn = "\n".join(text(question))

    assert question.focused == "Cancel"
    assert "Leave running" in drawn
    assert "Stop engine" in drawn
    assert "started together" in drawn
    assert question.press("l")
    assert about_leaving(owns_engine=False, leave=leave, stop=stop).press("s")
    assert (leave.count, stop.count) == (1, 1)


def test_a_question_fits_a_small_terminal() -> None:
    """Long names are broken into lines, and the box is never wider than the screen."""
    question = about_actor("kill", "K" * 100, Done())

    assert all(len(line) == 40 for line in text(question, 40))
    assert "▸ No ◂" in "".join(text(question, 40))


def test_a_page_shows_names_and_values() -> None:
    """Values are broken into lines beside their names."""
    page = Page("Facts", [("name", "x"), ("why", "a " * 60)], name_tone=Tone.DIM)
    drawn = text(page)

    assert drawn[1].startswith("│ name  x")
    assert drawn[2].startswith("│ why   a a a")
    assert drawn[3].startswith("│       a a a")
    assert "Esc closes" in drawn[0]
    assert "2 rows" in repr(page)


def test_a_page_scrolls_where_the_screen_is_small() -> None:
    """It stops at both ends, and says what part is in sight."""
    page = Page("Facts", [(str(index), "x") for index in range(20)], name_tone=Tone.DIM)

    assert "1-6 of 20" in text(page, 80, 8)[0]
    assert not page.press("down")
    assert "2-7 of 20" in text(page, 80, 8)[0]
    assert not page.press("page down")
    assert not page.press("page down")
    assert "15-20 of 20" in text(page, 80, 8)[0]
    for _ in range(3):
        page.press("page up")
    assert "1-6 of 20" in text(page, 80, 8)[0]
    assert not page.press("x")
    assert page.press("esc")


def test_texts_are_wrapped_at_blanks() -> None:
    """A word that is too long is cut in pieces; nothing of a text is lost."""
    assert wrap("a bc def", 4) == ["a bc", "def"]
    assert wrap("abcdefgh ij", 3) == ["abc", "def", "gh", "ij"]
    assert wrap("", 4) == [""]


def test_choices_without_an_act_only_close() -> None:
    """A question can have answers that do nothing."""
    question = Question("T", ["?"], [Choice("A", "a"), Choice("B", "b")], default=1)

    assert question.focused == "B"
    assert question.press("a")


def test_a_bare_dialog_is_only_a_shape() -> None:
    """What a box is must be said by a kind of its own."""
    with pytest.raises(NotImplementedError):
        Dialog().press("x")
    with pytest.raises(NotImplementedError):
        Dialog().size_in(1, 1)
