"""``arb faults replay``: one run, event by event, beside what the console shows of it."""

from __future__ import annotations

import math
import shutil

import attrs

from arb.cli.errors import EXIT_FAILED
from arb.cli.faults_said import (
    Faults,
    Only,
    Seed,
    plan_asked_for,
    show,
    tell_outcome,
    tell_plan,
)
from arb.console.snapshot import Snapshot
from arb.faults.session import simulate
from arb.faults.watch import Watch

# Where nobody says how wide a terminal is, or where there is none.
SIZE = (80, 24)


def replay(*, seed: Seed, only: Only = (), faults: Faults = None) -> int:
    """Go through a run event by event: Enter for the next, a number to go there, q to end.

    At each stop it prints what the console shows. Example: arb faults replay --seed 7
    """
    plan = plan_asked_for(seed, only, faults)
    tell_plan(plan)
    steps = Steps(shutil.get_terminal_size(SIZE).columns)
    outcome = simulate(plan, on_line=steps.line, on_watch=steps.begin)
    tell_outcome(outcome, plan, tail=False)
    return EXIT_FAILED if outcome.failed else 0


@attrs.define
class Steps:
    """Prints the events of a run as far as a person has asked for; time stands still meanwhile."""

    width: int
    wanted: float = 1
    ticker: str = ""
    watch: Watch | None = None

    def begin(self, watch: Watch) -> None:
        """Take what the console sees of the run that begins."""
        self.watch = watch

    def line(self, text: str) -> None:
        """Print one event; where a person wanted to stop, the picture too, and ask how far next."""
        if self.wanted == math.inf:
            return
        show(text)
        number = int(text.split(maxsplit=1)[0])
        if number >= self.wanted:
            self._picture(text)
            self.wanted = _next(number)

    def _picture(self, text: str) -> None:
        from arb.console.still import still

        if self.watch is None:
            return
        picture, link = self.watch.now()
        self.ticker = _ticker(picture, text) or self.ticker
        number, at_s = text.split(maxsplit=2)[:2]
        foot = f"at event {number}, {at_s} s"
        for line in still(picture, link, self.width, ticker=self.ticker, foot=foot):
            show(line)


def _ticker(picture: Snapshot | None, text: str) -> str:
    """Return the market that an event names, empty where it names none."""
    markets = picture.markets if picture is not None else ()
    return next((market.ticker for market in markets if market.ticker in text), "")


def _next(number: int) -> float:
    """Ask for the event to go to; without anybody to answer the rest goes by unseen."""
    try:
        answer = input("> ").strip()
    except EOFError:
        answer = "q"
    if answer == "q":
        return math.inf
    return int(answer) if answer.isdecimal() else number + 1
