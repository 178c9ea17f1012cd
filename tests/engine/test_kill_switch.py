"""The kill switch of a running engine: by id, by group, and again until nothing rests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from arb.sim.conditions import OrderAnswer
from arb.sim.exchange.order_book import OrderBook
from arb.sim.exchange.placing import place
from arb.sim.exchange.values import BookSide, Lifetime, OrderRequest, OrderStatus
from tests.engine.conftest import SLOW_MAKER, Rig

OpenRig = Callable[..., Any]


def triggered(rig: Rig) -> list[bool]:
    """Tell of each order group at the exchange whether it is triggered."""
    return [group.triggered for group in rig.simulation.venue.groups.values()]


def forbid_cancels(rig: Rig, forbidden: bool) -> None:
    """Pause the whole exchange, or end that, and leave what rests of ours on the book."""
    venue = rig.simulation.venue
    venue.trading_active = venue.exchange_active = not forbidden


async def rests_an_entry(rig: Rig) -> None:
    """Wait until a purchase of ours rests."""
    await rig.until(lambda: bool(rig.resting_entries()))


async def test_a_halt_cancels_by_id_and_pulls_the_exchanges_brake(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Both ways, each alone would do; a clear lets the groups take orders again."""
    async with open_rig(settings=SLOW_MAKER) as rig:
        await rests_an_entry(rig)
        await rig.steering.steer("halt", {"reason": "a test"})
        await trio.sleep(0.3)
        assert rig.resting_entries() == []
        assert triggered(rig)
        assert all(triggered(rig))
        await rig.steering.steer("clear", {"reason": "done"})
        await rig.until(lambda: not any(triggered(rig)), 10)
        await rests_an_entry(rig)
        rig.assert_books_equal()


async def test_the_group_alone_takes_entries_away_where_no_cancel_gets_through(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Cancels by id are lost on their way: the entries are gone all the same."""
    async with open_rig(settings=SLOW_MAKER) as rig:
        await rests_an_entry(rig)
        rig.simulation.exchange_conditions.cancel_answer = OrderAnswer.TIMEOUT_BEFORE
        await rig.steering.steer("halt", {"reason": "a test"})
        await rig.until(lambda: not rig.resting_entries(), 0.5)
        rig.heal()
        await trio.sleep(10)
        rig.assert_no_orphan()


async def test_a_halt_keeps_trying_while_the_exchange_forbids_cancels(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """The whole exchange is paused: what rests goes within seconds of its end, by itself."""
    async with open_rig(settings=SLOW_MAKER) as rig:
        await rests_an_entry(rig)
        (entry, *_) = rig.resting_entries()
        entry.expires_s = None
        rig.simulation.venue.expiring.clear()
        forbid_cancels(rig, True)
        await rig.steering.steer("halt", {"reason": "a test", "exits": "cancel"})
        await trio.sleep(20)
        assert entry in rig.resting()
        assert not any(triggered(rig))

        forbid_cancels(rig, False)
        await rig.until(lambda: not rig.resting(), 3)
        await rig.until(lambda: all(triggered(rig)), 3)
        rig.assert_no_orphan()


@pytest.mark.parametrize("name", ["gateway", "risk"])
async def test_a_halt_goes_on_after_a_restart_of_whoever_cancels(
    name: str, open_rig: OpenRig, autojump_clock: object
) -> None:
    """A gateway that comes up while halted cancels and triggers what its forerunner could not."""
    async with open_rig(settings=SLOW_MAKER) as rig:
        await rests_an_entry(rig)
        forbid_cancels(rig, True)
        await rig.steering.steer("halt", {"reason": "a test"})
        await trio.sleep(0.2)
        await rig.system.kill(name)
        forbid_cancels(rig, False)
        await rig.until(lambda: not rig.resting_entries(), 6)
        await rig.until(lambda: all(triggered(rig)), 6)
        assert rig.state == "halted"


async def test_a_pause_keeps_trying_too(open_rig: OpenRig, autojump_clock: object) -> None:
    """Cancels that a pause has sent and the exchange refused are sent again; groups stay."""
    async with open_rig(settings=SLOW_MAKER) as rig:
        await rests_an_entry(rig)
        (entry, *_) = rig.resting_entries()
        await rig.system.quarantine(entry.ticker)
        entry.expires_s = None
        rig.simulation.venue.expiring.clear()
        rig.simulation.exchange_conditions.cancel_answer = OrderAnswer.REFUSE
        await rig.steering.steer("pause", {})
        await trio.sleep(5)
        assert entry in rig.resting()
        rig.heal()
        await rig.until(lambda: entry not in rig.resting(), 3)
        assert not any(triggered(rig))


def best_bid_e4(book: OrderBook) -> int:
    """Return the best bid, which every book has here."""
    best_e4 = book.best_e4(BookSide.BID)
    assert best_e4 is not None
    return best_e4


async def test_a_sale_that_takes_goes_round_what_a_person_bids_by_hand(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """The best bid is a person's own, a tick over the others: a close does not take it away."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        (sale, *_) = rig.resting_exits()
        book = rig.simulation.venue.markets[sale.ticker].book
        await rig.until(lambda: not book.crosses(BookSide.BID, best_bid_e4(book) + 100))
        bid_e4 = best_bid_e4(book) + 100
        by_hand = OrderRequest(
            sale.ticker, BookSide.BID, 300, bid_e4, client_order_id="my-own-hand"
        )
        placed = place(rig.simulation.venue, rig.account, by_hand)
        await rig.steering.steer("force_close", {"ticker": sale.ticker})
        await trio.sleep(3)

        takes = Lifetime.IMMEDIATE_OR_CANCEL
        assert any(order.request.lifetime is takes for order in rig.exits(sale.ticker))
        assert placed.order.status is not OrderStatus.CANCELED


async def test_what_a_person_rests_by_hand_is_left_alone(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A halt that takes everything of ours, and a flatten: the order by hand rests through both."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        ticker = rig.resting_exits()[0].ticker
        placed = place(
            rig.simulation.venue,
            rig.account,
            OrderRequest(ticker, BookSide.BID, 300, 100, client_order_id="by-my-own-hand"),
        )
        await rig.steering.steer("halt", {"reason": "a test", "exits": "cancel"})
        await trio.sleep(40)
        assert rig.resting() == [placed.order]
        (shown,) = rig.steering.snapshot()["orders_by_hand"]
        assert shown["order_id"] == placed.order.order_id
        await rig.steering.steer("clear", {"reason": "looked"})
        await rig.steering.steer("flatten", {})
        await trio.sleep(40)
        assert placed.order in rig.resting()
