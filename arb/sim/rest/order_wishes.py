"""How the bodies of order requests are read, and which shard a request goes to."""

from __future__ import annotations

from typing import Any

from arb.sim.exchange.refusals import nested, not_found
from arb.sim.exchange.resting import Amendment
from arb.sim.exchange.values import BookSide, Lifetime, OrderRequest, SelfTrade
from arb.sim.exchange.venue import Venue
from arb.sim.rest.call import Field, count_field, decode_object, price_field

_AUTO_ROUTE = -1
_CREATE = (
    Field("ticker", "string", required=True),
    Field("client_order_id", "string"),
    Field("side", "string", required=True),
    Field("count", "string", required=True),
    Field("price", "string", required=True),
    Field("expiration_time", "int64"),
    Field("time_in_force", "string", required=True),
    Field("post_only", "bool"),
    Field("self_trade_prevention_type", "string", required=True),
    Field("cancel_order_on_pause", "bool"),
    Field("reduce_only", "bool"),
    Field("subaccount", "int64"),
    Field("order_group_id", "string"),
    Field("exchange_index", "int64"),
)
_AMEND = (
    Field("ticker", "string", required=True),
    Field("side", "string", required=True),
    Field("price", "string", required=True),
    Field("count", "string", required=True),
    Field("client_order_id", "string"),
    Field("updated_client_order_id", "string"),
    Field("expiration_time", "int64"),
    Field("exchange_index", "int64"),
)
DECREASE = (
    Field("reduce_by", "string"),
    Field("reduce_to", "string"),
    Field("exchange_index", "int64"),
    Field("market_ticker", "string"),
)
BATCHED_CANCEL = (
    Field("order_id", "string", required=True),
    Field("market_ticker", "string"),
    Field("exchange_index", "int64"),
    Field("subaccount", "int64"),
)


def read_order(venue: Venue, value: object) -> OrderRequest:
    """Read the body of a new order; refuses it on a shard that is not its market's."""
    body = decode_object(value, "CreateOrderV2Request", _CREATE)
    refuse_subaccount(body)
    market = venue.market(body["ticker"])
    shard = body.get("exchange_index", _AUTO_ROUTE)
    if shard not in (_AUTO_ROUTE, market.exchange_index):
        raise nested(404, "market_not_found")
    return OrderRequest(
        ticker=body["ticker"],
        side=_word(BookSide, body["side"], "side"),
        count_e2=count_field(body["count"]),
        price_e4=price_field(body["price"]),
        lifetime=_word(Lifetime, body["time_in_force"], "time_in_force"),
        self_trade=_word(
            SelfTrade, body["self_trade_prevention_type"], "self_trade_prevention_type"
        ),
        client_order_id=body.get("client_order_id"),
        expires_s=body.get("expiration_time"),
        post_only=body.get("post_only", False),
        reduce_only=body.get("reduce_only", False),
        cancel_on_pause=body.get("cancel_order_on_pause", False),
        group_id=body.get("order_group_id"),
    )


def refuse_subaccount(body: dict[str, Any]) -> None:
    """Refuse what names a subaccount: they hold money here and do not trade."""
    if body.get("subaccount"):
        raise nested(400, "invalid_parameters", "subaccounts do not trade in this exchange")


def read_amendment(value: object) -> tuple[Amendment, int | None]:
    """Read the body of an amendment; returns it and the shard it names, if any."""
    body = decode_object(value, "AmendOrderV2Request", _AMEND)
    wish = Amendment(
        ticker=body["ticker"],
        side=_word(BookSide, body["side"], "side"),
        price_e4=price_field(body["price"]),
        count_e2=count_field(body["count"]),
        client_order_id=body.get("client_order_id"),
        updated_client_order_id=body.get("updated_client_order_id"),
        expires_s=body.get("expiration_time"),
    )
    return wish, body.get("exchange_index")


def shard_of(venue: Venue, market_ticker: str, exchange_index: int | None) -> int:
    """Return the shard a request by order id goes to: as told, by its market, else shard 0."""
    if exchange_index is not None and exchange_index != _AUTO_ROUTE:
        return exchange_index
    if not market_ticker:
        return 0
    market = venue.markets.get(market_ticker)
    if market is None:
        raise not_found()
    return market.exchange_index


def _word(words: Any, text: str, name: str) -> Any:
    try:
        return words(text)
    except ValueError:
        raise nested(400, "invalid_parameters", f"invalid {name}") from None
