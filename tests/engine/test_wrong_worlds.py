"""A slate in which something is wrong: no order follows, and the console's row says why."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import trio

from arb.core.consensus import NoConsensusReason
from arb.core.evaluate import Gate
from arb.io.clock import VirtualClock
from arb.sim.conditions import OddsConditions
from arb.sim.simulation import Simulation, SimulationSettings
from arb.sim.world.games import Calendar, Game
from tests.engine.conftest import EPOCH_MS, Rig, new_world

OpenRig = Callable[..., Any]


FROZEN = ("DraftKings", "BetMGM", "Caesars")


def reasons(rig: Rig, game: Game) -> set[str]:
    """Return what the console's rows of a game's markets say."""
    shown = {each["ticker"]: each["reason"] for each in rig.steering.snapshot()["markets"]}
    return {shown[game.home_ticker], shown[game.away_ticker]}


def bought(rig: Rig, *games: Game) -> int:
    """Count the entries that ever reached the exchange in some games."""
    tickers = {ticker for game in games for ticker in (game.home_ticker, game.away_ticker)}
    return sum(order.ticker in tickers for order in rig.entries())


def conditions_of(rig: Rig) -> OddsConditions:
    """Return what is wrong with the odds."""
    return rig.simulation.odds_conditions


async def only(rig: Rig, allowed: Collection[str], game: Game, seconds: float) -> None:
    """Check for a while that a game's rows say nothing but some reasons."""
    for _ in range(int(seconds * 4)):
        await trio.sleep(0.25)
        assert reasons(rig, game) <= set(allowed)


async def test_an_inverted_market_of_the_slate_is_not_bought(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Its provider has home and away the wrong way round; the other games are traded."""
    world = new_world(games=4)
    game, *others = (fixture.game for fixture in world.world.fixtures.values())
    world.odds_conditions.swapped_games = {game.game_id}
    async with trio.open_nursery() as nursery:
        world.world.jump(game.game_id, 0.7)
        nursery.start_soon(world.run)
        await trio.sleep(10)
        async with open_rig(simulation=world) as rig:
            await rig.until_running()
            await only(rig, {Gate.INVERTED}, game, 60)

            assert bought(rig, game) == 0
            assert bought(rig, *others) > 0
            assert rig.board.refusals[Gate.INVERTED] >= 2
            assert rig.said(f"{game.home_ticker}: {Gate.INVERTED}")
        nursery.cancel_scope.cancel()


async def test_two_games_whose_starts_are_swapped_are_not_bought(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """The games on either side are the same teams' and another day's: both are left out."""
    hours = 3_600_000
    calendar = Calendar(start_in_ms=2 * hours, stagger_ms=3 * hours)
    world = Simulation(SimulationSettings(games=4, calendar=calendar), VirtualClock(EPOCH_MS))
    one, _, other, _ = (fixture.game for fixture in world.world.fixtures.values())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.run)
        async with open_rig(simulation=world) as rig:
            await rig.until_running()
            await rig.until(lambda: bought(rig, one, other) > 0, 300)
            world.desk.swap_starts(one.game_id, other.game_id)
            left_out = {"not traded any more: start times disagree"}
            await rig.until(lambda: reasons(rig, one) | reasons(rig, other) == left_out, 90)
            before = bought(rig, one, other)
            await only(rig, left_out, one, 60)

            assert bought(rig, one, other) == before
            unmatched = (await rig.steering.show("matching", ""))["unmatched"]
            named = {one.event_ticker, other.event_ticker}
            assert named <= {each["id"] for each in unmatched}
            assert {each["reason"] for each in unmatched} == {"start times disagree"}
        nursery.cancel_scope.cancel()


async def test_three_frozen_books_of_five_buy_nothing(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Their old price is the median, and readings confirm it: two that move are believed more."""
    async with open_rig(games=2) as rig:
        conditions_of(rig).absent_books = {"Bet365"}
        await rig.until_running()
        await trio.sleep(20)
        game, _ = (fixture.game for fixture in rig.simulation.world.fixtures.values())
        rig.simulation.world.jump(game.game_id, 0.50)
        await trio.sleep(10)
        await rig.until(lambda: not rig.resting_entries())
        before = bought(rig, game)
        conditions_of(rig).frozen_books = set(FROZEN)
        rig.simulation.world.jump(game.game_id, 0.62)
        await trio.sleep(8)
        await only(rig, {NoConsensusReason.TOO_FEW_MOVE}, game, 60)

        assert bought(rig, game) == before
        shown = await rig.steering.show("market", game.home_ticker)
        standings = {each["book"]: each["standing"] for each in shown["odds"]["quotes"]}
        assert [standings[book] for book in FROZEN] == ["frozen while others moved"] * 3
        assert left_out(rig, game) == {f"{book} frozen while others moved" for book in FROZEN}


async def test_a_book_that_vanishes_or_doubles_its_margin_is_left_out(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Nobody says suspended; the row's closer look does, and the rest goes on."""
    async with open_rig(games=2) as rig:
        await rig.until_running()
        await trio.sleep(10)
        (game, _) = (fixture.game for fixture in rig.simulation.world.fixtures.values())
        conditions_of(rig).absent_books = {"BetMGM"}
        conditions_of(rig).greedy_books = {"Caesars"}
        await trio.sleep(40)
        rig.simulation.world.jump(game.game_id, 0.55)
        await trio.sleep(3)

        assert left_out(rig, game) == {"BetMGM gone from its provider", "Caesars margin doubled"}
        rig.heal()
        rig.simulation.world.jump(game.game_id, 0.60)
        await rig.until(lambda: not left_out(rig, game), 45)


def left_out(rig: Rig, game: Game) -> set[str]:
    """Return which books do not count, and why."""
    return set(rig.board.markets[game.home_ticker].left_out)
