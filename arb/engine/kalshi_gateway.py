"""The gateway to Kalshi: order lanes out, their answers and the private channels back."""

from __future__ import annotations

from collections.abc import Callable
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
    OrderKept,
    OrderRefused,
    OrderUnknown,
)
from arb.core.money import CountE2
from arb.core.risk import client_order_prefix
from arb.engine.account_reader import AccountReader
from arb.engine.gateway import Gateway
from arb.engine.link import Link, next_text
from arb.engine.lookups import Lookups
from arb.engine.messages import (
    Account,
    ConnectionChanged,
    Filled,
    Frame,
    GatewayReady,
    LookUp,
    ReadAccount,
)
from arb.engine.parts import Parts
from arb.engine.requests_out import Known, Sent
from arb.io.websocket import Socket, SocketClosed
from arb.kalshi.answers import Accepted, Amended, Canceled, Operation, Refused, Unknown, sort
from arb.kalshi.lane import Answer, NoLane, OrderLanes, Request
from arb.kalshi.rest import Rest
from arb.kalshi.signatures_ahead import SignaturesAhead
from arb.kalshi.wire import (
    CREATE_PATH,
    FillFrame,
    Ignored,
    Malformed,
    OrderFrame,
    Subscribed,
    WireError,
    amend_body,
    amend_path,
    cancel_path,
    order_body,
    parse_frame,
    subscribe_command,
)

CHANNELS = ("fill", "user_orders")
SOURCE = "Kalshi account"
LANES = "Kalshi orders"

# A subscription is confirmed within milliseconds. Its confirmation may be lost or damaged, and
# then nothing would ever say that fills are not told.
SUBSCRIBED_WITHIN_S = 5.0

# How often it is looked whether the order lanes are up.
LANES_CHECKED_S = 0.25


class KalshiGateway(Gateway):
    """Sends over the lanes, and reports answers, private messages and lookups."""

    def __init__(
        self,
        ctx: Context,
        parts: Parts,
        lanes: OrderLanes,
        rest: Rest,
        link: Link,
        signatures: SignaturesAhead,
    ) -> None:
        super().__init__(ctx, parts)
        self._lanes = lanes
        self._signatures = signatures
        self._link = link
        self._lookups = Lookups(rest, parts.clock, parts.board, self._looked_up)
        self._sent: dict[object, Sent] = {}
        self._known: dict[str, Known] = {}
        self._cancel_when_known: dict[str, CancelOrder] = {}
        self._cancels_out: set[str] = set()
        self._tag = 0
        self._prefix = client_order_prefix(parts.installation)
        self._accounts = AccountReader(rest, parts, self._prefix, self._account_read)
        self._unsubscribed: set[str] = set(CHANNELS)
        self._subscription_lost: str | None = None
        self._reading_wanted: int | None = None
        link.report = self._report_link
        lanes.on_answer = ctx.address.tell
        more: dict[type, Callable[[Any], None]] = {
            Answer: self._on_answer,
            Frame: self._on_frame,
            LookUp: self._on_look_up,
            ReadAccount: self._on_read_account,
        }
        self._handlers.update(more)

    async def start(self) -> None:
        """Open the session; nothing is connected yet, so nothing is traded yet."""
        self._risk.tell(GatewayReady())
        self._risk.tell(ConnectionChanged(LANES, connected=False, detail="connecting"))
        self._report_link(connected=False, detail="connecting")

    async def run(self) -> None:
        """Keep lanes and the private connection up, look unknown orders up, read the account."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._signatures.run)
            nursery.start_soon(self._lanes.run)
            nursery.start_soon(self._watch_lanes)
            nursery.start_soon(self._link.run, self._serve)
            nursery.start_soon(self._lookups.run)
            nursery.start_soon(self._accounts.run)

    # Out: requests in the turn they were approved.

    def place(self, client_order_id: str, intent: OrderIntent) -> None:
        """Send a new order; one for which no lane is free was certainly not sent."""
        listing = self._parts.listing(intent.ticker)
        body = order_body(
            client_order_id=client_order_id,
            ticker=intent.ticker,
            side=intent.side,
            price_e4=intent.price_e4,
            count_e2=intent.count_e2,
            time_in_force=intent.time_in_force,
            post_only=intent.post_only,
            expires_s=intent.expires_s,
            exchange_index=listing.exchange_index if listing is not None else None,
        )
        sent = Sent(
            Operation.CREATE,
            client_order_id,
            intent.ticker,
            self._parts.clock.wall_ms(),
            intent.count_e2,
            intent.price_e4,
        )
        try:
            self._send(sent, "POST", CREATE_PATH, body)
        except NoLane as error:
            self.report(OrderRefused(client_order_id, "no lane", str(error)))

    def amend(self, amendment: Amendment) -> None:
        """Send an amendment; where no lane is free the order stays as it is."""
        body = amend_body(
            ticker=amendment.ticker,
            side=amendment.side,
            price_e4=amendment.price_e4,
            total_e2=amendment.total_e2,
        )
        sent = Sent(
            Operation.AMEND,
            amendment.client_order_id,
            amendment.ticker,
            self._parts.clock.wall_ms(),
            amendment.total_e2,
            amendment.price_e4,
            amendment,
        )
        try:
            self._send(sent, "POST", amend_path(amendment.order_id), body)
        except NoLane as error:
            self.report(OrderKept(amendment.client_order_id, "no lane", str(error)))

    def _on_cancel(self, cancel: CancelOrder) -> None:
        if cancel.client_order_id in self._cancels_out:
            # A second one would find nothing, and its answer would prove nothing.
            return
        known = self._known.get(cancel.client_order_id)
        order_id = cancel.order_id or (known.order_id if known is not None else None)
        if order_id is None:
            self._cancel_when_known[cancel.client_order_id] = cancel
            return
        count_e2 = known.count_e2 if known is not None else CountE2(0)
        sent = Sent(
            Operation.CANCEL,
            cancel.client_order_id,
            cancel.ticker,
            self._parts.clock.wall_ms(),
            count_e2,
            why=cancel.why,
        )
        try:
            self._send(sent, "DELETE", cancel_path(order_id, cancel.ticker), b"")
        except NoLane:
            self._cancel_when_known[cancel.client_order_id] = attrs.evolve(
                cancel, order_id=order_id
            )

    def _send(self, sent: Sent, method: str, path: str, body: bytes) -> None:
        self._tag += 1
        self._lanes.send(Request(self._tag, method, path, body))
        self._sent[self._tag] = sent
        if sent.operation is Operation.CANCEL:
            self._cancels_out.add(sent.client_order_id)

    # Back: answers to requests.

    def _on_answer(self, answer: Answer) -> None:
        sent = self._sent.pop(answer.tag, None)
        if sent is None:
            return
        if sent.operation is Operation.CANCEL:
            self._cancels_out.discard(sent.client_order_id)
        verdict = sort(answer.status, answer.body, sent.operation, why=answer.failure or "")
        if isinstance(verdict, Accepted):
            if verdict.remaining_e2:
                known = Known(verdict.order_id, sent.ticker, sent.count_e2, sent.price_e4)
                self._learn(sent.client_order_id, known)
            else:
                self._forget(sent.client_order_id)
            self.report(
                OrderAccepted(
                    sent.client_order_id,
                    verdict.order_id,
                    verdict.filled_e2,
                    verdict.remaining_e2,
                )
            )
        elif isinstance(verdict, Amended):
            self._amended(sent, verdict)
        elif isinstance(verdict, Canceled):
            self._canceled(sent, verdict)
        elif isinstance(verdict, Refused):
            self._refused(sent, verdict)
        else:
            self._unknown(sent, verdict)
        self._retry_cancels()

    def _amended(self, sent: Sent, verdict: Amended) -> None:
        if verdict.remaining_e2 is None:
            # What rests now, the private channel says; should that be lost, a lookup does.
            self._lookups.want(sent.client_order_id, sent.ticker, sent.sent_ms, existed=True)
        elif sent.amendment is not None:
            price_e4 = sent.amendment.price_e4
            known = Known(verdict.order_id, sent.ticker, sent.count_e2, price_e4)
            self._learn(sent.client_order_id, known)
            self.report(OrderAmended(sent.client_order_id, price_e4, verdict.remaining_e2))

    def _canceled(self, sent: Sent, verdict: Canceled) -> None:
        filled_e2 = CountE2(sent.count_e2 - verdict.reduced_e2) if sent.count_e2 else None
        why = f"canceled: {sent.why}"
        self._forget(sent.client_order_id)
        self.report(OrderClosed(sent.client_order_id, filled_e2, why))

    def _refused(self, sent: Sent, verdict: Refused) -> None:
        if sent.operation is Operation.CREATE:
            self._cancel_when_known.pop(sent.client_order_id, None)
            self.report(OrderRefused(sent.client_order_id, verdict.code, verdict.text))
        else:
            self.report(OrderKept(sent.client_order_id, verdict.code, verdict.text))

    def _unknown(self, sent: Sent, verdict: Unknown) -> None:
        self._parts.board.say(
            "KALSHI", f"{sent.client_order_id}: {verdict.why}: looked up", level="warning"
        )
        self.report(OrderUnknown(sent.client_order_id, verdict.why))
        existed = sent.operation is not Operation.CREATE
        self._lookups.want(sent.client_order_id, sent.ticker, sent.sent_ms, existed=existed)

    def _learn(self, client_order_id: str, known: Known) -> None:
        self._known[client_order_id] = known
        waiting = self._cancel_when_known.pop(client_order_id, None)
        if waiting is not None:
            self._on_cancel(waiting)

    def _retry_cancels(self) -> None:
        ready = [
            cancel
            for cancel in self._cancel_when_known.values()
            if cancel.order_id is not None or cancel.client_order_id in self._known
        ]
        for cancel in ready:
            del self._cancel_when_known[cancel.client_order_id]
            self._on_cancel(cancel)

    # Back: lookups of what had no answer.

    def _on_look_up(self, wish: LookUp) -> None:
        self._lookups.want(wish.client_order_id, wish.ticker, wish.sent_ms, existed=wish.existed)

    def _looked_up(self, event: OrderEvent) -> None:
        if isinstance(event, OrderAccepted) and event.remaining_e2:
            self._known.setdefault(
                event.client_order_id,
                Known(event.order_id, "", CountE2(event.filled_e2 + event.remaining_e2)),
            )
        self.report(event)

    # Back: the private channels.

    async def _serve(self, socket: Socket) -> None:
        self._unsubscribed = set(CHANNELS)
        self._subscription_lost = self._reading_wanted = None
        await socket.send(subscribe_command(1, CHANNELS, ()))
        clock = self._parts.clock
        give_up_s = trio.current_time() + SUBSCRIBED_WITHIN_S
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
            self._reading_wanted = self._accounts.want()

    def _on_order_frame(self, frame: OrderFrame) -> None:
        client_order_id = frame.client_order_id
        if client_order_id is None or not client_order_id.startswith(self._prefix):
            return
        if frame.status != "resting":
            self._forget(client_order_id)
            filled = frame.status == "executed"
            why = "filled" if filled else f"canceled: {frame.why or 'by Kalshi'}"
            self.report(OrderClosed(client_order_id, frame.filled_e2, why))
            return
        before = self._known.get(client_order_id)
        self._learn(
            client_order_id,
            Known(frame.order_id, frame.ticker, frame.initial_e2, frame.price_e4),
        )
        self.report(
            OrderAccepted(client_order_id, frame.order_id, frame.filled_e2, frame.remaining_e2)
        )
        if before is not None and before.price_e4 not in (None, frame.price_e4):
            self.report(OrderAmended(client_order_id, frame.price_e4, frame.remaining_e2))

    def _forget(self, client_order_id: str) -> None:
        """Let go of an order that has ended; there is nothing left to cancel."""
        self._known.pop(client_order_id, None)
        self._cancel_when_known.pop(client_order_id, None)

    def _report_link(self, connected: bool, detail: str) -> None:  # noqa: FBT001 - Link's signature
        if not connected:
            self._reading_wanted = None
        self._risk.tell(ConnectionChanged(SOURCE, connected, detail))

    # The account, read whole.

    def _on_read_account(self, _wish: ReadAccount) -> None:
        self._accounts.want()

    def _account_read(self, account: Account, number: int) -> None:
        self._risk.tell(account)
        if self._reading_wanted is not None and number >= self._reading_wanted:
            self._reading_wanted = None
            self._report_link(connected=True, detail="fills and orders")

    async def _watch_lanes(self) -> None:
        connected = False
        try:
            while True:
                if (self._lanes.connected > 0) is not connected:
                    connected = not connected
                    detail = f"{self._lanes.connected} lanes" if connected else "no lane stands"
                    self._risk.tell(ConnectionChanged(LANES, connected, detail))
                if connected:
                    self._parts.board.alive(LANES, 0)
                self._retry_cancels()
                await trio.sleep(LANES_CHECKED_S)
        finally:
            self._risk.tell(ConnectionChanged(LANES, connected=False, detail="not running"))

    def __repr__(self) -> str:
        return f"<KalshiGateway {len(self._sent)} out, {self._lanes!r}>"
