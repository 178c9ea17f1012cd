"""What the exchange lists over REST, as frozen values, and how its JSON is read."""

from __future__ import annotations

import attrs

from arb.core.events import Side
from arb.core.grid import PriceGrid
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.kalshi.fields import (
    Fault,
    Fields,
    Malformed,
    as_object,
    count,
    fee_multiplier_e4,
    flag_of,
    list_of,
    money,
    object_of,
    optional_text,
    optional_time_ms,
    optional_whole,
    signed_count,
    text_of,
    texts_of,
    time_ms_of,
    whole_of,
)
from arb.kalshi.rate import AccountLimits, EndpointCosts
from arb.kalshi.token_bucket import BucketLimit
from arb.kalshi.wire_markets import price_grid_of
from arb.kalshi.wire_private import order_of


@attrs.frozen
class Series:
    """A kind of market, and what trading it costs."""

    ticker: str
    fee_type: str
    fee_multiplier_e4: int


@attrs.frozen
class FeeChange:
    """A change of a series' fees that the exchange has announced."""

    ticker: str
    fee_type: str
    fee_multiplier_e4: int
    at_ms: int


@attrs.frozen
class ListedMarket:
    """One market; ``status`` is the payload's word, see `arb.core.listing.MarketStatus`."""

    ticker: str
    event_ticker: str
    team_code: str
    team_label: str
    status: str
    price_grid: PriceGrid
    exchange_index: int
    close_ms: int
    expected_end_ms: int | None = None
    occurrence_ms: int | None = None
    team_id: str | None = None
    result: str | None = None


@attrs.frozen
class ListedEvent:
    """One game with its markets; the fees of its own override the series' where they are set."""

    event_ticker: str
    series_ticker: str
    title: str
    markets: tuple[ListedMarket, ...]
    fee_type: str | None = None
    fee_multiplier_e4: int | None = None


@attrs.frozen
class Milestone:
    """A real-world game, and when it is scheduled to start."""

    event_tickers: tuple[str, ...]
    start_ms: int
    title: str
    kind: str


@attrs.frozen
class ListedOrder:
    """One of our orders as the order list has it; reads lag what happened by up to 0.4 s."""

    order_id: str
    client_order_id: str | None
    ticker: str
    side: Side
    price_e4: PriceE4
    status: str
    filled_e2: CountE2
    remaining_e2: CountE2
    initial_e2: CountE2
    created_ms: int | None
    exchange_index: int | None
    group_id: str | None = None
    expires_s: int | None = None


@attrs.frozen
class ListedPosition:
    """Our position in one market, below nothing for NO, and what it cost without fees."""

    ticker: str
    count_e2: CountE2
    cost_e6: MoneyE6
    fees_e6: MoneyE6


@attrs.frozen
class Balance:
    """Cash, exactly, in all and for each shard, whose balances are apart."""

    cash_e6: MoneyE6
    by_exchange_index: dict[int, MoneyE6]


@attrs.frozen
class ExchangeStatus:
    """Whether the exchange is up and whether it trades."""

    exchange_active: bool
    trading_active: bool


def series_of(fields: Fields) -> Series:
    """Read a series; raises `Malformed`."""
    return Series(
        text_of(fields, "ticker"),
        text_of(fields, "fee_type"),
        fee_multiplier_e4(fields["fee_multiplier"]),
    )


def fee_change_of(fields: Fields) -> FeeChange:
    """Read a scheduled fee change; raises `Malformed`."""
    return FeeChange(
        text_of(fields, "series_ticker"),
        text_of(fields, "fee_type"),
        fee_multiplier_e4(fields["fee_multiplier"]),
        time_ms_of(fields, "scheduled_ts"),
    )


def event_of(fields: Fields) -> ListedEvent:
    """Read an event with its nested markets; raises `Malformed`."""
    multiplier = fields.get("fee_multiplier_override")
    return ListedEvent(
        text_of(fields, "event_ticker"),
        text_of(fields, "series_ticker"),
        optional_text(fields, "title") or "",
        tuple(market_of(as_object(each, "market")) for each in list_of(fields, "markets")),
        optional_text(fields, "fee_type_override"),
        None if multiplier is None else fee_multiplier_e4(multiplier),
    )


def market_of(fields: Fields) -> ListedMarket:
    """Read a market; raises `Malformed`."""
    ticker, event_ticker = text_of(fields, "ticker"), text_of(fields, "event_ticker")
    team_code = ticker.removeprefix(f"{event_ticker}-")
    if not team_code or team_code == ticker:
        raise Malformed(Fault.WRONG_TYPE, f"ticker {ticker} is none of event {event_ticker}")
    return ListedMarket(
        ticker=ticker,
        event_ticker=event_ticker,
        team_code=team_code,
        team_label=text_of(fields, "yes_sub_title"),
        status=text_of(fields, "status"),
        price_grid=price_grid_of(fields),
        # Before the exchange was split there was only the first shard.
        exchange_index=optional_whole(fields, "exchange_index") or 0,
        close_ms=time_ms_of(fields, "close_time"),
        expected_end_ms=optional_time_ms(fields, "expected_expiration_time"),
        occurrence_ms=optional_time_ms(fields, "occurrence_datetime"),
        team_id=_team_id(fields),
        result=optional_text(fields, "result"),
    )


def _team_id(fields: Fields) -> str | None:
    strike = fields.get("custom_strike")
    if not isinstance(strike, dict):
        return None
    teams = [value for name, value in strike.items() if name.endswith("_team")]
    return teams[0] if len(teams) == 1 and isinstance(teams[0], str) else None


def milestone_of(fields: Fields) -> Milestone:
    """Read a milestone; raises `Malformed`."""
    return Milestone(
        texts_of(fields, "related_event_tickers"),
        time_ms_of(fields, "start_date"),
        optional_text(fields, "title") or "",
        optional_text(fields, "type") or "",
    )


def listed_order_of(fields: Fields) -> ListedOrder:
    """Read an order of the order list; raises `Malformed`."""
    order = order_of(fields)
    return ListedOrder(
        order.order_id,
        order.client_order_id,
        order.ticker,
        order.side,
        order.price_e4,
        order.status,
        order.filled_e2,
        order.remaining_e2,
        order.initial_e2,
        optional_time_ms(fields, "created_time"),
        order.exchange_index,
        optional_text(fields, "order_group_id") or None,
        order.expires_s,
    )


def position_of(fields: Fields) -> ListedPosition:
    """Read a position; raises `Malformed`."""
    return ListedPosition(
        text_of(fields, "ticker"),
        signed_count(fields["position_fp"]),
        money(fields["market_exposure_dollars"]),
        money(fields["fees_paid_dollars"]),
    )


def balance_of(fields: Fields) -> Balance:
    """Read the balance from its exact fields, not from the cents; raises `Malformed`."""
    shards = fields.get("balance_breakdown")
    return Balance(
        money(fields["balance_dollars"]),
        {
            whole_of(shard, "exchange_index"): money(shard["balance"])
            for shard in ([] if shards is None else list_of(fields, "balance_breakdown"))
        },
    )


def status_of(fields: Fields) -> ExchangeStatus:
    """Read the exchange's status; raises `Malformed`."""
    return ExchangeStatus(flag_of(fields, "exchange_active"), flag_of(fields, "trading_active"))


def limits_of(fields: Fields) -> AccountLimits:
    """Read the account's rate limits; raises `Malformed`."""
    return AccountLimits(
        text_of(fields, "usage_tier"),
        _bucket(object_of(fields, "read")),
        _bucket(object_of(fields, "write")),
    )


def _bucket(fields: Fields) -> BucketLimit:
    try:
        return BucketLimit(whole_of(fields, "bucket_capacity"), whole_of(fields, "refill_rate"))
    except ValueError:
        raise Malformed(Fault.NEGATIVE, f"a bucket of nothing: {dict(fields)}") from None


def costs_of(fields: Fields) -> EndpointCosts:
    """Read what requests cost; raises `Malformed`."""
    rows = [as_object(row, "endpoint cost") for row in list_of(fields, "endpoint_costs")]
    costs = {(text_of(row, "method"), text_of(row, "path")): whole_of(row, "cost") for row in rows}
    default = whole_of(fields, "default_cost")
    if min(default, *costs.values(), 0) < 0:
        raise Malformed(Fault.NEGATIVE, "a request that costs less than nothing")
    return EndpointCosts(default, costs)


def queue_position_of(fields: Fields) -> tuple[str, CountE2]:
    """Read an order's id and how many contracts stand before it; raises `Malformed`."""
    return text_of(fields, "order_id"), count(fields["queue_position_fp"])
