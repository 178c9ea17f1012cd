"""Public endpoints: exchange status, series, events, markets, books, trades, milestones."""

from __future__ import annotations

from collections.abc import Callable

from arb.sim.exchange.markets import Event, Market, MarketStatus
from arb.sim.exchange.refusals import bad_parameter, nested, not_found
from arb.sim.rest.call import Call, page, within
from arb.sim.rest.listing_shapes import (
    event_body,
    market_body,
    milestone_body,
    orderbook_body,
    series_body,
    trade_body,
)
from arb.sim.rest.reading import as_of_ms
from arb.sim.rest.words import Json
from arb.sim.serving.http import Response, json_response
from arb.sim.timing import iso

# The words of the status filter are not those of the payload.
_STATUS_WORDS: dict[str, tuple[MarketStatus, ...]] = {
    "unopened": (MarketStatus.INITIALIZED,),
    "open": (MarketStatus.ACTIVE,),
    "paused": (MarketStatus.INACTIVE,),
    "closed": (MarketStatus.CLOSED, MarketStatus.DETERMINED),
    "settled": (MarketStatus.FINALIZED,),
}
_BOOKS_MAX = 100
# Observed: a list of about this many tickers makes the address too long.
_TICKERS_MAX = 800
_TOO_LONG = b"<html><body><h1>414 Request-URI Too Large</h1></body></html>"
_SHARD_WORDS = ("Default", "Combos", "Crypto & Commodities", "Tennis, Baseball & Basketball")


def exchange_status(call: Call) -> Response:
    """``GET /exchange/status``, for the exchange and for each of its shards."""
    venue = call.venue
    flags: Json = {
        "exchange_active": venue.exchange_active,
        "intra_exchange_transfers_active": venue.exchange_active,
        "trading_active": venue.trading_active,
    }
    shards = [
        {"description": words, "exchange_index": index} | flags
        for index, words in enumerate(_SHARD_WORDS)
    ]
    return json_response(200, flags | {"exchange_index_statuses": shards})


def user_data_timestamp(call: Call) -> Response:
    """``GET /exchange/user_data_timestamp``: how far private reads have caught up."""
    return json_response(200, {"as_of_time": iso(as_of_ms(call.venue))})


def series_list(call: Call) -> Response:
    """``GET /series``: everything at once, there are no pages."""
    category, tags = call.request.text("category"), call.request.texts("tags")
    series = [
        series_body(one)
        for one in call.venue.series.values()
        if category in ("", "Sports") and (not tags or one.tag in tags)
    ]
    return json_response(200, {"series": series})


def series_one(call: Call) -> Response:
    """``GET /series/{ticker}``."""
    series = call.venue.series.get(call.params["ticker"])
    if series is None:
        raise not_found()
    return json_response(200, {"series": series_body(series)})


def events_list(call: Call) -> Response:
    """``GET /events``."""
    series, tickers = call.request.text("series_ticker"), call.request.texts("tickers")
    wanted = _statuses(call)
    events = [
        event
        for event in call.venue.events.values()
        if (not series or event.series.ticker == series)
        and (not tickers or event.ticker in tickers)
        and (wanted is None or any(one.status in wanted for one in _markets(call, event)))
    ]
    shown, cursor = page(call, events, "GetEvents", default=200, highest=200)
    nested_markets = call.request.text("with_nested_markets") == "true"
    bodies = [_event(call, event, nested_markets=nested_markets) for event in shown]
    answer: Json = {"cursor": cursor, "events": bodies}
    if call.request.text("with_milestones") == "true":
        answer["milestones"] = [milestone_body(event) for event in shown]
    return json_response(200, answer)


def events_one(call: Call) -> Response:
    """``GET /events/{ticker}``."""
    event = call.venue.events.get(call.params["ticker"])
    if event is None:
        raise not_found()
    inside = call.request.text("with_nested_markets") == "true"
    alone = call.request.text("exclude_markets") == "true"
    if inside and alone:
        raise nested(
            400, "bad_request", "exclude_markets and with_nested_markets exclude each other"
        )
    outside = [] if alone else _markets(call, event)
    answer: Json = {
        "event": _event(call, event, nested_markets=inside),
        "markets": [market_body(market) for market in outside],
    }
    return json_response(200, answer)


def markets_list(call: Call) -> Response:
    """``GET /markets``."""
    event, series = call.request.text("event_ticker"), call.request.text("series_ticker")
    tickers, wanted = call.request.texts("tickers"), _statuses(call)
    if len(tickers) > _TICKERS_MAX:
        return Response(414, _TOO_LONG, content_type="text/html")
    times: tuple[tuple[str, Callable[[Market], int | None]], ...] = (
        ("created_ts", lambda market: market.open_ms),
        ("close_ts", lambda market: market.close_ms),
        ("settled_ts", lambda market: market.settled_ms),
        ("updated_ts", lambda market: market.updated_ms),
    )
    asked = [name for name, _ in times if _names_a_moment(call, name)]
    if len(asked) > 1:
        raise nested(400, "bad_request", "timestamp filters exclude each other")
    markets = [
        market
        for market in call.venue.markets.values()
        if (not event or market.event.ticker == event)
        and (not series or market.event.series.ticker == series)
        and (not tickers or market.ticker in tickers)
        and (wanted is None or market.status in wanted)
        and call.request.text("mve_filter") != "only"
        and all(within(call, name, moment(market)) for name, moment in times)
    ]
    shown, cursor = page(call, markets, "GetMarkets")
    return json_response(200, {"cursor": cursor, "markets": [market_body(one) for one in shown]})


def markets_one(call: Call) -> Response:
    """``GET /markets/{ticker}``."""
    return json_response(200, {"market": market_body(_market(call))})


def orderbook(call: Call) -> Response:
    """``GET /markets/{ticker}/orderbook``."""
    depth = call.integer("depth") or 0
    return json_response(200, {"orderbook_fp": orderbook_body(_market(call), depth)})


def orderbooks(call: Call) -> Response:
    """``GET /markets/orderbooks``: up to a hundred books at once."""
    tickers = call.request.texts("tickers")
    if not 1 <= len(tickers) <= _BOOKS_MAX:
        raise bad_parameter("GetMarketOrderbooks", "Tickers", "max")
    books = [
        {"orderbook_fp": orderbook_body(call.venue.market(ticker)), "ticker": ticker}
        for ticker in tickers
    ]
    return json_response(200, {"orderbooks": books})


def trades(call: Call) -> Response:
    """``GET /markets/trades``, newest first."""
    ticker = call.request.text("ticker")
    found = [
        trade
        for market in call.venue.markets.values()
        if not ticker or market.ticker == ticker
        for trade in market.trades
        if within(call, "ts", trade.at_ms)
    ]
    found.sort(key=lambda trade: -trade.at_ms)
    shown, cursor = page(call, found, "GetTrades")
    return json_response(200, {"cursor": cursor, "trades": [trade_body(one) for one in shown]})


def _names_a_moment(call: Call, name: str) -> bool:
    return any(call.request.text(f"{end}_{name}") for end in ("min", "max"))


def _statuses(call: Call) -> tuple[MarketStatus, ...] | None:
    word = call.request.text("status")
    if not word:
        return None
    if word not in _STATUS_WORDS:
        raise nested(400, "bad_request", "invalid status filter")
    return _STATUS_WORDS[word]


def _market(call: Call) -> Market:
    market = call.venue.markets.get(call.params["ticker"])
    if market is None:
        raise not_found()
    return market


def _markets(call: Call, event: Event) -> list[Market]:
    return call.venue.markets_of(event.ticker)


def _event(call: Call, event: Event, *, nested_markets: bool) -> Json:
    body = event_body(event)
    if nested_markets:
        body["markets"] = [market_body(market) for market in _markets(call, event)]
    return body
