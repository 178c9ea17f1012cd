"""``arb compare-feeds``: two sources of odds side by side, live or from tapes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import attrs
import trio
from cyclopts import Parameter
from rich.table import Table

from arb.cli.common import Json, SettingsFile, load_settings, print_json, terminal
from arb.cli.errors import CommandFailed, UsageError
from arb.core.feed_comparison import BookRow, SideRow
from arb.engine.comparing import Compared, CompareFailed, LiveComparison, compare_tapes
from arb.engine.embedded_world import WorldFailed, embedded_world
from arb.feeds.base import FeedError
from arb.io.clock import SystemClock
from arb.io.net import SocketNetwork
from arb.io.teams_file import packaged_teams
from arb.settings import Mode, OddsPlace, Settings, SettingsError, odds_places
from arb.settings.sections import PROVIDERS
from arb.tape.format import TapeError

SECONDS = 60.0
TWO = 2
PERCENT = 100


def compare_feeds(
    *tapes: Path,
    provider: Annotated[
        tuple[str, ...],
        Parameter(help="Whom to compare, given twice; without it the first two of the settings."),
    ] = (),
    seconds: Annotated[float, Parameter(help="How long to listen.")] = SECONDS,
    mode: Annotated[
        Mode, Parameter(help="sim compares in the simulated world; any other the real providers.")
    ] = Mode.SIM,
    json: Json = False,
    settings: SettingsFile = None,
) -> None:
    """Compare two providers' latency, coverage and prices book by book, and who moves first.

    Parameters
    ----------
    tapes
        Two tapes, or one of two providers; without any, two providers are listened to.
    """
    if len(tapes) > TWO:
        raise UsageError(f"{len(tapes)} tapes are too many: give one or two")
    if seconds <= 0:
        raise UsageError(f"{seconds:g} seconds are over before they begin: give more than 0")
    try:
        if tapes:
            compared = compare_tapes(tapes, packaged_teams())
        else:
            chosen = _with_two(load_settings(settings), provider)
            compared = trio.run(_listen, chosen, mode, seconds)
    except (TapeError, CompareFailed, FeedError, WorldFailed) as error:
        raise CommandFailed(str(error)) from error
    if json:
        print_json(as_json(compared))
    else:
        _print(compared)


def as_json(compared: Compared) -> dict[str, Any]:
    """Return a comparison as one object; chances are shares of one."""
    one, other = compared.names
    return {
        "providers": [one, other],
        "seconds": compared.seconds,
        "games": {"first": compared.games[0], "second": compared.games[1]},
        "games_in_common": compared.common,
        "books": [
            {
                "book": row.book,
                "first": attrs.asdict(row.sides[0]),
                "second": attrs.asdict(row.sides[1]),
                "apart_mean": row.apart_mean,
                "apart_max": row.apart_max,
                "lead_p50_ms": row.lead_p50_ms,
            }
            for row in compared.rows
        ],
    }


def _with_two(settings: Settings, provider: tuple[str, ...]) -> Settings:
    chosen = provider or settings.odds_feed.provider[:TWO]
    unknown = [each for each in chosen if each not in PROVIDERS]
    if unknown:
        raise UsageError(f"unknown provider {unknown[0]!r}; known are {', '.join(PROVIDERS)}")
    if len(set(chosen)) != TWO or len(chosen) != TWO:
        raise UsageError(
            f"two providers are compared, not {', '.join(chosen)}: give --provider twice,"
            " or two in odds_feed.provider"
        )
    return attrs.evolve(settings, odds_feed=attrs.evolve(settings.odds_feed, provider=chosen))


async def _listen(settings: Settings, mode: Mode, seconds: float) -> Compared:
    async with _places(settings, mode) as places:
        live = LiveComparison(SocketNetwork(), SystemClock(), settings, places, packaged_teams())
        return await live.run(seconds)


@asynccontextmanager
async def _places(settings: Settings, mode: Mode) -> AsyncIterator[tuple[OddsPlace, OddsPlace]]:
    if mode is not Mode.SIM:
        try:
            one, other = odds_places(settings)
        except SettingsError as error:
            raise UsageError(str(error)) from error
        yield one, other
        return
    async with embedded_world(seed=None, speed=1.0) as world:
        first, second = (world.odds[each] for each in settings.odds_feed.provider)
        yield first, second


def _print(compared: Compared) -> None:
    out = terminal()
    one, other = compared.names
    out.print(
        f"{one} and {other} over {compared.seconds:.0f} s: {compared.games[0]} and"
        f" {compared.games[1]} games, {compared.common} in common"
    )
    table = Table()
    table.add_column("book", no_wrap=True)
    for heading in (
        "games",
        "changes",
        "ms p50 / p90",
        "moved first",
        "lead ms",
        "apart mean",
        "apart max",
    ):
        table.add_column(heading, justify="right")
    for row in compared.rows:
        table.add_row(*_cells(row))
    out.print(table)
    out.print(
        f"each cell: {one} | {other}; ms is from the source's stamp to our receipt, apart in"
        " percentage points of chance"
    )


def _cells(row: BookRow) -> tuple[str, ...]:
    one, other = row.sides
    return (
        row.book,
        f"{one.games} | {other.games}",
        f"{one.changes} | {other.changes}",
        f"{_latency(one)} | {_latency(other)}",
        f"{one.moved_first} | {other.moved_first}",
        "-" if row.lead_p50_ms is None else str(row.lead_p50_ms),
        _points(row.apart_mean),
        _points(row.apart_max),
    )


def _latency(side: SideRow) -> str:
    if side.latency_p50_ms is None:
        return "-"
    return f"{side.latency_p50_ms} / {side.latency_p90_ms}"


def _points(chance: float | None) -> str:
    return "-" if chance is None else f"{chance * PERCENT:.2f}"
