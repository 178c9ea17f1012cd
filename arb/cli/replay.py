"""``arb replay``: a recorded day through the same actors."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from arb.cli.common import Json, SettingsFile, load_settings, print_json, terminal
from arb.cli.errors import CommandFailed, UsageError
from arb.core.money import dollars
from arb.engine.edges import EdgeReport, lines_of
from arb.engine.replay import Replay
from arb.io.teams_file import packaged_teams
from arb.tape.format import TapeError

# An approval lives 50 ms of the tape's time; faster than this, the machine's own time between
# approving and sending would use it up.
SPEED_MAX = 100.0


def replay(
    tape: Path,
    *,
    speed: Annotated[
        float | None,
        Parameter(help="Times real time; without it, as fast as the engine can."),
    ] = None,
    skip_bad: Annotated[
        bool, Parameter(negative="", help="Count broken lines and go on instead of ending.")
    ] = False,
    edges: Annotated[
        bool,
        Parameter(negative="", help="Only count the edges and what prices did afterwards."),
    ] = False,
    json: Json = False,
    settings: SettingsFile = None,
) -> None:
    """Play a tape and say what would have been traded; no order leaves this machine.

    Parameters
    ----------
    tape
        The tape to play.
    """
    if speed is not None and not 0 < speed <= SPEED_MAX:
        raise UsageError(
            f"a speed of {speed:g} is not above 0 and at most {SPEED_MAX:g};"
            " without --speed a replay is as fast as it can be"
        )
    if edges:
        _print_edges(EdgeReport(tape, load_settings(settings), packaged_teams()), json=json)
        return
    play = Replay(tape, load_settings(settings), packaged_teams(), speed, skip_bad)
    try:
        result = play.run()
    except TapeError as error:
        raise CommandFailed(str(error)) from error
    if json:
        print_json(result)
        return
    screen = terminal()
    screen.print(
        f"{result['frames']} frames, {result['quotes']} quotes, {result['markets']} markets"
    )
    screen.print(f"decisions {result['decisions']}, refusals {result['refusals']}")
    screen.print(
        f"{result['orders']} orders, {result['fills']} fills,"
        f" P&L {dollars(result['pnl_e6'])} at the last bids, after fees"
    )
    screen.print(f"state {result['state_hash']}")


def _print_edges(report: EdgeReport, *, json: bool) -> None:
    try:
        found = report.run()
    except TapeError as error:
        raise CommandFailed(str(error)) from error
    if json:
        print_json(found)
    else:
        sys.stdout.writelines(f"{line}\n" for line in lines_of(found))
