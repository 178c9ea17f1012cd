"""Foreign text for people."""

from __future__ import annotations

from arb.io.text import one_line


def test_text_becomes_one_bounded_line() -> None:
    """Line ends, control signs and length are taken care of."""
    assert one_line("a\nb\t c\x1b[2J") == "a b c�[2J"
    assert one_line(b"\xff ok") == "� ok"
    assert one_line("x" * 500) == "x" * 199 + "…"
    assert one_line(None) == "None"
