"""Games known from Kalshi alone: as a match would have them, without a provider's odds."""

from __future__ import annotations

import attrs
import pytest

from arb.core.eastern import utc_ms_from_eastern
from arb.core.games import KalshiGame
from arb.core.lone_games import lone_game
from arb.core.matching import START_MAX_MS, match_games
from tests.core.test_matching import DAY, TABLE, WSH_PHI, at, listing, offer

HHMM = listing("KXMLBGAME-25AUG231910WSHPHI")


@pytest.mark.parametrize("game", [HHMM, attrs.evolve(WSH_PHI, start_ms=at("1910"))])
def test_it_is_the_game_that_a_match_makes(game: KalshiGame) -> None:
    """But for the odds: so that a match that comes back changes nothing else."""
    (matched,) = match_games(TABLE, [game], [offer()]).games

    assert lone_game(TABLE, game) == attrs.evolve(matched, odds=())


@pytest.mark.parametrize("start_ms", [None, 0, START_MAX_MS])
def test_a_start_that_nobody_states_is_the_end_of_the_day(start_ms: int | None) -> None:
    """Nor is one believed that is another unit or a sentinel."""
    game = lone_game(TABLE, attrs.evolve(WSH_PHI, start_ms=start_ms))

    assert game is not None
    assert game.start_ms == utc_ms_from_eastern(DAY, 23, 59)


def test_markets_of_others_beside_the_teams_are_passed_over() -> None:
    """The teams' own are found among them, in whichever order they come."""
    event = WSH_PHI.event_ticker
    more = (f"{event}-TIE", "KXMLBGAME-25AUG24WSHPHI-WSH", *reversed(WSH_PHI.market_tickers))
    game = lone_game(TABLE, attrs.evolve(WSH_PHI, market_tickers=more))

    assert game is not None
    assert game.tickers == WSH_PHI.market_tickers


@pytest.mark.parametrize("kept", [(), ("WSH",), ("PHI",)])
def test_a_team_without_a_market_makes_no_game(kept: tuple[str, ...]) -> None:
    """What is one bet with the other market could not be told."""
    tickers = tuple(f"{WSH_PHI.event_ticker}-{code}" for code in kept)

    assert lone_game(TABLE, attrs.evolve(WSH_PHI, market_tickers=tickers)) is None


def test_a_ticker_that_names_no_game_makes_none() -> None:
    """Nothing is guessed."""
    assert lone_game(TABLE, KalshiGame("KXMLBGAME-25AUG23XXXYYY", ())) is None
