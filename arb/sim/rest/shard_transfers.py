"""Money between the shards of one account."""

from __future__ import annotations

from arb.sim.exchange.account import Transfer
from arb.sim.exchange.refusals import nested, not_found
from arb.sim.exchange.transfers import move
from arb.sim.rest.call import Call, Field, decode_object, json_body, page
from arb.sim.rest.words import Json, dollars_text
from arb.sim.serving.http import Response, json_response
from arb.sim.timing import MS_PER_S

# Amounts of these transfers are in hundredths of a cent.
_E6_PER_CENTICENT = 100
_HERE = "event_contract"
_TRANSFER = (
    Field("client_transfer_id", "string"),
    Field("source", "string", required=True),
    Field("destination", "string", required=True),
    Field("amount", "int64", required=True),
    Field("source_exchange_shard", "int64"),
    Field("destination_exchange_shard", "int64"),
    Field("source_subaccount", "int64"),
    Field("destination_subaccount", "int64"),
)


def transfer(call: Call) -> Response:
    """``POST /portfolio/intra_exchange_instance_transfer``; a used id is refused with 409."""
    body = decode_object(json_body(call.request), "IntraExchangeInstanceTransferRequest", _TRANSFER)
    if (body["source"], body["destination"]) != (_HERE, _HERE):
        raise nested(400, "invalid_parameters", "only event_contract is served here")
    made = move(
        call.venue,
        call.account,
        body["amount"] * _E6_PER_CENTICENT,
        (body.get("source_subaccount", 0), body.get("source_exchange_shard", 0)),
        (body.get("destination_subaccount", 0), body.get("destination_exchange_shard", 0)),
        body.get("client_transfer_id", ""),
    )
    return json_response(200, {"transfer_id": made.transfer_id})


def transfers(call: Call) -> Response:
    """``GET /portfolio/intra_exchange_instance_transfers``, newest first."""
    shown, cursor = page(call, _between_shards(call), "GetIntraExchangeInstanceTransfers")
    body: Json = {"transfers": [_body(one) for one in shown]}
    return json_response(200, body | ({"cursor": cursor} if cursor else {}))


def transfer_one(call: Call) -> Response:
    """``GET /portfolio/intra_exchange_instance_transfers/{transfer_id}``."""
    for one in _between_shards(call):
        if one.transfer_id == call.params["transfer_id"]:
            return json_response(200, {"transfer": _body(one)})
    raise not_found()


def target_allocation(_call: Call) -> Response:
    """``GET /portfolio/target_balance_allocation``: nothing is rebalanced by itself."""
    return json_response(200, {"allocations": [], "resting_margin_reservation": "none"})


def _between_shards(call: Call) -> list[Transfer]:
    every = reversed(call.account.transfers.values())
    return [one for one in every if one.source[1] != one.destination[1]]


def _body(one: Transfer) -> Json:
    body: Json = {
        "amount": dollars_text(one.amount_e6),
        "created_ts": one.at_ms // MS_PER_S,
        "destination": _HERE,
        "destination_exchange_shard": one.destination[1],
        "source": _HERE,
        "source_exchange_shard": one.source[1],
        "status": "complete",
        "transfer_id": one.transfer_id,
    }
    if one.client_transfer_id:
        body["client_transfer_id"] = one.client_transfer_id
    return body
