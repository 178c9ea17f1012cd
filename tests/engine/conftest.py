"""A whole engine against the simulated world, in one process and in virtual time."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
import trio
from cryptography.hazmat.primitives.asymmetric import rsa

from actors import System, open_system
from arb.engine.board import Board
from arb.engine.discovery import catalogue_of, listed_by_exchange
from arb.engine.live import LiveTree, Venues, connections
from arb.engine.offload import IN_PLACE
from arb.engine.parts import Parts
from arb.engine.snapshot import Photographer
from arb.engine.stopping import StopRequest
from arb.io.clock import VirtualClock
from arb.io.memory import MemoryNetwork
from arb.io.teams_file import packaged_teams
from arb.journal.writer import Journal, MemoryFile
from arb.kalshi.sign import Signer, load_signer
from arb.settings import Mode, Settings
from arb.sim.credentials import make_member_key
from arb.sim.simulation import Simulation, SimulationSettings

EXCHANGE = ("127.0.0.1", 8001)
ODDS = ("127.0.0.1", 8002)

# A Sunday noon in season, so that the four leagues play.
EPOCH_MS = 1_795_343_226_907


@attrs.define
class Rig:
    """One engine at work in one world, and everything a test may want to look at or break."""

    simulation: Simulation
    network: MemoryNetwork
    parts: Parts
    system: System
    file: MemoryFile
    settings: Settings

    @property
    def board(self) -> Board:
        """Return what the engine shows."""
        return self.parts.board

    async def until(self, happened: Callable[[], bool], seconds: float = 120.0) -> None:
        """Wait in virtual time until something is so; fails the test if it never is."""
        with trio.fail_after(seconds):
            while not happened():
                await trio.sleep(0.05)


@attrs.frozen
class Member:
    """The member's key, made once: an RSA key costs a tenth of a second."""

    public: rsa.RSAPublicKey
    path: Path


@pytest.fixture(scope="session")
def member(tmp_path_factory: pytest.TempPathFactory) -> Member:
    """Return a key for the simulated exchange."""
    made = make_member_key(tmp_path_factory.mktemp("keys"))
    return Member(made.public, made.path)


Worlds = Callable[..., "AsyncIterator[Rig]"]


@pytest.fixture
def open_rig(member: Member) -> Callable[..., object]:
    """Return what opens a rig: ``async with open_rig(seed=..., file=...) as rig``."""

    @asynccontextmanager
    async def open_one(
        *,
        seed: int = 1,
        games: int = 4,
        settings: Settings | None = None,
        file: MemoryFile | None = None,
        simulation: Simulation | None = None,
    ) -> AsyncIterator[Rig]:
        clock = VirtualClock(EPOCH_MS)
        file = MemoryFile() if file is None else file
        settings = Settings() if settings is None else settings
        world = simulation or Simulation(SimulationSettings(seed=seed, games=games), clock)
        async with trio.open_nursery() as nursery:
            network = MemoryNetwork(nursery)
            network.listen(*EXCHANGE, world.exchange.serve_stream)
            network.listen(*ODDS, world.odds.serve_stream)
            venues = _venues(world, member.path, world.admit(member.public))
            if simulation is None:
                nursery.start_soon(world.run)
            signer = load_signer(venues.key_id, venues.private_key_path)
            async with _engine(venues, network, clock, signer, settings, file, world) as rig:
                yield rig
            nursery.cancel_scope.cancel()

    return open_one


def _venues(world: Simulation, key_path: Path, key_id: str) -> Venues:
    exchange, odds = (f"{host}:{port}" for host, port in (EXCHANGE, ODDS))
    return Venues(
        name="test",
        rest_url=f"http://{exchange}/trade-api/v2",
        ws_url=f"ws://{exchange}/trade-api/ws/v2",
        key_id=key_id,
        private_key_path=key_path,
        odds_rest_url=f"http://{odds}/v3",
        odds_ws_url=f"ws://{odds}/v3/ws",
        odds_key=world.odds_key,
    )


@asynccontextmanager
async def _engine(
    venues: Venues,
    network: MemoryNetwork,
    clock: VirtualClock,
    signer: Signer,
    settings: Settings,
    file: MemoryFile,
    world: Simulation,
) -> AsyncIterator[Rig]:
    async with connections(venues, settings, network, clock, signer) as made:
        listed = await listed_by_exchange(made.rest, settings.odds_feed.sports)
        offered = await made.odds.events(settings.odds_feed.sports)
        parts = Parts(
            clock=clock,
            board=Board(clock),
            journal=Journal(file, clock),
            catalogue=catalogue_of(packaged_teams(), listed, offered),
            strategy=settings.strategy,
            risk=settings.risk,
            execution=settings.execution,
            installation="test",
        )
        tree = LiveTree(
            parts,
            made,
            settings,
            Mode.SIM,
            StopRequest(),
            Photographer(parts, "sim", "test", clock.wall_ms()),
            None,
            random.Random(1),
            IN_PLACE,
        )
        async with open_system(tree.spec(), rng=random.Random(1)) as system:
            yield Rig(world, network, parts, system, file, settings)
