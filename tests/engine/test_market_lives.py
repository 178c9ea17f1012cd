"""What the exchange says of its markets while they trade: pauses, closes, grids and fees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
import trio

from arb.core.events import Liquidity, Side
from arb.core.grid import PriceGrid
from arb.core.money import CountE2, PriceE4
from arb.engine.messages import Pause
from arb.sim.exchange.grid import DECI_CENT
from arb.sim.exchange.lifecycle import change_grid, close, pause_market, resume_market
from arb.sim.exchange.markets import MarketStatus
from arb.sim.exchange.values import BookSide
from arb.sim.websocket.subscriptions import Channel
from tests.engine.conftest import MAKER_ONLY, Rig
from tests.engine.listing_bench import first_game, generations, lives, readings, reason

OpenRig = Callable[..., Any]

MINUTE_MS = 60_000


def fee_e6(rig: Rig, ticker: str) -> int:
    """Return what taking ten contracts at fifty cents costs now."""
    price, count = PriceE4(5_000), CountE2(1_000)
    return int(rig.parts.fee_e6(ticker, price, count, Liquidity.TAKER))


async def test_a_paused_market_sends_nothing_and_says_so(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Its entries and sales wait until the exchange resumes it; other markets trade on."""
    async with open_rig(settings=MAKER_ONLY) as rig:
        await rig.until(lambda: bool(rig.held_e2), 300)
        ticker = next(iter(rig.held_e2))
        venue = rig.simulation.venue
        market = venue.markets[ticker]
        pause_market(venue, market)
        await trio.sleep(0.01)
        assert "Kalshi has paused" in reason(rig, ticker)
        refused, sent = dict(rig.board.refusals), len(rig.orders(ticker))
        await trio.sleep(20)
        assert len(rig.orders(ticker)) == sent
        assert {k: v for k, v in rig.board.refusals.items() if "exchange" in k} == {
            k: v for k, v in refused.items() if "exchange" in k
        }
        assert rig.parts.listing(ticker).shut(0) is not None

        resume_market(venue, market)
        await trio.sleep(0.01)
        assert rig.parts.listing(ticker).shut(rig.simulation.clock.wall_ms()) is None
        held = rig.held_e2.get(ticker, 0)
        if held:
            await rig.until(lambda: bool(rig.resting_exits(ticker)), 10)
        await trio.sleep(5)
        await rig.withdraw(cancel_exits=True)
        await trio.sleep(3)
        rig.assert_books_equal()
        rig.assert_no_orphan()


async def test_a_pause_survives_a_cached_list(open_rig: OpenRig, autojump_clock: object) -> None:
    """A list that was cached before the pause does not end it."""
    async with open_rig() as rig:
        await rig.until_running()
        await trio.sleep(30)
        ticker = first_game(rig).home_ticker
        venue = rig.simulation.venue
        pause_market(venue, venue.markets[ticker])
        await trio.sleep(0.01)
        # What a cache would serve: the market as it was.
        status, venue.markets[ticker].status = venue.markets[ticker].status, MarketStatus.ACTIVE
        since = readings(rig)
        rig.instance("discovery").want_reading("a test")
        await rig.until(lambda: readings(rig) > since, 20)
        assert rig.parts.listing(ticker).shut(0) == "Kalshi has paused the market"
        venue.markets[ticker].status = status
        await rig.until(lambda: readings(rig) > since + 1, 60)
        assert rig.parts.listing(ticker).shut(0) == "Kalshi has paused the market"


def unreadable(rig: Rig) -> None:
    """Let a message come that nobody can read."""
    rig.session(Channel.LIFECYCLE).outbox.put("no json {")


def missing(rig: Rig) -> None:
    """Let a message be lost, which the next one shows."""
    session, one = lives(rig)
    one.seq += 1
    session.emit(one, "market_lifecycle_v2", {"market_ticker": "KXBTC-1", "event_type": "created"})


def cut_off(rig: Rig) -> None:
    """Let the connection end, and with it what is on its way."""
    rig.session(Channel.LIFECYCLE).outbox.close(1001, "going away")


@pytest.mark.parametrize("lost", [unreadable, missing, cut_off])
async def test_a_pause_whose_end_was_lost_ends_with_the_next_reading(
    lost: Callable[[Rig], None], open_rig: OpenRig, autojump_clock: object
) -> None:
    """A pause that was heard before does not overrule a list that is read after the loss."""
    async with open_rig() as rig:
        await rig.until_running()
        await trio.sleep(30)
        market = rig.simulation.venue.markets[first_game(rig).home_ticker]
        pause_market(rig.simulation.venue, market)
        await trio.sleep(0.01)
        assert rig.parts.listing(market.ticker).shut(0) == "Kalshi has paused the market"
        market.status = MarketStatus.ACTIVE
        since = readings(rig)
        lost(rig)
        await rig.until(lambda: readings(rig) > since, 18)
        assert rig.parts.listing(market.ticker).shut(0) is None


async def test_an_end_is_remembered_whatever_was_lost(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """No message undoes it, and a list may be from before."""
    async with open_rig() as rig:
        await rig.until_running()
        await trio.sleep(30)
        session, one = lives(rig)
        ticker = first_game(rig).home_ticker
        body: dict[str, object] = {"market_ticker": ticker, "event_type": "determined"}
        session.emit(one, "market_lifecycle_v2", body)
        await trio.sleep(0.01)
        since = readings(rig)
        unreadable(rig)
        await rig.until(lambda: readings(rig) > since, 18)
        assert rig.parts.listing(ticker).status.value == "determined"


async def test_a_closed_market_is_left_alone(open_rig: OpenRig, autojump_clock: object) -> None:
    """From the moved close on nothing is sent, though no message tells of the status."""
    async with open_rig(settings=MAKER_ONLY) as rig:
        await rig.until_running()
        ticker = first_game(rig).home_ticker
        venue = rig.simulation.venue
        close(venue, venue.markets[ticker])
        await trio.sleep(0.01)
        sent = len(rig.orders(ticker))
        await trio.sleep(20)

        assert reason(rig, ticker) == "the market is closed"
        assert len(rig.orders(ticker)) == sent


async def test_a_new_grid_is_traded_on(open_rig: OpenRig, autojump_clock: object) -> None:
    """The book is read anew on the finer grid, and equals the exchange's with its new levels."""
    async with open_rig() as rig:
        await rig.until_running()
        await rig.ask(Pause("a test"))
        ticker = first_game(rig).home_ticker
        venue = rig.simulation.venue
        before = generations(rig)
        change_grid(venue, venue.markets[ticker], DECI_CENT)
        await trio.sleep(3)

        assert rig.parts.listing(ticker).grid == PriceGrid(((0, 10_000, 10),))
        books = rig.instance("books")._books
        assert books.broken() == ()
        for side in BookSide:
            ours = dict(books._books[ticker].levels(Side(side.value)))
            assert ours == dict(venue.markets[ticker].book.levels(side))
        assert generations(rig) == before


async def test_a_fine_price_without_a_message_asks_for_the_lists(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A price between two cents is the first sign of a grid whose message was missed."""
    async with open_rig() as rig:
        await rig.until_running()
        await trio.sleep(30)
        ticker = first_game(rig).home_ticker
        market = rig.simulation.venue.markets[ticker]
        market.grid = DECI_CENT
        since = readings(rig)
        book = rig.instance("books")
        body: dict[str, object] = {
            "market_ticker": ticker,
            "market_id": "x",
            "price_dollars": "0.0015",
            "delta_fp": "10.00",
            "side": "yes",
        }
        session = rig.session(Channel.BOOK)
        session.emit(session.subscription(Channel.BOOK), "orderbook_delta", body)
        await rig.until(lambda: readings(rig) > since, 20)
        assert rig.parts.listing(ticker).grid == PriceGrid(((0, 10_000, 10),))
        await trio.sleep(2)
        assert book._books.broken() == ()


async def test_an_events_own_fees_come_and_go(open_rig: OpenRig, autojump_clock: object) -> None:
    """An override is in force at once in both markets, and the series' fees after it."""
    async with open_rig() as rig:
        await rig.until_running()
        game = first_game(rig)
        usual = fee_e6(rig, game.home_ticker)
        session, one = lives(rig)
        body: dict[str, object] = {
            "event_ticker": game.event_ticker,
            "fee_type_override": "quadratic",
            "fee_multiplier_override": 0,
        }
        session.emit(one, "event_fee_update", body)
        await trio.sleep(0.01)
        assert fee_e6(rig, game.home_ticker) == fee_e6(rig, game.away_ticker) == 0
        assert rig.said(f"{game.event_ticker}: fees changed")

        body |= {"fee_type_override": None, "fee_multiplier_override": None}
        session.emit(one, "event_fee_update", body)
        await trio.sleep(0.01)
        assert fee_e6(rig, game.home_ticker) == usual


async def test_fees_that_cannot_be_computed_stop_entries(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A fee type that nobody has published is no reason to trade at a loss, nor to fail."""
    async with open_rig() as rig:
        await rig.until_running()
        game = first_game(rig)
        session, one = lives(rig)
        body: dict[str, object] = {
            "event_ticker": game.event_ticker,
            "fee_type_override": "cubic",
            "fee_multiplier_override": 1,
        }
        session.emit(one, "event_fee_update", body)
        await trio.sleep(0.01)

        assert "fees of an unknown kind" in str(rig.parts.listing(game.home_ticker).left_out)
        assert any("cubic" in each for each in rig.steering.snapshot()["unmatched"])
        await rig.until(lambda: rig.state == "running", 5)


async def test_a_missing_message_of_a_life_is_made_up_for(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A gap is counted and the lists are read; the books are of another subscription."""
    async with open_rig() as rig:
        await rig.until_running()
        await trio.sleep(30)
        venue, ticker = rig.simulation.venue, first_game(rig).home_ticker
        _, one = lives(rig)
        one.seq += 1
        since = readings(rig)
        venue.market_moved(venue.markets[ticker], "metadata_updated")
        await rig.until(lambda: readings(rig) > since, 20)

        assert rig.board.bad["Kalshi books", "gap in the markets' lives"].count == 1
        assert rig.instance("books")._books.broken() == ()


async def test_markets_of_other_leagues_are_no_news(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """The channel tells of every market of the exchange; only ours lead to a reading."""
    async with open_rig() as rig:
        await rig.until_running()
        await trio.sleep(40)
        session, one = lives(rig)
        since, catalogue = readings(rig), rig.parts.catalogue
        for number in range(50):
            name = f"KXBTC-26NOV22-T{number}"
            body: dict[str, object] = {"market_ticker": name, "event_type": "created"}
            session.emit(one, "market_lifecycle_v2", body)
        await trio.sleep(25)

        assert readings(rig) == since
        assert rig.parts.catalogue is catalogue
        assert rig.board.bad == {}


@pytest.mark.parametrize("kalshi, provider, start", [(-30, 0, -30), (30, 0, 0), (30, 30, 30)])
async def test_a_new_start_is_taken_up(
    kalshi: int, provider: int, start: int, open_rig: OpenRig, autojump_clock: object
) -> None:
    """A game that moves by half an hour is the same at another time, the earliest that is stated.

    So a game that is put off begins later as soon as all sides say so.
    """
    async with open_rig() as rig:
        await rig.until_running()
        game = first_game(rig)
        events = rig.simulation.venue.events
        event = events[game.event_ticker]
        moved_ms = event.start_ms + kalshi * MINUTE_MS
        events[game.event_ticker] = attrs.evolve(event, start_ms=moved_ms)
        offers = rig.simulation.desk.games
        offered = offers[game.game_id]
        offers[game.game_id] = attrs.evolve(
            offered, start_ms=offered.start_ms + provider * MINUTE_MS
        )
        await trio.sleep(70)

        listing = rig.parts.listing(game.home_ticker)
        assert listing.game.start_ms == game.start_ms + start * MINUTE_MS
        assert listing.left_out is None
