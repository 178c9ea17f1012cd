"""Limits that refuse and limits that halt, in a whole engine: each one reached, and one less."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
import trio

from arb.core.parameters import Risk
from arb.core.risk import RefusalCode
from arb.engine.messages import Reduce
from arb.journal.records import RecordKind
from arb.journal.writer import MemoryFile
from arb.settings import Settings
from arb.sim.conditions import OrderAnswer
from arb.sim.exchange.placing import place
from arb.sim.exchange.values import BookSide, Change, OrderRequest
from tests.engine.conftest import SLOW_MAKER, Rig, new_world

OpenRig = Callable[..., Any]


def with_risk(**changes: int) -> Settings:
    """Return the usual settings with other limits."""
    return attrs.evolve(Settings(), risk=Risk(**changes))


def bought(rig: Rig) -> int:
    """Count the entries that ever reached the exchange."""
    return len(rig.entries())


def true_loss_e6(rig: Rig) -> int:
    """Return what the exchange has us lose so far, what is held at what it cost."""
    held = rig.account.positions.values()
    return sum(each.fees_e6 - each.realised_e6 for each in held)


async def test_a_days_loss_halts_and_no_restart_forgets_it(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """The first fee is a loss of a cent and more: entries end, sales stay, and it is latched."""
    file = MemoryFile()
    settings = with_risk(max_daily_loss_cents=1)
    async with open_rig(settings=settings, file=file) as rig:
        await rig.until(lambda: rig.state == "halted")
        assert "the daily loss limit" in rig.reasons
        assert "of $0.01" in rig.reasons
        account = rig.board.account
        assert account is not None
        assert account.day_e6 <= -10_000
        assert true_loss_e6(rig) > 0
        before = bought(rig)
        await trio.sleep(30)
        assert bought(rig) == before
        assert rig.on_sale_e2 == rig.held_e2
        await rig.system.kill("risk")
        await trio.sleep(5)
        assert rig.state == "halted"
        assert bought(rig) == before

    async with open_rig(settings=settings, file=file, seed=2) as rig:
        await rig.until(lambda: rig.state == "halted", 20)
        await trio.sleep(20)
        assert bought(rig) == 0


async def test_a_restart_leaves_the_day_as_it_was(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Before any book is there and after: what is held counts as it did, nothing gained or lost."""
    world, file = new_world(), MemoryFile()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.run)
        async with open_rig(file=file, simulation=world) as rig:
            await rig.until(lambda: bool(rig.held_e2))
            world.world.fixtures.clear()
            await trio.sleep(70)
            before = rig.risk._books.day
            assert before.gained_e6 < -true_loss_e6(rig), "some of it is lost by marks alone"
        async with open_rig(file=file, simulation=world) as rig:
            day = rig.risk._books.day
            day.look()
            assert all(row.bid_e4 is None for row in rig.board.markets.values())
            assert (day.gained_e6, day.lost_e6) == (before.gained_e6, before.lost_e6)
            await rig.until_running()
            await trio.sleep(2)
            assert (day.gained_e6, day.lost_e6) == (before.gained_e6, before.lost_e6)
        nursery.cancel_scope.cancel()


async def test_what_is_held_is_marked_while_its_market_is_away(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Nobody pays for it any more while it is in quarantine: that is lost, shown, and halts."""
    async with open_rig(settings=with_risk(max_daily_loss_cents=100)) as rig:
        await rig.until(lambda: bool(rig.held_e2))
        rig.simulation.world.fixtures.clear()
        (ticker,) = rig.held_e2
        await rig.system.quarantine(ticker)
        await trio.sleep(2)
        assert rig.state == "running"
        left_e4 = lose_all_worth(rig, ticker)
        await trio.sleep(2)

        assert rig.state == "halted"
        assert "the daily loss limit" in rig.reasons
        picture = rig.steering.snapshot()
        account, (position,) = picture["account"], picture["positions"]
        held_e2, day = position["count_e2"], rig.risk._books.day
        worth_e4 = left_e4 if held_e2 > 0 else 10_000 - left_e4
        assert position["unrealised_e6"] == (worth_e4 - position["entry_e4"]) * abs(held_e2)
        assert account["day_e6"] == day.gained_e6 < -1_000_000
        gained_e6 = account["realised_e6"] + account["unrealised_e6"]
        assert gained_e6 == day.gained_e6 + day.before_e6
        row = next(each for each in picture["markets"] if each["ticker"] == ticker)
        assert row["bid_e4" if held_e2 > 0 else "ask_e4"] == left_e4


def lose_all_worth(rig: Rig, ticker: str) -> int:
    """Leave one who closes our position in a market for next to nothing, and return his price."""
    side, price_e4 = (BookSide.BID, 100) if rig.held_e2[ticker] > 0 else (BookSide.ASK, 9_900)
    venue = rig.simulation.venue
    for standing in list(venue.markets[ticker].book.orders()):
        if standing.side is side:
            venue.take_off_book(standing, Change.CANCEL)
    wish = OrderRequest(ticker, side, 1_000, price_e4)
    place(venue, venue.accounts["crowd"], wish)
    return price_e4


async def test_who_clears_a_days_loss_allows_as_much_again(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Trading goes on until the next cent is lost, and the new beginning is in the journal."""
    async with open_rig(settings=with_risk(max_daily_loss_cents=1)) as rig:
        await rig.until(lambda: rig.state == "halted")
        await rig.steering.steer("clear", {"reason": "a test"})
        assert rig.state != "halted"
        # What was just bought gives more than a cent away at what the book pays.
        (ticker,) = rig.held_e2
        lost_e6 = true_loss_e6(rig)
        await rig.steering.steer("force_close", {"ticker": ticker})
        await rig.until(lambda: rig.state == "halted", 20)
        assert "the daily loss limit" in rig.reasons
        assert true_loss_e6(rig) >= lost_e6 + 10_000
        days = [r for r in rig.parts.journal.records() if r.kind is RecordKind.DAY]
        assert len({each.data["date"] for each in days}) == 1
        assert len(days) >= 2


async def test_a_loss_below_the_limit_trades_on(open_rig: OpenRig, autojump_clock: object) -> None:
    """With the usual limit a minute of small losses halts nothing, and what is shown is true."""
    async with open_rig() as rig:
        await trio.sleep(60)
        assert rig.state == "running"
        await rig.until(lambda: bool(rig.board.counts["fills"]))
        await trio.sleep(2)
        account = rig.board.account
        assert account is not None
        assert account.day_loss_max_e6 == 100_000_000
        assert rig.risk._books.day.gained_e6 == account.day_e6


@pytest.mark.parametrize("most", [1, 3])
async def test_refusals_in_a_row_halt(most: int, open_rig: OpenRig, autojump_clock: object) -> None:
    """The last one that is allowed halts, not one before it; sales are not counted."""
    async with open_rig(settings=with_risk(max_consecutive_refusals=most)) as rig:
        await rig.until_running()
        conditions = rig.simulation.exchange_conditions
        conditions.order_answer = OrderAnswer.REFUSE
        conditions.refusal = (400, "invalid_order")
        await rig.until(lambda: rig.state == "halted")
        assert f"has refused {most} entries one after the other" in rig.reasons
        refused = [o for o in rig.risk._books.ledger.orders.values() if o.state == "refused"]
        assert sum(order.is_entry for order in refused) == most

        rig.heal()
        await rig.steering.steer("clear", {"reason": "mended"})
        await rig.until(lambda: bought(rig) > 0)
        assert rig.parts.brakes.refused_in_a_row == 0


async def test_an_exchange_at_rest_halts_nothing(open_rig: OpenRig, autojump_clock: object) -> None:
    """Refused because trading is paused there: that passes, however often it is said."""
    async with open_rig(settings=with_risk(max_consecutive_refusals=1)) as rig:
        await rig.until_running()
        rig.simulation.exchange_conditions.order_answer = OrderAnswer.REFUSE
        await rig.until(lambda: rig.board.refusals["exchange: trading_is_paused"] >= 2)

        assert rig.parts.brakes.refused_in_a_row == 0
        assert rig.parts.brakes._sent_ns
        assert rig.state != "halted"


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"max_game_exposure_cents": 1}, RefusalCode.GAME_EXPOSURE),
        ({"price_collar": 1}, RefusalCode.PRICE_COLLAR),
    ],
)
async def test_a_refusal_is_counted_and_shown(
    changes: dict[str, int], code: RefusalCode, open_rig: OpenRig, autojump_clock: object
) -> None:
    """Whoever looks at the market's row reads the code and why."""
    async with open_rig(settings=with_risk(**changes)) as rig:
        await rig.until(lambda: rig.board.refusals[code.value] > 0)
        await rig.until(
            lambda: any(
                row.action == "REFUSED" and row.reason.startswith(code.value)
                for row in rig.board.markets.values()
            )
        )
        assert bought(rig) == 0


async def test_orders_of_one_second(open_rig: OpenRig, autojump_clock: object) -> None:
    """With one order a second no entry leaves within a second of any other order."""
    async with open_rig(settings=with_risk(max_orders_per_second=1), games=4) as rig:
        await trio.sleep(60)
        orders = list(rig.risk._books.ledger.orders.values())
        sent_ms = [order.created_ms for order in orders]
        for order, before_ms, at_ms in zip(orders[1:], sent_ms, sent_ms[1:], strict=False):
            assert not order.is_entry or at_ms - before_ms >= 999
        assert len(orders) > 2
        assert rig.board.refusals[RefusalCode.ORDERS_PER_SECOND.value] > 0


async def test_reducing_opens_nothing_and_goes_on_closing(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Entries are cancelled, sales stay; it outlives its risk manager, and ends with resume."""
    async with open_rig(settings=SLOW_MAKER, games=4) as rig:
        await rig.until(lambda: bool(rig.held_e2) and bool(rig.resting_entries()))
        assert "reducing" in await rig.steering.steer("reduce", {})
        await trio.sleep(0.1)
        assert rig.resting_entries() == []
        before = bought(rig)
        assert rig.state == "reducing"
        assert rig.reasons == "reducing, by a person (end it with: arb resume)"
        await rig.system.kill("risk")
        await rig.until(lambda: rig.state == "reducing" and not rig.reasons.count("starting"), 20)
        await trio.sleep(20)
        assert bought(rig) == before
        assert rig.on_sale_e2 == rig.held_e2

        await rig.steering.steer("resume", {})
        await rig.until(lambda: bought(rig) > before)


async def test_a_halt_hides_reducing_and_leaves_it(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Once the halt is cleared, trading is held as it was before."""
    async with open_rig() as rig:
        await rig.until_running()
        await rig.ask(Reduce("a rule"))
        await rig.steering.steer("halt", {"reason": "a test"})
        assert rig.state == "halted"
        await rig.steering.steer("clear", {"reason": "done"})
        assert rig.state == "reducing"
        await rig.steering.steer("pause", {})
        assert rig.state == "paused"
