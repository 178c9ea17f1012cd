"""Trades and lots out of the journal: every unit of money is somewhere, and only once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from arb.core.events import Liquidity, Side
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.faults.core_history import rolled
from arb.journal.records import (
    Record,
    RecordKind,
    fill_data,
    intent_data,
    settlement_data,
)
from arb.journal.recovery import recover
from arb.journal.trades import ADOPTED, SETTLED, account_of
from tests.core.order_factory import CASH, ENTRY, NYY, fill, settlement
from tests.journal.journal_history import ACCOUNT, DEPOSIT_E6, JournalledHistory

NAME = "arb-i1-00000001"


def filled(trade: str, side: Side, price: int, count: int, fee: int = 0, **more: Any) -> Record:
    """Make the record of a fill."""
    made = fill(
        trade,
        side=side,
        price_e4=PriceE4(price),
        count_e2=CountE2(count),
        fee_e6=MoneyE6(fee),
        **more,
    )
    return Record(0, RecordKind.FILL, 7, fill_data(made))


def records(*those: Record) -> list[Record]:
    """Put records after an account of nothing but cash."""
    return [Record(1, RecordKind.ACCOUNT, 7, ACCOUNT), *those]


BOUGHT = filled("t1", Side.BID, 4_000, 300, 301)
BOUGHT_MORE = filled("t2", Side.BID, 5_000, 300, 300)
SOLD = filled("t3", Side.ASK, 6_000, 400, 401)


def test_each_fill_is_a_trade_with_what_stood_after() -> None:
    """A purchase gains its fee's loss, a sale what it made of it after its own fee."""
    account = account_of(records(BOUGHT, SOLD))
    bought, sold = account.trades

    assert (bought.gained_e6, bought.held_e2) == (-301, 300)
    assert bought.cash_e6 == CASH - 1_200_000 - 301
    # Three contracts of YES are sold at 20 cents more; the fourth opens NO.
    assert (sold.gained_e6, sold.held_e2) == (600_000 - 401, -100)
    assert (bought.what, bought.liquidity) == ("by hand", Liquidity.MAKER)
    assert account.realised_e6 == 600_000
    assert account.fees_e6 == 702


def test_lots_close_in_the_order_they_were_opened() -> None:
    """First in, first out; every part carries its share of both fees, to the last unit."""
    first, part, rest = account_of(records(BOUGHT, BOUGHT_MORE, SOLD)).lots

    assert (first.count_e2, first.cost_e6, first.proceeds_e6) == (300, 1_200_000, 1_800_000)
    assert first.fees_e6 == 301 + 401 * 3 // 4
    assert (part.count_e2, part.cost_e6, part.gained_e6) == (100, 500_000, 100_000 - 100 - 101)
    assert (rest.count_e2, rest.cost_e6, rest.fees_e6) == (200, 1_000_000, 200)
    assert (rest.how, rest.closed_ms, rest.gained_e6) == ("", None, None)
    assert first.fees_e6 + part.fees_e6 + rest.fees_e6 == 301 + 300 + 401


def test_selling_more_than_is_held_opens_the_other_side() -> None:
    """A contract of NO costs a dollar less what YES was sold for."""
    _, no = account_of(records(BOUGHT, SOLD)).lots

    assert (no.is_yes, no.count_e2, no.cost_e6) == (False, 100, 400_000)
    assert no.fees_e6 == 401 - 401 * 3 // 4


def test_a_settled_market_closes_its_lots() -> None:
    """Both sides are paid what they turned out to be worth, without a fee."""
    end = Record(0, RecordKind.SETTLEMENT, 7, settlement_data(settlement(300, 10_000)))
    won = account_of(records(BOUGHT, end, end))
    no_end = Record(0, RecordKind.SETTLEMENT, 7, settlement_data(settlement(-400, 10_000)))
    lost = account_of(records(SOLD, no_end))

    assert [trade.what for trade in won.trades] == ["by hand", SETTLED]
    assert won.lots[0].gained_e6 == 3_000_000 - 1_200_000 - 301
    assert won.held == ()
    assert lost.lots[0].gained_e6 == -1_600_000 - 401
    assert lost.lots[0].how == SETTLED


def test_a_fill_that_is_told_twice_is_one_trade() -> None:
    """What the ledger passes over is no trade."""
    assert len(account_of(records(BOUGHT, BOUGHT)).trades) == 1


def test_a_trade_names_its_order_and_purpose() -> None:
    """A fill of our own order is an entry or an exit."""
    intent = Record(0, RecordKind.INTENT, 7, intent_data(NAME, ENTRY))
    (trade,) = account_of(
        records(intent, filled("t1", Side.BID, 5_000, 100, client_order_id=NAME))
    ).trades

    assert (trade.what, trade.order, trade.trade_id) == ("entry", NAME, "t1")


def test_what_the_exchange_said_replaces_the_lots() -> None:
    """Another count than ours is one lot of unknown parts; the same count changes nothing."""
    held = {"ticker": NYY, "count_e2": 300, "cost_e6": 1_200_000}
    same = Record(0, RecordKind.ACCOUNT, 8, {**ACCOUNT, "positions": [held]})
    less = Record(0, RecordKind.ACCOUNT, 9, {**ACCOUNT, "positions": [{**held, "count_e2": 200}]})
    flat = Record(0, RecordKind.ACCOUNT, 10, ACCOUNT)

    assert account_of(records(BOUGHT, same)).lots == account_of(records(BOUGHT)).lots
    (adopted,) = account_of(records(BOUGHT, less)).lots
    assert (adopted.count_e2, adopted.origin, adopted.opened_ms) == (200, ADOPTED, 9)
    assert account_of(records(BOUGHT, flat)).lots == ()


@pytest.mark.parametrize("seed", range(12))
def test_lots_and_trades_say_what_the_ledger_says(seed: int) -> None:
    """In random histories: the same counts, the same fees, and the same gain once all is sold."""
    journalled = JournalledHistory()
    journalled.play(rolled(seed, 120))
    journalled.end()
    read = journalled.journal.records()
    ledger, account = recover(read).ledger, account_of(read)

    assert account.ledger == ledger
    assert all(lot.gained_e6 is not None for lot in account.lots)
    gains = _sum([lot.gained_e6 for lot in account.lots])
    assert gains == _sum([trade.gained_e6 for trade in account.trades])
    assert gains == account.realised_e6 - account.fees_e6
    assert _sum([lot.fees_e6 for lot in account.lots]) == account.fees_e6
    # All is sold, and the history ends with a deposit.
    assert ledger.cash_e6 == CASH + gains + DEPOSIT_E6


def _sum(amounts: Sequence[int | None]) -> int:
    return sum(amount or 0 for amount in amounts)
