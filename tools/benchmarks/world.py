"""Games, markets and frames to measure with: real teams, the exchange's and the feed's own words.

Nothing here is random: two runs measure the same work.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import date, timedelta
from uuid import NAMESPACE_URL, uuid5

import attrs
import orjson

from arb.core.eastern import utc_ms_from_eastern
from arb.core.games import OddsEvent
from arb.core.grid import WHOLE_CENTS
from arb.core.listing import Catalogue
from arb.core.money import PriceE4, price_text
from arb.core.teams import League
from arb.engine.discovery import listed_on_tape
from arb.engine.listed import Found
from arb.feeds.odds_api_wire import PROVIDER
from arb.io.iso import ms_iso
from arb.io.teams_file import packaged_teams
from arb.tape.format import TapeEvent, TapeHeader, TapeMarket, TapeSeries

FIRST_DAY = date(2035, 9, 1)
START_HOUR = 19
FEE_TYPE = "quadratic_with_maker_fees"
FEE_MULTIPLIER_E4 = 10_000

BOOKS = (
    "Bet365", "BetMGM", "BetRivers", "Bovada", "Caesars", "Circa",
    "DraftKings", "ESPN BET", "Fanatics", "FanDuel", "Hard Rock", "Pinnacle",
)  # fmt: skip

# The two prices between which each book alternates, as favourite and underdog. Whatever the eleven
# others say meanwhile, the favourite's chance is 61 per cent, 7 more than its market asks.
ODDS = (("1.56", "2.44"), ("1.57", "2.42"))
FAVOURITE_BID_E4, FAVOURITE_ASK_E4 = 5_300, 5_400
UNDERDOG_BID_E4, UNDERDOG_ASK_E4 = 4_500, 4_600

# Twelve books recorded in production had 28 to 64 levels a side, and of 126 changes of theirs
# every seventh was one of the best price or its size.
LEVELS = 44
LEVEL_COUNT = "1500.00"
TOP_EVERY = 7

SUBSCRIPTION_ID = 1
CENT_E4 = 100


@attrs.frozen
class World:
    """Some games on both sides, as a tape's header and as the engine's catalogue.

    ``favourites`` are the markets that ask less than their team's chance, one of each game's two.
    It is the first and the second of the two in turns, so that an order follows as often from the
    one that hears a quote first as from the one that hears it last.
    """

    header: TapeHeader
    catalogue: Catalogue
    tickers: tuple[str, ...]
    favourites: tuple[str, ...]


def make_world(markets: int) -> World:
    """Return a world of so many markets, two a game, matched as live trading matches them."""
    games = list(itertools.islice(_games(), markets // 2))
    header = TapeHeader(
        source="benchmark",
        begins_ms=utc_ms_from_eastern(FIRST_DAY, 0, 0),
        series=tuple(
            TapeSeries(league.series, FEE_TYPE, FEE_MULTIPLIER_E4)
            for league in packaged_teams().leagues
        ),
        events=tuple(event for event, _ in games),
        odds_events=tuple(odds for _, odds in games),
    )
    found = Found.of(packaged_teams(), listed_on_tape(header), header.odds_events)
    catalogue = found.catalogue(header.begins_ms)
    if len(catalogue.listings) != markets:
        raise ValueError(f"{len(catalogue.listings)} markets matched of {markets}")
    tickers = tuple(listing.ticker for listing in catalogue.listings)
    favourites = tuple(game.tickers[number % 2] for number, game in enumerate(catalogue.games))
    return World(header, catalogue, tickers, favourites)


def _games() -> Iterator[tuple[TapeEvent, OddsEvent]]:
    for days in itertools.count():
        for league in packaged_teams().leagues:
            yield from _games_of(league, FIRST_DAY + timedelta(days=days))


def _games_of(league: League, day: date) -> Iterator[tuple[TapeEvent, OddsEvent]]:
    start_ms = utc_ms_from_eastern(day, START_HOUR, 0)
    for away, home in zip(league.teams[::2], league.teams[1::2], strict=False):
        event = f"{league.series}-{f'{day:%y%b%d}'.upper()}{away.code}{home.code}"
        markets = tuple(TapeMarket(f"{event}-{team.code}", WHOLE_CENTS) for team in (away, home))
        event_id = str(uuid5(NAMESPACE_URL, event).int % 10**8)
        odds = OddsEvent(PROVIDER, event_id, league.name, home.name, away.name, start_ms)
        yield TapeEvent(event, league.series, markets, start_ms), odds


class BookMessages:
    """What one subscription to every market's book says: snapshots, then deltas in sequence."""

    def __init__(self, world: World) -> None:
        favourites = set(world.favourites)
        self._markets = [
            (ticker, *_best(ticker in favourites), _delta_text(ticker)) for ticker in world.tickers
        ]
        self._sequence = 0
        self._deltas = 0

    def __repr__(self) -> str:
        return f"<BookMessages of {len(self._markets)} markets, sequence {self._sequence}>"

    def snapshots(self) -> Iterator[str]:
        """Give the subscription's answers and each market's whole book."""
        msg = {"channel": "orderbook_delta", "sid": SUBSCRIPTION_ID}
        yield orjson.dumps({"id": 1, "type": "subscribed", "msg": msg}).decode()
        # To whatever was added in further commands: by now it has all of them.
        listed = {"market_tickers": [ticker for ticker, *_ in self._markets]}
        yield self._numbered("ok", orjson.dumps(listed).decode())
        for ticker, bid_e4, ask_e4, _ in self._markets:
            msg = {
                "market_ticker": ticker,
                "market_id": str(uuid5(NAMESPACE_URL, ticker)),
                "yes_dollars_fp": _levels(bid_e4, -CENT_E4),
                "no_dollars_fp": _levels(ask_e4, CENT_E4),
            }
            yield self._numbered("orderbook_snapshot", orjson.dumps(msg).decode())

    def delta(self) -> str:
        """Return the next change: the markets in turn, every seventh change at the best price.

        In one round of the markets something comes to each book, in the next it goes again.
        """
        number, self._deltas = self._deltas, self._deltas + 1
        around, place = divmod(number, len(self._markets))
        _, bid_e4, ask_e4, text = self._markets[place]
        goes = around % 2
        # The same for both rounds, so that what goes is what came.
        mixed = around // 2 * 31 + place
        # The level beyond the last comes and goes as a whole.
        depth = 0 if mixed % TOP_EVERY == 0 else 1 + mixed % LEVELS
        is_bid = around // 2 % 2
        price_e4 = bid_e4 - depth * CENT_E4 if is_bid else ask_e4 + depth * CENT_E4
        msg = text % (
            price_e4 / 10_000,
            "-100.00" if goes else "100.00",
            "yes" if is_bid else "no",
        )
        return self._numbered("orderbook_delta", msg)

    def _numbered(self, kind: str, msg: str) -> str:
        self._sequence += 1
        return f'{{"type":"{kind}","sid":{SUBSCRIPTION_ID},"seq":{self._sequence},"msg":{msg}}}'


class OddsMessages:
    """What an odds feed says of each game: every frame one book's change, never the same twice.

    ``quiet`` games at the beginning of the catalogue change once, when they are settled.
    """

    def __init__(self, world: World, quiet: int = 0) -> None:
        favourites = set(world.favourites)
        self._all = [
            (game.odds[0].event_id, game.home_ticker in favourites)
            for game in world.catalogue.games
        ]
        self._quiet = self._all[:quiet]
        self._games = self._all[quiet:]
        self._frames = 0

    def __repr__(self) -> str:
        return f"<OddsMessages of {len(self._games)} games, {self._frames} frames>"

    def first(self, at_ms: int) -> Iterator[str]:
        """Give one frame a game with all its books."""
        for event_id, home_leads in self._all:
            yield "\n".join(
                _odds_text(event_id, book, ODDS[0], home_leads=home_leads, at_ms=at_ms)
                for book in BOOKS
            )

    def settle(self, at_ms: int) -> Iterator[str]:
        """Give each quiet game's only change."""
        for event_id, home_leads in self._quiet:
            yield _odds_text(event_id, BOOKS[0], ODDS[1], home_leads=home_leads, at_ms=at_ms)

    def change(self, at_ms: int) -> str:
        """Return the next frame: the games in turn, and of each game its books in turn."""
        number, self._frames = self._frames, self._frames + 1
        around, place = divmod(number, len(self._games))
        book = BOOKS[around % len(BOOKS)]
        odds = ODDS[1 - around // len(BOOKS) % 2]
        event_id, home_leads = self._games[place]
        return _odds_text(event_id, book, odds, home_leads=home_leads, at_ms=at_ms)


def _best(is_favourite: bool) -> tuple[int, int]:  # noqa: FBT001 - one fact of one market
    if is_favourite:
        return FAVOURITE_BID_E4, FAVOURITE_ASK_E4
    return UNDERDOG_BID_E4, UNDERDOG_ASK_E4


def _levels(best_e4: int, step_e4: int) -> list[tuple[str, str]]:
    prices_e4 = (best_e4 + step_e4 * depth for depth in range(LEVELS))
    return [
        (price_text(PriceE4(price_e4)), LEVEL_COUNT)
        for price_e4 in prices_e4
        if 0 < price_e4 < 100 * CENT_E4
    ]


def _delta_text(ticker: str) -> str:
    market_id = uuid5(NAMESPACE_URL, ticker)
    return (
        f'{{"market_ticker":"{ticker}","market_id":"{market_id}","price_dollars":"%.4f",'
        '"delta_fp":"%s","side":"%s","ts":"2026-08-07T06:46:28.97871Z","ts_ms":1786085188978}'
    )


def _odds_text(
    event_id: str, book: str, odds: tuple[str, str], *, home_leads: bool, at_ms: int
) -> str:
    home, away = odds if home_leads else odds[::-1]
    stamp = ms_iso(at_ms)
    market = {"name": "ML", "updatedAt": stamp, "odds": [{"home": home, "away": away, "max": 500}]}
    message = {
        "type": "updated",
        "timestamp": f"{stamp[:-1]}.{at_ms % 1000:03d}Z",
        "id": event_id,
        "bookie": book,
        "url": "https://sportsbook.example/event/63017989",
        "markets": [market],
    }
    return orjson.dumps(message).decode()
