"""Readings that prove something, and orders of ours that nobody here knows."""

# flake8: noqa: ASYNC124 - a clock needs a running loop, whether anything waits or not

from __future__ import annotations

import attrs
import pytest
import trio

from arb.core.commands import CancelOrder
from arb.core.events import OrderAmended, OrderEvent, OrderRefused, Side
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.engine.account_reading import Account, RestingOrder
from arb.engine.differing import DIFFERENCE_REPEATED_S
from arb.engine.messages import ReadAccount
from arb.io.clock import NS_PER_S
from tests.core.order_factory import CASH, NYY, accepted, closed
from tests.engine.test_reconciler import EMPTY, Desk, open_desk


@pytest.fixture
async def desk(autojump_clock: object) -> Desk:
    """Open books that agree with an account of a thousand dollars."""
    return open_desk()


async def test_distrust_outlives_a_reading_that_cannot_know(
    autojump_clock: object, desk: Desk
) -> None:
    """One that was under way shows the time before; the next is asked for as soon as it may."""
    desk.reconciler.take(EMPTY)
    await trio.sleep(5)
    desk.reconciler.distrust("Kalshi orders was down")
    desk.reconciler.take(attrs.evolve(EMPTY, as_of_ns=4 * NS_PER_S))
    assert desk.permission.unreconciled is not None
    assert desk.again == [ReadAccount()]
    desk.reconciler.read_again_done()
    desk.reconciler.take(attrs.evolve(EMPTY, as_of_ns=5 * NS_PER_S))
    assert desk.permission.unreconciled is None


@pytest.mark.parametrize(
    "event, canceled",
    [
        (accepted("lost"), True),
        (OrderAmended("lost", PriceE4(4_000), CountE2(500)), False),
        (accepted("lost", remaining=0), None),
        (OrderRefused("lost", "never taken", "no such order"), None),
        (closed("lost", 0), None),
    ],
)
async def test_an_order_that_nobody_knows_is_cancelled_at_once(
    event: OrderEvent, canceled: bool | None, autojump_clock: object, desk: Desk
) -> None:
    """Its record was lost: nothing is begun or sold before it is known to be gone."""
    desk.reconciler.take(attrs.evolve(EMPTY, resting=()))
    assert desk.books._parts.switches.resting_known
    await trio.sleep(5)
    desk.reconciler.hear_of_stranger(event)
    cancels = [each for each in desk.sent if isinstance(each, CancelOrder)]
    assert len(cancels) == int(canceled is True)
    assert (desk.permission.unreconciled is None) == (canceled is None)
    assert desk.books._parts.switches.resting_known == (canceled is None)
    before = attrs.evolve(EMPTY, resting=(), as_of_ns=4 * NS_PER_S)
    desk.reconciler.take(before)
    assert desk.books._parts.switches.resting_known == (canceled is None)
    desk.reconciler.take(attrs.evolve(before, as_of_ns=6 * NS_PER_S))
    assert desk.books._parts.switches.resting_known
    assert desk.permission.unreconciled is None


async def test_a_listed_order_that_nobody_knows_stops_entries_at_once(
    autojump_clock: object, desk: Desk
) -> None:
    """No limit counts it: what differs need not be there for two seconds first."""
    desk.reconciler.take(attrs.evolve(EMPTY, resting=()))
    lost = RestingOrder("lost", "x-lost", NYY, Side.BID, PriceE4(4_000), CountE2(500))
    desk.reconciler.take(attrs.evolve(EMPTY, resting=(lost,)))
    assert desk.permission.unreconciled == "nobody here knows order lost"
    assert not desk.books._parts.switches.resting_known
    desk.reconciler.take(attrs.evolve(EMPTY, resting=()))
    assert desk.permission.unreconciled is None


async def test_a_fill_before_there_is_an_account_begins_its_readings_anew(
    autojump_clock: object, desk: Desk
) -> None:
    """Both of two equal readings may be of before it."""
    desk.reconciler.take(attrs.evolve(EMPTY, as_of_ns=0))
    await trio.sleep(1)
    desk.reconciler.filled_before()
    desk.reconciler.take(attrs.evolve(EMPTY, as_of_ns=NS_PER_S))
    assert not desk.books.has_account
    desk.reconciler.take(attrs.evolve(EMPTY, as_of_ns=NS_PER_S))
    assert desk.books.has_account


async def test_nobody_accepts_a_reading_of_before_an_order_that_nobody_knows(
    autojump_clock: object, desk: Desk
) -> None:
    """A person's word would end the distrust while that order may still rest."""
    desk.reconciler.take(EMPTY)
    less = Account(MoneyE6(CASH - 1_000_000), (), as_of_ns=4 * NS_PER_S)
    await trio.sleep(5)
    desk.reconciler.take(less)
    await trio.sleep(DIFFERENCE_REPEATED_S)
    desk.reconciler.hear_of_stranger(accepted("lost"))
    desk.reconciler.take(less)
    said = desk.reconciler.accept("kim")
    assert not said.done
    assert "too old to be sure" in said.text
    desk.reconciler.take(attrs.evolve(less, as_of_ns=8 * NS_PER_S))
    assert desk.reconciler.accept("kim").done


async def test_sales_go_on_at_once_when_it_is_known_what_rests(
    autojump_clock: object, desk: Desk
) -> None:
    """Their pauses have grown meanwhile."""
    desk.reconciler.take(attrs.evolve(EMPTY, resting=()))
    assert len(desk.sold_again) == 1
    desk.reconciler.take(attrs.evolve(EMPTY, resting=()))
    assert len(desk.sold_again) == 1
