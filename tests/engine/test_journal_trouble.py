"""A journal that cannot be written or brought to disk: nothing is sent, and a person is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from arb.core.orders import OrderState
from arb.journal.writer import MemoryFile
from tests.engine.conftest import Rig, new_world

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
