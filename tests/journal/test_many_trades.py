"""An account that is adopted with more trades than one record can hold."""

# flake8: noqa: ASYNC124 - a clock needs a running loop, whether anything waits or not

from __future__ import annotations

import attrs

from arb.core.adoption import AdoptedAccount
from arb.engine.bookkeeping import Bookkeeper
from arb.journal.records import TRADE_IDS_MAX, RecordKind
from arb.journal.writer import Journal, MemoryFile
from tests.core.order_factory import CASH
from tests.engine.market_bench import bench_parts

# As many as a busy program trades in eight days; the exchange's ids are UUIDs.
TRADES = tuple(f"{number:08x}-0000-4000-8000-000000000000" for number in range(27_000))
ACCOUNT = AdoptedAccount(CASH, (), TRADES, by="kim", differed="cash")


async def test_an_account_with_very_many_trades_is_written_and_read(autojump_clock: object) -> None:
    """Its halt at every start would have no end: the trades are there for eight days."""
    parts, file = bench_parts(), MemoryFile()
    parts.journal = Journal(file, parts.clock)
    books = Bookkeeper(parts)
    books.adopt(ACCOUNT)

    assert books.journal_failure is None
    kinds = [each.kind for each in parts.journal.each() if each.kind is not RecordKind.DAY]
    assert kinds == [RecordKind.TRADES, RecordKind.TRADES, RecordKind.ACCOUNT]
    recovered = Journal(file, parts.clock).recover()
    assert recovered.has_account
    assert recovered.ledger.trade_ids == books.ledger.trade_ids == set(TRADES)
    assert recovered.ledger.cash_e6 == CASH


async def test_what_ends_between_the_records_has_no_account_yet(autojump_clock: object) -> None:
    """The next start reads the account anew; what is known of its trades is true all the same."""
    parts = bench_parts()
    Bookkeeper(parts).adopt(ACCOUNT)
    cut = bench_parts()
    first = next(iter(parts.journal.each()))
    cut.journal.append(first.kind, first.data)
    books = Bookkeeper(cut)

    assert not books.has_account
    assert len(books.ledger.trade_ids) == TRADE_IDS_MAX
    books.adopt(ACCOUNT)
    assert books.ledger.trade_ids == set(TRADES)


async def test_an_account_with_as_many_trades_as_fit_is_one_record(autojump_clock: object) -> None:
    """As every journal before was written."""
    parts = bench_parts()
    few = attrs.evolve(ACCOUNT, trade_ids=TRADES[:TRADE_IDS_MAX])
    Bookkeeper(parts).adopt(few)

    (record,) = (each for each in parts.journal.each() if each.kind is not RecordKind.DAY)
    assert (record.kind, len(record.data["trade_ids"])) == (RecordKind.ACCOUNT, TRADE_IDS_MAX)
