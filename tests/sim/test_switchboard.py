"""Every fault that a person can switch: it is felt on the wire while it is on, and then no more."""

from __future__ import annotations

from functools import partial

import pytest
import trio

from arb.sim.conditions import ExchangeConditions, OddsConditions
from arb.sim.simulation import Simulation, SimulationSettings
from arb.sim.switchable import BY_NAME, FAULTS, Server, SwitchableFault
from arb.sim.switchboard import Switchboard, UnknownFault
from tests.sim.fault_probes import PROBES, Seen, make_stage
from tests.sim.sim_client import HandClock

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
def board() -> Switchboard:
    """Return the switches of a world in which nothing is switched."""
    clock = HandClock()
    return Switchboard(Simulation(SimulationSettings(games=2), clock), clock)


def on(board: Switchboard) -> list[str]:
    """Return the names of what is on."""
    return [row["name"] for row in board.rows() if row["on"]]


def test_the_table_names_conditions_that_there_are() -> None:
    """Each row has a name of its own and sets fields to what they are not anyway."""
    assert len(BY_NAME) == len(FAULTS) >= ROWS_MIN
    for fault in FAULTS:
        fresh = OddsConditions() if fault.server is Server.ODDS else ExchangeConditions()
        assert fault.sets or fault.act
        assert all(getattr(fresh, name) != value for name, value in fault.sets), fault.name


def test_a_row_says_since_when(board: Switchboard) -> None:
    """The moment it was switched on stands there while it is on."""
    board.switch("frozen-sockets", on=True)
    assert isinstance(board.clock, HandClock)
    board.clock.now_ms += 2_000
    (row,) = [row for row in board.rows() if row["name"] == "frozen-sockets"]
    assert row["on"] is True
    assert row["at_ms"] == board.clock.wall_ms() - 2_000
    assert board.switch("frozen-sockets", on=False) == "frozen-sockets is off"
    assert board.switch("frozen-sockets", on=False) == "frozen-sockets was not on"
    assert all(row["at_ms"] is None for row in board.rows())


def test_of_two_that_set_the_same_the_later_holds(board: Switchboard) -> None:
    """The earlier one is off, and switching it off again leaves the later one alone."""
    board.switch("order-refused", on=True)
    board.switch("answer-lost", on=True)
    assert on(board) == ["answer-lost"]
    board.switch("order-refused", on=False)
    assert on(board) == ["answer-lost"]


def test_what_passes_is_off_by_itself(board: Switchboard) -> None:
    """Once the next frame has taken it, it is not on; when it was used last stays to be read."""
    board.switch("sequence-gap", on=True)
    assert on(board) == ["sequence-gap"]
    assert board.simulation.exchange_conditions.take_skip() > 0
    assert on(board) == []
    (row,) = [row for row in board.rows() if row["at_ms"] is not None]
    assert (row["name"], row["passing"]) == ("sequence-gap", True)


def test_all_go_off_at_once(board: Switchboard) -> None:
    """Every condition is as it was in the beginning."""
    for name in ("order-refused", "market-silent", "lagging", "trading-pause"):
        board.switch(name, on=True)
    assert board.all_off() == ("switched off: order-refused, market-silent, trading-pause, lagging")
    assert board.all_off() == "no fault was on"
    assert board.simulation.exchange_conditions == ExchangeConditions()
    assert board.simulation.odds_conditions == OddsConditions()


def test_an_unknown_fault_is_refused(board: Switchboard) -> None:
    """The one line says where the names are."""
    with pytest.raises(UnknownFault, match=r"'earthquake' is no fault.*arb faults list"):
        board.switch("earthquake", on=True)


def test_a_world_whose_games_are_over_has_none_to_end(board: Switchboard) -> None:
    """Switching what needs a game does nothing then."""
    for _ in board.simulation.world.fixtures:
        board.switch("settlement", on=True)
    assert board.simulation.world.ends_first() is None
    board.switch("settlement", on=True)
    board.switch("market-pause", on=True)
    assert on(board) == []
