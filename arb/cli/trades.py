"""``arb trades``: every fill and every settled market, with fees and what it gained."""

from __future__ import annotations

from typing import Annotated, Any

import attrs
from cyclopts import Parameter
from rich.table import Table

from arb.cli.common import Json, print_json, terminal
from arb.cli.errors import UsageError
from arb.cli.journal_place import clock_text, find_place, in_one_line, records_of, told
from arb.cli.steer import Mode, World
from arb.console import formats
from arb.core.events import Side
from arb.core.money import cents, contracts, dollars
from arb.journal.trades import Trade, account_of

# What fits a screen; --last says otherwise.
SHOWN = 50


def trades(
    ticker: Annotated[str | None, Parameter(help="Of this market alone.")] = None,
    /,
    *,
    last: Annotated[int, Parameter(help="How many of the latest; 0 is all.")] = SHOWN,
    json: Json = False,
    mode: Mode = None,
    world: World = None,
) -> None:
    """Print what was bought, sold and settled, with fees and gains.

    Example: arb trades --last 20
    """
    if last < 0:
        raise UsageError(f"--last {last} must be 0 or more")
    place = find_place(mode, world)
    account = in_one_line(place.journal_path, lambda: account_of(records_of(place)))
    of_market = [each for each in account.trades if ticker in (None, each.ticker)]
    shown = of_market[-last:] if last else of_market
    if json:
        print_json({"journal": str(place.journal_path), "trades": [as_json(one) for one in shown]})
        return
    out = terminal()
    out.print(f"{told(place)}: {len(of_market)} trades, the last {len(shown)}")
    if shown:
        out.print(_table(shown))


def as_json(trade: Trade) -> dict[str, Any]:
    """Return a trade as the JSON form has it: every field, in the units of its name."""
    return attrs.asdict(trade)


def _table(shown: list[Trade]) -> Table:
    table = Table()
    for heading in ("time", "ticker", "what"):
        table.add_column(heading, no_wrap=True)
    for heading in ("count", "price", "fee", "gain", "held after"):
        table.add_column(heading, justify="right")
    for trade in shown:
        verb = "BUY" if trade.side is Side.BID else "SELL"
        table.add_row(
            clock_text(trade.at_ms),
            trade.ticker,
            f"{verb} {trade.what} {trade.liquidity}".rstrip(),
            contracts(trade.count_e2),
            cents(trade.price_e4),
            dollars(trade.fee_e6),
            formats.gain(trade.gained_e6),
            contracts(trade.held_e2),
        )
    return table
