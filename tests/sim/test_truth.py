"""What is true in a world, and what the process that started it may ask."""

# flake8: noqa: ASYNC124 - a clock needs a running loop, whether anything waits or not

from __future__ import annotations

import orjson
import trio

from arb.io.clock import VirtualClock
from arb.sim.exchange.placing import place
from arb.sim.exchange.values import BookSide, Lifetime, OrderRequest
from arb.sim.simulation import Simulation, SimulationSettings
from arb.sim.switchboard import Switchboard
from arb.sim.truth import truth_of
from arb.sim.wishes import answer
from arb.sim.world.games import Calendar

EPOCH_MS = 1_795_343_226_907


def new_world(calendar: Calendar | None = None) -> Simulation:
    """Make a world of two games."""
    settings = SimulationSettings(games=2, calendar=calendar or Calendar())
    return Simulation(settings, VirtualClock(EPOCH_MS))


async def test_a_new_world_has_books_and_an_account(autojump_clock: object) -> None:
    """Every market's levels, all the cash, and nothing that was done with it."""
    world = new_world()
    truth = truth_of(world)

    assert truth["books"].keys() == world.venue.markets.keys()
    assert all(sides["bid"] and sides["ask"] for sides in truth["books"].values())
    assert truth["cash_e6"] == world.settings.cash_e6
    assert (truth["orders"], truth["ended"], truth["fills"]) == (0, 0, 0)
    assert orjson.loads(orjson.dumps(truth)) == truth


async def test_what_was_traded_is_told_to_the_last_unit(autojump_clock: object) -> None:
    """A purchase with its fee, its fill and its id, and an order that rests."""
    world = new_world()
    ticker = min(world.venue.markets)
    ask_e4 = min(int(price) for price in truth_of(world)["books"][ticker]["ask"])
    once = Lifetime.IMMEDIATE_OR_CANCEL
    place(
        world.venue,
        world.member,
        OrderRequest(ticker, BookSide.BID, 100, ask_e4, once, client_order_id="a"),
    )
    place(
        world.venue,
        world.member,
        OrderRequest(ticker, BookSide.ASK, 100, 9_900, client_order_id="b"),
    )
    truth = truth_of(world)

    fee_e6 = truth["fees_e6"][ticker]
    assert fee_e6 > 0
    assert truth["cash_e6"] == world.settings.cash_e6 - 100 * ask_e4 - fee_e6
    assert truth["positions"] == {ticker: 100}
    assert truth["resting"] == {"b": [9_900, 100]}
    assert truth["filled_e2"] == [["a", 100], ["b", 0]]
    assert len(truth["trade_ids"]) == truth["fills"] == 1


async def test_the_end_of_a_game_is_told(autojump_clock: object) -> None:
    """What was held is paid, and is among the settled."""
    world = new_world(Calendar(start_in_ms=1_000, length_ms=1_000))
    ticker = min(world.venue.markets)
    place(world.venue, world.member, OrderRequest(ticker, BookSide.BID, 100, 9_900))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.run)
        with trio.fail_after(1_000):
            while truth_of(world)["ended"] < 4:  # noqa: ASYNC110
                await trio.sleep(1)
        nursery.cancel_scope.cancel()
    truth = truth_of(world)

    ((paid, count_e2, value_e4),) = truth["settled"]
    assert (paid, count_e2) == (ticker, 100)
    assert value_e4 in (0, 10_000)
    assert truth["positions"] == {}
    gained_e6 = truth["realised_e6"][ticker] - truth["fees_e6"][ticker]
    assert truth["cash_e6"] == world.settings.cash_e6 + gained_e6


async def test_games_are_added_one_by_one(autojump_clock: object) -> None:
    """Each is another one, begins so far ahead as the calendar says, and is on both sides."""
    world = new_world(Calendar(start_in_ms=60_000, stagger_ms=3_600_000))
    board = Switchboard(world, world.clock)
    said = [orjson.loads(answer(board, b'{"do":"new_game"}')) for _ in range(8)]
    listed = {each["listed"] for each in said}
    truth = orjson.loads(answer(board, b'{"do":"truth"}'))["truth"]

    assert len(listed) == 8
    assert len(world.world.fixtures) == 10
    assert len(world.desk.games) == 10
    starts = [each.game.start_ms for each in list(world.world.fixtures.values())[2:]]
    assert min(starts) == EPOCH_MS + 60_000
    assert len(world.venue.markets) == 20
    assert truth == truth_of(world)
