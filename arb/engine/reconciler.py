"""Whether the exchange's account and our books are equal, and what follows where they are not.

Every reading of the account comes here, after its fills were booked. What explains a difference
is booked first: markets that were decided, deposits and the like. What is then left and is still
there `DIFFERENCE_REPEATED_S` later, without a new fill, stops trading until it is gone or a person
accepts it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import attrs

from arb.core.adoption import AdoptedOrder
from arb.core.commands import CancelOrder
from arb.core.events import OrderAccepted, OrderClosed, OrderEvent, OrderRefused, Settlement
from arb.core.ledger import HandOrder
from arb.core.money import CountE2, cents, contracts, dollars
from arb.core.orders import Order, OrderState
from arb.core.permission import Permission
from arb.core.reconcile import (
    Difference,
    differences,
    exact,
    explaining,
    in_one_line,
    returned_by_market,
    returned_e6,
)
from arb.engine.account_comparison import ACCEPT_WITH, Acceptance, Comparison
from arb.engine.account_reading import Account
from arb.engine.bookkeeping import Bookkeeper
from arb.engine.differing import DIFFERENCE_REPEATED_S, Differing
from arb.engine.first_readings import FirstReadings, adopted
from arb.engine.look_back import LookBack
from arb.engine.messages import LookUp, ReadAccount
from arb.engine.overdue import Overdue
from arb.engine.parts import Parts
from arb.engine.standing import Standing
from arb.io.clock import NS_PER_S

# A person accepts what is so now: while something differs it is read every other second.
ACCEPTED_AGE_MAX_S = 10

UNKNOWN_HERE = "nobody here knows it: canceled"


@attrs.frozen
class Reach:
    """What reconciling may do beside the books."""

    tell_gateway: Callable[[object], None]
    read_again: Callable[[float, ReadAccount], object]
    settled: Callable[[str], None]
    publish: Callable[[], None]
    sell_again: Callable[[], None]


class Reconciler:
    """Compares every reading of the account with the books, and keeps the last comparison."""

    def __init__(
        self, parts: Parts, books: Bookkeeper, permission: Permission, reach: Reach
    ) -> None:
        self._parts = parts
        self._board = parts.board
        self._books = books
        self._permission = permission
        self._reach = reach
        self._standing = Standing()
        self._reads_again = False
        self._differing = Differing()
        self._overdue = Overdue(parts)
        self._counts = False
        self._look_back = LookBack(parts.clock, books.ledger)
        self._first = FirstReadings()
        self._account: Account | None = None
        self._fills_then = 0
        self.last: Comparison | None = None

    # A reading of the account.

    def take(self, account: Account) -> None:
        """Compare a reading whose fills are booked, after booking what else explains it."""
        if not self._books.has_account:
            first = self._first.take(account, self._parts.clock.monotonic_ns())
            if first is None:
                self._board.say("RISK", "the account is read again, to be sure of what it holds")
                self._read_once_past(account, self._first.awaited_ns)
                return
            self._books.adopt(first)
            self._board.say("RISK", f"account read: {_cash_text(account)}")
        self._account = account
        self._note_by_hand(account)
        for settlement in account.settlements:
            self._settle(settlement)
        self._explain_cash(account)
        found = self._differences(account)
        self._overdue.look(account, self._parts.clock.wall_ms())
        if found:
            self._differ(found)
        elif account.is_behind(self._parts.switches.proven_from_ns):
            self._read_once_past(account, self._parts.switches.proven_from_ns)
        else:
            self._agree()
        self._note(found)
        self._reach.publish()

    def filled_before(self) -> None:
        """Note that a fill was heard of before there is an account to book it in."""
        self._board.counts["fills before the account"] += 1
        self._first.disturbed()

    def _note_by_hand(self, account: Account) -> None:
        by_hand = tuple(
            HandOrder(order.order_id, order.ticker, order.side, order.price_e4, order.remaining_e2)
            for order in account.by_hand
        )
        known = {order.order_id for order in self._books.ledger.by_hand}
        for order in by_hand:
            if order.order_id not in known:
                count, price = contracts(order.remaining_e2), cents(order.price_e4)
                text = f"by hand: {order.side} {count} {order.ticker} at {price}c rests"
                self._board.say("PERSON", text)
        self._books.ledger.by_hand = self._board.by_hand = by_hand

    def read_again_done(self) -> None:
        """Note that the reading which was to come has been asked for."""
        self._reads_again = False

    def distrust(self, why: str) -> None:
        """Have the account read, and stop trading until it has been compared again."""
        self._parts.switches.proven_from_ns = self._parts.clock.monotonic_ns()
        if self._permission.unreconciled is None:
            self._permission.unreconciled = f"the account is to be compared again: {why}"
        self._reach.tell_gateway(ReadAccount())

    def hear_of_stranger(self, event: OrderEvent) -> None:
        """Cancel an order of ours that nobody here knows, and trust nothing before it is gone.

        Its record went with the power, and it may have been on its way until now: no limit counts
        what it may do.
        """
        if _is_over(event):
            return
        name = event.client_order_id
        self.distrust(f"nobody here knows order {name}")
        self._parts.switches.resting_known = False
        if isinstance(event, OrderAccepted):
            count_e2 = CountE2(event.filled_e2 + event.remaining_e2)
            wish = CancelOrder(name, event.order_id, "", count_e2, UNKNOWN_HERE)
            self._reach.tell_gateway(wish)
        self._reach.publish()

    @property
    def differs(self) -> bool:
        """Tell whether the last reading showed any difference, moving or not."""
        return self.last is not None and bool(self.last.differences)

    def _settle(self, settlement: Settlement) -> None:
        ticker = settlement.ticker
        gained_e6 = self._books.settle(settlement)
        if gained_e6 is None:
            return
        count, value = contracts(settlement.count_e2), cents(settlement.value_e4)
        paid, gained = dollars(settlement.paid_e6), dollars(gained_e6)
        text = f"{ticker} settled: {count} at {value}c paid {paid}, gain {gained} before fees"
        self._board.say("TRADE", text)
        if settlement.paid_e6 // 10_000 * 10_000 != settlement.revenue_e6:
            there = exact(settlement.revenue_e6)
            text = (
                f"{ticker}: count times value is {exact(settlement.paid_e6)}, Kalshi says {there}"
            )
            self._board.say("RISK", text, level="warning")
        position = self._books.ledger.position(ticker)
        fees_e6 = position.fees_e6 + position.fees_before_e6
        if fees_e6 != settlement.fee_e6:
            text = f"{ticker}: its fees are {exact(fees_e6)} here, {exact(settlement.fee_e6)} there"
            self._board.say("RISK", text, level="warning")
        self._reach.settled(ticker)

    def _explain_cash(self, account: Account) -> None:
        moves = explaining(self._books.ledger, account.cash_e6, _counts(account), account.moves)
        for move in moves:
            self._books.move_cash(move)
            self._board.say("RISK", f"{move.kind} of {exact(abs(move.amount_e6))} booked")

    def _differences(self, account: Account) -> tuple[Difference, ...]:
        found = differences(self._books.ledger, account.cash_e6, _counts(account))
        return found + self._compare_orders(account)

    def _compare_orders(self, account: Account) -> tuple[Difference, ...]:
        """Look up what does not rest, or elsewhere, and cancel what rests and is nobody's."""
        if account.resting is None:
            self._know_resting()
            return ()
        switches, now_ms = self._parts.switches, self._parts.clock.wall_ms()
        found = self._standing.compare(self._books.ledger, account.resting, now_ms)
        for order in (*found.missing, *found.moved):
            self._reach.tell_gateway(LookUp.of(order))
        for cancel in found.orphans:
            self._board.say("RISK", f"{cancel.client_order_id} {cancel.why}", level="error")
            self._reach.tell_gateway(cancel)
        if found.lost:
            self._lose_sight(found.lost)
        elif not found.strangers and not account.is_behind(switches.proven_from_ns):
            self._know_resting()
        return found.differences

    def _know_resting(self) -> None:
        if not self._parts.switches.resting_known:
            self._parts.switches.resting_known = True
            self._reach.sell_again()

    def _lose_sight(self, lost: Sequence[str]) -> None:
        # It rests and no limit counts it: not even for the time in which a difference may move.
        self._parts.switches.resting_known = False
        if self._permission.unreconciled is None:
            self._permission.unreconciled = f"nobody here knows order {lost[0]}"

    # What follows.

    def _agree(self) -> None:
        if not self._permission.ready or self._permission.unreconciled is not None:
            self._board.say("RISK", "positions and cash agree with the exchange, and what rests")
        self._trust()

    def _trust(self) -> None:
        self._differing.agreed()
        self._counts = False
        self._look_back.agreed()
        self._know_shards()
        self._permission.unreconciled = None
        self._permission.ready = True

    def _know_shards(self) -> None:
        account = self._account
        if account is None:
            return
        has_returned = account.cash_e6 != self._books.ledger.cash_e6
        returned_e6 = returned_by_market(_counts(account)) if has_returned else {}
        self._books.shards.agreed(account.cash_by_shard, returned_e6)

    def _differ(self, found: Sequence[Difference]) -> None:
        now_ns, fills = self._parts.clock.monotonic_ns(), self._books.ledger.fills_booked
        if self._differing.stays(found, fills, now_ns):
            self._count(found)
        self._read_again()

    def _count(self, found: Sequence[Difference]) -> None:
        self._counts = True
        said = f"{in_one_line(found)} (accept it with: {ACCEPT_WITH})"
        if self._permission.unreconciled != said:
            self._permission.unreconciled = said
            self._board.say("RISK", f"account differs: {in_one_line(found)}", level="error")

    def _read_once_past(self, account: Account, moment_ns: int) -> None:
        """Read again as soon as a reading can be complete up to a moment."""
        missing_ns = moment_ns - (account.as_of_ns or 0)
        if not self._reads_again:
            self._reads_again = True
            after_s = min(missing_ns / NS_PER_S, DIFFERENCE_REPEATED_S)
            self._reach.read_again(after_s, ReadAccount())

    def _read_again(self) -> None:
        # One reading is enough, however many have found something to look at again.
        if not self._reads_again:
            self._reads_again = True
            since_ms = self._look_back.to_ms() if self._counts else None
            wish = ReadAccount(with_moves=True, since_ms=since_ms)
            self._reach.read_again(DIFFERENCE_REPEATED_S, wish)

    def _note(self, found: tuple[Difference, ...]) -> None:
        number = self.last.number + 1 if self.last is not None else 1
        now_ms = self._parts.clock.wall_ms()
        self._fills_then = self._books.ledger.fills_booked
        self.last = Comparison(
            number, now_ms, found, self._counts, self._figures(), self._overdue.tickers
        )

    def _figures(self) -> str:
        ledger = self._books.ledger
        account = self._account
        resting = account.resting if account is not None else None
        parts = [f"cash {exact(ledger.cash_e6)}", f"{len(ledger.held())} positions"]
        if resting is not None:
            parts.append(f"{len(resting)} orders resting")
        if ledger.by_hand:
            parts.append(f"{len(ledger.by_hand)} more by hand")
        parts.append(f"{ledger.fills_booked} fills, {len(ledger.settled)} settlements")
        if account is not None and account.cash_e6 != ledger.cash_e6:
            returned = exact(returned_e6(_counts(account)))
            parts.append(f"{returned} of collateral returned beside it")
        return ", ".join(parts)

    # A person's word.

    def accept(self, by: str) -> Acceptance:
        """Take the exchange's word where it has differed long enough to be believed."""
        account, last = self._account, self.last
        if account is None or last is None:
            return Acceptance(done=False, text="the account has not been read yet")
        why = self._why_not(account, last)
        if why is not None:
            return Acceptance(done=False, text=why)
        differed = in_one_line(last.differences)
        orders = tuple(self._adopted_orders(account))
        active = self._books.ledger.active_tickers()
        self._books.adopt(attrs.evolve(adopted(account), orders=orders, by=by, differed=differed))
        self._board.say("PERSON", f"account accepted by {by}: {differed}")
        self._trust()
        for ticker in sorted({*active, *self._books.ledger.active_tickers()}):
            self._reach.settled(ticker)
        self._read_again()
        self._note(())
        self._reach.publish()
        return Acceptance(done=True, text=differed)

    def _why_not(self, account: Account, last: Comparison) -> str | None:
        """Say why the last reading must not be taken for the truth, None where it may."""
        if not last.differences:
            return f"nothing to accept: {last.text}"
        if not last.counts:
            return f"it may still be moving, try again in a moment: {in_one_line(last.differences)}"
        if account.is_behind(self._parts.switches.proven_from_ns):
            return "the reading is too old to be sure: try again in a moment"
        # What was booked since the reading is not in it, and would be lost.
        if self._books.ledger.fills_booked != self._fills_then:
            return "fills have come since the account was read: try again in a moment"
        age_s = (self._parts.clock.wall_ms() - last.at_ms) // 1000
        if age_s > ACCEPTED_AGE_MAX_S:
            return f"the account was read {age_s} s ago: try again when Kalshi can be read"
        return None

    def _adopted_orders(self, account: Account) -> list[AdoptedOrder]:
        """Say for each order that is not as listed how much of it may still fill."""
        resting = account.resting
        if resting is None:
            return []
        listed = {
            order.client_order_id: AdoptedOrder(
                order.client_order_id, order.remaining_e2, order.filled_e2
            )
            for order in resting
        }
        return [
            listed.get(order.client_order_id) or AdoptedOrder(order.client_order_id, CountE2(0))
            for order in self._books.ledger.all_at_stake()
            if _is_settled_by(order, listed)
        ]

    def __repr__(self) -> str:
        return f"<Reconciler {self.last.text if self.last is not None else 'nothing read'}>"


def _is_over(event: OrderEvent) -> bool:
    if isinstance(event, OrderAccepted):
        return not event.remaining_e2
    return isinstance(event, OrderClosed | OrderRefused)


def _is_settled_by(order: Order, listed: Collection[str]) -> bool:
    # What is not known, or was just sent, is found out by its own way.
    if order.is_open:
        return order.state is OrderState.RESTING and order.client_order_id in listed
    return True


def _cash_text(account: Account) -> str:
    shards = account.cash_by_shard.items()
    each = ", ".join(f"{dollars(cash_e6)} on shard {shard}" for shard, cash_e6 in shards)
    return f"{dollars(account.cash_e6)} in cash" + (f": {each}" if each else "")


def _counts(account: Account) -> dict[str, CountE2]:
    return {held.ticker: held.count_e2 for held in account.positions}
