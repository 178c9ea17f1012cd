"""What stands still while trading goes on is an alarm: whose, since when, and what to do."""

# flake8: noqa: ASYNC124 - stand-ins of async code are async whether or not they wait

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import trio

from actors import ActorSpec, State, SupervisorSpec, System, open_system
from arb.console.header_view import LinkView, banners
from arb.console.snapshot import read_snapshot
from arb.engine.board import Alarm, Board
from arb.engine.journal_keeper import SYNC_EVERY_S, SYNCED_WITHIN_MS, JournalKeeper
from arb.engine.live_discovery import READING_LATE_MS
from arb.engine.names import DISCOVERY, JOURNAL, MARKETS, RISK
from arb.engine.pulse import Pulse, span
from arb.engine.standstills import standstills
from arb.feeds.base import FeedError
from arb.io.clock import VirtualClock
from arb.journal.writer import Journal, JournalFailed, MemoryFile
from tests.engine.market_bench import note
from tests.engine.test_discovery_actor import Bench, Lists, bench, event
from tests.engine.test_listed import OFFER

OpenRig = Callable[..., Any]

EPOCH_MS = 1_000_000

# The bench's interval, and what a reading may be late.
READ_EVERY_S = 60
READ_WITHIN_S = READ_EVERY_S + READING_LATE_MS / 1000
SYNCED_WITHIN_S = SYNCED_WITHIN_MS / 1000


def alarms(system: System, board: Board) -> dict[str, Alarm]:
    """Return the alarms over what stands still, by actor."""
    return {each.name: each for each in standstills(board, system.nodes())}


async def hang() -> bool:
    """Do nothing more."""
    await trio.sleep_forever()
    return True


def discovery(one: Bench) -> Any:
    """Return discovery's instance of the moment."""
    cell: Any = one.system.find(DISCOVERY)
    return cell._receive.__self__


@attrs.define
class Disk:
    """How slow calls fare: they are made, wait for ever, or fail."""

    hangs: bool = False
    fails: bool = False

    async def call(self, work: Callable[[], None]) -> None:
        """Make a slow call."""
        if self.fails:
            raise JournalFailed("no disk")
        if self.hangs:
            await trio.sleep_forever()
        await trio.lowlevel.checkpoint()
        work()


@asynccontextmanager
async def keeper(disk: Disk) -> AsyncIterator[tuple[System, Board]]:
    """Run a journal keeper, with a risk manager that notes what it is told."""
    clock = VirtualClock(EPOCH_MS)
    board, journal = Board(clock), Journal(MemoryFile(), clock)
    tree = SupervisorSpec(
        "root",
        children=(
            note(RISK, []),
            ActorSpec(JOURNAL, lambda ctx: JournalKeeper(ctx, board, journal, disk.call)),
        ),
    )
    async with open_system(tree, rng=random.Random(1)) as system:
        yield system, board


async def test_readings_that_hang_are_named(autojump_clock: object) -> None:
    """Discovery hears and reads no more: an alarm says since when, and how to start it anew."""
    async with bench(Lists([event()], [OFFER])) as one:
        await trio.sleep(READ_EVERY_S / 2)
        # It read at once, and the next reading is the one that hangs.
        discovery(one)._read = hang
        await trio.sleep(READ_WITHIN_S - READ_EVERY_S / 2 - 1)
        assert alarms(one.system, one.parts.board) == {}
        await trio.sleep(2)

        shown = alarms(one.system, one.parts.board)
        assert shown[DISCOVERY] == Alarm(
            DISCOVERY,
            EPOCH_MS,
            "the lists of games have not been read for 3 min; arb restart discovery starts it anew",
        )
        # Started anew it has read nothing yet: the alarm ends with the work, and not before.
        await one.system.restart(DISCOVERY)
        assert DISCOVERY in alarms(one.system, one.parts.board)
        await trio.sleep(3)
        assert alarms(one.system, one.parts.board) == {}


async def test_lists_that_cannot_be_read_say_why(autojump_clock: object) -> None:
    """Discovery tries on, and no new game comes: the alarm has the last error."""

    @attrs.define
    class Refused(Lists):
        refuses: bool = True

        async def events(self, wanted: Any) -> list[Any]:
            """Refuse the odds."""
            if self.refuses and not isinstance(wanted, str):
                raise FeedError("odds: 503")
            return await super().events(wanted)

    lists = Refused([event()], [OFFER])
    async with bench(lists) as one:
        await trio.sleep(READ_WITHIN_S + 1)
        text = alarms(one.system, one.parts.board)[DISCOVERY].text
        assert text.startswith("the lists of games have not been read for 3 min (odds: 503); arb")
        lists.refuses = False
        await trio.sleep(20)
        assert alarms(one.system, one.parts.board) == {}
        assert not one.parts.board.pulses[DISCOVERY].trouble


async def test_syncs_that_hang_are_named(autojump_clock: object) -> None:
    """A journal that is written and not brought to disk is an alarm, until it is again."""
    disk = Disk()
    async with keeper(disk) as (system, board):
        await trio.sleep(SYNC_EVERY_S * 1.5)
        disk.hangs = True
        await trio.sleep(SYNCED_WITHIN_S - 1)
        assert alarms(system, board) == {}
        await trio.sleep(1)

        assert alarms(system, board)[JOURNAL] == Alarm(
            JOURNAL,
            EPOCH_MS + 1_000,
            "the journal has not been brought to disk for 10 s; arb restart journal starts it anew",
        )
        disk.hangs = False
        await system.restart(JOURNAL)
        await trio.sleep(SYNC_EVERY_S * 1.5)
        assert alarms(system, board) == {}


async def test_a_journal_that_has_failed_is_a_halt_alone(autojump_clock: object) -> None:
    """Trading is halted for it: that nothing is brought to disk any more says less."""
    disk = Disk()
    async with keeper(disk) as (system, board):
        await trio.sleep(SYNC_EVERY_S * 1.5)
        disk.fails = True
        await trio.sleep(60)
        assert alarms(system, board) == {}


async def test_an_actor_in_quarantine_is_an_alarm(autojump_clock: object) -> None:
    """It says what is not done meanwhile where that is known, and ends with the release."""
    async with bench(Lists([event()], [OFFER])) as one:
        await trio.sleep(10)
        for name in (DISCOVERY, RISK, MARKETS):
            await one.system.quarantine(name)
        await trio.sleep(200)

        shown = alarms(one.system, one.parts.board)
        assert shown.keys() == {DISCOVERY, RISK, MARKETS}
        assert shown[RISK].text == "quarantined for 3 min; arb release risk starts it again"
        assert shown[RISK].since_ms == EPOCH_MS + 10_000
        assert shown[DISCOVERY].text == (
            "quarantined for 3 min, the lists of games have not been read for 3 min;"
            " arb release discovery starts it again"
        )
        for name in shown:
            await one.system.release(name)
        await trio.sleep(3)
        assert alarms(one.system, one.parts.board) == {}


async def test_a_stuck_actor_ends_with_the_process_alone(autojump_clock: object) -> None:
    """To restart or release it would be refused."""
    async with keeper(Disk()) as (system, board):
        node = attrs.evolve(system.snapshot()[JOURNAL], state=State.STUCK)
        (alarm,) = standstills(board, [node])
        assert alarm.text.endswith("it ends with the process alone: arb stop, then arb run")


async def test_a_standstill_stands_over_an_engine_that_runs(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """In the picture and over the console's screen; a market's own row says it instead."""
    async with open_rig(games=1) as rig:
        await rig.until_running()
        for name in (DISCOVERY, rig.markets()[0]):
            await rig.steering.steer("quarantine", {"name": name})
        picture = read_snapshot(rig.steering.snapshot())

        assert picture.trading.state == "running"
        assert [each.name for each in picture.alarms] == [DISCOVERY]
        ((cell,),) = banners(picture, LinkView(connected=True), 200)
        assert cell.text.startswith("‼ discovery: quarantined for 0 s, the lists of games")
        await rig.steering.steer("release", {"name": DISCOVERY})
        assert rig.steering.snapshot()["alarms"] == []


def test_a_pulse_is_late_after_its_time() -> None:
    """Not at it; and it says in words for how long."""
    pulse = Pulse("nothing is done", 1_000_000, 5_000)
    assert not pulse.is_late(5_001_000_000)
    assert pulse.is_late(5_002_000_000)
    assert pulse.text(5_002_000_000) == "nothing is done for 5 s"
    assert [span(ms) for ms in (999, 120_999, 121_000)] == ["0 s", "120 s", "2 min"]
