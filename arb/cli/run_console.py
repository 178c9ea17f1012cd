"""How ``arb run`` starts an engine in the background and becomes its console."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from arb.cli.errors import CommandFailed, UsageError
from arb.console.app import check_terminal, console
from arb.console.outcome import ConsoleError, NoTerminal, Outcome
from arb.io.rendezvous import RunningEngine, find_engines

# The simulated world, the games and the first connections; a machine under load takes longer.
START_TIMEOUT_S = 60.0
START_STEP_S = 0.05

# The engine stops within five seconds of being asked; this only waits until it has.
STOP_TIMEOUT_S = 10.0

AS_SET = "engine.unattended says what it does now (arb status)"


def require_terminal() -> None:
    """Raise `UsageError` where there is no terminal for a console."""
    try:
        check_terminal()
    except NoTerminal as error:
        raise UsageError(str(error)) from None


def run_with_console(
    arguments: Sequence[str],
    said: str,
    root: Path,
    settings: tuple[tuple[str, str], ...] = (),
) -> None:
    """Start an engine of its own session, and be its console until a person leaves.

    ``said`` is what the engine reads from its standard input, ``root`` the directory of all
    engines; ``settings`` are names and values that the console shows.
    """
    with tempfile.TemporaryFile() as words:
        engine = _started(arguments, said, words)
        try:
            found = _when_ready(engine, words, root)
            outcome = console(found.socket_path, owns_engine=True, settings=settings)
        except NoTerminal as error:
            _stop(engine)
            raise CommandFailed(f"{error}; the engine was stopped") from None
        except ConsoleError as error:
            # A console that fails has disappeared, and the engine does as it was told to then.
            _let_go(engine)
            raise CommandFailed(f"{error}; {AS_SET}") from None
        except KeyboardInterrupt:
            _stop(engine)
            sys.stdout.write("stopped\n")
            return
        except BaseException:
            _stop(engine)
            raise
    if outcome is Outcome.LEAVE_RUNNING:
        sys.stdout.write("the engine runs on: arb console attaches to it, arb stop ends it\n")
    if outcome in {Outcome.LEAVE_RUNNING, Outcome.HUNG_UP}:
        _let_go(engine)
    else:
        _wait(engine, outcome)


def _let_go(engine: subprocess.Popen[bytes]) -> None:
    # Its session is its own, and so is its end: nothing here waits for it.
    engine.returncode = 0


def _started(arguments: Sequence[str], said: str, words: IO[bytes]) -> subprocess.Popen[bytes]:
    engine = subprocess.Popen(
        [sys.executable, "-m", "arb", *arguments],
        stdin=subprocess.PIPE,
        stdout=words,
        stderr=words,
        start_new_session=True,
    )
    if engine.stdin is not None:
        engine.stdin.write(said.encode())
        engine.stdin.close()
    return engine


def _when_ready(engine: subprocess.Popen[bytes], words: IO[bytes], root: Path) -> RunningEngine:
    sys.stdout.write("starting the engine ...\n")
    sys.stdout.flush()
    for _ in range(round(START_TIMEOUT_S / START_STEP_S)):
        if engine.poll() is not None:
            raise CommandFailed(_last_words(words))
        for running in find_engines(root):
            if running.pid == engine.pid:
                return running
        time.sleep(START_STEP_S)
    raise CommandFailed(f"the engine was not ready within {START_TIMEOUT_S:.0f} s")


def _last_words(words: IO[bytes]) -> str:
    words.seek(0)
    lines = words.read().decode(errors="replace").strip().splitlines()
    said = lines[-1].removeprefix("arb: ") if lines else "it said nothing"
    return f"the engine did not start: {said}"


def _wait(engine: subprocess.Popen[bytes], outcome: Outcome) -> None:
    try:
        code = engine.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise CommandFailed("the engine has not stopped yet: see arb status") from None
    if code != 0:
        raise CommandFailed(f"the engine ended with code {code}")
    if outcome in {Outcome.LOST, Outcome.ENDED}:
        sys.stdout.write("the engine has ended\n")
    else:
        sys.stdout.write("the engine was stopped\n")


def _stop(engine: subprocess.Popen[bytes]) -> None:
    if engine.poll() is None:
        engine.terminate()
        try:
            engine.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            engine.kill()
            engine.wait()
