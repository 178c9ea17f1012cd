"""The table of keys."""

from __future__ import annotations

from collections import Counter

import pytest

from arb.console.keys import (
    BINDINGS,
    SCREEN_OF,
    Action,
    Screen,
    action_at,
    bottom_line,
    find_action,
    help_rows,
    no_meaning,
    tabs,
)


def text(screen: Screen, width: int) -> str:
    """Return the bottom line as text."""
    return "".join(cell.text for cell in bottom_line(screen, width))


@pytest.mark.parametrize("screen", list(Screen))
def test_no_key_means_two_things(screen: Screen) -> None:
    """On each screen a key belongs to one binding."""
    keys = Counter(key for each in BINDINGS if screen in each.screens for key in each.keys)

    assert [key for key, count in keys.items() if count > 1] == []


def test_every_action_has_a_key() -> None:
    """There is nothing the console can do that no key does."""
    assert {binding.action for binding in BINDINGS} == set(Action)


def test_the_keys_of_the_design_do_what_it_says() -> None:
    """q, p, r, plus and minus are where the drawing has them."""
    wanted = {
        "q": Action.QUIT,
        "p": Action.PAUSE,
        "r": Action.RESUME,
        "+": Action.LIMIT_UP,
        "-": Action.LIMIT_DOWN,
        "K": Action.KILL,
        "R": Action.RESTART,
        "f": Action.FORCE_CLOSE,
    }

    assert {key: find_action(key, Screen.TRADING) for key in wanted} == wanted


def test_a_key_works_only_on_its_screens() -> None:
    """Force close needs a market; there is none in the actor tree."""
    assert find_action("f", Screen.ACTORS) is None
    assert find_action("X", Screen.TRADING) is None
    assert "orce close" not in text(Screen.ACTORS, 200)


@pytest.mark.parametrize("width", [20, 80, 200])
def test_the_bottom_line_fits_and_names_the_help(width: int) -> None:
    """However narrow the terminal, the way to all other keys is on it."""
    line = text(Screen.TRADING, width)

    assert len(line) <= width
    assert "[q]uit" in line
    assert "[?]help" in line


def test_the_bottom_line_comes_from_the_table() -> None:
    """What the line offers is what the table does."""
    for binding in BINDINGS:
        if binding.short:
            assert binding.short in text(next(iter(binding.screens)), 400)
            key = binding.short.partition("[")[2].partition("]")[0]
            assert key.startswith(binding.keys_text.split()[0][:3])


def test_the_help_lists_every_key_once() -> None:
    """Help is made from the table; opposites share a row."""
    keys = " ".join(keys for keys, _ in help_rows()).split()

    assert sorted(keys) == sorted(key for each in BINDINGS for key in each.keys_text.split())
    assert all(words for _, words in help_rows())


def test_every_screen_is_a_tab() -> None:
    """The frame's last line names every screen by its key, and sets off the one that is shown."""
    line = "".join(cell.text for cell in tabs(Screen.MARKET))

    assert line == " 1 Trading 2 Actors▸3 Market 4 Matching 5 Latency 6 Faults"
    for number, screen in enumerate(Screen, 1):
        action = find_action(str(number), Screen.TRADING)
        assert action is not None
        assert SCREEN_OF[action] is screen


def test_a_click_on_the_bottom_line_is_its_key() -> None:
    """Words of the bottom line do what they say; a console that only looks offers less."""
    line = text(Screen.TRADING, 200)

    assert action_at(Screen.TRADING, line.index("[p]")) is Action.PAUSE
    assert action_at(Screen.TRADING, 199) is None
    shown = "".join(each.text for each in bottom_line(Screen.TRADING, 200, read_only=True))
    assert "[p]ause" not in shown
    assert action_at(Screen.TRADING, shown.index("[/]"), read_only=True) is Action.FILTER


@pytest.mark.parametrize(
    "key,screen,said",
    [
        ("w", Screen.TRADING, "w does nothing; ? shows every key"),
        ("f", Screen.ACTORS, "f does nothing on Actors, but on Trading, Market; ? shows every key"),
        ("f5", Screen.TRADING, "f5 does nothing; ? shows every key"),
        ("\x07", Screen.TRADING, "that key does nothing; ? shows every key"),
        ("meta " * 20, Screen.TRADING, "meta meta meta meta  does nothing; ? shows every key"),
    ],
)
def test_a_key_without_meaning_says_so(key: str, screen: Screen, said: str) -> None:
    """Whoever presses it learns where it works, and where all keys stand."""
    assert no_meaning(key, screen) == said
