"""Tests of texts that must not be seen."""

from __future__ import annotations

import traceback

import orjson
import pytest

from arb.settings import Secret

KEY = "a5f-very-secret"


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{!r}".format, "%s".__mod__, ascii])
def test_a_secret_never_shows_itself(show: object) -> None:
    """No way of writing a secret writes its text."""
    assert callable(show)
    assert KEY not in show(Secret(KEY))
    assert KEY not in show([Secret(KEY)])


def test_a_secret_does_not_show_in_a_traceback() -> None:
    """An exception that carries a secret keeps it."""
    try:
        raise ValueError(Secret(KEY))
    except ValueError:
        assert KEY not in traceback.format_exc()


def test_a_secret_is_not_written_by_accident() -> None:
    """A message that holds a secret is refused by the encoder."""
    with pytest.raises(TypeError):
        orjson.dumps({"key": Secret(KEY)})


def test_who_needs_it_gets_it() -> None:
    """The text comes out by its one name, and equality compares texts."""
    assert Secret(KEY).reveal() == KEY
    assert Secret(KEY) == Secret(KEY) != Secret("")


def test_one_can_see_whether_it_is_set() -> None:
    """An empty secret shows as empty, a set one as a mask."""
    assert not Secret()
    assert Secret(KEY)
    assert (str(Secret()), str(Secret(KEY))) == ("", "****")
    assert (repr(Secret()), repr(Secret(KEY))) == ("<Secret empty>", "<Secret set>")
