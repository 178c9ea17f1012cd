"""The disk that loses, tears and fails."""

from __future__ import annotations

from random import Random

import pytest

from arb.faults.disk import SimDisk


def test_a_kill_keeps_what_the_kernel_has() -> None:
    """What was written outlives the program; what a closed file writes goes nowhere."""
    disk = SimDisk()
    file = disk.open()
    file.write(b"one")
    file.close()
    file.write(b"two")
    file.sync()
    file.cut(0)

    assert disk.open().read() == b"one"
    assert (disk.durable, disk.syncs) == (0, 0)


@pytest.mark.parametrize("seed", range(30))
def test_a_loss_of_power_keeps_what_was_synced(seed: int) -> None:
    """Everything up to the last sync stays as it was; of the rest some, the last byte damaged."""
    disk = SimDisk()
    file = disk.open()
    file.write(b"synced")
    file.sync()
    file.write(b" and not")
    lost = disk.lose_power(Random(seed))

    kept = file.read()
    assert kept.startswith(b"synced")
    assert len(kept) == len(b"synced and not") - lost
    assert disk.hits["bytes lost"] == lost
    assert b"synced and not".startswith(kept[:-1]) or kept == b"synced"


def test_the_nth_write_fails_and_all_after_it() -> None:
    """A full disk stays full until it is repaired, and a file remembers that it failed."""
    disk = SimDisk(write_fails_in=1)
    file = disk.open()
    file.write(b"ab")
    for _ in range(2):
        with pytest.raises(OSError, match="No space"):
            file.write(b"cd")
    assert disk.failed
    assert file.failed
    disk.repair()
    disk.open().write(b"ef")

    assert file.read() == b"abef"
    assert "working" in repr(disk)


def test_a_failing_write_may_leave_half() -> None:
    """A torn record stands in the file after a write that failed in its midst."""
    disk = SimDisk(write_fails_in=0, writes_half=True)
    with pytest.raises(OSError, match="No space"):
        disk.open().write(b"abcd")

    assert disk.kernel == b"ab"
    assert disk.hits == {"no space": 1, "half a write": 1}


def test_the_nth_sync_fails() -> None:
    """A sync that fails makes nothing durable."""
    disk = SimDisk(sync_fails_in=1)
    file = disk.open()
    file.write(b"ab")
    file.sync()
    file.write(b"cd")
    with pytest.raises(OSError, match="Input/output"):
        file.sync()

    assert (disk.durable, disk.hits["no sync"]) == (2, 1)


def test_whoever_opens_a_file_sees_its_writes() -> None:
    """Before a write it may be changed or called off, and after it is told of."""
    disk = SimDisk()
    seen: list[bytes] = []
    file = disk.open(lambda data: data if data != b"no" else b"", seen.append)
    file.write(b"yes")
    file.write(b"no")

    assert (bytes(disk.kernel), seen) == (b"yes", [b"yes"])
    assert "open" in repr(file)


def test_a_snapshot_is_replaced_and_may_be_cut_by_a_loss_of_power() -> None:
    """It outlives a kill whole; a killed program saves nothing any more."""
    disk = SimDisk()
    file = disk.open()
    assert file.load() is None
    file.save(b"one")
    file.save(b"another")
    file.close()
    file.save(b"nothing")
    assert disk.open().load() == b"another"

    found = set()
    for seed in range(30):
        disk.snapshot = b"another"
        disk.lose_power(Random(seed))
        found.add(disk.snapshot)
    assert b"another" in found
    assert len(found) > 3
    assert all(b"another".startswith(each or b"") for each in found)
