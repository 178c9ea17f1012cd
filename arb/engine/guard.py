"""The rules that halt trading by themselves: a failed journal, a day's loss, refusals in a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from arb.core.brakes import RESTING_CODES
from arb.core.commands import OrderIntent
from arb.core.events import OrderAccepted, OrderEvent, OrderRefused
from arb.core.money import dollars
from arb.core.orders import Order
from arb.core.permission import JOURNAL, Permission
from arb.core.risk import Refusal
from arb.engine.bookkeeping import Bookkeeper
from arb.engine.gateway import NOT_SENT
from arb.engine.lookups import NEVER_TAKEN
from arb.engine.messages import HaltTrading, LookAtDay
from arb.engine.names import ORDER_LANES
from arb.engine.order_desk import NO_GROUP
from arb.engine.order_sender import NO_LANE, NO_TOKENS, PASSING
from arb.engine.parts import Parts

# What is held is marked this often: a bid can fall without anything of ours being traded.
LOOK_EVERY_S = 1.0

GATEWAY_FULL = "gateway full"

# An order that was refused with these never reached the exchange, which says nothing of it.
OWN_REFUSALS = frozenset({NO_TOKENS, NO_LANE, NO_GROUP, NEVER_TAKEN, GATEWAY_FULL, NOT_SENT})


class Guard:
    """Looks after every message and every second, and halts where a rule says so."""

    def __init__(
        self,
        parts: Parts,
        books: Bookkeeper,
        permission: Permission,
        after: Callable[[float, object], object],
        publish: Callable[[], None],
    ) -> None:
        self._parts = parts
        self._books = books
        self._permission = permission
        self._after = after
        self._publish = publish
        self._looked_at = (-1, -1)
        self.handlers: dict[type, Callable[[Any], object]] = {LookAtDay: self._on_look_at_day}

    def begin(self) -> None:
        """Look every second from now on."""
        self._after(LOOK_EVERY_S, LookAtDay())

    def reported(self, order: Order, event: OrderEvent) -> None:
        """Count entries that the exchange refuses, one after the other, and heed that it rests."""
        if isinstance(event, OrderRefused) and event.code in RESTING_CODES:
            self._parts.brakes.rests(self._parts.clock.monotonic_ns())
        if not order.is_entry:
            # A sale that is refused is tried again, and must be.
            return
        if isinstance(event, OrderAccepted):
            self._parts.brakes.taken()
        elif isinstance(event, OrderRefused) and event.code not in OWN_REFUSALS:
            self._parts.brakes.refused(event.code)

    def refusal_of(self, wish: OrderIntent, event: OrderRefused) -> Refusal:
        """Say to a market why its order was not taken, and whether it ever left."""
        # Without any lane it may take hours, and each try is written down and kept: it counts.
        passes = event.code in PASSING and ORDER_LANES not in self._permission.down
        made = Refusal.not_sent if passes else Refusal.by_exchange
        return made(wish, f"{event.code}: {event.text}")

    def look(self) -> HaltTrading | None:
        """Return the halt that a rule wants now; the day is counted where something was booked."""
        ledger = self._books.ledger
        booked = (ledger.fills_booked, len(ledger.settled))
        if booked != self._looked_at:
            self._looked_at = booked
            self._books.day.look()
        return self._broken() if self._permission.halt is None else None

    def cleared(self) -> None:
        """Begin to count anew what has halted trading: whoever clears that allows as much again."""
        self._parts.brakes.taken()
        if self._books.day.lost_e6 >= self._parts.risk.max_daily_loss_e6:
            self._books.day.begin_anew()

    def _on_look_at_day(self, _look: LookAtDay) -> None:
        # Whether it is too much is looked at as after every message.
        self._books.day.look()
        self._publish()
        self.begin()

    def _broken(self) -> HaltTrading | None:
        """Return the halt of the first rule that is broken, None where all is well."""
        failure = self._books.journal_failure
        if failure is not None:
            return HaltTrading(failure, JOURNAL)
        limits, day = self._parts.risk, self._books.day
        if day.lost_e6 >= limits.max_daily_loss_e6:
            lost, most = dollars(day.lost_e6), dollars(limits.max_daily_loss_e6)
            text = f"{lost} lost since midnight US Eastern, of {most}; clearing allows as much anew"
            return HaltTrading(text, "the daily loss limit")
        refused = self._parts.brakes.refused_in_a_row
        if refused >= limits.max_consecutive_refusals:
            text = f"the exchange has refused {refused} entries one after the other"
            return HaltTrading(text, "the refusal limit")
        return None

    def __repr__(self) -> str:
        return f"<Guard {self._books.day!r} {self._parts.brakes!r}>"
