"""What may be asked at the control socket: every verb, its arguments, and how a line is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import orjson

from arb.io.text import one_line

# An answer is read in one line of a terminal or a log.
ERROR_LENGTH_MAX = 500


class SteeringError(Exception):
    """A command that cannot be done; the text is the one line its sender gets to read."""


@attrs.frozen
class Argument:
    """One argument of a verb: its type, whether it may be left out, which values it has."""

    kind: type
    required: bool = True
    values: tuple[str, ...] = ()


_KIND_WORDS = {int: "a whole number", str: "a text", bool: "true or false"}
_NAME = {"name": Argument(str)}
_REASON = {"reason": Argument(str)}
_EXITS = {"exits": Argument(str, required=False, values=("keep", "cancel"))}

# What a console may look at closely; each is made only when it is asked for.
SHOWN = ("market", "matching", "latency", "actor", "settings", "faults")

# Every verb with its arguments; `status` and `watch` are answered with a picture, `show` with an
# object, all others in a line. A console says `attend` once it is there, and `leave` where a person
# has left the engine running: else its end is a disappearance.
VERBS: dict[str, dict[str, Argument]] = {
    "status": {},
    "attend": {},
    "leave": {},
    "watch": {"every_ms": Argument(int, required=False)},
    "show": {"what": Argument(str, values=SHOWN), "name": Argument(str, required=False)},
    "kill": _NAME,
    "restart": _NAME,
    "quarantine": _NAME,
    "release": _NAME,
    "pause": {},
    "reduce": {},
    "resume": {},
    "halt": _REASON | _EXITS,
    "clear": _REASON,
    "flatten": {},
    "force_close": {"ticker": Argument(str)},
    "reconcile": {},
    "accept": {"by": Argument(str, required=False)},
    "limit": {"change_cents": Argument(int)},
    "fault": _NAME | {"switch": Argument(str, values=("on", "off"))},
    "faults_off": {},
    "set": {
        "key": Argument(str),
        "value": Argument(str),
        "by": Argument(str, required=False),
        "write": Argument(bool, required=False),
    },
    "stop": _EXITS,
}


@attrs.frozen
class Request:
    """One line of a client, checked; the answer carries its ``number``."""

    number: int | str | None
    verb: str
    arguments: dict[str, Any]


class BadRequest(Exception):
    """A line that is no request; ``number`` is its id as far as it had one."""

    def __init__(self, number: int | str | None, text: str) -> None:
        super().__init__(text)
        self.number = number


def parse_request(text: bytes) -> Request:
    """Return what one line asks for; raises `BadRequest`."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadRequest(None, "that line is no JSON") from None
    if not isinstance(document, dict):
        raise BadRequest(None, 'a request is an object such as {"id":1,"do":"status"}')
    number = document.pop("id", None)
    if number is not None and (isinstance(number, bool) or not isinstance(number, int | str)):
        raise BadRequest(None, "an id is a number or a text")
    verb = document.pop("do", None)
    known = VERBS.get(verb) if isinstance(verb, str) else None
    if known is None or not isinstance(verb, str):
        named = repr(verb) if isinstance(verb, str) else one_line(verb)
        raise BadRequest(number, f"{named} is no verb: use one of {', '.join(VERBS)}")
    why = _what_is_wrong(known, document)
    if why is not None:
        raise BadRequest(number, f"{verb} {why}")
    return Request(number, verb, document)


def refusal(text: str) -> dict[str, Any]:
    """Return the answer that says no, in one line of bounded length."""
    return {"ok": False, "error": " ".join(text.split())[:ERROR_LENGTH_MAX]}


def _what_is_wrong(known: Mapping[str, Argument], given: Mapping[str, Any]) -> str | None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        return f"takes no {unknown[0]!r}"
    for name, argument in known.items():
        if name not in given:
            if argument.required:
                return f"needs {name!r}"
            continue
        value = given[name]
        if type(value) is not argument.kind:
            return f"wants {name!r} as {_KIND_WORDS[argument.kind]}"
        if argument.values and value not in argument.values:
            return f"wants {name!r} to be one of {', '.join(argument.values)}"
        if isinstance(value, str) and not value.strip():
            return f"wants {name!r} not to be empty"
    return None
