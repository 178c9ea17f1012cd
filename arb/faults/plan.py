"""What a seed means: the settings, the world, the fault rates, and when which fault comes.

Everything is drawn before the run begins, so that leaving one fault out changes no other: that is
how a failure is shrunk.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from random import Random

import attrs

from arb.core.exit_parameters import Exits
from arb.core.parameters import EXITS_CANCEL, EXITS_KEEP, Execution, Risk, Sizing, Strategy
from arb.faults.catalogue import (
    FAMILIES,
    KINDS,
    UnknownFault,
    cells_apart,
    cells_rare,
    kind_of,
)
from arb.settings import Settings
from arb.settings.sections import FSYNC_ORDER, FSYNC_SECOND, Engine
from arb.sim.exchange.tiers import ADVANCED, BASIC, Tier
from arb.sim.world.games import Calendar

# The part of a run in which faults come; as long as some 250 messages of the feeds take.
FAULTY_S = 16.0

# More in one run hide each other: the engine would be down all the time.
FAULTS_MAX = 10

# A family takes part with this chance, and each of its kinds with this one: swarm testing. Runs
# that leave most things well reach further than runs in which everything is broken at once.
FAMILY_SHARE = 0.6
KIND_SHARE = 0.5

# So many runs have one more fault, of the cells whose dice are their own.
APART_SHARE = 1 / 4

# And so many yet another, of the rare ones.
RARE_SHARE = 1 / 16

_LENGTHS_S = (0.05, 0.5, 2.0, 5.0)

# Stands where faults are written and there are none: nothing at all means whatever the seed draws.
NO_FAULTS = "none"

# Some requests come once or twice in a run: faults that leave hardly a gap, from the start on,
# meet them wherever they come.
PATIENT_AT_S = (0.0, 5.5, 11.0)
PATIENT_S = 5.0

# What an account may hold; with the last two it pays for an order or two at a time.
PURSES_E6 = (10_000_000_000, 10_000_000_000, 10_000_000_000, 3_000_000, 7_000_000)

# No tier of the exchange's: with so few tokens to write an engine that is busy comes to their end.
MEAGRE = Tier("basic", 200, 60, 200, 60, 1)


@attrs.frozen
class Fault:
    """One fault of one run: its number, its cell, when it comes and for how long."""

    number: int
    cell: str
    at_s: float
    length_s: float
    seed: int

    def __str__(self) -> str:
        """Say it in one line."""
        return f"#{self.number} {self.cell} at {self.at_s:.2f} s for {self.length_s:g} s"

    @property
    def text(self) -> str:
        """Write it so that `fault_of` reads the same fault again."""
        return f"{self.cell}:{self.at_s!r}:{self.length_s!r}:{self.seed}".replace(" ", "_")


def fault_of(number: int, text: str) -> Fault:
    """Read what `Fault.text` wrote; raises `UnknownFault`."""
    try:
        cell, at_s, length_s, seed = text.replace("_", " ").rsplit(":", 3)
        kind_of(cell)
        return Fault(number, cell, float(at_s), float(length_s), int(seed))
    except (KeyError, ValueError) as error:
        raise UnknownFault(f"{text!r} is no fault: cell:seconds:length:seed expected") from error


@attrs.frozen
class Plan:
    """Everything that a seed decides."""

    seed: int
    games: int
    speed: float
    step_s: float
    queued_share: float
    settings: Settings
    rates: dict[str, float]
    faults: tuple[Fault, ...]
    faulty_s: float = FAULTY_S
    calendar: Calendar = attrs.field(factory=Calendar)

    def only(self, cells: Collection[str]) -> Plan:
        """Return the same plan with the faults of some cells alone."""
        return attrs.evolve(self, faults=tuple(f for f in self.faults if f.cell in cells))

    def exactly(self, texts: Collection[str]) -> Plan:
        """Return the same world with these faults, as `texts` writes them."""
        written = () if tuple(texts) == (NO_FAULTS,) else texts
        faults = (fault_of(number, text) for number, text in enumerate(written, start=1))
        return attrs.evolve(self, faults=tuple(faults))

    @property
    def texts(self) -> tuple[str, ...]:
        """Write the faults so that `exactly` reads the same ones again."""
        return tuple(fault.text for fault in self.faults) or (NO_FAULTS,)

    def keep(self, numbers: Collection[int]) -> Plan:
        """Return the same plan with some of its faults alone."""
        return attrs.evolve(self, faults=tuple(f for f in self.faults if f.number in numbers))

    @property
    def words(self) -> str:
        """Say the fault rates in one line, in faults a minute."""
        shown = ", ".join(f"{name} {rate:.1f}" for name, rate in self.rates.items() if rate)
        return f"{shown or 'no faults'} (a minute)"


def plan_of(seed: int) -> Plan:
    """Draw everything that a seed decides."""
    dice = Random(f"{seed}/plan")
    kinds = {
        family: [
            kind
            for kind in KINDS
            if kind.family == family and kind.components and dice.random() < KIND_SHARE
        ]
        for family in FAMILIES
    }
    counts = {
        family: dice.choice((1, 1, 2, 2, 3, 4)) if some and dice.random() < FAMILY_SHARE else 0
        for family, some in kinds.items()
    }
    names = [family for family, count in counts.items() for _ in range(count)]
    dice.shuffle(names)
    faults = []
    for number, family in enumerate(names[:FAULTS_MAX], start=1):
        kind = dice.choice(kinds[family])
        cell = f"{kind.name}@{dice.choice(kind.components)}"
        faults.append(_fault(number, cell, dice))
    faults += _faults_apart(seed, len(faults) + 1)
    faults += _faults_rare(seed, len(faults) + 1)
    taken = [kind_of(fault.cell)[0].family for fault in faults]
    rates = {family: taken.count(family) * 60.0 / FAULTY_S for family in FAMILIES}
    return Plan(seed, *_world(seed), _settings(seed), rates, tuple(faults))


def plan_of_cell(cell: str, seed: int, *, patient: bool = False) -> Plan:
    """Plan a run in which one fault alone comes, three times; ``patient`` ones wait for longer."""
    dice = Random(f"{seed}/{cell}")
    thirds = (2.0, 6.0, 10.0)
    faults = tuple(
        attrs.evolve(_fault(number, cell, dice), at_s=at_s + dice.random())
        for number, at_s in enumerate(thirds, start=1)
    )
    if patient:
        faults = tuple(
            attrs.evolve(fault, at_s=at_s, length_s=PATIENT_S)
            for fault, at_s in zip(faults, PATIENT_AT_S, strict=True)
        )
    family = kind_of(cell)[0].family
    rates = {family: len(faults) * 60.0 / FAULTY_S}
    return Plan(seed, *_world(seed), _settings(seed), rates, faults)


def _faults_apart(seed: int, number: int) -> Iterator[Fault]:
    dice = Random(f"{seed}/apart")
    if number <= FAULTS_MAX and dice.random() < APART_SHARE:
        yield _fault(number, dice.choice(cells_apart()), dice)


def _faults_rare(seed: int, number: int) -> Iterator[Fault]:
    dice = Random(f"{seed}/rare")
    if number <= FAULTS_MAX and dice.random() < RARE_SHARE:
        yield _fault(number, dice.choice(cells_rare()), dice)


def _fault(number: int, cell: str, dice: Random) -> Fault:
    # Early ones meet the engine while it starts.
    at_s = dice.uniform(0.0, FAULTY_S - 2.0)
    length_s = dice.choice(_LENGTHS_S)
    return Fault(number, cell, at_s, length_s, dice.getrandbits(32))


def _world(seed: int) -> tuple[int, float, float, float]:
    # Dice of its own: a new kind of fault must not change the worlds of old failures.
    dice = Random(f"{seed}/world")
    games = dice.choice((1, 1, 2))
    speed = dice.choice((1.0, 2.0, 3.0))
    step_s = dice.choice((0.1, 0.2, 0.25))
    queued_share = dice.choice((0.0, 0.0, 0.1, 0.5))
    return games, speed, step_s, queued_share


def tier_of(seed: int) -> Tier:
    """Draw how many requests the exchange grants; dice of its own, as for the world."""
    return Random(f"{seed}/tier").choice((ADVANCED, BASIC, MEAGRE))


def purse_of(seed: int, settings: Settings) -> int:
    """Draw how much money the account has; of little of it Kelly would stake nothing at all."""
    drawn_e6 = Random(f"{seed}/purse").choice(PURSES_E6)
    return PURSES_E6[0] if settings.strategy.sizing == Sizing.KELLY else drawn_e6


def _settings(seed: int) -> Settings:
    """Draw settings under which every way of trading is gone, and limits are reached."""
    dice = Random(f"{seed}/settings")
    takes = dice.random() < 1 / 2
    strategy = Strategy() if takes else Strategy(taker_edge_threshold=60, min_edge_after_fees=0)
    # Dice of their own, here and below: the other settings of old failures stay what they were.
    sizing = Random(f"{seed}/sizing").choice((Sizing.FIXED, Sizing.FIXED, Sizing.KELLY))
    strategy = attrs.evolve(strategy, sizing=sizing.value)
    per_order = dice.choice((2, 5))
    limits = Random(f"{seed}/limits")
    risk = Risk(
        max_contracts_per_market=per_order * dice.choice((1, 2, 4)),
        max_total_exposure_cents=dice.choice((400, 1_500, 50_000)),
        max_game_exposure_cents=limits.choice((350, 700, 1_500, 50_000)),
        max_concurrent_markets=dice.choice((1, 2, 5)),
        max_daily_loss_cents=limits.choice((10, 40, 10_000, 10_000, 10_000)),
        max_orders_per_second=limits.choice((1, 2, 10, 10)),
        max_consecutive_refusals=limits.choice((1, 3, 10, 10)),
    )
    execution = Execution(
        contracts_per_order=per_order,
        maker_timeout_ms=dice.choice((500, 2_000, 8_000)),
        reconcile_interval_ms=dice.choice((5_000, 30_000)),
        request_timeout_ms=dice.choice((500, 2_000)),
        exits_at_stop=dice.choice((EXITS_KEEP, EXITS_CANCEL)),
        exit_expiry_s=Random(f"{seed}/expiry").choice((60, 21_600)),
        stale_odds_threshold_ms=Random(f"{seed}/staleness").choice((500, 5_000)),
        book_confirm_ms=Random(f"{seed}/confirming").choice((5_000, 60_000, 60_000)),
    )
    engine = Engine(fsync=Random(f"{seed}/fsync").choice((FSYNC_ORDER, FSYNC_SECOND, FSYNC_SECOND)))
    return Settings(
        strategy=strategy, risk=risk, execution=execution, exits=_exits(seed), engine=engine
    )


def _exits(seed: int) -> Exits:
    """Draw what exits ask for and when they cross; most runs wait for fair value."""
    dice = Random(f"{seed}/exits")
    return Exits(
        exit_break_even=dice.choice((False, False, True)),
        exit_follow_down=dice.choice((True, True, False)),
        exit_after_s=dice.choice((0, 0, 0, 2, 10)),
        exit_stop=dice.choice((0, 0, 0, 2)),
        flatten_step=dice.choice((0, 3, 3)),
    )
