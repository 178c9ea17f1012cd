"""What a year of markets costs an order and a fill: nothing, for only those that are held count."""

# flake8: noqa: ASYNC124 - a clock needs a running loop, whether anything waits or not

from __future__ import annotations

from arb.core.commands import OrderIntent
from arb.core.day import Mark
from arb.core.events import Side
from arb.core.permission import Permission
from arb.core.risk import Approvals
from arb.engine.bookkeeping import Bookkeeper
from arb.engine.guard import Guard
from arb.engine.paper_exchange import PaperExchange
from arb.engine.parts import Parts
from arb.journal.records import RecordKind, fill_data
from tests.core.order_factory import BOS, CASH, ENTRY, NYY, Unwalkable, accepted, fill
from tests.engine.market_bench import bench_parts

LONG_AGO = ("A", "B", "C")


def after_long() -> tuple[Parts, Bookkeeper]:
    """Open books in which some markets were traded long ago, and one is held."""
    parts = bench_parts()
    account = {"cash_e6": CASH, "positions": [], "trade_ids": []}
    parts.journal.append(RecordKind.ACCOUNT, account)
    for ticker in LONG_AGO:
        for side in Side:
            trade = fill(f"{ticker} {side}", client_order_id=None, ticker=ticker, side=side)
            parts.journal.append(RecordKind.FILL, fill_data(trade))
    parts.journal.append(RecordKind.FILL, fill_data(fill("t0", client_order_id=None, ticker=BOS)))
    return parts, Bookkeeper(parts)


async def test_neither_an_order_nor_a_fill_walks_through_all_positions(
    autojump_clock: object,
) -> None:
    """From the wish to what is shown after its fill, and each second's look at the day."""
    parts, books = after_long()
    permission = Permission(ready=True)
    guard = Guard(parts, books, permission, lambda _after_s, _look: None, lambda: None)
    books.ledger.positions = Unwalkable(books.ledger.positions)

    wish = books.fitted(ENTRY, parts.risk, permission)
    assert isinstance(wish, OrderIntent)
    order = books.open(Approvals("test").approve(wish, now_ns=0), wish)
    books.check(order, parts.risk.max_total_exposure_e6)
    name = order.client_order_id
    books.report(accepted(name))
    assert books.book(fill("t1", client_order_id=name, order_id=f"x-{name}"))
    books.publish(permission, parts.risk, parts.risk.max_total_exposure_e6)
    assert guard.look() is None
    books.day.look()

    assert books.invariants.violations == 0
    assert parts.board.account is not None
    assert [held.ticker for held in books.ledger.held()] == [BOS, NYY]


async def test_a_day_forgets_the_marks_of_what_was_sold(autojump_clock: object) -> None:
    """Only what is held has one, so that a day's record does not grow with the markets."""
    _, books = after_long()
    books.day._marks = dict.fromkeys((*LONG_AGO, BOS), Mark())
    books.day.look()

    assert set(books.day._marks) == {BOS}


async def test_a_paper_account_lists_what_it_holds(autojump_clock: object) -> None:
    """Every other second, and without a walk through what it ever held."""
    parts, books = after_long()
    books.ledger.positions = Unwalkable(books.ledger.positions)

    assert PaperExchange(books.ledger, parts.clock).at_work == (BOS,)
