"""Every fault that a person can switch: it is felt on the wire while it is on, and then no more."""

from __future__ import annotations

from functools import partial

import pytest
import trio

from arb.sim.conditions import ExchangeConditions, OddsConditions
from arb.sim.switchable import BY_NAME, FAULTS, Server, SwitchableFault
from arb.sim.switchboard import UnknownFault
from tests.sim.fault_probes import PROBES, Seen, Stage, make_stage

ROWS_MIN = 25


async def looked_at(fault: SwitchableFault, *, before: bool, meanwhile: bool) -> Seen:
    """Return what is seen where a fault is felt, switched on and off before, on meanwhile."""
    async with trio.open_nursery() as nursery:
        stage = make_stage(nursery)
        if before:
            stage.board.switch(fault.name, on=True)
            # What it broke is not mended by switching it off; nobody had connected yet.
            stage.board.switch(fault.name, on=False)
            assert not any(row["on"] for row in stage.board.rows())
        if meanwhile:
            stage.act = partial(stage.board.switch, fault.name, on=True)
        seen = await PROBES[fault.where](stage)
        nursery.cancel_scope.cancel()
    return seen


CLEAN: dict[str, Seen] = {}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_each_fault_is_felt_and_then_no_more(
    fault: SwitchableFault, autojump_clock: trio.testing.MockClock
) -> None:
    """With it on a client sees something else than without; after it is off, the same again."""
    del autojump_clock
    clean = CLEAN.get(fault.where) or await looked_at(fault, before=False, meanwhile=False)
    CLEAN[fault.where] = clean

    assert await looked_at(fault, before=False, meanwhile=True) != clean
    if fault.passing and not fault.sets:
        # It has happened, and a game that has ended does not come back.
        return
    assert await looked_at(fault, before=True, meanwhile=False) == clean


@pytest.fixture
def stage(nursery: trio.Nursery) -> Stage:
    """Return a world in which nothing is switched."""
    return make_stage(nursery)


def on(stage: Stage) -> list[str]:
    """Return the names of what is on."""
    return [row["name"] for row in stage.board.rows() if row["on"]]


def test_the_table_names_conditions_that_there_are() -> None:
    """Each row has a name of its own and sets fields to what they are not anyway."""
    assert len(BY_NAME) == len(FAULTS) >= ROWS_MIN
    for fault in FAULTS:
        fresh = OddsConditions() if fault.server is Server.ODDS else ExchangeConditions()
        assert fault.sets or fault.act
        assert all(getattr(fresh, name) != value for name, value in fault.sets), fault.name


async def test_a_row_says_since_when(stage: Stage, autojump_clock: object) -> None:
    """The moment it was switched on stands there while it is on."""
    stage.board.switch("frozen-sockets", on=True)
    await trio.sleep(2.0)
    (row,) = [row for row in stage.board.rows() if row["name"] == "frozen-sockets"]
    assert row["on"] is True
    assert row["at_ms"] == stage.simulation.clock.wall_ms() - 2_000
    assert stage.board.switch("frozen-sockets", on=False) == "frozen-sockets is off"
    assert stage.board.switch("frozen-sockets", on=False) == "frozen-sockets was not on"
    assert all(row["at_ms"] is None for row in stage.board.rows())


async def test_of_two_that_set_the_same_the_later_holds(stage: Stage) -> None:
    """The earlier one is off, and switching it off again leaves the later one alone."""
    stage.board.switch("order-refused", on=True)
    stage.board.switch("answer-lost", on=True)
    assert on(stage) == ["answer-lost"]
    stage.board.switch("order-refused", on=False)
    assert on(stage) == ["answer-lost"]


async def test_what_passes_is_off_by_itself(stage: Stage) -> None:
    """Once the next frame has taken it, it is not on; when it was used last stays to be read."""
    stage.board.switch("sequence-gap", on=True)
    assert on(stage) == ["sequence-gap"]
    assert stage.simulation.exchange_conditions.take_skip() > 0
    assert on(stage) == []
    (row,) = [row for row in stage.board.rows() if row["at_ms"] is not None]
    assert (row["name"], row["passing"]) == ("sequence-gap", True)


async def test_all_go_off_at_once(stage: Stage) -> None:
    """Every condition is as it was in the beginning."""
    for name in ("order-refused", "market-silent", "lagging", "trading-pause"):
        stage.board.switch(name, on=True)
    assert stage.board.all_off() == (
        "switched off: order-refused, market-silent, trading-pause, lagging"
    )
    assert stage.board.all_off() == "no fault was on"
    assert stage.simulation.exchange_conditions == ExchangeConditions()
    assert stage.simulation.odds_conditions == OddsConditions()


async def test_an_unknown_fault_is_refused(stage: Stage) -> None:
    """The one line says where the names are."""
    with pytest.raises(UnknownFault, match=r"'earthquake' is no fault.*arb faults list"):
        stage.board.switch("earthquake", on=True)


async def test_a_world_whose_games_are_over_has_none_to_end(stage: Stage) -> None:
    """Switching what needs a game does nothing then."""
    for _ in stage.simulation.world.fixtures:
        stage.board.switch("settlement", on=True)
    assert stage.simulation.world.ends_first() is None
    stage.board.switch("settlement", on=True)
    stage.board.switch("market-pause", on=True)
    assert on(stage) == []
