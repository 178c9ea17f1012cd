"""``arb run`` as a person types it, with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import trio

from arb.cli.app import run as run_command
from arb.cli.run import run
from arb.io.rendezvous import find_engines
from arb.settings import Mode
from tests.console.terminal import Terminal

# Start-up of two Python processes and an RSA key, on a machine that is busy with other tests.
PATIENCE_S = 60.0

# What stopping may take, by the design.
STOP_S = 5.0

ARB = (sys.executable, "-m", "arb")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> Iterator[Path]:
    """Give engines a state directory of their own, and leave none of them running."""
    monkeypatch.setenv("ARB_ENGINE__STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.chdir(tmp_path)
    yield tmp_path / "state"
    for engine in find_engines(tmp_path / "state"):
        os.kill(engine.pid, signal.SIGKILL)


class Headless:
    """A headless engine in a process of its own."""

    def __init__(self, *options: str) -> None:
        self._process = subprocess.Popen(
            [*ARB, "run", "--headless", "--json", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.said = ""

    def until_it_says(self, words: str) -> None:
        """Read its log until a text is in it."""
        assert self._process.stderr is not None
        while words not in self.said:
            line = self._process.stderr.readline()
            assert line, f"it ended without saying {words!r}: {self.said}"
            self.said += line

    def signal(self, number: int) -> None:
        """Send a signal to it alone."""
        self._process.send_signal(number)

    def children(self) -> list[int]:
        """Return the processes that it has started."""
        return [pid for pid in _processes() if _parent(pid) == self._process.pid]

    def ends(self, within_s: float = STOP_S) -> tuple[int, str, str]:
        """Wait until it has ended; returns its code and all that it wrote."""
        out, rest = self._process.communicate(timeout=within_s)
        return self._process.returncode, out, self.said + rest


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_in_order(state: Path, number: int) -> None:
    """It cancels its entries, writes its report as the last line, and ends with 0."""
    engine = Headless()
    engine.until_it_says("positions and cash agree")
    worlds = engine.children()
    engine.signal(number)
    code, out, said = engine.ends()

    report = orjson.loads(out.splitlines()[-1])
    assert code == 0
    assert report["stopped"] == f"signal {signal.Signals(number).name}"
    assert report["entries_resting_at_stop"] == 0
    assert said.index("entries are cancelled") > 0
    assert "Traceback" not in said
    assert worlds
    assert not any(Path(f"/proc/{pid}").exists() for pid in worlds)
    assert find_engines(state) == []


@pytest.mark.slow
def test_a_signal_during_start_up_stops_it(state: Path) -> None:
    """Before it trades there is nothing to cancel, and it ends with 0 all the same."""
    engine = Headless()
    engine.until_it_says("games matched")
    engine.signal(signal.SIGINT)
    code, out, said = engine.ends()

    assert code == 0
    assert "stopped" in orjson.loads(out.splitlines()[-1])
    assert "Traceback" not in said


@pytest.mark.slow
async def test_a_killed_engine_takes_its_world_with_it(state: Path) -> None:
    """However the engine dies, the simulated world notices and ends."""
    engine = Headless()
    await trio.to_thread.run_sync(engine.until_it_says, "positions and cash agree")
    (world,) = engine.children()
    engine.signal(signal.SIGKILL)
    code, _, _ = await trio.to_thread.run_sync(engine.ends)

    assert code == -signal.SIGKILL
    await _gone(world)


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _parent(pid: int) -> int:
    # State and parent are the two fields after the name, which stands in brackets.
    state, parent = _stat(pid).rpartition(")")[2].split()[:2]
    return 0 if state == "Z" else int(parent)


def _is_alive(pid: int) -> bool:
    return _parent(pid) != 0


def _stat(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ") Z 0"


@pytest.mark.slow
async def test_a_walk_through_a_real_engine(state: Path) -> None:
    """Start, kill a market's actor, see it back, leave the engine running, come back, stop it."""
    terminal = Terminal([*ARB, "run"], columns=140, rows=44)
    await terminal.shows("RUNNING", PATIENCE_S)
    terminal.press("K")
    await terminal.shows("Yes, kill")
    terminal.press("y")
    await terminal.shows("✓ killed KX")
    terminal.press("2")
    await terminal.shows("1/5")
    terminal.press("q")
    await terminal.shows("Leave running")
    terminal.press("\x1b[C\r")
    assert await terminal.ends() == 0
    terminal.close()
    (left,) = find_engines(state)

    again = Terminal([*ARB, "console"], columns=100, rows=30)
    await again.shows("RUNNING", PATIENCE_S)
    again.press("q")
    await again.shows("Stop engine")
    again.press("\x1b[C\x1b[C\r")
    assert await again.ends() == 0
    again.close()
    await _gone(left.pid)


async def _gone(pid: int) -> None:
    with trio.fail_after(STOP_S):
        while _is_alive(pid):  # noqa: ASYNC110 - another process's end is no event of ours
            await trio.sleep(0.05)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--mode", "live"], "both --mode live and --live"),
        (["--live"], "both --mode live and --live"),
        (["--mode", "demo", "--speed", "2"], "--speed and --seed are for the simulated world"),
        (["--mode", "demo", "--seed", "2"], "--speed and --seed are for the simulated world"),
        (["--speed", "0"], "a speed of 0 goes nowhere"),
        (["--seconds", "0"], "0 seconds are over before they begin"),
        (["--json"], "--json is for headless runs"),
        (["--mode", "nonsense"], "nonsense"),
        (["--nonsense"], "nonsense"),
        ([], "terminal"),
    ],
)
def test_wrong_options_are_one_line(
    state: Path, capsys: pytest.CaptureFixture[str], wrong: list[str], words: str
) -> None:
    """Nothing is started, one line says what was wrong, and the code is 2."""
    assert run_command(["run", *wrong]) == 2
    out, said = capsys.readouterr()
    assert out == ""
    assert len(said.splitlines()) == 1
    assert words in said
    assert not state.exists()


def test_real_money_needs_the_phrase(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong phrase starts nothing."""
    monkeypatch.setattr(sys, "stdin", iter_lines("yes\n"))

    assert run_command(["run", "--mode", "live", "--live", "--headless"]) == 2
    assert not state.exists()


def test_the_right_phrase_still_needs_keys(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After the phrase come the keys, which are named when they are missing."""
    monkeypatch.setattr(sys, "stdin", iter_lines("trade real money\n"))

    assert run_command(["run", "--mode", "live", "--live", "--headless"]) == 2
    assert "ARB_KALSHI__API_KEY" in capsys.readouterr().err


class iter_lines:  # noqa: N801 - stands for a file with these lines
    """A standard input that holds some lines."""

    def __init__(self, *lines: str) -> None:
        self._lines = list(lines)

    def readline(self) -> str:
        """Return the next line."""
        return self._lines.pop(0)


@pytest.mark.slow
def test_a_run_in_this_process_ends_when_its_time_is_over(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """For people the end is one line, and the log was on standard error."""
    run(mode=Mode.SIM, headless=True, seconds=1.0)
    out, said = capsys.readouterr()

    assert "stopped: 1 seconds are over" in out
    assert "0 invariants violated" in out
    assert "[ENGINE]" in said
