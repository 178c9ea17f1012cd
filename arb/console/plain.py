"""A picture as plain lines, one fact each: for scripts, logs and screen readers."""

from __future__ import annotations

from collections.abc import Iterator

from arb.console import formats
from arb.console.market_view import action_cell
from arb.console.money_view import exit_cell
from arb.console.snapshot import Connection, Market, Position, Snapshot
from arb.core.money import contracts, dollars


def plain_lines(picture: Snapshot, *, brief: bool = False) -> Iterator[str]:
    """Return the facts of a picture; ``brief`` leaves out markets and positions."""
    account = picture.account
    yield f"mode: {formats.one_line(picture.mode_words or picture.mode)}"
    yield f"world: {formats.one_line(picture.world)}, version {picture.version}"
    yield f"trading: {_trading(picture)}"
    for alarm in picture.alarms:
        yield f"alarm {formats.one_line(f'{alarm.name}: {alarm.text}')}"
    yield f"uptime: {formats.duration(picture.uptime_ms)}"
    yield f"balance: {dollars(account.balance_e6)}"
    yield f"exposure: {dollars(account.exposure_e6)} of {dollars(account.exposure_limit_e6)}"
    yield (
        f"profit and loss: {formats.gain(account.realised_e6)} closed, "
        f"{formats.gain(account.unrealised_e6)} open, fees {dollars(account.fees_e6)}"
    )
    most = dollars(account.day_loss_max_e6)
    yield f"today: {formats.gain(account.day_e6)}, halts at a loss of {most}"
    for connection in picture.connections:
        yield f"connection {_connection(connection, picture.at_ms)}"
    counts = picture.counts
    yield f"orders: {counts.orders}, fills: {counts.fills}, exits: {counts.exits}"
    yield (f"invariants: {counts.invariant_checks} checked, {counts.invariant_violations} violated")
    for code, count in counts.refusals.items():
        yield f"refused {formats.one_line(code)}: {count}"
    for bad in picture.bad_input:
        yield f"bad input {formats.one_line(f'{bad.source}, {bad.reason}')}: {bad.count}"
    if not brief:
        yield from map(_position, picture.positions)
        yield from map(_market, picture.markets)


def _trading(picture: Snapshot) -> str:
    state = formats.one_line(picture.trading.state)
    reasons = formats.one_line("; ".join(picture.trading.reasons))
    return f"{state}: {reasons}" if reasons else state


def _connection(connection: Connection, at_ms: int) -> str:
    name = formats.one_line(connection.name)
    if connection.connected:
        return f"{name}: connected, last sign of life {formats.age(connection.age_ms)} ago"
    since = formats.age(at_ms - connection.since_ms)
    detail = formats.one_line(connection.detail)
    return f"{name}: down for {since}{f', {detail}' if detail else ''}"


def _position(position: Position) -> str:
    return (
        f"position {formats.one_line(position.ticker)}: {contracts(position.count_e2)} at "
        f"{formats.price(position.entry_e4)}c, {exit_cell(position).text}, "
        f"open {formats.gain(position.unrealised_e6)}"
    )


def _market(market: Market) -> str:
    return (
        f"market {formats.one_line(market.ticker)}: fair {formats.fair(market.fair)}c, "
        f"bid {formats.price(market.bid_e4)}c, ask {formats.price(market.ask_e4)}c, "
        f"edge {formats.edge(market.edge_e4)}, {action_cell(market).text}, "
        f"{formats.one_line(market.reason)}"
    )
