"""Pictures of a screen: what is drawn, and that it fetches nothing."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tools.pictures import SVG_NAMESPACE, PictureFailed, draw, main, paint

SCREEN = ["\x1b[1;32mBalance\x1b[0m $1,234.56", "│ NO SALE RESTING │"]


def test_a_picture_names_no_address() -> None:
    """The SVG holds its namespace, which nobody fetches, and no other address."""
    svg = draw(SCREEN, 40, "arb run")

    assert set(re.findall(r"https?://[^\"')\s<]*", svg)) == {SVG_NAMESPACE}
    assert "font-face" not in svg
    assert "1,234.56" in svg
    assert "arb" in svg


def test_the_same_screen_gives_the_same_picture() -> None:
    """A picture changes only with what is on it."""
    assert draw(SCREEN, 40, "arb run") == draw(SCREEN, 40, "arb run")


def test_an_address_on_the_screen_is_no_picture() -> None:
    """What a person would click on by mistake does not get into the documents."""
    with pytest.raises(PictureFailed, match="would name"):
        draw(["see https://example.com/x"], 40, "arb run")


def test_a_picture_can_be_painted() -> None:
    """The PNG is one."""
    assert paint(draw(SCREEN, 40, "arb run")).startswith(b"\x89PNG")


def test_without_tmux_it_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """One line, exit code 1, nothing written."""
    monkeypatch.setattr(shutil, "which", lambda _name: None)

    assert main(["--output", str(tmp_path / "console")]) == 1
    assert "tmux is not there" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not there")
def test_a_program_is_run_and_its_keys_pressed(tmp_path: Path) -> None:
    """What the program wrote, and what it echoed of the keys, is in the picture."""
    options = ["--command", "cat", "--seconds", "0.2", "--columns", "40", "--rows", "5"]

    assert main([*options, "--keys", "h", "i", "--output", str(tmp_path / "console")]) == 0
    assert "hi" in (tmp_path / "console.svg").read_text()
    assert (tmp_path / "console.png").read_bytes().startswith(b"\x89PNG")
