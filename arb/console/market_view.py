"""Live Markets: what each market sees, what it does, and if nothing, why."""

from __future__ import annotations

from arb.console import formats
from arb.console.cells import Cell, Column, Line, Tone
from arb.console.snapshot import Market, Snapshot
from arb.console.table_view import TableView
from arb.console.tickers import TickerNames, ticker_column, ticker_names
from arb.core.money import contracts

REASON_COLUMNS_MAX = 200
# Odds this old are dim: they may be confirmed all the same, but nobody should take them for news.
OLD_ODDS_MS = 60_000
# An actor in one of these states is at work; in any other the state is what matters of its row.
ACTORS_AT_WORK = frozenset({"", "running", "idle", "busy"})

BUYING = frozenset({"TAKER", "MAKER"})
ACTION_TONES = {
    "TAKER": Tone.GOOD,
    "MAKER": Tone.GOOD,
    "RESTING": Tone.WARN,
    "EXITING": Tone.NOTE,
    "SKIP": Tone.DIM,
    "WAIT": Tone.DIM,
}


def markets_table(picture: Snapshot | None) -> TableView[Market]:
    """Return the table of markets, in the engine's order, which does not jump."""
    markets = picture.markets if picture else ()
    names = ticker_names(tuple(market.ticker for market in markets))
    return TableView(
        title="Live Markets",
        note=_note(markets),
        columns=_columns(names),
        rows=markets,
        key=lambda market: market.ticker,
        empty=_why_empty(picture),
        detail=market_detail,
        context=(names,),
    )


def market_detail(market: Market) -> Line:
    """Return one line with what the columns of a narrow table leave out: above all, why."""
    game = formats.one_line(market.game)
    reason = formats.one_line(market.reason) or "no reason given"
    return (
        Cell(formats.one_line(market.ticker), Tone.STRONG),
        Cell(f" {action_cell(market).text}: ", Tone.DIM),
        Cell(reason, Tone.NOTE),
        Cell(f" · {game}" if game else "", Tone.DIM),
    )


def market_facts(market: Market, picture: Snapshot) -> tuple[tuple[str, str], ...]:
    """Return everything known of one market as names and values, for the page of its own."""
    starts = "" if market.start_ms is None else formats.day_clock(market.start_ms, None)
    held = picture.position(market.ticker)
    return (
        ("ticker", market.ticker),
        ("game", market.game),
        ("team", market.team),
        ("starts", starts or "unknown"),
        ("fair value", f"{formats.fair(market.fair)}c from {market.books} confirmed books"),
        ("bid", f"{formats.price(market.bid_e4)}c x {contracts(market.bid_size_e2)}"),
        ("ask", f"{formats.price(market.ask_e4)}c x {contracts(market.ask_size_e2)}"),
        ("edge", _edge_text(market)),
        ("cost as YES", f"{formats.price(market.yes_cost_e4)}c, fee included"),
        ("cost as NO", f"{formats.price(market.no_cost_e4)}c of the opponent's market"),
        ("action", action_cell(market).text),
        ("why", market.reason or "no reason given"),
        ("odds age", formats.age(market.odds_age_ms)),
        ("latency", formats.latency(market.latency_us)),
        ("position", f"{contracts(held.count_e2 if held else market.position_e2)} contracts"),
        ("actor", market.actor or "unknown"),
    )


def action_cell(market: Market) -> Cell:
    """Return what the market does; what its actor suffers comes first."""
    if market.actor not in ACTORS_AT_WORK:
        return Cell(f"!{formats.one_line(market.actor).upper()}", Tone.BAD)
    action = formats.one_line(market.action)
    buys_no = market.buys == "NO" and action in BUYING
    return Cell(f"{action} NO" if buys_no else action, ACTION_TONES.get(action, Tone.PLAIN))


def _columns(names: TickerNames) -> tuple[Column[Market], ...]:
    return (
        ticker_column(names, 0),
        *_PRICE_COLUMNS,
        Column("Action", 8, 5, lambda m, _: action_cell(m), 12, sort=lambda m: m.action),
        Column("Why", 11, 8, _reason, REASON_COLUMNS_MAX, width_good=30),
        Column("Odds", 5, 6, _odds_age, right=True, sort=lambda m: m.odds_age_ms),
        Column(
            "Latency",
            7,
            7,
            lambda m, _: Cell(formats.latency(m.latency_us)),
            right=True,
            sort=lambda m: m.latency_us,
        ),
        Column("Bks", 3, 12, lambda m, _: Cell(str(m.books), Tone.DIM), right=True),
        Column("Held", 5, 9, _held, right=True, sort=lambda m: m.position_e2 or None),
    )


def _fair(market: Market, _width: int) -> Cell:
    return Cell(formats.fair(market.fair), Tone.NOTE if market.fair is not None else Tone.DIM)


def _price(price_e4: int | None) -> Cell:
    return Cell(formats.price(price_e4), Tone.PLAIN if price_e4 is not None else Tone.DIM)


def _size(size_e2: int) -> Cell:
    return Cell(formats.amount(size_e2 / 100) if size_e2 else formats.NOTHING, Tone.DIM)


def _edge(edge_e4: int | None) -> Cell:
    text = formats.edge(edge_e4)
    return Cell(text, Tone.GOOD if text.startswith("+") else Tone.DIM)


def _edge_text(market: Market) -> str:
    of = " as NO" if market.buys == "NO" else ""
    return f"{formats.edge(market.edge_e4)}{of} ({formats.edge(market.net_e4)} after fees)"


def _reason(market: Market, _width: int) -> Cell:
    return Cell(formats.one_line(market.reason), Tone.DIM)


def _odds_age(market: Market, _width: int) -> Cell:
    old = market.odds_age_ms is None or market.odds_age_ms > OLD_ODDS_MS
    return Cell(formats.age(market.odds_age_ms), Tone.DIM if old else Tone.PLAIN)


def _held(market: Market, _width: int) -> Cell:
    if not market.position_e2:
        return Cell(formats.NOTHING, Tone.DIM)
    return Cell(contracts(market.position_e2), Tone.STRONG)


_PRICE_COLUMNS: tuple[Column[Market], ...] = (
    Column("Fair", 5, 1, _fair, right=True, sort=lambda m: m.fair),
    Column("Bid", 5, 2, lambda m, _: _price(m.bid_e4), right=True),
    Column("Size", 5, 11, lambda m, _: _size(m.bid_size_e2), right=True),
    Column("Ask", 5, 3, lambda m, _: _price(m.ask_e4), right=True),
    Column("Size", 5, 11, lambda m, _: _size(m.ask_size_e2), right=True),
    Column("Edge", 6, 4, lambda m, _: _edge(m.edge_e4), right=True, sort=lambda m: m.edge_e4),
    Column("Net", 6, 10, lambda m, _: _edge(m.net_e4), right=True, sort=lambda m: m.net_e4),
)


def _note(markets: tuple[Market, ...]) -> str:
    if not markets:
        return ""
    acting = sum(market.action not in {"SKIP", "WAIT", ""} for market in markets)
    return f"{len(markets)} markets, {acting} acting, Enter says why"


def _why_empty(picture: Snapshot | None) -> str:
    if picture is None:
        return "no picture of the engine yet"
    down = [connection.name for connection in picture.connections if not connection.connected]
    if down:
        return f"no markets: {formats.one_line(', '.join(down))} is not connected"
    if picture.trading.state == "starting":
        return "the engine is starting: markets come once Kalshi's list and the odds are matched"
    return "no game of the followed sports is open on Kalshi and quoted by the odds feed"
