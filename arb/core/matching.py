"""Which sportsbook event and which Kalshi event are the same game: one to one, or not at all.

Two sides are one game when league, both teams and the US Eastern date agree, and their starts
too wherever both are known. Whatever two answers would fit is left unmatched on both sides, with
the reason and what it might have been: a wrong match costs money, a missing one costs nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import attrs

from arb.core.eastern import eastern_date
from arb.core.games import (
    Game,
    KalshiGame,
    MatchedOdds,
    Matches,
    OddsEvent,
    Reason,
    Source,
    Unmatched,
)
from arb.core.pairing import Listed, Offered, is_near, pair_games
from arb.core.resembling import Search
from arb.core.teams import NAME_LENGTH_MAX, Team, TeamFault, TeamTable
from arb.core.tickers import BadTicker, ParsedTicker, TickerFault, parse_ticker

__all__ = [
    "Game",
    "KalshiGame",
    "MatchedOdds",
    "Matches",
    "OddsEvent",
    "Reason",
    "Source",
    "Unmatched",
    "game_of",
    "is_plausible_start",
    "match_games",
]

# Winner markets opened in 2025, and tickers hold two digits of the year: what lies outside is a
# sentinel or another unit.
START_MIN_MS = 1_577_836_800_000  # 2020-01-01
START_MAX_MS = 4_102_444_800_000  # 2100-01-01

_Key = tuple[str, frozenset[str]]
_Listings = dict[_Key, list[Listed]]
_Offers = dict[_Key, list[Offered]]


class _Left(Exception):
    """Why one game stays out before it is compared with any other."""

    def __init__(self, reason: Reason, text: str, candidates: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.reason = reason
        self.candidates = candidates


def match_games(
    table: TeamTable, listed: Sequence[KalshiGame], offered: Sequence[OddsEvent]
) -> Matches:
    """Return every game that both sides surely have in common, and all others with the reason.

    What is given twice alike counts once. Games come in the order of ``listed``.
    """
    unmatched: list[Unmatched] = []
    listings = _listings(table, listed, unmatched)
    offers = _offers(table, offered, listings, unmatched)
    search = Search(listings.values(), offers.values())
    games: list[Game] = []
    for key in dict.fromkeys((*listings, *offers)):
        pairing = pair_games(listings.get(key, ()), offers.get(key, ()))
        games += [_game(table, listing, partners) for listing, partners in pairing.pairs]
        unmatched += search.explained(pairing)
    order = {game.event_ticker: place for place, game in enumerate(listed)}
    games.sort(key=lambda game: order[game.event_ticker])
    return Matches(tuple(games), tuple(unmatched))


def _listings(
    table: TeamTable, listed: Sequence[KalshiGame], unmatched: list[Unmatched]
) -> _Listings:
    groups: _Listings = defaultdict(list)
    listed = tuple(dict.fromkeys(listed))
    counts = Counter(game.event_ticker for game in listed)
    for game in listed:
        try:
            listing = _read_listing(table, game)
        except BadTicker as error:
            unmatched.append(
                Unmatched(Source.KALSHI, game.event_ticker, Reason.BAD_TICKER, str(error))
            )
            continue
        if counts[game.event_ticker] > 1:
            listing = attrs.evolve(listing, fault=Reason.SEEN_TWICE)
        groups[_key(listing.parsed.league, listing.parsed.home, listing.parsed.away)].append(
            listing
        )
    return dict(groups)


def _read_listing(table: TeamTable, game: KalshiGame) -> Listed:
    parsed = parse_ticker(table, game.event_ticker)
    if parsed.yes_team is not None:
        raise BadTicker(TickerFault.MALFORMED, game.event_ticker)
    if game.start_ms is not None and not is_plausible_start(game.start_ms):
        return Listed(game, parsed, None, Reason.BAD_START)
    start_ms = parsed.start_ms if game.start_ms is None else game.start_ms
    if set(_markets(table, parsed, game)) != {parsed.home.name, parsed.away.name}:
        return Listed(game, parsed, start_ms, Reason.BAD_MARKETS)
    agrees = game.start_ms is None or _agrees(parsed, game.start_ms)
    return Listed(game, parsed, start_ms, None if agrees else Reason.RE_DATED)


def _markets(table: TeamTable, parsed: ParsedTicker, game: KalshiGame) -> dict[str, str]:
    """Return the ticker of each team's market; nothing if there is any other among them."""
    markets: dict[str, str] = {}
    for ticker in game.market_tickers:
        event, _, code = ticker.rpartition("-")
        team = table.by_code(parsed.league, code)
        if event != game.event_ticker or team is None:
            return {}
        markets[team.name] = ticker
    return markets if len(markets) == len(game.market_tickers) else {}


def _agrees(parsed: ParsedTicker, start_ms: int) -> bool:
    # A milestone that contradicts the ticker belongs to a moved game, or to another one; teams
    # meet at the same hour on three days running, so a day's error would fit the wrong game.
    if parsed.start_ms is not None:
        return is_near(parsed.start_ms, start_ms)
    return eastern_date(start_ms) == parsed.date


def _offers(
    table: TeamTable, offered: Sequence[OddsEvent], listings: _Listings, unmatched: list[Unmatched]
) -> _Offers:
    groups: _Offers = defaultdict(list)
    offered = tuple(dict.fromkeys(offered))
    counts = Counter((event.provider, event.event_id) for event in offered)
    keys = {one.game.event_ticker: key for key, group in listings.items() for one in group}
    for event in offered:
        try:
            if counts[event.provider, event.event_id] > 1:
                raise _Left(Reason.SEEN_TWICE, f"the id stands for {_versus(event)} as well")
            offer = _read_offer(table, event)
            key = _key(offer.home.league, offer.home, offer.away)
            if keys.get(event.kalshi_event_ticker or "", key) != key:
                raise _Left(Reason.NAMES_DISAGREE, _contradiction(event))
        except _Left as left:
            name = f"{event.provider}:{event.event_id}"
            unmatched.append(Unmatched(Source.ODDS, name, left.reason, str(left), left.candidates))
        else:
            groups[key].append(offer)
    return dict(groups)


def _read_offer(table: TeamTable, event: OddsEvent) -> Offered:
    home, away = _team(table, event, event.home), _team(table, event, event.away)
    if home is away:
        raise _Left(Reason.SAME_TEAM, f"{_versus(event)}: both are the {home.name}")
    if not is_plausible_start(event.start_ms):
        raise _Left(Reason.BAD_START, f"{_versus(event)}: no game starts at {event.start_ms} ms")
    return Offered(event, home, away, eastern_date(event.start_ms))


def _team(table: TeamTable, event: OddsEvent, name: str) -> Team:
    team = table.find(event.league, name)
    if isinstance(team, Team):
        return team
    is_shared = team.fault is TeamFault.AMBIGUOUS_NAME
    reason = Reason.AMBIGUOUS_TEAM if is_shared else Reason.NO_TEAM
    raise _Left(reason, f"{_versus(event)}: {team.reason}", team.candidates)


def _game(table: TeamTable, listing: Listed, offers: tuple[Offered, ...]) -> Game:
    parsed = listing.parsed
    markets = _markets(table, parsed, listing.game)
    starts_ms = [offer.event.start_ms for offer in offers]
    if listing.start_ms is not None:
        starts_ms.append(listing.start_ms)
    return game_of(
        parsed,
        # Whoever states a later start than another may be the one who has not heard.
        min(starts_ms),
        home_ticker=markets[parsed.home.name],
        away_ticker=markets[parsed.away.name],
        odds=tuple(
            MatchedOdds(
                provider=offer.event.provider,
                event_id=offer.event.event_id,
                home_ticker=markets[offer.home.name],
                away_ticker=markets[offer.away.name],
                swapped=offer.home is not parsed.home,
            )
            for offer in offers
        ),
    )


def _key(league: str, one: Team, other: Team) -> _Key:
    return league, frozenset((one.name, other.name))


def game_of(
    parsed: ParsedTicker,
    start_ms: int,
    *,
    home_ticker: str,
    away_ticker: str,
    odds: tuple[MatchedOdds, ...] = (),
) -> Game:
    """Return the game that an event's ticker names, with its two markets and its odds."""
    return Game(
        game_id=parsed.game_id,
        league=parsed.league,
        date=parsed.date,
        home=parsed.home,
        away=parsed.away,
        start_ms=start_ms,
        event_ticker=parsed.event_ticker,
        home_ticker=home_ticker,
        away_ticker=away_ticker,
        odds=odds,
    )


def is_plausible_start(start_ms: int) -> bool:
    """Tell whether a game may start at a moment, Unix milliseconds."""
    return START_MIN_MS <= start_ms < START_MAX_MS


def _versus(event: OddsEvent) -> str:
    return f"{event.away[:NAME_LENGTH_MAX]} at {event.home[:NAME_LENGTH_MAX]}"


def _contradiction(event: OddsEvent) -> str:
    return f"{_versus(event)}: the provider's {event.kalshi_event_ticker} is of other teams"
