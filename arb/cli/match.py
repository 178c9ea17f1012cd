"""``arb match``: which teams two names mean, and which listed game is theirs, step by step."""

from __future__ import annotations

from datetime import date as Date  # noqa: N812 - the option is called date
from pathlib import Path
from typing import Annotated, Any

import attrs
from cyclopts import Parameter

from arb.cli.common import Json, print_json
from arb.cli.errors import CommandFailed, UsageError
from arb.core.matching import KalshiGame
from arb.core.teams import NoTeam, Team, TeamTable, normalise
from arb.core.tickers import BadTicker, ParsedTicker, parse_ticker
from arb.io.teams_file import packaged_teams
from arb.tape.format import TapeError
from arb.tape.reader import TapeReader


@attrs.frozen
class Step:
    """One name as it was given, and the team that it means or why it means none."""

    input: str
    found: Team | NoTeam

    def as_json(self) -> dict[str, Any]:
        """Return it as the JSON form has it."""
        if isinstance(self.found, Team):
            return {"input": self.input, "team": self.found.name, "code": self.found.code}
        candidates = list(self.found.candidates)
        return {"input": self.input, "reason": self.found.reason, "candidates": candidates}


@attrs.frozen
class Answer:
    """What two names mean together; ``listed`` is false where there are no listings to look in."""

    league: str
    date: Date | None
    steps: tuple[Step, ...]
    listed: bool
    events: tuple[str, ...]

    @property
    def reason(self) -> str | None:
        """Return why there is no match, None where there is one."""
        teams = [step.found for step in self.steps if isinstance(step.found, Team)]
        if len(teams) < len(self.steps):
            return "not both names mean a team"
        if teams[0] is teams[1]:
            return f"both names mean the {teams[0].name}"
        if self.listed and not self.events:
            return "no such game is listed"
        if len(self.events) > 1:
            return f"{len(self.events)} such games are listed: {', '.join(self.events)}"
        return None

    def as_json(self) -> dict[str, Any]:
        """Return it as the JSON form has it.

        ``matched`` takes both teams and, where listings were looked through, exactly one game.
        """
        reason = self.reason
        return {
            "matched": reason is None,
            "event": self.events[0] if reason is None and self.events else None,
            "reason": reason,
            "league": self.league,
            "date": self.date.isoformat() if self.date else None,
            "listed": self.listed,
            "teams": [step.as_json() for step in self.steps],
        }


def match(
    first: Annotated[str, Parameter(help="A team, in any spelling a feed might use.")],
    second: Annotated[str, Parameter(help="The other team.")],
    /,
    *,
    league: Annotated[str, Parameter(help="The league: NFL, NBA, MLB or NHL.")],
    date: Annotated[
        Date | None, Parameter(help="The day in US Eastern time, as 2025-08-23.")
    ] = None,
    tape: Annotated[
        Path | None, Parameter(help="Look for the game among those that this tape lists.")
    ] = None,
    json: Json = False,
) -> None:
    """Show which teams two names mean, and which listed game is theirs."""
    table = packaged_teams()
    known = {one.name for one in table.leagues}
    if league.strip().upper() not in known:
        raise UsageError(f"no league {league!r}; there are {', '.join(sorted(known))}")
    answer = find(table, league.strip().upper(), date, (first, second), _listings(tape))
    if json:
        print_json(answer.as_json())
    else:
        print("\n".join(_steps(answer)))


def find(
    table: TeamTable,
    league: str,
    day: Date | None,
    names: tuple[str, str],
    listings: tuple[KalshiGame, ...] | None,
) -> Answer:
    """Return what the names mean, and every listed game of the two teams on the day."""
    steps = tuple(Step(name, table.find(league, name)) for name in names)
    wanted = {step.found for step in steps if isinstance(step.found, Team)}
    parsed = [_parsed(table, listing) for listing in listings or ()]
    events = tuple(
        one.event_ticker
        for one in parsed
        if one is not None and {one.home, one.away} == wanted and day in {None, one.date}
    )
    return Answer(league, day, steps, listings is not None, events)


def _parsed(table: TeamTable, listing: KalshiGame) -> ParsedTicker | None:
    try:
        return parse_ticker(table, listing.event_ticker)
    except BadTicker:
        return None


def _listings(tape: Path | None) -> tuple[KalshiGame, ...] | None:
    if tape is None:
        return None
    try:
        with TapeReader(tape) as reader:
            return reader.header.kalshi_games()
    except TapeError as error:
        raise CommandFailed(str(error)) from None


def _steps(answer: Answer) -> list[str]:
    lines = []
    for step in answer.steps:
        lines.append(f"{step.input!r} compared as {normalise(step.input)!r}")
        if isinstance(step.found, Team):
            lines.append(f"  means the {step.found.name}, {step.found.code} in tickers")
            continue
        lines.append(f"  means no team: {step.found.reason}")
        if step.found.candidates:
            lines.append(f"  candidates: {', '.join(step.found.candidates)}")
    lines.append(_conclusion(answer))
    return lines


def _conclusion(answer: Answer) -> str:
    when = f" on {answer.date}" if answer.date else ""
    if answer.reason is not None:
        return f"No match{when}: {answer.reason}."
    if answer.events:
        return f"Match{when}: {answer.events[0]}"
    return f"Both are {answer.league} teams; --tape TAPE looks for their game{when}."
