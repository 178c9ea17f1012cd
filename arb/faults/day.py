"""A day of one engine in minutes: games come and go, faults come all along, nothing ends it.

What grows cannot be seen in a run of seconds. All judges of such a run judge this one; besides,
what the engine holds in memory is weighed every hour.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import attrs
import trio

from arb.core.parameters import Execution, Risk, Strategy
from arb.engine.names import RISK
from arb.faults.catalogue import KINDS
from arb.faults.machine import Machine
from arb.faults.oracle import Oracle
from arb.faults.plan import Fault, Plan, plan_of
from arb.faults.session import Outcome, simulate
from arb.faults.stage import Stage
from arb.faults.weight import Weight, weigh
from arb.faults.wires import SOCKETS
from arb.io.http_transport import CONNECTIONS_MAX as POOL_MAX
from arb.kalshi.lane import LANES
from arb.settings import Settings
from arb.sim.world.games import Calendar

S_PER_HOUR = 3_600.0

# Shorter ones show no growth; each hour takes some 40 s of one core.
HOURS_MIN, HOURS_MAX = 1.0, 48.0

# What an engine outlives: that its process, its disk or a person ends it has runs of its own.
FAMILIES = ("network", "feed", "exchange")
FAULT_EVERY_S = 120.0
_LENGTHS_S = (0.5, 2.0, 5.0)

# Somebody puts everything right so often: who halts or pauses it otherwise ends the day.
HEALED_EVERY_S = 600.0

# Some two games are traded at any time, each for ten minutes before it begins.
GAME_EVERY_S = 600.0
CALENDAR = Calendar(start_in_ms=600_000, stagger_ms=300_000, length_ms=300_000)

# As many orders as possible: each leaves something behind.
SETTINGS = Settings(
    strategy=Strategy(taker_edge_threshold=60, min_edge_after_fees=0),
    risk=Risk(max_contracts_per_market=20, max_daily_loss_cents=10_000),
    execution=Execution(contracts_per_order=2, maker_timeout_ms=2_000),
)

# Besides its ledger and its rings an engine holds what the games of the moment need; their number
# varies by one or two of some five.
GROWTH_MAX = 1.25

# An order and its fills stay in the ledger for good, as no id may ever be used again; and in the
# state that the journal keeps in step with itself.
ORDER_BYTES_MAX = 3_000

# Three sockets, the order lanes, and two pools of plain requests: Kalshi's and the provider's.
CONNECTIONS_MAX = len(SOCKETS) + LANES + 2 * POOL_MAX

# Under so many weighings there is nothing to compare.
WEIGHED_MIN = 8

NAMED_MAX = 3

# The last weighing is due when the last fault is over.
LAST_S = 0.5


@attrs.frozen
class Hour:
    """What an engine held at one moment."""

    at_s: float
    life: int
    markets: int
    orders: int
    fills: int
    ledger_bytes: int
    rings_bytes: int
    rest_bytes: int
    connections: int
    by_place: Counter[str] = attrs.field(factory=Counter, repr=False)

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"{self.at_s / S_PER_HOUR:5.1f} h: {self.markets} markets, {self.orders} orders, "
            f"{self.fills} fills; {self.ledger_bytes:,} bytes in the ledger, "
            f"{self.rings_bytes:,} in rings, {self.rest_bytes:,} besides; "
            f"{self.connections} connections"
        )


@attrs.define
class Day:
    """Lists games, puts things right and weighs, beside a run; ``on_hour`` hears each weighing."""

    lasts_s: float
    every_s: float = S_PER_HOUR
    on_hour: Callable[[Hour], None] | None = None
    hours: list[Hour] = attrs.field(factory=list)
    games: int = 0

    async def run(self, stage: Stage, _oracle: Oracle) -> None:
        """Do all three for as long as faults come."""
        with trio.move_on_after(self.lasts_s + LAST_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._list_games, stage)
                nursery.start_soon(self._heal, stage)
                while True:
                    await trio.sleep(self.every_s)
                    self._weigh(stage)

    async def _list_games(self, stage: Stage) -> None:
        while True:
            await trio.sleep(GAME_EVERY_S)
            stage.list_game()
            self.games += 1

    async def _heal(self, stage: Stage) -> None:
        while True:
            await trio.sleep(HEALED_EVERY_S)
            stage.heal()

    def _weigh(self, stage: Stage) -> None:
        machine, engine = stage.machine, stage.machine.engine
        if engine is None:
            return
        gc.collect()
        names = [node.path.rpartition("/")[2] for node in engine.system.snapshot()]
        actors: dict[str, Any] = {
            name: machine.saboteur.instances[name]
            for name in names
            if name in machine.saboteur.instances
        }
        ledger = actors[RISK]._books.ledger  # noqa: SLF001 - a judge looks inside
        seen: set[int] = set()
        booked = weigh([ledger, engine.parts.journal.known().ledger], seen)
        roots = (engine.parts, engine.system, engine.photographer, engine.steering)
        rest = weigh([*roots, *actors.values()], seen)
        self._note(machine, len(engine.parts.board.markets), ledger, booked, rest)

    def _note(
        self, machine: Machine, markets: int, ledger: Any, booked: Weight, rest: Weight
    ) -> None:
        hour = Hour(
            trio.current_time(),
            machine.lives,
            markets,
            len(ledger.orders),
            ledger.fills_booked,
            booked.rest + booked.rings,
            rest.rings,
            rest.rest,
            sum(len(wire.connections) for wire in machine.wires.wires.values()),
            rest.by_place,
        )
        self.hours.append(hour)
        if self.on_hour is not None:
            self.on_hour(hour)


@attrs.frozen
class DayReport:
    """What came of a day."""

    outcome: Outcome
    hours: tuple[Hour, ...]
    games: int
    grown: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Tell whether any rule did not hold."""
        return self.outcome.failed or bool(self.grown)


def run_day(
    plan: Plan,
    on_hour: Callable[[Hour], None] | None = None,
    every_s: float = S_PER_HOUR,
) -> DayReport:
    """Simulate hours of an engine's life, and judge them; the same plan gives the same."""
    day = Day(plan.faulty_s, every_s, on_hour)
    outcome = simulate(plan, beside=day.run)
    return DayReport(outcome, tuple(day.hours), day.games, tuple(judge(day.hours)))


def day_plan(seed: int, hours: float) -> Plan:
    """Draw a day: its world and when which fault comes, each from a seed."""
    dice = Random(f"{seed}/day")
    cells = [
        f"{kind.name}@{component}"
        for kind in KINDS
        if kind.family in FAMILIES
        for component in kind.components
    ]
    faults = []
    for number in range(1, int(hours * S_PER_HOUR / FAULT_EVERY_S)):
        at_s = number * FAULT_EVERY_S + dice.uniform(0.0, FAULT_EVERY_S / 2)
        length_s = dice.choice(_LENGTHS_S)
        faults.append(Fault(number, dice.choice(cells), at_s, length_s, dice.getrandbits(32)))
    return attrs.evolve(
        plan_of(seed),
        games=2,
        calendar=CALENDAR,
        settings=SETTINGS,
        rates={family: 60.0 / FAULT_EVERY_S / len(FAMILIES) for family in FAMILIES},
        faults=tuple(faults),
        faulty_s=hours * S_PER_HOUR,
    )


def judge(hours: Sequence[Hour]) -> list[str]:
    """Say what of I16 does not hold: what has grown although nothing asked for it."""
    found = []
    if len({hour.life for hour in hours}) > 1:
        found.append("I16: the engine was started again, so that nothing could grow")
    for hour in hours:
        if hour.ledger_bytes > ORDER_BYTES_MAX * max(hour.orders, 100):
            found.append(f"I16: the ledger has over {ORDER_BYTES_MAX} bytes an order: {hour}")
            break
    found += [
        f"I16: {hour.connections} connections stand, at most {CONNECTIONS_MAX} are used: {hour}"
        for hour in hours
        if hour.connections > CONNECTIONS_MAX
    ][:1]
    if len(hours) >= WEIGHED_MIN:
        quarter = len(hours) // 4
        early = max(hours[quarter : 2 * quarter], key=lambda hour: hour.rest_bytes)
        late = max(hours[-quarter:], key=lambda hour: hour.rest_bytes)
        if late.rest_bytes > GROWTH_MAX * early.rest_bytes:
            found.append(f"I16: what is in no ring has grown: {_grown(early, late)}")
    return found


def _grown(early: Hour, late: Hour) -> str:
    most = (late.by_place - early.by_place).most_common(NAMED_MAX)
    return ", ".join(
        f"{place} by {more:,} to {late.by_place[place]:,} bytes" for place, more in most
    )
