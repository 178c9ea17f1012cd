"""The gateway to Kalshi: order lanes out, their answers and the private channels back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import trio

from actors import Context
from arb.core.commands import Amendment, CancelOrder, OrderIntent
from arb.core.events import (
    OrderAccepted,
    OrderAmended,
    OrderClosed,
    OrderEvent,
    OrderRefused,
)
from arb.core.money import CountE2
from arb.core.risk import client_order_prefix
from arb.core.unseen import unseen_since_ms
from arb.engine.account_reader import AccountReader
from arb.engine.account_reading import Account
from arb.engine.gateway import Gateway
from arb.engine.link import next_text
from arb.engine.lookups import Lookups
from arb.engine.messages import (
    CancelsDue,
    ConnectionChanged,
    Filled,
    Frame,
    GatewayReady,
    LookUp,
    NotOurs,
    ReadAccount,
    ResetGroups,
    TriggerGroups,
)
from arb.engine.names import ACCOUNT_LINK
from arb.engine.order_desk import Exchange, OrderDesk
from arb.engine.other_engines import own_prefixes
from arb.engine.parts import Parts
from arb.engine.requests_out import Known
from arb.engine.venue_watch import VenueWatch
from arb.io.websocket import Socket, SocketClosed
from arb.kalshi.lane import Answer
from arb.kalshi.wire import (
    FillFrame,
    Ignored,
    Malformed,
    OrderFrame,
    Subscribed,
    WireError,
    parse_frame,
    subscribe_command,
)

CHANNELS = ("fill", "user_orders")
SOURCE = ACCOUNT_LINK
CANCELED = "canceled"

# A subscription is confirmed within milliseconds. Its confirmation may be lost or damaged, and
# then nothing would ever say that fills are not told.
SUBSCRIBED_WITHIN_S = 5.0

# The exchange's reads lag by a second or so, and may be asked for once a second.
READ_AGAIN_S = 1.0


class KalshiGateway(Gateway):
    """Sends over the lanes, and reports answers, private messages and lookups."""

    def __init__(self, ctx: Context, parts: Parts, exchange: Exchange) -> None:
        super().__init__(ctx, parts)
        self._exchange = exchange
        self._link = exchange.link
        self._lookups = Lookups(exchange.rest, parts.clock, parts.board, self._looked_up)
        self._desk = OrderDesk(
            parts, exchange, self._lookups, self._risk.tell, self.report, self._wake_cancels_in
        )
        self._watch = VenueWatch(parts, exchange, self._desk, self._risk.tell)
        self._prefix = client_order_prefix(parts.installation)
        self._accounts = AccountReader(
            exchange.rest,
            parts,
            partial(own_prefixes, parts),
            self._account_read,
            self._risk.tell,
            exchange.clock,
            maybe_late=ctx.generation > 1,
            unseen_since_ms=_unseen_since_ms(parts),
        )
        self._unsubscribed: set[str] = set(CHANNELS)
        self._subscription_lost: str | None = None
        self._reading_wanted: int | None = None
        self._subscribed_ns = 0
        self._link.report = self._report_link
        exchange.lanes.on_answer = ctx.address.tell
        more: dict[type, Callable[[Any], None]] = {
            Answer: self._desk.answered,
            Frame: self._on_frame,
            LookUp: self._lookups.look_up,
            ReadAccount: self._on_read_account,
            CancelsDue: lambda _due: self._desk.cancels.woken(),
            ResetGroups: lambda _wish: self._desk.groups.reset(),
            TriggerGroups: lambda _wish: self._desk.groups.trigger(),
        }
        self._handlers.update(more)

    async def start(self) -> None:
        """Open the session; nothing is connected yet, so nothing is traded yet."""
        self._risk.tell(GatewayReady())
        self._watch.start()
        self._report_link(connected=False, detail="connecting")
        for listing in self._parts.catalogue.listings:
            self._desk.groups.want(listing.exchange_index)

    async def run(self) -> None:
        """Keep lanes and the private connection up, look unknown orders up, read the account."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._exchange.signatures.run)
            nursery.start_soon(self._exchange.lanes.run)
            nursery.start_soon(self._watch.run)
            nursery.start_soon(self._desk.groups.run)
            nursery.start_soon(self._link.run, self._serve)
            nursery.start_soon(self._lookups.run)
            nursery.start_soon(self._accounts.run)

    def _wake_cancels_in(self, seconds: float) -> None:
        self.ctx.after(seconds, CancelsDue())

    # Out: requests in the turn they were approved, and their answers.

    def place(self, client_order_id: str, intent: OrderIntent) -> None:
        """Send a new order."""
        self._watch.notice_standstill()
        self._desk.place(client_order_id, intent)

    def amend(self, amendment: Amendment) -> None:
        """Send an amendment."""
        self._watch.notice_standstill()
        self._desk.amend(amendment)

    def _on_cancel(self, cancel: CancelOrder) -> None:
        self._watch.notice_standstill()
        self._desk.cancel(cancel)

    # Back: lookups of what had no answer.

    def _looked_up(self, event: OrderEvent) -> None:
        name = event.client_order_id
        known = self._desk.known(name)
        if isinstance(event, OrderAccepted) and event.remaining_e2 and known is None:
            count_e2 = CountE2(event.filled_e2 + event.remaining_e2)
            self._desk.learn(name, Known(event.order_id, "", count_e2))
        elif isinstance(event, OrderAmended) and known is not None:
            # The ledger is told this price: one that is told later is news against it.
            self._desk.learn(name, attrs.evolve(known, price_e4=event.price_e4))
        elif isinstance(event, OrderClosed | OrderRefused):
            self._desk.forget(name)
        self.report(event)

    # Back: the private channels.

    async def _serve(self, socket: Socket) -> None:
        self._unsubscribed = set(CHANNELS)
        self._subscription_lost = self._reading_wanted = None
        await socket.send(subscribe_command(1, CHANNELS, ()))
        give_up_s = trio.current_time() + SUBSCRIBED_WITHIN_S
        clock = self._parts.clock
        while True:
            if self._unsubscribed and trio.current_time() >= give_up_s:
                raise SocketClosed(f"not subscribed within {SUBSCRIBED_WITHIN_S:g} s")
            text = await next_text(socket)
            if text is not None:
                self.ctx.address.tell(Frame(text, clock.wall_ms(), clock.monotonic_ns()))
            if self._subscription_lost is not None:
                raise SocketClosed(self._subscription_lost)

    def _on_frame(self, frame: Frame) -> None:
        try:
            parsed = parse_frame(frame.raw)
        except Malformed as error:
            self._parts.board.note_bad(SOURCE, error.reason, frame.raw)
            return
        if isinstance(parsed, FillFrame):
            self._risk.tell(Filled(parsed.fill))
        elif isinstance(parsed, OrderFrame):
            self._on_order_frame(parsed)
        elif isinstance(parsed, Subscribed):
            self._on_subscribed(parsed)
        elif isinstance(parsed, WireError):
            # All that is sent here is one subscription: without it this connection is useless.
            self._parts.board.note_bad(SOURCE, f"error {parsed.code}", frame.raw)
            self._subscription_lost = f"error {parsed.code}: {parsed.text}"
        elif isinstance(parsed, Ignored):
            self._parts.board.note_bad(SOURCE, f"unknown type {parsed.type}", frame.raw)

    def _on_subscribed(self, subscribed: Subscribed) -> None:
        # What happened while nobody listened is read; until then nothing new is begun.
        self._unsubscribed.discard(subscribed.channel)
        if not self._unsubscribed:
            self._subscribed_ns = self._parts.clock.monotonic_ns()
            self._reading_wanted = self._accounts.want()

    def _on_order_frame(self, frame: OrderFrame) -> None:
        client_order_id = frame.client_order_id
        if client_order_id is None:
            return
        if not client_order_id.startswith(self._prefix):
            # That one of an earlier installation ends is no sign that anybody trades.
            if frame.status != CANCELED:
                self._risk.tell(NotOurs(client_order_id, frame.ticker))
            return
        if frame.status != "resting":
            self._desk.forget(client_order_id)
            filled = frame.status == "executed"
            why = "filled" if filled else f"canceled: {frame.why or 'by Kalshi'}"
            self.report(OrderClosed(client_order_id, frame.filled_e2, why))
            return
        is_moved = self._is_moved(frame, client_order_id)
        # A person may have made it smaller since it was placed.
        count_e2 = CountE2(frame.filled_e2 + frame.remaining_e2)
        known = Known(frame.order_id, frame.ticker, count_e2, frame.price_e4)
        self._desk.learn(client_order_id, known)
        self.report(
            OrderAccepted(client_order_id, frame.order_id, frame.filled_e2, frame.remaining_e2)
        )
        if is_moved:
            self.report(
                OrderAmended(client_order_id, frame.price_e4, frame.remaining_e2, frame.expires_s)
            )

    def _is_moved(self, frame: OrderFrame, client_order_id: str) -> bool:
        """Tell whether an order may stand at another price than the ledger was told."""
        before = self._desk.known(client_order_id)
        if before is not None:
            return before.price_e4 != frame.price_e4
        # What an earlier gateway had under way may have come into effect since.
        return not self._desk.has_priced(client_order_id)

    def _report_link(self, connected: bool, detail: str) -> None:  # noqa: FBT001 - Link's signature
        if not connected:
            self._reading_wanted = None
        self._risk.tell(ConnectionChanged(SOURCE, connected, detail))

    # The account, read whole.

    def _on_read_account(self, wish: ReadAccount) -> None:
        self._accounts.want(with_moves=wish.with_moves, since_ms=wish.since_ms)

    def _account_read(self, account: Account, number: int) -> None:
        if account.resting is not None:
            self._desk.listed({order.client_order_id for order in account.resting})
        self._risk.tell(account)
        if self._reading_wanted is None or number < self._reading_wanted:
            return
        if account.is_behind(self._subscribed_ns):
            # What happened just before nothing was missed any more may not be in it.
            self.ctx.after(READ_AGAIN_S, ReadAccount())
            return
        self._reading_wanted = None
        self._report_link(connected=True, detail="fills and orders")

    def __repr__(self) -> str:
        return f"<KalshiGateway {self._desk!r}>"


def _unseen_since_ms(parts: Parts) -> int | None:
    known = parts.journal.known()
    return unseen_since_ms(known.ledger) if known.has_account else None
