"""The life of an order, as a table.

Everything that decides what an order may become stands in `TRANSITIONS`; everything else asks
it. Two rules hold the table together:

* An order whose fate nobody knows is ``UNKNOWN``, never refused, and counts in full until the
  exchange has said what became of it.
* Nothing leaves a terminal state. A fill that arrives after the end is booked all the same,
  because it happened; reports that only repeat what is known change nothing.

What the table cannot say: an order that the exchange has given an id exists, so that a refusal
of it (a lookup that was too early, say) is illegal as well.
"""

from __future__ import annotations

from enum import StrEnum

import attrs

from arb.core.commands import OrderIntent, Purpose
from arb.core.events import (
    OrderAccepted,
    OrderAmended,
    OrderClosed,
    OrderEvent,
    OrderKept,
    OrderRefused,
    OrderUnknown,
    Side,
)
from arb.core.money import CountE2, PriceE4


class OrderState(StrEnum):
    """Where an order stands between its approval and its end."""

    PENDING = "pending"
    RESTING = "resting"
    UNKNOWN = "unknown"
    CLOSED = "closed"
    REFUSED = "refused"


TERMINAL = frozenset({OrderState.CLOSED, OrderState.REFUSED})

# Read as: in this state, this report leads there. A report that is not listed for a state is
# illegal there: it is counted as a violation and changes nothing.
TRANSITIONS: dict[tuple[OrderState, type], OrderState] = {
    (OrderState.PENDING, OrderAccepted): OrderState.RESTING,
    (OrderState.PENDING, OrderRefused): OrderState.REFUSED,
    (OrderState.PENDING, OrderUnknown): OrderState.UNKNOWN,
    (OrderState.PENDING, OrderKept): OrderState.PENDING,
    (OrderState.PENDING, OrderClosed): OrderState.CLOSED,
    (OrderState.RESTING, OrderAccepted): OrderState.RESTING,
    (OrderState.RESTING, OrderAmended): OrderState.RESTING,
    (OrderState.RESTING, OrderKept): OrderState.RESTING,
    (OrderState.RESTING, OrderClosed): OrderState.CLOSED,
    (OrderState.RESTING, OrderUnknown): OrderState.UNKNOWN,
    (OrderState.UNKNOWN, OrderAccepted): OrderState.RESTING,
    (OrderState.UNKNOWN, OrderAmended): OrderState.RESTING,
    (OrderState.UNKNOWN, OrderUnknown): OrderState.UNKNOWN,
    (OrderState.UNKNOWN, OrderRefused): OrderState.REFUSED,
    (OrderState.UNKNOWN, OrderKept): OrderState.UNKNOWN,
    (OrderState.UNKNOWN, OrderClosed): OrderState.CLOSED,
    # The stream may report the end before the answer to the request arrives.
    (OrderState.CLOSED, OrderAccepted): OrderState.CLOSED,
    (OrderState.CLOSED, OrderAmended): OrderState.CLOSED,
    (OrderState.CLOSED, OrderUnknown): OrderState.CLOSED,
    (OrderState.CLOSED, OrderKept): OrderState.CLOSED,
    (OrderState.CLOSED, OrderClosed): OrderState.CLOSED,
    # A post-only order that would have crossed and a fill-or-kill that was killed are told
    # twice: refused in the answer, cancelled on the stream, whichever comes first.
    (OrderState.CLOSED, OrderRefused): OrderState.CLOSED,
    (OrderState.REFUSED, OrderRefused): OrderState.REFUSED,
    (OrderState.REFUSED, OrderClosed): OrderState.REFUSED,
}


class IllegalTransition(Exception):
    """A report that cannot be true of an order in its state."""


@attrs.define
class Order:
    """One order of ours: what was wished, what is known of it, and what of it filled.

    ``count_e2`` is all that may ever fill, ``filled_e2`` what has been booked fill by fill, and
    ``reported_filled_e2`` what the exchange says has filled, which may run ahead of the fills.
    ``lowest_e4`` and ``highest_e4`` span every price it was ever meant to stand at.
    ``expires_s`` is when the exchange takes it away, as far as it has confirmed that.
    """

    client_order_id: str
    intent: OrderIntent
    price_e4: PriceE4
    count_e2: CountE2
    created_ms: int
    state: OrderState = OrderState.PENDING
    order_id: str | None = None
    filled_e2: CountE2 = CountE2(0)
    reported_filled_e2: CountE2 = CountE2(0)
    why_closed: str = ""
    amending: bool = False
    lowest_e4: PriceE4 = attrs.field(init=False)
    highest_e4: PriceE4 = attrs.field(init=False)
    expires_s: int | None = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin the span of prices, and its life, with what was wished."""
        self.lowest_e4 = self.highest_e4 = self.price_e4
        self.expires_s = self.intent.expires_s

    @property
    def is_open(self) -> bool:
        """Tell whether more of this order may fill."""
        return self.state not in TERMINAL

    @property
    def at_stake_e2(self) -> CountE2:
        """Return the count that may still reach the position.

        While the order is open that is everything not yet booked; after its end, what the
        exchange has reported as filled and no fill has shown yet.
        """
        most_e2 = self.count_e2 if self.is_open else self.reported_filled_e2
        return CountE2(max(0, most_e2 - self.filled_e2))

    @property
    def is_entry(self) -> bool:
        """Tell whether this order opens a position."""
        return self.intent.purpose is Purpose.ENTRY

    @property
    def side(self) -> Side:
        """Return the side of the YES book this order is on."""
        return self.intent.side

    def apply(self, event: OrderEvent) -> None:
        """Take what the exchange said of this order; raises `IllegalTransition`."""
        following = TRANSITIONS.get((self.state, type(event)))
        if following is None or self._is_refusal_of_what_exists(event):
            raise IllegalTransition(
                f"{self.client_order_id} is {self.state}: {type(event).__name__} cannot follow"
            )
        if self.state in TERMINAL:
            self._note_after_the_end(event)
            return
        self.state = following
        self._take(event)

    def amend_sent(self, price_e4: PriceE4) -> None:
        """Note that a move to ``price_e4`` is under way; from here on it may fill there."""
        self.amending = True
        self.lowest_e4 = min(self.lowest_e4, price_e4)
        self.highest_e4 = max(self.highest_e4, price_e4)

    def _take(self, event: OrderEvent) -> None:
        if not isinstance(event, OrderAccepted):
            self.amending = False
        if isinstance(event, OrderAccepted):
            self.order_id = event.order_id
            self._report_filled(event.filled_e2)
            if event.remaining_e2 == 0:
                self._close("filled" if event.filled_e2 >= self.count_e2 else "nothing rests")
        elif isinstance(event, OrderAmended):
            self.price_e4 = event.price_e4
            # What was wished may never have arrived: only what the exchange says counts.
            self.expires_s = event.expires_s or self.expires_s
            self.lowest_e4 = min(self.lowest_e4, event.price_e4)
            self.highest_e4 = max(self.highest_e4, event.price_e4)
            # The count stays, for a move is of the whole order. It cannot be had from what
            # remains either: that is as of the move, and fills come before and after it.
        elif isinstance(event, OrderClosed):
            self._report_filled(event.filled_e2)
            self._close(event.why)
        elif isinstance(event, OrderRefused):
            self.why_closed = event.code

    def _is_refusal_of_what_exists(self, event: OrderEvent) -> bool:
        return isinstance(event, OrderRefused) and self.is_open and self.order_id is not None

    def _note_after_the_end(self, event: OrderEvent) -> None:
        if isinstance(event, OrderAccepted):
            self.order_id = event.order_id
            self._report_filled(event.filled_e2)
        elif isinstance(event, OrderClosed) and event.filled_e2 is not None:
            # The last word counts: to an answer that says how much was taken off, all the rest has
            # filled, also what a person had taken off before.
            self.reported_filled_e2 = max(self.filled_e2, event.filled_e2)

    def _report_filled(self, filled_e2: CountE2 | None) -> None:
        if filled_e2 is not None and filled_e2 > self.reported_filled_e2:
            self.reported_filled_e2 = filled_e2

    def _close(self, why: str) -> None:
        self.state = OrderState.CLOSED
        self.why_closed = why

    def __repr__(self) -> str:
        return (
            f"<Order {self.client_order_id} {self.intent.purpose} {self.side} {self.intent.ticker} "
            f"{self.filled_e2}/{self.count_e2} at {self.price_e4} {self.state}>"
        )
