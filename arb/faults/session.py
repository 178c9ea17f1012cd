"""One seed, simulated: the engine under its faults, then healed, then stopped, always judged.

Two modes, as TigerBeetle's: while faults come, nothing may ever be wrong (safety); when they have
been healed, the engine must find its way back and trade (liveness).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from functools import partial
from random import Random

import attrs
import trio
from cryptography.hazmat.primitives.asymmetric import ed25519
from trio.testing import MockClock

from actors.testing import seeded_schedule
from arb.faults.catalogue import kind_of
from arb.faults.clock import MachineClock, TrueClock, fall_asleep, true_s
from arb.faults.disk import SimDisk, SimFile
from arb.faults.engine import EXCHANGE, ODDS, OpenedEngine, Seams, venues_of
from arb.faults.liveness import Liveness
from arb.faults.machine import Machine
from arb.faults.oracle import Oracle
from arb.faults.plan import Fault, Plan, purse_of, tier_of
from arb.faults.saboteur import Saboteur
from arb.faults.stage import Heal, Stage
from arb.faults.trace import Trace, Violation
from arb.faults.visitors import Visitors, visitors_apart
from arb.faults.watch import Watch
from arb.faults.wire_connection import WiredConnection
from arb.faults.wires import Plug, Wires
from arb.faults.wiring import WiredTree, by_port, on_lanes
from arb.io.groups import innermost
from arb.io.memory import MemoryNetwork
from arb.io.teams_file import packaged_teams
from arb.io.text import one_line
from arb.kalshi.sign import Signer
from arb.sim.simulation import Simulation, SimulationSettings

# A Sunday noon in season, so that the four leagues play.
EPOCH_MS = 1_795_343_226_907

# How often the judges look at what no event tells, and how often the console takes a picture.
STEP_S = 0.5

# Of so many of its connections a machine that wakes up never hears anything again.
GIVEN_UP_SHARE = 1 / 2

# In so many runs the engine's log cannot be passed on from some moment on.
DEAF_SHARE = 1 / 4

# A run that has come to no end so long after its faults goes round in circles.
HEALED_MAX_S = 600.0

# What lives beside a run: it may act on the stage, and is ended with the run.
Beside = Callable[[Stage, Oracle], Awaitable[None]]

# The exchange takes either kind; an Ed25519 signature costs a twentieth of an RSA one.
_KEY = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_TEAMS = packaged_teams()


@attrs.frozen
class Outcome:
    """What came of one seed."""

    seed: int
    violations: tuple[Violation, ...]
    violated: int
    events: int = 0
    messages: int = 0
    orders: int = 0
    fills: int = 0
    pictures: int = 0
    lives: int = 0
    virtual_s: float = 0.0
    digest: str = ""
    sometimes: dict[str, int] = attrs.field(factory=dict)
    cells: dict[str, int] = attrs.field(factory=dict)
    tail: tuple[str, ...] = ()
    strikes: dict[str, int] = attrs.field(factory=dict)

    @classmethod
    def of_error(cls, seed: int, error: Exception) -> Outcome:
        """Return what came of a seed whose run broke off: the harness itself has failed."""
        first = innermost(error)
        text = f"the run broke off: {type(first).__name__}: {one_line(str(first))}"
        return cls(seed, (Violation("harness", 0.0, text),), violated=1)

    @property
    def failed(self) -> bool:
        """Tell whether any rule did not hold."""
        return self.violated > 0


def simulate(
    plan: Plan,
    *,
    on_line: Callable[[str], None] | None = None,
    until: int | None = None,
    visitors: bool = False,
    on_watch: Callable[[Watch], None] | None = None,
    beside: Beside | None = None,
) -> Outcome:
    """Run one seed's plan in virtual time; the same plan gives the same outcome, everywhere.

    So it does with ``visitors`` at the engine's control socket, who stall, send rubbish and die.
    ``on_watch`` is handed what sees the engine as the console does, before anything happens, and
    ``beside`` runs along with the faults until the run ends.
    """
    clock = MockClock(autojump_threshold=0)
    session = Session(plan, Trace(on_line, until), clock, visitors=visitors, beside=beside)
    if on_watch is not None:
        on_watch(session.watch)
    apart = visitors_apart(plan.seed) if visitors else nullcontext()
    with seeded_schedule(plan.seed), apart:
        return trio.run(session.run, clock=clock)


class Session:
    """One run."""

    def __init__(
        self,
        plan: Plan,
        trace: Trace,
        mock_clock: MockClock,
        *,
        visitors: bool = False,
        beside: Beside | None = None,
    ) -> None:
        self._plan = plan
        self._trace = trace
        self._jump = mock_clock.jump
        self._dice = Random(f"{plan.seed}/run")
        self._asleep = Random(f"{plan.seed}/asleep")
        self.watch = Watch(trace, self._present)
        self._beside = beside
        self._open: list[Heal] = []
        self._healed = False
        self._visitors = Visitors(plan.seed, self._present) if visitors else None

    async def run(self) -> Outcome:
        """Run to the end, and say what came of it."""
        true = TrueClock(EPOCH_MS)
        plan = self._plan
        world = SimulationSettings(
            seed=plan.seed,
            games=plan.games,
            speed=plan.speed,
            calendar=plan.calendar,
            tier=tier_of(plan.seed),
            cash_e6=purse_of(plan.seed, plan.settings),
        )
        self._simulation = Simulation(world, true)
        self._oracle = Oracle(self._simulation, plan.settings, self._trace)
        with trio.move_on_after(plan.faulty_s + HEALED_MAX_S) as limit:
            async with trio.open_nursery() as nursery:
                self._trace.on_until = nursery.cancel_scope.cancel
                self._machine = self._build_machine(nursery, true)
                self._oracle.machine = self._machine
                if self._visitors is not None:
                    self._visitors.start(nursery)
                await self._play(nursery)
                nursery.cancel_scope.cancel()
        text = f"no end within {HEALED_MAX_S:g} s of its faults"
        self._trace.check("L4", not limit.cancelled_caught, text)
        return self._outcome()

    def _build_machine(self, nursery: trio.Nursery, true: TrueClock) -> Machine:
        simulation = self._simulation
        network = MemoryNetwork(nursery)
        network.listen(*EXCHANGE, simulation.exchange.serve_stream)
        network.listen(*ODDS, simulation.odds.serve_stream)
        key_id = simulation.admit(_KEY.public_key())
        machine = Machine(
            seams=partial(self._seams, key_id),
            wires=Wires(network, self._oracle),
            disk=SimDisk(),
            clock=MachineClock(true),
            saboteur=Saboteur(self._stand_still, self._sleep, frozenset(_tickers(simulation))),
            trace=self._trace,
            on_write=self._oracle.written,
        )
        # Dice of their own, and nothing else may come of it: the run is the same all the same.
        terminal = Random(f"{self._plan.seed}/terminal")
        if terminal.random() < DEAF_SHARE:
            machine.deaf_from_s = terminal.uniform(0, self._plan.faulty_s)
        machine.on_start = self._oracle.started
        machine.on_trading_ended = self._oracle.trading_ended
        machine.on_power_loss = self._oracle.journal.found_after_loss
        return machine

    def _seams(self, key_id: str, plug: Plug, file: SimFile, life: int) -> Seams:
        machine, share = self._machine, self._plan.queued_share
        queued = Random(f"{self._plan.seed}/{life}/queued")
        return Seams(
            venues=venues_of(self._simulation, key_id),
            network=plug.to(by_port),
            clock=machine.clock,
            signer=Signer(key_id, "ed25519", _KEY.sign),
            settings=self._plan.settings,
            teams=_TEAMS,
            file=file,
            rng=Random(f"{self._plan.seed}/{life}/engine"),
            on_log=machine.hear_log,
            on_event=machine.hear_tree,
            choose_direct=(lambda: queued.random() >= share) if share else None,
            offloads=machine.offloads(),
            snapshots=file,
            tree=WiredTree,
            change_tree=machine.saboteur.wrap,
            change_connections=on_lanes,
        )

    # ------------------------------------------------------------------ its course

    async def _play(self, nursery: trio.Nursery) -> None:
        nursery.start_soon(self._turn_world)
        nursery.start_soon(self._machine.run)
        nursery.start_soon(self._look)
        stage = Stage(
            self._simulation,
            self._plan.settings,
            self._machine,
            self._trace,
            self._oracle.orders.stops,
            nursery,
            self._oracle.orders.listed,
        )
        nursery.start_soon(stage.person)
        if self._beside is not None:
            nursery.start_soon(self._beside, stage, self._oracle)
        for fault in self._plan.faults:
            nursery.start_soon(self._befall, stage, fault)
        await trio.sleep(self._plan.faulty_s)
        self._heal(stage)
        # Dice of their own: whatever else old seeds draw stays what it was.
        endings = Random(f"{self._plan.seed}/ending")
        await Liveness(stage, self._oracle, self._dice, endings).run()

    def _present(self) -> OpenedEngine | None:
        return self._machine.engine

    def _stand_still(self, seconds: float) -> None:
        """Let time pass while the whole process stands still."""
        self._jump(seconds)
        self._oracle.orders.stood_still_s = true_s()

    def _sleep(self, seconds: float) -> None:
        """Let time pass while the machine sleeps, of which no timer of the process sees anything.

        Some servers have given it up meanwhile, and what they say of that never arrives.
        """
        self._trace.note("fault", f"the machine slept for {seconds:.1f} s")
        fall_asleep(seconds)
        self._oracle.orders.stood_still_s = true_s()
        for wire in self._machine.wires.wires.values():
            if self._asleep.random() < GIVEN_UP_SHARE:
                wire.each(WiredConnection.lose_peer)

    async def _turn_world(self) -> None:
        last_s = true_s()
        while True:
            await trio.sleep(self._plan.step_s)
            now_s = true_s()
            self._simulation.step(now_s - last_s)
            last_s = now_s

    async def _look(self) -> None:
        while True:
            await trio.sleep(STEP_S)
            self._oracle.step()
            self.watch.look()

    async def _befall(self, stage: Stage, fault: Fault) -> None:
        await trio.sleep(fault.at_s)
        if self._healed:
            # A machine that stood still woke up after its time.
            return
        kind, component = kind_of(fault.cell)
        self._trace.note("fault", f"{fault} begins")
        self._trace.cells[fault.cell] += 1
        heal = kind.apply(stage, component, Random(fault.seed))
        if heal is None:
            return
        self._open.append(heal)
        await trio.sleep(min(fault.length_s, self._plan.faulty_s - fault.at_s - 0.01))
        if heal in self._open:
            self._open.remove(heal)
            heal()
            self._trace.note("fault", f"{fault} ends")

    def _heal(self, stage: Stage) -> None:
        """End every fault that still lasts."""
        self._trace.note("fault", "all healed")
        self._healed = True
        for heal in self._open:
            heal()
        self._open.clear()
        stage.heal()
        self._count_strikes(stage)

    def _count_strikes(self, stage: Stage) -> None:
        """Count what each fault that began has met; two of the same means share what they met."""
        for cell, times in self._trace.cells.items():
            kind, component = kind_of(cell)
            met = times if kind.struck is None else kind.struck(stage, component)
            if met:
                self._trace.strikes[cell] = met

    def _outcome(self) -> Outcome:
        trace, judged = self._trace, self._oracle
        return Outcome(
            self._plan.seed,
            tuple(trace.violations),
            trace.violated,
            trace.events,
            judged.orders.books.messages + judged.orders.odds.frames + judged.exchange.fills,
            len(judged.orders.created),
            judged.exchange.fills,
            self.watch.pictures,
            self._machine.lives,
            trio.current_time(),
            trace.digest,
            dict(sorted(trace.sometimes.items())),
            dict(sorted(trace.cells.items())),
            tuple(trace.tail[-25:]),
            dict(sorted(trace.strikes.items())),
        )

    def __repr__(self) -> str:
        return f"<Session of seed {self._plan.seed}, {self._trace!r}>"


def _tickers(simulation: Simulation) -> list[str]:
    return [
        ticker
        for fixture in simulation.world.fixtures.values()
        for ticker in (fixture.game.home_ticker, fixture.game.away_ticker)
    ]
