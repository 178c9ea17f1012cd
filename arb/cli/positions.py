"""``arb positions``: what is held, what rests to close it, and what came of everything so far."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from arb.cli.common import Json, print_json, terminal
from arb.cli.journal_place import find_place, in_one_line, records_of, told
from arb.cli.steer import Mode, World
from arb.console import formats
from arb.core.ledger import Position
from arb.core.money import cents, contracts, dollars
from arb.journal.trades import Account, account_of


def positions(*, json: Json = False, mode: Mode = None, world: World = None) -> None:
    """Print what is held, with its cost, its exits and its fees.

    Example: arb positions
    """
    place = find_place(mode, world)
    account = in_one_line(place.journal_path, lambda: account_of(records_of(place)))
    if json:
        print_json({"journal": str(place.journal_path), **as_json(account)})
        return
    out = terminal()
    net_e6 = account.realised_e6 - account.fees_e6
    out.print(
        f"{told(place)}: {dollars(account.ledger.cash_e6)} in cash, {len(account.held)} positions;"
        f" realised {formats.gain(net_e6)} after {dollars(account.fees_e6)} of fees"
    )
    if account.held:
        out.print(_table(account))


def as_json(account: Account) -> dict[str, Any]:
    """Return what is held and the sums over all markets, in the units of their names."""
    return {
        "cash_e6": account.ledger.cash_e6,
        "realised_e6": account.realised_e6,
        "fees_e6": account.fees_e6,
        "positions": [
            {
                "ticker": held.ticker,
                "count_e2": held.count_e2,
                "entry_e4": held.entry_e4,
                "cost_e6": held.cost_e6,
                "realised_e6": held.realised_e6,
                "fees_e6": held.fees_e6,
                "exits": _exits(account, held),
            }
            for held in account.held
        ],
    }


def _exits(account: Account, held: Position) -> list[dict[str, Any]]:
    return [
        {
            "id": order.client_order_id,
            "price_e4": order.price_e4,
            "count_e2": order.at_stake_e2,
            "state": order.state,
        }
        for order in account.ledger.at_stake(held.ticker)
        if not order.is_entry
    ]


def _table(account: Account) -> Table:
    table = Table()
    table.add_column("ticker", no_wrap=True)
    for heading in ("count", "entry", "cost", "realised", "fees"):
        table.add_column(heading, justify="right")
    table.add_column("exits")
    for held in account.held:
        exits = ", ".join(
            f"{contracts(each['count_e2'])} at {cents(each['price_e4'])} {each['state']}"
            for each in _exits(account, held)
        )
        table.add_row(
            held.ticker,
            contracts(held.count_e2),
            cents(held.entry_e4),
            dollars(held.cost_e6),
            formats.gain(held.realised_e6),
            dollars(held.fees_e6),
            exits or "none rests",
        )
    return table
