"""What happens in the tree of actors, told in the engine's log; and what is done about it.

Its supervisors restart whoever fails. What is left is to say so, to say what stands still, and to
try anew, after a while, whom a supervisor has set apart by itself and nobody is there to release.
"""

from __future__ import annotations

import attrs
import trio

from actors import State, System
from actors.system import TreeEvent
from arb.engine.board import Board
from arb.engine.names import CONTROL, is_market
from arb.engine.standstills import WAYS_OUT, late
from arb.io.text import one_line

TAG = "ACTORS"

LEVELS = {"failed": "warning", "restarting": "warning"}

# Often enough that a standstill is said as soon as a picture shows it.
LOOK_EVERY_S = 1.0

# A supervisor restarts one child five times a minute at most, so this is room for some children in
# trouble; what fails by the hundred, as all markets may, fails of one cause.
LINES_MAX = 20
LINES_PER_S = 60.0

# Four starts and their requests every ten minutes cost nothing, and what a reading has stumbled
# over may be gone from the lists by then. A person's quarantine is left alone.
RELEASED_AFTER_S = 600.0

# Without it nobody can release anything, nor see what is wrong.
CONTROL_RELEASED_AFTER_S = 60.0


@attrs.define
class _Branch:
    """What was said of the children of one supervisor since a moment, and what was left out."""

    since_s: float
    said: int = 0
    left_out: int = 0
    last: str = ""


class TreeWatch:
    """Hears what the tree reports, and looks now and then at what has stopped working."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._branches: dict[str, _Branch] = {}
        self._failed = ("", 0)
        self._gave_up: set[str] = set()
        self._set_apart: dict[str, float] = {}
        self._late: set[str] = set()

    def hear(self, event: TreeEvent) -> None:
        """Take an event of the tree, and say it once."""
        path, kind, life = event.path, event.kind, (event.path, event.generation)
        if kind == "restarting" and (life == self._failed or path in self._gave_up):
            # Why has been said already, and that a supervisor restarts is what it is for.
            self._gave_up.discard(path)
            return
        if kind == "failed":
            self._failed = life
        elif kind == "escalated":
            self._gave_up.add(path)
        elif kind == "quarantined" and not is_market(path):
            self._set_apart[path] = event.at_s
        self._say(event)

    async def run(self, system: System) -> None:
        """Look after a tree for as long as it runs."""
        while True:
            await trio.sleep(LOOK_EVERY_S)
            self._say_left_out(trio.current_time())
            self._release(system)
            self._look(system)

    def _say(self, event: TreeEvent) -> None:
        self._say_left_out(event.at_s)
        branch = self._branches.setdefault(_branch(event.path), _Branch(event.at_s))
        text = one_line(_words(event))
        if branch.said >= LINES_MAX:
            branch.left_out += 1
            branch.last = text
            return
        branch.said += 1
        self._board.say(TAG, text, level=LEVELS.get(event.kind, "error"))

    def _say_left_out(self, now_s: float) -> None:
        over = {n: b for n, b in self._branches.items() if now_s - b.since_s >= LINES_PER_S}
        for name, branch in over.items():
            del self._branches[name]
            if branch.left_out:
                more = f"{name}: {branch.left_out} more like these, the last: {branch.last}"
                self._board.say(TAG, more, level="warning")

    def _release(self, system: System) -> None:
        for path, at_s in list(self._set_apart.items()):
            if trio.current_time() - at_s < _released_after_s(path):
                continue
            del self._set_apart[path]
            node = system.find(path)
            # Down since then, and not by a person's word that came later.
            if node.state is State.QUARANTINED and node.since_s <= at_s:
                after = _minutes(_released_after_s(path))
                self._board.say(TAG, f"{node.name} is started again after {after}")
                system.release(path)

    def _look(self, system: System) -> None:
        now_ns = self._board.clock.monotonic_ns()
        for name, pulse in self._board.pulses.items():
            state = system.find(name).state
            if not pulse.is_late(now_ns):
                if name in self._late:
                    self._board.say(TAG, f"{name} works again")
                self._late.discard(name)
            elif name not in self._late and state not in WAYS_OUT:
                self._late.add(name)
                alarm = late(self._board, name, pulse, state)
                self._board.say(TAG, f"{name}: {alarm.text}", level="error")

    def __repr__(self) -> str:
        return f"<TreeWatch {len(self._set_apart)} set apart, {len(self._late)} late>"


def _released_after_s(path: str) -> float:
    is_control = path.rpartition("/")[2] == CONTROL
    return CONTROL_RELEASED_AFTER_S if is_control else RELEASED_AFTER_S


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:g} min"


def _branch(path: str) -> str:
    return path.rpartition("/")[0] or "root"


def _words(event: TreeEvent) -> str:
    name, text = event.path.rpartition("/")[2], event.text
    if event.kind == "escalated":
        return text
    if event.kind == "quarantined":
        # What to do comes first: an error's own text may be long, and is cut.
        after = _minutes(_released_after_s(event.path))
        alone = "" if is_market(event.path) else f"for {after}, or "
        return f"{name} is quarantined {alone}until arb release {name}: {text}"
    words = {
        "restarting": f"{name} starts again {text}",
        "stuck": f"{name} is stuck: {text}",
        "deadlock": f"{name} waits in a circle: {text}",
    }
    return words.get(event.kind, f"{name} {event.kind}: {text}")
