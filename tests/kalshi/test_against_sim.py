"""The clients against the simulated exchange and odds server, over memory, in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
import trio

from arb.core.commands import TimeInForce
from arb.core.events import Side
from arb.core.money import CountE2, PriceE4
from arb.feeds.odds_api_io import OddsApiIo
from arb.io.clock import VirtualClock
from arb.io.http import Http
from arb.io.memory import MemoryNetwork
from arb.io.websocket import open_socket
from arb.kalshi.answers import Accepted, Canceled, Operation, Refused, Unknown, sort
from arb.kalshi.lane import Answer, OrderLanes, Request
from arb.kalshi.listing import ListedMarket
from arb.kalshi.rest import Rest
from arb.kalshi.sign import Signer, load_signer
from arb.kalshi.wire import (
    CREATE_PATH,
    BookDelta,
    BookSnapshot,
    Frame,
    Ignored,
    Subscribed,
    cancel_path,
    order_body,
    parse_frame,
    subscribe_command,
)
from arb.sim.simulation import Simulation, SimulationSettings
from tests.kalshi.keys import rsa_key, write_key

EPOCH_MS = 1_795_000_000_000
REST_URL = "http://exchange:80/trade-api/v2"
WS_URL = "ws://exchange:80/trade-api/ws/v2"
WS_PATH = "/trade-api/ws/v2"
SERIES = ("KXNFLGAME", "KXNBAGAME", "KXMLBGAME", "KXNHLGAME")


@attrs.define
class Place:
    """A running world and the clients to it."""

    simulation: Simulation
    clock: VirtualClock
    network: MemoryNetwork
    signer: Signer
    rest: Rest
    odds: OddsApiIo

    async def market(self) -> ListedMarket:
        """Return some open market."""
        for series in SERIES:
            for event in await self.rest.events(series):
                return event.markets[0]
        pytest.fail("the world lists no market")


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[Place]:
    """Run a simulated world and connect to it."""
    clock = VirtualClock(EPOCH_MS)
    simulation = Simulation(SimulationSettings(seed=5, games=4), clock)
    key_id = simulation.admit(rsa_key().public_key())
    signer = load_signer(key_id, write_key(folder / "key", rsa_key()))
    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(nursery)
        network.listen("exchange", 80, simulation.exchange.serve_stream)
        network.listen("odds", 80, simulation.odds.serve_stream)
        nursery.start_soon(simulation.run)
        async with Http(network) as http:
            rest = Rest(http, signer, clock, REST_URL)
            key = simulation.odds_key
            odds = OddsApiIo(http, network, clock, "http://odds/v3", "ws://odds/v3/ws", key)
            yield Place(simulation, clock, network, signer, rest, odds)
        nursery.cancel_scope.cancel()


async def test_discovery_and_the_account(autojump_clock: object, tmp_path: Path) -> None:
    """Series, events, markets, milestones and the account are read without a bad row."""
    async with world(tmp_path) as place:
        market = await place.market()
        assert market.ticker == f"{market.event_ticker}-{market.team_code}"
        assert (await place.rest.exchange_status()).trading_active
        assert (await place.rest.series(market.ticker.split("-")[0])).fee_multiplier_e4 > 0
        tickers = [t for each in await place.rest.milestones() for t in each.event_tickers]
        assert market.event_ticker in tickers
        assert await place.rest.balance() == 10_000_000_000
        assert await place.rest.positions() == []
        assert await place.rest.fills() == []
        assert (await place.rest.limits()).tier
        assert await place.rest.user_data_ms() > 0
        assert not place.rest.bad


async def test_books_over_the_socket(autojump_clock: object, tmp_path: Path) -> None:
    """A subscription gives a snapshot and then changes, all of which are read."""
    async with world(tmp_path) as place:
        market = await place.market()
        headers = place.signer.headers("GET", WS_PATH, place.clock.wall_ms())
        frames: list[Frame] = []
        async with open_socket(place.network, WS_URL, headers=headers) as socket:
            await socket.send(subscribe_command(1, ["orderbook_delta"], [market.ticker]))
            while sum(isinstance(frame, BookDelta) for frame in frames) < 20:
                frames.append(parse_frame(await socket.receive()))

    assert isinstance(frames[0], Subscribed)
    assert any(isinstance(frame, BookSnapshot) for frame in frames)
    assert not any(isinstance(frame, Ignored) for frame in frames)
    numbers = [frame.seq for frame in frames if isinstance(frame, BookSnapshot | BookDelta)]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def bid(client_order_id: str, ticker: str, price_e4: int) -> bytes:
    """Return the body of a resting order for one contract."""
    return order_body(
        client_order_id=client_order_id,
        ticker=ticker,
        side=Side.BID,
        price_e4=PriceE4(price_e4),
        count_e2=CountE2(100),
        time_in_force=TimeInForce.GOOD_TILL_CANCELED,
    )


async def test_an_order_rests_is_found_and_is_canceled(
    autojump_clock: object, tmp_path: Path
) -> None:
    """The whole life of an order over a lane, its id refused a second time."""
    answers: list[Answer] = []
    async with world(tmp_path) as place, trio.open_nursery() as nursery:
        ticker = (await place.market()).ticker
        lanes = OrderLanes(
            place.network, REST_URL, place.signer, place.clock, on_answer=answers.append
        )
        nursery.start_soon(lanes.run)
        await trio.sleep(1)
        assert lanes.connected == 3

        async def asked(request: Request) -> Answer:
            lanes.send(request)
            await trio.sleep(1)
            return answers.pop()

        answer = await asked(Request(1, "POST", CREATE_PATH, bid("arb-1", ticker, 100)))
        accepted = sort(answer.status, answer.body)
        assert isinstance(accepted, Accepted)
        assert (accepted.client_order_id, accepted.remaining_e2) == ("arb-1", 100)

        again = await asked(Request(2, "POST", CREATE_PATH, bid("arb-1", ticker, 100)))
        assert isinstance(sort(again.status, again.body), Unknown)
        off_grid = await asked(Request(3, "POST", CREATE_PATH, bid("arb-2", ticker, 101)))
        refused = sort(off_grid.status, off_grid.body)
        assert isinstance(refused, Refused)
        assert refused.code == "invalid_price"

        listed = await place.rest.order_by_client_id("arb-1", ticker=ticker)
        assert listed is not None
        assert (listed.order_id, listed.status) == (accepted.order_id, "resting")
        path = cancel_path(accepted.order_id, ticker)
        gone = await asked(Request(4, "DELETE", path))
        assert isinstance(sort(gone.status, gone.body, Operation.CANCEL), Canceled)
        twice = await asked(Request(5, "DELETE", path))
        assert isinstance(sort(twice.status, twice.body, Operation.CANCEL), Unknown)
        nursery.cancel_scope.cancel()


async def test_odds_are_polled_and_streamed(autojump_clock: object, tmp_path: Path) -> None:
    """Games, whole prices and changes come from the odds server, none of them bad."""
    async with world(tmp_path) as place:
        sports = ("nfl", "nba", "mlb", "nhl")
        games = await place.odds.events(sports)
        assert len(games) == 4
        quotes = await place.odds.snapshot([game.event_id for game in games])
        assert {quote.event_id for quote in quotes} <= {game.event_id for game in games}
        assert len({quote.book for quote in quotes}) >= 3

        place.odds.subscribe(sports)
        streamed = 0
        async with place.odds.connect() as updates:
            while streamed < 50:
                streamed += len(place.odds.parse(await updates.receive(), 0).quotes)
        assert not place.odds.bad
