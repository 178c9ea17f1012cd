"""What the console remembers of past pictures: courses of prices and of messages a second."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import attrs

from arb.console.snapshot import Snapshot

SECOND_MS = 1_000
# Two minutes: what a person still has in mind, and the width of a wide panel.
POINTS_KEPT = 120


@attrs.frozen
class Point:
    """One market at one second; None where it was not known. ``fair`` is a chance."""

    fair: float | None
    bid_e4: int | None
    ask_e4: int | None


class History:
    """One point a second of every market in the picture, and of every actor's rate.

    What is gone from the picture is forgotten, so the memory is bounded by what the engine has.
    """

    def __init__(self) -> None:
        self._at_ms: int | None = None
        self._points: dict[str, deque[Point]] = {}
        self._rates: dict[str, deque[float | None]] = {}

    def __repr__(self) -> str:
        return f"<History of {len(self._points)} markets and {len(self._rates)} actors>"

    def observe(self, picture: Snapshot, rates: Mapping[str, float]) -> None:
        """Take a picture in, if a second has passed since the last that was taken."""
        if self._at_ms is not None and 0 <= picture.at_ms - self._at_ms < SECOND_MS:
            return
        self._at_ms = picture.at_ms
        self._points = {
            market.ticker: self._points.get(market.ticker, deque(maxlen=POINTS_KEPT))
            for market in picture.markets
        }
        for market in picture.markets:
            point = Point(market.fair, market.bid_e4, market.ask_e4)
            self._points[market.ticker].append(point)
        self._rates = {
            entry.path: self._rates.get(entry.path, deque(maxlen=POINTS_KEPT))
            for entry in picture.actors
        }
        for entry in picture.actors:
            self._rates[entry.path].append(rates.get(entry.path))

    def points(self, ticker: str) -> tuple[Point, ...]:
        """Return a market's course, the newest last."""
        return tuple(self._points.get(ticker, ()))

    def rates(self, path: str, count: int) -> tuple[float | None, ...]:
        """Return the last messages a second of an actor, the newest last."""
        return tuple(self._rates.get(path, ()))[-count:]
