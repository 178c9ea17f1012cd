"""What all commands to a running engine share: finding it, asking it, saying what it answered."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from arb.cli.common import load_settings
from arb.cli.errors import CommandFailed, UsageError
from arb.console.ask import NoAnswer, ask
from arb.io.rendezvous import (
    MODES,
    RunningEngine,
    find_engines,
)
from arb.settings import Settings

Mode = Annotated[
    str | None,
    Parameter(name="--mode", help=f"The engine's mode, where several run: {', '.join(MODES)}."),
]
World = Annotated[
    str | None,
    Parameter(name="--world", help="Its world or account, where several run in one mode."),
]
Exits = Annotated[
    Literal["keep", "cancel"] | None,
    Parameter(
        name="--exits", help="What becomes of resting exits; without it, as the setting says."
    ),
]
Reason = Annotated[str, Parameter(name="--reason", help="Why; it is kept in the journal.")]


def engine_root(settings: Settings | None = None) -> Path:
    """Return the directory of all engines, as these settings say, or those in force."""
    found = load_settings(None) if settings is None else settings
    return Path(found.engine.state_dir).expanduser()


def find_engine(mode: str | None, world: str | None, root: Path | None = None) -> RunningEngine:
    """Return the one running engine that is meant.

    Raises `UsageError` where several could be, `CommandFailed` where none is.
    """
    if mode is not None and mode not in MODES:
        raise UsageError(f"{mode!r} is no mode: use one of {', '.join(MODES)}")
    root = engine_root() if root is None else root
    engines = find_engines(root, mode)
    if world is not None:
        engines = [engine for engine in engines if engine.directory.name == world]
    if not engines:
        which = " ".join(filter(None, ("no", mode, "engine", world and f"of {world!r}")))
        raise CommandFailed(f"{which} is running (looked in {root}): start one with arb run")
    if len(engines) > 1:
        names = ", ".join(f"{each.mode} {each.directory.name}" for each in engines)
        option = "--mode" if len({each.mode for each in engines}) > 1 else "--world"
        raise UsageError(f"{len(engines)} engines are running ({names}): say which with {option}")
    return engines[0]


def steer(verb: str, mode: str | None, world: str | None, **arguments: Any) -> None:
    """Send one command to the engine that is meant and print its one line."""
    # A terminal may send bytes of another encoding; a halt is not refused for its words.
    given = {
        name: value.encode(errors="replace").decode() if isinstance(value, str) else value
        for name, value in arguments.items()
        if value is not None
    }
    answer = ask_engine(find_engine(mode, world), verb, **given)
    sys.stdout.write(f"{answer.get('text') or f'{verb}: done'}\n")


def picture_of(mode: str | None, world: str | None) -> dict[str, Any]:
    """Return the picture of the engine that is meant, as decoded JSON."""
    document = ask_engine(find_engine(mode, world), "status")
    picture = document.get("snapshot")
    if not isinstance(picture, dict):
        raise CommandFailed("the engine answered without a picture of itself")
    return picture


def ask_engine(engine: RunningEngine, verb: str, **arguments: Any) -> dict[str, Any]:
    """Ask one engine; raises `CommandFailed` with its one line where the answer is no."""
    try:
        return ask(engine.socket_path, verb, **arguments)
    except NoAnswer as error:
        raise CommandFailed(str(error)) from None
