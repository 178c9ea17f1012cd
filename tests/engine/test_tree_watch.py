"""What happens in the tree of actors is said once each, and never by the hundred."""

# flake8: noqa: ASYNC124 - stand-ins of async code are async whether or not they wait

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from actors import Actor, State, System, open_system
from actors.system import TreeEvent
from arb.engine.board import Board
from arb.engine.names import DISCOVERY, JOURNAL
from arb.engine.tree import engine_tree
from arb.engine.tree_watch import (
    LINES_MAX,
    LINES_PER_S,
    LOOK_EVERY_S,
    RELEASED_AFTER_S,
    TreeWatch,
)
from arb.io.clock import VirtualClock
from tests.core.order_factory import NYY
from tests.engine.market_bench import bench_parts
from tests.engine.test_standstills import Disk, keeper

OpenRig = Callable[..., Any]


def said(board: Board) -> list[str]:
    """Return what was said of the tree."""
    return [line.text for line in board.log if line.tag == "ACTORS"]


def event(kind: str, path: str, text: str = "KeyError: 'x'", at_s: float = 1.0) -> TreeEvent:
    """Return an event of an actor's first life."""
    return TreeEvent(kind, path, 1, text, at_s)


def heard(*events: TreeEvent) -> Board:
    """Return the board of a watch that has heard these."""
    board = Board(VirtualClock(0))
    watch = TreeWatch(board)
    for each in events:
        watch.hear(each)
    return board


@pytest.mark.parametrize(
    "kind, path, text, level, words",
    [
        ("failed", "trading/risk", "KeyError: 'x'", "warning", "risk failed: KeyError: 'x'"),
        (
            "restarting",
            "trading/gateway",
            "in 0.010 s after its end",
            "warning",
            "gateway starts again in 0.010 s after its end",
        ),
        (
            "quarantined",
            "trading/catalogue/discovery",
            "failed past it",
            "error",
            "discovery is quarantined for 10 min, or until arb release discovery: failed past it",
        ),
        (
            "quarantined",
            "trading/markets/NYY",
            "failed past the limit",
            "error",
            "NYY is quarantined until arb release NYY: failed past the limit",
        ),
        ("escalated", "trading", "trading gave up: ...", "error", "trading gave up: ..."),
        ("stuck", "control", "outlived it", "error", "control is stuck: outlived it"),
        ("deadlock", "a", "a waits for b", "error", "a waits in a circle: a waits for b"),
    ],
)
async def test_each_event_is_one_line(
    kind: str, path: str, text: str, level: str, words: str, autojump_clock: object
) -> None:
    """With the actor's name, the reason, and what a person can do where he must."""
    board = heard(event(kind, path, text))
    assert said(board) == [words]
    assert board.log[-1].level == level


async def test_a_restart_that_follows_a_failure_says_nothing_more(autojump_clock: object) -> None:
    """That a supervisor restarts is what it is for; an end without a failure is said by it."""
    board = heard(
        event("failed", "trading/risk"),
        event("restarting", "trading/risk", "in 0.1 s after KeyError: 'x'"),
        event("escalated", "trading", "trading gave up: trading/risk"),
        event("failed", "trading/gateway"),
        event("restarting", "trading", "in 0.1 s after RestartIntensityExceeded"),
        event("restarting", "control", "in 0.1 s after its end"),
        event("restarting", "trading", "in 0.1 s after its end"),
    )
    assert said(board) == [
        "risk failed: KeyError: 'x'",
        "trading gave up: trading/risk",
        "gateway failed: KeyError: 'x'",
        "control starts again in 0.1 s after its end",
        "trading starts again in 0.1 s after its end",
    ]


async def test_a_storm_among_the_markets_floods_nothing(autojump_clock: object) -> None:
    """What is too many is counted with its last example; others are heard all the same."""
    storm = [event("failed", f"trading/markets/M{n}", at_s=n / 1000) for n in range(1000)]
    later = event("failed", "trading/markets/M", at_s=LINES_PER_S)
    board = heard(*storm, event("failed", "trading/feeds/odds"), later)

    lines = said(board)
    assert len(lines) == LINES_MAX + 3
    assert lines[LINES_MAX] == "odds failed: KeyError: 'x'"
    assert lines[-2] == (
        f"trading/markets: {1000 - LINES_MAX} more like these, the last: M999 failed: KeyError: 'x'"
    )
    assert lines[-1] == "M failed: KeyError: 'x'"


class Fragile(Actor):
    """Works beside its mailbox until it is told to fail for ever."""

    broken = False

    async def run(self) -> None:
        """Fail, if that is wished."""
        if Fragile.broken:
            raise RuntimeError("a list that cannot be read")
        await trio.sleep_forever()


@asynccontextmanager
async def watched() -> AsyncIterator[tuple[System, Board]]:
    """Run the engine's tree, all of it idle but a discovery that fails, and look after it."""
    parts = bench_parts()
    watch = TreeWatch(parts.board)
    tree = engine_tree(
        parts,
        journal=Actor,
        gateway=Actor,
        book_feed=Actor,
        odds_feeds={"odds": Actor},
        discovery=Fragile,
    )
    Fragile.broken = True
    async with (
        open_system(tree, rng=random.Random(1), on_event=watch.hear) as system,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(watch.run, system)
        await trio.sleep(60)
        assert system.find(DISCOVERY).state is State.QUARANTINED
        Fragile.broken = False
        yield system, parts.board
        nursery.cancel_scope.cancel()


async def test_discovery_that_was_set_apart_is_tried_again(autojump_clock: object) -> None:
    """Each failure and the quarantine are a line; after a while it is started by itself."""
    async with watched() as (system, board):
        lines = said(board)
        assert lines[:-1] == ["discovery failed: RuntimeError: a list that cannot be read"] * 4
        assert lines[-1].startswith("discovery is quarantined for 10 min, or until arb release")
        await trio.sleep(RELEASED_AFTER_S - 61)
        assert system.find(DISCOVERY).state is State.QUARANTINED
        await trio.sleep(60 + 2 * LOOK_EVERY_S)

        assert system.find(DISCOVERY).state is State.RUNNING
        assert said(board)[len(lines) :] == ["discovery is started again after 10 min"]


async def test_discovery_that_fails_again_is_tried_again_later(autojump_clock: object) -> None:
    """It is set apart anew, for as long."""
    async with watched() as (system, board):
        Fragile.broken = True
        await trio.sleep(RELEASED_AFTER_S)
        assert system.find(DISCOVERY).state is State.QUARANTINED
        assert sum("is quarantined" in line for line in said(board)) == 2
        Fragile.broken = False
        await trio.sleep(RELEASED_AFTER_S)
        assert system.find(DISCOVERY).state is State.RUNNING


async def test_a_persons_quarantine_is_left_alone(autojump_clock: object) -> None:
    """Also of an actor that was set apart by itself before; and so is a person's release."""
    async with watched() as (system, board):
        await system.release(DISCOVERY)
        await system.quarantine(DISCOVERY)
        await trio.sleep(2 * RELEASED_AFTER_S)
        assert system.find(DISCOVERY).state is State.QUARANTINED
        assert not any("started again" in line for line in said(board))


async def test_a_market_that_was_set_apart_waits_for_a_person(autojump_clock: object) -> None:
    """It buys with money, and what has failed in it six times in a minute may do so again."""
    async with watched() as (system, board):
        watch = TreeWatch(board)
        await system.quarantine(NYY)
        watch.hear(event("quarantined", f"trading/markets/{NYY}", at_s=trio.current_time()))
        with trio.move_on_after(2 * RELEASED_AFTER_S):
            await watch.run(system)
        assert system.find(NYY).state is State.QUARANTINED


async def test_work_that_hangs_is_said_once_and_when_it_goes_on(autojump_clock: object) -> None:
    """Whoever has no console finds it in the log; what is in quarantine was said already."""
    disk = Disk()
    async with keeper(disk) as (system, board), trio.open_nursery() as nursery:
        watch = TreeWatch(board)
        nursery.start_soon(watch.run, system)
        await trio.sleep(30)
        disk.hangs = True
        await trio.sleep(60)
        assert repr(watch) == "<TreeWatch 0 set apart, 1 late>"
        disk.hangs = False
        await system.restart(JOURNAL)
        await trio.sleep(30)
        await system.quarantine(JOURNAL)
        await trio.sleep(60)
        late, well = said(board)
        assert late.startswith("journal: the journal has not been brought to disk for 11 s; arb")
        assert well == "journal works again"
        nursery.cancel_scope.cancel()


async def test_what_was_left_out_is_said_without_another_event(autojump_clock: object) -> None:
    """A storm may be over before its minute is."""
    async with watched() as (system, board):
        watch = TreeWatch(board)
        for number in range(LINES_MAX + 1):
            watch.hear(event("failed", f"trading/markets/M{number}", at_s=trio.current_time()))
        with trio.move_on_after(LINES_PER_S + 2 * LOOK_EVERY_S):
            await watch.run(system)
        assert said(board)[-1].startswith("trading/markets: 1 more like these")
        assert repr(watch) == "<TreeWatch 0 set apart, 0 late>"


async def test_an_engine_says_what_happens_in_its_tree(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A failure is in its log with its reason, beside what risk says follows from it."""

    def fail(_message: object) -> None:
        raise RuntimeError("a test of failures")

    async with open_rig() as rig:
        await rig.until_running()
        market = rig.markets()[0]
        cell: Any = rig.system.cell_of(rig.system.address(market))
        cell._receive = fail
        await rig.until(lambda: rig.said(f"{market} is away: its entries are cancelled"))
        assert said(rig.board) == [f"{market} failed: RuntimeError: a test of failures"]
