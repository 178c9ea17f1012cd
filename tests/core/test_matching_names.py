"""Every name of every team matched to its own market, and damaged names to none but it."""

from __future__ import annotations

import itertools
import random
from datetime import date

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arb.core.eastern import utc_ms_from_eastern
from arb.core.matching import KalshiGame, Matches, OddsEvent, match_games
from arb.core.teams import League, Team
from arb.io.teams_file import packaged_teams

TABLE = packaged_teams()
SECOND = utc_ms_from_eastern(date(2025, 8, 23), 19, 10)


def match(listed: list[KalshiGame], offered: list[OddsEvent]) -> Matches:
    return match_games(TABLE, listed, offered)


@pytest.mark.parametrize("league", TABLE.leagues, ids=lambda league: league.name)
def test_every_team_under_every_name_matches_its_own_market(league: League) -> None:
    """All teams, all names, both orders, every code form: the right market and side."""
    for home, away in zip(league.teams, (*league.teams[1:], league.teams[0]), strict=True):
        for name, code in itertools.product(home.names(), home.codes):
            _check_both_orders(league.series, home, away, name, code)


def _check_both_orders(series: str, home: Team, away: Team, name: str, code: str) -> None:
    events = [f"{series}-26OCT10{away.code}{code}", f"{series}-26OCT101910{code}{away.code}"]
    for event in events:
        markets = (f"{event}-{away.code}", f"{event}-{code}")
        start_ms = utc_ms_from_eastern(date(2026, 10, 10), 19, 0)
        one = OddsEvent("book", "1", home.league, name, away.name, start_ms)
        other = OddsEvent("book", "1", home.league, away.name, name, start_ms)
        for given_event, is_home in ((one, True), (other, False)):
            (game,) = match([KalshiGame(event, markets)], [given_event]).games
            odds = game.odds[0]
            assert (odds.home_ticker if is_home else odds.away_ticker) == markets[1]
            assert game.team_of(markets[1]) is home


def _slate() -> tuple[list[KalshiGame], list[OddsEvent]]:
    listed, offered = [], []
    for league in TABLE.leagues:
        for number, (away, home) in enumerate(
            zip(league.teams[::2], league.teams[1::2], strict=True)
        ):
            event = f"{league.series}-25AUG23{away.code}{home.code}"
            listed.append(KalshiGame(event, (f"{event}-{away.code}", f"{event}-{home.code}")))
            offered.append(
                OddsEvent(
                    "book", f"{league.name}{number}", league.name, home.name, away.name, SECOND
                )
            )
    return listed, offered


LISTED, OFFERED = _slate()
TRUTH = {event.event_id: game.event_ticker for game, event in zip(LISTED, OFFERED, strict=True)}


def _damaged(name: str, rng: random.Random) -> str:
    place = rng.randrange(len(name))
    letter = rng.choice("abcdefghijklmnopqrstuvwxyz '.-")
    return rng.choice(
        [
            name[:place] + letter + name[place + 1 :],
            name[:place] + name[place + 1 :],
            name[:place] + letter + name[place:],
            " ".join(name.split()[:-1]),
            name.rsplit(maxsplit=1)[-1],
            name[::-1],
        ]
    )


def _with_damage(event: OddsEvent, rng: random.Random) -> OddsEvent:
    kind = rng.randrange(5)
    if kind == 0:
        return attrs.evolve(event, home=_damaged(event.home, rng))
    if kind == 1:
        return attrs.evolve(event, home=event.away, away=event.home)
    if kind == 2:
        return attrs.evolve(event, league=rng.choice(["NFL", "NBA", "MLB", "NHL", "KBO"]))
    if kind == 3:
        return attrs.evolve(event, away="Hanshin Tigers")
    return event


@pytest.mark.slow
@settings(max_examples=500)
@given(st.integers(0, 2**32))
def test_damaged_swapped_and_foreign_names_never_match_wrongly(seed: int) -> None:
    """Whatever is done to the names of a slate, every match that remains is the true one."""
    rng = random.Random(seed)
    offered = [_with_damage(event, rng) for event in OFFERED]
    for game in match(LISTED, offered).games:
        odds = game.odds[0]
        assert TRUTH[odds.event_id] == game.event_ticker
        original = OFFERED[[event.event_id for event in OFFERED].index(odds.event_id)]
        given_event = next(event for event in offered if event.event_id == odds.event_id)
        is_home = given_event.home == original.away or given_event.away == original.home
        assert odds.swapped == is_home


def test_a_whole_slate_matches() -> None:
    """Sixty-two games of four leagues at once are sixty-two matches."""
    matches = match(LISTED, OFFERED)
    assert matches.unmatched == ()
    assert {game.odds[0].event_id: game.event_ticker for game in matches.games} == TRUTH
