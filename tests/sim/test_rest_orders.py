"""Order endpoints over HTTP: what is sent, what comes back, and in which shape."""

from __future__ import annotations

import pytest

from arb.sim.exchange.values import BookSide
from tests.sim.sim_client import Bench, Json, Member, order_wish

ORDERS = "/portfolio/events/orders"
NESTED_404 = {"error": {"code": "not_found", "message": "not found"}}


def bid(bench: Bench, price: str = "0.4000", count: str = "5.00", **more: object) -> Json:
    return order_wish(bench.home.ticker, "bid", price, count, **more)


async def created(member: Member, wish: Json) -> Json:
    answer = await member.call("POST", ORDERS, wish)
    assert answer.status == 201, answer.body
    body: Json = answer.json
    return body


async def test_a_resting_order_is_answered_as_recorded(member: Member, bench: Bench) -> None:
    """201 with counts as texts, and no averages while nothing filled."""
    body = await created(member, bid(bench, client_order_id="one"))
    assert body == {
        "client_order_id": "one",
        "fill_count": "0.00",
        "order_id": body["order_id"],
        "remaining_count": "5.00",
        "ts_ms": bench.clock.now_ms,
    }


async def test_a_filled_order_tells_its_averages(member: Member, bench: Bench) -> None:
    """The average price is that of the fills, the average fee is per contract."""
    bench.place(bench.maker, BookSide.ASK, 5_200, 100)
    wish = bid(bench, "0.99", "1", time_in_force="immediate_or_cancel")
    body = await created(member, wish)
    assert body["fill_count"] == "1.00"
    assert (body["average_fill_price"], body["average_fee_paid"]) == ("0.5200", "0.0088")


async def test_an_unfilled_immediate_order_is_a_success(member: Member, bench: Bench) -> None:
    """201 with nothing filled and nothing left."""
    body = await created(member, bid(bench, time_in_force="immediate_or_cancel"))
    assert (body["fill_count"], body["remaining_count"]) == ("0.00", "0.00")


async def test_prices_and_counts_must_be_texts(member: Member, bench: Bench) -> None:
    """A JSON number is refused by the decoder, flat, naming the field."""
    answer = await member.call("POST", ORDERS, bid(bench) | {"count": 1, "price": 0.01})
    assert answer.status == 400
    assert answer.json == {
        "code": "bad_request",
        "message": "bad request",
        "details": "json: cannot unmarshal number into Go struct field "
        "CreateOrderV2Request.count of type string",
    }


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"price": "0.4050"}, 400, "invalid_price"),
        ({"price": "forty"}, 400, "invalid_price"),
        ({"count": "0.001"}, 400, "invalid_order_size"),
        ({"ticker": "NOWHERE"}, 404, "market_not_found"),
        ({"side": "yes"}, 400, "invalid_parameters"),
        ({"time_in_force": "day"}, 400, "invalid_parameters"),
        ({"self_trade_prevention_type": ""}, 400, "invalid_parameters"),
        ({"side": None}, 400, "invalid_parameters"),
        ({"exchange_index": 0}, 404, "market_not_found"),
        ({"count": "1000000"}, 400, "insufficient_balance"),
    ],
)
async def test_business_refusals_are_nested(
    member: Member, bench: Bench, change: Json, status: int, code: str
) -> None:
    """Each refusal has its status and its code inside ``error``."""
    answer = await member.call("POST", ORDERS, bid(bench) | change)
    assert (answer.status, answer.json["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("body", "details"),
    [
        (b"{", "invalid character in JSON body"),
        (b"[]", "json: cannot unmarshal array into Go value of type CreateOrderV2Request"),
        (b"null", "json: cannot unmarshal null into Go value of type CreateOrderV2Request"),
    ],
)
async def test_what_is_no_object_is_refused_flat(member: Member, body: bytes, details: str) -> None:
    """Bodies that do not decode get the decoder's own shape of error."""
    answer = await member.call("POST", ORDERS, body)
    assert (answer.status, answer.json["details"]) == (400, details)


async def test_the_right_shard_or_none_routes_an_order(member: Member, bench: Bench) -> None:
    """The market's own shard, minus one, and no shard at all all work."""
    for shard in ({"exchange_index": 3}, {"exchange_index": -1}, {}):
        await created(member, bid(bench) | shard)


async def test_a_cancel_needs_the_market_on_another_shard(member: Member, bench: Bench) -> None:
    """Without market_ticker it looks on shard 0 and finds nothing; the order still rests."""
    order_id = (await created(member, bid(bench)))["order_id"]
    answer = await member.call("DELETE", f"{ORDERS}/{order_id}")
    assert (answer.status, answer.json) == (404, NESTED_404)
    answer = await member.call("DELETE", f"{ORDERS}/{order_id}?market_ticker={bench.home.ticker}")
    assert answer.status == 200
    assert (answer.json["order_id"], answer.json["reduced_by"]) == (order_id, "5.00")
    assert bench.member.resting == {}


async def test_a_cancel_can_name_the_shard_instead(member: Member, bench: Bench) -> None:
    """exchange_index does what market_ticker does; an unknown market is a 404."""
    order_id = (await created(member, bid(bench)))["order_id"]
    lost = await member.call("DELETE", f"{ORDERS}/{order_id}?market_ticker=NOWHERE")
    assert lost.status == 404
    found = await member.call("DELETE", f"{ORDERS}/{order_id}?exchange_index=3")
    assert found.status == 200


async def test_cancel_all_answers_without_a_body(member: Member, bench: Bench) -> None:
    """204, and nothing of the account rests any more."""
    await created(member, bid(bench))
    answer = await member.call("DELETE", ORDERS)
    assert (answer.status, answer.body) == (204, b"")
    assert bench.member.resting == {}


async def test_an_amendment_tells_what_changed(member: Member, bench: Bench) -> None:
    """Counts are told when the resting size changed, and not for a mere change of price."""
    order_id = (await created(member, bid(bench, client_order_id="mine")))["order_id"]
    path = f"{ORDERS}/{order_id}/amend"
    wish = {"ticker": bench.home.ticker, "side": "bid", "price": "0.4100", "count": "5.00"}
    moved = (await member.call("POST", path, wish)).json
    assert moved == {
        "client_order_id": "mine",
        "order_id": order_id,
        "ts_ms": bench.clock.now_ms,
    }
    bench.place(bench.maker, BookSide.ASK, 4_500, 100)
    grown = (await member.call("POST", path, wish | {"price": "0.45", "count": "6"})).json
    assert (grown["remaining_count"], grown["fill_count"]) == ("5.00", "1.00")
    assert grown["average_fill_price"] == "0.4500"


async def test_a_decrease_takes_exactly_one_of_two_words(member: Member, bench: Bench) -> None:
    """reduce_by or reduce_to, not both and not neither."""
    order_id = (await created(member, bid(bench)))["order_id"]
    path = f"{ORDERS}/{order_id}/decrease"
    where = {"market_ticker": bench.home.ticker}
    by = await member.call("POST", path, where | {"reduce_by": "1.50"})
    assert (by.status, by.json["remaining_count"]) == (200, "3.50")
    to = await member.call("POST", path, where | {"reduce_to": "2.00"})
    assert to.json["remaining_count"] == "2.00"
    for bad in ({}, {"reduce_by": "1.00", "reduce_to": "1.00"}):
        assert (await member.call("POST", path, where | bad)).status == 400
    lost = await member.call("POST", path, {"reduce_by": "1.00"})
    assert lost.status == 404


async def test_each_order_of_a_batch_stands_by_itself(member: Member, bench: Bench) -> None:
    """A bad one is answered with its error, the others are placed and can be cancelled so."""
    wishes = [bid(bench, client_order_id="a"), bid(bench, "0.405", client_order_id="b")]
    answer = await member.call("POST", f"{ORDERS}/batched", {"orders": wishes})
    good, bad = answer.json["orders"]
    assert (answer.status, good["remaining_count"]) == (201, "5.00")
    assert bad == {
        "client_order_id": "b",
        "error": {"code": "invalid_price", "message": "invalid price"},
    }
    named = {"market_ticker": bench.home.ticker}
    cancels = [{"order_id": good["order_id"]} | named, {"order_id": "x"} | named]
    answer = await member.call("DELETE", f"{ORDERS}/batched", {"orders": cancels})
    done, failed = answer.json["orders"]
    assert (answer.status, done["reduced_by"]) == (200, "5.00")
    assert failed["error"]["code"] == "not_found"


async def test_a_batch_without_orders_is_refused(member: Member, bench: Bench) -> None:
    """The list must be there; what is in it may be anything and fails by itself."""
    assert (await member.call("POST", f"{ORDERS}/batched", {})).status == 400
    answer = await member.call("POST", f"{ORDERS}/batched", {"orders": [7]})
    assert "cannot unmarshal number" in answer.json["orders"][0]["error"]["details"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/portfolio/orders"),
        ("DELETE", "/portfolio/orders/some-id"),
        ("POST", "/portfolio/orders/some-id/amend"),
        ("POST", "/portfolio/orders/some-id/decrease"),
        ("POST", "/portfolio/orders/batched"),
        ("DELETE", "/portfolio/orders/batched"),
    ],
)
async def test_the_first_version_is_gone(member: Member, method: str, path: str) -> None:
    """Every change through it answers 410 and says where to go."""
    answer = await member.call(method, path, {})
    assert answer.status == 410
    assert answer.json["error"]["code"] == "deprecated_v1_order_endpoint"
