"""A soak: the real engine on real sockets at a high rate, with faults in every minute.

At the end nothing moves any more, and the engine's books and ledger must be the exchange's.
"""

from __future__ import annotations

import resource
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

import attrs
import trio

from actors import System
from arb.engine.app import Engine, RunConfig
from arb.engine.board import LogLine
from arb.engine.ending import end_trading
from arb.engine.live import Venues
from arb.engine.parts import Parts
from arb.engine.stopping import StopRequest
from arb.io.teams_file import packaged_teams
from arb.settings import Mode, Settings
from arb.sim.simulation import SimulationSettings
from tools.soaking.compare import book_differences, ledger_differences, levels_compared
from tools.soaking.faults import FAULTS, inflict
from tools.soaking.remote import RemoteWorld, SoakFailed, remote_world

MIB = 1024 * 1024

# After the last fault there is so long to come back before the world is frozen, and so long after
# that until books and ledger must be equal: an order without an answer counts for at least 30 s.
RECOVERY_S = 20.0
SETTLING_S = 90.0
LOOK_EVERY_S = 0.5

# Between its warm-up and its end a run may grow by this: caches of texts fill, and a day's journal
# is kept in memory.
GROWTH_MAX = 0.10
GROWTH_MAX_BYTES = 8 * MIB
# Below this a run is over before its caches are full.
JUDGED_FROM_S = 240.0
WARM_SHARE = 0.3

# A second of the processor given to others is no fault of the engine's.
RATE_SHARE = 0.95


@attrs.frozen
class Plan:
    """How long, how fast and how often something goes wrong."""

    periods: int = 10
    period_s: float = 60.0
    rate_per_s: float = 2_000.0
    games: int = 8
    seed: int = 1
    recovery_s: float = RECOVERY_S


@attrs.define
class Outcome:
    """What a soak came to."""

    book_differences: list[str] = attrs.field(factory=list)
    ledger_differences: list[str] = attrs.field(factory=list)
    levels: int = 0
    orders: int = 0
    fills: int = 0
    state: str = ""
    faults: Counter[str] = attrs.field(factory=Counter)
    log: Counter[str] = attrs.field(factory=Counter)
    per_s: list[int] = attrs.field(factory=list)
    memory_bytes: list[int] = attrs.field(factory=list)
    settled_s: float = 0.0
    bad_input: dict[str, int] = attrs.field(factory=dict)
    violations: int = 0


class SoakedEngine(Engine):
    """The whole engine as a person runs it; only its world is another, and its end is judged."""

    def __init__(self, plan: Plan, config: RunConfig) -> None:
        super().__init__(config, StopRequest())
        self.outcome = Outcome()
        self._plan = plan
        self._world: RemoteWorld | None = None

    @asynccontextmanager
    async def _venues(self) -> AsyncIterator[Venues]:
        settings = SimulationSettings(
            seed=self._plan.seed,
            games=self._plan.games,
            book_changes_per_s=self._plan.rate_per_s,
        )
        async with remote_world(settings) as (world, venues):
            self._world = world
            yield venues

    async def _until_stop(self, system: System, parts: Parts) -> str:
        """Bring the faults, and compare once nothing moves any more."""
        world = self._world
        if world is None:
            raise SoakFailed("the engine trades without a world")
        plan, outcome = self._plan, self.outcome
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_sample, parts, outcome)
            await inflict(world, plan.period_s, plan.periods, outcome.faults)
            nursery.cancel_scope.cancel()
        await _until_running(parts, plan.recovery_s)
        account = parts.board.account
        outcome.state = str(account.state) if account is not None else "starting"
        await world.do("freeze")
        await end_trading(system, self._stop, parts.settings.execution.exits_at_stop)
        await self._compare(system, world)
        outcome.bad_input = {bad.reason: bad.count for bad in parts.board.bad.values()}
        outcome.violations = parts.board.counts["invariant_violations"]
        return "the soak is over"

    async def _compare(self, system: System, world: RemoteWorld) -> None:
        """Look until all is equal, or time is up and the differences stand."""
        outcome, began_s = self.outcome, trio.current_time()
        while True:
            truth = await world.do("truth")
            outcome.book_differences = book_differences(system, truth)
            outcome.ledger_differences = ledger_differences(system, truth)
            outcome.levels = levels_compared(truth)
            outcome.orders, outcome.fills = truth["orders"], truth["fills"]
            outcome.settled_s = trio.current_time() - began_s
            equal = not outcome.book_differences and not outcome.ledger_differences
            if equal or outcome.settled_s > SETTLING_S:
                return
            await trio.sleep(LOOK_EVERY_S)


async def soak(plan: Plan) -> Outcome:
    """Run one soak to its end; raises `SoakFailed`, or what the engine cannot start for."""
    with tempfile.TemporaryDirectory(prefix="arb-soak-") as folder:
        outcome_log: Counter[str] = Counter()

        def count(line: LogLine) -> None:
            outcome_log[line.level] += 1

        config = RunConfig(
            settings=Settings(),
            mode=Mode.SIM,
            teams=packaged_teams(),
            state_root=Path(folder),
            seed=plan.seed,
            on_log=count,
        )
        engine = SoakedEngine(plan, config)
        await engine.run()
        engine.outcome.log = outcome_log
        return engine.outcome


async def _sample(parts: Parts, outcome: Outcome) -> None:
    next_s, before = trio.current_time(), parts.board.counts["book_frames"]
    while True:
        next_s += 1.0
        await trio.sleep_until(next_s)
        frames = parts.board.counts["book_frames"]
        outcome.per_s.append(frames - before)
        before = frames
        outcome.memory_bytes.append(resident_bytes())


async def _until_running(parts: Parts, patience_s: float) -> None:
    with trio.move_on_after(patience_s):
        while parts.board.account is None or parts.board.account.state != "running":  # noqa: ASYNC110
            await trio.sleep(LOOK_EVERY_S)


def resident_bytes() -> int:
    """Return how much memory this process holds now, or held at most where that is all one gets."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return pages * resource.getpagesize()


def growth(outcome: Outcome) -> tuple[int, int]:
    """Return the memory after the warm-up and at the end, as medians of a tenth of the run."""
    samples = outcome.memory_bytes
    tenth = max(1, len(samples) // 10)
    warm = int(len(samples) * WARM_SHARE)
    return int(median(samples[warm : warm + tenth])), int(median(samples[-tenth:]))


def faults_found(plan: Plan, outcome: Outcome) -> list[str]:
    """Return what is wrong with a soak, in sentences; none is what it must come to."""
    found = [f"books: {each}" for each in outcome.book_differences]
    found += [f"ledger: {each}" for each in outcome.ledger_differences]
    if outcome.state != "running":
        found.append(f"trading had not come back: {outcome.state}")
    if outcome.violations:
        found.append(f"{outcome.violations} invariants were violated")
    if not outcome.fills:
        found.append("nothing was traded, so nothing was compared")
    missing = [fault.name for fault in FAULTS if outcome.faults[fault.name] < plan.periods]
    found += [f"{name} did not come in each period" for name in missing]
    if median(outcome.per_s) < plan.rate_per_s * RATE_SHARE:
        found.append(f"only {median(outcome.per_s):.0f} book messages a second")
    warm, end = growth(outcome)
    if plan.periods * plan.period_s >= JUDGED_FROM_S and end - warm > max(
        warm * GROWTH_MAX, GROWTH_MAX_BYTES
    ):
        found.append(f"memory grew from {warm / MIB:.1f} to {end / MIB:.1f} MiB")
    return found
