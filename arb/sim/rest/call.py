"""What a handler is given, and how parameters and bodies are read from it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import attrs
import orjson

from arb.core.money import NotExact, count_from_text, price_from_text
from arb.sim.exchange.account import Account
from arb.sim.exchange.refusals import bad_parameter, nested, undecodable
from arb.sim.exchange.venue import Venue
from arb.sim.serving.http import Request

T = TypeVar("T")

# Names of JSON's types in the words of the exchange's decoder, which is written in Go.
_GO_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (int, "number"),
    (float, "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)


@attrs.frozen
class Call:
    """One call of the REST interface; ``account`` is there when the route needs a signature."""

    request: Request
    params: Mapping[str, str]
    venue: Venue
    account_or_none: Account | None = None

    @property
    def account(self) -> Account:
        """Return the account that signed the request."""
        if self.account_or_none is None:
            raise nested(401, "signature_is_missing_from_headers")
        return self.account_or_none

    def integer(self, name: str) -> int | None:
        """Return a query parameter as an integer, None when it is absent."""
        text = self.request.text(name)
        if not text:
            return None
        try:
            return int(text)
        except ValueError:
            raise undecodable(f"invalid value for parameter {name}") from None


def page(
    call: Call, items: Sequence[T], endpoint: str, *, default: int = 100, highest: int = 1_000
) -> tuple[Sequence[T], str]:
    """Return one page of a list and the cursor of the next, empty on the last page.

    A cursor that is none silently stands for the first page, as recorded.
    """
    limit = call.integer("limit")
    if limit is not None and limit > highest:
        raise bad_parameter(endpoint, "Limit", "lte")
    if limit is not None and limit < 0:
        raise bad_parameter(endpoint, "Limit", "gte")
    start = _offset(call.request.text("cursor"))
    end = start + (limit or default)
    return items[start:end], _cursor(end) if end < len(items) else ""


def within(call: Call, name: str, moment_ms: int | None) -> bool:
    """Return whether a moment lies within ``min_{name}`` and ``max_{name}``, Unix seconds."""
    lowest, highest = call.integer(f"min_{name}"), call.integer(f"max_{name}")
    if lowest is None and highest is None:
        return True
    if moment_ms is None:
        return False
    after = lowest is None or moment_ms >= lowest * 1_000
    return after and (highest is None or moment_ms <= highest * 1_000)


@attrs.frozen
class Field:
    """One field of a request body: its kind in the decoder's words, and whether it is needed."""

    name: str
    kind: str
    required: bool = False


def decode_object(value: object, struct: str, fields: Sequence[Field]) -> dict[str, Any]:
    """Check a decoded JSON object against its fields; unknown ones are ignored, as Go does."""
    if not isinstance(value, dict):
        raise undecodable(f"json: cannot unmarshal {_kind(value)} into Go value of type {struct}")
    found: dict[str, Any] = {}
    for field in fields:
        item = value.get(field.name)
        if item is None:
            if field.required:
                raise nested(400, "invalid_parameters", f"{field.name} is required")
            continue
        _check_kind(item, struct, field)
        found[field.name] = item
    return found


def json_body(request: Request) -> object:
    """Parse a body; raises `Refused` with the decoder's flat 400."""
    try:
        parsed: object = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        raise undecodable("invalid character in JSON body") from None
    return parsed


def count_field(text: str) -> int:
    """Read a count of contracts; refuses what is no count on a hundredth's grid."""
    try:
        return count_from_text(text)
    except NotExact:
        raise nested(400, "invalid_order_size") from None


def price_field(text: str) -> int:
    """Read a price in dollars; refuses what is no price."""
    try:
        return price_from_text(text)
    except NotExact:
        raise nested(400, "invalid_price") from None


def _check_kind(item: object, struct: str, field: Field) -> None:
    given = _kind(item)
    wanted = "number" if field.kind == "int64" else field.kind
    if given != wanted or (field.kind == "int64" and not isinstance(item, int)):
        raise undecodable(
            f"json: cannot unmarshal {given} into Go struct field {struct}.{field.name} "
            f"of type {field.kind}"
        )


def _kind(value: object) -> str:
    return next((name for kind, name in _GO_KINDS if isinstance(value, kind)), "null")


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(f"page:{offset}".encode()).decode().rstrip("=")


def _offset(cursor: str) -> int:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.urlsafe_b64decode(padded).decode()
        return int(text.removeprefix("page:")) if text.startswith("page:") else 0
    except (binascii.Error, ValueError):
        return 0
