"""The decisions beside the journal: kept for a while, bounded, read while they are written."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import attrs
import pytest

from arb.journal import decisions
from arb.journal.decisions import KEPT_MS, DecisionRow, DecisionStore, read_decisions

NOW_MS = 1_795_343_226_907


def row(number: int, ticker: str = "A", at_ms: int = NOW_MS) -> DecisionRow:
    """Make a decision that lasted for a second."""
    return DecisionRow(number, ticker, at_ms, at_ms + 1_000, 3, "SKIP", "thin", {"fair": 0.5})


def test_what_was_written_is_read_by_market_and_time(tmp_path: Path) -> None:
    """Oldest first, and those that were over before are left out; the writer has it open still."""
    path = tmp_path / "decisions.sqlite"
    rows = [row(1), row(2, "B"), row(3, at_ms=NOW_MS + 5_000)]
    with closing(DecisionStore(path)) as store:
        store.write(rows, NOW_MS)

        assert read_decisions(path, "A", 0) == [rows[0], rows[2]]
        assert read_decisions(path, "A", NOW_MS + 1_001) == [rows[2]]
        assert read_decisions(path, "C", 0) == []
        assert repr(store) == f"<DecisionStore {path}>"


def test_a_row_that_lasts_is_replaced(tmp_path: Path) -> None:
    """The same number is the same row; numbers go on where the last engine ended."""
    path = tmp_path / "decisions.sqlite"
    longer = attrs.evolve(row(7), times=9, last_ms=NOW_MS + 9_000)
    with closing(DecisionStore(path)) as store:
        store.write([row(7)], NOW_MS)
        store.write([longer], NOW_MS)

    assert read_decisions(path, "A", 0) == [longer]
    with closing(DecisionStore(path)) as store:
        assert store.last_number == 7


def test_the_old_and_the_too_many_are_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither time nor talk makes the file grow without end."""
    monkeypatch.setattr(decisions, "ROWS_MAX", 3)
    path = tmp_path / "decisions.sqlite"
    with closing(DecisionStore(path)) as store:
        store.write([row(number) for number in range(1, 6)], NOW_MS)
        assert [each.number for each in read_decisions(path, "A", 0)] == [3, 4, 5]
        store.write([row(6, at_ms=NOW_MS + KEPT_MS + 1)], NOW_MS + KEPT_MS + 1)
        assert [each.number for each in read_decisions(path, "A", 0)] == [6]


def test_nobody_else_may_read_it_and_a_missing_one_is_empty(tmp_path: Path) -> None:
    """The file is its owner's alone; asking makes none."""
    path = tmp_path / "decisions.sqlite"
    assert read_decisions(path, "A", 0) == []
    assert not path.exists()
    DecisionStore(path).close()

    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_of_something_else_is_replaced(tmp_path: Path) -> None:
    """What cannot be read explains nothing, and must not keep an engine from starting."""
    path = tmp_path / "decisions.sqlite"
    path.write_bytes(b"no database at all" * 100)
    with closing(DecisionStore(path)) as store:
        store.write([row(1)], NOW_MS)

    assert len(read_decisions(path, "A", 0)) == 1
    (tmp_path / "folder").mkdir()
    with pytest.raises(sqlite3.Error):
        DecisionStore(tmp_path / "folder")
