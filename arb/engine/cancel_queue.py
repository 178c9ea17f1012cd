"""Cancels on their way out, in the order they were wished; none is lost and none sent twice.

A cancel waits for its order's id, then for tokens, then for a free lane. Where more of them wait
than lanes are free, as in a halt, many leave in one request: twenty orders in one round trip
instead of seven.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from arb.core.commands import CancelOrder
from arb.engine.order_sender import NO_TOKENS, NotSent, OrderSender
from arb.engine.requests_out import DueCancel, Known
from arb.kalshi.rate import RateBudget

# Not sooner than this, or a rounding error would wake us up for a token that is almost there.
WAKE_MIN_S = 0.001


class CancelQueue:
    """Keeps wished cancels until they have left; ``wake_in`` has `send` called that much later."""

    def __init__(
        self, sender: OrderSender, budget: RateBudget, wake_in: Callable[[float], None]
    ) -> None:
        self._sender = sender
        self._budget = budget
        self._wake_in = wake_in
        self._waking = False
        self._together = True
        self._unidentified: dict[str, CancelOrder] = {}
        self._due: OrderedDict[str, DueCancel] = OrderedDict()
        self._out: set[str] = set()
        self._ended: set[str] = set()

    def want(self, wish: CancelOrder, known: Known | None) -> None:
        """Cancel an order as soon as can be; wishing it twice changes nothing."""
        name = wish.client_order_id
        if name in self._out or name in self._due:
            # A second one would find nothing, and its answer would prove nothing.
            return
        order_id = wish.order_id or (known.order_id if known is not None else None)
        if order_id is None:
            self._unidentified[name] = wish
            return
        self._due[name] = DueCancel(wish, order_id, known.count_e2 if known else wish.count_e2)
        self.send()

    def identified(self, client_order_id: str, known: Known) -> None:
        """Go on with a cancel that has waited for its order's id."""
        wish = self._unidentified.pop(client_order_id, None)
        if wish is not None:
            self.want(wish, known)

    def forget(self, client_order_id: str) -> None:
        """Let go of an order that has ended; there is nothing left to cancel."""
        self._unidentified.pop(client_order_id, None)
        self._due.pop(client_order_id, None)
        if client_order_id in self._out:
            self._ended.add(client_order_id)

    def answered(self, client_order_id: str) -> bool:
        """Note that a cancel is no longer out; True where its order's end was told meanwhile."""
        self._out.discard(client_order_id)
        had_ended = client_order_id in self._ended
        self._ended.discard(client_order_id)
        return had_ended

    def again(self, wish: CancelOrder, known: Known | None) -> None:
        """Put a cancel that was refused for coming too often back to the front."""
        self.want(wish, known)
        if wish.client_order_id in self._due:
            self._due.move_to_end(wish.client_order_id, last=False)

    def go_alone(self) -> None:
        """Send every cancel by itself from now on: the exchange takes no batches."""
        self._together = False

    def woken(self) -> None:
        """Go on after the wait that `wake_in` was asked for."""
        self._waking = False
        self.send()

    def send(self) -> None:
        """Send what can leave now."""
        while self._due and self._sender.free_lanes:
            many = self._next()
            try:
                if len(many) == 1:
                    self._sender.cancel(many[0])
                else:
                    self._sender.cancel_batch(many)
            except NotSent as error:
                if error.code == NO_TOKENS:
                    self._wait_for_tokens()
                return
            for due in many:
                name = due.wish.client_order_id
                del self._due[name]
                self._out.add(name)

    def _next(self) -> list[DueCancel]:
        waiting = list(self._due.values())
        if len(waiting) <= self._sender.free_lanes or not self._together:
            return waiting[:1]
        return waiting[: max(1, self._budget.affordable_cancels())]

    def _wait_for_tokens(self) -> None:
        if not self._waking:
            self._waking = True
            self._wake_in(max(WAKE_MIN_S, self._budget.cancel_wait_s()))

    def __repr__(self) -> str:
        return f"<CancelQueue {len(self._due)} due, {len(self._out)} out>"
