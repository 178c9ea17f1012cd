"""The real engine, opened over any network, clock and disk: what `arb run` does, in a simulation.

Only the outermost parts differ from a run: no control socket, no signal handlers, no threads, and
nobody who looks after the tree of actors now and then: what it reports is said.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import attrs

from actors import SupervisorSpec, System, open_system
from actors.system import TreeEvent
from arb.core.teams import TeamTable
from arb.engine.board import Board, LogLine
from arb.engine.first_games import GamesReader
from arb.engine.halt_file import HaltFile
from arb.engine.live import Connections, LiveTree, Venues, connections
from arb.engine.names import odds_feed_names
from arb.engine.offload import IN_PLACE, Offloads
from arb.engine.parts import Parts
from arb.engine.snapshot import Photographer
from arb.engine.steering import EngineSteering
from arb.engine.stopping import StopRequest
from arb.engine.tree_watch import TreeWatch
from arb.io.clock import Clock
from arb.io.net import Network
from arb.journal.records import RecordKind
from arb.journal.snapshot import SnapshotStore
from arb.journal.writer import Journal, JournalFile
from arb.kalshi.sign import Signer
from arb.settings import Mode, OddsPlace, Settings
from arb.settings.sections import FSYNC_ORDER
from arb.sim.simulation import Simulation
from arb.version import VERSION

EXCHANGE = ("127.0.0.1", 8001)
ODDS = ("127.0.0.1", 8002)

INSTALLATION = "test"

# A simulated life writes some dozen records: lives after the first begin at a snapshot.
SNAPSHOT_AFTER = 4

# The path of each provider's addresses in the simulated world: REST, and its socket if it has one.
ODDS_PATHS = {
    "odds-api-io": ("/v3", "/v3/ws"),
    "opticodds": ("/api/v3", ""),
    "the-odds-api": ("/v4", ""),
    "unabated": ("", "/graphql/realtime"),
}


def venues_of(
    world: Simulation,
    key_id: str,
    key_path: Path = Path("unused"),
    providers: Sequence[str] = ("odds-api-io",),
) -> Venues:
    """Return where a world's servers listen in memory, and the keys to them."""
    exchange, odds = (f"{host}:{port}" for host, port in (EXCHANGE, ODDS))
    return Venues(
        name=INSTALLATION,
        rest_url=f"http://{exchange}/trade-api/v2",
        ws_url=f"ws://{exchange}/trade-api/ws/v2",
        key_id=key_id,
        private_key_path=key_path,
        odds=tuple(_odds_place(each, odds, world.odds_key) for each in providers),
    )


def _odds_place(provider: str, place: str, key: str) -> OddsPlace:
    rest_path, ws_path = ODDS_PATHS[provider]
    ws_url = f"ws://{place}{ws_path}" if ws_path else ""
    return OddsPlace(provider, f"http://{place}{rest_path}", ws_url, key, metered=False)


def _same_tree(spec: SupervisorSpec) -> SupervisorSpec:
    return spec


def _same_connections(made: Connections) -> Connections:
    return made


def _unheard(_line: LogLine) -> None:
    """Hear no log."""


def _event_unheard(_event: TreeEvent) -> None:
    """Hear nothing of the tree of actors."""


@attrs.frozen
class Seams:
    """Everything that an engine gets from outside, and what may be changed of its tree."""

    venues: Venues
    network: Network
    clock: Clock
    signer: Signer
    settings: Settings
    teams: TeamTable
    file: JournalFile
    rng: Random
    mode: Mode = Mode.SIM
    on_log: Callable[[LogLine], None] = _unheard
    on_event: Callable[[TreeEvent], None] = _event_unheard
    choose_direct: Callable[[], bool] | None = None
    offloads: Offloads = IN_PLACE
    snapshots: SnapshotStore | None = None
    tree: type[LiveTree] = LiveTree
    change_tree: Callable[[SupervisorSpec], SupervisorSpec] = _same_tree
    change_connections: Callable[[Connections], Connections] = _same_connections
    tape: Path | None = None
    halt_file: HaltFile | None = None


@attrs.define
class OpenedEngine:
    """An engine at work."""

    parts: Parts
    system: System
    steering: EngineSteering
    stop: StopRequest
    photographer: Photographer


@asynccontextmanager
async def opened_engine(seams: Seams) -> AsyncIterator[OpenedEngine]:
    """Open the journal, read the games and run the tree; stop it in order on leaving.

    Raises what reading the games, the journal or the tree raises.
    """
    settings, board = seams.settings, Board(seams.clock, seams.on_log)
    async with connections(
        seams.venues, settings, seams.network, seams.clock, seams.signer, board.note_bad
    ) as plain:
        made = seams.change_connections(plain)
        parts = await _parts(seams, made, board)
        started_ms = seams.clock.wall_ms()
        photographer = Photographer(parts, seams.mode.value, INSTALLATION, started_ms)
        stop = StopRequest()
        tree = seams.tree(
            parts,
            made,
            settings,
            seams.mode,
            stop,
            photographer,
            None,
            seams.rng,
            seams.offloads,
            seams.tape,
            teams=seams.teams,
        )
        tree_watch = TreeWatch(parts.board)

        def hear(event: TreeEvent) -> None:
            tree_watch.hear(event)
            seams.on_event(event)

        async with open_system(
            seams.change_tree(tree.spec()),
            rng=seams.rng,
            on_event=hear,
            choose_direct=seams.choose_direct,
        ) as system:
            steering = EngineSteering(photographer, stop, system)
            yield OpenedEngine(parts, system, steering, stop, photographer)


async def _parts(seams: Seams, made: Connections, board: Board) -> Parts:
    settings = seams.settings
    journal = Journal(
        seams.file,
        seams.clock,
        syncs_orders=settings.engine.fsync == FSYNC_ORDER,
        snapshots=seams.snapshots,
    )
    recovered = journal.known(keep_after=SNAPSHOT_AFTER)
    journal.append(RecordKind.START, {"version": VERSION, "mode": seams.mode})
    journal.sync()
    reader = GamesReader(made, settings.odds_feed.sports, seams.teams, board)
    games = await reader.read(recovered.ledger)
    return Parts(
        clock=seams.clock,
        board=board,
        journal=journal,
        catalogue=games.catalogue,
        odds_feeds=odds_feed_names(settings.odds_feed.provider),
        found=games.found,
        settings=settings,
        installation=INSTALLATION,
        orders_stand_on_book=seams.mode is not Mode.PAPER,
        taped=seams.tape is not None,
        halt_file=seams.halt_file,
    )
