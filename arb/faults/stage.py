"""Everything that a fault may lay its hands on, and what one fault is."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from random import Random
from typing import Any

import attrs
import trio

from actors import ActorError
from arb.engine.control_requests import SteeringError
from arb.faults.clock import MachineClock, true_s
from arb.faults.disk import SimDisk
from arb.faults.judge_orders import Stops
from arb.faults.machine import Machine
from arb.faults.saboteur import ANY_MARKET, Saboteur
from arb.faults.trace import Trace
from arb.faults.wires import Wires
from arb.settings import Settings
from arb.sim.conditions import ExchangeConditions, OddsConditions
from arb.sim.simulation import Simulation
from arb.sim.world.games import Game

Heal = Callable[[], None]
Struck = Callable[["Stage", str], int]

# What every record of a halt has in its bytes, and no other record.
HALT_RECORD = b'"k":"halt"'

# A person who finds no engine tries again.
INSIST_EVERY_S = 0.25

# As long as the console waits for an answer.
PATIENCE_S = 12.0


@attrs.define(eq=False)
class Stage:
    """One simulation's world and machine, as faults and people act on them.

    ``met`` counts what faults that act at once have found to act on, by names of their own.
    """

    simulation: Simulation
    settings: Settings
    machine: Machine
    trace: Trace
    stops: Stops
    nursery: trio.Nursery
    on_listed: Callable[[Game], None]
    is_asking: bool = False
    met: Counter[str] = attrs.field(factory=Counter)
    _wishes: deque[tuple[str, dict[str, Any], bool]] = attrs.field(factory=deque)
    _wished: trio.Event = attrs.field(factory=trio.Event)

    @property
    def wires(self) -> Wires:
        """Return the machine's network."""
        return self.machine.wires

    @property
    def disk(self) -> SimDisk:
        """Return the machine's disk."""
        return self.machine.disk

    @property
    def clock(self) -> MachineClock:
        """Return the machine's clock."""
        return self.machine.clock

    @property
    def saboteur(self) -> Saboteur:
        """Return who does things to actors."""
        return self.machine.saboteur

    @property
    def exchange(self) -> ExchangeConditions:
        """Return the switches of the simulated exchange."""
        return self.simulation.exchange_conditions

    @property
    def odds(self) -> OddsConditions:
        """Return the switches of the simulated odds provider."""
        return self.simulation.odds_conditions

    def tickers(self) -> list[str]:
        """Return every market of the world."""
        return [
            ticker
            for fixture in self.simulation.world.fixtures.values()
            for ticker in (fixture.game.home_ticker, fixture.game.away_ticker)
        ]

    def list_game(self) -> None:
        """Let one more game be listed, on the exchange and with every sportsbook."""
        self.on_listed(self.simulation.list_another())

    def actor(self, component: str, dice: Random) -> str:
        """Return the name of an actor; of the markets, any."""
        return dice.choice(self.tickers()) if component == "market" else component

    @property
    def is_asked_out(self) -> bool:
        """Tell whether a person wants nothing more."""
        return not self._wishes and not self.is_asking

    def steer(self, verb: str, **arguments: Any) -> None:
        """Let a person ask something of the engine, as the console does, once."""
        self._wishes.append((verb, arguments, False))
        self._wished.set()

    def insist(self, verb: str, **arguments: Any) -> None:
        """Let a person ask until an engine is up to hear it."""
        self._wishes.append((verb, arguments, True))
        self._wished.set()

    async def person(self) -> None:
        """Ask what is wished, one thing after the other; what must be done is asked again."""
        while True:
            while self._wishes:
                self.is_asking = True
                verb, arguments, insisting = self._wishes.popleft()
                done = await self.ask(verb, arguments)
                if done and not insisting:
                    self.met[self._wish(verb, arguments)] += 1
                if insisting and not done:
                    # Behind the others: it may be one of them that it waits for.
                    self._wishes.append((verb, arguments, True))
                    await trio.sleep(INSIST_EVERY_S)
            self.is_asking = False
            self._wished = trio.Event()
            await self._wished.wait()

    def _wish(self, verb: str, arguments: dict[str, Any]) -> str:
        name = arguments.get("name")
        return wish_of(verb, ANY_MARKET if name in self.tickers() else name)

    async def ask(self, verb: str, arguments: dict[str, Any]) -> bool:
        """Let a person ask something of the engine; returns whether it was done."""
        engine = self.machine.engine
        said = "no answer"
        await trio.lowlevel.checkpoint()
        if engine is None:
            return False
        try:
            with trio.move_on_after(PATIENCE_S):
                said = await engine.steering.steer(verb, arguments)
        except (ActorError, SteeringError) as error:
            self.trace.note("person", f"{verb} {arguments}: {error}")
            # What need not be done any more has been done; the actor of a market that has ended
            # is gone with whatever was done to it.
            needless = ("nothing is", "not quarantined", "no actor is named")
            return any(words in str(error) for words in needless)
        if engine is not self.machine.engine:
            # It was killed in the midst of it; who knows what of it came to pass.
            return False
        self.trace.note("person", f"{verb} {arguments}: {said}")
        self._heed(verb)
        return True

    def _heed(self, verb: str) -> None:
        """Note what a person has forbidden or allowed."""
        now_s = true_s()
        if verb in ("pause", "reduce", "flatten"):
            self.stops.paused_s = now_s
        elif verb == "resume":
            self.stops.paused_s = None
        elif verb == "halt":
            self.stops.halted_s = now_s
            process = self.machine.process
            # Who was told that trading is halted must find it halted after a loss of power.
            kept = HALT_RECORD not in self.disk.kernel[self.disk.durable :]
            if process is not None and not process.file.failed:
                self.trace.check("I13", kept, "a halt was acknowledged before it was on the disk")
        elif verb == "clear":
            self.stops.halted_s = None

    def heal(self) -> None:
        """Put everything right that a fault may have left behind."""
        for conditions in (self.exchange, self.odds):
            fresh = type(conditions)()
            for field in attrs.fields(type(conditions)):
                if field.init:
                    setattr(conditions, field.name, getattr(fresh, field.name))
        self.wires.heal()
        self.mend_disk()
        self.clock.correct()
        self.saboteur.forget()
        self.machine.kill_point = self.machine.power_point = None
        self.machine.sync_takes_s = 0.0
        # A clear that could not be written down leaves the halt before it standing.
        self.insist("clear", reason="everything is healed")
        self.insist("resume")

    def mend_disk(self) -> None:
        """Make room on the disk; an engine whose journal has failed is then started again."""
        self.disk.repair()
        process = self.machine.process
        if process is not None and process.file.failed:
            self.machine.signal()

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Do something after a while."""

        async def wait() -> None:
            await trio.sleep(seconds)
            do()

        self.nursery.start_soon(wait)


def wish_of(verb: str, name: str | None) -> str:
    """Return by which name `Stage.met` counts what a person has asked for and got."""
    return verb if name is None else f"{verb} {name}"


@attrs.frozen
class Kind:
    """One kind of fault; ``apply`` switches it on at a component and returns what ends it.

    ``struck`` says how often faults of its means have changed anything at a component since the run
    began; one without strikes whenever it is applied. The components that stand ``apart`` are drawn
    with dice of their own, so that the plans of old seeds stay what they were; the ``rare`` ones,
    which came later, with further dice and in few runs, so that those of nearly all seeds do.
    """

    name: str
    family: str
    components: tuple[str, ...]
    apply: Callable[[Stage, str, Random], Heal | None]
    struck: Struck | None = None
    apart: tuple[str, ...] = ()
    rare: tuple[str, ...] = ()

    @property
    def cells(self) -> tuple[str, ...]:
        """Return the names of its cells."""
        components = (*self.components, *self.apart, *self.rare)
        return tuple(f"{self.name}@{each}" for each in components)
