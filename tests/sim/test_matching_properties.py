"""What must hold of the exchange whatever anybody sends it."""

from __future__ import annotations

from collections import Counter

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from arb.sim.exchange.account import Account
from arb.sim.exchange.lifecycle import determine, settle
from arb.sim.exchange.refusals import Refused
from arb.sim.exchange.resting import Amendment, amend, cancel, decrease
from arb.sim.exchange.values import BookSide, Lifetime, Order, OrderStatus, SelfTrade
from tests.sim.sim_client import Bench, make_bench


@attrs.frozen
class Place:
    """An order of one of three accounts."""

    who: int
    away: bool
    side: BookSide
    price_e4: int
    count_e2: int
    lifetime: Lifetime
    self_trade: SelfTrade
    post_only: bool
    reduce_only: bool


@attrs.frozen
class Touch:
    """Something done to one of the orders that rest: cancel, amend or decrease."""

    what: str
    nth: int
    price_e4: int
    count_e2: int


PRICES = st.integers(45, 55).map(lambda cents: cents * 100)
COUNTS = st.integers(1, 1_500)
PLACES = st.builds(
    Place,
    who=st.integers(0, 2),
    away=st.booleans(),
    side=st.sampled_from(BookSide),
    price_e4=PRICES,
    count_e2=COUNTS,
    lifetime=st.sampled_from(Lifetime),
    self_trade=st.sampled_from(SelfTrade),
    post_only=st.booleans(),
    reduce_only=st.just(value=False) | st.booleans(),
)
TOUCHES = st.builds(
    Touch,
    what=st.sampled_from(("cancel", "amend", "decrease")),
    nth=st.integers(0, 50),
    price_e4=PRICES,
    count_e2=COUNTS,
)


def act(bench: Bench, accounts: list[Account], step: Place | Touch) -> None:
    """Do one thing; a refusal is as good as any other outcome."""
    try:
        if isinstance(step, Place):
            _place(bench, accounts[step.who], step)
        else:
            _touch(bench, step)
    except Refused:
        pass


def _place(bench: Bench, account: Account, step: Place) -> None:
    bench.place(
        account,
        step.side,
        step.price_e4,
        step.count_e2,
        step.lifetime,
        step.self_trade,
        ticker=(bench.away if step.away else bench.home).ticker,
        post_only=step.post_only,
        reduce_only=step.reduce_only,
    )


def _touch(bench: Bench, step: Touch) -> None:
    orders = list(bench.venue.resting_orders())
    if not orders:
        return
    order = orders[step.nth % len(orders)]
    account = bench.venue.accounts[order.account]
    if step.what == "cancel":
        cancel(bench.venue, account, order.order_id, 3)
    elif step.what == "decrease":
        decrease(bench.venue, order, step.count_e2)
    else:
        wish = Amendment(order.ticker, order.side, step.price_e4, step.count_e2)
        amend(bench.venue, account, order, wish)


def check(bench: Bench, accounts: list[Account], start_e6: int) -> None:
    """Check everything that must hold after every step."""
    open_e2 = Counter[str]()
    for market in (bench.home, bench.away):
        counts = [one.position(market.ticker).count_e2 for one in accounts]
        assert sum(counts) == 0
        open_e2[market.ticker] = sum(count for count in counts if count > 0)
        assert market.open_interest_e2 == open_e2[market.ticker]
        bid_e4, ask_e4 = (market.book.best_e4(side) for side in BookSide)
        assert bid_e4 is None or ask_e4 is None or bid_e4 < ask_e4
        for order in market.book.orders():
            assert (order.status, order.remaining_e2 > 0) == (OrderStatus.RESTING, True)
            assert order.filled_e2 + order.remaining_e2 == order.initial_e2
    held_e6 = sum(open_e2.values()) * 10_000
    cash_e6 = sum(one.total_cash_e6 for one in accounts)
    assert cash_e6 + held_e6 + bench.venue.fees_e6 == start_e6
    for account in accounts:
        assert min(account.cash_e6.values()) >= 0
        _check_fills(account)


def _check_fills(account: Account) -> None:
    filled: Counter[str] = Counter()
    position: Counter[str] = Counter()
    fees: Counter[str] = Counter()
    for fill in account.fills:
        filled[fill.order_id] += fill.count_e2
        fees[fill.order_id] += fill.fee_e6
        position[fill.ticker] += fill.count_e2 if fill.side is BookSide.BID else -fill.count_e2
    for order in account.orders():
        _check_order(order, filled[order.order_id], fees[order.order_id])
    for ticker, held in account.positions.items():
        assert held.count_e2 == position[ticker]
        assert (held.count_e2 == 0) <= (held.cost_e6 == 0)
        assert held.cost_e6 >= 0


def _check_order(order: Order, filled_e2: int, fees_e6: int) -> None:
    assert order.filled_e2 == filled_e2
    assert order.taker_fees_e6 + order.maker_fees_e6 == fees_e6
    if order.status is OrderStatus.EXECUTED:
        assert (order.filled_e2, order.remaining_e2) == (order.initial_e2, 0)


@settings(max_examples=400)
@given(
    steps=st.lists(PLACES | TOUCHES, max_size=60),
    cash=st.sampled_from((3_000_000, 20_000_000, 1_000_000_000)),
)
def test_money_and_contracts_are_conserved(steps: list[Place | Touch], cash: int) -> None:
    """Cash, collateral and fees add up, books never cross, nobody is overdrawn, fills add up."""
    bench = make_bench(cash_e6=cash)
    accounts = [bench.member, bench.maker, bench.venue.open_account("third", {0: cash, 3: cash})]
    start_e6 = sum(one.total_cash_e6 for one in accounts)
    for step in steps:
        act(bench, accounts, step)
        check(bench, accounts, start_e6)


@settings(max_examples=60)
@given(steps=st.lists(PLACES, max_size=40), value_e4=st.sampled_from((0, 5_000, 10_000)))
def test_settlement_gives_back_all_collateral(steps: list[Place], value_e4: int) -> None:
    """After both markets settled, all money is cash or fees again."""
    bench = make_bench()
    accounts = [bench.member, bench.maker, bench.venue.open_account("third", {3: 1_000_000_000})]
    start_e6 = sum(one.total_cash_e6 for one in accounts)
    for step in steps:
        act(bench, accounts, step)
    for market, worth_e4 in ((bench.home, value_e4), (bench.away, 10_000 - value_e4)):
        determine(bench.venue, market, worth_e4, "")
        settle(bench.venue, market)
    assert sum(one.total_cash_e6 for one in accounts) + bench.venue.fees_e6 == start_e6
