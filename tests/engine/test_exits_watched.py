"""Everything that is ours is on sale, and never more: warned of, trimmed, and mended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
import trio

from arb.core.exit_parameters import Exits
from arb.core.exits import Holding
from arb.core.parameters import Execution
from arb.engine.messages import ForceClose
from arb.settings import Settings
from arb.sim.conditions import OrderAnswer
from arb.sim.exchange.placing import place
from arb.sim.exchange.values import BookSide, Change, Lifetime, Order, OrderRequest, SelfTrade
from tests.engine.conftest import Rig

OpenRig = Callable[..., Any]


def by_hand(rig: Rig, ticker: str, side: BookSide, count_e2: int) -> None:
    """Let the person whose account it is trade at what the book pays."""
    worst_e4 = 9_900 if side is BookSide.BID else 100
    request = OrderRequest(
        ticker, side, count_e2, worst_e4, Lifetime.IMMEDIATE_OR_CANCEL, SelfTrade.MAKER
    )
    place(rig.simulation.venue, rig.account, request)


def taken_by_others(rig: Rig, sale: Order) -> None:
    """Let somebody buy everything up to and with a sale of ours."""
    request = OrderRequest(
        sale.ticker, BookSide.BID, 10_000_000, sale.price_e4, Lifetime.IMMEDIATE_OR_CANCEL
    )
    place(rig.simulation.venue, rig.simulation.venue.accounts["crowd"], request)


async def held_and_on_sale(rig: Rig, *, others_trade: bool = False) -> str:
    """Wait until something is held and on sale, and return its market; nobody else trades then."""
    await rig.until(lambda: bool(rig.resting_exits()))
    rig.simulation.odds_conditions.freeze = True
    if not others_trade:
        rig.simulation.world.fixtures.clear()
    await trio.sleep(0.5)
    return str(rig.resting_exits()[0].ticker)


@pytest.mark.parametrize("lost", [1, 2])
async def test_a_report_that_a_market_has_missed_is_told_again(
    lost: int, open_rig: OpenRig, autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mailbox full of prices drops the end of a sale, or what became of the next one."""
    async with open_rig() as rig:
        ticker = await held_and_on_sale(rig)
        tell, missed = rig.risk._markets.tell, list[object]()

        def lossy(to: str, message: object) -> None:
            if to == ticker and isinstance(message, Holding) and len(missed) < lost:
                missed.append(message)
            else:
                tell(to, message)

        monkeypatch.setattr(rig.risk._markets, "tell", lossy)
        rig.simulation.venue.take_off_book(rig.resting_exits(ticker)[0], Change.CANCEL)
        await trio.sleep(3)

        assert len(missed) == lost
        assert rig.on_sale_e2[ticker] == rig.held_e2[ticker]


async def renewed_in_its_place(rig: Rig, ticker: str) -> None:
    """Watch every sale get a longer life, and none a double."""
    first_s = {sale.order_id: sale.expires_s for sale in rig.resting_exits(ticker)}
    for _ in range(40):
        await trio.sleep(1)
        assert rig.on_sale_e2.get(ticker, 0) == rig.held_e2.get(ticker, 0)
        assert {sale.order_id for sale in rig.resting_exits(ticker)} <= first_s.keys()
    assert rig.resting_exits(ticker)
    for sale in rig.resting_exits(ticker):
        assert (sale.expires_s or 0) >= (first_s[sale.order_id] or 0) + 30


async def test_an_exit_that_is_missing_is_an_alarm_until_it_rests_again(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """After a second it is said why, shown and counted once; it ends when everything is on sale."""
    async with open_rig() as rig:
        ticker = await held_and_on_sale(rig)
        await trio.sleep(5)
        assert rig.board.alarms == {}
        rig.simulation.exchange_conditions.rest_status = 503
        rig.simulation.venue.take_off_book(rig.resting_exits()[0], Change.CANCEL)

        await trio.sleep(0.9)
        assert rig.board.alarms == {}
        await rig.until(lambda: ticker in rig.board.alarms, 2)
        alarm = rig.board.alarms[ticker]
        assert alarm.text.startswith("no exit rests for ")
        assert "exit" in alarm.text.partition(": ")[2]
        assert rig.said(f"{ticker}: no exit rests for")
        shown = rig.steering.snapshot()
        assert [each["name"] for each in shown["alarms"]] == [ticker]
        row = next(each for each in shown["markets"] if each["ticker"] == ticker)
        assert (row["action"], row["reason"]) == ("NO EXIT", rig.board.alarms[ticker].text)
        await trio.sleep(3)
        assert rig.board.counts["exits_missing"] == 1

        rig.heal()
        await rig.until(lambda: not rig.board.alarms, 90)
        assert rig.on_sale_e2.get(ticker, 0) == rig.held_e2[ticker]
        assert rig.said(f"{ticker}: everything that is ours is on sale again")


async def test_an_alarm_says_that_a_person_wanted_it(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Sales that were cancelled on purpose are missing as well, and for that reason."""
    async with open_rig() as rig:
        ticker = await held_and_on_sale(rig)
        await rig.steering.steer("halt", {"reason": "a test", "exits": "cancel"})

        await rig.until(lambda: ticker in rig.board.alarms, 3)
        assert rig.board.alarms[ticker].text.endswith("sales were cancelled on purpose")


async def test_a_dead_exit_loop_is_covered_and_not_in_silence(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """With its market in quarantine a sale that is lost is rested again by risk, and renewed."""
    settings = attrs.evolve(Settings(), execution=Execution(exit_expiry_s=60))
    async with open_rig(settings=settings) as rig:
        ticker = await held_and_on_sale(rig)
        await rig.system.quarantine(ticker)
        rig.simulation.venue.take_off_book(rig.resting_exits()[0], Change.CANCEL)
        await rig.until(lambda: rig.on_sale_e2.get(ticker, 0) == rig.held_e2[ticker], 3)
        await renewed_in_its_place(rig, ticker)
        assert rig.board.counts["exits_missing"] == 0


async def test_a_sale_is_renewed_in_its_place_and_never_stands_twice(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Nothing else happening, the same orders rest on, and never more of them than is held."""
    stays = Exits(exit_follow_down=False)
    settings = attrs.evolve(Settings(), execution=Execution(exit_expiry_s=60), exits=stays)
    async with open_rig(settings=settings) as rig:
        ticker = await held_and_on_sale(rig)
        await renewed_in_its_place(rig, ticker)
        rig.assert_no_orphan()


async def test_a_sale_is_renewed_again_and_again(open_rig: OpenRig, autojump_clock: object) -> None:
    """For many lives of an order it is the same one, and it can still be moved."""
    stays = Exits(exit_follow_down=False)
    settings = attrs.evolve(Settings(), execution=Execution(exit_expiry_s=60), exits=stays)
    async with open_rig(settings=settings) as rig:
        ticker = await held_and_on_sale(rig)
        for _ in range(6):
            await renewed_in_its_place(rig, ticker)
        (order,) = rig.risk._books.ledger.at_stake(ticker)
        (sale,) = rig.resting_exits(ticker)
        assert (order.amending, order.expires_s) == (False, sale.expires_s)


@pytest.mark.parametrize("answer", [OrderAnswer.TIMEOUT_BEFORE, OrderAnswer.TIMEOUT_AFTER])
async def test_a_renewal_without_an_answer_counts_as_the_exchange_has_it(
    answer: OrderAnswer, open_rig: OpenRig, autojump_clock: object
) -> None:
    """One that never arrived is sent again, long before the sale would end."""
    stays = Exits(exit_follow_down=False)
    settings = attrs.evolve(Settings(), execution=Execution(exit_expiry_s=60), exits=stays)
    async with open_rig(settings=settings) as rig:
        ticker = await held_and_on_sale(rig)
        (order,) = rig.risk._books.ledger.at_stake(ticker)
        rig.simulation.exchange_conditions.amend_answer = answer
        await rig.until(lambda: order.amending, 40)
        await rig.until(lambda: order.state == "unknown", 10)
        rig.heal()
        rig.simulation.odds_conditions.freeze = True
        await renewed_in_its_place(rig, ticker)
        assert order.expires_s == rig.resting_exits(ticker)[0].expires_s


@pytest.mark.parametrize("exits, said", [
    (Exits(exit_after_s=30), "held for 30 s"),
    (Exits(exit_stop=1), "worth 1c less than was paid"),
])  # fmt: skip
async def test_a_rule_gives_a_position_up(
    exits: Exits, said: str, open_rig: OpenRig, autojump_clock: object
) -> None:
    """Held for too long, or worth too little, it is sold at what the book pays, and it is said."""
    settings = attrs.evolve(Settings(), exits=exits)
    async with open_rig(settings=settings) as rig:
        await rig.until(lambda: rig.said(f"is closed: {said}"), 400)
        line = next(each.text for each in rig.board.log if f"is closed: {said}" in each.text)
        ticker = line.partition(" is closed")[0]
        taken = len(rig.exits(ticker))

        await rig.until(lambda: ticker not in rig.held_e2, 30)
        assert len(rig.exits(ticker)) >= taken
        rig.assert_books_equal()


async def test_what_a_person_bought_is_his_to_sell(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A purchase by hand beside ours is counted and shown, and no exit of ours covers it."""
    async with open_rig() as rig:
        ticker = await held_and_on_sale(rig)
        ours = rig.held_e2[ticker]
        by_hand(rig, ticker, BookSide.BID, 300)
        await trio.sleep(5)

        assert rig.held_e2[ticker] == ours + 300
        assert rig.on_sale_e2.get(ticker, 0) == ours
        assert rig.board.alarms == {}
        (shown,) = (p for p in rig.steering.snapshot()["positions"] if p["ticker"] == ticker)
        assert (shown["count_e2"], shown["by_hand_e2"]) == (ours + 300, 300)
        assert any(line.what == "filled by hand" for line in rig.board.trades)

        assert await rig.ask(ForceClose(ticker, "me"))
        await rig.until(lambda: rig.held_e2[ticker] == 300, 20)
        await trio.sleep(3)
        assert rig.held_e2[ticker] == 300
        assert not await rig.ask(ForceClose(ticker, "me"))


async def test_what_a_person_sold_of_ours_is_not_sold_again(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """The sale that is too large now goes at once, and what is left is on sale."""
    async with open_rig() as rig:
        ticker = await held_and_on_sale(rig)
        ours = rig.held_e2[ticker]
        by_hand(rig, ticker, BookSide.ASK, 200)
        await rig.until(lambda: rig.on_sale_e2.get(ticker, 0) == ours - 200, 3)

        assert rig.held_e2[ticker] == ours - 200
        assert any(o.change is Change.CANCEL for o in rig.exits(ticker))
        assert rig.board.counts["reversals"] == 0
        rig.assert_books_equal()


async def test_an_exit_that_opened_the_other_side_is_closed_and_told(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A person sells and our sale fills in the same moment: NO is held, said, and bought back."""
    async with open_rig() as rig:
        ticker = await held_and_on_sale(rig, others_trade=True)
        sale = max(rig.resting_exits(ticker), key=lambda each: each.price_e4)
        ours = rig.held_e2[ticker]
        by_hand(rig, ticker, BookSide.ASK, ours)
        taken_by_others(rig, sale)
        await rig.until(lambda: rig.board.counts["reversals"] > 0, 5)

        assert rig.held_e2[ticker] < 0
        assert "sold more than was held" in rig.board.alarms[ticker].text
        await rig.until(lambda: rig.on_sale_e2.get(ticker, 0) == rig.held_e2.get(ticker, 0), 5)
        await rig.steering.steer("force_close", {"ticker": ticker})
        await rig.until(lambda: ticker not in rig.held_e2, 20)
        await rig.until(lambda: ticker not in rig.board.alarms, 3)
        rig.assert_books_equal()
