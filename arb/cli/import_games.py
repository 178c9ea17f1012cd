"""``arb import-games``: real recorded prices to a tape that can be replayed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from arb.cli.errors import CommandFailed
from arb.io.teams_file import packaged_teams
from arb.tape.format import TapeError
from arb.tape.import_games import Imported
from arb.tape.import_games import import_games as make_tape


def import_games(
    csv: Annotated[Path, Parameter(help="Rows of time, market, Kalshi's ask and books' odds.")],
    /,
    *,
    tape: Annotated[
        Path, Parameter(name=["-o", "--tape"], help="The tape to make; .gz compresses it.")
    ],
    skip_bad: Annotated[
        bool, Parameter(negative="", help="Count broken lines and go on without them.")
    ] = False,
    force: Annotated[bool, Parameter(negative="", help="Replace a tape that is there.")] = False,
) -> None:
    """Turn recorded prices into a tape of frames as the two feeds would have sent them."""
    try:
        made = make_tape(csv, tape, packaged_teams(), skip_bad=skip_bad, force=force)
    except TapeError as error:
        raise CommandFailed(str(error)) from None
    print(summary(made, tape))
    if made.bad:
        print(f"{made.bad:,} broken lines left out, the last: {made.last_bad}")


def summary(made: Imported, tape: Path) -> str:
    """Return what was made in one line."""
    tape_holds = f"{made.moments:,} moments, {made.markets:,} markets of {made.games:,} games"
    odds = f"{made.odds_frames:,} odds frames with {made.prices:,} prices"
    parts = [
        f"{tape}: {tape_holds}, {made.rows:,} rows",
        f"{made.book_frames:,} book frames, {odds}",
    ]
    if made.crossed:
        parts.append(f"{made.crossed:,} times no bid, because both asks were below a dollar")
    if made.one_sided:
        parts.append(f"{made.one_sided:,} odds of one team only left out")
    return "; ".join(parts)
