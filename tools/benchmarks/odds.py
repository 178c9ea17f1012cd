"""Odds: from a quote to a game's fair value with twelve books, and from messages to quotes.

Messages are the simulated providers' own, one price each and eight. Durations are of the processor,
so that others' work on the machine shows less; reading that clock itself is in them.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterable

import attrs
import trio

from arb.core.events import Quote
from arb.core.games import OddsEvent
from arb.core.parameters import Execution, Strategy
from arb.engine.game_odds import GameOdds
from arb.feeds.base import Parsed
from arb.feeds.odds_api_wire import parse_frame
from arb.feeds.opticodds_wire import OpticOddsReader
from arb.io.clock import SystemClock
from arb.sim.odds.desk import Change
from arb.sim.odds.opticodds import EventSession, fixture_id
from arb.sim.odds.stream import Filters, OddsSession
from arb.sim.simulation import Simulation, SimulationSettings
from arb.sim.world.sportsbooks import Line
from tools.benchmarks.figures import Figure, latencies, rate

TOPIC = "odds"

BOOKS = 12
FAIR_TARGETS_US = {"p50": 12.0}
QUOTES_TARGET_PER_S = 150_000
TOGETHER = 8
WARM_UP = 0.2

SPORT, LEAGUE = "football", "NFL"

Read = Callable[[str, int], Parsed]


@attrs.frozen
class Plan:
    """How much to measure."""

    quotes: int = 40_000
    games: int = 40


QUICK = Plan(quotes=8_000)


def run(plan: Plan) -> list[Figure]:
    """Measure fair values first, then two providers' readers."""
    fair = latencies(TOPIC, f"quote → fair value, {BOOKS} books", _fair(plan), FAIR_TARGETS_US)
    return [fair, *trio.run(_readers, plan)]


def _fair(plan: Plan) -> list[int]:
    strategy, execution = Strategy(), Execution()
    board = GameOdds.of(strategy).quotes
    rng, took_ns = random.Random(1), []
    for number in range(plan.quotes):
        quote = _quote(f"book {number % BOOKS}", 1_000_000 + number, rng)
        began_ns = time.process_time_ns()
        board.apply(quote)
        board.evaluate(
            quote.received_ms,
            min_books=strategy.min_books,
            book_confirm_ms=execution.book_confirm_ms,
            stale_odds_threshold_ms=execution.stale_odds_threshold_ms,
        )
        took_ns.append(time.process_time_ns() - began_ns)
    return took_ns[int(len(took_ns) * WARM_UP) :]


def _quote(book: str, at_ms: int, rng: random.Random) -> Quote:
    home = 1.8 + rng.uniform(-0.02, 0.02)
    return Quote("bench", "1", book, home, 1 / (1.045 - 1 / home), at_ms, at_ms)


async def _readers(plan: Plan) -> list[Figure]:
    figures = []
    for together in (1, TOGETHER):
        world = Simulation(SimulationSettings(games=plan.games), SystemClock())
        moments = list(_moments(world, plan, together))
        filters = Filters(["ML"], [], [], [], "")
        plain = OddsSession(world.desk, filters, _gone, with_seq=True, last_seq=None)
        frames = await _texts(plain, moments)
        figures.append(_reading(f"odds-api.io, {together} a frame", frames, parse_frame))
        books = list(world.desk.books)
        events = EventSession(world.desk, SPORT, [LEAGUE], books, _gone)
        texts = [text.strip("\n") for text in await _texts(events, moments)]
        # Its prices come one by one: an event has the rows of one book's.
        if together == 1:
            figures.append(_reading("OpticOdds, 1 an event", texts, _optic(world).event))
    return figures


def _gone(_session: object) -> None:
    """Let a session end."""


def _moments(world: Simulation, plan: Plan, together: int) -> Iterable[list[Change]]:
    rng = random.Random(2)
    games = [game for game in world.desk.games.values() if game.league.key == LEAGUE]
    now_ms = world.clock.wall_ms()
    for first in range(0, plan.quotes // 4, together):
        changes = []
        for number in range(first, first + together):
            home = rng.uniform(1.5, 2.6)
            line = Line(f"{home:.2f}", f"{1 / (1.045 - 1 / home):.2f}", now_ms - 100_000 + number)
            book = world.desk.books[number % len(world.desk.books)]
            game = games[number % len(games)]
            changes.append(Change("updated", game, book, line, number, now_ms))
        yield changes


async def _texts(session: OddsSession | EventSession, moments: list[list[Change]]) -> list[str]:
    texts = []
    for changes in moments:
        session.changed(changes)
        while len(session.outbox):
            texts.append(await session.outbox.take() or "")
    return texts


def _optic(world: Simulation) -> OpticOddsReader:
    reader = OpticOddsReader()
    reader.learn(
        [
            OddsEvent(
                "opticodds", fixture_id(game), "nfl", game.home.name, game.away.name, game.start_ms
            )
            for game in world.desk.games.values()
        ],
        0,
    )
    return reader


def _reading(what: str, texts: list[str], read: Read) -> Figure:
    now_ms = SystemClock().wall_ms() + 1_000
    gc.collect()
    quotes, began_ns = 0, time.process_time_ns()
    for text in texts:
        quotes += len(read(text, now_ms).quotes)
    took_ns = time.process_time_ns() - began_ns
    return rate(TOPIC, f"messages → quotes, {what}", quotes, took_ns, QUOTES_TARGET_PER_S)
