"""One reading after the other against the books: what counts, what explains, what is said."""

# flake8: noqa: ASYNC124 - a clock needs a running loop, whether anything waits or not

from __future__ import annotations

from typing import Any

import attrs
import pytest
import trio

from arb.core.events import CashMove, OrderEvent
from arb.core.money import CountE2, MoneyE6
from arb.core.orders import OrderState
from arb.core.permission import Permission
from arb.engine.account_reading import Account, HeldPosition, RestingOrder
from arb.engine.bookkeeping import Bookkeeper
from arb.engine.differing import DIFFERENCE_MOVING_MAX_S, DIFFERENCE_REPEATED_S
from arb.engine.look_back import LOOKED_BACK_MS
from arb.engine.messages import ReadAccount
from arb.engine.reconciler import Reach, Reconciler
from arb.io.clock import VirtualClock
from arb.journal.records import RecordKind, fill_data, intent_data, report_data
from tests.core.order_factory import CASH, ENTRY, NYY, accepted, closed, fill, settlement
from tests.engine.market_bench import bench_parts

EMPTY = Account(CASH, ())


@attrs.define
class Desk:
    """A reconciler with books of its own, and what it did beside them."""

    books: Bookkeeper
    permission: Permission
    reconciler: Reconciler
    sent: list[object]
    again: list[ReadAccount]
    settled: list[str]
    sold_again: list[int]

    @property
    def lines(self) -> list[str]:
        """Return what was said."""
        return [line.text for line in self.books._parts.board.log]

    def held(self, count: int, cash: int, **more: Any) -> Account:
        """Return an account that holds some of one market."""
        held = HeldPosition(NYY, CountE2(count), MoneyE6(0), MoneyE6(0))
        return Account(MoneyE6(cash), (held,), **more)


@pytest.fixture
async def desk(autojump_clock: object) -> Desk:
    """Open books that agree with an account of a thousand dollars."""
    return open_desk()


def open_desk(*records: tuple[RecordKind, dict[str, Any]]) -> Desk:
    """Open books with a journal behind them."""
    parts = bench_parts(clock=VirtualClock(1_000_000))
    for kind, data in records:
        parts.journal.append(kind, data)
    books, permission = Bookkeeper(parts), Permission()
    sent: list[object] = []
    again: list[ReadAccount] = []
    settled: list[str] = []
    sold_again: list[int] = []
    reach = Reach(
        sent.append,
        lambda _after_s, wish: again.append(wish),
        settled.append,
        lambda: None,
        lambda: sold_again.append(1),
    )
    reconciler = Reconciler(parts, books, permission, reach)
    return Desk(books, permission, reconciler, sent, again, settled, sold_again)


async def test_the_first_reading_is_taken_for_the_truth(autojump_clock: object, desk: Desk) -> None:
    """Before it nothing is known; after it trading may begin."""
    assert not desk.reconciler.accept("kim").done
    assert repr(desk.reconciler) == "<Reconciler nothing read>"
    desk.reconciler.take(EMPTY)

    assert desk.permission.ready
    assert desk.books.ledger.cash_e6 == CASH
    assert repr(desk.reconciler).startswith("<Reconciler equal: cash $1,000.00, 0 positions")


async def test_the_cash_of_each_shard_is_known_while_all_cash_agrees(
    autojump_clock: object, desk: Desk
) -> None:
    """A reading that differs says nothing of the shards; the one that agrees again does."""
    halves = {0: MoneyE6(CASH // 2), 3: MoneyE6(CASH // 2)}
    desk.reconciler.take(attrs.evolve(EMPTY, cash_by_shard=halves))
    assert desk.lines == [
        "account read: $1,000.00 in cash: $500.00 on shard 0, $500.00 on shard 3",
        "positions and cash agree with the exchange, and what rests",
    ]
    less = {0: MoneyE6(CASH // 2), 3: MoneyE6(0)}
    desk.reconciler.take(Account(MoneyE6(CASH // 2), (), cash_by_shard=less))
    assert repr(desk.books.shards) == "<Shards 0: $500.00, 3: $500.00>"
    desk.reconciler.take(attrs.evolve(EMPTY, cash_by_shard={0: CASH, 3: MoneyE6(0)}))
    assert repr(desk.books.shards) == "<Shards 0: $1,000.00, 3: $0.00>"


async def test_an_account_that_has_traded_is_read_twice_at_first(
    autojump_clock: object, desk: Desk
) -> None:
    """Positions lag behind fills, so that one reading may show cash without what it bought."""
    bought = fill("t1", client_order_id=None)
    paid = MoneyE6(CASH - 2_000_000)
    lagging = Account(paid, (), fills=(bought,))
    desk.reconciler.take(lagging)
    assert not desk.books.has_account
    assert not desk.permission.ready
    later = attrs.evolve(desk.held(500, paid), fills=())
    desk.reconciler.take(attrs.evolve(later, fills=(fill("t0", client_order_id=None),)))
    assert not desk.books.has_account
    desk.reconciler.take(later)

    assert desk.permission.ready
    assert desk.books.ledger.position(NYY).count_e2 == 500
    assert desk.again == [ReadAccount()]


async def test_readings_that_come_at_once_are_one(autojump_clock: object, desk: Desk) -> None:
    """Two readings within two seconds prove nothing, however many there are."""
    desk.reconciler.take(EMPTY)
    differing = attrs.evolve(EMPTY, cash_e6=MoneyE6(CASH + 1))
    for _ in range(5):
        desk.reconciler.take(differing)
    assert desk.permission.unreconciled is None
    assert desk.again == [ReadAccount(with_moves=True)]
    await trio.sleep(DIFFERENCE_REPEATED_S)
    desk.reconciler.take(differing)

    assert desk.permission.unreconciled is not None


async def test_a_fill_between_begins_the_time_anew_until_it_is_too_long(
    autojump_clock: object, desk: Desk
) -> None:
    """With fills all the time a difference is still moving, but not for ever."""
    desk.reconciler.take(EMPTY)
    counted_s = None
    for number in range(40):
        filled = fill(f"t{number}", client_order_id=None, count_e2=CountE2(1))
        desk.books.book(filled)
        desk.reconciler.take(attrs.evolve(EMPTY, cash_e6=MoneyE6(CASH + 1)))
        desk.reconciler.read_again_done()
        if desk.permission.unreconciled is not None and counted_s is None:
            counted_s = number
        await trio.sleep(1)

    assert counted_s == DIFFERENCE_MOVING_MAX_S


async def test_a_settlement_waits_for_the_fill_that_is_missing(
    autojump_clock: object, desk: Desk
) -> None:
    """Against another count it is not booked; when the fill is there, it is."""
    desk.reconciler.take(EMPTY)
    desk.books.book(fill("t1", client_order_id=None, count_e2=CountE2(300)))
    end = settlement(500, 10_000)
    paid = Account(MoneyE6(CASH + 2_500_000), (), settlements=(end,))
    desk.reconciler.take(paid)
    assert desk.reconciler.differs
    desk.books.book(fill("t2", client_order_id=None, count_e2=CountE2(200)))
    desk.reconciler.take(paid)

    assert not desk.reconciler.differs
    assert desk.settled == [NYY]
    assert f"{NYY} settled: 5 at 100c paid $5.00, gain $2.50 before fees" in desk.lines


@pytest.mark.parametrize(
    "changes, words",
    [
        ({}, None),
        ({"revenue_e6": 4_990_000}, "count times value is $5.00, Kalshi says $4.99"),
        ({"fee_e6": 5}, "its fees are $0.00 here, $0.000005 there"),
    ],
)
async def test_what_the_exchange_repeats_is_compared_and_not_booked(
    changes: dict[str, Any], words: str | None, autojump_clock: object, desk: Desk
) -> None:
    """Its own sum and its own fees are held against ours; a difference is said."""
    desk.reconciler.take(EMPTY)
    desk.books.book(fill("t1", client_order_id=None, count_e2=CountE2(500)))
    end = settlement(500, 10_000, **changes)
    desk.reconciler.take(Account(MoneyE6(CASH + 2_500_000), (), settlements=(end,)))

    assert not desk.reconciler.differs
    assert any(words in line for line in desk.lines) if words else "Kalshi" not in desk.lines[-1]


async def test_a_move_of_money_is_looked_for_when_cash_differs(
    autojump_clock: object, desk: Desk
) -> None:
    """The second reading brings the list, and what is on it is booked before it can count."""
    desk.reconciler.take(EMPTY)
    richer = attrs.evolve(EMPTY, cash_e6=MoneyE6(CASH + 5_000_000))
    desk.reconciler.take(richer)
    assert desk.again == [ReadAccount(with_moves=True)]
    await trio.sleep(DIFFERENCE_REPEATED_S)
    deposit = CashMove("deposit 1", "deposit", MoneyE6(5_000_000), 9_000_000_000)
    desk.reconciler.take(attrs.evolve(richer, moves=(deposit,)))

    assert desk.permission.unreconciled is None
    assert "deposit of $5.00 booked" in desk.lines
    desk.reconciler.take(richer)
    assert not desk.reconciler.differs


async def test_what_counts_has_a_day_read_again_now_and_then(
    autojump_clock: object, desk: Desk
) -> None:
    """At once and every half minute; never from before the account that was last accepted."""
    desk.reconciler.take(EMPTY)
    adopted_ms = desk.books.ledger.adopted_ms
    less = attrs.evolve(EMPTY, cash_e6=MoneyE6(CASH - 1))
    since_ms: list[int | None] = []
    for _ in range(20):
        desk.reconciler.take(less)
        since_ms.append(desk.again[-1].since_ms)
        desk.reconciler.read_again_done()
        await trio.sleep(DIFFERENCE_REPEATED_S)
    assert since_ms == [None, adopted_ms, *[None] * 14, adopted_ms, *[None] * 3]

    await trio.sleep(LOOKED_BACK_MS / 1000)
    desk.reconciler.take(less)
    assert desk.again[-1].since_ms == desk.books._parts.clock.wall_ms() - LOOKED_BACK_MS
    desk.reconciler.read_again_done()
    assert desk.reconciler.accept("kim").done
    assert desk.again[-1].since_ms is None
    desk.reconciler.read_again_done()
    for _ in range(2):
        desk.reconciler.take(EMPTY)
        desk.reconciler.read_again_done()
        await trio.sleep(DIFFERENCE_REPEATED_S)
    assert desk.again[-1].since_ms == desk.books.ledger.adopted_ms > adopted_ms


async def test_accepting_takes_orders_too(autojump_clock: object) -> None:
    """What rests there is all that may still fill, and what has ended waits for nothing."""
    intents = [(RecordKind.INTENT, intent_data(name, ENTRY)) for name in ("a-1", "a-2", "a-3")]
    reports: list[OrderEvent] = [accepted("a-1"), accepted("a-2"), closed("a-2", filled=200)]
    journal = [
        (RecordKind.ACCOUNT, {"cash_e6": CASH, "positions": [], "trade_ids": []}),
        *intents,
        *((RecordKind.REPORT, report_data(each)) for each in reports),
    ]
    desk = open_desk(*journal)
    await trio.sleep(5)
    there = RestingOrder("a-1", "x-a-1", NYY, ENTRY.side, ENTRY.price_e4, CountE2(300))
    account = desk.held(400, CASH - 2_000_000, resting=(there,))
    desk.reconciler.take(account)
    await trio.sleep(DIFFERENCE_REPEATED_S)
    desk.reconciler.take(account)
    assert "order a-1 rests with 3 at Kalshi, 5 here" in (desk.permission.unreconciled or "")
    assert desk.reconciler.accept("kim").done

    ledger = desk.books.ledger
    assert {o.client_order_id: o.at_stake_e2 for o in ledger.all_at_stake()} == {
        "a-1": 300,
        "a-3": 500,
    }
    assert ledger.orders["a-3"].state is OrderState.PENDING
    desk.reconciler.take(account)
    assert not desk.reconciler.differs
    assert desk.permission.unreconciled is None


async def test_accepting_tells_what_is_at_work_and_what_was(autojump_clock: object) -> None:
    """What was sold long ago is not put back on the board; what is flat only now is told."""
    trades = (
        fill("t1", ticker="LONG AGO", client_order_id=None),
        fill("t2", ticker="LONG AGO", client_order_id=None, side=ENTRY.side.other),
        fill("t3", ticker="GONE", client_order_id=None),
    )
    desk = open_desk(
        (RecordKind.ACCOUNT, {"cash_e6": CASH, "positions": [], "trade_ids": []}),
        *((RecordKind.FILL, fill_data(each)) for each in trades),
    )
    account = desk.held(400, CASH)
    desk.reconciler.take(account)
    await trio.sleep(DIFFERENCE_REPEATED_S)
    desk.reconciler.take(account)
    assert desk.reconciler.accept("kim").done

    assert desk.settled == ["GONE", NYY]


async def test_distrust_keeps_a_difference_that_is_known(
    autojump_clock: object, desk: Desk
) -> None:
    """What is already counted says more than that a connection was down."""
    desk.reconciler.take(EMPTY)
    desk.reconciler.distrust("Kalshi orders was down")
    assert desk.permission.unreconciled == (
        "the account is to be compared again: Kalshi orders was down"
    )
    desk.permission.unreconciled = "cash differs"
    desk.reconciler.distrust("Kalshi orders was down")

    assert desk.permission.unreconciled == "cash differs"
