"""From an entry to its sale, judged by the exchange's own ledger."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import attrs
import pytest
import trio

from arb.core.commands import Purpose
from arb.journal.records import RecordKind, read_intent
from arb.sim.exchange.account import Account, Position
from arb.sim.exchange.values import BookSide, Change, Fill, LevelChange, Lifetime, Order, Trade
from tests.engine.conftest import MAKER_ONLY, SLOW_MAKER

OpenRig = Callable[..., Any]


def rests_as_entry(order: Order) -> bool:
    """Tell an entry from an exit, on either side: entries alone are in an order group."""
    return order.request.group_id is not None


@attrs.define
class Watch:
    """Looks at our account at every change, and notes what must never be."""

    account: Account
    oversold: list[str] = attrs.field(factory=list)
    twice: list[str] = attrs.field(factory=list)
    sales_most: int = 0

    def order_changed(self, order: Order) -> None:
        """Compare what is on sale with what is held, and count the entries of a game."""
        if order.account != self.account.name:
            return
        resting = list(self.account.resting.values())
        exits = [o for o in resting if not rests_as_entry(o)]
        self.sales_most = max(self.sales_most, len(exits))
        for ticker in {sale.ticker for sale in exits}:
            on_sale_e2 = sum(sale.remaining_e2 for sale in exits if sale.ticker == ticker)
            if on_sale_e2 > abs(self.account.position(ticker).count_e2):
                self.oversold.append(f"{on_sale_e2} of {ticker}")
        games = [o.ticker.rpartition("-")[0] for o in resting if rests_as_entry(o)]
        self.twice.extend(game for game in set(games) if games.count(game) > 1)

    def level_changed(self, change: LevelChange) -> None:
        """Nothing to see."""

    def traded(self, trade: Trade) -> None:
        """Nothing to see."""

    def filled(self, fill: Fill) -> None:
        """Nothing to see."""

    def position_changed(self, account: str, position: Position) -> None:
        """Nothing to see."""

    def group_changed(self, event: object) -> None:
        """Look away."""

    def event_fee_changed(self, event: object) -> None:
        """Look away."""

    def market_changed(self, event: object) -> None:
        """Nothing to see."""


@pytest.mark.parametrize("seed", [1, 5, 9])
async def test_what_is_bought_is_on_sale_in_the_same_millisecond(
    seed: int, open_rig: OpenRig, autojump_clock: object
) -> None:
    """Each purchase is followed within a millisecond by its sale, and none sells more than held."""
    async with open_rig(seed=seed) as rig:
        watch = Watch(rig.account)
        rig.simulation.venue.listeners.append(watch)
        await rig.until(lambda: len(rig.account.fills) >= 6)
        await trio.sleep(5)

        for fill in rig.account.fills:
            entry = rig.account.order(fill.order_id)
            if entry is None or not rests_as_entry(entry):
                continue
            closing = BookSide.ASK if fill.side is BookSide.BID else BookSide.BID
            at_once = [
                sale
                for sale in rig.exits(fill.ticker)
                if sale.side is closing and 0 <= sale.created_ms - fill.at_ms <= 1
            ]
            assert at_once, f"{fill} is not on sale"
        assert watch.sales_most >= 1
        assert watch.oversold == []
        assert watch.twice == []
        rig.assert_books_equal()


async def test_sales_stand_at_fair_value_rounded_up(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Each exit was sent at the fair value of its intent: sales rounded up, purchases down."""
    async with open_rig() as rig:
        await rig.until(lambda: rig.board.counts["exits"] >= 3)
        sent = [read_intent(r.data) for r in rig.parts.journal.records() if r.kind == "intent"]

        sales = [(name, i) for name, i in sent if i.purpose is Purpose.EXIT and i.post_only]
        by_name = {order.client_order_id: order for order in rig.orders()}
        assert len(sales) >= 3
        for name, intent in sales:
            sold = intent.side.value == BookSide.ASK.value
            cents = (
                math.ceil(intent.fair * 100 - 1e-6)
                if sold
                else math.floor(intent.fair * 100 + 1e-6)
            )
            assert intent.price_e4 == cents * 100
            assert by_name[name].request.price_e4 == intent.price_e4
            assert by_name[name].expires_s is not None


@pytest.mark.parametrize("seed", [1, 2])
async def test_sales_follow_fair_value(
    seed: int, open_rig: OpenRig, autojump_clock: object
) -> None:
    """When the books move on, what rests is moved to the new fair value, in its place.

    With the first seed some of them are outliers to the others while they do.
    """
    async with open_rig(seed=seed) as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        (sale, *_) = rig.resting_exits()
        first_e4 = sale.price_e4
        fixture = next(
            f
            for f in rig.simulation.world.fixtures.values()
            if sale.ticker in (f.game.home_ticker, f.game.away_ticker)
        )
        up = 0.93 if sale.ticker == fixture.game.home_ticker else 0.07
        rig.simulation.world.jump(fixture.game.game_id, up)

        def stands_at_fair() -> bool:
            fair = rig.board.markets[sale.ticker].fair
            return fair is not None and sale.price_e4 == math.ceil(fair * 100 - 1e-6) * 100

        await rig.until(lambda: sale.price_e4 > first_e4 + 500, 20)
        await rig.until(stands_at_fair, 20)
        assert sale.change is Change.AMEND
        rig.assert_no_orphan()


async def test_makers_rest_with_an_expiry_and_go_in_time(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A resting buy carries an expiry, and is cancelled after half a second unless it fills."""
    async with open_rig(settings=MAKER_ONLY) as rig:
        watch = Watch(rig.account)
        rig.simulation.venue.listeners.append(watch)
        await rig.until(lambda: len(rig.entries()) >= 6)
        await trio.sleep(1)

        entries = rig.entries()
        assert all(e.request.lifetime is Lifetime.GOOD_TILL_CANCELED for e in entries)
        assert all(e.request.post_only for e in entries)
        assert all(10 <= e.expires_s - e.created_ms // 1000 <= 15 for e in entries)
        gone = [e for e in entries if e.change is Change.CANCEL]
        assert len(gone) >= 3
        assert all(e.updated_ms - e.created_ms <= 510 for e in gone)
        assert watch.twice == []


async def test_makers_are_filled_piece_by_piece(open_rig: OpenRig, autojump_clock: object) -> None:
    """A buy that fills in several pieces is sold in as many, and every piece is counted once."""
    async with open_rig(seed=1, games=4, settings=SLOW_MAKER) as rig:
        watch = Watch(rig.account)
        rig.simulation.venue.listeners.append(watch)
        await trio.sleep(90)

        assert len(rig.account.fills) >= 2
        assert watch.oversold == []
        rig.assert_books_equal()
        rig.assert_no_orphan()


async def test_every_order_was_written_before_it_was_sent(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """The journal holds an intent for every order that the exchange has ever seen."""
    async with open_rig() as rig:
        await rig.until(lambda: len(rig.orders()) >= 8)

        records = rig.parts.journal.records()
        names = [r.data["id"] for r in records if r.kind is RecordKind.INTENT]
        assert {o.client_order_id for o in rig.orders()} <= set(names)
        assert len(names) == len(set(names))
