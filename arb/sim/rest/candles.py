"""Candlesticks of one market or of several."""

from __future__ import annotations

from arb.core.money import count_text, price_text
from arb.sim.exchange.candles import MINUTE_MS, Candle, Range, merged
from arb.sim.exchange.markets import Market
from arb.sim.exchange.refusals import bad_parameter, not_found
from arb.sim.rest.call import Call
from arb.sim.rest.words import Json
from arb.sim.serving.http import Response, json_response
from arb.sim.timing import MS_PER_S

_PERIODS_MIN = (1, 60, 1_440)
# Observed: a request for more periods than this is refused.
_PERIODS_MAX = 5_000
_MARKETS_MAX = 100


def one_market(call: Call) -> Response:
    """``GET /series/{series_ticker}/markets/{ticker}/candlesticks``."""
    market = call.venue.markets.get(call.params["ticker"])
    if market is None or market.event.series.ticker != call.params["series_ticker"]:
        raise not_found()
    bodies = _bodies(call, market, "GetMarketCandlesticks")
    return json_response(200, {"candlesticks": bodies, "ticker": market.ticker})


def several(call: Call) -> Response:
    """``GET /markets/candlesticks``: up to a hundred markets at once."""
    tickers = call.request.texts("market_tickers")
    if not 1 <= len(tickers) <= _MARKETS_MAX:
        raise bad_parameter("BatchGetMarketCandlesticks", "MarketTickers", "max")
    markets = [
        {
            "candlesticks": _bodies(call, call.venue.market(ticker), "BatchGetMarketCandlesticks"),
            "market_ticker": ticker,
        }
        for ticker in tickers
    ]
    return json_response(200, {"markets": markets})


def _bodies(call: Call, market: Market, endpoint: str) -> list[Json]:
    start_s, end_s = call.integer("start_ts"), call.integer("end_ts")
    minutes = call.integer("period_interval")
    if start_s is None or end_s is None:
        raise bad_parameter(endpoint, "StartTs" if start_s is None else "EndTs", "required")
    if minutes not in _PERIODS_MIN:
        raise bad_parameter(endpoint, "PeriodInterval", "oneof")
    if (end_s - start_s) // (60 * minutes) > _PERIODS_MAX:
        raise bad_parameter(endpoint, "EndTs", "lte")
    bodies: list[Json] = []
    previous: str | None = None
    for candle in merged(market.candles.minutes, minutes * MINUTE_MS):
        if start_s <= candle.end_ms // MS_PER_S <= end_s:
            bodies.append(_body(candle, previous))
        if candle.price is not None:
            previous = price_text(candle.price.close_e4)
    return bodies


def _body(candle: Candle, previous: str | None) -> Json:
    price = _range(candle.price)
    if candle.volume_e2:
        price["mean_dollars"] = price_text(candle.traded_e6 // candle.volume_e2)
    if previous is not None:
        price["previous_dollars"] = previous
    return {
        "end_period_ts": candle.end_ms // MS_PER_S,
        "open_interest_fp": count_text(candle.open_interest_e2),
        "price": price,
        "volume_fp": count_text(candle.volume_e2),
        "yes_ask": _range(candle.ask),
        "yes_bid": _range(candle.bid),
    }


def _range(values: Range | None) -> Json:
    if values is None:
        return {}
    return {
        "close_dollars": price_text(values.close_e4),
        "high_dollars": price_text(values.high_e4),
        "low_dollars": price_text(values.low_e4),
        "open_dollars": price_text(values.open_e4),
    }
