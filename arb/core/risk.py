"""Where an order is approved: every limit an entry must pass, and the pass itself.

`review` looks at one wish and says no with a code, or says nothing. An `Approved` can be made
by an `Approvals` desk alone, which lives in the risk manager; it is good for one use, for
`APPROVAL_VALID_NS`, and for the session it was given in.
"""

from __future__ import annotations

from enum import StrEnum

import attrs

from arb.core.brakes import NS_PER_S, Brakes
from arb.core.commands import AmendIntent, Amendment, OrderIntent, Purpose
from arb.core.events import Side
from arb.core.exposure import Exposures, FeeOf, claims, entry_cost_e6
from arb.core.ledger import Ledger
from arb.core.listing import Listing
from arb.core.money import ONE_CENT_E4, ONE_DOLLAR_E4, CountE2, MoneyE6, cents, contracts, dollars
from arb.core.orders import Order, OrderState
from arb.core.parameters import Risk
from arb.core.permission import Permission, TradingState

# 0.79 * 1e4 is 7900.000...1: what is off by this little of a price unit is not off.
BINARY_ERROR_E4 = 1e-6

# An approval is spent in the same turn it is given, tens of microseconds later. One that waits
# longer was stuck behind something, and the prices it was given for are gone.
APPROVAL_VALID_NS = 50_000_000

# A wish is heard within a millisecond of what led to it. Where it takes this long the process stood
# still, or its loop did, and the prices that it was decided on are gone.
WISH_VALID_NS = 250_000_000


class RefusalCode(StrEnum):
    """Why an order was not approved; counted by code and shown in the market's row."""

    NOT_RUNNING = "not running"
    MARKET_SHUT = "the market takes no order"
    ENTRY_IN_FLIGHT = "an entry of this game is in flight"
    OTHER_SIDE_HELD = "the other side is held"
    STAKE_TOO_SMALL = "Kelly stakes less than a contract"
    CONTRACTS_PER_MARKET = "contracts per market"
    CONCURRENT_MARKETS = "concurrent markets"
    GAME_EXPOSURE = "game exposure"
    TOTAL_EXPOSURE = "total exposure"
    BALANCE = "balance"
    SHARD_BALANCE = "balance of its shard"
    PRICE_COLLAR = "price collar"
    TOO_LATE = "decided too long ago"
    ORDERS_PER_SECOND = "orders per second"
    EXCHANGE_RESTS = "Kalshi rests"
    BAD_COUNT = "bad count"
    RESTING_UNKNOWN = "what rests is unknown"
    EXIT_TOO_LARGE = "exit larger than the position"
    NO_SUCH_ORDER = "no such order"
    NOT_MOVABLE = "order cannot be moved now"
    NOT_SENT = "not sent"
    EXCHANGE = "not taken"


@attrs.frozen
class Refusal:
    """A wish that was not approved or not taken, and why in one line."""

    ticker: str
    purpose: Purpose
    code: RefusalCode
    text: str

    @classmethod
    def by_exchange(cls, intent: OrderIntent, text: str) -> Refusal:
        """Say that an order was approved, and was not taken or could not be sent."""
        return cls(intent.ticker, intent.purpose, RefusalCode.EXCHANGE, text)

    @classmethod
    def not_sent(cls, intent: OrderIntent, text: str) -> Refusal:
        """Say that an order was approved and could not leave just now; in a moment it can."""
        return cls(intent.ticker, intent.purpose, RefusalCode.NOT_SENT, text)


class ApprovalVoid(Exception):
    """An approval that was used before, is too old, or belongs to an earlier session."""


_SEAL = object()


@attrs.define
class Approved:
    """One approved order or amendment: the only thing the gateway sends."""

    intent: OrderIntent | Amendment
    client_order_id: str
    session: int
    approved_ns: int
    _seal: object = attrs.field(repr=False)
    _used: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        """Refuse to exist outside the desk; the seal is broken, so that it makes no copy."""
        if self._seal is not _SEAL:
            raise ApprovalVoid("an approval is made by the risk manager alone")
        self._seal = None

    def redeem(self, *, session: int, now_ns: int) -> None:
        """Use this approval up; raises `ApprovalVoid` if it is not good any more."""
        if self._used:
            raise ApprovalVoid(f"the approval of {self.client_order_id} has been used")
        if self.session != session:
            raise ApprovalVoid(f"the approval of {self.client_order_id} is of another session")
        if now_ns - self.approved_ns > APPROVAL_VALID_NS:
            raise ApprovalVoid(f"the approval of {self.client_order_id} is too old")
        self._used = True


# What the ids of all orders of this program begin with, whoever runs it and wherever.
EVERY_ORDER_PREFIX = "arb-"


@attrs.define
class Approvals:
    """The desk that makes approvals and gives every order its id.

    An id is the installation and a number that is never used twice, because the number is
    recovered from the journal before the first approval of a new run.
    """

    installation: str
    next_number: int = 1
    session: int = 0

    def new_session(self) -> int:
        """Void what was approved before, and return the number of the session that begins."""
        self.session += 1
        return self.session

    def approve(self, intent: OrderIntent, *, now_ns: int) -> Approved:
        """Approve a new order under an id of its own."""
        client_order_id = f"{client_order_prefix(self.installation)}{self.next_number:08x}"
        self.next_number += 1
        return Approved(intent, client_order_id, self.session, now_ns, _SEAL)

    def approve_amend(self, amendment: Amendment, *, now_ns: int) -> Approved:
        """Approve an amendment of an order that is already ours."""
        return Approved(amendment, amendment.client_order_id, self.session, now_ns, _SEAL)


def client_order_prefix(installation: str) -> str:
    """Return what the ids of all our orders begin with; the exchange refuses dots in them."""
    return f"{EVERY_ORDER_PREFIX}{installation}-"


def review(
    intent: OrderIntent,
    ledger: Ledger,
    limits: Risk,
    permission: Permission,
    fee_of: FeeOf,
    exposures: Exposures | None = None,
) -> Refusal | None:
    """Return why an order may not leave, or None if it may.

    ``exposures`` are those of this ledger, kept from order to order; without them they are counted
    from nothing, every market as a game of its own.
    """
    if intent.count_e2 <= 0:
        return _no(intent, RefusalCode.BAD_COUNT, f"a count of {contracts(intent.count_e2)}")
    if intent.purpose is Purpose.EXIT:
        return _review_exit(intent, ledger)
    return (
        _review_state(intent, permission)
        or _review_game(intent, ledger)
        or _review_side(intent, ledger)
        or _review_price(intent, limits)
        or _review_sizes(intent, ledger, limits)
        or _review_exposure(intent, limits, exposures or Exposures(ledger, fee_of))
        or _review_balance(intent, ledger, fee_of)
    )


def review_rate(intent: OrderIntent, brakes: Brakes, limits: Risk, now_ns: int) -> Refusal | None:
    """Return why an entry may not leave now, so late or after those before it; None if it may.

    Exits count and are never refused for it: they lessen what may be lost.
    """
    if intent.purpose is Purpose.EXIT:
        return None
    age_ns = now_ns - intent.trigger_ns
    if age_ns > WISH_VALID_NS:
        text = f"it was decided on what came {age_ns / NS_PER_S:.1f} s ago"
        return _no(intent, RefusalCode.TOO_LATE, text)
    rested_ns = brakes.rested_ns_ago(now_ns)
    if rested_ns is not None:
        text = f"Kalshi said {rested_ns / NS_PER_S:.1f} s ago that trading is paused"
        return _no(intent, RefusalCode.EXCHANGE_RESTS, text)
    sent, most = brakes.within_a_second(now_ns), limits.max_orders_per_second
    if sent < most:
        return None
    text = f"{sent} orders have left within a second, of {most}"
    return _no(intent, RefusalCode.ORDERS_PER_SECOND, text)


def review_listing(
    intent: OrderIntent, listing: Listing | None, now_ms: int, *, in_play: bool, is_live: bool
) -> Refusal | None:
    """Return why a market takes no such order now, or None if it does.

    The exchange would refuse it; and in a game that is no longer surely matched nothing new is
    begun, while what is held is sold.
    """
    if listing is None:
        why: str | None = f"{intent.ticker} is not traded here"
    elif intent.purpose is Purpose.ENTRY:
        why = listing.why_not_entered(now_ms, in_play=in_play, is_live=is_live)
    else:
        why = listing.shut(now_ms)
    return _no(intent, RefusalCode.MARKET_SHUT, why) if why is not None else None


def review_amend(intent: AmendIntent, ledger: Ledger) -> Refusal | None:
    """Return why an order may not be moved, or None if it may.

    Only exits move, one move at a time and whole, so that their count stays what was approved:
    an entry that should move is cancelled.
    """
    order = ledger.orders.get(intent.client_order_id)
    if order is None or order.order_id is None or not order.is_open or order.is_entry:
        text = f"{intent.client_order_id} is no open exit"
        return Refusal(intent.ticker, Purpose.EXIT, RefusalCode.NO_SUCH_ORDER, text)
    if order.state is not OrderState.RESTING or order.amending:
        text = f"{intent.client_order_id} is {'being moved' if order.amending else order.state}"
        return Refusal(intent.ticker, Purpose.EXIT, RefusalCode.NOT_MOVABLE, text)
    if intent.remaining_e2 == order.at_stake_e2:
        return None
    too_large = intent.remaining_e2 > order.at_stake_e2
    code = RefusalCode.EXIT_TOO_LARGE if too_large else RefusalCode.BAD_COUNT
    text = f"{contracts(intent.remaining_e2)} of {contracts(order.at_stake_e2)} that remain"
    return Refusal(intent.ticker, Purpose.EXIT, code, text)


def amendment_of(intent: AmendIntent, order: Order, order_id: str) -> Amendment:
    """Return an amendment in the exchange's terms, whose count includes what has filled.

    Counted from the fills that are booked, because that is what ``remaining_e2`` is counted
    from: what is reported and not booked yet would be in both, and the order would grow by it.
    """
    return Amendment(
        intent.client_order_id,
        order_id,
        intent.ticker,
        order.side,
        intent.price_e4,
        CountE2(order.filled_e2 + intent.remaining_e2),
        intent.trigger_ns,
        intent.expires_s,
    )


def exit_room_e2(ledger: Ledger, ticker: str) -> CountE2:
    """Return how much of what our own orders bought no exit at stake covers yet."""
    signed_e2 = ledger.position(ticker).ours_e2
    closing, held_e2 = (Side.ASK if signed_e2 > 0 else Side.BID), abs(signed_e2)
    exits = (order for order in ledger.at_stake(ticker) if not order.is_entry)
    covered_e2 = sum(order.at_stake_e2 for order in exits if order.side is closing)
    return CountE2(max(0, held_e2 - covered_e2))


def _review_exit(intent: OrderIntent, ledger: Ledger) -> Refusal | None:
    held_e2 = ledger.position(intent.ticker).ours_e2
    lessens = held_e2 > 0 if intent.side is Side.ASK else held_e2 < 0
    room_e2 = exit_room_e2(ledger, intent.ticker)
    if lessens and intent.count_e2 <= room_e2:
        return None
    text = f"{contracts(intent.count_e2)} wished, {contracts(room_e2 if lessens else 0)} uncovered"
    return _no(intent, RefusalCode.EXIT_TOO_LARGE, text)


def _review_state(intent: OrderIntent, permission: Permission) -> Refusal | None:
    if permission.state is TradingState.RUNNING:
        return None
    reasons = permission.reasons
    return _no(intent, RefusalCode.NOT_RUNNING, reasons[0] if reasons else permission.state.value)


def _review_game(intent: OrderIntent, ledger: Ledger) -> Refusal | None:
    for order in ledger.all_at_stake():
        if order.is_entry and order.intent.game_id == intent.game_id:
            text = f"{order.client_order_id} is {order.state}"
            return _no(intent, RefusalCode.ENTRY_IN_FLIGHT, text)
    return None


def _review_side(intent: OrderIntent, ledger: Ledger) -> Refusal | None:
    # An entry against the position would close it, and the exits that rest for it would then open
    # the other side; so would one on the side on which an exit stands.
    held_e2 = ledger.position(intent.ticker).count_e2
    closes = held_e2 < 0 if intent.side is Side.BID else held_e2 > 0
    exits = (order for order in ledger.at_stake(intent.ticker) if not order.is_entry)
    if not closes and all(order.side is not intent.side for order in exits):
        return None
    text = f"{contracts(held_e2)} held, an exit may stand on the {intent.side}"
    return _no(intent, RefusalCode.OTHER_SIDE_HELD, text)


def _review_price(intent: OrderIntent, limits: Risk) -> Refusal | None:
    apart_e4 = abs(intent.fair * ONE_DOLLAR_E4 - intent.price_e4)
    if apart_e4 <= limits.price_collar * ONE_CENT_E4 + BINARY_ERROR_E4:
        return None
    text = f"{cents(intent.price_e4)}c is too far from fair {intent.fair * 100:.1f}c"
    return _no(intent, RefusalCode.PRICE_COLLAR, text)


def _review_sizes(intent: OrderIntent, ledger: Ledger, limits: Risk) -> Refusal | None:
    position = ledger.positions.get(intent.ticker)
    held_e2 = abs(position.count_e2) if position is not None else 0
    open_e2 = sum(order.at_stake_e2 for order in ledger.at_stake(intent.ticker) if order.is_entry)
    wanted_e2 = held_e2 + open_e2 + intent.count_e2
    if wanted_e2 > limits.max_contracts_per_market_e2:
        most = contracts(limits.max_contracts_per_market_e2)
        text = f"{contracts(wanted_e2)} would exceed {most}"
        return _no(intent, RefusalCode.CONTRACTS_PER_MARKET, text)
    others = [ticker for ticker in ledger.active_tickers() if ticker != intent.ticker]
    if len(others) >= limits.max_concurrent_markets:
        text = f"{len(others)} other markets are active"
        return _no(intent, RefusalCode.CONCURRENT_MARKETS, text)
    return None


def _review_exposure(intent: OrderIntent, limits: Risk, exposures: Exposures) -> Refusal | None:
    worst = exposures.with_entry(intent)
    if worst.game_e6 > limits.max_game_exposure_e6:
        limit = dollars(limits.max_game_exposure_e6)
        text = f"{dollars(worst.game_e6)} in {intent.game_id} would exceed {limit}"
        return _no(intent, RefusalCode.GAME_EXPOSURE, text)
    if worst.total_e6 > limits.max_total_exposure_e6:
        exposed, limit = exposures.total_e6(), dollars(limits.max_total_exposure_e6)
        more = dollars(worst.total_e6 - exposed)
        text = f"{dollars(exposed)} and {more} more would exceed {limit}"
        return _no(intent, RefusalCode.TOTAL_EXPOSURE, text)
    return None


def _review_balance(intent: OrderIntent, ledger: Ledger, fee_of: FeeOf) -> Refusal | None:
    cost_e6 = entry_cost_e6(intent.ticker, intent.side, intent.price_e4, intent.count_e2, fee_of)
    free_e6 = free_cash_e6(ledger, fee_of)
    if cost_e6 > free_e6:
        text = f"{dollars(cost_e6)} needed, {dollars(free_e6)} free"
        return _no(intent, RefusalCode.BALANCE, text)
    return None


def free_cash_e6(ledger: Ledger, fee_of: FeeOf) -> MoneyE6:
    """Return the cash that no order of ours or of a person's may still need."""
    return MoneyE6(ledger.cash_e6 - sum(cash_e6 for _, cash_e6 in claims(ledger, fee_of)))


def _no(intent: OrderIntent, code: RefusalCode, text: str) -> Refusal:
    return Refusal(intent.ticker, intent.purpose, code, text)
