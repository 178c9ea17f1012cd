"""An engine whose terminal is closed, or whose reader dies: real processes."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, closing
from pathlib import Path

import pytest
import trio

from arb.cli.app import run as run_command
from arb.cli.run import _obey
from arb.console.ask import ask
from arb.engine.stopping import StopRequest
from arb.io.rendezvous import RunningEngine, find_engines
from arb.journal.reading import read_records
from arb.journal.records import RecordKind
from tests.console.terminal import Terminal

# Start-up of two Python processes and an RSA key, on a machine that is busy with other tests.
PATIENCE_S = 60.0

# What stopping may take, by the design, and the end of two processes under load.
STOP_S = 10.0

HEADLESS = ("run", "--headless", "--speed", "3", "--seed", "3")

# As a shell does: the terminal is the one whose end sends a signal.
WITH_TERMINAL = (
    "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); from arb.cli import main; main()"
)

# From the moment of a stop on nothing reaches the disk.
WITH_HUNG_DISK = """
import os, time
from arb.engine import app, ending
from arb.engine.last_resort import LastResort
from arb.journal.decisions import DecisionStore

def hang(*_):
    time.sleep(3600)

async def end_trading(*arguments):
    os.fdatasync = DecisionStore.write = hang
    return await ending.end_trading(*arguments)

app.end_trading = end_trading
app.LastResort = lambda: LastResort(4.0)
from arb.cli import main
main()
"""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> Iterator[Path]:
    """Give engines a state directory of their own, and leave none of them running."""
    monkeypatch.setenv("ARB_ENGINE__STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.chdir(tmp_path)
    yield tmp_path / "state"
    for engine in find_engines(tmp_path / "state"):
        os.kill(engine.pid, signal.SIGKILL)


def read_until(descriptor: int, words: str) -> str:
    """Read what a process says until some words are in it."""
    said = b""
    while words.encode() not in said:
        data = os.read(descriptor, 65_536)
        assert data, f"it ended without saying {words!r}: {said!r}"
        said += data
    return said.decode()


def how_it_stopped(engine: RunningEngine) -> str:
    """Return the reason in the record that an orderly stop leaves behind."""
    last = read_records(engine.directory / "journal")[-1]
    assert last.kind is RecordKind.STOP
    return str(last.data["reason"])


def file_behind(pid: int, number: int) -> str:
    """Return what a process has open by that number."""
    return str(Path(f"/proc/{pid}/fd/{number}").readlink())


@pytest.mark.slow
def test_a_closed_terminal_is_a_stop_in_order(state: Path) -> None:
    """Nothing can be written any more; entries are cancelled, and the stop is on record."""
    master, slave = pty.openpty()
    command = [sys.executable, "-c", WITH_TERMINAL, *HEADLESS]
    with subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    ) as process:
        os.close(slave)
        read_until(master, "positions and cash agree")
        (engine,) = find_engines(state)
        os.close(master)
        process.wait(STOP_S)

    assert process.returncode == 1
    assert how_it_stopped(engine) == "signal SIGHUP"
    log = (engine.directory / "engine.log").read_text()
    assert "entries are cancelled" in log
    assert "stopping: signal SIGHUP" in log
    assert "Traceback" not in log


@pytest.mark.slow
def test_a_disk_that_hangs_ends_with_the_process(state: Path) -> None:
    """Journal and decisions wait for it for ever; the entries are cancelled before that."""
    with subprocess.Popen(
        [sys.executable, "-c", WITH_HUNG_DISK, *HEADLESS],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        said = read_until(process.stderr.fileno(), "positions and cash agree")
        (engine,) = find_engines(state)
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=STOP_S)

    said += rest.decode()
    assert process.returncode == 1
    assert "the disk is too slow to be waited for" in said
    assert "the stop has not ended within 4 s" in said.splitlines()[-1]
    assert how_it_stopped(engine) == "signal SIGTERM"


@pytest.mark.slow
@pytest.mark.parametrize("json", [(), ("--json",)])
def test_a_second_signal_stops_now_and_says_what_that_leaves(
    state: Path, json: tuple[str, ...]
) -> None:
    """Two Ctrl-C at once: no report was made, and one line says why and what may rest."""
    with subprocess.Popen(
        [sys.executable, "-m", "arb", *HEADLESS, *json],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        said = read_until(process.stderr.fileno(), "positions and cash agree")
        process.send_signal(signal.SIGINT)
        said += read_until(process.stderr.fileno(), "stopping: signal SIGINT")
        process.send_signal(signal.SIGINT)
        out, rest = process.communicate(timeout=STOP_S)

    assert process.returncode == 1
    assert out == b""
    last = (said + rest.decode()).splitlines()[-1]
    assert last.startswith("arb: stopped at once by a second signal: what rests")
    assert "Traceback" not in said + rest.decode()


async def test_a_terminal_that_hangs_up_twice_is_one_wish() -> None:
    """The shell and the kernel each send a signal when it closes; only a person's counts twice."""

    async def heard(*numbers: signal.Signals) -> tuple[str | None, bool]:
        async def signals() -> AsyncGenerator[int]:
            for number in numbers:
                await trio.lowlevel.checkpoint()
                yield number

        stop, scope = StopRequest(), trio.CancelScope()
        async with aclosing(signals()) as all_of_them:
            await _obey(all_of_them, stop, scope)
        return stop.reason, scope.cancel_called

    hangup, interrupt, end = signal.SIGHUP, signal.SIGINT, signal.SIGTERM
    assert await heard(hangup, hangup, hangup) == ("signal SIGHUP", False)
    assert await heard(interrupt, hangup) == ("signal SIGINT", False)
    assert await heard(hangup, end) == ("signal SIGHUP", True)
    assert await heard(end, hangup, interrupt) == ("signal SIGTERM", True)


@pytest.mark.slow
def test_a_reader_that_dies_takes_no_engine_with_it(state: Path) -> None:
    """It trades on, counts what it could not say, and is stopped in order later."""
    read, write = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-m", "arb", *HEADLESS, "--json"],
        stdout=subprocess.PIPE,
        stderr=write,
        start_new_session=True,
    ) as process:
        os.close(write)
        read_until(read, "positions and cash agree")
        (engine,) = find_engines(state)
        os.close(read)
        assert run_command(["pause"]) == 0
        assert run_command(["resume"]) == 0
        picture = ask(engine.socket_path, "status")["snapshot"]
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=STOP_S)

    assert picture["trading"]["state"] == "running"
    assert picture["counts"]["bad_input"]["a line could not be passed on"] >= 2
    assert process.returncode == 0
    assert b'"entries_resting_at_stop":0' in out
    assert how_it_stopped(engine) == "signal SIGTERM"


@pytest.mark.slow
async def test_a_consoles_engine_lets_go_of_its_words_once_it_is_ready(state: Path) -> None:
    """No file without a name grows behind it for as long as it lives."""
    with closing(Terminal([sys.executable, "-m", "arb", "run"], columns=140, rows=40)) as terminal:
        await terminal.shows("RUNNING", PATIENCE_S)
        (engine,) = find_engines(state)
        files = [file_behind(engine.pid, number) for number in (1, 2)]

    assert files == ["/dev/null", "/dev/null"]
