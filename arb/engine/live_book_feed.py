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
from arb.engine.subscription import ANSWERED_WITHIN_S, Subscription
from arb.io.websocket import Socket, SocketClosed
from arb.kalshi.wire import (
    LIFECYCLE,
    ORDER_BOOK,
    Ok,
    Subscribed,
    WireError,
    add_markets_command,
    delete_markets_command,
    get_snapshot_command,
    in_commands,
    subscribe_command,
)
from arb.kalshi.wire import Frame as WireFrame
from arb.tape.format import Feed, Record

# A snapshot that was asked for and has not come is asked for again after this long.
SNAPSHOT_RETRY_S = 1.0

NOT_ANSWERED = "no answer to a subscription"
LEFT_OUT = "a subscription without markets that it was to have"

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
        self._subscription = Subscription()
        self._books.follow(self._subscription.followed)
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
        self._subscription = Subscription()
        self._books.follow(self._subscription.followed)
        self.lost()
        self._sid = self._lifecycle_sid = self._subscription_lost = None
        self._books_asked_id = NO_COMMAND
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
        return self._subscription_lost or f"not subscribed within {ANSWERED_WITHIN_S:g} s"

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
                    self._give_up_unanswered()
                    await self._follow(socket, self._sid)
                    await self._mend(socket, self._sid)
                    self._report_books()
                elif self._books.tickers and self._books_asked_id == NO_COMMAND:
                    await self._subscribe(socket)
                elif not self._books.tickers and self._lifecycle_sid is not None:
                    # Every game is over: the connection stands, and hears of the next one.
                    self._report_books()
                elif trio.current_time() - self._since_s >= ANSWERED_WITHIN_S:
                    connection.cancel()

    async def _subscribe(self, socket: Socket) -> None:
        """Ask for the first books; the others follow once the subscription has an id."""
        self._since_s = trio.current_time()
        for tickers in islice(in_commands(self._books.tickers), 1):
            self._books_asked_id = self._note_asked(tickers)
            await socket.send(subscribe_command(self._books_asked_id, (ORDER_BOOK,), tickers))

    async def _follow(self, socket: Socket, sid: int) -> None:
        """Add markets that came into the catalogue, and take out those that went."""
        wanted = self._books.tickers
        for tickers in in_commands(sorted(self._subscription.followed.difference(wanted))):
            self._subscription.left(tickers)
            self._books.follow(self._subscription.followed)
            await socket.send(delete_markets_command(self._next_id(), sid, tickers))
        for tickers in in_commands(self._subscription.due(wanted, trio.current_time())):
            await socket.send(add_markets_command(self._note_asked(tickers), sid, tickers))

    async def _mend(self, socket: Socket, sid: int) -> None:
        """Ask for each broken book anew, and again after a while until it has come.

        A book that is not followed is not asked for: no change would follow its snapshot.
        """
        if not self._books.broken_count:
            self._asked_s.clear()
            return
        now_s, followed = trio.current_time(), self._subscription.followed
        due_s = now_s - SNAPSHOT_RETRY_S
        broken = [
            ticker
            for ticker in self._books.broken()
            if ticker in followed and self._asked_s.get(ticker, due_s) <= due_s
        ]
        for tickers in in_commands(broken):
            self._asked_s.update(dict.fromkeys(tickers, now_s))
            await socket.send(get_snapshot_command(self._next_id(), sid, tickers))

    def _note_asked(self, tickers: Sequence[str]) -> int:
        """Note that these markets are asked for, snapshots and all; return the command's id."""
        now_s, command_id = trio.current_time(), self._next_id()
        self._subscription.asked(command_id, tickers, now_s)
        self._asked_s.update(dict.fromkeys(tickers, now_s))
        return command_id

    def _heed(self, parsed: WireFrame, received_ns: int) -> None:
        if isinstance(parsed, Subscribed) and parsed.channel == ORDER_BOOK:
            self._take_word(parsed.id, None, received_ns)
        elif isinstance(parsed, Ok) and parsed.sid is not None and parsed.sid == self._sid:
            # A market that went, and was not taken out, is not taken back for that.
            ours = self._subscription.followed.union(self._books.tickers)
            listed = ours.intersection(parsed.tickers) if parsed.tickers else None
            self._take_word(parsed.id, listed, received_ns)
        elif isinstance(parsed, WireError):
            refused = self._subscription.refused(parsed.id, trio.current_time())
            self._now_followed(received_ns, refused)

    def _take_word(
        self, command_id: int | None, listed: frozenset[str] | None, received_ns: int
    ) -> None:
        left_out = self._subscription.confirmed(command_id, listed, trio.current_time())
        if left_out:
            self._parts.board.note_bad(SOURCE, LEFT_OUT, ", ".join(left_out))
        self._now_followed(received_ns, left_out)

    def _give_up_unanswered(self) -> None:
        """Count on no command that nobody has answered; its markets are asked for again."""
        lost = self._subscription.unanswered(trio.current_time())
        if lost:
            self._parts.board.note_bad(SOURCE, NOT_ANSWERED, ", ".join(lost))
            self._now_followed(self._parts.clock.monotonic_ns(), lost)

    def _now_followed(self, received_ns: int, left_out: Sequence[str] = ()) -> None:
        changed = self._books.follow(self._subscription.followed, left_out)
        for ticker in changed:
            self._tell_if_changed(ticker, received_ns)
        if changed:
            self._stirred.set()

    def _report_books(self) -> None:
        books, usable = len(self._books.tickers), self._books.usable_count
        late = trio.current_time() - self._since_s >= BOOKS_AWAITED_S
        if usable < books and not late and not self._reported[0]:
            return
        self._report(connected=True, detail=f"{usable} of {books} books")

    def _report(self, connected: bool, detail: str) -> None:  # noqa: FBT001 - Link's signature
        if not connected:
            self.lost()
        if (connected, detail) != self._reported:
            self._reported = (connected, detail)
            self._risk.tell(ConnectionChanged(SOURCE, connected, detail))

    def _next_id(self) -> int:
        self._command_id += 1
        return self._command_id
