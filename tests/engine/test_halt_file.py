"""A halt that is left in a file: written whole, read whatever it holds, heeded by an engine."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from arb.engine.halt_file import BYTES_MAX, UNREADABLE, HaltFile, LeftHalt
from tests.engine.conftest import Rig

OpenRig = Callable[..., Any]

LEFT = LeftHalt("odds look wrong", "kim", 17, cancel_exits=True)


def test_a_halt_is_left_read_and_taken_away(tmp_path: Path) -> None:
    """In a directory that is made where it is missing, for its owner alone."""
    file = HaltFile(tmp_path / "a" / "halt")
    assert file.read() is None
    file.leave(LEFT)
    assert file.read() == LEFT
    assert LEFT.wish.cancel_exits
    assert [path.name for path in file.path.parent.iterdir()] == ["halt"]
    assert file.path.parent.stat().st_mode & 0o077 == 0
    file.remove()
    file.remove()
    assert file.read() is None
    assert "halt" in repr(file)


def test_a_disk_without_room_takes_a_halt_all_the_same(tmp_path: Path) -> None:
    """What was set aside at the start is used, again and again; without it, it is an error."""
    path = tmp_path / "a" / "halt"
    in_the_way = path.with_name(f"halt.{os.getpid()}")
    file = HaltFile.with_reserve(path)
    assert file.read() is None
    in_the_way.mkdir()
    weaker = attrs.evolve(LEFT, cancel_exits=False)
    for left in (weaker, LEFT):
        file.leave(left)
        assert file.read() == left
    assert sorted(each.name for each in path.parent.iterdir()) == ["halt", in_the_way.name]
    file.remove()
    with pytest.raises(IsADirectoryError):
        file.leave(LEFT)


@pytest.mark.parametrize("has_room", [True, False])
def test_a_halt_that_was_left_outlives_the_power(
    has_room: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name is on the disk as well, in the room that was set aside, too."""
    folders = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            folders.append((tmp_path / "halt").exists())
        fsync(descriptor)

    file = HaltFile.with_reserve(tmp_path / "halt")
    if not has_room:
        (tmp_path / f"halt.{os.getpid()}").mkdir()
    monkeypatch.setattr(os, "fsync", note)
    file.leave(LEFT)

    assert folders == [True]
    assert file.read() == LEFT


def test_where_nothing_can_be_set_aside_the_file_is_one_all_the_same(tmp_path: Path) -> None:
    """A full disk at the start is no reason to end; whether a halt can be left, leaving shows."""
    (tmp_path / "a").write_text("in the way")
    file = HaltFile.with_reserve(tmp_path / "a" / "halt")
    with pytest.raises(OSError, match="a"):
        file.leave(LEFT)


@pytest.mark.parametrize("sign", ["x", "é", "\udcff", "\n", '"', "\x00"])
def test_whatever_its_words_a_halt_is_left_and_read(sign: str, tmp_path: Path) -> None:
    """They are made plain and cut: neither what they hold nor how long they are is in the way."""
    for file in (HaltFile(tmp_path / "halt"), HaltFile.with_reserve(tmp_path / "other" / "halt")):
        file.leave(attrs.evolve(LEFT, reason=f"see {sign}" + 5_000 * sign, by=5_000 * sign))
        left = file.read()
        assert left is not None
        assert left.reason.startswith("see")
        assert left.reason != UNREADABLE
        assert left.cancel_exits
        assert file.path.stat().st_size <= BYTES_MAX


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"reason": "x"}', b'{"at_ms": "x"}'])
def test_a_halt_that_cannot_be_read_is_a_halt(content: bytes, tmp_path: Path) -> None:
    """Somebody wanted one, whatever has become of his words."""
    path = tmp_path / "halt"
    path.write_bytes(content)
    left = HaltFile(path).read()
    assert left is not None
    assert left.reason == UNREADABLE
    path.unlink()
    path.mkdir()
    left = HaltFile(path).read()
    assert left is not None
    assert "Is a directory" in left.reason


def watch(rig: Rig, file: HaltFile) -> None:
    """Let an engine that is at work look at a file."""
    rig.parts.halt_file = file
    rig.risk._switches._on_look_for_halt(None)  # type: ignore[arg-type]


async def test_a_running_engine_heeds_a_halt_within_a_second(
    tmp_path: Path, open_rig: OpenRig, autojump_clock: object
) -> None:
    """Once, with its exits; not again after a restart of the risk manager; until it is cleared."""
    file = HaltFile(tmp_path / "halt")
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        watch(rig, file)
        await trio.sleep(5)
        assert rig.state == "running"
        file.leave(LEFT)
        await rig.until(lambda: rig.state == "halted", 0.6)
        assert "halted by kim: odds look wrong" in rig.reasons
        await rig.until(lambda: not rig.resting(), 2)
        await rig.system.kill("risk")
        await trio.sleep(5)
        halts = [line for line in rig.board.log if line.text.startswith("halted by kim")]
        assert len(halts) == 1
        assert rig.state == "halted"
        assert rig.resting() == []

        await rig.steering.steer("clear", {"reason": "looked"})
        assert file.read() is None
        await rig.until_running()
        await trio.sleep(5)
        assert rig.state == "running"


async def test_a_halt_that_wants_exits_gone_is_heeded_in_an_engine_that_has_kept_them(
    tmp_path: Path, open_rig: OpenRig, autojump_clock: object
) -> None:
    """Halted already, with sales kept: what was left afterwards takes them away, too."""
    file = HaltFile(tmp_path / "halt")
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        # Nobody buys what is to be taken away.
        rig.simulation.world.fixtures.clear()
        watch(rig, file)
        await rig.steering.steer("halt", {"reason": "a test"})
        await trio.sleep(5)
        assert rig.resting_exits()
        file.leave(LEFT)
        await rig.system.kill("risk")
        await rig.until(lambda: not rig.resting(), 10)


async def test_a_file_that_stays_is_said(
    tmp_path: Path, open_rig: OpenRig, autojump_clock: object
) -> None:
    """The halt is cleared all the same, and the log says that the next start is halted."""

    class Stuck(HaltFile):
        def remove(self) -> None:
            raise OSError(30, "Read-only file system")

    file = Stuck(tmp_path / "halt")
    file.leave(LEFT)
    async with open_rig() as rig:
        await rig.until_running()
        watch(rig, file)
        assert rig.state == "halted"
        await rig.steering.steer("clear", {"reason": "looked"})
        await trio.sleep(3)
        assert rig.state != "halted"
        assert rig.said("cannot be removed, the next start is halted: Read-only file system")
