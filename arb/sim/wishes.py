"""What the process that started a simulated world may ask of it: one JSON line in, one line out.

Requests come on standard input, which only the parent holds; nothing of this is on a socket.
"""

from __future__ import annotations

from typing import Any

import orjson

from arb.sim.exchange.account import Account
from arb.sim.switchboard import Switchboard, UnknownFault
from arb.sim.truth import truth_of

# A request is a verb and a name.
LINE_BYTES_MAX = 4_096


def answer(board: Switchboard, line: bytes) -> bytes:
    """Return the answer to one line, with the line's ``id``; what is no request is told so."""
    try:
        request = orjson.loads(line)
    except orjson.JSONDecodeError:
        request = None
    if not isinstance(request, dict):
        return _line({"ok": False, "error": "that line is no JSON object"})
    number = {"id": request.get("id")}
    try:
        return _line(number | {"ok": True} | _done(board, request))
    except UnknownFault as error:
        return _line(number | {"ok": False, "error": str(error)})


def _done(board: Switchboard, request: dict[str, Any]) -> dict[str, Any]:
    match request.get("do"):
        case "faults":
            return {"faults": board.rows()}
        case "switch":
            name, on = str(request.get("name")), request.get("on") is True
            return {"text": board.switch(name, on=on)}
        case "all_off":
            return {"text": board.all_off()}
        case "stand_still":
            board.simulation.stands_still = True
            return {"text": "the world moves no more; its servers still answer"}
        case "truth":
            return {"truth": truth_of(board.simulation)}
        case "new_game":
            return {"listed": board.simulation.list_another().event_ticker}
        case "ledger":
            return {"ledger": ledger_document(board.simulation.member)}
        case verb:
            raise UnknownFault(f"{verb!r} is nothing that a world does")


def ledger_document(account: Account) -> dict[str, Any]:
    """Return what is true of an account: orders, fills, positions, cash, all of one moment."""
    return {
        "cash_e6": account.total_cash_e6,
        "positions": {
            ticker: position.count_e2
            for ticker, position in account.positions.items()
            if position.count_e2
        },
        "orders": [
            {
                "client_order_id": order.client_order_id,
                "side": order.side.value,
                "ticker": order.ticker,
                "rests": order.order_id in account.resting,
                "remaining_e2": order.remaining_e2,
                "filled_e2": order.filled_e2,
            }
            for order in account.orders()
        ],
        "fills": [fill.trade_id for fill in account.fills],
    }


def _line(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document) + b"\n"
