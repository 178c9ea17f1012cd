"""What is read over REST, each with how it is asked for and where whole answers were recorded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import attrs

from arb.feeds.odds_api_io import OddsApiIo
from arb.kalshi.rest import Rest


@attrs.frozen
class Endpoint:
    """One read: its target on the exchange, the client's call, and the name of its rows.

    ``tolerant`` reads use the rows that are right and count the others; of all others one wrong
    row spoils the whole. ``empty`` is the last page, which ends a list.
    """

    target: str
    read: Callable[[Any], Awaitable[Any]]
    rows: str | None = None
    tolerant: bool = False
    provider: str = "kalshi"
    recorded: tuple[str, ...] = ()


def _kalshi(
    target: str,
    read: Callable[[Rest], Awaitable[Any]],
    *recorded: str,
    rows: str | None = None,
    tolerant: bool = False,
) -> Endpoint:
    return Endpoint(target, read, rows, tolerant, recorded=recorded)


def _odds(read: Callable[[OddsApiIo], Awaitable[Any]]) -> Endpoint:
    return Endpoint("", read, provider="odds")


ENDPOINTS: Mapping[str, Endpoint] = {
    "status": _kalshi("/exchange/status", Rest.exchange_status, "*/exchange__status.json"),
    "as of": _kalshi("/exchange/user_data_timestamp", Rest.user_data_ms),
    "series": _kalshi("/series/{series}", lambda rest: rest.series("S")),
    "fee changes": _kalshi(
        "/series/fee_changes", lambda rest: rest.fee_changes("S"), rows="series_fee_change_arr"
    ),
    "events": _kalshi(
        "/events?with_nested_markets=true&limit=2",
        lambda rest: rest.events("S"),
        "*/events_nfl_preseason.json",
        rows="events",
        tolerant=True,
    ),
    "milestones": _kalshi(
        "/milestones?limit=3",
        lambda rest: rest.milestones(from_ms=0),
        rows="milestones",
        tolerant=True,
    ),
    "balance": _kalshi("/portfolio/balance", Rest.balances, "*/auth__balance_ok.json"),
    "positions": _kalshi(
        "/portfolio/positions",
        Rest.positions,
        "*/portfolio__positions.json",
        rows="market_positions",
    ),
    "orders": _kalshi(
        "/portfolio/orders", Rest.orders, "*/portfolio__orders_list.json", rows="orders"
    ),
    "fills": _kalshi(
        "/portfolio/fills",
        Rest.fills,
        "*/fills__after_taker.json",
        "*/portfolio_fills.json",
        rows="fills",
    ),
    "settlements": _kalshi(
        "/portfolio/settlements", Rest.settlements, "*/portfolio_settlements.json",
        rows="settlements",
    ),
    "limits": _kalshi("/account/limits", Rest.limits, "*/account__limits.json"),
    "odds events": _odds(lambda feed: feed.events(["nfl"])),
    "odds snapshot": _odds(lambda feed: feed.snapshot(["1"])),
}  # fmt: skip
