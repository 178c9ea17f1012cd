"""Games that come and go in a world in which an engine is at work."""

from __future__ import annotations

import random

from arb.sim.websocket.session import Session
from arb.sim.websocket.subscriptions import Channel, Subscription
from arb.sim.world.games import Calendar, Game, make_games
from arb.sim.world.leagues import MLB, League
from tests.engine.conftest import Rig


def new_game(rig: Rig, league: League = MLB, seed: int = 77) -> Game:
    """List one more game; its id is unlike those that the world began with."""
    (made,) = make_games(
        random.Random(seed), 1, rig.simulation.clock.wall_ms(), Calendar(), (league,)
    )
    values = {
        name: getattr(made, name) for name in ("league", "home", "away", "start_ms", "end_ms")
    }
    game = Game(game_id=made.game_id + 500 + seed, **values)
    rig.simulation.add_game(game)
    return game


def first_game(rig: Rig) -> Game:
    """Return some game that the world began with."""
    return next(iter(rig.simulation.world.fixtures.values())).game


def end_game(rig: Rig, game: Game) -> None:
    """Blow the final whistle; the markets close now and settle in their time."""
    world = rig.simulation.world
    world._end(world.fixtures[game.game_id], rig.simulation.clock.wall_ms())


def books_subscription(rig: Rig) -> Subscription:
    """Return the exchange's view of the books' subscription."""
    found = rig.session(Channel.BOOK).subscription(Channel.BOOK)
    assert found is not None
    return found


def subscribed(rig: Rig) -> set[str]:
    """Return the markets of the books' subscription."""
    return set(books_subscription(rig).tickers or ())


def lives(rig: Rig) -> tuple[Session, Subscription]:
    """Return the session and the subscription to the markets' lives."""
    session = rig.session(Channel.LIFECYCLE)
    found = session.subscription(Channel.LIFECYCLE)
    assert found is not None
    return session, found


def generations(rig: Rig) -> dict[str, int]:
    """Return how often each actor has been started."""
    return {node.name: node.generation for node in rig.system.snapshot()}


def readings(rig: Rig) -> int:
    """Return how often both sides' lists were read since the start."""
    return rig.board.counts["listings_read"]


def reason(rig: Rig, ticker: str) -> str:
    """Return what a market's row says."""
    return rig.board.markets[ticker].reason


def is_up(rig: Rig, ticker: str) -> bool:
    """Tell whether a market has an actor that sees a fair value and a book."""
    row = rig.board.markets.get(ticker)
    return ticker in rig.markets() and row is not None and row.fair is not None and bool(row.bid_e4)
