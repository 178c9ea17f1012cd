"""One market closely: its ladder, every book's quote, the decision step by step, what is ours."""

from __future__ import annotations

from datetime import tzinfo

import attrs

from arb.console import formats
from arb.console.cells import Cell, Column, Tone
from arb.console.closeups import BookQuote, Level, Look, MarketCloseup
from arb.console.fact_view import Fact, facts_table
from arb.console.history import Point
from arb.console.money_view import WHAT_TONES
from arb.console.snapshot import Market, Snapshot
from arb.console.spark import bar
from arb.console.table_view import TableView
from arb.core.money import contracts

# A price that has not changed for so long is dim: nobody should take it for news.
OLD_QUOTE_MS = 60_000
DEPTH_COLUMNS_MAX = 24
TEXT_COLUMNS_MAX = 60
E4_PER_DOLLAR = 10_000


@attrs.frozen
class LadderRow:
    """One line of the ladder; a bid, an ask, or with neither the line between them."""

    price_e4: int | None
    bid_e2: int = 0
    ask_e2: int = 0
    own_e2: int = 0
    deepest_e2: int = 0
    text: str = ""


@attrs.frozen
class OwnRow:
    """One order or fill of ours: when or how long, what, at which price, and its state."""

    when: str
    what: str
    count_e2: int
    price_e4: int
    state: str
    tone: Tone
    number: int


def seen_market(ticker: str, look: Look | None) -> MarketCloseup | None:
    """Return what was seen of this market, None before an answer."""
    seen = look.seen if look is not None else None
    return seen if isinstance(seen, MarketCloseup) and seen.ticker == ticker else None


def ladder_table(seen: MarketCloseup | None, why: str) -> TableView[LadderRow]:
    """Return the book, asks above bids, with our own part of every level."""
    book = seen.book if seen is not None else None
    empty = why
    rows: tuple[LadderRow, ...] = ()
    if seen is not None and book is None:
        empty = "the book feed does not answer: look at its row on the actors screen"
    elif book is not None and book.fault is not None:
        empty = f"the book is not trusted: {book.fault}"
    elif book is not None and not (book.bids or book.asks):
        empty = "nobody bids and nobody offers"
    elif book is not None:
        rows = _ladder(book.bids, book.asks)
    return TableView(
        title="Ladder",
        note="ours *" if any(row.own_e2 for row in rows) else "",
        columns=_LADDER_COLUMNS,
        rows=rows,
        key=lambda row: str(row.price_e4),
        empty=empty,
        start=next((i for i, row in enumerate(rows) if row.price_e4 is None), 0),
    )


def quotes_table(seen: MarketCloseup | None, why: str) -> TableView[BookQuote]:
    """Return every sportsbook's quote, those that count first."""
    odds = seen.odds if seen is not None else None
    if seen is not None and odds is None:
        why = "the market's actor does not answer: restart or release it with R or U"
    elif odds is not None:
        why = "no sportsbook has quoted this game yet"
    quotes = odds.quotes if odds is not None else ()
    rows = sorted(quotes, key=lambda each: (each.standing != "counted", -(each.chance or 0.0)))
    spread = "" if odds is None or odds.spread is None else f"within {odds.spread * 100:.1f}c"
    return TableView(
        title="Sportsbooks",
        note=f"{odds.counted} counted {spread}".strip() if odds is not None else "",
        columns=_QUOTE_COLUMNS,
        rows=tuple(rows),
        key=lambda quote: f"{quote.provider} {quote.book}",
        empty=why,
    )


def own_table(
    ticker: str, seen: MarketCloseup | None, picture: Snapshot | None, zone: tzinfo | None
) -> TableView[OwnRow]:
    """Return our orders at stake in this market, then what became of the last ones."""
    rows = [
        OwnRow(
            f"{formats.age(order.age_ms)} ago",
            f"{order.purpose} {'BUY' if order.side == 'bid' else 'SELL'}",
            order.count_e2,
            order.price_e4,
            order.state,
            Tone.WARN,
            -index,
        )
        for index, order in enumerate(seen.orders if seen is not None else ())
    ]
    trades = picture.trades if picture is not None else ()
    rows += [
        OwnRow(
            formats.clock(trade.at_ms, zone),
            f"{trade.liquidity} {trade.side}".strip(),
            trade.count_e2,
            trade.price_e4,
            trade.what.upper(),
            WHAT_TONES.get(trade.what, Tone.PLAIN),
            trade.at_ms,
        )
        for trade in trades
        if trade.ticker == ticker
    ]
    return TableView(
        title="Our Orders and Fills",
        note=f"{len(rows)}" if rows else "",
        columns=_OWN_COLUMNS,
        rows=tuple(rows),
        key=lambda row: f"{row.number} {row.what} {row.state}",
        empty="nothing of ours rests here, and none of the last 100 trades was here",
        heading=False,
    )


def decision_table(
    market: Market | None,
    seen: MarketCloseup | None,
    picture: Snapshot | None,
    points: tuple[Point, ...],
    why: str,
) -> TableView[Fact]:
    """Return every gate between the odds and an order, in order, each open or shut."""
    if market is None or picture is None:
        return facts_table("Market", (), empty=why)
    # Why it does what it does comes before how it came there: on a small terminal the rest scrolls.
    facts = [_result(market), _trading(picture)]
    if seen is not None:
        facts += _of_closeup(market, seen)
    facts += [_held(market, picture), *_courses(market, points)]
    note = formats.one_line(f"{market.game}, pays if {market.team} wins")
    return facts_table(formats.one_line(market.ticker), facts, empty=why, note=note)


def _result(market: Market) -> Fact:
    acts = market.action not in {"SKIP", "WAIT", "REFUSED"}
    reason = market.reason or "no reason given"
    return Fact("Now", f"{market.action}: {reason}", acts, tone=Tone.STRONG)


def _courses(market: Market, points: tuple[Point, ...]) -> list[Fact]:
    fairs = tuple(None if p.fair is None else p.fair * E4_PER_DOLLAR for p in points)
    bids, asks = tuple(p.bid_e4 for p in points), tuple(p.ask_e4 for p in points)
    known = [value for each in (fairs, bids, asks) for value in each if value is not None]
    low, high = (min(known), max(known)) if known else (None, None)
    age = f"odds {formats.age(market.odds_age_ms)} old"
    return [
        Fact("Ask", f"{formats.price(market.ask_e4)}c", None, asks, low, high),
        Fact("Fair", f"{formats.fair(market.fair)}c", None, fairs, low, high, tone=Tone.NOTE),
        Fact("Bid", f"{formats.price(market.bid_e4)}c", None, bids, low, high),
        Fact("Age", f"{age}, decision took {formats.latency(market.latency_us)}"),
    ]


def _trading(picture: Snapshot) -> Fact:
    state = picture.trading.state
    reasons = "; ".join(picture.trading.reasons)
    return Fact("Trading", f"{state}{f': {reasons}' if reasons else ''}", state == "running")


def _of_closeup(market: Market, seen: MarketCloseup) -> list[Fact]:
    facts = [Fact("Listing", seen.listing or f"open, {seen.status}", seen.listing is None)]
    odds, book = seen.odds, seen.book
    if odds is None:
        facts.append(Fact("Actor", "does not answer: it is down or busy", good=False))
    else:
        enough = odds.no_consensus is None
        why = f"{odds.counted} books count, {seen.min_books} are needed"
        facts.append(Fact("Odds", why if enough else f"{odds.no_consensus}: {why}", enough))
        fresh = odds.newest_change_ms is not None and odds.newest_change_ms <= seen.stale_ms
        newest = formats.age(odds.newest_change_ms)
        limit = formats.age(seen.stale_ms)
        text = f"last price change {newest} ago; one triggers for {limit}"
        facts.append(Fact("Fresh", text, fresh))
        if odds.fair is not None and odds.spread is not None:
            spread = f"the books are within {odds.spread * 100:.1f}c"
            facts.append(Fact("Consensus", f"{formats.fair(odds.fair)}c, {spread}", good=True))
    fault = "the book feed does not answer" if book is None else book.fault
    facts.append(Fact("Book", fault or "live", fault is None))
    return facts + _edges(market, seen)


def _edges(market: Market, seen: MarketCloseup) -> list[Fact]:
    if market.edge_e4 is None:
        return [Fact("Edge", "not worked out: see what is shut above", good=False)]
    taker, maker = formats.price(seen.taker_edge_e4), formats.price(seen.maker_edge_e4)
    of = " as NO" if market.buys == "NO" else ""
    text = f"{formats.edge(market.edge_e4)}{of}; a maker needs {maker}c, a taker {taker}c"
    facts = [Fact("Edge", text, market.edge_e4 >= min(seen.maker_edge_e4, seen.taker_edge_e4))]
    if market.net_e4 is not None:
        least = formats.price(seen.min_net_e4)
        net = f"{formats.edge(market.net_e4)} a contract after fees; {least}c is the least"
        facts.append(Fact("Net", net, market.net_e4 >= seen.min_net_e4))
    return facts


def _held(market: Market, picture: Snapshot) -> Fact:
    held = picture.position(market.ticker)
    if held is None:
        return Fact("Position", "nothing held")
    what = f"{contracts(abs(held.count_e2))}{' NO' if held.is_no else ''}"
    text = f"{what} bought at {formats.price(held.entry_e4)}c"
    if held.exit_e4 is None:
        sale = f"no {'purchase' if held.is_no else 'sale'} rests"
    else:
        way = "bid for" if held.is_no else "on sale"
        sale = f"{way} at {formats.price(held.exit_e4)}c"
    gain = formats.gain(held.unrealised_e6)
    return Fact("Position", f"{text}, {sale}, {gain} open", held.exit_e4 is not None)


def _ladder(bids: tuple[Level, ...], asks: tuple[Level, ...]) -> tuple[LadderRow, ...]:
    deepest_e2 = max(level.size_e2 for level in (*bids, *asks))
    above = [
        LadderRow(each.price_e4, 0, each.size_e2, each.own_e2, deepest_e2)
        for each in reversed(asks)
    ]
    below = [LadderRow(each.price_e4, each.size_e2, 0, each.own_e2, deepest_e2) for each in bids]
    return (*above, _between(bids, asks), *below)


def _between(bids: tuple[Level, ...], asks: tuple[Level, ...]) -> LadderRow:
    if not bids or not asks:
        return LadderRow(None, text="no bids" if not bids else "no asks")
    gap = formats.price(asks[0].price_e4 - bids[0].price_e4)
    return LadderRow(None, text=f"─ {gap}c ─")


def _depth(row: LadderRow, width: int) -> Cell:
    size_e2 = row.bid_e2 or row.ask_e2
    return Cell(bar(size_e2, row.deepest_e2, width), Tone.GOOD if row.bid_e2 else Tone.WARN)


def _size(size_e2: int) -> Cell:
    return Cell(formats.amount(size_e2 / 100) if size_e2 else "")


def _own(row: LadderRow) -> Cell:
    return Cell(f"*{contracts(row.own_e2)}" if row.own_e2 else "", Tone.STRONG)


def _level(row: LadderRow) -> Cell:
    return Cell(row.text, Tone.DIM) if row.price_e4 is None else Cell(formats.price(row.price_e4))


_LADDER_COLUMNS: tuple[Column[LadderRow], ...] = (
    Column("Ours", 5, 2, lambda row, _: _own(row), right=True),
    Column("Bids", 6, 1, lambda row, _: _size(row.bid_e2), right=True),
    Column("Price", 7, 0, lambda row, _: _level(row), right=True),
    Column("Asks", 6, 1, lambda row, _: _size(row.ask_e2)),
    Column("Depth", 5, 3, _depth, DEPTH_COLUMNS_MAX),
)


def _standing(quote: BookQuote) -> Cell:
    tone = Tone.GOOD if quote.standing == "counted" else Tone.WARN
    return Cell(formats.one_line(quote.standing), tone)


def _quote_age(age_ms: int) -> Cell:
    return Cell(formats.age(age_ms), Tone.DIM if age_ms > OLD_QUOTE_MS else Tone.PLAIN)


def _weight(quote: BookQuote) -> Cell:
    return Cell(f"{quote.weight_percent}%", Tone.STRONG if quote.weight_percent else Tone.DIM)


_QUOTE_COLUMNS: tuple[Column[BookQuote], ...] = (
    Column("Book", 10, 0, lambda q, _: Cell(formats.one_line(q.book), Tone.STRONG), 16),
    Column("Fair", 5, 1, lambda q, _: Cell(formats.fair(q.chance), Tone.NOTE), right=True),
    Column("Chg", 5, 2, lambda q, _: _quote_age(q.changed_ms), right=True),
    Column("Conf", 5, 5, lambda q, _: _quote_age(q.confirmed_ms), right=True),
    Column("Wgt", 4, 3, lambda q, _: _weight(q), right=True),
    Column("Standing", 8, 4, lambda q, _: _standing(q), TEXT_COLUMNS_MAX),
    Column("Home", 5, 7, lambda q, _: Cell(f"{q.home:.2f}", Tone.DIM), right=True),
    Column("Away", 5, 8, lambda q, _: Cell(f"{q.away:.2f}", Tone.DIM), right=True),
)

_OWN_COLUMNS: tuple[Column[OwnRow], ...] = (
    Column("When", 9, 1, lambda row, _: Cell(row.when, Tone.DIM)),
    Column("What", 11, 3, lambda row, _: Cell(formats.one_line(row.what)), 14),
    Column("Count", 5, 2, lambda row, _: Cell(f"{contracts(row.count_e2)}x"), right=True),
    Column("Price", 7, 0, lambda row, _: Cell(f"@ {formats.price(row.price_e4)}c")),
    Column("State", 10, 4, lambda row, _: Cell(formats.one_line(row.state), row.tone), 16),
)
