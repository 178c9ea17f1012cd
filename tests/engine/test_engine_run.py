"""A whole run: from settings to the report, over real sockets."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from arb.core.teams import TeamTable
from arb.engine import app, journal_keeper, tree_watch
from arb.engine.app import EngineFailed, RunConfig, run_engine
from arb.engine.board import LogLine
from arb.engine.live_discovery import LiveDiscovery
from arb.engine.stopping import StopRequest
from arb.io.clock import SystemClock
from arb.io.rendezvous import find_engines
from arb.io.teams_file import packaged_teams
from arb.journal.records import RecordKind
from arb.journal.writer import DiskFile, Journal
from arb.settings import Mode, Settings, SettingsError, load
from arb.sim.credentials import make_member_key
from arb.sim.host import Addresses, host
from arb.sim.simulation import Simulation, SimulationSettings

PATIENCE_S = 30.0

Config = Callable[..., RunConfig]


@attrs.frozen
class Served:
    """A simulated world on loopback, and the environment that leads to it."""

    simulation: Simulation
    environment: dict[str, str]

    def settings(self, **more: str) -> Settings:
        """Return settings for this world."""
        return load(self.environment | more, folder=Path("/nonexistent"))


@pytest.fixture
async def served(tmp_path: Path, nursery: trio.Nursery) -> Served:
    """Serve a small world from this process."""
    simulation = Simulation(SimulationSettings(games=4, speed=20.0), SystemClock())
    key = make_member_key(tmp_path)
    key_id = simulation.admit(key.public)
    send, receive = trio.open_memory_channel[Addresses](1)
    nursery.start_soon(partial(host, simulation, on_ready=send.send_nowait))
    addresses = await receive.receive()
    return Served(
        simulation,
        {
            "ARB_KALSHI__API_BASE": addresses.rest,
            "ARB_KALSHI__WS_URL": addresses.ws,
            "ARB_KALSHI__API_KEY": key_id,
            "ARB_KALSHI__PRIVATE_KEY_PATH": str(key.path),
            "ARB_ODDS_FEED__REST_URL": addresses.odds_rest,
            "ARB_ODDS_FEED__WS_URL": addresses.odds_ws,
            "ARB_ODDS_FEED__API_KEY": simulation.odds_key,
        },
    )


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Return what makes a configuration with a state directory of its own."""

    def make(settings: Settings, mode: Mode = Mode.DEMO, **more: Any) -> RunConfig:
        return RunConfig(settings, mode, packaged_teams(), tmp_path / "state", **more)

    return make


@pytest.mark.slow
async def test_a_run_against_a_served_world_trades_and_reports(
    served: Served, config: Config
) -> None:
    """An engine that is led to a world by its settings trades there, and says what came of it."""
    said: list[LogLine] = []
    stop = StopRequest()
    ready: list[Path] = []
    wanted = config(
        served.settings(ARB_ENGINE__RECORD_TAPE="true"), on_log=said.append, on_ready=ready.append
    )

    async def stop_after_an_exit() -> None:
        with trio.fail_after(PATIENCE_S):
            while not _has_a_sale(served):  # noqa: ASYNC110 - the world tells nobody
                await trio.sleep(0.02)
        stop.request("the test has seen enough")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(stop_after_an_exit)
        report = await run_engine(wanted, stop)

    assert report["stopped"] == "the test has seen enough"
    assert report["orders"] >= 2
    assert report["fills"] >= 1
    assert report["invariant_checks"] >= report["orders"]
    assert report["invariant_violations"] == 0
    assert report["entries_resting_at_stop"] == 0
    assert any(line.tag == "TRADE" for line in said)
    (place,) = ready
    assert find_engines(wanted.state_root) == []
    assert {"journal", "engine.log", "lock"} <= {path.name for path in place.iterdir()}
    assert list(place.glob("*.tape"))
    kinds = [
        record.kind for record in Journal(DiskFile(place / "journal"), SystemClock()).records()
    ]
    assert kinds[0] is RecordKind.START
    assert kinds[-1] is RecordKind.STOP


def _has_a_sale(served: Served) -> bool:
    return any(order.side == "ask" for order in served.simulation.member.orders())


@pytest.mark.slow
async def test_an_embedded_world_lives_as_long_as_its_engine(config: Config) -> None:
    """Without any key an engine starts a world of its own, and that world ends with it."""
    report = await run_engine(config(Settings(), Mode.SIM, seconds=1.0, seed=3), StopRequest())

    assert report["stopped"] == "1 seconds are over"
    assert report["world"].startswith("3-")
    assert report["entries_resting_at_stop"] == 0


@pytest.mark.slow
async def test_paper_trading_sends_nothing(served: Served, config: Config) -> None:
    """In paper mode orders are filled here, and the exchange never hears of one."""
    report = await run_engine(config(served.settings(), Mode.PAPER, seconds=3.0), StopRequest())

    assert report["entries_resting_at_stop"] == 0
    assert served.simulation.member.orders() == []


async def test_a_run_says_what_happens_in_its_tree_and_what_stands_still(
    served: Served, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has no console finds it in the log."""

    async def fail(_actor: object) -> None:
        await trio.lowlevel.checkpoint()
        raise RuntimeError("a test of failures")

    stop, left = StopRequest(), {"discovery failed: RuntimeError: a test", "journal: the journal"}

    def on_log(line: LogLine) -> None:
        left.difference_update([each for each in left if line.text.startswith(each)])
        if not left:
            stop.request("both were said")

    monkeypatch.setattr(LiveDiscovery, "run", fail)
    monkeypatch.setattr(journal_keeper, "SYNCED_WITHIN_MS", 0)
    monkeypatch.setattr(tree_watch, "LOOK_EVERY_S", 0.01)
    report = await run_engine(config(served.settings(), on_log=on_log, seconds=PATIENCE_S), stop)

    assert left == set()
    assert report["stopped"] == "both were said"


async def test_a_stop_before_trading_ends_the_start(served: Served, config: Config) -> None:
    """Whoever asks early does not wait for the start to be over."""
    stop = StopRequest()
    stop.request("changed my mind")

    report = await run_engine(config(served.settings()), stop)

    assert report == {"mode": "demo", "stopped": "before trading"}


async def test_a_second_engine_for_one_account_is_refused(served: Served, config: Config) -> None:
    """One line says where the first one is and what to do."""
    stop = StopRequest()
    ready = trio.Event()
    first = config(served.settings(), on_ready=lambda _: ready.set())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_engine, first, stop)
        with trio.fail_after(PATIENCE_S):
            await ready.wait()

        with pytest.raises(EngineFailed, match=r"another engine is running in .*account-"):
            await run_engine(config(served.settings()), StopRequest())

        stop.request("done")


async def test_missing_keys_are_named(served: Served, config: Config) -> None:
    """A mode that needs keys says which variable to set."""
    for name in ("ARB_KALSHI__API_KEY", "ARB_ODDS_FEED__API_KEY"):
        without = {key: value for key, value in served.environment.items() if key != name}
        with pytest.raises(SettingsError, match=name):
            await run_engine(config(load(without, folder=Path("/nonexistent"))), StopRequest())


async def test_an_exchange_that_does_not_answer_is_one_line(
    served: Served, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some tries the engine says what it could not read, and gives up."""
    monkeypatch.setattr(app, "DISCOVERY_PAUSE_S", 0.0)
    said: list[LogLine] = []
    nobody = served.settings(ARB_KALSHI__API_BASE="http://127.0.0.1:9")

    with pytest.raises(EngineFailed, match=r"GET http://127\.0\.0\.1:9.*arb settings shows"):
        await run_engine(config(nobody, on_log=said.append), StopRequest())

    assert sum("games not read" in line.text for line in said) == app.DISCOVERY_TRIES - 1


async def test_a_key_that_others_can_read_is_refused(served: Served, config: Config) -> None:
    """The one line says which command mends it."""
    path = Path(served.environment["ARB_KALSHI__PRIVATE_KEY_PATH"])
    await trio.Path(path).chmod(0o644)

    with pytest.raises(EngineFailed, match="chmod 600"):
        await run_engine(config(served.settings()), StopRequest())


async def test_a_world_without_known_games_is_one_line(served: Served, config: Config) -> None:
    """An engine with nothing to trade says what it found on both sides."""
    empty = attrs.evolve(config(served.settings()), teams=TeamTable((), {}))

    with pytest.raises(EngineFailed, match="no game to trade"):
        await run_engine(empty, StopRequest())
