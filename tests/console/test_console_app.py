"""The whole console on a made-up screen, against a fake engine on a real socket."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random

import pytest
import trio

from arb.console import app
from arb.console.app import check_terminal, failure, run_console
from arb.console.outcome import ConsoleFailed, NoTerminal, Outcome
from arb.engine.attendance import Attendance
from arb.engine.control import ControlServer
from arb.engine.control_requests import SteeringError
from tests.console.fake_engine import FakeEngine, tickers
from tests.console.fake_shell import FakeScreen, until


class Stage:
    """A console that runs, its screen, and the engine it is attached to."""

    def __init__(self, path: Path, *, owns_engine: bool) -> None:
        self.path = path
        self.screen = FakeScreen()
        self.engine = FakeEngine(8)
        self.attendance = Attendance()
        self.engine_scope = trio.CancelScope()
        self.owns_engine = owns_engine
        self.outcome: Outcome | None = None
        self.error: Exception | None = None
        self.done = trio.Event()

    async def serve(self) -> None:
        """Serve the engine until its scope is cancelled."""
        server = ControlServer(self.engine, self.path, self.attendance)
        server.open()
        with self.engine_scope:
            await server.serve()

    async def run(self) -> None:
        """Run the console to its end."""
        try:
            self.outcome = await run_console(
                self.path, owns_engine=self.owns_engine, screen=self.screen
            )
        except ConsoleFailed as error:
            self.error = error
        self.done.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so."""
        await until(condition)

    async def shows(self, text: str) -> None:
        """Wait until a text is on the screen."""
        await self.until(lambda: text in self.screen.text)

    async def ends(self) -> Outcome | None:
        """Wait for the end and return the outcome."""
        with trio.fail_after(10):
            await self.done.wait()
        return self.outcome


@pytest.fixture(params=[True])
async def stage(
    request: pytest.FixtureRequest, tmp_path: Path, nursery: trio.Nursery
) -> AsyncIterator[Stage]:
    """Run a console that owns its engine, or one that does not."""
    made = Stage(tmp_path / "c.sock", owns_engine=request.param)
    nursery.start_soon(made.serve)
    nursery.start_soon(made.run)
    await made.shows("Balance $1,234.56")
    yield made
    nursery.cancel_scope.cancel()


ATTACHED = pytest.mark.parametrize("stage", [False], indirect=True)


async def test_a_market_is_killed_and_its_answer_shown(stage: Stage) -> None:
    """From the key over the question to the engine and back to the screen."""
    stage.screen.press("j", "K")
    await stage.shows("▸ No ◂")
    stage.screen.press("enter")
    stage.screen.press("K", "y")
    await stage.shows(f"kill {tickers(2)[1]} done")

    assert stage.engine.commands == [("kill", {"name": tickers(2)[1]})]


async def test_a_pause_is_seen_as_a_banner(stage: Stage) -> None:
    """What the engine does after a key comes back in its next picture."""
    stage.screen.press("p")
    await stage.shows("PAUSED: paused by a person")
    stage.screen.press("r", "+")
    await stage.shows("exposure limit is now $510.00")
    await stage.until(lambda: "PAUSED:" not in stage.screen.text)


async def test_leaving_leaves_the_engine_running(stage: Stage) -> None:
    """The engine hears nothing of a console that goes."""
    stage.screen.press("q", "l")

    assert await stage.ends() is Outcome.LEAVE_RUNNING
    assert stage.engine.commands == []


async def test_stopping_stops_the_engine(stage: Stage) -> None:
    """The engine is told, and the console ends."""
    stage.screen.press("q", "s")

    assert await stage.ends() is Outcome.STOP
    assert stage.engine.commands == [("stop", {})]


async def test_a_lost_terminal_is_a_disappearance(stage: Stage) -> None:
    """The engine is told nothing, and misses the console."""
    await until(lambda: stage.attendance.consoles == 1)
    os.kill(os.getpid(), signal.SIGHUP)

    assert await stage.ends() is Outcome.HUNG_UP
    await until(lambda: stage.attendance.is_missed)
    assert stage.engine.commands == []


async def test_leaving_it_running_is_no_disappearance(stage: Stage) -> None:
    """The engine hears of it before the connection ends."""
    await until(lambda: stage.attendance.consoles == 1)
    stage.screen.press("q", "l")

    assert await stage.ends() is Outcome.LEAVE_RUNNING
    await until(lambda: stage.attendance.consoles == 0)
    assert not stage.attendance.is_missed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_an_own_engine(stage: Stage, number: signal.Signals) -> None:
    """Ctrl-C and a termination stop what the console has started."""
    os.kill(os.getpid(), number)

    assert await stage.ends() is Outcome.STOP
    assert stage.engine.commands == [("stop", {})]


@ATTACHED
async def test_a_signal_only_detaches_from_an_engine_of_others(stage: Stage) -> None:
    """An attached console leaves no trace."""
    os.kill(os.getpid(), signal.SIGINT)

    assert await stage.ends() is Outcome.LEAVE_RUNNING
    assert stage.engine.commands == []


async def test_a_second_signal_does_not_wait(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who presses Ctrl-C twice wants to be out now."""

    async def never(verb: str, arguments: dict[str, object]) -> str:
        stage.engine.commands.append((verb, arguments))
        await trio.sleep_forever()
        return ""

    monkeypatch.setattr(stage.engine, "steer", never)
    os.kill(os.getpid(), signal.SIGINT)
    await stage.shows("stopping the engine")
    os.kill(os.getpid(), signal.SIGINT)

    assert await stage.ends() is Outcome.STOP


@ATTACHED
async def test_an_engine_that_does_not_stop_is_not_left_silently(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attached console stays where the engine refuses to stop, and shows its words."""

    async def refuse(verb: str, arguments: dict[str, object]) -> str:
        await trio.lowlevel.checkpoint()
        raise SteeringError("not while settling")

    monkeypatch.setattr(stage.engine, "steer", refuse)
    stage.screen.press("q", "s")
    await stage.shows("✗ not while settling")
    stage.screen.press("q", "l")

    assert await stage.ends() is Outcome.LEAVE_RUNNING


async def test_a_lost_engine_is_waited_for_and_can_be_left(stage: Stage) -> None:
    """The picture stays under its banner; quitting then asks nothing."""
    stage.engine_scope.cancel()
    await stage.shows("ENGINE LOST")
    assert "Balance $1,234.56" in stage.screen.text
    stage.screen.press("q")

    assert await stage.ends() is Outcome.LOST


async def test_an_own_engine_that_has_ended_ends_the_console(stage: Stage) -> None:
    """A run that is over closes its console by itself."""
    stage.engine.document["trading"] = {"state": "stopping", "reasons": ["30 seconds are over"]}
    await stage.shows("STOPPING")
    stage.engine_scope.cancel()

    assert await stage.ends() is Outcome.ENDED


@ATTACHED
async def test_an_engine_that_ended_in_good_order_is_no_failure(stage: Stage) -> None:
    """Who leaves a console whose engine said that it stops, and stopped, has lost nothing."""
    stage.engine.document["trading"] = {"state": "stopping", "reasons": ["a person asked"]}
    await stage.shows("STOPPING")
    stage.engine_scope.cancel()
    await stage.shows("it has ended")
    stage.screen.press("q")

    assert await stage.ends() is Outcome.ENDED


async def test_a_failing_screen_ends_in_one_line(stage: Stage) -> None:
    """An error in drawing is not swallowed: it ends the console, which says what and where."""
    stage.screen.fail = ValueError("bad\nluck")
    stage.screen.press("?")
    await stage.ends()

    assert "ValueError: bad luck at fake_shell.py:" in str(stage.error)
    assert "\n" not in str(stage.error)
    assert not stage.screen.started


async def test_a_resize_is_drawn_at_once(stage: Stage) -> None:
    """The next frame has the new size."""
    stage.screen.size = (200, 60)
    stage.screen.press("window resize")
    await stage.until(lambda: len(stage.screen.frame) == 60)

    assert len(stage.screen.frame[0]) == 200


async def test_a_storm_of_resizes_ends_in_the_last_size(stage: Stage) -> None:
    """Down to one column and one row and back, at every key press, it goes on drawing."""
    dice = Random(1)

    def is_drawn() -> bool:
        columns, rows = stage.screen.size
        return [len(line) for line in stage.screen.frame] == [columns] * rows

    for _ in range(300):
        stage.screen.size = (dice.choice((1, 2, 40, 80, 200)), dice.choice((1, 2, 5, 24, 60)))
        stage.screen.press("window resize", dice.choice(("down", "tab", "1", "2", "3")))
        if dice.random() < 1 / 10:
            await stage.until(is_drawn)
    stage.screen.size = (80, 24)
    stage.screen.press("window resize")
    await stage.until(is_drawn)

    assert stage.error is None


async def test_the_whole_screen_can_be_drawn_again(stage: Stage) -> None:
    """Ctrl-L clears what somebody else has written into the terminal."""
    stage.screen.press("ctrl l")

    await stage.until(lambda: stage.screen.cleared == 1)


def test_without_a_terminal_there_is_one_line() -> None:
    """A pipe is no place for a console: exit code 2, and what to do instead."""
    with pytest.raises(NoTerminal, match=r"needs a terminal: .* arb status") as caught:
        check_terminal()

    assert caught.value.exit_code == 2


async def test_run_console_refuses_a_pipe(tmp_path: Path) -> None:
    """Nothing is drawn into a pipe."""
    with pytest.raises(NoTerminal):
        await run_console(tmp_path / "c.sock", owns_engine=False)


@pytest.mark.parametrize(
    "error,words",
    [
        (RuntimeError("stdin has been closed"), "terminal is gone"),
        (OSError(errno.EIO, "x"), "terminal is gone"),
        (ExceptionGroup("many", [ExceptionGroup("more", [KeyError("a")])]), "KeyError: 'a'"),
        (OSError(errno.ENOSPC, "full"), "OSError"),
    ],
)
def test_failures_are_one_line(error: Exception, words: str) -> None:
    """The innermost error is told, with its kind."""
    told = failure(error)

    assert words in str(told)
    assert told.exit_code == 1


def test_a_console_says_what_it_is(tmp_path: Path) -> None:
    """Its name tells its link and what has become of it."""
    console = app.Console(tmp_path / "c.sock", FakeScreen(), owns_engine=True)

    assert "connecting" in repr(console)
    console.steer("pause")
    console.stop_engine()
    assert "stop" in repr(console)
