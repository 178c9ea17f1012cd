"""The last step of an order's way: its bytes built, its tokens paid, sent in this very turn."""

from __future__ import annotations

from collections.abc import Sequence

from arb.core.commands import Amendment, OrderIntent, Purpose
from arb.core.money import CountE2
from arb.engine.order_terms import terms_of
from arb.engine.parts import Parts
from arb.engine.requests_out import DueCancel, Sent, SentBatch
from arb.kalshi.answers import Operation
from arb.kalshi.lane import NoLane, OrderLanes, Request
from arb.kalshi.rate import RateBudget
from arb.kalshi.wire_orders import (
    BATCH_PATH,
    CREATE_PATH,
    amend_body,
    amend_path,
    batch_cancel_body,
    cancel_path,
    order_body,
)

NO_TOKENS = "no tokens"
NO_LANE = "no lane"

# What could not leave just now: lanes are answered in milliseconds, tokens come back with time.
PASSING = frozenset({NO_TOKENS, NO_LANE})


class NotSent(Exception):
    """A request that certainly did not leave: a code to count it by, and why."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class OrderSender:
    """Sends what it is given or raises `NotSent`, and remembers what is out by its tag."""

    def __init__(self, parts: Parts, lanes: OrderLanes, budget: RateBudget) -> None:
        self._parts = parts
        self._lanes = lanes
        self._budget = budget
        self._out: dict[object, Sent | SentBatch] = {}
        self._tag = 0
        self._sent_ns: dict[object, int] = {}

    @property
    def free_lanes(self) -> int:
        """Return how many requests could leave now."""
        return self._lanes.free

    def answered(self, tag: object) -> Sent | SentBatch | None:
        """Return what an answer belongs to, once."""
        sent_ns = self._sent_ns.pop(tag, None)
        if sent_ns is not None:
            now_ns = self._parts.clock.monotonic_ns()
            self._parts.board.answered_ns.append(now_ns - sent_ns)
        return self._out.pop(tag, None)

    def create(self, client_order_id: str, intent: OrderIntent, group_id: str | None) -> None:
        """Send a new order."""
        exchange_index = self._shard(intent.ticker)
        is_entry = intent.purpose is Purpose.ENTRY
        take = self._budget.take_entry if is_entry else self._budget.take_exit
        if not take(exchange_index):
            raise self._no_tokens()
        terms = terms_of(intent, meets_own=self._meets_own(intent.ticker))
        body = order_body(
            client_order_id=client_order_id,
            ticker=intent.ticker,
            side=intent.side,
            price_e4=intent.price_e4,
            count_e2=intent.count_e2,
            time_in_force=intent.time_in_force,
            post_only=intent.post_only,
            reduce_only=terms.reduce_only,
            self_trade=terms.self_trade,
            cancel_on_pause=terms.cancel_on_pause,
            expires_s=intent.expires_s,
            order_group_id=group_id,
            exchange_index=exchange_index,
        )
        sent = Sent(
            Operation.CREATE,
            client_order_id,
            intent.ticker,
            self._parts.clock.wall_ms(),
            intent.count_e2,
            intent.price_e4,
            exchange_index=exchange_index,
        )
        self._send(sent, "POST", CREATE_PATH, body, self._budget.create_cost, exchange_index)

    def amend(self, amendment: Amendment) -> None:
        """Send an amendment."""
        exchange_index = self._shard(amendment.ticker)
        if not self._budget.take_amend(exchange_index):
            raise self._no_tokens()
        body = amend_body(
            ticker=amendment.ticker,
            side=amendment.side,
            price_e4=amendment.price_e4,
            total_e2=amendment.total_e2,
            expires_s=amendment.expires_s,
            exchange_index=exchange_index,
        )
        sent = Sent(
            Operation.AMEND,
            amendment.client_order_id,
            amendment.ticker,
            self._parts.clock.wall_ms(),
            amendment.total_e2,
            amendment.price_e4,
            amendment,
            exchange_index=exchange_index,
        )
        path = amend_path(amendment.order_id)
        self._send(sent, "POST", path, body, self._budget.amend_cost, exchange_index)

    def cancel(self, due: DueCancel) -> None:
        """Send one cancel; its ticker routes it, so that a shard read wrongly cannot lose it."""
        if not self._budget.take_cancel():
            raise self._no_tokens()
        path = cancel_path(due.order_id, due.wish.ticker)
        self._send(self._canceling(due), "DELETE", path, b"", self._budget.cancel_cost, None)

    def cancel_batch(self, many: Sequence[DueCancel]) -> None:
        """Send several cancels in one request."""
        if not self._budget.take_cancels(len(many)):
            raise self._no_tokens()
        batch = SentBatch({due.order_id: self._canceling(due) for due in many})
        body = batch_cancel_body((due.order_id, due.wish.ticker) for due in many)
        cost = self._budget.batch_cancel_cost * len(many)
        self._send(batch, "DELETE", BATCH_PATH, body, cost, 0)

    def _canceling(self, due: DueCancel) -> Sent:
        wish = due.wish
        return Sent(
            Operation.CANCEL,
            wish.client_order_id,
            wish.ticker,
            self._parts.clock.wall_ms(),
            CountE2(due.count_e2),
            cancel=wish,
        )

    def _meets_own(self, ticker: str) -> bool:
        board = self._parts.board
        holding = board.holdings.get(ticker)
        by_hand = any(order.ticker == ticker for order in board.by_hand)
        return holding is not None and bool(holding.entries) and not by_hand

    def _shard(self, ticker: str) -> int | None:
        listing = self._parts.listing(ticker)
        return listing.exchange_index if listing is not None else None

    def _send(
        self,
        sent: Sent | SentBatch,
        method: str,
        path: str,
        body: bytes,
        cost: int,
        exchange_index: int | None,
    ) -> None:
        self._tag += 1
        try:
            self._lanes.send(Request(self._tag, method, path, body))
        except NoLane as error:
            self._budget.give_back(cost, exchange_index)
            raise NotSent(NO_LANE, str(error)) from None
        self._out[self._tag] = sent
        if isinstance(sent, Sent) and sent.operation is Operation.CREATE:
            self._sent_ns[self._tag] = self._parts.clock.monotonic_ns()

    def _no_tokens(self) -> NotSent:
        return NotSent(NO_TOKENS, f"the rate budget of tier {self._budget.limits.tier} is spent")

    def __repr__(self) -> str:
        return f"<OrderSender {len(self._out)} out, {self._lanes!r}, {self._budget!r}>"
