"""Tests of how a setting is declared and what it allows."""

from __future__ import annotations

import attrs
import pytest

from arb.core.setting import Address, Setting, setting, setting_of

CENTS = Setting("why", unit="cents", low=1, high=5_000)
WORDS = Setting("why", choices=("nfl", "nba"))
HOST = Setting("why", address=Address.HTTP)
STREAM = Setting("why", address=Address.WEBSOCKET, optional=True)


@attrs.frozen
class Section:
    """A section with one setting."""

    size: int = setting(2, "why not", unit="apples", low=1, high=3)


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        (CENTS, "from 1 to 5,000 cents"),
        (Setting("why", low=0, high=2), "from 0 to 2"),
        (WORDS, "one of: nfl, nba"),
        (HOST, "a https:// address without user, password or query"),
        (STREAM, "a wss:// address without user, password or query"),
        (Setting("why"), ""),
    ],
)
def test_what_is_allowed_is_said_in_words(declared: Setting, text: str) -> None:
    """A range, the words to choose from, the kind of address, or nothing at all."""
    assert declared.allowed == text


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        (CENTS, 1),
        (CENTS, 5_000),
        (Setting("why"), 10**12),
        (Setting("why"), True),
        (Setting("why"), "anything"),
        (Setting("why"), ("any", "thing")),
        (WORDS, "nba"),
        (WORDS, ("nba", "nfl")),
        (HOST, "https://host/path"),
        (HOST, "http://127.0.0.1:8080"),
        (STREAM, "wss://host"),
        (STREAM, ""),
    ],
)
def test_what_is_allowed_has_no_problem(declared: Setting, value: object) -> None:
    """Values within the declaration pass, the ends of a range too."""
    assert declared.problem(value) is None


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        (CENTS, 0),
        (CENTS, 5_001),
        (CENTS, -1),
        (WORDS, "nhl"),
        (WORDS, ""),
        (WORDS, ("nba", "nhl")),
        (WORDS, ("nba", "nba")),
        (WORDS, ()),
        (HOST, ""),
        (HOST, "host"),
        (HOST, "https://"),
        (HOST, "wss://host"),
        (HOST, "https://user@host"),
        (HOST, "https://:password@host"),
        (HOST, "https://host/?apiKey=k"),
        (HOST, "https://host:99999"),
        (HOST, "https://host:0"),
        (HOST, "https://[::1"),
        (STREAM, "https://host"),
    ],
)
def test_what_is_not_allowed_is_told(declared: Setting, value: object) -> None:
    """Values outside the declaration get a sentence that says what is allowed."""
    problem = declared.problem(value)

    assert problem is not None
    assert problem.startswith("must ")
    assert problem.endswith(declared.allowed)


def test_a_section_keeps_its_own_range() -> None:
    """The constructor refuses what the settings file may not hold."""
    assert Section().size == 2
    with pytest.raises(ValueError, match="size = 4: must be from 1 to 3 apples"):
        Section(size=4)


def test_a_field_remembers_what_was_declared() -> None:
    """The declaration can be read back from the class."""
    declared = setting_of(attrs.fields(Section).size)

    assert (declared.reason, declared.unit) == ("why not", "apples")


def test_a_check_of_its_own_says_what_is_wrong() -> None:
    """What no range can say, a function of the setting's own does."""
    declared = Setting("why", check=lambda texts: None if len(texts) == 1 else "must be one")

    assert declared.problem(("a",)) is None
    assert declared.problem(("a", "b")) == "must be one"
