"""A journal that cannot be written or brought to disk: nothing is sent, and a person is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from arb.core.orders import OrderState
from arb.engine.board import NOT_PASSED_ON, LogLine
from arb.engine.ending import end_trading
from arb.engine.halt_file import HaltFile, LeftHalt
from arb.engine.messages import JournalBroken
from arb.engine.risk_switches import NOT_KEPT
from arb.journal.writer import MemoryFile
from tests.engine.conftest import SLOW_MAKER, Rig, new_world

OpenRig = Callable[..., Any]


class FailingFile(MemoryFile):
    """A file that is full from the n-th write on, or that cannot be brought to disk."""

    def __init__(self, *, writes: int = 1_000_000, syncs: int = 1_000_000) -> None:
        super().__init__()
        self.writes_left = writes
        self.syncs_left = syncs
        self.failed = False

    def write(self, data: bytes) -> None:
        """Append, or fail."""
        self.writes_left -= 1
        if self.writes_left < 0:
            self.failed = True
            raise OSError(28, "No space left on device")
        super().write(data)

    def sync(self) -> None:
        """Succeed, or fail."""
        self.syncs_left -= 1
        if self.syncs_left < 0:
            self.failed = True
            raise OSError(5, "Input/output error")


def sendings(rig: Rig) -> tuple[int, int]:
    """Count what was sent that makes or moves an order."""
    moved = sum(order.change == "Amend" for order in rig.orders())
    return len(rig.orders()), moved


@pytest.mark.parametrize("writes", [1, 2, 3, 4, 5, 7, 11, 16, 22])
async def test_nothing_is_sent_after_a_write_has_failed(
    writes: int, open_rig: OpenRig, autojump_clock: object
) -> None:
    """Whichever record it is that fails: from then on no order leaves, and trading is halted."""
    file = FailingFile(writes=writes)
    async with open_rig(file=file) as rig:
        await rig.until(lambda: file.failed)
        sent = len(rig.orders())
        await trio.sleep(30)

        # The order whose own record was the one that failed never left either.
        assert len(rig.orders()) == sent
        assert rig.state == "halted"
        assert "No space left on device" in rig.reasons
        assert rig.resting_entries() == []
        known = {each.data["id"] for each in rig.parts.journal.records() if each.kind == "intent"}
        assert {order.client_order_id for order in rig.orders()} <= known


async def test_clearing_does_not_help_while_the_journal_is_broken(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A clear is halted again at once, because it cannot be written down either."""
    file = FailingFile(writes=12)
    async with open_rig(file=file) as rig:
        await rig.until(lambda: rig.state == "halted")
        await rig.steering.steer("clear", {"reason": "hope"})

        assert rig.state == "halted"
        assert "No space left" in rig.reasons


async def test_a_sync_that_fails_halts_trading_and_is_not_repeated(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """The engine stays up so that a person can see why it does not trade."""
    file = FailingFile(syncs=20)
    async with open_rig(file=file) as rig:
        await rig.until(lambda: file.failed)
        await trio.sleep(0.05)
        sent = sendings(rig)
        await trio.sleep(60)

        assert rig.state == "halted"
        assert "brought to disk" in rig.reasons
        assert sendings(rig) == sent
        assert rig.resting_entries() == []
        assert all(node.restarts == 0 for node in rig.system.snapshot())
        orders = rig.risk._books.ledger.orders.values()
        assert all(order.state is not OrderState.PENDING for order in orders)


class FullDisk(HaltFile):
    """A halt file on a disk on which nothing is free, not even what was set aside."""

    def leave(self, halt: LeftHalt) -> None:
        """Fail."""
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("what_fails", ["writes_left", "syncs_left"])
async def test_a_halt_that_cannot_be_journalled_halts_the_next_engine(
    what_fails: str, tmp_path: Path, open_rig: OpenRig, autojump_clock: object
) -> None:
    """By the rule, then by a person who has sales cancelled: both stand until a clear."""
    world, file, left = new_world(), FailingFile(), HaltFile(tmp_path / "halt")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.run)
        async with open_rig(file=file, simulation=world, halt_file=left) as rig:
            await rig.until(lambda: bool(rig.resting_exits()))
            # Nobody buys what is to be taken away.
            world.world.fixtures.clear()
            setattr(file, what_fails, 0)
            await rig.ask(JournalBroken("a test of disks"))
            found = left.read()
            assert found is not None
            assert (found.by, found.cancel_exits) == ("the journal", False)
            said = await rig.steering.steer("halt", {"reason": "a test", "exits": "cancel"})
            assert NOT_KEPT not in said
            await rig.until(lambda: not rig.resting(), 5)
            await rig.system.kill("risk")
            await trio.sleep(2)
            assert rig.state == "halted"
            assert sum(line.text.startswith("halted by") for line in rig.board.log) == 2
        setattr(file, what_fails, 1_000_000)
        async with open_rig(file=file, simulation=world, halt_file=left) as rig:
            await trio.sleep(20)
            assert rig.state == "halted"
            assert "a test" in rig.reasons
            assert rig.held_e2
            assert rig.resting() == []
            await rig.steering.steer("clear", {"reason": "there is room again"})
            assert left.read() is None
            await rig.until(lambda: bool(rig.resting_exits()), 30)
        async with open_rig(file=file, simulation=world, halt_file=left) as rig:
            await rig.until_running()
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("is_there", [True, False])
async def test_a_halt_that_nothing_can_keep_is_said_to_end_with_the_process(
    is_there: bool, tmp_path: Path, open_rig: OpenRig, autojump_clock: object
) -> None:
    """In the log and in the answer; another risk manager of this process is halted all the same."""
    file = FailingFile()
    full = FullDisk(tmp_path / "halt") if is_there else None
    async with open_rig(file=file, halt_file=full) as rig:
        await rig.until_running()
        assert NOT_KEPT not in await rig.steering.steer("halt", {"reason": "a test"})
        await rig.steering.steer("clear", {"reason": "looked"})
        assert not rig.said(NOT_KEPT)
        file.writes_left = 0
        said = await rig.steering.steer("halt", {"reason": "a real one"})
        assert said.endswith(NOT_KEPT)
        assert rig.said(NOT_KEPT)
        await rig.system.kill("risk")
        await trio.sleep(2)
        assert rig.state == "halted"
        assert "a real one" in rig.reasons


async def test_a_journal_and_a_log_on_one_full_disk_halt_and_cancel(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """That a halt cannot be told does not keep it from being one: entries go, no actor dies."""
    file = FailingFile(writes=40)

    def on_log(_line: LogLine) -> None:
        if file.failed:
            raise OSError(28, "No space left on device")

    async with open_rig(file=file, on_log=on_log, settings=SLOW_MAKER) as rig:
        await rig.until(lambda: file.failed)
        await trio.sleep(5)

        assert rig.state == "halted"
        assert rig.resting_entries() == []
        assert all(node.restarts == 0 for node in rig.system.snapshot())
        assert rig.board.bad["log", NOT_PASSED_ON].count > 0


async def test_a_stop_that_cannot_be_told_cancels_all_the_same(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A terminal that is closed ends in a signal, and takes no line any more."""
    is_closed = False

    def on_log(_line: LogLine) -> None:
        if is_closed:
            raise OSError(5, "Input/output error")

    async with open_rig(on_log=on_log, settings=SLOW_MAKER) as rig:
        await rig.until(lambda: bool(rig.resting_entries()))
        is_closed = True
        rig.board.say("ENGINE", "stopping: a signal")
        assert await end_trading(rig.system, rig.stop, "keep")
        await rig.until(lambda: not rig.resting_entries(), 1)


async def test_what_could_not_be_written_is_found_by_the_next_engine(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """An engine on the journal as far as it got agrees with the exchange again."""
    world = new_world()
    file = FailingFile(writes=9)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.run)
        async with open_rig(file=file, simulation=world) as rig:
            await rig.until(lambda: file.failed)
            await trio.sleep(2)
        file.writes_left = 1_000_000
        async with open_rig(file=file, simulation=world) as rig:
            await rig.until(lambda: "not read yet" not in rig.reasons)
            await trio.sleep(5)
            rig.assert_books_equal()
            rig.assert_no_orphan()
        nursery.cancel_scope.cancel()
