"""What the answer to a batch proves of each order in it.

Every item succeeds or fails by itself. Items are found by the id that was sent, never by their
place: an item that is not there leaves its order unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from arb.kalshi.answers import Operation, Refused, Unknown, Verdict, sort

# An item that fails carries a code and no status; what these codes say is certain.
_STATUS_OF_CODE = {"not_found": 404}
_CONFLICT = 409
_OK = 200
_BAD, _TOO_MANY, _BROKEN = 400, 429, 500

_NAMES = {Operation.CREATE: "client_order_id", Operation.CANCEL: "order_id"}


def sort_batch(
    status: int | None, body: bytes, operation: Operation, ids: Sequence[str], *, why: str = ""
) -> list[Verdict]:
    """Say what an answer proves of each order of a batch, in the order of ``ids``.

    A create is found by its client order id, a cancel by its order id.
    """
    items = _items(status, body, _NAMES[operation])
    if items is None:
        whole = sort(status, body, operation, why=why)
        if not isinstance(whole, Refused | Unknown):
            whole = Unknown("the answer to a batch is none")
        return [whole] * len(ids)
    return [_verdict(items.get(each), operation) for each in ids]


def is_batch_refused(status: int | None) -> bool:
    """Say whether a batch was refused as such, and not for coming too often."""
    return status is not None and _BAD <= status < _BROKEN and status != _TOO_MANY


def _items(status: int | None, body: bytes, name: str) -> dict[str, dict[str, Any]] | None:
    """Return the items by id; None where the answer is not that of a batch."""
    if status is None or not _OK <= status < _OK + 100:
        return None
    try:
        content = orjson.loads(body)
        rows = content["orders"]
        return {row[name]: row for row in rows if isinstance(row.get(name), str)}
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None


def _verdict(item: dict[str, Any] | None, operation: Operation) -> Verdict:
    if item is None:
        return Unknown("not in the answer to its batch")
    error = item.get("error")
    if error is None:
        return sort(_OK, orjson.dumps(item), operation)
    code = error.get("code") if isinstance(error, dict) else None
    # What is no conflict that is known to leave nothing behind stays unknown, as by itself.
    status = _STATUS_OF_CODE.get(code, _CONFLICT) if isinstance(code, str) else _CONFLICT
    return sort(status, orjson.dumps({"error": error}), operation)
