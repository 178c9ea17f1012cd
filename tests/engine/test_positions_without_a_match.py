"""Something is ours in a game that no provider offers: it is listed, sold, closed and settled."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio

from arb.engine.messages import Flatten, ForceClose
from arb.feeds.base import FeedError
from arb.journal.writer import MemoryFile
from arb.settings import Settings
from arb.settings.sections import OddsFeed
from arb.sim.exchange.values import Change
from arb.sim.simulation import Simulation
from arb.sim.world.games import Game
from tests.engine.conftest import MAKER_ONLY, Rig, new_world
from tests.engine.listing_bench import readings

OpenRig = Callable[..., Any]


@attrs.define
class Left:
    """A world in which an engine has ended that held something, and its journal."""

    world: Simulation
    file: MemoryFile
    game: Game
    ticker: str
    held_e2: int
    fair: float

    @property
    def resting_e2(self) -> int:
        """Return how much of what is held rests for sale at the exchange."""
        resting = self.world.member.resting.values()
        return sum(each.remaining_e2 for each in resting if each.ticker == self.ticker)

    async def take_off(self) -> None:
        """Take every sale off the book, long enough ago for the order list to know."""
        for order in list(self.world.member.resting.values()):
            self.world.venue.take_off_book(order, Change.EXPIRY)
        await trio.sleep(1)

    def not_offered(self, *, at_all: bool = False) -> None:
        """Have the provider offer the game no more, or no game at all."""
        games = list(self.world.desk.games) if at_all else [self.game.game_id]
        for each in games:
            del self.world.desk.games[each]


@pytest.fixture
def left_by(open_rig: OpenRig) -> Callable[..., Any]:
    """Return what runs an engine until it holds something, and ends it."""

    @asynccontextmanager
    async def left() -> AsyncIterator[Left]:
        world, file = new_world(), MemoryFile()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(world.run)
            async with open_rig(file=file, simulation=world, settings=MAKER_ONLY) as rig:
                await rig.until(lambda: bool(rig.resting_exits()) and bool(rig.held_e2), 600)
                ticker = rig.resting_exits()[0].ticker
                bought = rig.risk._books.holding(ticker, 0).bought
                assert bought is not None
                assert bought.fair is not None
                await rig.withdraw(cancel_exits=False)
            fixtures = world.world.fixtures.values()
            pairs = {f.game: (f.game.home_ticker, f.game.away_ticker) for f in fixtures}
            game = next(each for each, tickers in pairs.items() if ticker in tickers)
            held_e2 = world.member.positions[ticker].count_e2
            # Nobody pays what is asked: the market has fallen by a tenth since.
            yes = bought.fair - 0.1 if held_e2 > 0 else bought.fair + 0.1
            world.world.jump(game.game_id, yes if ticker == game.home_ticker else 1 - yes)
            await trio.sleep(5)
            yield Left(world, file, game, ticker, held_e2, bought.fair)
            nursery.cancel_scope.cancel()

    return left


def exits_e2(rig: Rig, ticker: str) -> int:
    """Return what is on sale of a market, signed as it is held."""
    return rig.on_sale_e2.get(ticker, 0)


async def test_what_is_held_in_a_game_that_is_not_offered_is_on_sale_again(
    left_by: Callable[..., Any], open_rig: OpenRig, autojump_clock: object
) -> None:
    """Its sale was lost with the engine; the next one rests it at what it was bought on."""
    async with left_by() as left:
        await left.take_off()
        left.not_offered()
        async with open_rig(file=left.file, simulation=left.world) as rig:
            await rig.until_running()
            await rig.until(lambda: exits_e2(rig, left.ticker) == left.held_e2, 10)
            listing = rig.parts.listing(left.ticker)
            assert "no such game" in listing.left_out
            assert rig.parts.listing(listing.sibling).game == listing.game
            (sale, *_) = rig.resting_exits(left.ticker)
            assert abs(sale.price_e4 - 10_000 * left.fair) <= 100
            await trio.sleep(1)
            shown = {each["ticker"]: each for each in rig.steering.snapshot()["markets"]}
            assert "no such game" in shown[left.ticker]["reason"]
            assert rig.entries(left.ticker) == [
                each for each in rig.entries(left.ticker) if each.created_ms < sale.created_ms
            ]
            rig.assert_books_equal()
            rig.assert_no_orphan()


async def test_a_sale_that_outlived_its_engine_stays_where_it_is(
    left_by: Callable[..., Any], open_rig: OpenRig, autojump_clock: object
) -> None:
    """Nothing is known of the game any more, and what rests was the last that was known."""
    async with left_by() as left:
        left.not_offered()
        before = {each.order_id: each.price_e4 for each in left.world.member.resting.values()}
        async with open_rig(file=left.file, simulation=left.world) as rig:
            await rig.until_running()
            await trio.sleep(5)
            after = {each.order_id: each.price_e4 for each in rig.resting(left.ticker)}
            assert after.items() <= before.items()
            assert rig.board.alarms == {}


@pytest.mark.parametrize("wish", [Flatten("me"), ForceClose("", "me")])
async def test_a_person_may_close_it(
    wish: Any, left_by: Callable[..., Any], open_rig: OpenRig, autojump_clock: object
) -> None:
    """Flatten and force close sell what no provider offers, as they sell the rest."""
    async with left_by() as left:
        left.not_offered()
        async with open_rig(file=left.file, simulation=left.world) as rig:
            await rig.until_running()
            if isinstance(wish, ForceClose):
                wish = attrs.evolve(wish, ticker=left.ticker)
            assert await rig.ask(wish)
            await rig.until(lambda: not rig.held_e2.get(left.ticker), 60)
            await trio.sleep(3)
            rig.assert_books_equal()


async def test_its_end_is_booked_and_it_goes(
    left_by: Callable[..., Any], open_rig: OpenRig, autojump_clock: object
) -> None:
    """Settled, it is paid and booked as any other, and its actors are taken away."""
    async with left_by() as left:
        await left.take_off()
        left.not_offered()
        async with open_rig(file=left.file, simulation=left.world) as rig:
            await rig.until_running()
            world = left.world.world
            world._end(world.fixtures[left.game.game_id], left.world.clock.wall_ms())
            await rig.until(lambda: rig.said(f"{left.ticker} settled"), 600)
            await rig.until(lambda: left.ticker not in rig.markets(), 400)
            await rig.until_running()
            rig.assert_books_equal()


async def test_an_engine_that_holds_something_starts_without_any_match(
    left_by: Callable[..., Any], open_rig: OpenRig, autojump_clock: object
) -> None:
    """It sells, and takes the games up once they are offered again."""
    async with left_by() as left:
        games = dict(left.world.desk.games)
        await left.take_off()
        left.not_offered(at_all=True)
        async with open_rig(file=left.file, simulation=left.world) as rig:
            await rig.until(lambda: exits_e2(rig, left.ticker) == left.held_e2, 20)
            assert all(each.left_out for each in rig.parts.catalogue.listings)
            left.world.desk.games.update(games)
            await rig.until(lambda: len(rig.markets()) == 4, 60)
            await rig.until(lambda: rig.parts.listing(left.ticker).left_out is None, 60)
            before = len(rig.entries())
            await rig.until(lambda: len(rig.entries()) > before, 600)


async def test_an_engine_that_holds_something_starts_without_its_provider(
    left_by: Callable[..., Any], open_rig: OpenRig, autojump_clock: object
) -> None:
    """What is ours does not wait for odds; the provider is asked again until it answers."""
    async with left_by() as left:
        await left.take_off()
        left.world.odds_conditions.rest_status = 503
        async with open_rig(file=left.file, simulation=left.world) as rig:
            assert rig.said("only what is held is looked after")
            await rig.until(lambda: exits_e2(rig, left.ticker) == left.held_e2, 20)
            await trio.sleep(30)
            assert readings(rig) == 0
            rig.heal()
            await rig.until(lambda: rig.parts.listing(left.ticker).left_out is None, 40)
            await rig.until_running()
            assert len(rig.markets()) == 4


async def test_an_engine_that_holds_nothing_does_not_start_without_its_provider(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """There is nothing that it could do."""
    world = new_world()
    world.odds_conditions.rest_status = 503
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.run)
        with pytest.RaisesGroup(FeedError, flatten_subgroups=True):
            async with open_rig(simulation=world):
                pass
        nursery.cancel_scope.cancel()


async def test_a_league_that_was_taken_out_of_the_settings_is_sold_off(
    left_by: Callable[..., Any], open_rig: OpenRig, autojump_clock: object
) -> None:
    """Its game is still listed, with the fees of its own series, and nothing is bought in it."""
    async with left_by() as left:
        await left.take_off()
        others = tuple(
            each for each in Settings().odds_feed.sports if each != left.game.league.key.lower()
        )
        settings = Settings(odds_feed=OddsFeed(sports=others))
        assert len(others) == 3
        async with open_rig(file=left.file, simulation=left.world, settings=settings) as rig:
            await rig.until(lambda: exits_e2(rig, left.ticker) == left.held_e2, 20)
            assert rig.parts.listing(left.ticker).left_out is not None
            bought = len(rig.entries(left.ticker))
            await trio.sleep(70)
            assert len(rig.entries(left.ticker)) == bought
            assert readings(rig) >= 1


async def test_a_market_that_lost_its_listing_gets_it_back(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Whatever took it away: a reading of the account that shows something of ours brings it."""
    async with open_rig(settings=MAKER_ONLY) as rig:
        await rig.until(lambda: bool(rig.held_e2), 600)
        ticker, _ = rig.held_e2.popitem()
        event = rig.parts.listing(ticker).game.event_ticker
        fixtures = rig.simulation.world.fixtures.values()
        game = next(f.game for f in fixtures if f.game.event_ticker == event)
        del rig.simulation.desk.games[game.game_id]
        rig.simulation.world.jump(game.game_id, 0.2 if ticker == game.home_ticker else 0.8)
        rest = [each for each in rig.parts.catalogue.listings if each.game.event_ticker != event]
        rig.parts.relist(
            rig.parts.found.without({event}),
            attrs.evolve(rig.parts.catalogue, listings=tuple(rest)),
        )
        await rig.until(lambda: rig.parts.listing(ticker) is not None, 60)
        assert "no such game" in rig.parts.listing(ticker).left_out
        await rig.until(lambda: exits_e2(rig, ticker) == rig.held_e2[ticker], 30)
