"""``arb sim``: the simulated exchange and odds servers alone, on loopback."""

from __future__ import annotations

import os
import signal
import ssl
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import attrs
import trio
from cyclopts import Parameter

from arb.cli.common import Json, print_json
from arb.cli.errors import CommandFailed, UsageError
from arb.io.clock import SystemClock
from arb.sim.credentials import make_member_key, make_server_context
from arb.sim.host import Addresses, PortTaken, host
from arb.sim.simulation import Simulation, SimulationSettings
from arb.sim.switchboard import Switchboard
from arb.sim.timing import utc
from arb.sim.wishes import LINE_BYTES_MAX, answer
from arb.sim.world.games import Calendar

_STDIN = 0
_STDOUT = 1
_READ_BYTES = 4_096
_PORT_MAX = 65_535
_GAMES_MAX = 2_000
# Beyond this a step of the world is longer than its books' delays, and nothing follows anything.
_SPEED_MAX = 100.0
# Ten times what one core of this world can say in a second.
_BOOK_RATE_MAX = 50_000.0
_DOLLAR_E6 = 1_000_000


@attrs.frozen
class Ready:
    """The line that tells where everything is; what is None is left out."""

    rest: str
    ws: str
    odds_rest: str
    odds_ws: str
    opticodds: str
    the_odds_api: str
    unabated_rest: str
    unabated_ws: str
    key_id: str
    private_key_path: str
    odds_key: str
    seed: int
    world: str
    ca_path: str | None = None


def sim(
    *,
    port: Annotated[int, Parameter(help="The exchange's port; 0 takes a free one.")] = 0,
    odds_port: Annotated[int, Parameter(help="The odds server's port; 0 takes a free one.")] = 0,
    seed: Annotated[int, Parameter(help="The same seed makes the same world.")] = 1,
    games: Annotated[int, Parameter(help="How many games there are.")] = 8,
    speed: Annotated[float, Parameter(help="How fast prices move; stamps stay real.")] = 1.0,
    book_rate: Annotated[
        float, Parameter(help="Changes of the books a second on top of the makers' own.")
    ] = 0.0,
    cash: Annotated[int, Parameter(help="The account's cash in dollars.")] = 10_000,
    start_in: Annotated[
        float | None, Parameter(help="Seconds until the first game starts; else hours.")
    ] = None,
    stagger: Annotated[float, Parameter(help="Seconds between starts, with --start-in.")] = 0.0,
    length: Annotated[float, Parameter(help="A game's length in seconds.")] = 10_800.0,
    tls: Annotated[
        bool, Parameter(negative="", help="Serve behind a certificate of its own.")
    ] = False,
    state_dir: Annotated[
        Path | None, Parameter(help="Where keys are written; else a folder that is removed.")
    ] = None,
    until_stdin_closes: Annotated[bool, Parameter(negative="", show=False)] = False,
    json: Json = False,
) -> None:
    """Serve the simulated exchange and odds provider on loopback until stopped."""
    _check(port, odds_port, games, speed, cash, book_rate)
    calendar = Calendar(
        None if start_in is None else round(start_in * 1_000),
        round(stagger * 1_000),
        round(length * 1_000),
    )
    settings = SimulationSettings(
        seed=seed,
        games=games,
        speed=speed,
        cash_e6=cash * _DOLLAR_E6,
        calendar=calendar,
        book_changes_per_s=book_rate,
    )
    with _folder(state_dir) as folder:
        run = partial(
            serve,
            settings,
            folder,
            port=port,
            odds_port=odds_port,
            tls=tls,
            embedded=until_stdin_closes,
            json=json,
        )
        _run(run)


def _run(run: Callable[[], Awaitable[None]]) -> None:
    taken: list[BaseException] = []
    try:
        trio.run(run)
    except* PortTaken as group:
        taken.extend(group.exceptions)
    if taken:
        raise CommandFailed(
            f"{taken[0]}; choose another with --port or --odds-port, or 0 for a free one"
        )


async def serve(
    settings: SimulationSettings,
    folder: Path,
    *,
    port: int = 0,
    odds_port: int = 0,
    tls: bool = False,
    embedded: bool = False,
    json: bool = False,
) -> None:
    """Serve until a signal comes or, when embedded, standard input closes.

    Embedded it leaves Ctrl-C to the parent, which has orders to cancel here before it ends, and
    does what the parent's lines on standard input ask.
    """
    clock = SystemClock()
    simulation = Simulation(settings, clock)
    ends = {signal.SIGTERM} if embedded else {signal.SIGINT, signal.SIGTERM}
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_until_signal, signals, ends, nursery.cancel_scope)
            if embedded:
                board = Switchboard(simulation, clock)
                nursery.start_soon(_until_stdin_closes, board, nursery.cancel_scope)
            await _serve(
                simulation, clock, folder, port=port, odds_port=odds_port, tls=tls, json=json
            )


async def _serve(
    simulation: Simulation,
    clock: SystemClock,
    folder: Path,
    *,
    port: int,
    odds_port: int,
    tls: bool,
    json: bool,
) -> None:
    member = make_member_key(folder)
    simulation.admit(member.public)
    context: ssl.SSLContext | None = None
    ca_path: Path | None = None
    if tls:
        context, ca_path = make_server_context(folder, utc(clock.wall_ms()))

    def announce(addresses: Addresses) -> None:
        _announce(_ready(simulation, addresses, member.path, ca_path), json=json)

    await host(simulation, port=port, odds_port=odds_port, tls=context, on_ready=announce)


async def _until_signal(
    signals: AsyncIterator[int], ends: Container[int], scope: trio.CancelScope
) -> None:
    async for number in signals:
        if number in ends:
            scope.cancel()
            return


async def _until_stdin_closes(board: Switchboard, scope: trio.CancelScope) -> None:
    # Past Python's own buffers: their locks must not be held by a thread when the process ends.
    buffer = b""
    while piece := await _in_thread(os.read, _STDIN, _READ_BYTES):
        *lines, buffer = (buffer + piece).split(b"\n")
        for line in lines:
            await _write(answer(board, line))
        buffer = buffer[:LINE_BYTES_MAX]
    scope.cancel()


async def _write(line: bytes) -> None:
    # In a thread: the world moves on while its parent takes its time.
    while line:
        line = line[await _in_thread(os.write, _STDOUT, line) :]


async def _in_thread(call: Callable[..., Any], *arguments: Any) -> Any:
    return await trio.to_thread.run_sync(call, *arguments, abandon_on_cancel=True)


def _ready(
    simulation: Simulation, addresses: Addresses, key_path: Path, ca_path: Path | None
) -> Ready:
    return Ready(
        **attrs.asdict(addresses),
        key_id=simulation.key_id,
        private_key_path=str(key_path),
        odds_key=simulation.odds_key,
        seed=simulation.settings.seed,
        world=simulation.world_id,
        ca_path=None if ca_path is None else str(ca_path),
    )


def _announce(ready: Ready, *, json: bool) -> None:
    values = {name: value for name, value in attrs.asdict(ready).items() if value is not None}
    if json:
        print_json(values)
    else:
        print("The simulated world is up; Ctrl-C stops it.")
        for name, value in values.items():
            print(f"  {name.replace('_', ' '):17}{value}")
    sys.stdout.flush()


def _check(
    port: int, odds_port: int, games: int, speed: float, cash: int, book_rate: float
) -> None:
    for name, number in (("--port", port), ("--odds-port", odds_port)):
        if not 0 <= number <= _PORT_MAX:
            raise UsageError(f"{name} {number} must be between 0 and {_PORT_MAX}")
    if not 1 <= games <= _GAMES_MAX:
        raise UsageError(f"--games {games} must be between 1 and {_GAMES_MAX}")
    if not 0 < speed <= _SPEED_MAX:
        raise UsageError(f"--speed {speed:g} must be above 0 and at most {_SPEED_MAX:g}")
    if not 0 <= book_rate <= _BOOK_RATE_MAX:
        raise UsageError(f"--book-rate {book_rate:g} must be between 0 and {_BOOK_RATE_MAX:g}")
    if cash <= 0:
        raise UsageError(f"--cash {cash} must be above 0")


@contextmanager
def _folder(state_dir: Path | None) -> Iterator[Path]:
    if state_dir is None:
        with tempfile.TemporaryDirectory(prefix="arb-sim-") as name:
            yield Path(name)
        return
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CommandFailed(f"cannot use --state-dir {state_dir}: {error.strerror}") from None
    yield state_dir
