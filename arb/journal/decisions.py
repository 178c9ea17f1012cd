"""What the markets decided lately and on what: SQLite beside the journal, bounded, for questions.

Nothing is traded by it and nothing is recovered from it: it may be thrown away at any time. An
engine writes it from a thread; whoever asks reads it without holding the engine up.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import orjson

# Half a day answers what a person asks in the evening of a day of games.
KEPT_MS = 12 * 3_600_000

# At some 300 bytes a row the file stays below 150 MB, whatever the markets do.
ROWS_MAX = 500_000

# More rows of one market than anybody reads.
ANSWER_MAX = 100_000

# Who asks waits this long for an engine that is writing; SQLite's writes take milliseconds.
PATIENCE_S = 5.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS decisions (
    id INTEGER PRIMARY KEY,
    ticker TEXT NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    times INTEGER NOT NULL,
    action TEXT NOT NULL,
    reason TEXT NOT NULL,
    inputs TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS decisions_of_a_market ON decisions (ticker, last_ms);
CREATE INDEX IF NOT EXISTS decisions_by_age ON decisions (first_ms);
"""


@attrs.frozen
class DecisionRow:
    """One decision that a market came to so many times on end, and its latest inputs."""

    number: int
    ticker: str
    first_ms: int
    last_ms: int
    times: int
    action: str
    reason: str
    inputs: dict[str, Any]


class DecisionStore:
    """The file, as the engine writes it; every method may be called in a thread of its own."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; one that is none of SQLite's is replaced.

        Raises `sqlite3.Error` where neither can be done.
        """
        self._path = path
        try:
            self._connection = _opened(path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            path.unlink()
            self._connection = _opened(path)
        row = self._connection.execute("SELECT coalesce(max(id), 0) FROM decisions").fetchone()
        self.last_number = int(row[0])

    def write(self, rows: Iterable[DecisionRow], now_ms: int) -> None:
        """Add rows, or replace those of the same number, and drop the old; `sqlite3.Error`."""
        with self._connection:
            # Each row is one step of SQLite's, which lets the engine's loop run beside it.
            self._connection.executemany(
                "REPLACE INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(_values, rows)
            )
            self._connection.execute(
                "DELETE FROM decisions WHERE first_ms < ?", (now_ms - KEPT_MS,)
            )
            self._connection.execute(
                "DELETE FROM decisions WHERE id <= (SELECT max(id) FROM decisions) - ?",
                (ROWS_MAX,),
            )

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __repr__(self) -> str:
        return f"<DecisionStore {self._path}>"


def read_decisions(path: Path, ticker: str, since_ms: int) -> list[DecisionRow]:
    """Return a market's decisions since then, oldest first; none where there is no such file.

    Raises `sqlite3.Error` where it cannot be read.
    """
    if not path.is_file():
        return []
    with closing(
        sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=PATIENCE_S)
    ) as connection:
        rows = connection.execute(
            "SELECT * FROM decisions WHERE ticker = ? AND last_ms >= ? ORDER BY id DESC LIMIT ?",
            (ticker, since_ms, ANSWER_MAX),
        ).fetchall()
    return [_row(*row) for row in reversed(rows)]


def _opened(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=PATIENCE_S, check_same_thread=False)
    with contextlib.ExitStack() as stack:
        stack.callback(connection.close)
        connection.execute("PRAGMA journal_mode = WAL")
        # A loss of power may cost the last decisions, never the file.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(_SCHEMA)
        stack.pop_all()
    return connection


def _values(row: DecisionRow) -> tuple[object, ...]:
    inputs = orjson.dumps(row.inputs).decode()
    return (
        row.number,
        row.ticker,
        row.first_ms,
        row.last_ms,
        row.times,
        row.action,
        row.reason,
        inputs,
    )


def _row(
    number: int,
    ticker: str,
    first_ms: int,
    last_ms: int,
    times: int,
    action: str,
    reason: str,
    inputs: str,
) -> DecisionRow:
    read = orjson.loads(inputs)
    return DecisionRow(number, ticker, first_ms, last_ms, times, action, reason, read)
