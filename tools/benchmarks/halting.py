"""The kill switch: from the command in hand to what it leaves on the wire.

The whole engine on a real loop, over loopback sockets, against ``arb sim`` in a process of its
own, with purchases of ours resting there. A halt cancels them by their ids and triggers the order
groups; both are timed at the sockets' own sends, and the end at the exchange's ledger.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import trio

from arb.core.commands import OrderIntent, Purpose, TimeInForce
from arb.core.events import Liquidity, Side
from arb.core.money import ONE_CONTRACT_E2, CountE2, PriceE4
from arb.core.orders import OrderState
from arb.core.parameters import Execution, Strategy
from arb.engine.embedded_world import embedded_world
from arb.engine.live import Venues
from arb.engine.names import GATEWAY, RISK
from arb.engine.offload import IN_THREADS
from arb.faults.engine import OpenedEngine, Seams, opened_engine
from arb.io.clock import SystemClock
from arb.io.connection import Connection
from arb.io.net import SocketNetwork
from arb.io.teams_file import packaged_teams
from arb.journal.writer import DiskFile
from arb.kalshi.order_groups import GROUPS_PATH
from arb.kalshi.sign import PASSPHRASE_VARIABLE, load_signer
from arb.settings import Settings
from tools.benchmarks.exchange import ENDLESS
from tools.benchmarks.figures import BenchmarkFailed, Figure, latencies
from tools.benchmarks.waiting import until

TOPIC = "halt"

# With 200 orders resting a halt reaches the wire within this.
WIRE_TARGET_US = {"p50": 5_000.0, "p99": 5_000.0}

READY_TIMEOUT_S = 30.0
GONE_TIMEOUT_S = 20.0
LOOK_S = 0.005

# As cheap as can be, so that nothing in the world meets it.
PRICE_E4 = PriceE4(100)


@attrs.frozen
class Plan:
    """How many orders rest, and how often they are halted."""

    orders: int = 200
    rounds: int = 20


QUICK = Plan(rounds=5)


@attrs.define
class Wire:
    """When what a halt sends was handed to the kernel, in nanoseconds."""

    cancels_ns: list[int] = attrs.field(factory=list)
    triggers_ns: list[int] = attrs.field(factory=list)

    def sent(self, data: bytes) -> None:
        """Note a request by its first line."""
        line = bytes(data[:200]).partition(b"\r\n")[0]
        if line.startswith(b"DELETE "):
            self.cancels_ns.append(time.perf_counter_ns())
        elif line.startswith(b"PUT ") and GROUPS_PATH.encode() in line and b"/trigger" in line:
            self.triggers_ns.append(time.perf_counter_ns())

    def clear(self) -> None:
        """Forget what was sent."""
        self.cancels_ns.clear()
        self.triggers_ns.clear()


class WatchedNetwork(SocketNetwork):
    """Real sockets whose sends are noted once the kernel has taken them."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    async def connect(
        self, host: str, port: int, *, tls: bool, alpn: Sequence[str] = ()
    ) -> Connection:
        """Open a connection."""
        return WatchedConnection(await super().connect(host, port, tls=tls, alpn=alpn), self._wire)


class WatchedConnection(Connection):
    """One socket, and who hears of its sends."""

    def __init__(self, inner: Connection, wire: Wire) -> None:
        self._inner = inner
        self._wire = wire

    def send_now(self, data: bytes) -> int:
        """Send in this turn, then note it."""
        sent = self._inner.send_now(data)
        self._wire.sent(data)
        return sent

    @property
    def readable(self) -> bool:
        """Say whether a read would return at once."""
        return self._inner.readable

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return some bytes."""
        return await self._inner.receive_some(max_bytes)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send everything, then note it."""
        await self._inner.send_all(data)
        self._wire.sent(bytes(data))

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the kernel has room."""
        await self._inner.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """Close it."""
        await self._inner.aclose()


@attrs.frozen
class Round:
    """What one halt took, in nanoseconds, from the command in hand."""

    first_ns: int
    trigger_ns: int
    gone_ns: int


def run(plan: Plan) -> list[Figure]:
    """Measure some halts."""
    rounds = trio.run(_run, plan)
    what = f"{plan.orders} entries resting"
    return [
        latencies(
            TOPIC,
            f"halt → first cancel with the kernel, {what}",
            [each.first_ns for each in rounds],
            WIRE_TARGET_US,
        ),
        latencies(
            TOPIC,
            f"halt → every order group's trigger with the kernel, {what}",
            [each.trigger_ns for each in rounds],
        ),
        latencies(
            TOPIC, f"halt → none open in our books, {what}", [each.gone_ns for each in rounds]
        ),
    ]


async def _run(plan: Plan) -> list[Round]:
    wire = Wire()
    async with _engine(wire) as engine:
        await _until(lambda: _state(engine) == "running", READY_TIMEOUT_S)
        return [await _round(engine, wire, plan) for _ in range(plan.rounds)]


@asynccontextmanager
async def _engine(wire: Wire) -> AsyncIterator[OpenedEngine]:
    # Orders of our own making rest for as long as is wished, and nobody else's are made.
    settings = Settings(
        strategy=Strategy(min_books=12), execution=Execution(maker_timeout_ms=600_000)
    )
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_world(seed=1, speed=1.0) as world:
            venues = Venues(
                world.name,
                world.rest_url,
                world.ws_url,
                world.key_id,
                world.private_key_path,
                tuple(world.odds[each] for each in settings.odds_feed.provider),
            )
            seams = Seams(
                venues,
                WatchedNetwork(wire),
                SystemClock(),
                load_signer(
                    world.key_id, world.private_key_path, os.environ.get(PASSPHRASE_VARIABLE)
                ),
                settings,
                packaged_teams(),
                DiskFile(Path(folder) / "journal"),
                random.Random(0),
                offloads=IN_THREADS,
            )
            async with opened_engine(seams) as engine:
                yield engine


async def _round(engine: OpenedEngine, wire: Wire, plan: Plan) -> Round:
    await _rest(engine, plan.orders)
    groups = len({each.exchange_index for each in engine.parts.catalogue.listings})
    wire.clear()
    began_ns = time.perf_counter_ns()
    await engine.steering.steer("halt", {"reason": "a benchmark"})
    await _until(lambda: not _open(engine) and len(wire.triggers_ns) >= groups, GONE_TIMEOUT_S)
    gone_ns = time.perf_counter_ns()
    measured = Round(
        wire.cancels_ns[0] - began_ns, wire.triggers_ns[groups - 1] - began_ns, gone_ns - began_ns
    )
    await engine.steering.steer("clear", {"reason": "the benchmark goes on"})
    await _until(lambda: _state(engine) == "running", READY_TIMEOUT_S)
    return measured


async def _rest(engine: OpenedEngine, count: int) -> None:
    """Let so many purchases rest, past the limits that would keep them from it."""
    inside = _inside(engine)
    budget = inside.exchange.budget
    limits, costs = budget.limits, budget.costs
    budget.apply(ENDLESS, costs)
    listings = engine.parts.catalogue.listings
    for number in range(count):
        listing = listings[number % len(listings)]
        with trio.fail_after(GONE_TIMEOUT_S):
            await until(lambda: bool(inside.exchange.lanes.free))
        inside.send(_purchase(listing.ticker, listing.game.game_id), engine)
    await _until(lambda: _at_rest(engine) == count, GONE_TIMEOUT_S)
    # What a halt may spend is what the account has, and its bucket is full by then.
    budget.apply(limits, costs)
    await trio.sleep(limits.write.capacity / limits.write.refill_per_s)


def _purchase(ticker: str, game_id: str) -> OrderIntent:
    return OrderIntent(
        ticker=ticker,
        game_id=game_id,
        purpose=Purpose.ENTRY,
        side=Side.BID,
        price_e4=PRICE_E4,
        count_e2=CountE2(ONE_CONTRACT_E2),
        liquidity=Liquidity.MAKER,
        time_in_force=TimeInForce.GOOD_TILL_CANCELED,
        post_only=True,
        trigger_ns=time.monotonic_ns(),
        fair=1 / 2,
    )


@attrs.frozen
class _Inside:
    """The actors whose limits are passed by."""

    risk: Any
    gateway: Any

    @property
    def exchange(self) -> Any:
        return self.gateway._exchange  # noqa: SLF001 - a benchmark looks inside

    @property
    def ledger(self) -> Any:
        return self.risk._books.ledger  # noqa: SLF001 - a benchmark looks inside

    def send(self, intent: OrderIntent, engine: OpenedEngine) -> None:
        """Approve and send what no review has seen."""
        risk, now_ns = self.risk, engine.parts.clock.monotonic_ns()
        approved = risk._approvals.approve(intent, now_ns=now_ns)  # noqa: SLF001 - as above
        risk._send(approved, risk._books.open(approved, intent))  # noqa: SLF001 - as above


def _inside(engine: OpenedEngine) -> _Inside:
    return _Inside(_instance(engine, RISK), _instance(engine, GATEWAY))


def _open(engine: OpenedEngine) -> int:
    return sum(order.is_open for order in _inside(engine).ledger.all_at_stake())


def _at_rest(engine: OpenedEngine) -> int:
    at_stake = _inside(engine).ledger.all_at_stake()
    return sum(order.state is OrderState.RESTING for order in at_stake)


def _state(engine: OpenedEngine) -> str:
    account = engine.parts.board.account
    return str(account.state) if account is not None else "starting"


def _instance(engine: OpenedEngine, name: str) -> Any:
    cell: Any = engine.system.cell_of(engine.system.address(name))
    return cell._receive.__self__  # noqa: SLF001 - a benchmark looks inside


async def _until(happened: Callable[[], bool], seconds: float) -> None:
    with trio.move_on_after(seconds):
        # What happens in another process cannot be waited for: it is looked at.
        while not happened():  # noqa: ASYNC110
            await trio.sleep(LOOK_S)
    if not happened():
        raise BenchmarkFailed(f"not within {seconds:g} s")
