"""The orders of one exchange account: sent, answered, known while they rest, and cancelled.

What goes out goes through here in the turn it was approved; what the answer proves is reported,
and what it does not prove is looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import attrs

from arb.core.commands import Amendment, CancelOrder, OrderIntent, Purpose
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
from arb.engine.cancel_queue import CancelQueue
from arb.engine.link import Link
from arb.engine.lookups import Lookups
from arb.engine.messages import ConnectionChanged, HaltTrading, JournalBroken
from arb.engine.names import ORDER_LANES
from arb.engine.order_groups import OrderGroups
from arb.engine.order_sender import NotSent, OrderSender
from arb.engine.parts import Parts
from arb.engine.requests_out import Known, Sent, SentBatch
from arb.io.http import Http
from arb.io.text import one_line
from arb.io.websocket import Socket
from arb.journal.records import RecordKind, group_data
from arb.journal.writer import JournalFailed
from arb.kalshi.answers import (
    Accepted,
    Amended,
    Canceled,
    Operation,
    Refused,
    Unknown,
    Verdict,
    sort,
)
from arb.kalshi.batch_answers import is_batch_refused, sort_batch
from arb.kalshi.exchange_clock import ExchangeClock
from arb.kalshi.lane import Answer, OrderLanes
from arb.kalshi.order_groups import OrderGroupClient
from arb.kalshi.rate import RateBudget
from arb.kalshi.rest import Rest
from arb.kalshi.signatures_ahead import SignaturesAhead
from arb.kalshi.wire_orders import amend_path, cancel_path

GROUPS = "Kalshi order groups"
NO_GROUP = "no order group"


@attrs.frozen
class Exchange:
    """The clients of one exchange account that a gateway works with.

    ``pools`` are all connections of this engine that neither a lane nor a link keeps.
    """

    lanes: OrderLanes
    rest: Rest
    link: Link[Socket]
    signatures: SignaturesAhead
    budget: RateBudget
    clock: ExchangeClock
    pools: tuple[Http, ...] = ()

    def give_up(self, why: str) -> None:
        """Use no connection of until now any more, but those that links look after themselves."""
        self.lanes.give_up(why)
        for pool in self.pools:
            pool.give_up()


class OrderDesk:
    """Sends orders and says what becomes of them; ``tell`` is the risk manager's ear."""

    def __init__(
        self,
        parts: Parts,
        exchange: Exchange,
        lookups: Lookups,
        tell: Callable[[object], object],
        report: Callable[[OrderEvent], None],
        wake_cancels_in: Callable[[float], None],
    ) -> None:
        self._parts = parts
        self._exchange = exchange
        self._lookups = lookups
        self._tell = tell
        self._report = report
        self._known: dict[str, Known] = {}
        self._absent: set[str] = set()
        self._priced: set[str] = set()
        self._sender = OrderSender(parts, exchange.lanes, exchange.budget)
        self.cancels = CancelQueue(self._sender, exchange.budget, wake_cancels_in)
        self.groups = self._order_groups(exchange.rest)

    def known(self, client_order_id: str) -> Known | None:
        """Return what is known of an order that rests."""
        return self._known.get(client_order_id)

    def has_priced(self, client_order_id: str) -> bool:
        """Tell whether the price of an order is what this desk has asked for, or is looked up."""
        return client_order_id in self._priced

    def place(self, client_order_id: str, intent: OrderIntent) -> None:
        """Send a new order; one that could not leave was certainly not sent."""
        group_id = None
        if self.groups.wanted and intent.purpose is Purpose.ENTRY:
            listing = self._parts.listing(intent.ticker)
            group_id = self.groups.id_for(listing.exchange_index if listing else None)
            if group_id is None:
                text = "its shard's order group is not ready"
                self._report(OrderRefused(client_order_id, NO_GROUP, text))
                return
        try:
            self._sender.create(client_order_id, intent, group_id)
        except NotSent as error:
            self._report(OrderRefused(client_order_id, error.code, str(error)))
            return
        self._priced.add(client_order_id)

    def amend(self, amendment: Amendment) -> None:
        """Send an amendment; one that could not leave leaves the order as it is."""
        try:
            self._sender.amend(amendment)
        except NotSent as error:
            self._report(OrderKept(amendment.client_order_id, error.code, str(error)))
            return
        self._priced.add(amendment.client_order_id)

    def cancel(self, cancel: CancelOrder) -> None:
        """Cancel an order as soon as can be."""
        known = self._known.get(cancel.client_order_id)
        if known is not None and not cancel.ticker:
            cancel = attrs.evolve(cancel, ticker=known.ticker)
        self.cancels.want(cancel, known)

    def answered(self, answer: Answer) -> None:
        """Take the answer to a request that is out."""
        sent = self._sender.answered(answer.tag)
        why = answer.failure or ""
        if isinstance(sent, Sent):
            self._conclude(sent, sort(answer.status, answer.body, sent.operation, why=why))
        elif isinstance(sent, SentBatch):
            self._conclude_batch(sent, answer)
        # A lane has become free.
        self.cancels.send()

    def _conclude_batch(self, batch: SentBatch, answer: Answer) -> None:
        if is_batch_refused(answer.status):
            # How this endpoint refuses was never recorded: one by one they must get through.
            self.cancels.go_alone()
            text = one_line(answer.body)
            self._parts.board.note_bad(
                ORDER_LANES, f"HTTP {answer.status} to a batch of cancels", text
            )
            for sent in batch.cancels.values():
                self._again(sent)
            return
        ids, why = list(batch.cancels), answer.failure or ""
        found = sort_batch(answer.status, answer.body, Operation.CANCEL, ids, why=why)
        for order_id, verdict in zip(ids, found, strict=True):
            self._conclude(batch.cancels[order_id], verdict)

    def _again(self, sent: Sent) -> None:
        name = sent.client_order_id
        self.cancels.answered(name)
        if sent.cancel is not None:
            self.cancels.again(sent.cancel, self._known.get(name))

    def _conclude(self, sent: Sent, verdict: Verdict) -> None:
        had_ended = False
        if sent.operation is Operation.CANCEL:
            had_ended = self.cancels.answered(sent.client_order_id)
        if isinstance(verdict, Accepted):
            self._accepted(sent, verdict)
        elif isinstance(verdict, Amended):
            self._amended(sent, verdict)
        elif isinstance(verdict, Canceled):
            self._canceled(sent, verdict, had_ended=had_ended)
        elif isinstance(verdict, Refused):
            self._refused(sent, verdict)
        else:
            self._unknown(sent, verdict)

    def _accepted(self, sent: Sent, verdict: Accepted) -> None:
        name = sent.client_order_id
        if verdict.remaining_e2:
            self.learn(name, Known(verdict.order_id, sent.ticker, sent.count_e2, sent.price_e4))
        else:
            self.forget(name)
        self._report(OrderAccepted(name, verdict.order_id, verdict.filled_e2, verdict.remaining_e2))

    def _amended(self, sent: Sent, verdict: Amended) -> None:
        name, amendment = sent.client_order_id, sent.amendment
        if amendment is None:
            return
        price_e4, known = amendment.price_e4, self._known.get(name)
        if verdict.remaining_e2:
            self.learn(name, Known(verdict.order_id, sent.ticker, sent.count_e2, price_e4))
        elif verdict.remaining_e2 is not None:
            self.forget(name)
        if verdict.remaining_e2 is not None or (known and known.price_e4 == price_e4):
            # Of what rests nothing is said where only the expiry is another one.
            expires_s, remaining_e2 = amendment.expires_s, verdict.remaining_e2
            self._report(OrderAmended(name, price_e4, remaining_e2, expires_s))
        else:
            # What rests now, the private channel says; should that be lost, a lookup does.
            self._lookups.want(name, sent.ticker, sent.sent_ms, existed=True)

    def _canceled(self, sent: Sent, verdict: Canceled, *, had_ended: bool) -> None:
        filled_e2 = None
        # Where its end was told already, so was what filled; and it knows what a person took off.
        if sent.count_e2 and not had_ended:
            filled_e2 = CountE2(sent.count_e2 - verdict.reduced_e2)
        why = f"canceled: {sent.cancel.why if sent.cancel is not None else ''}"
        self.forget(sent.client_order_id)
        self._report(OrderClosed(sent.client_order_id, filled_e2, why))

    def _refused(self, sent: Sent, verdict: Refused) -> None:
        name = sent.client_order_id
        if verdict.is_rate_limit:
            self._too_many(sent, verdict)
            if sent.cancel is not None:
                self._again(sent)
                return
        if sent.operation is not Operation.CREATE:
            self._report(OrderKept(name, verdict.code, verdict.text))
            return
        self.forget(name)
        self._report(OrderRefused(name, verdict.code, verdict.text))
        if verdict.is_group_gone:
            self.groups.lost(sent.exchange_index)
        elif verdict.is_group_hit and self.groups.hit(sent.exchange_index):
            limit = self._parts.execution.order_group_contracts
            text = f"more than {limit} contracts filled in 15 s, or it was triggered"
            self._tell(HaltTrading(text, "the exchange's order group"))

    def _too_many(self, sent: Sent, verdict: Refused) -> None:
        self._exchange.budget.refused_write(sent.exchange_index)
        what = f"429 to a {sent.operation.value}"
        self._parts.board.note_bad(ORDER_LANES, what, f"{sent.ticker}: {verdict.text}")

    def _unknown(self, sent: Sent, verdict: Unknown) -> None:
        self._parts.board.say(
            "KALSHI", f"{sent.client_order_id}: {verdict.why}: looked up", level="warning"
        )
        self._report(OrderUnknown(sent.client_order_id, verdict.why))
        existed = sent.operation is not Operation.CREATE
        self._lookups.want(sent.client_order_id, sent.ticker, sent.sent_ms, existed=existed)

    def learn(self, client_order_id: str, known: Known) -> None:
        """Note the id of an order that rests, for which a cancel may have waited."""
        self._known[client_order_id] = known
        self._exchange.signatures.watch(
            client_order_id,
            (
                ("DELETE", cancel_path(known.order_id, known.ticker)),
                ("POST", amend_path(known.order_id)),
            ),
        )
        self.cancels.identified(client_order_id, known)

    def forget(self, client_order_id: str) -> None:
        """Let go of an order that has ended; there is nothing left to cancel."""
        self._known.pop(client_order_id, None)
        self._priced.discard(client_order_id)
        self.cancels.forget(client_order_id)
        self._exchange.signatures.forget(client_order_id)

    def listed(self, resting: Collection[str]) -> None:
        """Let go of orders that two readings of the account in a row did not list.

        A list lags by less than the time between two readings, so these have ended: the message
        that said so was lost, or came before the answer that they rest. A wished cancel stays.
        """
        absent = self._known.keys() - resting
        for name in absent & self._absent:
            del self._known[name]
            self._priced.discard(name)
            self._exchange.signatures.forget(name)
        self._absent = absent

    def _order_groups(self, rest: Rest) -> OrderGroups:
        return OrderGroups(
            OrderGroupClient(rest),
            self._parts.board,
            self._parts.execution.order_group_contracts,
            self._parts.journal.known().groups,
            changed=lambda up, why: self._tell(ConnectionChanged(GROUPS, up, why)),
            made=self._group_made,
        )

    def _group_made(self, exchange_index: int, group_id: str) -> None:
        try:
            self._parts.journal.append(RecordKind.GROUP, group_data(exchange_index, group_id))
        except JournalFailed as error:
            self._tell(JournalBroken(str(error)))

    def __repr__(self) -> str:
        return f"<OrderDesk {len(self._known)} rest, {self._sender!r} {self.cancels!r}>"
