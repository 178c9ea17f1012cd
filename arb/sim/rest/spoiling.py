"""What becomes of a request that changes orders when something is wrong with it or its answer."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from arb.sim.conditions import OrderAnswer
from arb.sim.exchange.refusals import Refused, nested
from arb.sim.exchange.venue import Venue
from arb.sim.serving.http import Response, json_response

_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
_UNAVAILABLE = {"error": {"code": "service_unavailable", "message": "service unavailable"}}
_NOT_TAKEN = frozenset(
    {
        OrderAnswer.REFUSE,
        OrderAnswer.TOO_MANY,
        OrderAnswer.ERROR_BEFORE,
        OrderAnswer.DROP_REQUEST,
        OrderAnswer.TIMEOUT_BEFORE,
    }
)


@attrs.frozen
class Fate:
    """What happens to one request: its kind, how late it arrives and how late it is answered."""

    answer: OrderAnswer
    lag_s: float
    delay_s: float

    @classmethod
    def of(cls, venue: Venue, kind: str) -> Fate:
        """Return the fate that the conditions hold for an order, a cancel or an amendment."""
        conditions = venue.conditions
        return cls(
            getattr(conditions, f"{kind}_answer"),
            getattr(conditions, f"{kind}_lag_s"),
            getattr(conditions, f"{kind}_delay_s"),
        )


def spoiled(venue: Venue, kind: str, act: Callable[[], Response]) -> Response:
    """Let ``act`` do what was asked, if it is to happen, and answer as the conditions say."""
    fate = Fate.of(venue, kind)
    _note(venue, kind, fate)
    if fate.answer in _NOT_TAKEN:
        return _not_taken(venue, fate)
    if not fate.lag_s:
        return _answered(fate, act())
    return Response(0, delay_s=fate.lag_s, later=lambda: _late(fate, act))


def _note(venue: Venue, kind: str, fate: Fate) -> None:
    if fate.answer is not OrderAnswer.NORMAL:
        venue.conditions.struck(f"{kind}_answer {fate.answer}")
    for name in ("lag_s", "delay_s"):
        venue.conditions.holds(f"{kind}_{name}")


def _late(fate: Fate, act: Callable[[], Response]) -> Response:
    try:
        return _answered(fate, act())
    except Refused as refused:
        return json_response(refused.refusal.status, refused.refusal.body())


def _not_taken(venue: Venue, fate: Fate) -> Response:
    if fate.answer is OrderAnswer.REFUSE:
        raise nested(*venue.conditions.refusal)
    if fate.answer is OrderAnswer.TOO_MANY:
        return too_many()
    if fate.answer is OrderAnswer.ERROR_BEFORE:
        return json_response(503, _UNAVAILABLE)
    return Response(
        0,
        delay_s=fate.delay_s,
        hang_up=fate.answer is OrderAnswer.DROP_REQUEST,
        silent=fate.answer is OrderAnswer.TIMEOUT_BEFORE,
    )


def _answered(fate: Fate, made: Response) -> Response:
    if fate.answer is OrderAnswer.ERROR_AFTER:
        return json_response(503, _UNAVAILABLE)
    if fate.answer is OrderAnswer.HTML_AFTER:
        return Response(502, _PAGE, content_type="text/html")
    if fate.answer is OrderAnswer.EMPTY_SUCCESS:
        return json_response(made.status, {})
    return attrs.evolve(
        made,
        delay_s=fate.delay_s,
        hang_up=fate.answer is OrderAnswer.DROP_ACK,
        silent=fate.answer is OrderAnswer.TIMEOUT_AFTER,
        twice=fate.answer is OrderAnswer.ACK_TWICE,
    )


def too_many() -> Response:
    """Return the 429 of an empty bucket, which carries no header and no code."""
    return json_response(429, {"error": "too many requests"})
