"""Kalshi's published contracts as checks of what goes over the wire.

`openapi.yaml` says what each endpoint answers and `asyncapi.yaml` what each frame looks like; both
are read whole, so that every response and every frame of every test that uses the test client is
checked, not those alone that somebody thought of. Stricter than the contracts, a name that is in
none of them is a fault too, unless it is listed below with its reason.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from typing import Any

import orjson
import pytest
import yaml

from tests.conftest import ROOT

FOLDER = ROOT.parent / "shared" / "data" / "kalshi"
PREFIX = "/trade-api/v2"
DOLLARS = re.compile(r"^-?\d+\.\d{4}(\d\d)?$")
COUNT = re.compile(r"^-?\d+\.\d\d$")
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}
# In no contract any more, and sent all the same: recorded, and documented as deprecated. The last
# is still asked for by a published client (kalshi-sdk 22.4.0).
DEPRECATED = frozenset(
    {"action", "side", "is_yes", "purchased_side", "taker_side", "type", "liquidity_dollars"}
)
# The contracts know one body of errors; recorded are these (and 429's, whose `error` is a text).
ERROR_NAMES = ({"error"}, {"code", "message", "details"}, {"msg"})


class Broken(AssertionError):
    """Something on the wire that the contract does not allow; says where."""


class Contract:
    """One published document; resolves what its schemas refer to."""

    def __init__(self, document: Any) -> None:
        self.document = document

    def resolved(self, schema: Any) -> Any:
        while "$ref" in schema:
            found = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        return schema

    def check(self, value: Any, schema: Any, where: str) -> None:
        """Check a value against a schema, all that is inside it too."""
        name = schema.get("$ref", "").rpartition("/")[2]
        if value is None and schema.get("nullable"):
            return
        schema = self.resolved(schema)
        for part in schema.get("allOf", ()):
            self.check(value, part, where)
        if value is None and (schema.get("nullable") or _nullable(schema)):
            return
        _check_type(value, schema, where)
        _check_text(value, name, schema, where)
        if "const" in schema and value != schema["const"]:
            raise Broken(f"{where}: {value!r} is not {schema['const']!r}")
        if "enum" in schema and value not in schema["enum"] and value is not None:
            raise Broken(f"{where}: {value!r} is none of {schema['enum']}")
        if isinstance(value, dict):
            self._check_object(value, schema, where)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                self.check(item, schema.get("items", {}), f"{where}[{index}]")
            _check_bound(len(value), schema, "minItems", "maxItems", where)
        elif isinstance(value, int | float):
            _check_bound(value, schema, "minimum", "maximum", where)

    def _check_object(self, value: Any, schema: Any, where: str) -> None:
        for name in schema.get("required", ()):
            if name not in value:
                raise Broken(f"{where}.{name} is missing")
        known = schema.get("properties")
        more = schema.get("additionalProperties", True)
        for name, item in value.items():
            if known and name in known:
                self.check(item, known[name], f"{where}.{name}")
            elif isinstance(more, dict):
                self.check(item, more, f"{where}.{name}")
            elif known and name not in DEPRECATED:
                raise Broken(f"{where}.{name} is in no contract")


def _nullable(schema: Any) -> bool:
    kind = schema.get("type")
    return "allOf" in schema or (isinstance(kind, list) and "null" in kind)


def _check_type(value: Any, schema: Any, where: str) -> None:
    kinds = schema.get("type")
    if kinds is None:
        return
    allowed = [TYPES[kind] for kind in (kinds if isinstance(kinds, list) else [kinds])]
    flat = tuple(kind for group in allowed for kind in group)
    if not isinstance(value, flat) or (isinstance(value, bool) and bool not in flat):
        raise Broken(f"{where}: {value!r} is no {kinds}")


def _check_text(value: Any, name: str, schema: Any, where: str) -> None:
    if not isinstance(value, str):
        return
    if name == "FixedPointDollars" and not DOLLARS.match(value):
        raise Broken(f"{where}: {value!r} are no dollars")
    if name == "FixedPointCount" and not COUNT.match(value):
        raise Broken(f"{where}: {value!r} is no count")
    if schema.get("format") == "date-time" and not _is_moment(value):
        raise Broken(f"{where}: {value!r} is no moment")


def _is_moment(text: str) -> bool:
    try:
        return dt.datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _check_bound(value: float, schema: Any, low: str, high: str, where: str) -> None:
    if (low in schema and value < schema[low]) or (high in schema and value > schema[high]):
        raise Broken(f"{where}: {value} is out of bounds")


@cache
def rest_contract() -> Contract | None:
    """Return the contract of the REST interface, None where it or a parser is missing."""
    return _read("openapi.yaml")


@cache
def socket_contract() -> Contract | None:
    """Return the contract of the WebSocket, None where it or a parser is missing."""
    return _read("asyncapi.yaml")


def need_contracts() -> None:
    """Skip a test where nothing would be checked."""
    if rest_contract() is None or socket_contract() is None:
        pytest.skip(f"no contracts in {FOLDER}: nothing is checked")


def _read(name: str) -> Contract | None:
    path = FOLDER / name
    if not path.exists():
        return None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    # Both are safe; the quick one is there where it was built.
    return Contract(yaml.load(path.read_bytes(), Loader=loader))  # noqa: S506


def check_response(method: str, target: str, status: int, body: bytes) -> None:
    """Check a response of the REST interface against its endpoint's contract."""
    contract = rest_contract()
    if contract is None or not target.startswith(PREFIX):
        return
    where = f"{method} {target} {status}"
    if status >= 400:
        _check_error(status, body, where)
        return
    operation = _operation(contract, method, target.partition("?")[0].removeprefix(PREFIX))
    if operation is None:
        raise Broken(f"{where}: no contract knows this endpoint")
    answer = operation["responses"].get(str(status))
    if answer is None:
        raise Broken(f"{where}: the contract knows {list(operation['responses'])}")
    content = contract.resolved(answer).get("content", {}).get("application/json")
    if content is not None:
        contract.check(orjson.loads(body), content["schema"], where)
    elif body not in (b"", b"{}"):
        raise Broken(f"{where}: the contract knows no body")


def _check_error(status: int, body: bytes, where: str) -> None:
    if status == 404 and body == b"404 page not found\n":
        return
    parsed = orjson.loads(body)
    if status == 429:
        if parsed != {"error": "too many requests"}:
            raise Broken(f"{where}: {body!r}")
        return
    if set(parsed) not in ERROR_NAMES:
        raise Broken(f"{where}: {body!r} has no recorded shape")
    inner = parsed.get("error", parsed)
    if not isinstance(inner, dict) or not all(isinstance(text, str) for text in inner.values()):
        raise Broken(f"{where}: {body!r} has no recorded shape")


def _operation(contract: Contract, method: str, path: str) -> Any:
    segments = path.strip("/").split("/")
    found = [
        (sum(part.startswith("{") for part in pattern.split("/")), operations[method.lower()])
        for pattern, operations in contract.document["paths"].items()
        if method.lower() in operations and _fits(pattern.strip("/").split("/"), segments)
    ]
    return min(found, key=lambda one: one[0])[1] if found else None


def _fits(pattern: list[str], segments: list[str]) -> bool:
    return len(pattern) == len(segments) and all(
        wanted.startswith("{") or wanted == given
        for wanted, given in zip(pattern, segments, strict=True)
    )


def check_frame(text: str) -> None:
    """Check a frame of the WebSocket against the contract of its type."""
    contract = socket_contract()
    if contract is None:
        return
    frame = orjson.loads(text)
    schemas = _payloads(contract).get(frame.get("type"), [])
    problems: list[str] = []
    for schema in schemas:
        try:
            contract.check(frame, schema, str(frame.get("type")))
        except Broken as broken:
            problems.append(str(broken))
        else:
            return
    raise Broken("; ".join(problems) or f"no contract knows frames of type {frame.get('type')!r}")


def _payloads(contract: Contract) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for schema in contract.document["components"]["schemas"].values():
        kind = schema.get("properties", {}).get("type", {}).get("const")
        if kind is not None:
            found.setdefault(kind, []).append(schema)
    return found
