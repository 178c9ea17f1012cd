"""``arb export``: trades and lots in files for a spreadsheet or a tax adviser."""

from __future__ import annotations

import csv
import importlib
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from arb.cli.common import Json, print_json
from arb.cli.errors import CommandFailed, UsageError
from arb.cli.journal_place import find_place, in_one_line, records_of
from arb.cli.steer import Mode, World
from arb.core.money import count_text, money_text, price_text
from arb.journal.trades import Lot, Trade, account_of

Row = dict[str, object]
Write = Callable[[Path, Sequence[Row]], None]

MS_PER_S = 1000


def export(
    *,
    csv: Annotated[Path | None, Parameter(name="--csv", help="The file to write.")] = None,
    parquet: Annotated[
        Path | None, Parameter(name="--parquet", help="The same, as Parquet; needs pyarrow.")
    ] = None,
    json: Json = False,
    mode: Mode = None,
    world: World = None,
) -> None:
    """Write trades to a file, and lots with their gains to a second one beside it.

    Example: arb export --csv trades.csv
    """
    path = csv or parquet
    if path is None or (csv and parquet):
        raise UsageError("say one of --csv PATH and --parquet PATH")
    write = _write_csv if csv else _parquet_writer()
    place = find_place(mode, world)
    account = in_one_line(place.journal_path, lambda: account_of(records_of(place)))
    lots_path = path.with_stem(f"{path.stem}-lots")
    try:
        write(path, [_trade_row(trade) for trade in account.trades])
        write(lots_path, [_lot_row(lot) for lot in account.lots])
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror or error}") from None
    if json:
        counts = {"trades": len(account.trades), "lots": len(account.lots)}
        print_json({"path": str(path), "lots_path": str(lots_path), **counts})
    else:
        sys.stdout.write(
            f"{len(account.trades)} trades in {path}, {len(account.lots)} lots in {lots_path}\n"
        )


def _trade_row(trade: Trade) -> Row:
    return {
        "time": _utc(trade.at_ms),
        "ticker": trade.ticker,
        "what": trade.what,
        "side": trade.side.value,
        "contracts": Decimal(count_text(trade.count_e2)),
        "price_dollars": Decimal(price_text(trade.price_e4)),
        "fee_dollars": _dollars(trade.fee_e6),
        "gain_dollars": _dollars(trade.gained_e6),
        "held_after": Decimal(count_text(trade.held_e2)),
        "cash_after_dollars": _dollars(trade.cash_e6),
        "liquidity": trade.liquidity,
        "order": trade.order,
        "trade_id": trade.trade_id,
    }


def _lot_row(lot: Lot) -> Row:
    return {
        "ticker": lot.ticker,
        "held": "YES" if lot.is_yes else "NO",
        "contracts": Decimal(count_text(lot.count_e2)),
        "opened": _utc(lot.opened_ms),
        "opened_by": lot.origin,
        "cost_dollars": _dollars(lot.cost_e6),
        "closed": None if lot.closed_ms is None else _utc(lot.closed_ms),
        "closed_by": lot.how,
        "proceeds_dollars": None if lot.proceeds_e6 is None else _dollars(lot.proceeds_e6),
        "fees_dollars": _dollars(lot.fees_e6),
        "gain_dollars": None if lot.gained_e6 is None else _dollars(lot.gained_e6),
    }


def _dollars(money_e6: int) -> Decimal:
    return Decimal(money_text(money_e6))


def _utc(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms // MS_PER_S, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ms % MS_PER_S:03d}Z"


def _write_csv(path: Path, rows: Sequence[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if rows:
            writer.writerow(rows[0])
        writer.writerows(row.values() for row in rows)


def _parquet_writer() -> Write:
    try:
        arrow: Any = importlib.import_module("pyarrow")
        files: Any = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise CommandFailed(
            "--parquet needs pyarrow, which is not installed: pip install pyarrow, or use --csv"
        ) from None

    def write(path: Path, rows: Sequence[Row]) -> None:
        files.write_table(arrow.Table.from_pylist(list(rows)), path)

    return write
