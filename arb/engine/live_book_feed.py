"""The book feed's connection: what it subscribes to, follows and mends."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import islice

import trio

from actors import Context
from arb.engine.book_feed import NO_COMMAND, BookFeed
from arb.engine.link import BEING_STOPPED, LOOK_UP_EVERY_S, Link, text_of
from arb.engine.messages import BookFeedReady, ConnectionChanged, Frame
from arb.engine.names import RISK
from arb.engine.parts import Parts
from arb.engine.subscribed_books import SOURCE
from arb.io.websocket import Socket, SocketClosed
from arb.kalshi.wire import (
    LIFECYCLE,
    ORDER_BOOK,
    add_markets_command,
    delete_markets_command,
    get_snapshot_command,
    in_commands,
    subscribe_command,
)
from arb.tape.format import Feed, Record

# A snapshot that was asked for and has not come is asked for again after this long.
SNAPSHOT_RETRY_S = 1.0

# A subscription is confirmed within milliseconds. Without the confirmation, which may be lost or
# damaged, no broken book could ever be asked for again.
SUBSCRIBED_WITHIN_S = 5.0

# A book that has not come by then does not keep the others waiting: it alone is not usable.
BOOKS_AWAITED_S = 2.0


class LiveBookFeed(BookFeed):
    """A book feed on a connection of its own."""

    def __init__(
        self,
        ctx: Context,
        parts: Parts,
        link: Link[Socket],
        *,
        watchers: tuple[str, ...] = (),
    ) -> None:
        super().__init__(ctx, parts, watchers)
        self._link = link
        self._link.report = self._report
        self._risk = ctx.find(RISK)
        self._tape = parts.tape_of(ctx)
        self._reported = (False, "")
        self._since_s = 0.0
        self._subscribed_to: set[str] = set()
        # When each book that is still broken was asked for.
        self._asked_s: dict[str, float] = {}
        self._command_id = NO_COMMAND

    async def start(self) -> None:
        """Say that nothing is connected yet, so that nothing is traded before it is."""
        self._report(connected=False, detail="connecting")
        self._risk.tell(BookFeedReady())

    async def run(self) -> None:
        """Keep the connection up; a market's book is usable only while it is."""
        await self._link.run(self._serve)

    async def _serve(self, socket: Socket) -> None:
        self.lost()
        self._sid = self._lifecycle_sid = self._subscription_lost = None
        self._subscribed_to = set()
        self._asked_s = {}
        await socket.send(subscribe_command(self._next_id(), (LIFECYCLE,)))
        await self._subscribe(socket)
        closed: SocketClosed | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tend, socket, nursery.cancel_scope)
            try:
                await self._listen(socket)
            except SocketClosed as error:
                # Raised again outside the nursery, which would wrap it in a group.
                closed = error
            nursery.cancel_scope.cancel()
        raise closed or SocketClosed(self._why_given_up())

    def _why_given_up(self) -> str:
        return self._subscription_lost or f"not subscribed within {SUBSCRIBED_WITHIN_S:g} s"

    async def _listen(self, socket: Socket) -> None:
        # No deadline around each message: what is due in silence is another task's.
        while True:
            text = text_of(await socket.receive())
            if self.ctx.stopping:
                # Nobody takes it any more: what the markets were told last is not the book.
                raise SocketClosed(BEING_STOPPED)
            self._pass_on(text)

    def _pass_on(self, raw: str) -> None:
        clock = self._parts.clock
        frame = Frame(raw, clock.wall_ms(), clock.monotonic_ns())
        # Through our own mailbox: a market's order may come back here as our own resting order
        # in this very turn, and a handler must not be entered twice.
        self.ctx.address.tell(frame)
        if self._tape is not None:
            self._tape.tell(Record(frame.received_ms, Feed.BOOKS, "kalshi", raw))

    async def _tend(self, socket: Socket, connection: trio.CancelScope) -> None:
        """Follow the catalogue and mend books, when something has changed and each second."""
        # An end of the connection is told by the next receive as well.
        with suppress(SocketClosed):
            while True:
                with trio.move_on_after(LOOK_UP_EVERY_S):
                    await self._stirred.wait()
                self._stirred = trio.Event()
                if self._subscription_lost is not None:
                    connection.cancel()
                elif self._sid is not None:
                    await self._follow(socket, self._sid)
                    await self._mend(socket, self._sid)
                    self._report_books()
                elif self._books.tickers and not self._subscribed_to:
                    await self._subscribe(socket)
                elif not self._books.tickers and self._lifecycle_sid is not None:
                    # Every game is over: the connection stands, and hears of the next one.
                    self._report_books()
                elif trio.current_time() - self._since_s >= SUBSCRIBED_WITHIN_S:
                    connection.cancel()

    async def _subscribe(self, socket: Socket) -> None:
        """Ask for the first books; the others follow once the subscription has an id."""
        self._since_s = trio.current_time()
        for tickers in islice(in_commands(self._books.tickers), 1):
            self._note_asked(tickers)
            self._books_asked_id = self._next_id()
            await socket.send(subscribe_command(self._books_asked_id, (ORDER_BOOK,), tickers))

    async def _follow(self, socket: Socket, sid: int) -> None:
        """Add markets that came into the catalogue, and take out those that went."""
        wanted = self._books.tickers
        for tickers in in_commands(sorted(self._subscribed_to.difference(wanted))):
            self._subscribed_to.difference_update(tickers)
            await socket.send(delete_markets_command(self._next_id(), sid, tickers))
        for tickers in in_commands([each for each in wanted if each not in self._subscribed_to]):
            self._note_asked(tickers)
            await socket.send(add_markets_command(self._next_id(), sid, tickers))

    async def _mend(self, socket: Socket, sid: int) -> None:
        """Ask for each broken book anew, and again after a while until it has come."""
        if not self._books.broken_count:
            self._asked_s.clear()
            return
        due_s = trio.current_time() - SNAPSHOT_RETRY_S
        broken = [each for each in self._books.broken() if self._asked_s.get(each, due_s) <= due_s]
        for tickers in in_commands(broken):
            self._note_asked(tickers)
            await socket.send(get_snapshot_command(self._next_id(), sid, tickers))

    def _note_asked(self, tickers: Sequence[str]) -> None:
        self._subscribed_to.update(tickers)
        self._asked_s.update(dict.fromkeys(tickers, trio.current_time()))

    def _report_books(self) -> None:
        books, broken = len(self._books.tickers), self._books.broken_count
        late = trio.current_time() - self._since_s >= BOOKS_AWAITED_S
        if broken and not late and not self._reported[0]:
            return
        self._report(connected=True, detail=f"{books - broken} of {books} books")

    def _report(self, connected: bool, detail: str) -> None:  # noqa: FBT001 - Link's signature
        if not connected:
            self.lost()
        if (connected, detail) != self._reported:
            self._reported = (connected, detail)
            self._risk.tell(ConnectionChanged(SOURCE, connected, detail))

    def _next_id(self) -> int:
        self._command_id += 1
        return self._command_id
