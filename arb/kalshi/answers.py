"""What an answer to an order request proves: certain, refused, or unknown.

An order whose fate is not known counts as if it stood until the exchange has said otherwise. So
everything that is not plainly a yes or a no is `Unknown`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import attrs
import orjson

from arb.core.money import CountE2, MoneyE6
from arb.io.text import one_line
from arb.kalshi.fields import Fields, Malformed, as_object, count, money, optional_text, text_of

CODE_LENGTH_MAX = 64


class Operation(StrEnum):
    """What was asked of the exchange."""

    CREATE = "create"
    CANCEL = "cancel"
    AMEND = "amend"
    DECREASE = "decrease"


@attrs.frozen
class Accepted:
    """The exchange has taken the order: ``filled_e2`` filled at once, ``remaining_e2`` rests.

    The averages, in dollars times 10**6 for one contract, are there when something filled.
    """

    order_id: str
    client_order_id: str | None
    filled_e2: CountE2
    remaining_e2: CountE2
    average_price_e6: MoneyE6 | None = None
    average_fee_e6: MoneyE6 | None = None


@attrs.frozen
class Amended:
    """The exchange has changed the order; what rests and what filled meanwhile it need not say."""

    order_id: str
    client_order_id: str | None
    remaining_e2: CountE2 | None
    filled_e2: CountE2 | None = None


@attrs.frozen
class Canceled:
    """The exchange has taken ``reduced_e2`` off the book; nothing of the order rests."""

    order_id: str
    client_order_id: str | None
    reduced_e2: CountE2


@attrs.frozen
class Refused:
    """The exchange did not do it, for certain."""

    code: str
    text: str
    http_status: int

    @property
    def is_rate_limit(self) -> bool:
        """Say whether it was refused for coming too often."""
        return self.http_status == _TOO_MANY

    @property
    def is_group_hit(self) -> bool:
        """Say whether its order group takes no more orders until it is reset."""
        return self.code.lower() == _GROUP_HIT

    @property
    def is_group_gone(self) -> bool:
        """Say whether its order group does not exist any more."""
        return self.code.lower() == _GROUP_GONE


@attrs.frozen
class Unknown:
    """Nobody can tell from this answer what became of the request."""

    why: str


Verdict = Accepted | Amended | Canceled | Refused | Unknown

_TOO_MANY = 429


@attrs.frozen
class ErrorBody:
    """The exchange's words for an error, from any of the shapes it uses."""

    code: str
    text: str


def error_of(status: int, body: bytes) -> ErrorBody:
    """Read an error body: nested, flat, bare, a plain text, or no JSON at all."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ErrorBody(f"http_{status}", one_line(body) or "no text")
    return _from_json(status, content)


def _from_json(status: int, content: Any) -> ErrorBody:
    error = content.get("error", content) if isinstance(content, dict) else content
    if isinstance(error, str):
        # So it is with a 429.
        return ErrorBody(one_line(error, CODE_LENGTH_MAX).replace(" ", "_"), one_line(error))
    if not isinstance(error, dict):
        return ErrorBody(f"http_{status}", one_line(error))
    code = error.get("code")
    words = [error.get(name) for name in ("message", "details", "msg")]
    text = ": ".join(dict.fromkeys(word for word in words if isinstance(word, str) and word))
    return ErrorBody(
        one_line(code, CODE_LENGTH_MAX) if isinstance(code, str) and code else f"http_{status}",
        one_line(text) or "no text",
    )


# What the exchange says with these, it says before it does anything.
_CERTAIN_REFUSALS = frozenset({400, 401, 403, 404, 405, 410, 411, 413, 414, 415, 422, _TOO_MANY})

# 409 means several things; these are the ones that leave nothing behind.
_CERTAIN_CONFLICTS = frozenset(
    {"fill_or_kill_insufficient_resting_volume", "trading_is_paused", "exchange_is_paused"}
)

# The word of the exchange's FIX interface for an order of a group that has hit its limit; how
# REST spells it was never recorded, so case does not matter.
_GROUP_HIT = "exceeded_order_group_risk_limit"
_GROUP_GONE = "order_group_not_found"
_CONFLICT = 409
_NOT_FOUND = 404
_OK = range(200, 300)


def sort(
    status: int | None, body: bytes, operation: Operation = Operation.CREATE, *, why: str = ""
) -> Verdict:
    """Say what an answer proves; ``status`` None means none came, ``why`` then says so."""
    if status is None:
        return Unknown(one_line(why) or "no answer")
    if status in _OK:
        return _done(status, body, operation)
    error = error_of(status, body)
    if operation is not Operation.CREATE and status == _NOT_FOUND:
        # The same 404 comes for cancelled, filled, unknown and wrongly routed orders.
        return Unknown(f"404 {error.code}: the order may have filled")
    if status in _CERTAIN_REFUSALS:
        return Refused(error.code, error.text, status)
    if status == _CONFLICT:
        return _conflict(error)
    return Unknown(one_line(f"HTTP {status} {error.code}: {error.text}"))


def _conflict(error: ErrorBody) -> Verdict:
    if error.code in _CERTAIN_CONFLICTS or error.code.lower() in {_GROUP_HIT, _GROUP_GONE}:
        return Refused(error.code, error.text, _CONFLICT)
    if error.code == "order_already_exists":
        # Ids are never used twice, so this is an earlier try of the same order.
        return Unknown("409 order_already_exists: look it up by its client order id")
    return Unknown(one_line(f"409 {error.code}: {error.text}"))


def _done(status: int, body: bytes, operation: Operation) -> Verdict:
    try:
        return _READERS[operation](as_object(orjson.loads(body), "answer"))
    except (orjson.JSONDecodeError, KeyError, TypeError, RecursionError, Malformed):
        return Unknown(one_line(f"HTTP {status} without an order in it: {one_line(body, 80)}"))


def _created(content: Fields) -> Verdict:
    price, fee = content.get("average_fill_price"), content.get("average_fee_paid")
    return Accepted(
        text_of(content, "order_id"),
        optional_text(content, "client_order_id"),
        count(content["fill_count"]),
        count(content["remaining_count"]),
        None if price is None else money(price),
        None if fee is None else money(fee),
    )


def _amended(content: Fields) -> Verdict:
    filled, remaining = content.get("fill_count"), content.get("remaining_count")
    return Amended(
        text_of(content, "order_id"),
        optional_text(content, "client_order_id"),
        None if remaining is None else count(remaining),
        None if filled is None else count(filled),
    )


def _canceled(content: Fields) -> Verdict:
    return Canceled(
        text_of(content, "order_id"),
        optional_text(content, "client_order_id"),
        count(content["reduced_by"]),
    )


_READERS: dict[Operation, Callable[[Fields], Verdict]] = {
    Operation.CREATE: _created,
    Operation.CANCEL: _canceled,
    Operation.AMEND: _amended,
    Operation.DECREASE: _amended,
}
