"""Pictures of a terminal program as it really ran: tmux runs it, rich draws it, resvg paints it.

The SVG that comes out fetches nothing from anywhere: rich's own asks for a font by address.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
FONT = "DejaVu Sans Mono, Menlo, Consolas, monospace"
# The namespace that makes a file an SVG; it is a name, which nobody fetches.
SVG_NAMESPACE = "http://www.w3.org/2000/svg"
ADDRESS = re.compile(r"https?://[^\"')\s<]*")
# urwid's escape sequences come in pieces: a picture of half a redraw shows none of it whole.
SETTLE_S = 0.5

THEME = TerminalTheme(
    (16, 20, 26),
    (204, 204, 204),
    [
        (16, 20, 26), (204, 51, 17), (0, 153, 136), (204, 187, 68),
        (0, 119, 187), (170, 68, 153), (51, 187, 238), (204, 204, 204),
    ],
    [
        (110, 118, 129), (255, 102, 68), (34, 221, 170), (255, 221, 68),
        (68, 170, 255), (221, 119, 204), (119, 221, 255), (255, 255, 255),
    ],
)  # fmt: skip


class PictureFailed(Exception):
    """No picture came of it; the text says why in one line."""


def main(arguments: Sequence[str]) -> int:
    """Take the picture that the arguments ask for and return an exit code."""
    options = _options(arguments)
    try:
        screen = run_in_tmux(
            options.command, options.columns, options.rows, options.seconds, options.keys
        )
        svg = draw(screen, options.columns, options.title)
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.with_suffix(".svg").write_text(svg, encoding="utf-8")
        options.output.with_suffix(".png").write_bytes(paint(svg))
    except PictureFailed as error:
        print(f"no picture: {error}", file=sys.stderr)
        return 1
    print(f"wrote {options.output.with_suffix('.svg')} and {options.output.with_suffix('.png')}")
    return 0


def run_in_tmux(
    command: str, columns: int, rows: int, seconds: float, keys: Sequence[str]
) -> list[str]:
    """Run a command in a terminal of its own, press keys, and return its screen with colours."""
    if shutil.which("tmux") is None:
        raise PictureFailed("tmux is not there: install it")
    server = f"arb-picture-{os.getpid()}"
    tmux = ["tmux", "-L", server, "-f", os.devnull]
    size = ["-x", str(columns), "-y", str(rows)]
    environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    shell = f"TERM=screen-256color exec {command}"
    try:
        subprocess.run(
            [*tmux, "new-session", "-d", "-s", "picture", *size, shell],
            check=True,
            env=environment,
            cwd=ROOT,
        )
        time.sleep(seconds)
        for key in keys:
            subprocess.run([*tmux, "send-keys", "-t", "picture", key], check=True)
            time.sleep(SETTLE_S)
        taken = subprocess.run(
            [*tmux, "capture-pane", "-e", "-p", "-t", "picture"],
            check=True,
            capture_output=True,
            text=True,
        )
    except subprocess.CalledProcessError as error:
        raise PictureFailed(f"the command ended before its picture was taken ({error})") from None
    finally:
        # Ctrl-C lets it end in good order; the server goes when its last session has.
        subprocess.run([*tmux, "send-keys", "-t", "picture", "C-c"], check=False)
        time.sleep(SETTLE_S)
        subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)
    return taken.stdout.split("\n")[:rows]


def draw(lines: Sequence[str], columns: int, title: str) -> str:
    """Return an SVG of lines with ANSI colours; it names no address outside itself."""
    console = Console(
        record=True,
        width=columns,
        file=io.StringIO(),
        color_system="truecolor",
        force_terminal=True,
        legacy_windows=False,
    )
    for line in lines:
        console.print(Text.from_ansi(line), no_wrap=True, overflow="crop", crop=True)
    template = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    template = re.sub(r"<!--.*?-->", "", template, flags=re.DOTALL)
    template = template.replace("Fira Code", FONT.split(",", maxsplit=1)[0])
    svg = console.export_svg(title=title, theme=THEME, code_format=template, unique_id="console")
    outside = [address for address in ADDRESS.findall(svg) if address != SVG_NAMESPACE]
    if outside:
        raise PictureFailed(f"the SVG would name {outside[0]}")
    return svg


def paint(svg: str) -> bytes:
    """Return the SVG as a PNG."""
    import resvg_py  # noqa: PLC0415  # only those who develop have it

    return bytes(resvg_py.svg_to_bytes(svg_string=svg, font_family="DejaVu Sans Mono"))


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools/picture",
        description=__doc__,
        epilog="Example: tools/picture --seconds 30 --columns 120 --rows 36",
    )
    program = shlex.quote(str(ROOT / ".venv" / "bin" / "arb"))
    parser.add_argument("--command", default=f"{program} run", help="what to run (arb run)")
    parser.add_argument("--seconds", type=float, default=25.0, help="how long before the picture")
    parser.add_argument("--columns", type=int, default=120)
    parser.add_argument("--rows", type=int, default=36)
    parser.add_argument("--keys", nargs="*", default=(), help="keys to press first, as tmux names")
    parser.add_argument("--title", default="arb run")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "console")
    return parser.parse_args(arguments)
