"""The socket's file: who may open it, and who may replace it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from arb.engine.control_socket import (
    PATH_BYTES_MAX,
    ControlError,
    check_path,
    open_socket,
    unlink_own,
)


def test_the_socket_is_its_owners_alone(tmp_path: Path) -> None:
    """File mode 0600 and directory mode 0700, whatever the umask says, which stays as it was."""
    path = tmp_path / "sim" / "seed-7" / "control.sock"
    before = os.umask(0o000)
    try:
        with open_socket(path, 4):
            assert path.stat().st_mode & 0o777 == 0o600
            assert path.parent.stat().st_mode & 0o777 == 0o700
        assert os.umask(0o000) == 0o000
    finally:
        os.umask(before)


def test_what_a_dead_engine_left_is_replaced(tmp_path: Path) -> None:
    """A socket that nobody listens at is in nobody's way."""
    path = tmp_path / "c.sock"
    open_socket(path, 4).close()
    assert path.exists()

    with open_socket(path, 4), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_a_living_engine_is_not_replaced(tmp_path: Path) -> None:
    """The second engine gets one line, and the first keeps its socket."""
    path = tmp_path / "c.sock"
    with open_socket(path, 4):
        with pytest.raises(ControlError, match="an engine already runs") as caught:
            open_socket(path, 4)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))

    assert "\n" not in str(caught.value)


def test_a_living_engine_that_is_held_up_is_not_replaced(tmp_path: Path) -> None:
    """An engine whose backlog is full does not answer, but lives."""
    path = tmp_path / "c.sock"
    waiting = []
    with open_socket(path, 0):
        for _ in range(2):
            client = socket.socket(socket.AF_UNIX)
            client.setblocking(False)
            waiting.append(client)
            client.connect_ex(str(path))
        with pytest.raises(ControlError, match="already runs"):
            open_socket(path, 4)
    for client in waiting:
        client.close()


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    """Somebody's file is not an engine's to remove."""
    path = tmp_path / "c.sock"
    path.write_text("mine")

    with pytest.raises(ControlError, match="is no socket"):
        open_socket(path, 4)
    assert path.read_text() == "mine"


def test_a_path_beyond_the_systems_limit_is_refused_in_one_line(tmp_path: Path) -> None:
    """The line says how long it is, what is allowed, and which setting to change."""
    path = Path("/" + "x" * PATH_BYTES_MAX)

    with pytest.raises(ControlError, match=r"allows 10\d: choose a shorter engine.state_dir"):
        check_path(path)
    check_path(Path("/" + "x" * (PATH_BYTES_MAX - 1)))


def test_a_place_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """A file where a directory should be gives one line."""
    (tmp_path / "sim").write_text("")

    with pytest.raises(ControlError, match="cannot be made"):
        open_socket(tmp_path / "sim" / "w" / "c.sock", 4)


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """The socket's own name may be impossible."""
    with pytest.raises(ControlError, match="is no socket"):
        open_socket(tmp_path / "..", 4)


def test_only_ones_own_socket_is_taken_away(tmp_path: Path) -> None:
    """Another engine's socket at the same place stays."""
    path = tmp_path / "c.sock"
    path.write_text("")
    inode = path.stat().st_ino

    unlink_own(path, inode + 1)
    assert path.exists()
    unlink_own(path, inode)
    unlink_own(path, inode)
    assert not path.exists()
