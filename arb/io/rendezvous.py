"""Where running engines are found: one directory each, with a socket and a card.

``<root>/<mode>/<world or account>/`` holds ``control.sock`` and ``engine.json``. The engine
writes them, consoles and commands look them up.
"""

from __future__ import annotations

import json
import os
import re
import socket
from pathlib import Path

import attrs

from arb.settings import Mode

MODES = tuple(mode.value for mode in Mode)
SOCKET_NAME = "control.sock"
CARD_NAME = "engine.json"
# A healthy engine accepts at once; one that is held up for longer is still there.
PROBE_TIMEOUT_S = 0.25
# A card is five short fields; more than this is somebody else's file.
CARD_BYTES_MAX = 4_096
_SAFE_NAME = re.compile(r"[^A-Za-z0-9._-]+")


class BadName(ValueError):
    """A mode or a world's name that no directory can be made of."""


@attrs.frozen
class RunningEngine:
    """A running engine and where to speak to it."""

    directory: Path
    pid: int
    mode: str
    world: str
    version: str
    started_ms: int

    @property
    def socket_path(self) -> Path:
        """Return the path of its control socket."""
        return self.directory / SOCKET_NAME


def engine_directory(root: Path, mode: str, name: str) -> Path:
    """Return the directory of one engine; two names never share one. Raises `BadName`."""
    if mode not in MODES:
        raise BadName(f"{mode!r} is no mode: use one of {', '.join(MODES)}")
    safe = _SAFE_NAME.sub("-", name).strip(".-")
    if not safe or safe != name:
        raise BadName(f"{name!r} cannot name a directory: use letters, digits, '.', '_' and '-'")
    return root / mode / safe


def write_card(directory: Path, engine: RunningEngine) -> None:
    """Write the card of a running engine, so that it is there whole or not at all."""
    card = {
        "pid": engine.pid,
        "mode": engine.mode,
        "world": engine.world,
        "version": engine.version,
        "started_ms": engine.started_ms,
    }
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = directory / f"{CARD_NAME}.{engine.pid}"
    draft.write_text(json.dumps(card) + "\n", encoding="utf-8")
    draft.replace(directory / CARD_NAME)


def remove_card(directory: Path) -> None:
    """Take the card away, as an engine does when it ends in good order."""
    (directory / CARD_NAME).unlink(missing_ok=True)


def find_engines(root: Path, mode: str | None = None) -> list[RunningEngine]:
    """Return the engines that run below ``root``, of one mode or of all, in the modes' order.

    What a dead engine left behind is passed over, and so is whatever is not an engine's.
    """
    engines = []
    for each in MODES if mode is None else (mode,):
        cards = sorted((root / each).glob(f"*/{CARD_NAME}"))
        found = (_read_card(card) for card in cards)
        engines += [engine for engine in found if engine is not None and is_running(engine)]
    return engines


def is_running(engine: RunningEngine) -> bool:
    """Return whether the engine's socket answers, or its process lives though it does not."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_TIMEOUT_S)
        try:
            probe.connect(str(engine.socket_path))
        except (TimeoutError, BlockingIOError):
            return _process_lives(engine.pid)
        except OSError:
            return False
    return True


def _read_card(path: Path) -> RunningEngine | None:
    try:
        with path.open(encoding="utf-8") as file:
            card = json.loads(file.read(CARD_BYTES_MAX))
        return RunningEngine(
            directory=path.parent,
            pid=int(card["pid"]),
            mode=path.parent.parent.name,
            world=str(card["world"]),
            version=str(card["version"]),
            started_ms=int(card["started_ms"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _process_lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
