"""The core alone under one random history, compared with an exchange that keeps its own books.

No network, no actors, no time: wishes are reviewed, approved and planned by the same pure functions
as in the engine, and whatever comes back is counted by the same ledger. A history is a list of
steps, so that a seed, a test and a search for a smaller example can all write one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from arb.core.commands import AmendIntent, Amendment, OrderIntent, Purpose, TimeInForce
from arb.core.events import Fill, Liquidity, OrderEvent, Settlement, Side, Top
from arb.core.exit_policy import Bought
from arb.core.exits import ExitView, Holding, OpenOrder, plan_exits
from arb.core.exposure import Exposures
from arb.core.grid import WHOLE_CENTS
from arb.core.invariants import Invariants
from arb.core.ledger import Ledger
from arb.core.money import ONE_DOLLAR_E4, CountE2, PriceE4
from arb.core.orders import Order, OrderState
from arb.core.permission import Permission
from arb.core.risk import Approvals, amendment_of, review, review_amend
from arb.faults.core_checks import (
    LIMITS,
    MARKETS,
    Both,
    fee_of,
    must,
    rival_of,
)
from arb.faults.core_exchange import CASH, CoreExchange, Message, Standing

# Weights that make whole lives likely: what is sent is mostly heard of, and fills.
WEIGHTS = {
    "enter": 40,
    "keep_exits": 50,
    "cancel": 10,
    "look_up": 20,
    "trade": 60,
    "expire": 10,
    "settle": 2,
    "hear_answer": 60,
    "hear_stream": 60,
    "lose_stream": 10,
    "read_fills": 10,
}
STEPS = tuple(WEIGHTS)

# Long enough for some lives from entry to sale, one after the other.
LENGTH = 90
WHICH_MAX, LUCK_MAX = 6, 5_000

# What is dear to check is checked after so many steps, and at the end.
LOOK_EVERY = 6

Step = tuple[str, int, int]
# What is journalled before it happens: an order under its id, a move, or what the exchange said.
Noted = tuple[str, OrderIntent] | Amendment | OrderEvent | Fill | Settlement


def rolled(seed: int, length: int = LENGTH) -> list[Step]:
    """Roll a history from a seed."""
    dice = Random(seed)
    names = dice.choices(STEPS, tuple(WEIGHTS.values()), k=length)
    return [(name, dice.randrange(WHICH_MAX), dice.randrange(LUCK_MAX)) for name in names]


def play(steps: Sequence[Step], note: Callable[[Noted], object] | None = None) -> CoreHistory:
    """Let a history happen, then let everything arrive; raises `HistoryWrong`."""
    history = CoreHistory(note)
    for step in steps:
        history.step(*step)
    history.heal()
    return history


class CoreHistory:
    """Our books under one history: wishes, reviews, approvals, and whatever comes back."""

    def __init__(self, note: Callable[[Noted], object] | None = None) -> None:
        self.exchange = CoreExchange()
        self.ledger = Ledger(CASH)
        self.exposures = Exposures(self.ledger, fee_of, rival_of)
        self.invariants = Invariants(CASH)
        self.approvals = Approvals("test")
        self.seen: set[str] = set()
        self.steps = 0
        self._note = note
        self._permission = Permission(ready=True)

    def take_over(self, ledger: Ledger) -> None:
        """Go on with other books, as after a restart that recovered them."""
        self.ledger = ledger
        self.exposures = Exposures(ledger, fee_of, rival_of)

    @property
    def books(self) -> Both:
        """Return both sides, to be held against each other."""
        return Both(self.ledger, self.exposures, self.exchange)

    def step(self, what: str, which: int, luck: int) -> None:
        """Let one thing happen, and check everything that must be true then."""
        getattr(self, f"_{what}")(which, luck)
        self.steps += 1
        self.check()
        if self.steps % LOOK_EVERY == 0:
            self.books.check_order_by_order()

    # ------------------------------------------------------------------ what we do

    def _enter(self, which: int, luck: int) -> None:
        ticker = MARKETS[which % len(MARKETS)]
        taker = luck % 3 == 0
        price_e4 = PriceE4(100 * (1 + luck % 99))
        wish = OrderIntent(
            ticker=ticker,
            game_id=ticker[0],
            purpose=Purpose.ENTRY,
            side=Side.BID if luck % 5 else Side.ASK,
            price_e4=price_e4,
            count_e2=CountE2(1 + luck % 600),
            liquidity=Liquidity.TAKER if taker else Liquidity.MAKER,
            time_in_force=_time_in_force(rests=not taker),
            post_only=not taker,
            trigger_ns=1,
            fair=price_e4 / ONE_DOLLAR_E4,
        )
        self._wish(wish, luck)

    def _wish(self, wish: OrderIntent, luck: int) -> None:
        refusal = review(wish, self.ledger, LIMITS, self._permission, fee_of, self.exposures)
        if refusal is not None:
            self.seen.add(refusal.code.value)
            return
        approved = self.approvals.approve(wish, now_ns=0)
        approved.redeem(session=0, now_ns=0)
        name = approved.client_order_id
        self._say((name, wish))
        order = Order(name, wish, wish.price_e4, wish.count_e2, created_ms=0)
        self.ledger.open_order(order)
        exposed_e6 = self.exposures.total_e6()
        self.invariants.after_approval(order, self.ledger, exposed_e6, LIMITS.max_total_exposure_e6)
        self.exchange.place(name, wish, luck)
        if wish.purpose is Purpose.ENTRY:
            self.books.check_limits(wish)

    def _keep_exits(self, which: int, luck: int) -> None:
        ticker = MARKETS[which % len(MARKETS)]
        fair = (1 + luck % 99) / 100
        view = ExitView(self._holding(ticker), fair, WHOLE_CENTS, _top(ticker, luck), ticker[0], 0)
        for move in plan_exits(view):
            if isinstance(move, OrderIntent):
                self._wish(move, luck)
            else:
                self._move(move, luck)

    def _holding(self, ticker: str) -> Holding:
        position = self.ledger.position(ticker)
        return Holding(
            ticker,
            position.count_e2,
            position.entry_e4,
            tuple(OpenOrder.of(order) for order in self.ledger.at_stake(ticker)),
            by_hand_e2=CountE2(position.count_e2 - position.ours_e2),
            bought=Bought.of(position, None),
        )

    def _move(self, move: AmendIntent, luck: int) -> None:
        if review_amend(move, self.ledger) is not None:
            return
        order = self.ledger.orders[move.client_order_id]
        amendment = amendment_of(move, order, order.order_id or "")
        self._say(amendment)
        order.amend_sent(move.price_e4)
        self.seen.add("an exit moved")
        self.exchange.amend(amendment, luck)

    def _cancel(self, which: int, luck: int) -> None:
        known = [order for order in self.ledger.all_at_stake() if order.order_id is not None]
        if known:
            self.exchange.cancel(known[which % len(known)].client_order_id, luck)

    def _look_up(self, which: int, _luck: int) -> None:
        unknown = [
            order for order in self.ledger.all_at_stake() if order.state is OrderState.UNKNOWN
        ]
        if unknown:
            name = unknown[which % len(unknown)].client_order_id
            self.seen.add(f"unknown {'found' if name in self.exchange.orders else 'absent'}")
            self.exchange.answers.extend(self.exchange.looked_up(name))

    # ------------------------------------------------------------------ what happens there

    def _trade(self, which: int, luck: int) -> None:
        order = self._one_resting(which)
        if order is not None:
            self.seen.add(f"{order.wish.purpose.value} {order.wish.side.value} filled")
            self.exchange.trade(order, 1 + luck % order.remaining_e2)

    def _expire(self, which: int, _luck: int) -> None:
        order = self._one_resting(which)
        if order is not None:
            self.exchange.expire(order)

    def _one_resting(self, which: int) -> Standing | None:
        resting = self.exchange.resting()
        return resting[which % len(resting)] if resting else None

    def _settle(self, which: int, luck: int) -> None:
        self.exchange.end(MARKETS[which % len(MARKETS)], (0, 5_000, 10_000, 3_700)[luck % 4])

    # ------------------------------------------------------------------ what reaches us

    def _hear_answer(self, which: int, _luck: int) -> None:
        if self.exchange.answers:
            self.hear(_pick(self.exchange.answers, which))

    def _hear_stream(self, which: int, luck: int) -> None:
        if self.exchange.stream:
            message = _pick(self.exchange.stream, which)
            for _ in range(1 + luck % 2):
                self.hear(message)

    def _lose_stream(self, which: int, _luck: int) -> None:
        if self.exchange.stream:
            _pick(self.exchange.stream, which)

    def _read_fills(self, _which: int, _luck: int) -> None:
        for message in self.exchange.listed_fills():
            self.hear(message)

    def hear(self, message: Message) -> None:
        """Take what the exchange said, as the engine does: noted first, then counted."""
        if isinstance(message, Settlement):
            self._hear_settlement(message)
        elif not isinstance(message, Fill):
            self._say(message)
            order = self.ledger.report(message)
            must(order is not None, f"{message} is of no order of ours")
            if order is not None:
                self.invariants.after_report(order)
        elif message.trade_id not in self.ledger.trade_ids:
            self._say(message)
            must(self.ledger.book(message), f"{message} was not booked")
            self.invariants.after_fill(message, self.ledger)
        else:
            self.seen.add("a fill told twice")
            must(not self.ledger.book(message), f"{message} was booked twice")

    def _hear_settlement(self, paid: Settlement) -> None:
        if self.ledger.position(paid.ticker).count_e2 != paid.count_e2:
            self.seen.add("a settlement before its fills")
            return
        if paid.key not in self.ledger.settled:
            self._say(paid)
            must(self.ledger.settle(paid), f"{paid} was not booked")
            self.invariants.after_settlement(paid, self.ledger)
            self.seen.add("settled")

    def _say(self, noted: Noted) -> None:
        if self._note is not None:
            self._note(noted)

    # ------------------------------------------------------------------ what must be true

    def check(self) -> None:
        """Compare our books with the exchange's, as far as they must agree at any moment."""
        must(not self.invariants.kept, f"{self.invariants.kept}")
        must(not self.ledger.illegal_reports, "a report was illegal")

    def heal(self) -> None:
        """Let everything arrive, look everything up, and check that both sides agree in all."""
        for messages in (self.exchange.answers, self.exchange.stream):
            while messages:
                self.hear(messages.pop(0))
        for order in self.ledger.all_at_stake():
            for message in self.exchange.looked_up(order.client_order_id):
                self.hear(message)
        self._read_fills(0, 0)
        for paid in self.exchange.settlements.values():
            self.hear(paid)
        self.check()
        self.books.check_order_by_order()
        self.books.check_agreement()

    def __repr__(self) -> str:
        return f"<CoreHistory {self.steps} steps, {self.ledger!r}>"


def _top(ticker: str, luck: int) -> Top:
    bid_e4 = PriceE4(100 * (luck % 99))
    ask_e4 = PriceE4(bid_e4 + 100 * (1 + luck % 7))
    return Top(
        ticker,
        bid_e4 or None,
        CountE2(9_900),
        ask_e4 if ask_e4 < ONE_DOLLAR_E4 else None,
        CountE2(9_900),
        usable=True,
        at_ms=1,
        received_ns=1,
    )


def _pick(messages: list[Message], number: int) -> Message:
    return messages.pop(number % len(messages))


def _time_in_force(*, rests: bool) -> TimeInForce:
    return TimeInForce.GOOD_TILL_CANCELED if rests else TimeInForce.IMMEDIATE_OR_CANCEL
