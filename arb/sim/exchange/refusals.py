"""How the simulated exchange says no: a status, a code, and one of three shapes of body."""

from __future__ import annotations

from enum import Enum

import attrs

Body = dict[str, object]


class Shape(Enum):
    """The three error bodies seen on the wire (recorded on the demo exchange, June 2026)."""

    NESTED = "nested"
    FLAT = "flat"
    BARE = "bare"


@attrs.frozen
class Refusal:
    """One refusal as it goes over the wire."""

    status: int
    code: str
    message: str
    details: str | None = None
    shape: Shape = Shape.NESTED

    def body(self) -> Body:
        """Return the JSON body in this refusal's shape."""
        if self.shape is Shape.BARE:
            return {"msg": self.message}
        inner: Body = {"code": self.code, "message": self.message}
        if self.details is not None:
            inner["details"] = self.details
        return inner if self.shape is Shape.FLAT else {"error": inner}


class Refused(Exception):
    """Raised where the exchange refuses; carries the `Refusal` to answer with."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.status} {refusal.code}: {refusal.details or refusal.message}")
        self.refusal = refusal


def nested(status: int, code: str, details: str | None = None) -> Refused:
    """Return a refusal whose message is its code in plain words, as most recorded ones are."""
    return Refused(Refusal(status, code, code.replace("_", " "), details))


def undecodable(details: str) -> Refused:
    """Return the flat 400 with which the exchange's JSON decoder complains."""
    return Refused(Refusal(400, "bad_request", "bad request", details, Shape.FLAT))


def bad_parameter(endpoint: str, field: str, tag: str) -> Refused:
    """Return the bare 400 with which the exchange's parameter validation complains."""
    text = (
        f"Parameter validation failed for {endpoint}: Key: '{endpoint}Params.{field}' "
        f"Error:Field validation for '{field}' failed on the '{tag}' tag"
    )
    return Refused(Refusal(400, "bad_request", text, shape=Shape.BARE))


def not_found() -> Refused:
    """Return the one 404 that stands for cancelled, executed, unknown and on another shard."""
    return nested(404, "not_found")
