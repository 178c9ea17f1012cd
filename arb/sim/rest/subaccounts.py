"""Subaccounts: opened, funded and read. They hold money and do not trade here."""

from __future__ import annotations

from arb.sim.exchange.account import Transfer
from arb.sim.exchange.refusals import nested
from arb.sim.exchange.transfers import create_subaccount, move
from arb.sim.rest.call import Call, Field, decode_object, json_body, page
from arb.sim.rest.words import Json, dollars_text
from arb.sim.serving.http import Response, json_response
from arb.sim.timing import MS_PER_S

_E6_PER_CENT = 10_000
_TRANSFER = (
    Field("client_transfer_id", "string", required=True),
    Field("from_subaccount", "int64", required=True),
    Field("to_subaccount", "int64", required=True),
    Field("amount_cents", "int64", required=True),
    Field("exchange_index", "int64"),
)
_NETTING = (
    Field("subaccount_number", "int64", required=True),
    Field("enabled", "bool", required=True),
)


def create(call: Call) -> Response:
    """``POST /portfolio/subaccounts``."""
    return json_response(201, {"subaccount_number": create_subaccount(call.account)})


def balances(call: Call) -> Response:
    """``GET /portfolio/subaccounts/balances``: by subaccount and shard, the primary one first."""
    account = call.account
    purses = {0: account.cash_e6, **account.subaccounts_e6}
    bodies = [
        {
            "balance": dollars_text(cash_e6),
            "exchange_index": shard,
            "subaccount_number": number,
            "updated_ts": account.updated_ms // MS_PER_S,
        }
        for number, purse in purses.items()
        for shard, cash_e6 in sorted(purse.items() or {0: 0}.items())
    ]
    return json_response(200, {"subaccount_balances": bodies})


def transfer(call: Call) -> Response:
    """``POST /portfolio/subaccounts/transfer``; an id that was used is refused with 409."""
    body = decode_object(json_body(call.request), "ApplySubaccountTransferRequest", _TRANSFER)
    shard = body.get("exchange_index", 0)
    move(
        call.venue,
        call.account,
        body["amount_cents"] * _E6_PER_CENT,
        (body["from_subaccount"], shard),
        (body["to_subaccount"], shard),
        body["client_transfer_id"],
    )
    return json_response(200, {})


def transfers(call: Call) -> Response:
    """``GET /portfolio/subaccounts/transfers``, newest first."""
    found = [
        one
        for one in reversed(call.account.transfers.values())
        if one.source[0] != one.destination[0]
    ]
    shown, cursor = page(call, found, "GetSubaccountTransfers")
    return json_response(200, {"cursor": cursor, "transfers": [_body(one) for one in shown]})


def netting(call: Call) -> Response:
    """``GET /portfolio/subaccounts/netting``: whether collateral comes back within a game."""
    account = call.account
    configs = [
        {"enabled": account.netting, "exchange_index": shard, "subaccount_number": 0}
        for shard in sorted(account.cash_e6)
    ]
    return json_response(200, {"netting_configs": configs})


def set_netting(call: Call) -> Response:
    """``PUT /portfolio/subaccounts/netting``, for positions that change from now on."""
    body = decode_object(json_body(call.request), "UpdateSubaccountNettingRequest", _NETTING)
    if body["subaccount_number"]:
        raise nested(400, "invalid_parameters", "subaccounts do not trade in this exchange")
    call.account.netting = body["enabled"]
    return json_response(200, {})


def _body(one: Transfer) -> Json:
    return {
        "amount_cents": one.amount_e6 // _E6_PER_CENT,
        "created_ts": one.at_ms // MS_PER_S,
        "exchange_index": one.source[1],
        "from_subaccount": one.source[0],
        "to_subaccount": one.destination[0],
        "transfer_id": one.transfer_id,
    }
