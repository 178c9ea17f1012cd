"""Open Positions and Recent Trades: what is held, how it is to be closed, what orders became."""

from __future__ import annotations

from datetime import tzinfo

from arb.console import formats
from arb.console.cells import Cell, Column, Tone
from arb.console.header_view import gain_tone
from arb.console.snapshot import Position, Snapshot, Trade
from arb.console.table_view import TableView
from arb.console.tickers import TickerNames, ticker_column, ticker_names
from arb.core.money import ONE_DOLLAR_E4, contracts

WHAT_TONES = {
    "filled": Tone.GOOD,
    "filled by hand": Tone.GOOD,
    "resting": Tone.WARN,
    "canceled": Tone.DIM,
    "refused": Tone.BAD,
    "unknown": Tone.BAD,
}
# What nobody may overlook carries a sign beside its colour.
WHAT_SIGNS = {"refused": "!", "unknown": "?"}


def positions_table(picture: Snapshot | None) -> TableView[Position]:
    """Return what is held, each with the sale that rests against it, or that none does."""
    # What has no sale resting comes first: it is what a person has to see to.
    held = picture.positions if picture else ()
    positions = tuple(sorted(held, key=lambda position: exit_cell(position).tone is not Tone.BAD))
    names = _names(picture)
    return TableView(
        title="Open Positions",
        note=f"{len(positions)} open" if positions else "",
        columns=_position_columns(names),
        rows=positions,
        key=lambda position: position.ticker,
        empty=_why_no_position(picture),
        heading=False,
        context=(names,),
    )


def trades_table(picture: Snapshot | None, zone: tzinfo | None) -> TableView[Trade]:
    """Return what became of the last orders, the newest first."""
    trades = picture.trades if picture else ()
    names = _names(picture)
    return TableView(
        title="Recent Trades",
        note=f"last {len(trades)}" if trades else "",
        columns=_trade_columns(names, zone),
        rows=trades,
        key=lambda trade: f"{trade.at_ms} {trade.ticker} {trade.side} {trade.what}",
        empty=_why_no_trade(picture),
        heading=False,
        newest_first=True,
        context=(names, zone),
    )


def exit_cell(position: Position) -> Cell:
    """Return the resting exit of a position; one that is missing or short is an alarm.

    What is held as NO is bought back.
    """
    ours_e2 = abs(position.count_e2 - position.by_hand_e2)
    noun, verb = ("BID", "Buy") if position.is_no else ("SALE", "Sell")
    if not ours_e2:
        return Cell(f"by hand, yours to {verb.lower()}", Tone.PLAIN)
    if position.exit_e4 is None or not position.exit_remaining_e2:
        return Cell(f"! NO {noun} RESTING", Tone.BAD)
    price = formats.price(position.exit_e4)
    if position.exit_remaining_e2 != ours_e2:
        part = f"{contracts(position.exit_remaining_e2)} of {contracts(ours_e2)}"
        return Cell(f"! {verb} {part} resting @ {price}c", Tone.BAD)
    if position.is_no:
        # Beside what the NO cost, the price of the bid alone looks like a loss.
        as_no = formats.price(ONE_DOLLAR_E4 - position.exit_e4)
        return Cell(f"Buy @ {price}c = NO @ {as_no}c", Tone.WARN)
    return Cell(f"{verb} resting @ {price}c", Tone.WARN)


def _names(picture: Snapshot | None) -> TickerNames:
    return ticker_names(tuple(market.ticker for market in picture.markets) if picture else ())


def _position_columns(names: TickerNames) -> tuple[Column[Position], ...]:
    return (
        ticker_column(names, 0),
        Column("Bought", 18, 3, lambda p, _: _bought(p), 24),
        Column("Exit", 21, 1, lambda p, _: exit_cell(p), 30),
        Column("P&L", 9, 2, lambda p, _: _gain(p.unrealised_e6), 11, right=True),
        Column("Closed", 16, 4, lambda p, _: _closed(p), 18, right=True),
    )


def _bought(position: Position) -> Cell:
    count = f"{contracts(abs(position.count_e2))}{' NO' if position.is_no else ''}"
    return Cell(f"Bought {count} @ {formats.price(position.entry_e4)}c")


def _gain(money_e6: int | None) -> Cell:
    if money_e6 is None:
        return Cell("")
    return Cell(formats.gain(money_e6), gain_tone(money_e6))


def _closed(position: Position) -> Cell:
    if not position.realised_e6:
        return Cell("")
    return Cell(f"{formats.gain(position.realised_e6)} closed", gain_tone(position.realised_e6))


def _trade_columns(names: TickerNames, zone: tzinfo | None) -> tuple[Column[Trade], ...]:
    return (
        Column("Time", 8, 0, lambda t, _: Cell(formats.clock(t.at_ms, zone), Tone.DIM)),
        Column("Side", 4, 1, lambda t, _: _side(t)),
        Column("Count", 5, 2, lambda t, _: Cell(f"{contracts(t.count_e2)}x"), right=True),
        ticker_column(names, 3),
        Column("Price", 7, 4, lambda t, _: Cell(f"@ {formats.price(t.price_e4)}c"), 8),
        Column("What", 15, 5, lambda t, _: _what(t), 17),
        Column("P&L", 11, 6, lambda t, _: _net(t), 13, right=True),
        Column("Took", 6, 7, lambda t, _: _took(t), right=True),
    )


def _side(trade: Trade) -> Cell:
    return Cell(formats.one_line(trade.side), Tone.NOTE if trade.side == "BUY" else Tone.PLAIN)


def _what(trade: Trade) -> Cell:
    sign = WHAT_SIGNS.get(trade.what, "")
    liquidity = f" {formats.one_line(trade.liquidity)}" if trade.liquidity else ""
    return Cell(
        f"{sign}{formats.one_line(trade.what).upper()}{liquidity}",
        WHAT_TONES.get(trade.what, Tone.PLAIN),
    )


def _net(trade: Trade) -> Cell:
    if trade.pnl_e6 is None:
        return Cell("")
    return Cell(f"{formats.gain(trade.pnl_e6)} net", gain_tone(trade.pnl_e6))


def _took(trade: Trade) -> Cell:
    return Cell("" if trade.latency_us is None else formats.latency(trade.latency_us), Tone.DIM)


def _why_no_position(picture: Snapshot | None) -> str:
    if picture is None:
        return "no picture of the engine yet"
    if not picture.counts.fills:
        return "nothing held: no order has been filled yet"
    return "nothing held: every position is closed"


def _why_no_trade(picture: Snapshot | None) -> str:
    if picture is None:
        return "no picture of the engine yet"
    if picture.trading.state != "running":
        return f"no order yet: trading is {formats.one_line(picture.trading.state)}"
    return "no order yet: no market has shown enough edge after fees"
