"""Games matched one to one or not at all."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import attrs
import pytest

from arb.core.eastern import utc_ms_from_eastern
from arb.core.matching import (
    Game,
    KalshiGame,
    Matches,
    OddsEvent,
    Reason,
    Source,
    Unmatched,
    match_games,
)
from arb.core.resembling import Search
from arb.core.tickers import parse_ticker
from arb.io.teams_file import packaged_teams

TABLE = packaged_teams()
DAY = date(2025, 8, 23)
HOUR_MS = 3_600_000


def at(hhmm: str, day: date = DAY) -> int:
    return utc_ms_from_eastern(day, int(hhmm[:2]), int(hhmm[2:]))


def listing(event: str, *, start_ms: int | None = None) -> KalshiGame:
    parsed = parse_ticker(TABLE, event)
    codes = (parsed.away.code, parsed.home.code)
    return KalshiGame(event, tuple(f"{event}-{code}" for code in codes), start_ms)


def offer(
    event_id: str = "1",
    *,
    home: str = "Philadelphia Phillies",
    away: str = "Washington Nationals",
    start_ms: int | None = None,
    provider: str = "book",
    league: str = "MLB",
    ticker: str | None = None,
) -> OddsEvent:
    start_ms = at("1910") if start_ms is None else start_ms
    return OddsEvent(provider, event_id, league, home, away, start_ms, ticker)


WSH_PHI = listing("KXMLBGAME-25AUG23WSHPHI")


def match(listed: list[KalshiGame], offered: list[OddsEvent]) -> Matches:
    return match_games(TABLE, listed, offered)


def only_game(listed: list[KalshiGame], offered: list[OddsEvent]) -> Game:
    matches = match(listed, offered)
    assert matches.unmatched == ()
    assert len(matches.games) == 1
    return matches.games[0]


def left(listed: list[KalshiGame], offered: list[OddsEvent]) -> dict[str, Unmatched]:
    matches = match(listed, offered)
    assert matches.games == ()
    return {one.id: one for one in matches.unmatched}


def reasons(listed: list[KalshiGame], offered: list[OddsEvent]) -> dict[str, Reason]:
    return {name: one.reason for name, one in left(listed, offered).items()}


def test_a_game_on_both_sides_is_one_game() -> None:
    """League, day and teams agree: the game has both markets and the provider's id."""
    game = only_game([WSH_PHI], [offer()])
    assert game.game_id == "MLB-2025-08-23-WSH-PHI"
    assert (game.league, game.date) == ("MLB", DAY)
    assert (game.away.name, game.home.name) == ("Washington Nationals", "Philadelphia Phillies")
    assert game.away_ticker == "KXMLBGAME-25AUG23WSHPHI-WSH"
    assert game.home_ticker == "KXMLBGAME-25AUG23WSHPHI-PHI"
    assert game.tickers == (game.away_ticker, game.home_ticker)
    assert game.start_ms == at("1910")
    assert game.odds_event_ids == (("book", "1"),)
    assert not game.odds[0].swapped
    assert game.odds[0].home_ticker == game.home_ticker


def test_a_game_knows_team_and_sibling_of_each_market() -> None:
    """Each market leads to its team and to the other market."""
    game = only_game([WSH_PHI], [offer()])
    assert game.team_of(game.home_ticker) is game.home
    assert game.team_of(game.away_ticker) is game.away
    assert game.sibling_of(game.home_ticker) == game.away_ticker
    assert game.sibling_of(game.away_ticker) == game.home_ticker


def test_swapped_sides_keep_each_team_with_its_own_market() -> None:
    """Where the provider calls the other team home, its home odds price that team's market."""
    game = only_game([WSH_PHI], [offer(home="Washington Nationals", away="Philadelphia Phillies")])
    assert game.home.code == "PHI"
    assert game.odds[0].swapped
    assert game.odds[0].home_ticker == "KXMLBGAME-25AUG23WSHPHI-WSH"
    assert game.odds[0].away_ticker == "KXMLBGAME-25AUG23WSHPHI-PHI"


def test_markets_are_told_by_their_suffix_not_by_their_order() -> None:
    """A listing whose markets come home first has them right all the same."""
    turned = attrs.evolve(WSH_PHI, market_tickers=WSH_PHI.market_tickers[::-1])
    assert only_game([turned], [offer()]).home_ticker == "KXMLBGAME-25AUG23WSHPHI-PHI"


def test_several_providers_share_one_game() -> None:
    """Each provider's event is in the game, in the order given."""
    game = only_game([WSH_PHI], [offer("1"), offer("x", provider="other")])
    assert game.odds_event_ids == (("book", "1"), ("other", "x"))


def test_the_same_thing_given_twice_counts_once() -> None:
    """A page read twice makes no second game."""
    assert only_game([WSH_PHI, WSH_PHI], [offer(), offer()]).game_id == "MLB-2025-08-23-WSH-PHI"


def test_games_come_in_the_order_of_the_listings() -> None:
    """The order of the offers has no part in the result."""
    other = listing("KXMLBGAME-25AUG23KCDET")
    offers = [offer("1"), offer("2", home="Detroit Tigers", away="Kansas City Royals")]
    forward = match([other, WSH_PHI], offers)
    assert [game.event_ticker for game in forward.games] == [
        "KXMLBGAME-25AUG23KCDET",
        "KXMLBGAME-25AUG23WSHPHI",
    ]
    assert match([other, WSH_PHI], offers[::-1]).games == forward.games


def test_the_date_is_eastern() -> None:
    """A game that starts at ten in the evening in California belongs to that day, not the next."""
    late = listing("KXMLBGAME-25AUG23ATHSEA")
    event = offer(home="Seattle Mariners", away="A's", start_ms=at("0059", DAY + timedelta(1)))
    assert reasons([late], [event]) == {
        late.event_ticker: Reason.NO_COUNTERPART,
        "book:1": Reason.NO_COUNTERPART,
    }
    assert only_game([late], [attrs.evolve(event, start_ms=at("2359"))]).date == DAY


def test_a_start_across_midnight_is_the_same_game_where_both_times_are_known() -> None:
    """Ten to midnight in the ticker and ten past in the feed are one start."""
    late = listing("KXMLBGAME-25AUG232350ATHSEA")
    event = offer(home="Seattle Mariners", away="A's", start_ms=at("0010", DAY + timedelta(1)))
    game = only_game([late], [event])
    assert game.date == DAY
    assert game.start_ms == at("2350")


@pytest.mark.parametrize("stated", [None, "1945"])
@pytest.mark.parametrize("offered", [("1910", "1930"), ("1930", "1910")])
def test_a_game_starts_when_the_first_of_all_says(
    stated: str | None, offered: tuple[str, str]
) -> None:
    """Kalshi's milestone and providers may differ by an hour: the earliest start is its start."""
    listed = listing("KXMLBGAME-25AUG23WSHPHI", start_ms=at(stated) if stated else None)
    offers = [offer(str(n), provider=f"p{n}", start_ms=at(hh)) for n, hh in enumerate(offered)]

    assert only_game([listed], offers).start_ms == at("1910")


def test_games_of_one_series_on_three_days_are_not_mixed() -> None:
    """The same teams at the same hour on three days are three games, in any order."""
    days = [DAY + timedelta(days) for days in range(3)]
    listed = [listing(f"KXMLBGAME-25AUG{day.day}WSHPHI") for day in days]
    offered = [offer(str(day.day), start_ms=at("1910", day)) for day in reversed(days)]
    games = match(listed, offered).games
    assert [(game.date, game.odds[0].event_id) for game in games] == [
        (day, str(day.day)) for day in days
    ]


FIRST, SECOND = at("1305"), at("1910")
OFFERED_TWICE = [offer("a", start_ms=FIRST), offer("b", start_ms=SECOND)]


@pytest.mark.parametrize(
    "events",
    [
        ("KXMLBGAME-25AUG231305WSHPHI", "KXMLBGAME-25AUG231910WSHPHI"),
        ("KXMLBGAME-25AUG231305WSHPHIG1", "KXMLBGAME-25AUG231910WSHPHIG2"),
        ("KXMLBGAME-25AUG23WSHPHIG1", "KXMLBGAME-25AUG23WSHPHIG2"),
    ],
)
def test_a_doubleheader_is_told_by_time_or_by_number(events: tuple[str, str]) -> None:
    """Both games of a day are matched by the hour in the ticker, or else by their order."""
    for listed, offered in itertools.product(
        itertools.permutations([listing(event) for event in events]),
        itertools.permutations(OFFERED_TWICE),
    ):
        games = {game.event_ticker: game for game in match(list(listed), list(offered)).games}
        assert [games[event].odds[0].event_id for event in events] == ["a", "b"]
        assert [games[event].start_ms for event in events] == [FIRST, SECOND]


def test_a_milestone_tells_a_doubleheader_too() -> None:
    """The scheduled start serves where the ticker has only the number."""
    listed = [listing("KXMLBGAME-25AUG23WSHPHIG2", start_ms=SECOND)]
    assert only_game(listed, OFFERED_TWICE[1:]).odds[0].event_id == "b"


@pytest.mark.parametrize(
    "events, offers",
    [
        (["KXMLBGAME-25AUG23WSHPHIG2"], OFFERED_TWICE),
        (["KXMLBGAME-25AUG23WSHPHIG2"], OFFERED_TWICE[:1]),
        (["KXMLBGAME-25AUG23WSHPHIG1", "KXMLBGAME-25AUG23WSHPHIG2"], OFFERED_TWICE[1:]),
        (
            ["KXMLBGAME-25AUG23WSHPHIG1", "KXMLBGAME-25AUG23WSHPHIG2"],
            [offer("a", start_ms=FIRST), offer("b", start_ms=FIRST + HOUR_MS)],
        ),
        (["KXMLBGAME-25AUG23WSHPHI"], OFFERED_TWICE),
        (["KXMLBGAME-25AUG231305WSHPHI"], [offer("a"), offer("b", start_ms=FIRST + HOUR_MS)]),
        (
            ["KXMLBGAME-25AUG231305WSHPHI", "KXMLBGAME-25AUG231355WSHPHI"],
            [offer("a", start_ms=FIRST)],
        ),
        (
            ["KXMLBGAME-25AUG23WSHPHI"],
            [offer("a", start_ms=FIRST), offer("b", provider="other", start_ms=SECOND)],
        ),
    ],
)
def test_what_could_be_two_games_is_none(events: list[str], offers: list[OddsEvent]) -> None:
    """Half of a doubleheader, a double listing or providers at odds are never guessed."""
    if events == ["KXMLBGAME-25AUG231305WSHPHI"]:
        offers = [attrs.evolve(offers[0], start_ms=FIRST), offers[1]]
    matches = match([listing(event) for event in events], offers)
    assert matches.games == ()
    assert len(matches.unmatched) == len(events) + len(offers)
    assert all(one.candidates for one in matches.unmatched)
    wanted = {Reason.AMBIGUOUS_GAME, Reason.TIMES_DISAGREE}
    assert {one.reason for one in matches.unmatched} <= wanted


def test_a_provider_that_contradicts_itself_spoils_the_game_for_all() -> None:
    """A listing that fits two events of one provider is not matched through another either."""
    offers = [*OFFERED_TWICE, offer("x", provider="other")]
    assert set(reasons([WSH_PHI], offers).values()) == {Reason.AMBIGUOUS_GAME}


def test_times_that_disagree_are_two_games() -> None:
    """Kalshi shows the evening game, the feed only the afternoon's: no match."""
    evening = listing("KXMLBGAME-25AUG231910WSHPHI")
    result = left([evening], [offer(start_ms=FIRST)])
    assert {one.reason for one in result.values()} == {Reason.TIMES_DISAGREE}
    assert "Washington Nationals at Philadelphia Phillies" in result["book:1"].text
    assert evening.event_ticker in result["book:1"].candidates[0]
    assert "2025-08-23 13:05 ET" in result[evening.event_ticker].candidates[0]


@pytest.mark.parametrize("minutes, games", [(60, 1), (-60, 1), (61, 0), (-61, 0)])
def test_starts_agree_within_an_hour(minutes: int, games: int) -> None:
    """Feeds differ by minutes; more than an hour is another game."""
    evening = listing("KXMLBGAME-25AUG231910WSHPHI")
    event = offer(start_ms=SECOND + minutes * 60_000)
    assert len(match([evening], [event]).games) == games


def test_a_re_dated_game_is_left_out() -> None:
    """A milestone on another day than the ticker's is a moved game, or another one."""
    tomorrow = at("1910", DAY + timedelta(1))
    moved = attrs.evolve(WSH_PHI, start_ms=tomorrow)
    result = left([moved], [offer(start_ms=tomorrow)])
    assert {one.reason for one in result.values()} == {Reason.RE_DATED}
    assert result["book:1"].candidates


def test_a_re_dated_game_keeps_its_new_day_from_being_guessed() -> None:
    """The make-up game may be the one the feed shows, so the day's own game is not matched."""
    tomorrow = DAY + timedelta(1)
    moved = attrs.evolve(WSH_PHI, start_ms=at("1305", tomorrow))
    own = listing("KXMLBGAME-25AUG24WSHPHI")
    result = reasons([moved, own], [offer(start_ms=at("1305", tomorrow))])
    assert result == {
        moved.event_ticker: Reason.RE_DATED,
        own.event_ticker: Reason.AMBIGUOUS_GAME,
        "book:1": Reason.AMBIGUOUS_GAME,
    }


def test_a_moved_hour_contradicts_the_ticker() -> None:
    """A milestone hours from the ticker's own time is not believed."""
    moved = listing("KXMLBGAME-25AUG231305WSHPHI", start_ms=SECOND)
    assert reasons([moved], [offer()])[moved.event_ticker] is Reason.RE_DATED


def test_a_postponed_game_finds_nobody() -> None:
    """The feed shows the new day, Kalshi the old one: both stay out, each with the other named."""
    result = left([WSH_PHI], [offer(start_ms=at("1910", DAY + timedelta(1)))])
    assert {one.reason for one in result.values()} == {Reason.NO_COUNTERPART}
    assert result[WSH_PHI.event_ticker].candidates[0].startswith("book:1 ")
    assert result["book:1"].what is Source.ODDS


@pytest.mark.parametrize(
    "markets",
    [
        (),
        WSH_PHI.market_tickers[:1],
        (*WSH_PHI.market_tickers, "KXMLBGAME-25AUG23WSHPHI-TIE"),
        (WSH_PHI.market_tickers[0],) * 2,
        (*WSH_PHI.market_tickers, "KXMLBGAME-25AUG23WSHPHI-NYM"),
        ("KXMLBGAME-25AUG24WSHPHI-WSH", "KXMLBGAME-25AUG23WSHPHI-PHI"),
    ],
)
def test_a_listing_needs_one_market_for_each_team(markets: tuple[str, ...]) -> None:
    """One market, three, a foreign one or the same one twice: the game stays out."""
    broken = attrs.evolve(WSH_PHI, market_tickers=markets)
    assert reasons([broken], [offer()])[WSH_PHI.event_ticker] is Reason.BAD_MARKETS


@pytest.mark.parametrize("ticker", ["KXMLBGAME-25AUG23", "KXMLBGAME-25AUG23WSHPHI-WSH", "nonsense"])
def test_a_ticker_that_names_no_game_says_so(ticker: str) -> None:
    """A broken event ticker, or a market's in its place, is unmatched with the reason."""
    result = left([KalshiGame(ticker, ())], [])
    assert result[ticker].reason is Reason.BAD_TICKER
    assert result[ticker].what is Source.KALSHI


@pytest.mark.parametrize("start_ms", [0, -1, 1_755_990_600, 10**17])
def test_a_start_in_seconds_or_worse_is_refused(start_ms: int) -> None:
    """A start outside the years in which there are markets is another unit or damage."""
    assert reasons([WSH_PHI], [offer(start_ms=start_ms)])["book:1"] is Reason.BAD_START
    broken = attrs.evolve(WSH_PHI, start_ms=start_ms)
    assert reasons([broken], [offer()])[WSH_PHI.event_ticker] is Reason.BAD_START


@pytest.mark.parametrize(
    "league, home, reason",
    [
        ("MLB", "New York", Reason.AMBIGUOUS_TEAM),
        ("MLB", "Hanshin Tigers", Reason.NO_TEAM),
        ("KBO", "Philadelphia Phillies", Reason.NO_TEAM),
        ("MLB", "Nationals", Reason.SAME_TEAM),
    ],
)
def test_a_name_that_means_no_team_keeps_the_event_out(
    league: str, home: str, reason: Reason
) -> None:
    """A shared place, a foreign name, an unknown league, a team against itself."""
    result = left([], [offer(league=league, home=home)])
    assert result["book:1"].reason is reason
    assert (result["book:1"].candidates == ()) == (reason is Reason.SAME_TEAM)


def test_one_id_for_two_games_matches_neither() -> None:
    """An event id or an event ticker that stands for two things stands for nothing."""
    result = reasons([WSH_PHI], [offer(), offer(home="New York Mets")])
    assert result["book:1"] is Reason.SEEN_TWICE
    twice = [WSH_PHI, attrs.evolve(WSH_PHI, start_ms=SECOND)]
    assert reasons(twice, [offer()])[WSH_PHI.event_ticker] is Reason.SEEN_TWICE


def test_a_ticker_from_the_provider_decides_where_names_agree() -> None:
    """A provider that knows Kalshi's event tells the games of a doubleheader apart."""
    events = ["KXMLBGAME-25AUG23WSHPHIG1", "KXMLBGAME-25AUG23WSHPHIG2"]
    game = only_game([listing(events[1])], [offer(ticker=events[1])])
    assert game.event_ticker == events[1]
    result = reasons([listing(events[0])], [offer(ticker=events[1])])
    assert set(result.values()) == {Reason.TIMES_DISAGREE}


def test_a_ticker_from_the_provider_is_checked_against_the_names() -> None:
    """A provider's ticker of other teams' game is not believed."""
    other = listing("KXMLBGAME-25AUG23KCDET")
    result = reasons([WSH_PHI, other], [offer(ticker=other.event_ticker)])
    assert result["book:1"] is Reason.NAMES_DISAGREE


def test_candidates_are_the_nearest_and_few() -> None:
    """Suggestions start with the same teams' nearest game, and there are at most five."""
    days = [DAY + timedelta(days) for days in range(1, 8)]
    offers = [offer(str(day.day), start_ms=at("1910", day)) for day in days]
    candidates = left([WSH_PHI], offers)[WSH_PHI.event_ticker].candidates
    assert len(candidates) == 5
    assert candidates[0].startswith("book:24 ")


def test_a_game_with_one_team_in_common_that_day_is_a_candidate() -> None:
    """The feed's other game of a team on that day is named; its games of other days are not."""
    same_day = offer("1", home="New York Mets")
    next_day = offer("2", home="New York Mets", start_ms=at("1910", DAY + timedelta(1)))
    candidates = left([WSH_PHI], [same_day, next_day])[WSH_PHI.event_ticker].candidates
    assert [text.split()[0] for text in candidates] == ["book:1"]
    assert "unmatched games" in repr(Search((), ()))
