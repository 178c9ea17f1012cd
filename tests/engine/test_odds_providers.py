"""Each provider of odds drives a whole engine, and no trouble of it lets a stale price through."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest
import trio

from arb.faults.engine import ODDS
from arb.io.websocket import Socket, SocketClosed, open_socket
from arb.settings import OddsFeed, Settings
from arb.settings.sections import PROVIDERS, TheOddsApi
from arb.sim.odds.server import REPLACED
from tests.engine.conftest import Rig

OpenRig = Callable[..., Any]
Disturb = Callable[[Rig], Awaitable[None]]

GARBAGE = (
    "event: odds\ndata: {broken\n\n",
    '{"type":"data","payload":7}',
    '[{"id":5}]',
    "\x00\xff not a message",
)


# Often enough for a change to be seen while it is fresh.
QUICK = TheOddsApi(poll_interval_ms=1_000)


def settings_of(*providers: str) -> Settings:
    """Return settings in which some providers give the odds."""
    return attrs.evolve(Settings(), odds_feed=OddsFeed(provider=providers, the_odds_api=QUICK))


def bought(rig: Rig) -> int:
    """Count the entries that ever reached the exchange."""
    return len(rig.entries())


async def stands_still(rig: Rig, seconds: float) -> None:
    """Check that nothing is bought for a while, once what was fresh is old."""
    await trio.sleep(5.1)
    before = bought(rig)
    await trio.sleep(seconds)
    assert bought(rig) == before


async def goes_on(rig: Rig) -> None:
    """Heal the world, and wait until something is bought again."""
    before = bought(rig)
    rig.heal()
    await rig.until_running()
    await rig.until(lambda: bought(rig) > before)


async def restarted(rig: Rig) -> None:
    """Let the server go and come back: nobody answers meanwhile."""
    rig.network.deafen(*ODDS)
    rig.simulation.odds.cut_connections()
    await rig.until(lambda: rig.state == "paused", 60)
    assert "Odds is down" in rig.reasons
    await stands_still(rig, 20)
    rig.network.listen(*ODDS, rig.simulation.odds.serve_stream)


async def silent(rig: Rig) -> None:
    """Let the connection live and say nothing, and let nothing be read either."""
    rig.simulation.odds_conditions.freeze = True
    rig.simulation.odds_conditions.silent = True
    rig.simulation.odds_conditions.rest_status = 503
    await stands_still(rig, 60)


async def garbled(rig: Rig) -> None:
    """Send what is no message of anybody, between messages that are."""
    for text in GARBAGE:
        rig.simulation.odds.inject_frame(text)
    await trio.sleep(5)
    assert rig.board.bad or rig.board.counts["odds notice: unknown type"]


async def sent_away(rig: Rig) -> None:
    """End every stream with 1013, and everything else with 429."""
    rig.simulation.odds_conditions.rest_status = 429
    rig.simulation.odds.throttle()
    await stands_still(rig, 60)


async def refused(rig: Rig) -> None:
    """Answer 429 to whoever wants a stream, and to all else."""
    rig.simulation.odds_conditions.rest_status = 429
    rig.simulation.odds_conditions.refuse_upgrades = 429
    rig.simulation.odds.cut_connections()
    await stands_still(rig, 60)


async def resumed_without_a_word(rig: Rig) -> None:
    """Lose what was said while a connection was away, although a resume was granted."""
    conditions, desk = rig.simulation.odds_conditions, rig.simulation.desk
    conditions.forget_resume = True
    for game_id in rig.simulation.world.fixtures:
        rig.network.deafen(*ODDS)
        rig.simulation.odds.cut_connections()
        rig.simulation.world.jump(game_id, 0.6)
        await trio.sleep(3)
        conditions.frozen_books = set(desk.books)
        rig.network.listen(*ODDS, rig.simulation.odds.serve_stream)
        await rig.until_running()
        await trio.sleep(3)
        held, told = prices_held(rig, game_id), prices_told(rig, game_id)
        assert {book: told[book] for book in held} == pytest.approx(held, abs=0.006)
        conditions.frozen_books = set()


def prices_held(rig: Rig, game_id: int) -> dict[str, float]:
    """Return what the engine takes the books to say of the home team, margins included."""
    game = rig.simulation.world.fixtures[game_id].game
    listing = rig.parts.listing(game.home_ticker)
    assert listing is not None
    quotes = rig.parts.odds_of(listing.game.game_id).quotes.quotes()
    return {each.book: 1 / each.quote.home for each in quotes if not each.quote.suspended}


def prices_told(rig: Rig, game_id: int) -> dict[str, float]:
    """Return what the provider says."""
    lines = rig.simulation.desk.lines(game_id)
    return {book: 1 / float(line.home) for book, line in lines.items()}


DISTURBANCES = (restarted, silent, garbled, sent_away, refused, resumed_without_a_word)


@pytest.mark.slow
@pytest.mark.parametrize("disturb", DISTURBANCES)
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_provider_drives_the_engine_and_survives_its_troubles(
    provider: str, disturb: Disturb, open_rig: OpenRig, autojump_clock: object
) -> None:
    """A minute of trading, then one trouble; nothing is bought on stale odds, and it goes on."""
    async with open_rig(games=4, settings=settings_of(provider)) as rig:
        await trio.sleep(60)
        assert bought(rig) >= 2
        assert rig.board.counts["quotes"] > 300

        await disturb(rig)
        await goes_on(rig)

        assert rig.board.counts["invariant_violations"] == 0
        assert all(node.restarts == 0 for node in rig.system.snapshot())


async def test_what_is_polled_and_left_out_is_shown(
    open_rig: OpenRig, autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines beyond the limit are counted as bad input: prices never stop without a word."""
    monkeypatch.setattr("arb.feeds.unabated_wire.LINES_MAX", 10)
    async with open_rig(settings=settings_of("unabated")) as rig:
        await rig.until(lambda: bool(rig.board.bad), 60)
        (shown,) = rig.steering.snapshot()["bad_input"]

    assert (shown["source"], shown["reason"]) == ("Odds polls", "more lines than are kept")
    assert " lines of " in shown["example"]


async def ended(socket: Socket) -> int | None:
    """Read until a socket is closed, and return with which code."""
    while True:
        try:
            await socket.receive()
        except SocketClosed as closed:
            return closed.code


async def test_a_second_connection_of_one_key_closes_the_first_which_comes_back(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Somebody else with our key takes the stream away; the engine stops, and takes it back."""
    async with open_rig() as rig:
        await rig.until_running()
        key, (host, port) = rig.simulation.odds_key, ODDS
        url = f"ws://{host}:{port}/v3/ws?apiKey={key}&markets=ML"
        async with open_socket(rig.network, url) as other:
            await rig.until(lambda: "Odds is down" in rig.reasons, 5)
            assert await ended(other) == REPLACED
        await rig.until_running()
        assert len(rig.simulation.odds.sessions) == 1


@pytest.mark.slow
async def test_all_providers_run_at_once(open_rig: OpenRig, autojump_clock: object) -> None:
    """Each has an actor and a connection of its own, and each must be up for an order."""
    async with open_rig(games=4, settings=settings_of(*PROVIDERS)) as rig:
        await rig.until_running()
        names = {node.name for node in rig.system.snapshot()}
        assert {"odds", *(f"odds-{each}" for each in PROVIDERS[1:])} <= names
        assert {f"Odds {each}" for each in PROVIDERS[1:]} <= set(rig.board.connections)
        await rig.until(lambda: bought(rig) >= 2)
        assert all(node.restarts == 0 for node in rig.system.snapshot())


async def test_odds_are_not_believed_while_their_feed_is_being_stopped(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Its mailbox takes no frame any more: the next one that comes says that the odds are down."""
    async with open_rig() as rig:
        await rig.until_running()

        async def slowly(_reason: str) -> None:
            await trio.sleep(8)

        rig.instance("odds").stop = slowly
        restarted = rig.system.restart("odds")
        rig.simulation.odds.inject_frame("{}")
        await rig.until(lambda: "Odds is down: it is being stopped" in rig.reasons, 0.1)
        await restarted
        await rig.until_running()
