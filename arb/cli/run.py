"""``arb run``: starts the engine and, unless headless, the console on top of it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import trio
from cyclopts import Parameter

from arb.cli.common import Json, SettingsFile, load_settings, print_json
from arb.cli.errors import CommandFailed, UsageError
from arb.cli.run_console import require_terminal, run_with_console
from arb.cli.settings import settings_facts
from arb.cli.steer import engine_root
from arb.core.money import dollars
from arb.engine.app import EngineFailed, RunConfig, run_engine
from arb.engine.board import LogLine
from arb.engine.stopping import StopRequest
from arb.io.lines import write_line
from arb.io.teams_file import packaged_teams
from arb.settings import Mode, SettingsError

LIVE_PHRASE = "trade real money"

CUT_SHORT = (
    "stopped at once by a second signal: what rests at the exchange was not waited for, and each"
    " order may rest there until it times out; arb run takes them up again"
)

MS_PER_S = 1000


def run(
    *,
    mode: Annotated[
        Mode, Parameter(help="What to connect to: sim, paper, demo or live.")
    ] = Mode.SIM,
    live: Annotated[
        bool, Parameter(negative="", help="Needed beside --mode live, with a typed phrase.")
    ] = False,
    headless: Annotated[
        bool, Parameter(negative="", help="Without the console; the log goes to standard error.")
    ] = False,
    seconds: Annotated[float | None, Parameter(help="Stop after so many seconds.")] = None,
    speed: Annotated[
        float | None, Parameter(help="How fast the simulated world moves; only there.")
    ] = None,
    seed: Annotated[
        int | None, Parameter(help="The simulated world's seed: the same makes the same world.")
    ] = None,
    attended: Annotated[bool, Parameter(negative="", show=False)] = False,
    json: Json = False,
    settings: SettingsFile = None,
) -> None:
    """Start the engine, in the simulated world unless told otherwise."""
    _check(mode, live=live, seconds=seconds, speed=speed, seed=seed)
    loaded = load_settings(settings)
    if json and not headless:
        raise UsageError("--json is for headless runs: add --headless")
    if not headless:
        require_terminal()
    if mode is Mode.LIVE:
        _ask_for_the_phrase()
    if headless:
        config = RunConfig(
            settings=loaded,
            mode=mode,
            teams=packaged_teams(),
            state_root=engine_root(loaded),
            seed=seed,
            speed=speed or 1.0,
            seconds=seconds,
            attended=attended,
            on_log=_say,
            on_ready=_fall_silent if attended else None,
        )
        _run_headless(config, json=json)
    else:
        said = f"{LIVE_PHRASE}\n" if live else ""
        arguments = _engine_arguments(mode, seconds, speed, seed, settings)
        run_with_console(arguments, said, engine_root(loaded), settings_facts(loaded))


def _check(
    mode: Mode, *, live: bool, seconds: float | None, speed: float | None, seed: int | None
) -> None:
    if (mode is Mode.LIVE) is not live:
        raise UsageError("real money needs both --mode live and --live; neither goes alone")
    if mode is not Mode.SIM and (speed is not None or seed is not None):
        raise UsageError("--speed and --seed are for the simulated world: leave them out")
    if speed is not None and speed <= 0:
        raise UsageError(f"a speed of {speed:g} goes nowhere: give one above 0")
    if seconds is not None and seconds <= 0:
        raise UsageError(f"{seconds:g} seconds are over before they begin: give more than 0")


def _ask_for_the_phrase() -> None:
    sys.stderr.write(f'This trades real money. Type "{LIVE_PHRASE}" to go on: ')
    sys.stderr.flush()
    if sys.stdin.readline().strip() != LIVE_PHRASE:
        raise UsageError("the phrase was not typed: nothing was started")


def _run_headless(config: RunConfig, *, json: bool) -> None:
    try:
        report = trio.run(_until_stopped, config)
    except EngineFailed as error:
        raise CommandFailed(str(error)) from error
    try:
        if json:
            print_json(report)
        else:
            sys.stdout.write(_summary(report) + "\n")
        sys.stdout.flush()
    except OSError as error:
        text = f"stopped in order, but its report could not be written: {error.strerror}"
        raise CommandFailed(text) from None


async def _until_stopped(config: RunConfig) -> dict[str, Any]:
    """Run, and return the report; raises `CommandFailed` where a second signal cut the stop."""
    stop = StopRequest()
    report: dict[str, Any] | None = None
    failure: Exception | None = None
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_obey, signals, stop, nursery.cancel_scope)
            try:
                report = await run_engine(config, stop)
            except (EngineFailed, SettingsError) as error:
                # Out of the nursery, which would wrap it in a group.
                failure = error
            nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure
    if report is None:
        raise CommandFailed(CUT_SHORT)
    return report


async def _obey(signals: AsyncIterator[int], stop: StopRequest, scope: trio.CancelScope) -> None:
    """Take the first signal for a wish to stop in order, and the second for one to stop now.

    A terminal that closes is no second wish: its shell and the kernel each tell of it.
    """
    async for number in signals:
        if stop.reason is None:
            stop.request(f"signal {signal.Signals(number).name}")
        elif number != signal.SIGHUP:
            scope.cancel()
            return


def _say(line: LogLine) -> None:
    at = datetime.fromtimestamp(line.at_ms / MS_PER_S).astimezone()
    mark = "" if line.level == "info" else f"{line.level}: "
    text = f"{at:%H:%M:%S}.{line.at_ms % MS_PER_S:03d} [{line.tag}] {mark}{line.text}"
    write_line(sys.stderr, text)


def _fall_silent(_directory: Path) -> None:
    """Let go of standard output and error: whoever started the engine hears it by its socket now.

    They are a file of its console's, in a folder that may share a disk with the journal, and would
    grow for as long as the engine lives.
    """
    with Path(os.devnull).open("w") as nowhere:
        for file in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                file.flush()
            os.dup2(nowhere.fileno(), file.fileno())


def _summary(report: dict[str, Any]) -> str:
    if "orders" not in report:
        return f"stopped {report['stopped']}"
    return (
        f"stopped: {report['stopped']}; {report['orders']} orders, {report['fills']} fills,"
        f" P&L {dollars(report['pnl_e6'])} after fees,"
        f" {report['invariant_violations']} invariants violated"
    )


def _engine_arguments(
    mode: Mode, seconds: float | None, speed: float | None, seed: int | None, settings: Path | None
) -> list[str]:
    arguments = ["run", "--headless", "--attended", "--mode", mode.value]
    if mode is Mode.LIVE:
        arguments.append("--live")
    options = {"--seconds": seconds, "--speed": speed, "--seed": seed, "--settings": settings}
    for name, value in options.items():
        if value is not None:
            arguments += [name, str(value)]
    return arguments
