"""The gateway: sends what was approved, in the turn it was approved, and hears what became of it.

Nothing leaves before the journal has it. What has no answer is unknown and is looked up; what
the exchange reports, by whichever way it comes first, goes to the risk manager.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors import Actor, Context
from arb.core.commands import Amendment, CancelOrder, OrderIntent, Purpose
from arb.core.events import OrderEvent, OrderKept, OrderRefused
from arb.core.risk import ApprovalVoid, Approved
from arb.engine.messages import JournalBroken, Reported, Session
from arb.engine.names import RISK
from arb.engine.parts import Parts
from arb.journal.records import RecordKind, amend_data, intent_data
from arb.journal.writer import JournalFailed

NOT_SENT = "not sent"


class Gateway(Actor):
    """What every gateway does, whatever stands behind it: check, journal, hand over, report."""

    def __init__(self, ctx: Context, parts: Parts) -> None:
        super().__init__(ctx)
        self._parts = parts
        self._risk = ctx.find(RISK)
        self._session: int | None = None
        self._handlers: dict[type, Callable[[Any], None]] = {
            Approved: self._on_approved,
            CancelOrder: self._on_cancel,
            Session: self._on_session,
        }

    def receive(self, message: object) -> None:
        """Handle one message; what nobody sends here goes to the dead letters."""
        handler = self._handlers.get(type(message))
        if handler is None:
            self.ctx.dead_letter(message, "not for the gateway")
            return
        handler(message)

    def _on_session(self, session: Session) -> None:
        self._session = session.number

    def _on_approved(self, approved: Approved) -> None:
        intent = approved.intent
        try:
            self._redeem(approved)
            self._journal(approved)
        except (ApprovalVoid, JournalFailed) as error:
            self._not_sent(approved, error)
            return
        if isinstance(intent, OrderIntent):
            self.place(approved.client_order_id, intent)
            self._measure(intent)
        else:
            self.amend(intent)

    def _redeem(self, approved: Approved) -> None:
        # What was approved before this gateway was told its session was meant for another one.
        if self._session is None:
            raise ApprovalVoid(
                f"the approval of {approved.client_order_id} came before the session"
            )
        approved.redeem(session=self._session, now_ns=self._parts.clock.monotonic_ns())

    def _journal(self, approved: Approved) -> None:
        intent = approved.intent
        if isinstance(intent, OrderIntent):
            data = intent_data(approved.client_order_id, intent)
            self._parts.journal.append(RecordKind.INTENT, data)
        else:
            self._parts.journal.append(RecordKind.AMEND, amend_data(intent))

    def _not_sent(self, approved: Approved, error: Exception) -> None:
        if isinstance(error, JournalFailed):
            self._risk.tell(JournalBroken(str(error)))
        if isinstance(approved.intent, OrderIntent):
            self.report(OrderRefused(approved.client_order_id, NOT_SENT, str(error)))
        else:
            self.report(OrderKept(approved.client_order_id, NOT_SENT, str(error)))

    def _measure(self, intent: OrderIntent) -> None:
        # An exit follows a fill, not a frame: there is nothing to measure it from.
        if intent.purpose is not Purpose.ENTRY:
            return
        latency_ns = self._parts.clock.monotonic_ns() - intent.trigger_ns
        board = self._parts.board
        board.latency_us[intent.ticker] = latency_ns // 1000
        board.latencies_ns.append(latency_ns)

    def report(self, event: OrderEvent) -> None:
        """Tell the risk manager what the exchange said of an order."""
        self._risk.tell(Reported(event))

    def place(self, client_order_id: str, intent: OrderIntent) -> None:
        """Send a new order, in this turn."""
        raise NotImplementedError

    def amend(self, amendment: Amendment) -> None:
        """Send an amendment, in this turn."""
        raise NotImplementedError

    def _on_cancel(self, cancel: CancelOrder) -> None:
        raise NotImplementedError
