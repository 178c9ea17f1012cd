"""The first readings of an account, until one may be adopted."""

from __future__ import annotations

from typing import Any

import attrs

from arb.core.money import CountE2, MoneyE6
from arb.engine.account_reading import Account, HeldPosition
from arb.engine.first_readings import FirstReadings
from tests.core.order_factory import CASH, NYY, fill

S = 1_000_000_000


def reading(count: int = 0, cash: int = CASH, as_of_ns: int | None = 0, **more: Any) -> Account:
    """Make a reading that is complete up to some moment."""
    held = HeldPosition(NYY, CountE2(count), MoneyE6(0), MoneyE6(0))
    return Account(MoneyE6(cash), (held,) if count else (), as_of_ns=as_of_ns, **more)


def test_two_that_say_the_same_are_believed_once_the_second_is_past_the_first() -> None:
    """What happened while the first was read would be missing from both."""
    first = FirstReadings()
    assert first.take(reading(as_of_ns=4 * S), 5 * S) is None
    assert first.awaited_ns == 5 * S
    assert first.take(reading(as_of_ns=5 * S - 1), 6 * S) is None
    assert first.awaited_ns == 5 * S

    taken = first.take(reading(as_of_ns=5 * S), 6 * S)
    assert taken is not None
    assert (taken.cash_e6, taken.positions) == (CASH, ())


def test_another_reading_begins_anew() -> None:
    """Half a trade and the whole of it are not the same."""
    first = FirstReadings()
    assert first.take(reading(cash=CASH - 1), 1 * S) is None
    assert first.take(reading(500, CASH - 1, as_of_ns=2 * S), 3 * S) is None
    assert first.awaited_ns == 3 * S
    assert first.take(reading(500, CASH - 1, as_of_ns=4 * S), 4 * S) is not None


def test_a_fill_in_between_begins_anew() -> None:
    """Both readings may be of before it, and it is in neither."""
    first = FirstReadings()
    assert first.take(reading(), 1 * S) is None
    first.disturbed()
    assert first.take(reading(as_of_ns=2 * S), 2 * S) is None
    assert first.take(reading(as_of_ns=3 * S), 3 * S) is not None


def test_no_trade_that_any_of_them_listed_is_counted_again() -> None:
    """Later readings list fewer trades than the first."""
    first = FirstReadings()
    assert first.take(reading(fills=(fill("t1"),)), 1 * S) is None
    assert first.take(reading(500, fills=(fill("t2"), fill("t1"))), 2 * S) is None
    taken = first.take(reading(500, as_of_ns=3 * S, fills=(fill("t3"),)), 3 * S)
    assert taken is not None
    assert set(taken.trade_ids) == {"t1", "t2", "t3"}


def test_one_is_enough_where_nothing_lags_and_nothing_was_traded() -> None:
    """The paper exchange is this process: what it says is so."""
    whole = reading(as_of_ns=None)
    assert FirstReadings().take(whole, 1) is not None
    assert FirstReadings().take(attrs.evolve(whole, fills=(fill("t1"),)), 1) is None
