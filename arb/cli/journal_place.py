"""Which engine's files a question is asked of: one that runs, or else the one that ran last."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from arb.cli.errors import CommandFailed, UsageError
from arb.cli.steer import engine_root
from arb.engine.place import Place
from arb.io.rendezvous import MODES, find_engines
from arb.journal.frames import JournalDamaged
from arb.journal.reading import read_records
from arb.journal.records import NotARecord, Record
from arb.journal.snapshot import NotASnapshot

T = TypeVar("T")

MS_PER_S = 1000


def find_place(mode: str | None, world: str | None, root: Path | None = None) -> Place:
    """Return the place of the engine that is meant, which is only read.

    One that runs goes before those that do not; of those, the one that wrote last. Raises
    `UsageError` where several run, `CommandFailed` where there is no journal.
    """
    if mode is not None and mode not in MODES:
        raise UsageError(f"{mode!r} is no mode: use one of {', '.join(MODES)}")
    root = engine_root() if root is None else root
    places = [
        Place(each)
        for kind in (MODES if mode is None else (mode,))
        for each in sorted((root / kind).glob("*"))
        if world in (None, each.name) and Place(each).journal_path.is_file()
    ]
    if not places:
        which = " ".join(filter(None, ("no", mode, "journal", world and f"of {world!r}")))
        raise CommandFailed(f"{which} was found in {root}: an engine writes one when it runs")
    running = {engine.directory for engine in find_engines(root, mode)}
    live = [place for place in places if place.directory in running]
    if len(live) > 1:
        names = ", ".join(_name(place) for place in live)
        raise UsageError(f"{len(live)} engines are running ({names}): add --mode and --world")
    return max(live or places, key=lambda place: place.journal_path.stat().st_mtime_ns)


def records_of(place: Place) -> list[Record]:
    """Return every record of a journal; raises `CommandFailed` in one line."""
    return in_one_line(place.journal_path, lambda: read_records(place.journal_path))


def in_one_line(path: Path, call: Callable[[], T]) -> T:
    """Return what ``call`` does; what is wrong with the journal ends the command in one line."""
    try:
        return call()
    except (JournalDamaged, NotARecord, NotASnapshot) as error:
        raise CommandFailed(f"{path}: {error}") from None
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror or error}") from None


def told(place: Place) -> str:
    """Return which engine's journal an answer is from."""
    return f"Journal of {_name(place)}"


def clock_text(at_ms: int) -> str:
    """Return a moment as a person reads it, in local time with its date."""
    at = datetime.fromtimestamp(at_ms / MS_PER_S).astimezone()
    return f"{at:%Y-%m-%d %H:%M:%S}.{at_ms % MS_PER_S:03d}"


def _name(place: Place) -> str:
    return f"{place.directory.parent.name} {place.directory.name}"
