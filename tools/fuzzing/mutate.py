"""Damage, repeatable: bytes flipped, cut and spliced, and JSON whose values are exchanged.

Every draw comes from the generator that is handed in, so a case is its seed and its number.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

import orjson

# Values that parsers have stumbled over: the edges of numbers, what only looks like one, texts in
# place of numbers and the other way round, and words of the exchange in the wrong place.
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 0.5, -0.0, 1e308, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63),
    10**30, float("nan"), float("inf"), "", " ", "0", "-0.00", "0.0000", "1.0000", "0.5", "0.48",
    "-5.00", "NaN", "Infinity", "1e5", "١.٢", "0x10", "1_0", "+0.50", " 0.50", "0.50\n", "9" * 40,
    "0." + "0" * 40 + "1", "yes", "no", "bid", "ask", "orderbook_delta", "ok", "error", "ML",
    "2026-02-30T00:00:00Z", "9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "\x00", "\u2028",
    "😀" * 50, "\\", '"', [], {}, [[]], [None], [["0.5000", "1.00"]], {"": None}, ["x"] * 40,
)  # fmt: skip

# orjson refuses what is nested deeper than 1,024; Python's own repr gives up a little earlier.
DEPTHS = (2, 60, 900, 990, 1_020, 1_030, 20_000)

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null')
_BYTES = (b"", b"\x00", b"\xff", b"\xed\xa0\x80", b"{", b"}", b"[", b"]", b'"', b",", b":", b"\n")

Edit = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def damaged(rng: random.Random, raw: bytes, others: Sequence[bytes]) -> bytes:
    """Return ``raw`` changed in one to three ways; ``others`` lend their pieces."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        raw = rng.choice(EDITS)(rng, raw, others)
    return raw


def _flip(rng: random.Random, raw: bytes, _others: Sequence[bytes]) -> bytes:
    data = bytearray(raw or b"{}")
    for _ in range(rng.choice((1, 1, 2, 8))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def _cut(rng: random.Random, raw: bytes, _others: Sequence[bytes]) -> bytes:
    start, end = sorted((rng.randint(0, len(raw)), rng.randint(0, len(raw))))
    return rng.choice((raw[:start], raw[end:], raw[:start] + raw[end:]))


def _splice(rng: random.Random, raw: bytes, others: Sequence[bytes]) -> bytes:
    other = rng.choice(others) if others else raw
    return raw[: rng.randint(0, len(raw))] + other[rng.randint(0, len(other)) :]


def _repeat(rng: random.Random, raw: bytes, _others: Sequence[bytes]) -> bytes:
    start, end = sorted((rng.randint(0, len(raw)), rng.randint(0, len(raw))))
    return raw[:end] + raw[start:end] * rng.choice((1, 2, 30)) + raw[end:]


def _insert(rng: random.Random, raw: bytes, _others: Sequence[bytes]) -> bytes:
    place = rng.randint(0, len(raw))
    return raw[:place] + rng.choice(_BYTES) * rng.choice((1, 1, 5)) + raw[place:]


def _token(rng: random.Random, raw: bytes, _others: Sequence[bytes]) -> bytes:
    tokens = list(_TOKEN.finditer(raw))
    if not tokens:
        return raw
    found = rng.choice(tokens)
    return raw[: found.start()] + _written(rng.choice(VALUES)) + raw[found.end() :]


def _duplicate_key(rng: random.Random, raw: bytes, _others: Sequence[bytes]) -> bytes:
    """Name a field twice: in front of the others, where it loses, or behind them, where it wins."""
    names = re.findall(rb'"(?:[^"\\]|\\.)*"(?=\s*:)', raw)
    braces = [found.start() for found in re.finditer(rb"[{}]", raw)]
    if not names or not braces:
        return raw
    place = rng.choice(braces)
    field: bytes = rng.choice(names) + b":" + _written(rng.choice(VALUES))
    if raw[place : place + 1] == b"{":
        return raw[: place + 1] + field + b"," + raw[place + 1 :]
    return raw[:place] + b"," + field + raw[place:]


def _nest(rng: random.Random, raw: bytes, _others: Sequence[bytes]) -> bytes:
    tokens = [found for found in _TOKEN.finditer(raw) if raw[found.end() :][:1] != b":"]
    if not tokens:
        return raw
    found, depth = rng.choice(tokens), rng.choice(DEPTHS)
    left, right = rng.choice(((b"[", b"]"), (b'{"a":', b"}")))
    return raw[: found.start()] + left * depth + found[0] + right * depth + raw[found.end() :]


def _tree(rng: random.Random, raw: bytes, others: Sequence[bytes]) -> bytes:
    """Change one place of the JSON tree, which keeps it JSON."""
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _flip(rng, raw, others)
    places = _places(document)
    if not places:
        return _written(rng.choice(VALUES))
    holder, key = rng.choice(places)
    other_holder, other_key = rng.choice(places)
    change = rng.randrange(6)
    if change == 0:
        del holder[key]
    elif change == 1:
        holder[key], other_holder[other_key] = other_holder[other_key], holder[key]
    elif change == 2:  # noqa: PLR2004 - one of six
        holder[key] = other_holder[other_key]
    elif change == 3 and isinstance(holder, dict):  # noqa: PLR2004 - one of six
        holder[f"{key}x"] = holder.pop(key)
    elif change == 4:  # noqa: PLR2004 - one of six
        holder[key] = _other_type(holder[key])
    else:
        holder[key] = rng.choice(VALUES)
    return _written(document)


def _other_type(value: Any) -> Any:
    if isinstance(value, str):
        return float(value) if re.fullmatch(r"-?\d{1,9}(\.\d+)?", value) else [value]
    return str(value) if isinstance(value, int | float) else {"was": type(value).__name__}


def _places(document: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    left = [document] if isinstance(document, dict | list) else []
    while left:
        holder = left.pop()
        keys = holder if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            found.append((holder, key))
            if isinstance(holder[key], dict | list):
                left.append(holder[key])
        if len(found) > PLACES_MAX:
            break
    return found


# Beyond these a tree has nothing new to change, and walking it costs more than parsing it.
PLACES_MAX = 2_000

# A value that holds itself, and one that is too deep for Python's own writer, is not written.
_UNWRITABLE = b'"unwritable"'


def _written(value: Any) -> bytes:
    try:
        return json.dumps(value, separators=(",", ":")).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return _UNWRITABLE


# Trees come up most: what is still JSON gets furthest into a parser.
EDITS: tuple[Edit, ...] = (
    _flip, _cut, _splice, _repeat, _insert, _token, _token, _duplicate_key, _nest,
    _tree, _tree, _tree, _tree, _tree,
)  # fmt: skip
