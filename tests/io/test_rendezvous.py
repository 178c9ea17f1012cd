"""Where running engines are found."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from arb.io.rendezvous import (
    BadName,
    RunningEngine,
    _process_lives,
    engine_directory,
    find_engines,
    is_running,
    remove_card,
    write_card,
)


def engine(root: Path, mode: str, world: str, pid: int | None = None) -> RunningEngine:
    """Return an engine that has written its card."""
    directory = engine_directory(root, mode, world)
    made = RunningEngine(directory, pid or os.getpid(), mode, world, "0.1.0", 1_755_990_000_000)
    write_card(directory, made)
    return made


def listen(path: Path) -> socket.socket:
    """Return a socket that listens at ``path``."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen(1)
    return listening


def dead_pid() -> int:
    """Return the id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_every_engine_has_a_directory_of_its_own(tmp_path: Path) -> None:
    """Mode and world name it; the socket lies in it."""
    made = engine(tmp_path, "sim", "seed-7")

    assert made.directory == tmp_path / "sim" / "seed-7"
    assert made.socket_path == tmp_path / "sim" / "seed-7" / "control.sock"
    assert made.directory.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["", "..", "a/b", "a b", ".hidden", "é"])
def test_names_that_no_directory_can_have_are_refused(tmp_path: Path, name: str) -> None:
    """A name is never bent into another one, which might be somebody else's."""
    with pytest.raises(BadName, match="cannot name a directory"):
        engine_directory(tmp_path, "sim", name)


def test_modes_are_the_known_ones(tmp_path: Path) -> None:
    """A wrong mode names the right ones."""
    with pytest.raises(BadName, match="sim, paper, demo, live"):
        engine_directory(tmp_path, "real", "x")


def test_running_engines_are_found_and_others_passed_over(tmp_path: Path) -> None:
    """Only those whose socket answers count, in the modes' order."""
    demo = engine(tmp_path, "demo", "account")
    sim = engine(tmp_path, "sim", "seed-7")
    engine(tmp_path, "sim", "gone")
    (tmp_path / "sim" / "rubbish").mkdir()
    (tmp_path / "sim" / "rubbish" / "engine.json").write_text("[]")
    (tmp_path / "paper").write_text("no directory")

    with listen(demo.socket_path), listen(sim.socket_path):
        assert find_engines(tmp_path) == [sim, demo]
        assert find_engines(tmp_path, "demo") == [demo]
    assert find_engines(tmp_path) == []
    assert find_engines(tmp_path / "nowhere") == []


def test_an_engine_that_is_held_up_still_runs(tmp_path: Path) -> None:
    """A full backlog is no answer; then the process decides."""
    made = engine(tmp_path, "sim", "seed-7")
    clients = []
    with listen(made.socket_path):
        for _ in range(3):
            client = socket.socket(socket.AF_UNIX)
            client.setblocking(False)
            client.connect_ex(str(made.socket_path))
            clients.append(client)
        assert is_running(made)
        assert not is_running(attrs.evolve(made, pid=dead_pid()))
    for client in clients:
        client.close()


def test_a_process_of_somebody_else_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that may not be signalled is there."""

    def refuse(_pid: int, _signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert _process_lives(1)


def test_the_card_goes_with_the_engine(tmp_path: Path) -> None:
    """Taking it away twice does no harm."""
    made = engine(tmp_path, "sim", "seed-7")
    remove_card(made.directory)
    remove_card(made.directory)

    assert list(made.directory.iterdir()) == []
