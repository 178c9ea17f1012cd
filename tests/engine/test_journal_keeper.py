"""The journal keeper: syncs, says once what failed, follows, and holds up no stop."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
import trio

from actors import ActorSpec, Strategy, SupervisorSpec, open_system
from arb.engine.board import Board
from arb.engine.journal_keeper import (
    FOLLOWED_AT_ONCE,
    NOT_WAITED_FOR,
    SYNC_EVERY_S,
    JournalKeeper,
)
from arb.engine.messages import JournalBroken
from arb.engine.names import RISK
from arb.engine.offload import IN_PLACE, IN_THREADS
from arb.engine.tree import GRACE_S
from arb.io.clock import VirtualClock
from arb.journal.records import RecordKind, group_data
from arb.journal.writer import Journal, MemoryFile
from tests.engine.market_bench import Note


def one_for_one(*children: ActorSpec) -> SupervisorSpec:
    """Put some actors beside each other."""
    return SupervisorSpec("root", strategy=Strategy.ONE_FOR_ONE, children=children)


class BadFile(MemoryFile):
    """A file that cannot be brought to disk."""

    def sync(self) -> None:
        """Fail."""
        raise OSError("no disk")


class CountedSyncs(MemoryFile):
    """A file that counts how often it was brought to disk."""

    syncs = 0

    def sync(self) -> None:
        """Count."""
        self.syncs += 1


async def test_the_journal_keeper_says_once_that_a_sync_failed(autojump_clock: object) -> None:
    """It halts trading by a message, stays up, and tries no second time."""
    told: list[Any] = []
    journal, board = Journal(BadFile(), VirtualClock(0)), Board(VirtualClock(0))
    tree = one_for_one(
        ActorSpec(RISK, lambda ctx: Note(ctx, told), direct=True),
        ActorSpec("journal", lambda ctx: JournalKeeper(ctx, board, journal, IN_PLACE.call)),
    )
    async with open_system(tree, rng=random.Random(1)) as system:
        await trio.sleep(30)
        assert [type(each) for each in told] == [JournalBroken]
        assert "no disk" in told[0].reason
        assert all(node.state == "running" for node in system.snapshot())
        system.address("journal").tell("nonsense")
        await trio.sleep(0.01)
        letters = system.snapshot().dead_letters
        assert [each.reason for each in letters] == ["not for the journal keeper"]
    assert journal is not None


async def test_the_journal_keeper_has_the_state_follow(autojump_clock: object) -> None:
    """Each second; a record that no start could follow is said once, and syncs go on."""
    told: list[Any] = []
    file = CountedSyncs()
    journal, board = Journal(file, VirtualClock(0)), Board(VirtualClock(0), print)
    known = journal.known()
    tree = one_for_one(
        ActorSpec(RISK, lambda ctx: Note(ctx, told), direct=True),
        ActorSpec("journal", lambda ctx: JournalKeeper(ctx, board, journal, IN_PLACE.call)),
    )
    async with open_system(tree, rng=random.Random(1)):
        for number in range(5 * FOLLOWED_AT_ONCE):
            journal.append(RecordKind.GROUP, group_data(number, "g"))
        await trio.sleep(1.5 * SYNC_EVERY_S)
        assert len(known.groups) == 5 * FOLLOWED_AT_ONCE
        assert told == []
        journal.append(RecordKind.GROUP, {})
        await trio.sleep(1.5 * SYNC_EVERY_S)
        syncs = file.syncs
        await trio.sleep(5 * SYNC_EVERY_S)
        assert [type(each) for each in told] == [JournalBroken]
        assert told[0].reason.startswith("no start could read the journal any more: record 101 ")
        assert file.syncs >= syncs + 4


@pytest.mark.parametrize("after_s", [SYNC_EVERY_S / 2, SYNC_EVERY_S * 2])
async def test_a_disk_that_hangs_holds_up_no_stop(after_s: float, autojump_clock: object) -> None:
    """In the middle of a sync, and at the last one: grace, cancellation, and one line."""

    async def hang(_call: Callable[[], None]) -> None:
        await trio.sleep_forever()

    journal, board = Journal(CountedSyncs(), VirtualClock(0)), Board(VirtualClock(0))
    tree = one_for_one(
        ActorSpec(RISK, lambda ctx: Note(ctx, []), direct=True),
        ActorSpec("journal", lambda ctx: JournalKeeper(ctx, board, journal, hang), grace_s=GRACE_S),
    )
    async with open_system(tree, rng=random.Random(1)):
        await trio.sleep(after_s)
        began_s = trio.current_time()
    assert trio.current_time() - began_s == pytest.approx(GRACE_S)
    assert [line.text for line in board.log] == [NOT_WAITED_FOR]


async def test_a_sync_in_a_thread_is_left_alone_by_who_is_cancelled() -> None:
    """It goes on in its thread for as long as the disk takes; who waited does not."""
    disk = threading.Event()
    try:
        with trio.move_on_after(0.01) as limit, trio.fail_after(5):
            await IN_THREADS.sync(lambda: void(disk.wait(10)))
        assert limit.cancelled_caught
    finally:
        disk.set()


def void(_value: object) -> None:
    """Take what a call returns."""
