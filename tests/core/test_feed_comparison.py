"""Two providers' quotes of the same books: what is counted, measured and matched."""

from __future__ import annotations

from typing import Any

import pytest

from arb.core.events import QuoteOrigin
from arb.core.feed_comparison import SAME_MOVE_MS, Common, FeedComparison, common_games
from arb.core.games import OddsEvent
from arb.io.teams_file import packaged_teams
from tests.core.quote_factory import quote

GAME = Common("mlb 2026-08-23 a b 1", flipped=False)
FLIPPED = Common(GAME.name, flipped=True)
DAY_MS = 1_787_500_000_000
HOUR_MS = 3_600_000


def event(provider: str, number: str, home: str, away: str, start_ms: int = DAY_MS) -> OddsEvent:
    """Make a game as a provider offers it."""
    return OddsEvent(provider, number, "mlb", home, away, start_ms)


def take(comparison: FeedComparison, side: int, home: float, at_ms: int, **more: Any) -> None:
    """Let one side say a price of one book, stamped a tenth of a second before."""
    told = quote("Pinnacle", home, source_ms=at_ms - 100, received_ms=at_ms, **more)
    comparison.take(side, GAME, told)


def test_who_tells_a_move_first_leads() -> None:
    """The same move in two spellings is one; the lead is from receipt to receipt."""
    comparison = FeedComparison()
    for side in (0, 1):
        take(comparison, side, 1.8, 1_000)
    take(comparison, 0, 1.7, 2_000)
    take(comparison, 1, 1.703, 2_400)
    take(comparison, 1, 1.6, 5_000)
    take(comparison, 0, 1.6, 5_200)
    (row,) = comparison.rows(6_000)

    assert [side.moved_first for side in row.sides] == [1, 1]
    assert row.lead_p50_ms == 300
    assert [side.changes for side in row.sides] == [2, 2]
    assert [side.latency_p50_ms for side in row.sides] == [100, 100]


def test_a_move_that_the_other_passes_over_leads_nothing() -> None:
    """It told the next one: the one before is forgotten."""
    comparison = FeedComparison()
    for side in (0, 1):
        take(comparison, side, 1.8, 1_000)
    take(comparison, 0, 1.7, 2_000)
    take(comparison, 0, 1.6, 2_100)
    take(comparison, 1, 1.6, 2_500)
    (row,) = comparison.rows(3_000)

    assert [side.moved_first for side in row.sides] == [1, 0]
    assert row.lead_p50_ms == 400


def test_a_move_that_comes_much_later_is_another() -> None:
    """After a minute nobody can tell; both wait for the other."""
    comparison = FeedComparison()
    for side in (0, 1):
        take(comparison, side, 1.8, 1_000)
    take(comparison, 0, 1.7, 2_000)
    take(comparison, 1, 1.7, 2_001 + SAME_MOVE_MS)
    (row,) = comparison.rows(90_000)

    assert [side.moved_first for side in row.sides] == [0, 0]
    assert row.lead_p50_ms is None


def test_a_small_change_is_no_move() -> None:
    """It counts as a change, and who told it first says nothing."""
    comparison = FeedComparison()
    for side in (0, 1):
        take(comparison, side, 1.8, 1_000)
        take(comparison, side, 1.803, 2_000)
    (row,) = comparison.rows(3_000)

    assert [(side.changes, side.moved_first) for side in row.sides] == [(1, 0), (1, 0)]


def test_prices_are_apart_for_the_time_in_which_both_stand() -> None:
    """A side that is suspended or not there yet disagrees with nobody."""
    comparison = FeedComparison()
    take(comparison, 0, 1.8, 1_000)
    take(comparison, 1, 1.8, 2_000)
    take(comparison, 1, 1.62, 3_000)
    take(comparison, 0, 1.8, 4_000, suspended=True)
    (row,) = comparison.rows(9_000)

    assert row.apart_mean == pytest.approx(row.apart_max / 2 if row.apart_max else None)
    assert row.apart_max == pytest.approx(0.06, abs=0.001)


def test_what_only_one_has_is_its_coverage() -> None:
    """The other has no games, no latency, and nothing to disagree with."""
    comparison = FeedComparison()
    take(comparison, 1, 1.8, 1_000, origin=QuoteOrigin.POLL)
    take(comparison, 1, 1.7, 2_000, origin=QuoteOrigin.POLL)
    take(comparison, 1, 1.7, 3_000, origin=QuoteOrigin.POLL)
    (row,) = comparison.rows(3_000)

    assert [side.games for side in row.sides] == [0, 1]
    assert [side.changes for side in row.sides] == [0, 1]
    assert [side.latency_p50_ms for side in row.sides] == [None, None]
    assert (row.apart_mean, row.apart_max) == (None, None)
    assert repr(comparison) == "<FeedComparison 1 books, 1 prices>"


def test_a_price_without_a_chance_is_none() -> None:
    """A broken price stands as little as a suspended one."""
    comparison = FeedComparison()
    take(comparison, 0, 1.8, 1_000)
    take(comparison, 1, 1.1, 1_000, away=1.1)
    (row,) = comparison.rows(5_000)

    assert row.apart_mean is None


def test_a_provider_with_the_sides_swapped_is_turned_round() -> None:
    """At a neutral ground each has its own home team."""
    comparison = FeedComparison()
    comparison.take(0, GAME, quote("Pinnacle", 1.8, at_ms=1_000))
    turned = quote("Pinnacle", 2.1, away=1.8, at_ms=1_000)
    comparison.take(1, FLIPPED, turned)
    (row,) = comparison.rows(5_000)

    assert row.apart_max == pytest.approx(0.0)


def test_common_games_are_those_of_the_same_teams_and_day() -> None:
    """Whatever the names, the order of the teams, and the order of the lists."""
    one = [
        event("p", "1", "New York Yankees", "Boston Red Sox"),
        event("p", "2", "Chicago Cubs", "New York Mets"),
        event("p", "3", "Nobody", "Boston Red Sox"),
    ]
    other = [
        event("q", "8", "NY Mets", "Chicago Cubs"),
        event("q", "9", "New York Yankees", "Boston Red Sox", DAY_MS + 48 * HOUR_MS),
    ]
    found = common_games(packaged_teams(), one, other)

    assert list(found[0]) == ["2"]
    assert list(found[1]) == ["8"]
    assert found[0]["2"].name == found[1]["8"].name
    assert found[0]["2"].flipped is not found[1]["8"].flipped


def test_doubleheaders_are_paired_where_both_sides_have_both() -> None:
    """In the order of their starts; with one missing nobody can tell which it is."""
    both = [
        event("p", str(number), "Chicago Cubs", "New York Mets", DAY_MS + number * 4 * HOUR_MS)
        for number in (1, 0)
    ]
    others = both[::-1]
    found = common_games(packaged_teams(), both, others)

    assert [each.name[-1] for each in found[0].values()] == ["1", "2"]
    assert found[0]["0"].name.endswith("1")
    assert common_games(packaged_teams(), both, others[:1]) == ({}, {})
