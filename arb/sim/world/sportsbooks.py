"""Sportsbooks: each follows the true chance with its own delay, margin and noise."""

from __future__ import annotations

import random
from collections import deque

import attrs

# A book looks again once the chance moved by this much since it last looked.
_NOTICED = 0.002


@attrs.frozen
class Bookmaker:
    """How one sportsbook behaves: delays in milliseconds, margin and noise as shares of one."""

    name: str
    delay_lowest_ms: float
    delay_highest_ms: float
    margin: float
    noise: float
    decimals: int = 2


# Margins as measured on 980 snapshots of real games (4.2 to 4.9 %), Pinnacle's from its
# reputation; delays short enough that Kalshi's makers come after most of them.
BOOKMAKERS: tuple[Bookmaker, ...] = (
    Bookmaker("Pinnacle", 60, 250, 0.035, 0.001, decimals=3),
    Bookmaker("FanDuel", 120, 450, 0.0415, 0.002),
    Bookmaker("DraftKings", 150, 600, 0.049, 0.002),
    Bookmaker("BetMGM", 250, 900, 0.0456, 0.0025),
    Bookmaker("Caesars", 250, 1_000, 0.046, 0.0025),
    Bookmaker("Bet365", 150, 700, 0.044, 0.002),
)


@attrs.frozen
class Line:
    """One book's price of one game as decimal odds, and when it was made (wall-clock)."""

    home: str
    away: str
    made_ms: int


@attrs.define
class Follower:
    """One book's view of one game.

    ``moments`` are world time (scaled by the speed), only the line's stamp is wall-clock time.
    """

    bookmaker: Bookmaker
    belief: float
    bias: float
    line: Line
    _seen: float
    _coming: deque[tuple[float, float]] = attrs.field(factory=deque)

    @classmethod
    def opened(
        cls, bookmaker: Bookmaker, chance: float, rng: random.Random, wall_ms: int
    ) -> Follower:
        """Return a book that has just put up its first line."""
        bias = rng.gauss(0.0, bookmaker.noise)
        line = _line(bookmaker, chance + bias, wall_ms)
        return cls(bookmaker, chance, bias, line, chance)

    def step(self, chance: float, moment_ms: float, rng: random.Random, wall_ms: int) -> bool:
        """Look at the true chance, act on an earlier look; return whether it re-quoted."""
        if abs(chance - self._seen) >= _NOTICED:
            self._seen = chance
            delay_ms = rng.uniform(self.bookmaker.delay_lowest_ms, self.bookmaker.delay_highest_ms)
            last_ms = self._coming[-1][0] if self._coming else 0.0
            self._coming.append((max(moment_ms + delay_ms, last_ms), chance))
        return self._act(moment_ms, rng, wall_ms)

    def _act(self, moment_ms: float, rng: random.Random, wall_ms: int) -> bool:
        acted = False
        while self._coming and self._coming[0][0] <= moment_ms:
            self.belief = self._coming.popleft()[1]
            acted = True
        if not acted:
            return False
        self.bias = 0.9 * self.bias + rng.gauss(0.0, self.bookmaker.noise * 0.4)
        line = _line(self.bookmaker, self.belief + self.bias, wall_ms)
        if (line.home, line.away) == (self.line.home, self.line.away):
            return False
        self.line = line
        return True


def _line(bookmaker: Bookmaker, home: float, wall_ms: int) -> Line:
    home = min(max(home, 0.02), 0.98)
    share = 1 + bookmaker.margin
    places = bookmaker.decimals
    return Line(
        f"{1 / (home * share):.{places}f}", f"{1 / ((1 - home) * share):.{places}f}", wall_ms
    )
