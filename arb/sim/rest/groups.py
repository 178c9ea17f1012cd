"""Order group endpoints: create, limit, reset, trigger, read and delete."""

from __future__ import annotations

from arb.core.money import count_text
from arb.sim.exchange import grouping
from arb.sim.exchange.groups import OrderGroup
from arb.sim.exchange.placing import check_exchange
from arb.sim.exchange.refusals import nested, not_found
from arb.sim.rest.call import Call, Field, count_field, decode_object, json_body
from arb.sim.rest.order_wishes import refuse_subaccount
from arb.sim.rest.words import Json
from arb.sim.serving.http import Response, json_response

_LIMIT = (
    Field("contracts_limit", "int64"),
    Field("contracts_limit_fp", "string"),
    Field("exchange_index", "int64"),
    Field("subaccount", "int64"),
)
_LIMIT_MAX_E2 = 1_000_000 * 100


def create_group(call: Call) -> Response:
    """``POST /portfolio/order_groups/create``; a group belongs to one shard."""
    body = decode_object(json_body(call.request), "CreateOrderGroupRequest", _LIMIT)
    refuse_subaccount(body)
    shard = body.get("exchange_index", 0)
    group = grouping.make_group(call.venue, call.account, _limit_e2(body), shard)
    answer = {"exchange_index": shard, "order_group_id": group.group_id, "subaccount": 0}
    return json_response(201, answer)


def list_groups(call: Call) -> Response:
    """``GET /portfolio/order_groups``."""
    groups = grouping.groups_of(call.venue, call.account)
    return json_response(
        200, {"order_groups": [{"id": one.group_id, **_body(one)} for one in groups]}
    )


def one_group(call: Call) -> Response:
    """``GET /portfolio/order_groups/{group_id}``, with the ids of its resting orders."""
    group = _group(call)
    orders = [order.order_id for order in grouping.orders_of(call.venue, group)]
    return json_response(200, {"orders": orders, **_body(group)})


def limit_group(call: Call) -> Response:
    """``PUT /portfolio/order_groups/{group_id}/limit``."""
    body = decode_object(json_body(call.request), "UpdateOrderGroupLimitRequest", _LIMIT)
    grouping.limit_group(call.venue, _group(call), _limit_e2(body))
    return json_response(200, {})


def reset_group(call: Call) -> Response:
    """``PUT /portfolio/order_groups/{group_id}/reset``."""
    grouping.reset_group(call.venue, _group(call))
    return json_response(200, {})


def trigger_group(call: Call) -> Response:
    """``PUT /portfolio/order_groups/{group_id}/trigger``: one call cancels all of its orders.

    What cancels is refused while the whole exchange is paused; that this is too is the worse case.
    """
    check_exchange(call.venue)
    grouping.trigger_group(call.venue, _group(call))
    return json_response(200, {})


def delete_group(call: Call) -> Response:
    """``DELETE /portfolio/order_groups/{group_id}``; its orders are cancelled."""
    grouping.delete_group(call.venue, _group(call))
    return json_response(200, {})


def _group(call: Call) -> OrderGroup:
    group = call.venue.groups.get(call.params["group_id"])
    if group is None or group.account != call.account.name:
        raise not_found()
    return group


def _body(group: OrderGroup) -> Json:
    return {
        "contracts_limit_fp": count_text(group.limit_e2),
        "exchange_index": group.exchange_index,
        "is_auto_cancel_enabled": True,
    }


def _limit_e2(body: Json) -> int:
    whole, text = body.get("contracts_limit"), body.get("contracts_limit_fp")
    limit_e2 = count_field(str(text)) if text is not None else int(str(whole or 0)) * 100
    if not 0 < limit_e2 <= _LIMIT_MAX_E2:
        raise nested(400, "invalid_parameters", "invalid contracts_limit")
    return limit_e2
