"""NO in the simulated world: bought by a sale, offered as a bid, closed and settled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import trio

from arb.core.listing import HAS_BEGUN
from arb.engine.messages import ForceClose
from arb.io.clock import VirtualClock
from arb.sim.exchange.account import Account
from arb.sim.exchange.values import BookSide
from arb.sim.simulation import Simulation, SimulationSettings
from arb.sim.world.games import Calendar
from tests.engine.conftest import EPOCH_MS, Rig
from tests.engine.listing_bench import end_game

OpenRig = Callable[..., Any]

# Games that begin after half a minute.
SOON = Calendar(start_in_ms=30_000, stagger_ms=1_000)


def short_of(account: Account) -> dict[str, int]:
    """Return what is held as NO."""
    return {t: -p.count_e2 for t, p in account.positions.items() if p.count_e2 < 0}


def assert_offered(rig: Rig) -> None:
    """Check that what is held as NO is bid for, whole, and nothing else of ours bids there."""
    for ticker, held_e2 in short_of(rig.account).items():
        bids = [order for order in rig.resting(ticker) if order.side is BookSide.BID]
        assert bids == rig.resting_exits(ticker)
        assert sum(order.remaining_e2 for order in bids) == held_e2


async def test_no_is_bought_offered_and_closed(open_rig: OpenRig, autojump_clock: object) -> None:
    """An ask of ours opens it, a bid rests for all of it, and a person may close it at once."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(short_of(rig.account)), 300)
        opened = next(order for order in rig.entries() if order.side is BookSide.ASK)
        await trio.sleep(0.5)
        assert_offered(rig)
        assert short_of(rig.account).keys() <= {opened.ticker} | rig.held_e2.keys()
        ticker = opened.ticker
        await rig.ask(ForceClose(ticker, "a test"))
        await rig.until(lambda: not rig.held_e2.get(ticker), 60)
        await rig.withdraw(cancel_exits=True)
        await trio.sleep(2)
        rig.assert_books_equal()
        rig.assert_no_orphan()


async def test_no_is_settled_to_the_last_unit(open_rig: OpenRig, autojump_clock: object) -> None:
    """What is held as NO when a game is decided is paid as the exchange says, and booked once."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(short_of(rig.account)), 300)
        (ticker, *_) = short_of(rig.account)
        fixtures = rig.simulation.world.fixtures.values()
        game = next(f.game for f in fixtures if ticker in (f.game.home_ticker, f.game.away_ticker))
        end_game(rig, game)
        paid = rig.account.settlements
        await rig.until(lambda: any(one.ticker == ticker for one in paid), 600)
        await rig.until(lambda: rig.risk._books.ledger.position(ticker).count_e2 == 0, 60)
        await rig.withdraw(cancel_exits=True)
        await trio.sleep(40)

        assert next(one for one in paid if one.ticker == ticker).count_e2 < 0
        ours, theirs = rig.risk._books.ledger.position(ticker), rig.account.position(ticker)
        assert (ours.realised_e6, ours.fees_e6) == (theirs.realised_e6, theirs.fees_e6)
        rig.assert_books_equal()


async def test_nothing_is_bought_once_a_game_has_begun(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Entries stop at the scheduled start, whatever the edge, and what rests is cancelled."""
    made = SimulationSettings(seed=4, games=4, calendar=SOON)
    world = Simulation(made, VirtualClock(EPOCH_MS))
    async with open_rig(simulation=world) as rig, trio.open_nursery() as nursery:
        nursery.start_soon(world.run)
        await trio.sleep(60)
        starts = {
            ticker: fixture.game.start_ms
            for fixture in world.world.fixtures.values()
            for ticker in (fixture.game.home_ticker, fixture.game.away_ticker)
        }
        entries = rig.entries()
        assert entries
        assert all(order.created_ms < starts[order.ticker] for order in entries)
        assert not rig.resting_entries()
        assert {row.reason for row in rig.board.markets.values()} == {HAS_BEGUN}
        nursery.cancel_scope.cancel()
