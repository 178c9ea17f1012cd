"""Small files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from arb.io.files import sync_folder, write_whole


class Disk:
    """Notes in which order files, names and folders reach the disk, and fails where it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        self.fails_at: str | None = None
        self._fsync, self._replace = os.fsync, Path.replace
        monkeypatch.setattr(os, "fsync", self._note_sync)
        monkeypatch.setattr(Path, "replace", lambda old, new: self._note_name(old, new))  # noqa: PLW0108 - it binds ``old``

    def _note_sync(self, descriptor: int) -> None:
        self._note("sync " + Path(f"/proc/self/fd/{descriptor}").readlink().name.split(".")[0])
        self._fsync(descriptor)

    def _note_name(self, old: Path, new: Path) -> None:
        self._note(f"name {new.name}")
        self._replace(old, new)

    def _note(self, what: str) -> None:
        self.done.append(what)
        if what == self.fails_at:
            raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Return what notes the syncs of this process."""
    return Disk(monkeypatch)


def test_what_is_named_is_on_the_disk_before_its_name_is(tmp_path: Path, disk: Disk) -> None:
    """And when the call returns the name is there, too; nobody else may read the file."""
    path = tmp_path / "folder" / "file"
    path.parent.mkdir()
    for content in (b"old", b"new"):
        disk.done.clear()
        write_whole(path, content)
        assert disk.done == ["sync file", "name file", "sync folder"]
        assert path.read_bytes() == content
    assert path.stat().st_mode & 0o077 == 0
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("fails_at", ["sync file", "name file"])
def test_what_fails_leaves_the_old_file_and_nothing_else(
    fails_at: str, tmp_path: Path, disk: Disk
) -> None:
    """The error is the caller's."""
    path = tmp_path / "file"
    write_whole(path, b"old")
    disk.fails_at = fails_at
    with pytest.raises(OSError, match="Input/output"):
        write_whole(path, b"new")

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_synced_is_an_error(tmp_path: Path, disk: Disk) -> None:
    """What was not promised is not kept quiet about; a file is no folder."""
    disk.fails_at = f"sync {tmp_path.name.split('.')[0]}"
    with pytest.raises(OSError, match="Input/output"):
        write_whole(tmp_path / "file", b"x")
    with pytest.raises(NotADirectoryError):
        sync_folder(tmp_path / "file")
