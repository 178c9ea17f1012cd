"""``arb status``: one picture of a running engine, for a person, a script or a screen reader."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from arb.cli.common import Json, print_json, terminal
from arb.cli.errors import CommandFailed, UsageError
from arb.cli.steer import Mode, World, picture_of
from arb.console import formats
from arb.console.market_view import action_cell
from arb.console.money_view import exit_cell
from arb.console.plain import plain_lines
from arb.console.snapshot import Snapshot, Unreadable, read_snapshot
from arb.core.money import contracts

Plain = Annotated[
    bool, Parameter(name="--plain", negative="", help="One fact a line, without any drawing.")
]


def status(
    *, json: Json = False, plain: Plain = False, mode: Mode = None, world: World = None
) -> None:
    """Print one picture of a running engine.

    Example: arb status --json
    """
    if json and plain:
        raise UsageError("--json and --plain exclude each other")
    document = picture_of(mode, world)
    if json:
        print_json(document)
        return
    try:
        picture = read_snapshot(document)
    except Unreadable as error:
        raise CommandFailed(str(error)) from None
    if plain:
        sys.stdout.writelines(f"{line}\n" for line in plain_lines(picture))
    else:
        _show(picture)


def _show(picture: Snapshot) -> None:
    out = terminal()
    for line in plain_lines(picture, brief=True):
        out.print(line)
    if picture.markets:
        out.print(_markets(picture))
    if picture.positions:
        out.print(_positions(picture))


def _markets(picture: Snapshot) -> Table:
    table = Table(title="Live Markets", title_justify="left")
    table.add_column("ticker", no_wrap=True)
    for heading in ("fair", "bid", "ask", "edge"):
        table.add_column(heading, justify="right")
    table.add_column("action")
    table.add_column("why")
    table.add_column("odds age", justify="right")
    table.add_column("latency", justify="right")
    for market in picture.markets:
        table.add_row(
            market.ticker,
            formats.fair(market.fair),
            formats.price(market.bid_e4),
            formats.price(market.ask_e4),
            formats.edge(market.edge_e4),
            action_cell(market).text,
            formats.one_line(market.reason),
            formats.age(market.odds_age_ms),
            formats.latency(market.latency_us),
        )
    return table


def _positions(picture: Snapshot) -> Table:
    table = Table(title="Open Positions", title_justify="left")
    table.add_column("ticker", no_wrap=True)
    table.add_column("count", justify="right")
    table.add_column("entry", justify="right")
    table.add_column("exit")
    table.add_column("open P&L", justify="right")
    for position in picture.positions:
        table.add_row(
            position.ticker,
            contracts(position.count_e2),
            formats.price(position.entry_e4),
            exit_cell(position).text,
            formats.gain(position.unrealised_e6),
        )
    return table
