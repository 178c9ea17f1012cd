"""The true chance of the home team: small steps all the time, a jump now and then."""

from __future__ import annotations

import math
import random

import attrs

from arb.sim.timing import MS_PER_S

# A pre-game moneyline seldom leaves this band, and beyond it a cent is a large part of the odds.
LOWEST = 0.12
HIGHEST = 0.88

_FIRST_LOWEST = 0.28
_FIRST_HIGHEST = 0.72
_JUMP_LOWEST = 0.04
_JUMP_HIGHEST = 0.12
# The standard deviation of small steps after one second, of the order of a book's own rounding.
_DRIFT_PER_ROOT_S = 0.0012


@attrs.define
class HomeChance:
    """One game's true home chance."""

    value: float

    @classmethod
    def drawn(cls, rng: random.Random) -> HomeChance:
        """Return a chance for a game that is neither lopsided nor always even."""
        return cls(rng.uniform(_FIRST_LOWEST, _FIRST_HIGHEST))

    def drift(self, rng: random.Random, elapsed_ms: float) -> None:
        """Take the small steps of so much time."""
        sigma = _DRIFT_PER_ROOT_S * math.sqrt(elapsed_ms / MS_PER_S)
        self.value = _bounded(self.value + rng.gauss(0.0, sigma))

    def jump(self, rng: random.Random) -> None:
        """Move by 4 to 12 cents, more likely back towards even than away from it."""
        size = rng.uniform(_JUMP_LOWEST, _JUMP_HIGHEST)
        upwards = rng.random() > self.value
        self.value = _bounded(self.value + (size if upwards else -size))


def _bounded(value: float) -> float:
    return min(max(value, LOWEST), HIGHEST)
