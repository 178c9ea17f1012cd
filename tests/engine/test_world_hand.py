"""Switching the faults of the world that an engine has started, and of no other."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from actors import SupervisorSpec, open_system
from arb.console.ask import Refused, ask
from arb.engine.app import RunConfig, run_engine
from arb.engine.control_requests import SteeringError
from arb.engine.embedded_world import embedded_world
from arb.engine.snapshot import Photographer
from arb.engine.steering import EngineSteering
from arb.engine.stopping import StopRequest
from arb.engine.world_hand import WorldRefused
from arb.io.rendezvous import SOCKET_NAME
from arb.io.teams_file import packaged_teams
from arb.settings import Mode, Settings
from tests.engine.market_bench import bench_parts

PATIENCE_S = 60.0


@pytest.mark.slow
async def test_a_world_answers_the_process_that_started_it() -> None:
    """Requests are answered in turn, a refusal is one line, and an end is said."""
    with trio.fail_after(PATIENCE_S):
        async with embedded_world(seed=3, speed=1.0) as world:
            said = await world.hand.ask("switch", name="slow-answer", on=True)
            assert said["text"].startswith("slow-answer: ")
            faults = (await world.hand.ask("faults"))["faults"]
            assert [row["name"] for row in faults if row["on"]] == ["slow-answer"]
            assert (await world.hand.ask("ledger"))["ledger"]["orders"] == []
            with pytest.raises(WorldRefused, match="earthquake"):
                await world.hand.ask("switch", name="earthquake", on=True)
            # Whoever gave up waiting leaves its answer behind; the next one gets its own.
            with trio.move_on_after(0):
                await world.hand.ask("all_off")
            assert "faults" in await world.hand.ask("faults")
        with pytest.raises(WorldRefused, match="has ended"):
            await world.hand.ask("faults")


@pytest.mark.slow
async def test_faults_are_switched_through_the_engines_socket(tmp_path: Path) -> None:
    """In the simulated world the engine passes a person's wish on, and its log tells of it."""
    stop = StopRequest()
    said: list[str] = []
    send, receive = trio.open_memory_channel[Path](1)
    config = RunConfig(
        Settings(),
        Mode.SIM,
        packaged_teams(),
        tmp_path / "s",
        on_log=lambda line: said.append(line.text),
        on_ready=send.send_nowait,
        seed=3,
    )

    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run_engine, config, stop)
            place = await receive.receive()

            async def asked(verb: str, **arguments: Any) -> Any:
                call = partial(ask, place / SOCKET_NAME, verb, **arguments)
                return await trio.to_thread.run_sync(call)

            await asked("fault", name="odds-cut", switch="on")
            await asked("fault", name="frozen-sockets", switch="on")
            shown = (await asked("show", what="faults"))["shown"]["faults"]
            assert [row["name"] for row in shown if row["on"]] == ["frozen-sockets"]
            with pytest.raises(Refused, match="earthquake"):
                await asked("fault", name="earthquake", switch="on")
            assert (await asked("faults_off"))["text"] == "switched off: frozen-sockets"
            stop.request("seen enough")

    assert "frozen-sockets: open, and nothing comes or goes" in said


async def test_no_other_engine_has_faults_to_switch() -> None:
    """Whoever asks a real one gets one line that says why not."""
    async with open_system(SupervisorSpec("root", ()), rng=random.Random(0)) as system:
        photographer = Photographer(bench_parts(), "live", "account", 0)
        steering = EngineSteering(photographer, StopRequest(), system)
        for verb in ("fault", "faults_off"):
            with pytest.raises(SteeringError, match=r"only the simulated world .* live"):
                await steering.steer(verb, {"name": "order-refused", "switch": "on"})
        with pytest.raises(SteeringError, match="only the simulated world"):
            await steering.show("faults", "")
