"""Commands and request bodies."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from arb.core.commands import TimeInForce
from arb.core.events import Side
from arb.kalshi import wire
from arb.kalshi.wire_orders import SelfTrade, amend_body, order_body


def test_a_subscription_says_which_scale_it_wants() -> None:
    """Books are asked for on the YES scale explicitly, because the default will flip."""
    assert orjson.loads(wire.subscribe_command(1, ["orderbook_delta", "trade"], ["A", "B"])) == {
        "id": 1,
        "cmd": "subscribe",
        "params": {
            "channels": ["orderbook_delta", "trade"],
            "market_tickers": ["A", "B"],
            "use_yes_price": True,
        },
    }


def test_a_private_subscription_names_no_market() -> None:
    """Without tickers a channel carries all of them."""
    assert orjson.loads(wire.subscribe_command(8, ["fill", "user_orders"])) == {
        "id": 8,
        "cmd": "subscribe",
        "params": {"channels": ["fill", "user_orders"]},
    }


@pytest.mark.parametrize(
    "made, action",
    [
        (wire.get_snapshot_command(4, 1, ["N"]), "get_snapshot"),
        (wire.add_markets_command(4, 1, ["N"]), "add_markets"),
        (wire.delete_markets_command(4, 1, ["N"]), "delete_markets"),
    ],
)
def test_a_subscription_is_changed(made: str, action: str) -> None:
    """The three changes differ in their action alone."""
    assert orjson.loads(made) == {
        "id": 4,
        "cmd": "update_subscription",
        "params": {"sids": [1], "market_tickers": ["N"], "action": action},
    }


def test_subscriptions_are_ended() -> None:
    """Unsubscribing names the subscriptions."""
    assert orjson.loads(wire.unsubscribe_command(5, [1, 2])) == {
        "id": 5,
        "cmd": "unsubscribe",
        "params": {"sids": [1, 2]},
    }


def order(**changes: Any) -> dict[str, Any]:
    """Return the body of an order with some arguments changed, as Python values."""
    arguments: dict[str, Any] = {
        "client_order_id": "arb-1",
        "ticker": "T",
        "side": Side.BID,
        "price_e4": 5600,
        "count_e2": 1000,
        "time_in_force": TimeInForce.GOOD_TILL_CANCELED,
    }
    body: dict[str, Any] = orjson.loads(order_body(**arguments | changes))
    return body


def test_an_order_sets_every_choice_on_purpose() -> None:
    """Prices and counts are texts; nothing is left to the exchange's defaults."""
    assert order() == {
        "ticker": "T",
        "client_order_id": "arb-1",
        "side": "bid",
        "count": "10.00",
        "price": "0.5600",
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "taker_at_cross",
        "post_only": False,
        "cancel_order_on_pause": True,
        "reduce_only": False,
    }


def test_an_order_with_everything() -> None:
    """Expiry, group, shard and the other choices appear when they are given."""
    body = order(
        side=Side.ASK,
        post_only=True,
        expires_s=1_800_000_000,
        order_group_id="g",
        exchange_index=3,
        self_trade=SelfTrade.MAKER,
    )

    assert (body["side"], body["post_only"], body["expiration_time"]) == (
        "ask",
        True,
        1_800_000_000,
    )
    assert (body["order_group_id"], body["exchange_index"]) == ("g", 3)
    assert body["self_trade_prevention_type"] == "maker"
    assert order(time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL, reduce_only=True)["reduce_only"]


@pytest.mark.parametrize(
    "changes, why",
    [
        ({"client_order_id": "a.b"}, "client order id"),
        ({"client_order_id": ""}, "client order id"),
        ({"client_order_id": "x" * 65}, "client order id"),
        ({"price_e4": 0}, "not between 0 and 1"),
        ({"price_e4": 10_000}, "not between 0 and 1"),
        ({"count_e2": 0}, "not above 0"),
        ({"reduce_only": True}, "immediate_or_cancel"),
        ({"expires_s": 1, "time_in_force": TimeInForce.IMMEDIATE_OR_CANCEL}, "good_till_canceled"),
    ],
)
def test_what_the_exchange_cannot_take_is_not_made(changes: dict[str, Any], why: str) -> None:
    """A mistake of ours is found before it is sent."""
    with pytest.raises(ValueError, match=why):
        order(**changes)


def test_an_amend_names_the_new_price_and_the_whole_count() -> None:
    """The count is what has filled and what shall rest together."""
    made: dict[str, Any] = {"ticker": "T", "side": Side.ASK, "price_e4": 6100, "total_e2": 500}

    assert orjson.loads(amend_body(**made)) == {
        "ticker": "T",
        "side": "ask",
        "price": "0.6100",
        "count": "5.00",
    }
    full = orjson.loads(
        amend_body(
            **made,
            client_order_id="old",
            updated_client_order_id="new",
            expires_s=5,
            exchange_index=0,
        )
    )
    assert (full["client_order_id"], full["updated_client_order_id"]) == ("old", "new")
    assert (full["expiration_time"], full["exchange_index"]) == (5, 0)


def test_paths_carry_the_ticker_that_finds_the_shard() -> None:
    """A cancel names its market; ids and tickers cannot break out of the path."""
    assert wire.CREATE_PATH == "/portfolio/events/orders"
    assert wire.cancel_path("o-1", "KX-A") == "/portfolio/events/orders/o-1?market_ticker=KX-A"
    assert wire.cancel_path("../x y", "A&b=c").startswith("/portfolio/events/orders/..%2Fx%20y?")
    assert wire.cancel_path("o", "A&b=c").endswith("=A%26b%3Dc")
    assert wire.amend_path("o") == "/portfolio/events/orders/o/amend"
    assert wire.decrease_path("o") == "/portfolio/events/orders/o/decrease"


def test_a_decrease_says_what_shall_rest() -> None:
    """Exactly one of the two ways is used."""
    body = wire.decrease_body(ticker="T", reduce_to_e2=150)  # type: ignore[arg-type]

    assert orjson.loads(body) == {"reduce_to": "1.50", "market_ticker": "T"}
