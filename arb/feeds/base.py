"""What every odds provider looks like to the engine, whatever it sends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import attrs

from arb.core.events import Quote
from arb.core.games import OddsEvent
from arb.io.text import one_line


@attrs.frozen
class Bad:
    """A piece of a message that cannot be used, and why; the rest of the message can."""

    reason: str
    example: str = attrs.field(converter=one_line)


# Hears of what a feed could not use of what it polled; of the stream, `OddsFeed.parse` says it.
NoteBad = Callable[[Bad], None]


def unheard(_bad: Bad) -> None:
    """Hear of nothing, where nobody would be shown it."""


@attrs.frozen
class Notice:
    """A piece that is right but carries no quote: what kind, and what it says to a person."""

    kind: str
    text: str = attrs.field(default="", converter=one_line)


@attrs.frozen
class Parsed:
    """What one message of a provider held, each piece by itself."""

    quotes: tuple[Quote, ...] = ()
    bad: tuple[Bad, ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def needs_snapshot(self) -> bool:
        """Say whether the provider has lost track, so that every price must be read again."""
        return any(notice.kind == RESYNC for notice in self.notices)


RESYNC = "resync_required"

# What a parser calls a message of a type that it does not know.
UNKNOWN_TYPE = "unknown type"

# What a parser calls a price of a book that the settings do not name.
NOT_ASKED_FOR = "a book that was not asked for"

# A game that its provider has not offered for so long is over, and its reader lets go of it. An
# answer that came back short must cost no reader what it knows, and polls that cost credits may be
# hours apart.
FORGOTTEN_AFTER_MS = 86_400_000

# A book that takes its price away sends none. The board keeps the last one; this stands in.
NO_ODDS = 2.0


class FeedError(Exception):
    """A read from a provider failed: one line, with no key in it.

    ``throttled`` says that the provider wants us to come more rarely.
    """

    def __init__(self, text: str, *, throttled: bool = False) -> None:
        super().__init__(text)
        self.throttled = throttled


class OddsPoll(Protocol):
    """The games on offer, which are read on demand."""

    async def events(self, sports: Sequence[str]) -> list[OddsEvent]:
        """Return the games of some leagues that a book offers; raises `FeedError`."""


class Updates(Protocol):
    """An open stream of a provider's messages, whatever carries them."""

    @property
    def last_proof_s(self) -> float:
        """Return Trio's time at which the provider was last heard, 0 before it was."""

    async def receive(self) -> str | bytes:
        """Return the next message as it came; raises `SocketClosed`."""


class OddsFeed(OddsPoll, Protocol):
    """One provider: what can be polled, and a stream of changes.

    Say what you want with `subscribe`, open the stream with ``async with feed.connect()``, take
    the next update from it and have it read with `parse`, which is apart so that a tape keeps
    the message as it came.
    """

    provider: str

    async def snapshot(self, event_ids: Sequence[str]) -> list[Quote]:
        """Return every book's price of some games, which confirms them; raises `FeedError`."""

    def subscribe(self, sports: Sequence[str]) -> None:
        """Ask for the changes of some leagues, from the next `connect` on."""

    def connect(self) -> AbstractAsyncContextManager[Updates]:
        """Open the stream for the length of a block; raises `ConnectFailed`."""

    def parse(self, raw: str | bytes, received_ms: int) -> Parsed:
        """Read one message of the stream; never raises."""

    def memory(self) -> Any:
        """Return as JSON what `parse` rests on beside the message, None where that is nothing."""
