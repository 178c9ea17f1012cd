"""Games that are listed while the engine runs are traded; games that are over go, all by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from arb.engine.decision_log import DecisionLog
from arb.engine.messages import Flatten, Pause
from arb.engine.names import BOOK_FEED, DISCOVERY, ODDS_FEED, RISK
from tests.engine.conftest import MAKER_ONLY
from tests.engine.listing_bench import (
    end_game,
    first_game,
    generations,
    is_up,
    lives,
    new_game,
    readings,
    reason,
    subscribed,
)

OpenRig = Callable[..., Any]


async def test_a_new_game_is_traded_without_a_restart(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Seconds after it is listed both its markets have books and fair values, and are bought."""
    async with open_rig(settings=MAKER_ONLY) as rig:
        await rig.until_running()
        before = generations(rig)
        game = new_game(rig)
        for ticker in (game.home_ticker, game.away_ticker):
            await rig.until(lambda ticker=ticker: is_up(rig, ticker), 30)

        assert rig.said(f"games new: {game.league.key}-")
        assert {game.home_ticker, game.away_ticker} <= subscribed(rig)
        shown = {each["ticker"] for each in rig.steering.snapshot()["markets"]}
        assert {game.home_ticker, game.away_ticker} <= shown
        await rig.until(lambda: bool(rig.orders(game.home_ticker)), 600)
        assert before.items() <= generations(rig).items()
        assert rig.board.bad == {}
        await rig.withdraw(cancel_exits=True)
        await trio.sleep(5)
        rig.assert_books_equal()


async def test_a_finished_game_goes_and_disturbs_nobody(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Once it has settled its actors, books and rows are gone, and the others trade on."""
    async with open_rig() as rig:
        await rig.until_running()
        await rig.ask(Pause("a test"))
        await rig.until(lambda: not rig.held_e2 and not rig.resting(), 600)
        game = first_game(rig)
        before = generations(rig)
        end_game(rig, game)
        await trio.sleep(1)
        assert reason(rig, game.home_ticker) == "the market is closed"
        await rig.until(lambda: game.home_ticker not in rig.markets(), 400)
        await rig.until(lambda: game.away_ticker not in rig.markets(), 5)
        await trio.sleep(2)

        assert rig.said("games over: ")
        assert rig.parts.listing(game.home_ticker) is None
        assert game.home_ticker not in subscribed(rig)
        assert game.home_ticker not in rig.board.markets
        assert len(rig.markets()) == 2
        after = generations(rig)
        assert after == {name: before[name] for name in after}
        assert not rig.said("is away")
        assert rig.state == "paused"


async def test_a_game_that_is_over_leaves_nothing_behind(
    open_rig: OpenRig, autojump_clock: object, tmp_path: Path
) -> None:
    """Its holding goes with it, and risk lets go of its actor: there is always another game."""
    async with open_rig(settings=MAKER_ONLY) as rig:
        decisions = DecisionLog(tmp_path / "decisions", rig.parts.clock, print)
        rig.parts.decisions = decisions
        await rig.until(lambda: bool(rig.held_e2), 300)
        ticker = next(iter(rig.held_e2))
        actors = rig.instance(RISK)._markets
        assert ticker in rig.board.holdings
        assert ticker in actors._addresses
        fair_bought = rig.risk._books._fair_bought
        assert ticker in decisions._lasting
        assert ticker in fair_bought
        await rig.ask(Flatten("a test"))
        await rig.until(lambda: not rig.held_e2 and not rig.resting(), 600)
        fixtures = rig.simulation.world.fixtures.values()
        game = next(f.game for f in fixtures if ticker in (f.game.home_ticker, f.game.away_ticker))
        end_game(rig, game)
        await rig.until(lambda: ticker not in rig.markets(), 400)
        await trio.sleep(2)

        assert ticker not in rig.board.holdings
        assert ticker not in actors._addresses
        assert actors.is_away(ticker)
        assert ticker not in decisions._lasting
        assert ticker not in fair_bought


async def test_a_held_game_stays_until_nothing_is_left_in_it(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A game that the feed offers no more is sold but not bought, and goes when it is flat."""
    async with open_rig(settings=MAKER_ONLY) as rig:
        await rig.until(lambda: bool(rig.held_e2), 300)
        ticker = next(iter(rig.held_e2))
        fixtures = rig.simulation.world.fixtures.values()
        game = next(f.game for f in fixtures if ticker in (f.game.home_ticker, f.game.away_ticker))
        del rig.simulation.desk.games[game.game_id]
        since = readings(rig)
        await rig.until(lambda: readings(rig) > since, 120)
        bought = len(rig.entries(ticker))
        assert "not traded any more: no such game" in str(rig.parts.listing(ticker).left_out)
        await rig.until(lambda: readings(rig) >= since + 5 or not rig.held_e2.get(ticker), 600)
        assert ticker in rig.markets() or not rig.held_e2.get(ticker)
        assert len(rig.entries(ticker)) == bought
        unmatched = " ".join(rig.steering.snapshot()["unmatched"])
        assert game.home.label in unmatched or game.home.name in unmatched

        rig.simulation.world.jump(game.game_id, 0.99 if ticker == game.home_ticker else 0.01)
        await rig.until(lambda: not rig.held_e2.get(ticker), 600)
        await rig.until(lambda: ticker not in rig.markets(), 400)


async def test_a_game_that_comes_back_is_bought_again(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """One list that came back short takes no actor down, and the next one puts all right."""
    async with open_rig() as rig:
        await rig.until_running()
        before = generations(rig)
        games = dict(rig.simulation.desk.games)
        rig.simulation.desk.games.clear()
        since = readings(rig)
        await rig.until(lambda: readings(rig) > since, 120)
        assert all(each.left_out for each in rig.parts.catalogue.listings)
        rig.simulation.desk.games.update(games)
        await rig.until(lambda: readings(rig) > since + 1, 120)

        assert not any(each.left_out for each in rig.parts.catalogue.listings)
        assert generations(rig) == before


@pytest.mark.parametrize("name", [BOOK_FEED, ODDS_FEED, RISK, DISCOVERY])
async def test_whoever_restarts_knows_the_games_of_the_moment(
    name: str, open_rig: OpenRig, autojump_clock: object
) -> None:
    """After a kill of any actor a game that came later is there as the first ones are."""
    async with open_rig(settings=MAKER_ONLY) as rig:
        await rig.until_running()
        game = new_game(rig)
        await rig.until(lambda: is_up(rig, game.home_ticker), 30)
        await rig.system.kill(name)
        await rig.until_running()
        rig.board.markets.pop(game.home_ticker)
        await rig.until(lambda: is_up(rig, game.home_ticker), 60)
        later = new_game(rig, seed=78)
        await rig.until(lambda: is_up(rig, later.home_ticker), 60)

        assert {game.home_ticker, later.away_ticker} <= subscribed(rig)
        assert len(rig.markets()) == 8


async def test_a_market_that_restarts_takes_its_listing_of_the_moment(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A market of a later game is killed and restarted like any other."""
    async with open_rig() as rig:
        await rig.until_running()
        game = new_game(rig)
        await rig.until(lambda: is_up(rig, game.home_ticker), 30)
        await rig.system.kill(game.home_ticker)
        rig.board.markets.pop(game.home_ticker, None)
        await rig.until(lambda: is_up(rig, game.home_ticker), 30)
        assert generations(rig)[game.home_ticker] == 2


async def test_discovery_that_is_set_apart_holds_nobody_up(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """However much is said meanwhile, books and trading go on; released, it reads the lists."""
    async with open_rig() as rig:
        await rig.until_running()
        await rig.system.quarantine(DISCOVERY)
        session, one = lives(rig)
        for number in range(3_000):
            body: dict[str, object] = {"market_ticker": f"KX-{number}", "event_type": "created"}
            session.emit(one, "market_lifecycle_v2", body)
        game = new_game(rig)
        await trio.sleep(60)
        assert rig.state == "running"
        assert rig.parts.listing(game.home_ticker) is None
        assert rig.board.bad == {}

        await rig.system.release(DISCOVERY)
        await rig.until(lambda: is_up(rig, game.home_ticker), 30)
        counts = generations(rig)
        assert {counts.pop(DISCOVERY), *counts.values()} == {1, 2}


async def test_lists_that_cannot_be_read_leave_everything_as_it_was(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """An exchange or a provider that answers 500 is said, and read again soon."""
    async with open_rig() as rig:
        await rig.until_running()
        await trio.sleep(30)
        for conditions in (rig.simulation.exchange_conditions, rig.simulation.odds_conditions):
            since = readings(rig)
            conditions.rest_status = 500
            await rig.until(lambda: rig.said("games not read again"), 120)
            await trio.sleep(20)
            assert readings(rig) == since
            assert len(rig.parts.catalogue.listings) == 4
            rig.heal()
            await rig.until(lambda since=since: readings(rig) > since, 20)
            rig.board.log.clear()


async def test_games_are_read_at_intervals(open_rig: OpenRig, autojump_clock: object) -> None:
    """In silence both sides are read once a minute, and nothing changes by it."""
    async with open_rig() as rig:
        await rig.until_running()
        await trio.sleep(40)
        since, catalogue = readings(rig), rig.parts.catalogue
        await trio.sleep(300)

        assert readings(rig) - since == 5
        assert rig.parts.catalogue == catalogue
        assert not rig.said("games new")
