"""What a faulty network does, and when: drawn from a seed, before anything is started."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from random import Random

import attrs

# Between two troubles the engine has time to come back, or not quite.
CALM_S = (0.6, 2.5)
TROUBLE_S = (0.3, 2.5)

# Swarm testing: a seed leaves out about every third kind, as runs in which everything is broken
# reach nothing.
KEPT_SHARE = 0.7

SECONDS_A_MINUTE = 60.0


class Line(StrEnum):
    """Which of the two ways out of the engine a trouble is on."""

    EXCHANGE = "exchange"
    ODDS = "odds"


class Trouble(StrEnum):
    """What can be wrong on a line, or with the engine's process, for a while or at once.

    Corruption sets the highest bit of one byte on its way to the engine. A price must not become
    another price, which without TLS nobody could tell from the truth; what comes is no text, no
    head and no length any more, and must lead to nothing but a lost connection or an error.
    """

    DELAY = "delay"
    THROTTLE = "throttle"
    SLICE = "slice"
    HOLE = "black hole"
    REFUSE = "refuse"
    RESET = "reset"
    HALF_CLOSE = "half close"
    CORRUPT = "corrupt"
    STOP = "stop the engine"


# How strong each is: seconds, bytes a second, bytes a piece. Delays beyond a request's deadline
# among them, and pieces of one byte.
STRENGTHS: dict[Trouble, tuple[float, ...]] = {
    Trouble.DELAY: (0.02, 0.1, 0.5, 2.0, 3.5),
    Trouble.THROTTLE: (1_000.0, 10_000.0, 100_000.0),
    Trouble.SLICE: (1.0, 3.0, 100.0),
}

# What is over at once, whatever the time until the next.
MOMENTARY = frozenset({Trouble.RESET, Trouble.HALF_CLOSE, Trouble.CORRUPT})


@attrs.frozen
class Disturbance:
    """One trouble: from when, for how long, on which line, on what part of its connections."""

    trouble: Trouble
    line: Line
    at_s: float
    for_s: float
    strength: float
    share: float

    def __str__(self) -> str:
        where = "" if self.trouble is Trouble.STOP else f" on {self.line}"
        strength = f" {self.strength:g}" if self.strength else ""
        return f"{self.at_s:.2f} s: {self.trouble}{where}{strength} for {self.for_s:.2f} s"


@attrs.frozen
class ProxyPlan:
    """Everything that a seed decides of one run."""

    seed: int
    seconds: float
    disturbances: tuple[Disturbance, ...]

    @property
    def words(self) -> str:
        """Return how often each trouble comes in a minute."""
        counts = dict.fromkeys(Trouble, 0)
        for each in self.disturbances:
            counts[each.trouble] += 1
        minutes = self.seconds / SECONDS_A_MINUTE
        rates = [f"{trouble} {count / minutes:.1f}" for trouble, count in counts.items() if count]
        return f"{', '.join(rates) or 'none'} a minute"


def proxy_plan(seed: int, seconds: float) -> ProxyPlan:
    """Return what happens in so many seconds; the last moment of a run is calm."""
    dice = Random(f"{seed}/proxy")
    kinds = [trouble for trouble in Trouble if dice.random() < KEPT_SHARE] or list(Trouble)
    return ProxyPlan(seed, seconds, tuple(_drawn(dice, kinds, seconds)))


def _drawn(dice: Random, kinds: list[Trouble], seconds: float) -> Iterator[Disturbance]:
    at_s = dice.uniform(*CALM_S)
    while at_s + TROUBLE_S[0] < seconds:
        for_s = min(dice.uniform(*TROUBLE_S), seconds - at_s)
        # At times two at once, on one line or on both.
        for trouble in dice.sample(kinds, min(len(kinds), dice.choice((1, 1, 2)))):
            strength = dice.choice(STRENGTHS.get(trouble, (0.0,)))
            share = dice.choice((0.5, 1.0))
            yield Disturbance(trouble, dice.choice(list(Line)), at_s, for_s, strength, share)
        at_s += for_s + dice.uniform(*CALM_S)
