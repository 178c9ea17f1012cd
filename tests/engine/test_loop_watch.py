"""A loop that stands still: who held it up is said, and past the limit the process ends."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from pathlib import Path

import orjson
import trio

from actors import Blocked
from arb.engine.board import Board, LogLine
from arb.engine.loop_watch import LoopWatch
from arb.io.clock import VirtualClock

STACK = '  File "market.py", line 7, in receive\n    while True:\n'


async def test_a_standstill_is_said_when_the_loop_turns_again(autojump_clock: object) -> None:
    """With the actor and the place in the code, by the loop itself: no thread uses the board."""
    board = Board(VirtualClock(5_000))
    watch = LoopWatch(board, _unwanted, trio.lowlevel.current_trio_token(), 10_000)
    watch.spec()
    await trio.to_thread.run_sync(watch.say_blocked, Blocked("trading/markets/NYY", 0.254, STACK))
    await trio.testing.wait_all_tasks_blocked()

    (line,) = board.log
    assert line.level == "warning"
    assert line.text == (
        "the loop stood still for more than 0.25 s: a handler of trading/markets/NYY"
        ' (File "market.py", line 7, in receive)'
    )


async def test_the_last_words_are_written_at_once(autojump_clock: object) -> None:
    """They name the code that does not return, also where it belongs to no actor."""
    written: list[LogLine] = []
    board = Board(VirtualClock(5_000))
    token = trio.lowlevel.current_trio_token()
    watch = LoopWatch(board, written.append, token, 10_000)
    spec = watch.spec()
    assert spec.last_limit_s == 10
    assert spec.last_action is not None
    spec.last_action(Blocked(None, 10.3, STACK))
    await trio.lowlevel.checkpoint()

    (line,) = written
    assert line.text == f"ended after 10.3 s: code of no actor does not return\n{STACK}"
    assert line.level == "error"
    assert LoopWatch(board, _unwanted, token, 0).spec().last_limit_s is None


PROGRAM = """
import random, sys
from pathlib import Path
import trio
from actors import Actor, ActorSpec, SupervisorSpec, open_system
from arb.engine.board import Board
from arb.engine.log_file import LogFile
from arb.engine.loop_watch import LoopWatch
from arb.io.clock import SystemClock

class Endless(Actor):
    def receive(self, message):
        while True:
            pass

async def main():
    clock = SystemClock()
    log = LogFile(Path(sys.argv[1]), "info")
    board = Board(clock, log.write)
    watch = LoopWatch(board, log.write_now, trio.lowlevel.current_trio_token(), 1_000)
    root = SupervisorSpec("root", [ActorSpec("endless", Endless)])
    async with open_system(root, rng=random.Random(0), watchdog=watch.spec()) as system:
        board.say("ENGINE", "before")
        system.address("endless").tell(1)
        await trio.sleep(60)

trio.run(main)
"""


def test_code_that_never_returns_ends_the_process(tmp_path: Path) -> None:
    """For real, with exit code 70; the log ends with who it was, and nothing said is lost."""
    log = tmp_path / "arb.log"
    began_s = time.monotonic()
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(log)]
    done = subprocess.run(command, timeout=60, check=False, capture_output=True, text=True)

    assert done.returncode == 70, done.stderr
    assert time.monotonic() - began_s < 30
    before, last = (orjson.loads(line) for line in log.read_text().splitlines())
    assert before["event"] == "before"
    assert "a handler of endless does not return" in last["event"]
    assert "line 13, in receive" in last["event"]


def _unwanted(line: LogLine) -> None:
    raise AssertionError(line)
