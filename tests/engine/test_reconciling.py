"""Books and account against each other in the whole engine: what stops trading, what explains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from arb.engine import overdue
from arb.engine.control_requests import SteeringError
from arb.engine.differing import DIFFERENCE_REPEATED_S
from arb.journal.records import RecordKind, read_account
from arb.journal.recovery import recover
from arb.sim.exchange.lifecycle import close, determine, settle, sweep_closed
from arb.sim.exchange.placing import place
from arb.sim.exchange.transfers import deposit
from arb.sim.exchange.values import BookSide, Lifetime, OrderRequest, SelfTrade
from tests.engine.conftest import Rig

OpenRig = Callable[..., Any]

TEN_DOLLARS_E6 = 10_000_000


def give(rig: Rig, amount_e6: int) -> None:
    """Change the account's cash without a word of why."""
    rig.account.cash_e6[0] += amount_e6


async def read_now(rig: Rig) -> str:
    """Have the account compared, and return what a person is told."""
    told: str = await rig.steering.steer("reconcile", {})
    return told


async def until_counted(rig: Rig) -> None:
    """Wait until a difference has been repeated and stops trading."""
    await rig.until(lambda: "not reconciled" in rig.reasons, 60)


def held_ticker(rig: Rig) -> str:
    """Return the market with the largest position."""
    return max(rig.held_e2, key=lambda ticker: rig.held_e2[ticker])


def end_game(rig: Rig, value_e4: int) -> tuple[str, str]:
    """End the game of the largest position, its market at some value; settle nothing yet."""
    ticker = held_ticker(rig)
    fixture = next(
        each
        for each in rig.simulation.world.fixtures.values()
        if ticker in (each.game.home_ticker, each.game.away_ticker)
    )
    fixture.over = True
    venue = rig.simulation.venue
    pair = (fixture.game.home_ticker, fixture.game.away_ticker)
    for each in pair:
        close(venue, venue.markets[each])
    sweep_closed(venue)
    for each in pair:
        worth_e4 = value_e4 if each == ticker else 10_000 - value_e4
        determine(venue, venue.markets[each], worth_e4, "")
    return pair


async def test_a_difference_that_stays_stops_trading_and_says_by_how_much(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Seen twice, two seconds apart: entries end, the line names the sum and the way out."""
    async with open_rig() as rig:
        await rig.until(lambda: rig.board.counts["fills"] >= 2)
        give(rig, TEN_DOLLARS_E6)
        began = trio.current_time()
        await until_counted(rig)
        assert trio.current_time() - began >= DIFFERENCE_REPEATED_S
        assert rig.state == "paused"
        assert "cash is $10.00 more at Kalshi" in rig.reasons
        assert "arb reconcile --accept" in rig.reasons
        assert rig.said("account differs: cash is $10.00 more at Kalshi")
        bought = len(rig.entries())
        await trio.sleep(20)
        assert len(rig.entries()) == bought
        assert "it with: arb reconcile --accept" in await read_now(rig)

        give(rig, -TEN_DOLLARS_E6)
        await rig.until_running()
        rig.assert_books_equal()


async def test_what_still_moves_is_no_difference(open_rig: OpenRig, autojump_clock: object) -> None:
    """One that is gone within two seconds never stops trading, though a person may see it."""
    async with open_rig() as rig:
        await rig.until_running()
        await trio.sleep(3)
        give(rig, TEN_DOLLARS_E6)
        assert "it may still be moving" in await read_now(rig)
        with pytest.raises(SteeringError, match="may still be moving, try again"):
            await rig.steering.steer("accept", {})
        give(rig, -TEN_DOLLARS_E6)
        for _ in range(100):
            assert rig.state == "running"
            await trio.sleep(0.1)


async def test_a_person_accepts_what_differs(open_rig: OpenRig, autojump_clock: object) -> None:
    """Kalshi's account is taken, the journal says who, when and what, and trading goes on."""
    async with open_rig() as rig:
        await rig.until(lambda: rig.board.counts["fills"] >= 2)
        with pytest.raises(SteeringError, match="nothing to accept: equal: cash"):
            await rig.steering.steer("accept", {"by": "kim"})
        give(rig, -TEN_DOLLARS_E6)
        await until_counted(rig)
        said = await rig.steering.steer("accept", {"by": "kim"})

        assert "cash is $10.00 less at Kalshi" in said
        assert rig.state == "running"
        assert rig.said("account accepted by kim: cash is $10.00 less at Kalshi")
        record = [r for r in rig.parts.journal.records() if r.kind is RecordKind.ACCOUNT][-1]
        adopted = read_account(record.data)
        assert (adopted.by, record.at_ms) == ("kim", rig.parts.clock.wall_ms())
        assert "cash is $10.00 less" in adopted.differed
        with pytest.raises(SteeringError, match="nothing to accept"):
            await rig.steering.steer("accept", {"by": "kim"})
        filled = rig.board.counts["fills"]
        await rig.until(lambda: rig.board.counts["fills"] >= filled + 2)
        await rig.withdraw(cancel_exits=True)
        await trio.sleep(3)
        rig.assert_books_equal()
        again = recover(rig.parts.journal.records()).ledger
        assert again.cash_e6 == rig.account.total_cash_e6


async def test_what_was_filled_since_is_not_given_up(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A reading that is older than a fill, or than ten seconds, is not accepted."""
    async with open_rig() as rig:
        await rig.until(lambda: rig.board.counts["fills"] >= 1)
        rig.simulation.world.fixtures.clear()
        give(rig, TEN_DOLLARS_E6)
        await until_counted(rig)
        rig.risk._books.ledger.fills_booked += 1
        with pytest.raises(SteeringError, match="fills have come since"):
            await rig.steering.steer("accept", {})
        rig.risk._books.ledger.fills_booked -= 1
        rig.simulation.exchange_conditions.rest_status = 503
        await trio.sleep(12)
        with pytest.raises(SteeringError, match=r"was read 1\d s ago"):
            await rig.steering.steer("accept", {})
        assert "and not since" in await read_now(rig)


async def test_equal_says_the_figures(open_rig: OpenRig, autojump_clock: object) -> None:
    """A person sees what was compared, whenever he asks."""
    async with open_rig() as rig:
        await rig.until(lambda: rig.board.counts["fills"] >= 2)
        rig.simulation.world.fixtures.clear()
        await trio.sleep(3)
        told = await read_now(rig)
        assert told.startswith("equal: cash $")
        assert "orders resting" in told


@pytest.mark.parametrize("amount_e6", [TEN_DOLLARS_E6, -3 * TEN_DOLLARS_E6])
async def test_deposits_and_withdrawals_are_booked(
    amount_e6: int, open_rig: OpenRig, autojump_clock: object
) -> None:
    """Listed by the exchange, they explain cash: trading never stops, and a restart knows them."""
    async with open_rig() as rig:
        await rig.until(lambda: rig.board.counts["fills"] >= 1)
        deposit(rig.simulation.venue, rig.account, amount_e6)
        for _ in range(450):
            assert rig.state == "running"
            await trio.sleep(0.1)

        kind = "deposit" if amount_e6 > 0 else "withdrawal"
        assert rig.said(f"{kind} of ${abs(amount_e6) // 1_000_000}.00 booked")
        rig.assert_books_equal()
        records = rig.parts.journal.records()
        assert [r.data["kind"] for r in records if r.kind is RecordKind.CASH] == [kind]
        assert recover(records).ledger.cash_e6 == rig.risk._books.ledger.cash_e6


@pytest.mark.parametrize("value_e4", [10_000, 0, 5_000, 3_333])
async def test_a_decided_market_is_booked_and_trading_goes_on(
    value_e4: int, open_rig: OpenRig, autojump_clock: object
) -> None:
    """Won, lost, tied or priced in between: paid once, nothing held, nothing stopped."""
    async with open_rig(seed=3) as rig:
        await rig.until(lambda: bool(rig.held_e2))
        pair = end_game(rig, value_e4)
        await trio.sleep(40)
        paid_before = len(rig.account.settlements)
        for ticker in pair:
            settle(rig.simulation.venue, rig.simulation.venue.markets[ticker])
        assert len(rig.account.settlements) > paid_before
        for _ in range(400):
            assert rig.state == "running"
            await trio.sleep(0.1)

        ledger = rig.risk._books.ledger
        for ticker in pair:
            ours, theirs = ledger.position(ticker), rig.account.position(ticker)
            assert (ours.count_e2, ours.cost_e6) == (0, 0)
            assert (ours.realised_e6, ours.fees_e6) == (theirs.realised_e6, theirs.fees_e6)
        assert rig.said(" settled: ")
        assert len(ledger.settled) == len(rig.account.settlements)
        await rig.withdraw(cancel_exits=True)
        await trio.sleep(3)
        rig.assert_books_equal()
        warned = [line.text for line in rig.board.log if "Kalshi says" in line.text]
        assert warned == []
        again = recover(rig.parts.journal.records()).ledger
        assert (again.cash_e6, again.settled) == (ledger.cash_e6, ledger.settled)


async def test_a_payment_that_is_overdue_is_reported(
    open_rig: OpenRig, autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decided and not paid for too long: said once, shown, and nothing is stopped."""
    monkeypatch.setattr(overdue, "PAID_WITHIN_MS", 120_000)
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.held_e2))
        ticker = held_ticker(rig)
        said: list[str] = []
        rig.board.sink = lambda line: said.append(line.text)
        end_game(rig, 10_000)
        await trio.sleep(80)
        assert "not paid" not in await read_now(rig)
        await trio.sleep(120)

        told = f"{ticker} is decided for 2 minutes and has not been paid"
        assert said.count(told) == 1
        assert f"ended and not paid for long: {ticker}" in await read_now(rig)
        assert "not reconciled" not in rig.reasons


async def test_what_a_person_trades_by_hand_is_no_alarm(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """His fills are in positions and cash; no rule of ours is broken, and trading goes on."""
    async with open_rig() as rig:
        await rig.until_running()
        venue = rig.simulation.venue
        ticker = rig.parts.catalogue.listings[0].ticker
        ask_e4 = venue.markets[ticker].book.best_e4(BookSide.ASK)
        wish = OrderRequest(
            ticker,
            BookSide.BID,
            300,
            ask_e4,
            Lifetime.IMMEDIATE_OR_CANCEL,
            SelfTrade.TAKER_AT_CROSS,
        )
        placed = place(venue, rig.account, wish)
        assert placed.order.filled_e2 == 300
        await trio.sleep(5)

        assert rig.state == "running"
        assert rig.board.counts["invariant_violations"] == 0
        assert rig.said("by hand")
        assert "equal" in await read_now(rig)
        rig.assert_books_equal()


async def test_what_a_person_rests_by_hand_is_shown_and_counted(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """His order is in the exposure and in the picture, and stands until he takes it away."""
    async with open_rig() as rig:
        await rig.until_running()
        venue = rig.simulation.venue
        ticker = rig.parts.catalogue.listings[0].ticker
        wish = OrderRequest(
            ticker,
            BookSide.BID,
            1_000,
            100,
            Lifetime.GOOD_TILL_CANCELED,
            SelfTrade.TAKER_AT_CROSS,
            client_order_id="console-7",
        )
        order = place(venue, rig.account, wish).order
        assert "1 more by hand" in await read_now(rig)
        assert rig.said(f"by hand: bid 10 {ticker} at 1c rests")
        (shown,) = rig.steering.snapshot()["orders_by_hand"]
        assert (shown["order_id"], shown["remaining_e2"]) == (order.order_id, 1_000)
        assert rig.risk._books.exposure_e6() >= 100_000
        await trio.sleep(70)

        assert order in rig.resting()
        assert rig.state == "running"


async def test_returned_collateral_is_no_difference(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """NO on both markets of a game: the exchange may hand a dollar a pair back at once."""
    async with open_rig() as rig:
        await rig.until_running()
        game = next(iter(rig.simulation.world.fixtures.values())).game
        ledger = rig.risk._books.ledger
        # What is held here is to stay: nothing is bought back.
        await rig.steering.steer("halt", {"reason": "a test", "exits": "cancel"})
        for ticker in (game.home_ticker, game.away_ticker):
            rig.account.position(ticker).count_e2 = -2_000
            rig.account.position(ticker).volume_e2 = 2_000
        await until_counted(rig)
        await rig.steering.steer("accept", {})
        assert "equal" in await read_now(rig)
        give(rig, 20_000_000)

        assert "$20.00 of collateral returned" in await read_now(rig)
        assert ledger.cash_e6 == rig.account.total_cash_e6 - 20_000_000
