"""Killing, restarting and quarantining actors while the others trade on."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import trio

from arb.core.money import MoneyE6
from arb.engine.control_requests import SteeringError
from arb.engine.messages import ChangeLimit, ClearHalt, HaltTrading, Pause
from arb.journal.recovery import recover
from arb.settings import Mode
from arb.sim.exchange.placing import place
from arb.sim.exchange.values import BookSide, OrderRequest
from arb.sim.websocket.subscriptions import Channel
from tests.engine.conftest import SLOW_MAKER, Rig
from tests.journal.journal_history import Unread

OpenRig = Callable[..., Any]


def evaluated_ms(rig: Rig, but: str) -> dict[str, int]:
    """Return when each market but one was last evaluated."""
    return {t: row.at_ms for t, row in rig.board.markets.items() if t != but}


async def test_one_market_is_killed_while_others_trade_on(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """The others' decisions go on without a gap; the killed one is back at once with its orders."""
    # So many games that something moves in others each second, as gaps are looked for.
    async with open_rig(settings=SLOW_MAKER, games=8) as rig:
        await rig.until(lambda: bool(rig.resting_entries()))
        (entry, *_) = rig.resting_entries()
        others = set(rig.markets()) - {entry.ticker}
        generations = {n.name: n.generation for n in rig.system.snapshot()}
        seen: list[int] = []
        began_ms = rig.parts.clock.wall_ms()
        await rig.steering.steer("kill", {"name": entry.ticker})

        assert rig.parts.clock.wall_ms() - began_ms <= 1000
        node = next(n for n in rig.system.snapshot() if n.name == entry.ticker)
        assert (node.state, node.generation) == ("running", generations[entry.ticker] + 1)
        assert node.restarts_in_window == 0, "a person's kill is not counted"
        for _ in range(60):
            await trio.sleep(0.05)
            seen.extend(evaluated_ms(rig, entry.ticker).values())
        moments = sorted({ms for ms in seen if ms >= began_ms})
        gaps = [after - before for before, after in pairwise(moments)]
        assert max(gaps) <= 1000
        now = {n.name: n.generation for n in rig.system.snapshot()}
        assert {t: now[t] for t in others} == {t: generations[t] for t in others}
        assert entry not in rig.resting(), "its entry was cancelled while it was away"
        rig.assert_no_orphan()


async def test_a_market_that_is_back_adopts_its_sales_and_sends_no_duplicate(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A position's sale stays the same order over ten kills, and moves on with fair value."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        (sale, *_) = rig.resting_exits()
        for _ in range(10):
            await rig.system.kill(sale.ticker)
            await trio.sleep(0.05)

        assert rig.on_sale_e2.get(sale.ticker, 0) == rig.account.position(sale.ticker).count_e2
        assert sale in rig.resting() or sale.filled_e2 == sale.initial_e2
        rig.assert_no_orphan()
        rig.assert_books_equal()


async def test_a_market_in_quarantine_keeps_its_sales_and_buys_nothing(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """While away it buys nothing, and what it holds stays on sale; released it is back."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        ticker = rig.resting_exits()[0].ticker
        await rig.steering.steer("quarantine", {"name": ticker})
        bought = len(rig.entries(ticker))
        await trio.sleep(30)
        assert len(rig.entries(ticker)) == bought
        assert rig.on_sale_e2.get(ticker, 0) == rig.account.position(ticker).count_e2
        row = next(r for r in rig.steering.snapshot()["markets"] if r["ticker"] == ticker)
        assert row["actor"] == "quarantined"

        await rig.steering.steer("release", {"name": ticker})
        row = next(r for r in rig.steering.snapshot()["markets"] if r["ticker"] == ticker)
        assert row["actor"] == "running"


async def test_risk_covers_a_fill_whose_market_is_away(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A sale that was taken away while its market is in quarantine is put up again by risk."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        (sale, *_) = rig.resting_exits()
        await rig.system.quarantine(sale.ticker)
        rig.simulation.venue.take_off_book(sale, sale.change)
        await trio.sleep(2)

        covered = [o for o in rig.exits(sale.ticker) if o.created_ms > sale.updated_ms]
        assert covered
        assert covered[-1].expires_s is not None
        assert rig.on_sale_e2.get(sale.ticker, 0) == rig.account.position(sale.ticker).count_e2


async def test_risk_covers_a_market_that_stays_down_over_its_own_restart(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A market in quarantine says nothing to a new risk manager, who must not take it for alive."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        (sale, *_) = rig.resting_exits()
        await rig.system.quarantine(sale.ticker)
        await rig.system.kill("risk")
        await rig.until_running()
        rig.simulation.venue.take_off_book(sale, sale.change)
        await trio.sleep(2)

        assert rig.on_sale_e2.get(sale.ticker, 0) == rig.account.position(sale.ticker).count_e2


async def test_risk_sells_for_an_absent_market_to_whoever_pays_already(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A sale that is refused because somebody pays its price is taken to him instead."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        (sale, *_) = rig.resting_exits()
        ticker, world = sale.ticker, rig.simulation
        await rig.system.quarantine(ticker)
        world.venue.take_off_book(sale, sale.change)
        crowd = world.venue.open_account("somebody", {}, bottomless=True)
        bid_e4 = sale.price_e4 + 200
        bid = OrderRequest(ticker, BookSide.BID, 100_000, bid_e4, client_order_id="somebody-1")
        place(world.venue, crowd, bid)
        await rig.until(lambda: not rig.account.position(ticker).count_e2, 3)

        sold = [fill for fill in rig.account.fills if fill.ticker == ticker][-1]
        assert sold.price_e4 >= sale.price_e4


async def test_after_risk_is_killed_nothing_is_sent_before_it_has_reconciled(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """It rebuilds its books from the journal, and asks the exchange before anything new leaves."""
    async with open_rig() as rig:
        await rig.until(lambda: len(rig.account.fills) >= 2)
        cash_e6, held = rig.account.total_cash_e6, rig.held_e2
        rig.simulation.exchange_conditions.rest_status = 503
        await rig.system.kill("risk")
        ledger = rig.risk._books.ledger
        assert ledger.cash_e6 == cash_e6
        assert {t: p.count_e2 for t, p in ledger.positions.items() if p.count_e2} == held
        assert rig.state == "starting"
        bought = len(rig.entries())
        await trio.sleep(20)
        assert len(rig.entries()) == bought

        rig.heal()
        await rig.until_running()
        rig.assert_books_equal()
        await rig.until(lambda: len(rig.entries()) > bought)
        assert rig.risk._books.ledger.illegal_reports == 0


@pytest.mark.parametrize("mode", [Mode.SIM, Mode.PAPER])
async def test_a_restart_reads_no_journal(
    mode: Mode, open_rig: OpenRig, autojump_clock: object
) -> None:
    """However long it has grown: risk and gateway find its state ready, and as a start reads it."""
    file = Unread()
    async with open_rig(file=file, mode=mode) as rig:
        await rig.until(lambda: rig.board.counts["fills"] >= 2)
        for name in ("risk", "gateway"):
            file.may_be_read = False
            await rig.system.kill(name)
            await rig.until_running()
            file.may_be_read = True
            assert rig.parts.journal.known() == recover(rig.parts.journal.each())
            assert rig.risk._books.ledger is not rig.parts.journal.known().ledger


async def test_sessions_of_different_risk_managers_never_meet(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """An approval of before a restart is void after it, because its session is no longer one."""
    async with open_rig() as rig:
        await rig.until_running()
        sessions = [rig.gateway._session]
        for name in ("risk", "gateway", "risk"):
            await rig.system.kill(name)
            await rig.until_running()
            assert rig.gateway._session == rig.risk._approvals.session
            sessions.append(rig.gateway._session)

        assert len(set(sessions)) == len(sessions)


@pytest.mark.parametrize("name", ["gateway", "books", "odds", "journal"])
async def test_each_other_part_comes_back_and_trading_goes_on(
    name: str, open_rig: OpenRig, autojump_clock: object
) -> None:
    """Killed, a part is back at once; trading resumes, and nothing is wrong in the books."""
    async with open_rig() as rig:
        await rig.until(lambda: len(rig.account.fills) >= 2)
        await rig.system.kill(name)
        bought = len(rig.entries())
        await rig.until_running()
        await rig.until(lambda: len(rig.entries()) > bought)
        await trio.sleep(1)

        rig.assert_books_equal()
        rig.assert_no_orphan()
        assert all(node.state == "running" for node in rig.system.snapshot())


@pytest.mark.parametrize(
    "name, connection", [("books", "Kalshi books"), ("odds", "Odds"), ("gateway", "Kalshi orders")]
)
async def test_a_part_in_quarantine_stops_entries(
    name: str, connection: str, open_rig: OpenRig, autojump_clock: object
) -> None:
    """Whoever takes a part of the way to an order away stops trading, and is told why."""
    async with open_rig() as rig:
        await rig.until(lambda: len(rig.account.fills) >= 1)
        await rig.steering.steer("quarantine", {"name": name})
        bought = len(rig.entries())
        assert rig.state == "paused"
        assert f"{connection} is down: not running" in rig.reasons
        await trio.sleep(20)
        assert len(rig.entries()) == bought

        await rig.steering.steer("release", {"name": name})
        await rig.until_running()
        await trio.sleep(2)
        rig.assert_books_equal()


async def test_risk_comes_back_from_quarantine(open_rig: OpenRig, autojump_clock: object) -> None:
    """Released, it starts anew with everything that rests on it, and trading resumes."""
    async with open_rig() as rig:
        await rig.until_running()
        await rig.steering.steer("quarantine", {"name": "risk"})
        with pytest.raises(SteeringError, match="did not answer"):
            await rig.steering.steer("pause", {})
        await trio.sleep(10)
        bought = len(rig.orders())

        await rig.steering.steer("release", {"name": "risk"})
        await rig.until_running()
        await rig.until(lambda: len(rig.orders()) > bought)
        rig.assert_books_equal()


async def test_a_new_book_feed_is_told_of_our_own_orders(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """After its restart our resting sale is no offer of somebody else's."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        (sale, *_) = rig.resting_exits()
        await rig.system.kill("books")
        await rig.until_running()

        own = rig.instance("books")._books._own[sale.ticker]
        resting: dict[BookSide, Counter[int]] = {side: Counter() for side in BookSide}
        for order in rig.resting(sale.ticker):
            resting[order.side][order.price_e4] += order.remaining_e2
        assert resting[sale.side]
        assert own.asks == resting[BookSide.ASK]
        assert own.bids == resting[BookSide.BID]


async def test_a_persons_switches_outlive_the_risk_manager(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A pause, a limit and a halt stand after a restart as they stood before it."""
    async with open_rig() as rig:
        await rig.until_running()
        await rig.ask(Pause("me"))
        limit_e6 = await rig.ask(ChangeLimit(MoneyE6(-100_000_000), "me"))
        await rig.ask(HaltTrading("a test", "me"))
        await rig.system.kill("risk")
        await rig.until(lambda: "not read yet" not in rig.reasons, 20)

        assert rig.state == "halted"
        assert rig.board.account.limit_e6 == limit_e6 == 400_000_000
        assert await rig.ask(ClearHalt("done", "me"))
        assert rig.state == "paused"
        assert "paused by me" in rig.reasons


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_actors_killed_at_random_leave_nothing_wrong(
    seed: int, open_rig: OpenRig, autojump_clock: object
) -> None:
    """After a minute of kills positions are right, nothing rests unowned, and all branches live."""
    dice = random.Random(seed)
    async with open_rig(seed=seed) as rig:
        await rig.until_running()
        names = ["journal", "risk", "gateway", "books", "odds", *rig.markets()]
        for _ in range(30):
            await trio.sleep(dice.uniform(0.0, 4.0))
            rig.system.kill(dice.choice(names))
        await trio.sleep(20)

        assert all(node.state == "running" for node in rig.system.snapshot())
        await rig.until_running()
        rig.assert_books_equal()
        rig.assert_no_orphan()
        assert rig.board.counts["orders"] >= 1
        assert rig.board.counts["invariant_checks"] >= rig.board.counts["orders"]
        assert rig.session(Channel.BOOK) is not None


async def test_steering_says_what_cannot_be_done(open_rig: OpenRig, autojump_clock: object) -> None:
    """An unknown name, and a release of what is not in quarantine, are one clear line each."""
    async with open_rig() as rig:
        with pytest.raises(SteeringError, match="gatewax"):
            await rig.steering.steer("kill", {"name": "gatewax"})
        with pytest.raises(SteeringError, match="not quarantined"):
            await rig.steering.steer("release", {"name": "gateway"})
        with pytest.raises(SteeringError, match="the root"):
            await rig.steering.steer("restart", {"name": "root"})
        assert "restarted" in await rig.steering.steer("restart", {"name": "odds"})
