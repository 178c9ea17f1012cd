"""What the process that started a world asks of it, line by line."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import trio

from arb.sim.exchange.values import BookSide, Lifetime
from arb.sim.switchable import FAULTS
from arb.sim.wishes import answer
from tests.sim.fault_probes import Stage, make_stage


@pytest.fixture
async def stage(nursery: trio.Nursery) -> Stage:
    """Return a world in which nothing is switched."""
    await trio.lowlevel.checkpoint()
    return make_stage(nursery)


async def asked(stage: Stage, **request: Any) -> Any:
    """Return the answer to a request."""
    await trio.lowlevel.checkpoint()
    line = answer(stage.board, orjson.dumps(request))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    return orjson.loads(line)


async def test_faults_are_listed_and_switched(stage: Stage) -> None:
    """A switch is answered in a line and stands in the list."""
    text = "order-refused: each order is answered 409, not taken"
    switched = await asked(stage, id=1, do="switch", name="order-refused", on=True)
    assert switched == {"id": 1, "ok": True, "text": text}
    listed = await asked(stage, id=2, do="faults")
    assert [row["name"] for row in listed["faults"] if row["on"]] == ["order-refused"]
    assert len(listed["faults"]) == len(FAULTS)
    assert (await asked(stage, do="switch", name="order-refused", on=False))["text"].endswith(
        "is off"
    )
    assert (await asked(stage, do="all_off"))["text"] == "no fault was on"


async def test_the_ledger_is_the_exchanges_own(stage: Stage) -> None:
    """Orders, fills, positions and cash of one moment, without any of the reads' lags."""
    before = (await asked(stage, do="ledger"))["ledger"]
    assert (before["orders"], before["fills"], before["positions"]) == ([], [], {})
    stage.place(BookSide.BID, 9_900, lifetime=Lifetime.IMMEDIATE_OR_CANCEL, client_order_id="a")
    stage.place(BookSide.BID, 100, client_order_id="b")
    after = (await asked(stage, do="ledger"))["ledger"]
    assert {each["client_order_id"]: each["rests"] for each in after["orders"]} == {
        "a": False,
        "b": True,
    }
    assert after["positions"] == {stage.ticker: 500}
    assert after["cash_e6"] < before["cash_e6"]
    assert after["fills"]


@pytest.mark.parametrize("line", [b"", b"nonsense", b"[1]", b'{"do":"dance"}', b"{}"])
async def test_what_is_no_request_is_told_so(stage: Stage, line: bytes) -> None:
    """One line says what is wrong, and the world goes on."""
    await trio.lowlevel.checkpoint()
    said = orjson.loads(answer(stage.board, line))
    assert said["ok"] is False
    assert said["error"]


async def test_a_world_stands_still_when_it_is_told_to(
    stage: Stage, autojump_clock: object
) -> None:
    """Its servers go on, and nothing moves any more."""
    del autojump_clock
    simulation = stage.simulation
    async with trio.open_nursery() as nursery:
        nursery.start_soon(simulation.run)
        await trio.sleep(1.0)
        assert simulation.world.moment_ms > 0
        await asked(stage, do="stand_still")
        stood_ms = simulation.world.moment_ms
        await trio.sleep(5.0)
        assert simulation.world.moment_ms == stood_ms
        nursery.cancel_scope.cancel()


async def test_an_unknown_fault_is_told_so(stage: Stage) -> None:
    """The answer carries the number of the request."""
    said = await asked(stage, id=7, do="switch", name="earthquake", on=True)
    assert (said["id"], said["ok"]) == (7, False)
    assert "earthquake" in said["error"]
