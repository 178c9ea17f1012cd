"""Deposits and withdrawals, which explain cash that no fill does."""

from __future__ import annotations

from arb.sim.exchange.account import Payment
from arb.sim.rest.call import Call, page
from arb.sim.rest.words import Json
from arb.sim.serving.http import Response, json_response
from arb.sim.timing import MS_PER_S

_E6_PER_CENT = 10_000
_LIMIT_MAX = 500


def deposits(call: Call) -> Response:
    """``GET /portfolio/deposits``, newest first."""
    found = [one for one in reversed(call.account.payments) if one.amount_e6 > 0]
    return _answer(call, found, "deposits")


def withdrawals(call: Call) -> Response:
    """``GET /portfolio/withdrawals``, newest first."""
    found = [one for one in reversed(call.account.payments) if one.amount_e6 < 0]
    return _answer(call, found, "withdrawals")


def _answer(call: Call, found: list[Payment], name: str) -> Response:
    shown, cursor = page(call, found, f"Get{name.capitalize()}", highest=_LIMIT_MAX)
    return json_response(200, {"cursor": cursor, name: [_body(one) for one in shown]})


def _body(one: Payment) -> Json:
    return {
        "amount_cents": abs(one.amount_e6) // _E6_PER_CENT,
        "created_ts": one.at_ms // MS_PER_S,
        "fee_cents": 0,
        "finalized_ts": one.at_ms // MS_PER_S,
        "id": one.payment_id,
        "status": "applied",
        "type": "ach",
    }
