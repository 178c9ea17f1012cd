"""Kalshi's tickers taken apart."""

from __future__ import annotations

import contextlib
import itertools
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.teams import League, Team, TeamTable
from arb.core.tickers import BadTicker, TickerFault, parse_ticker
from arb.io.teams_file import packaged_teams

TABLE = packaged_teams()


def fault(ticker: str, table: TeamTable = TABLE) -> TickerFault:
    with pytest.raises(BadTicker) as caught:
        parse_ticker(table, ticker)
    assert "\n" not in str(caught.value)
    return caught.value.fault


@pytest.mark.parametrize(
    "ticker, away, home, day, hhmm, number, yes",
    [
        ("KXMLBGAME-25AUG23WSHPHI-WSH", "WSH", "PHI", "2025-08-23", None, None, "WSH"),
        ("KXMLBGAME-26AUG072140LADAZ", "LAD", "AZ", "2026-08-07", "2140", None, None),
        ("KXMLBGAME-26AUG171340STLCING1-STL", "STL", "CIN", "2026-08-17", "1340", 1, "STL"),
        ("KXMLBGAME-26JUN171400SFATL-ATL", "SF", "ATL", "2026-06-17", "1400", None, "ATL"),
        ("KXNBAGAME-26APR102000BOSCLE", "BOS", "CLE", "2026-04-10", "2000", None, None),
        ("KXNFLGAME-26SEP21NYGLAR-NYG", "NYG", "LAR", "2026-09-21", None, None, "NYG"),
        ("KXNFLGAME-26JAN25LASEA-LA", "LAR", "SEA", "2026-01-25", None, None, "LAR"),
        ("KXNFLGAME-26SEP14DENKC", "DEN", "KC", "2026-09-14", None, None, None),
        ("KXNBAGAME-26OCT20OKCSAS-SAS", "OKC", "SAS", "2026-10-20", None, None, "SAS"),
        ("KXNHLGAME-26OCT10TBNYI-NYI", "TB", "NYI", "2026-10-10", None, None, "NYI"),
        ("KXNHLGAME-26OCT10LAVGK-LA", "LA", "VGK", "2026-10-10", None, None, "LA"),
        ("KXNHLGAME-26OCT10VANNJ-NJ", "VAN", "NJ", "2026-10-10", None, None, "NJ"),
    ],
)
def test_real_tickers(
    ticker: str, away: str, home: str, day: str, hhmm: str | None, number: int | None, yes: str
) -> None:
    """Each form that Kalshi has used says the right day, teams, number and side."""
    parsed = parse_ticker(TABLE, ticker)
    assert (parsed.away.code, parsed.home.code) == (away, home)
    assert parsed.date == date.fromisoformat(day)
    assert (parsed.hhmm, parsed.game_number) == (hhmm, number)
    assert (parsed.yes_team.code if parsed.yes_team else None) == yes
    assert ticker.startswith(parsed.event_ticker)


def test_every_pair_of_teams_splits_in_one_way() -> None:
    """Whichever two teams of a league meet, their codes without a separator are read right."""
    for league in TABLE.leagues:
        codes = [(code, team) for team in league.teams for code in team.codes]
        for (away_code, away), (home_code, home) in itertools.permutations(codes, 2):
            if away is not home:
                event = f"{league.series}-26OCT10{away_code}{home_code}"
                for suffix in ("", "G2"):
                    parsed = parse_ticker(TABLE, f"{event}{suffix}-{home_code}")
                    assert (parsed.away, parsed.home, parsed.yes_team) == (away, home, home)


@pytest.mark.parametrize(
    "ticker, expected",
    [
        ("", TickerFault.MALFORMED),
        ("KXMLBGAME", TickerFault.MALFORMED),
        ("KXMLBGAME-25AUG23WSHPHI-WSH-X", TickerFault.MALFORMED),
        ("KXMLBGAME-25AUG23wshphi", TickerFault.MALFORMED),
        ("KXMLBGAME-25AUG2WSHPHI", TickerFault.MALFORMED),
        ("KXMLBGAME-25AUG23W", TickerFault.MALFORMED),
        ("KXMLBGAME-٢٥AUG23WSHPHI", TickerFault.MALFORMED),
        ("KXMLBGAME-25AUG23WSHPHI\n", TickerFault.MALFORMED),
        ("KXMLBGAME-" + "A" * 100, TickerFault.MALFORMED),
        ("KXMLBTOTAL-25AUG23WSHPHI", TickerFault.UNKNOWN_SERIES),
        ("KXMLBGAME-25AVG23WSHPHI", TickerFault.BAD_DATE),
        ("KXMLBGAME-25FEB29WSHPHI", TickerFault.BAD_DATE),
        ("KXMLBGAME-25AUG232400WSHPHI", TickerFault.BAD_DATE),
        ("KXMLBGAME-25AUG231960WSHPHI", TickerFault.BAD_DATE),
        ("KXMLBGAME-25AUG23WSHXXX", TickerFault.UNKNOWN_TEAMS),
        ("KXMLBGAME-25AUG23CHIPHI", TickerFault.UNKNOWN_TEAMS),
        ("KXMLBGAME-25AUG23PHIPHI", TickerFault.UNKNOWN_TEAMS),
        ("KXNFLGAME-25AUG24LALAR", TickerFault.UNKNOWN_TEAMS),
        ("KXMLBGAME-25AUG23WSHPHI-NYM", TickerFault.UNKNOWN_TEAMS),
        ("KXMLBGAME-25AUG23WSHPHI-TIE", TickerFault.UNKNOWN_TEAMS),
    ],
)
def test_what_is_no_ticker_of_a_game_says_why(ticker: str, expected: TickerFault) -> None:
    """Damage of every kind has its own word, and none is read as a game."""
    assert fault(ticker) is expected


def test_codes_that_split_in_two_ways_are_refused() -> None:
    """Two readings of the teams are a guess, so the ticker is refused."""
    teams = tuple(
        Team("XL", name, name, f"{name}s", (code,), name)
        for name, code in [("A", "AB"), ("B", "ABC"), ("C", "CDE"), ("D", "DE")]
    )
    table = TeamTable([League("XL", "KXXL", teams)], {})
    assert fault("KXXL-26OCT10ABCDE", table) is TickerFault.AMBIGUOUS_TEAMS


def test_the_start_is_read_as_eastern_time() -> None:
    """The hour in a ticker is New York's, in summer four behind UTC."""
    parsed = parse_ticker(TABLE, "KXMLBGAME-26AUG072140LADAZ")
    expected = datetime(2026, 8, 8, 1, 40, tzinfo=UTC)
    assert parsed.start_ms == int(expected.timestamp() * 1000)
    assert parse_ticker(TABLE, "KXMLBGAME-25AUG23WSHPHI").start_ms is None


@pytest.mark.parametrize(
    "ticker, name",
    [
        ("KXMLBGAME-25AUG23WSHPHI-WSH", "MLB-2025-08-23-WSH-PHI"),
        ("KXMLBGAME-26AUG072140LADAZ", "MLB-2026-08-07-LAD-AZ-2140"),
        ("KXMLBGAME-26AUG171340STLCING1", "MLB-2026-08-17-STL-CIN-1340-G1"),
        ("KXMLBGAME-26AUG17STLCING2", "MLB-2026-08-17-STL-CIN-G2"),
    ],
)
def test_the_games_name_can_be_read(ticker: str, name: str) -> None:
    """A game's name holds league, day and teams, and what tells it from another that day."""
    assert parse_ticker(TABLE, ticker).game_id == name


@given(st.text(alphabet="KXMLBGAME-25AUG3WSHPI0479", max_size=40))
def test_no_text_raises_anything_else(text: str) -> None:
    """Whatever the text, it is a `BadTicker` or a ticker that begins with its event's."""
    with contextlib.suppress(BadTicker):
        assert text.startswith(parse_ticker(TABLE, text).event_ticker)
