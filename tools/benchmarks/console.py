"""The console: what it costs, how soon a key is on the screen, and whether its memory stays flat.

A process of its own in a pseudo-terminal of 200×60, on pictures of an engine whose every market and
actor changes with each of them, as at 2,000 book messages a second. Linux alone says what another
process has cost.
"""

from __future__ import annotations

import fcntl
import gc
import os
import pty
import random
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import attrs
import orjson
import trio

from arb.console.cockpit import Cockpit
from arb.console.link import Link, LinkState
from arb.console.snapshot import read_snapshot
from arb.engine.control import ControlServer
from tools.benchmarks.figures import BenchmarkFailed, Figure, latencies, single
from tools.benchmarks.waiting import until

TOPIC = "console"
COLUMNS, ROWS = 200, 60
CPU_TARGET = 25.0
KEY_TARGET_MS = 100.0
MEMORY_TARGET = 1.05
START_MS = 1_795_343_226_907
# Five pictures a second at twenty times the speed of life.
MEMORY_STEP_MS = 4_000
HOUR_MS = 3_600_000
MS_PER_S = 1_000
PATIENCE_S = 30.0
# Between keys, longer than a frame: a drawing under way would be taken for the answer.
SETTLE_S = 0.25
# How often a keyboard repeats a key that is held down.
REPEAT_S = 1 / 30
PAGE_DOWN = "\x1b[6~"
MARKET = re.compile(rb"26NOV22([0-9]{4})AAA")
PROGRAM = """
import sys
from pathlib import Path
from arb.console.app import console
console(Path(sys.argv[1]), owns_engine=False)
"""


@attrs.frozen
class Plan:
    """How much to measure."""

    markets: int = 200
    many_markets: int = 500
    watched_s: float = 10.0
    keys: int = 60
    rows: int = 400
    hours: int = 8


QUICK = Plan(watched_s=3.0, keys=15, rows=60, hours=2)


class Pictures:
    """An engine that is all pictures, each of them other than the last."""

    def __init__(self, markets: int) -> None:
        self._dice = random.Random(7)
        self._seq = 0
        self.at_ms = START_MS
        names = [f"KXMLBGAME-26NOV22{at:04d}AAABBB-AAA" for at in range(markets)]
        self._markets = [_market(name) for name in names]
        places = ["root", "root/trading", "root/trading/risk", "root/trading/markets"]
        self._actors = [_actor(each) for each in places]
        self._actors += [_actor(f"root/trading/markets/{name}") for name in names]

    def __repr__(self) -> str:
        return f"<Pictures of {len(self._markets)} markets>"

    def take(self, elapsed_ms: int) -> dict[str, Any]:
        """Return the next picture, so much later than the last."""
        dice, self._seq = self._dice, self._seq + 1
        self.at_ms += elapsed_ms
        for row in self._markets:
            fair = dice.uniform(0.1, 0.9)
            bid_e4 = round(fair * 100) * 100
            row |= {"fair": fair, "bid_e4": bid_e4, "ask_e4": bid_e4 + 200}
            row |= {"edge_e4": dice.randrange(-300, 300), "odds_age_ms": dice.randrange(9_000)}
        for entry in self._actors:
            entry["handled"] += dice.randrange(20)
        return {
            "v": 1, "seq": self._seq, "at_ms": self.at_ms, "mode": "sim", "mode_words": "SIM",
            "uptime_ms": self.at_ms - START_MS, "trading": {"state": "running", "reasons": []},
            "markets": self._markets, "actors": self._actors,
            "log": [_line(self._seq + each, self.at_ms) for each in range(100)],
        }  # fmt: skip

    async def picture(self) -> dict[str, Any]:
        """Return the next picture, as an engine does."""
        await trio.lowlevel.checkpoint()
        return self.take(200)

    async def steer(self, verb: str, arguments: dict[str, Any]) -> str:
        """Do nothing."""
        del arguments
        return verb

    async def show(self, what: str, name: str) -> dict[str, Any]:
        """Show nothing."""
        del what, name
        return {}


class Watched:
    """A console in a terminal: typed at, read from, and measured."""

    def __init__(self, path: Path) -> None:
        self._master, slave = pty.openpty()
        size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(path)],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env=os.environ | {"TERM": "xterm-256color", "PYTHONUTF8": "1"},
        )  # fmt: skip
        os.close(slave)
        self.read_bytes = 0
        self.seen = b""

    async def read(self) -> None:
        """Read all it draws, until cancelled or its end."""
        while True:
            await trio.lowlevel.wait_readable(self._master)
            try:
                piece = os.read(self._master, 65_536)
            except OSError:
                return
            self.seen = (self.seen + piece)[-4 * 65_536 :]
            self.read_bytes += len(piece)

    def press(self, key: str) -> None:
        """Press a key."""
        self.seen = b""
        os.write(self._master, key.encode())

    def lowest_market(self) -> int:
        """Return the number of the last market that was drawn since a key was pressed."""
        return max(map(int, MARKET.findall(self.seen)), default=0)

    def cpu_s(self) -> float:
        """Return the processor's time it has had."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self._master)


Measure = Callable[[Plan, Watched, int], Awaitable[Figure]]


def run(plan: Plan) -> list[Figure]:
    """Measure it beside an engine that is all pictures."""
    if not sys.platform.startswith("linux"):
        raise BenchmarkFailed("what another process costs is read from /proc, which is Linux'")
    few = trio.run(_beside, plan, plan.markets, (_cost, _keys))
    many = trio.run(_beside, plan, plan.many_markets, (_keys, _scroll))
    return [*few, *many, memory(plan)]


async def _beside(plan: Plan, markets: int, measures: tuple[Measure, ...]) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "c.sock"
        server = ControlServer(Pictures(markets), path)
        server.open()
        watched = Watched(path)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(server.serve)
                nursery.start_soon(watched.read)
                with trio.fail_after(PATIENCE_S):
                    await until(lambda: f"{markets} markets".encode() in watched.seen)
                figures = [await measure(plan, watched, markets) for measure in measures]
                nursery.cancel_scope.cancel()
        finally:
            watched.close()
    return figures


async def _cost(plan: Plan, watched: Watched, markets: int) -> Figure:
    # Beside pictures, a key that changes the screen ten times a second: ten frames, not five.
    before_s, began_s = watched.cpu_s(), time.perf_counter()
    while (passed_s := time.perf_counter() - began_s) < plan.watched_s:
        watched.press("j")
        await trio.sleep(0.1)
    percent = 100 * (watched.cpu_s() - before_s) / passed_s
    what = f"console's processor, {markets} markets, 10 frames/s"
    return single(TOPIC, what, "% of a core", percent, CPU_TARGET)


async def _keys(plan: Plan, watched: Watched, markets: int) -> Figure:
    times_ns = []
    for _ in range(plan.keys):
        await trio.sleep(SETTLE_S)
        began_ns = time.perf_counter_ns()
        watched.press("?")
        with trio.fail_after(PATIENCE_S):
            await until(lambda: b"Keys" in watched.seen)
        times_ns.append(time.perf_counter_ns() - began_ns)
        watched.press("q")
    what = f"key to screen, {markets} markets"
    return latencies(TOPIC, what, times_ns, {"p99": KEY_TARGET_MS * MS_PER_S})


async def _scroll(plan: Plan, watched: Watched, markets: int) -> Figure:
    # As a keyboard repeats a key that is held down; the cursor is on the last row that shows.
    watched.press(PAGE_DOWN)
    await trio.sleep(SETTLE_S)
    times_ns = []
    for _ in range(plan.rows):
        again_s = trio.current_time() + REPEAT_S
        times_ns.append(await _one_row(watched, watched.lowest_market()))
        await trio.sleep_until(again_s)
    what = f"a row further, {markets} markets, key held down"
    return latencies(TOPIC, what, times_ns, {"p99": KEY_TARGET_MS * MS_PER_S})


async def _one_row(watched: Watched, lowest: int) -> int:
    began_ns = time.perf_counter_ns()
    watched.press("j")
    with trio.fail_after(PATIENCE_S):
        await until(lambda: watched.lowest_market() > lowest)
    return time.perf_counter_ns() - began_ns


def memory(plan: Plan) -> Figure:
    """Show a console the pictures of some hours at twenty times the speed, and weigh it."""
    pictures, link = Pictures(plan.markets), Link(Path("/nowhere"))
    cockpit = Cockpit(link, _Shell(), owns_engine=False)
    link.state = LinkState.UP
    count = plan.hours * HOUR_MS // MEMORY_STEP_MS
    weights = []
    for each in range(count):
        link.picture = read_snapshot(orjson.loads(orjson.dumps(pictures.take(MEMORY_STEP_MS))))
        cockpit.refresh(each / 5)
        cockpit.root.render((COLUMNS, ROWS))
        if each in {count // plan.hours, count - 1}:
            gc.collect()
            weights.append(_resident_bytes())
    what = f"console's memory after {plan.hours} simulated hours over that after the first"
    return single(TOPIC, what, "x", weights[-1] / weights[0], MEMORY_TARGET)


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class _Shell:
    """Does nothing of what a cockpit may want of the program around it."""

    def steer(self, verb: str, **arguments: Any) -> None:
        """Send nothing."""

    def leave(self) -> None:
        """Stay."""

    def stop_engine(self) -> None:
        """Stop nothing."""

    def redraw(self) -> None:
        """Draw nothing."""


def _market(ticker: str) -> dict[str, Any]:
    return {
        "ticker": ticker, "game": "A at B", "team": "A", "start_ms": START_MS, "bid_size_e2": 5_000,
        "ask_size_e2": 5_000, "net_e4": 10, "action": "SKIP", "reason": "edge too thin", "books": 6,
        "latency_us": 50, "position_e2": 0, "actor": "running",
    }  # fmt: skip


def _actor(path: str) -> dict[str, Any]:
    return {
        "name": path.rsplit("/", 1)[-1], "path": path, "depth": path.count("/"), "kind": "actor",
        "state": "running", "generation": 1, "restarts": 0, "restart_limit": 5, "mailbox_length": 0,
        "mailbox_capacity": 2_000, "mailbox_peak": 7, "dropped": 0, "handled": 0, "uptime_ms": 1,
    }  # fmt: skip


def _line(seq: int, at_ms: int) -> dict[str, Any]:
    return {"seq": seq, "at_ms": at_ms, "level": "info", "tag": "TRADE", "text": f"line {seq}"}
