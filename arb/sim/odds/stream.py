"""One client of the odds stream: its filters, and the frames it is sent."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import orjson

from arb.sim.odds.desk import Change, OddsDesk
from arb.sim.odds.shapes import change_body, status_of
from arb.sim.serving.http import Request
from arb.sim.serving.socket import Outbox

_LIMITS = (
    ("sport", 10, "Too many sports. Maximum 10 allowed."),
    ("markets", 20, "Too many markets. Maximum 20 allowed."),
    ("leagues", 20, "Too many leagues. Maximum 20 allowed."),
    ("eventIds", 50, "Too many event IDs. Maximum 50 allowed."),
)
_STATUSES = {"live": "live", "prematch": "pending"}
# So many changes of one moment share a frame at most.
_CHANGES_PER_FRAME = 8
# A client that falls so many frames behind is told to come back later.
_OUTBOX_FRAMES_MAX = 5_000
TRY_AGAIN_LATER = 1013


class BadFilter(Exception):
    """Raised where the filters of an upgrade request are refused, with the provider's text."""


@attrs.frozen
class Filters:
    """What a client wants to hear of."""

    markets: list[str]
    sports: list[str]
    leagues: list[str]
    event_ids: list[str]
    status: str

    @classmethod
    def read(cls, request: Request) -> Filters:
        """Read the filters of an upgrade request; raises `BadFilter`."""
        for name, highest, text in _LIMITS:
            if len(request.texts(name)) > highest:
                raise BadFilter(text)
        made = cls(
            request.texts("markets"),
            request.texts("sport"),
            request.texts("leagues"),
            request.texts("eventIds"),
            request.text("status"),
        )
        if not made.markets:
            raise BadFilter("Missing required parameter: markets")
        if made.leagues and made.event_ids:
            raise BadFilter("Cannot use both 'leagues' and 'eventIds' filters together.")
        if made.status and made.status not in _STATUSES:
            raise BadFilter("Invalid status filter. Use 'prematch' or 'live'")
        return made

    def want(self, change: Change, now_ms: int) -> bool:
        """Return whether a change passes."""
        league = change.game.league
        return (
            (not self.sports or league.sport_slug in self.sports)
            and (not self.leagues or league.league_slug in self.leagues)
            and (not self.event_ids or str(change.game.game_id) in self.event_ids)
            and (not self.status or status_of(change.game, now_ms) == _STATUSES[self.status])
        )


class OddsSession:
    """Sends one client the changes that pass its filters; nothing else, and no first snapshot."""

    def __init__(
        self,
        desk: OddsDesk,
        filters: Filters,
        on_end: Callable[[OddsSession], None],
        *,
        with_seq: bool,
        last_seq: int | None,
    ) -> None:
        self.outbox = Outbox(_OUTBOX_FRAMES_MAX)
        self._desk = desk
        self._filters = filters
        self._on_end = on_end
        self._with_seq = with_seq
        self._welcome()
        if last_seq is not None:
            self.changed(desk.since(last_seq))

    def __repr__(self) -> str:
        return f"OddsSession({self._filters}, {self.outbox!r})"

    def received(self, text: str) -> None:
        """Ignore what a client says: it has no commands."""

    def ended(self) -> None:
        """Leave the desk's listeners."""
        self._on_end(self)

    def changed(self, changes: list[Change]) -> None:
        """Send the changes of one moment, several to a frame, one JSON object a line."""
        now_ms = self._desk.clock.wall_ms()
        wanted = [change for change in changes if self._filters.want(change, now_ms)]
        for first in range(0, len(wanted), _CHANGES_PER_FRAME):
            lines = [
                orjson.dumps(
                    change_body(
                        change, self._filters.markets, self._desk.rng, with_seq=self._with_seq
                    )
                )
                for change in wanted[first : first + _CHANGES_PER_FRAME]
            ]
            self._put(b"\n".join(lines).decode())

    def _put(self, frame: str) -> None:
        if self.outbox.full:
            self.outbox.close(TRY_AGAIN_LATER, "try again later")
        else:
            self.outbox.put(frame)

    def _welcome(self) -> None:
        message = {
            "type": "welcome",
            "message": "Connected",
            "bookmakers": list(self._desk.books),
            "sport_filter": self._filters.sports,
            "leagues_filter": self._filters.leagues,
            "status_filter": self._filters.status or None,
            "market_filter": self._filters.markets,
            "warning": None,
        }
        self.outbox.put(orjson.dumps(message).decode())
