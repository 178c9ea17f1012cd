"""One game's quotes, which both of its markets read."""

from __future__ import annotations

from collections import Counter

from arb.core.events import GameQuotes, Quote
from arb.core.parameters import Strategy
from arb.engine.game_odds import GameOdds
from tests.core.order_factory import GAME
from tests.engine.market_bench import bench_parts


def told(home: float, at_ns: int, provider: str = "p") -> GameQuotes:
    """Say a price of one book as a frame says it."""
    quote = Quote(provider, "e", "a", home, 2.0, source_ms=1, received_ms=1)
    return GameQuotes("g1", (quote,), at_ns)


def test_a_frame_is_taken_in_once() -> None:
    """Whichever market hears it second changes nothing and counts nothing."""
    odds, counts = GameOdds.of(Strategy()), Counter[str]()
    frame = told(1.9, 1)
    odds.take(frame, counts)
    odds.take(frame, counts)

    assert counts == {"quotes changed": 1}


def test_a_market_that_lags_brings_no_old_price_back() -> None:
    """The other market is two frames ahead; what it took in long ago is not taken in again."""
    odds, counts = GameOdds.of(Strategy()), Counter[str]()
    frames = [told(1.9, 1), told(1.8, 2), told(1.7, 2)]
    for frame in (*frames, *frames):
        odds.take(frame, counts)

    assert [held.quote.home for held in odds.quotes.quotes()] == [1.7]
    assert counts == {"quotes changed": 3}


def test_providers_do_not_wait_for_each_other() -> None:
    """A frame of one provider that waited on its way is no old frame of the other."""
    odds, counts = GameOdds.of(Strategy()), Counter[str]()
    odds.take(told(1.9, 5), counts)
    odds.take(told(1.8, 4, "q"), counts)

    assert counts == {"quotes changed": 2}


def test_a_frame_without_quotes_is_nothing() -> None:
    """There is nothing to take in and nobody to take it from."""
    odds, counts = GameOdds.of(Strategy()), Counter[str]()
    odds.take(GameQuotes("g1", (), 1), counts)

    assert counts == {}
    assert repr(odds) == "<GameOdds <QuoteBoard: 0 quotes, last complete set: none yet>>"


def test_both_markets_of_a_game_read_the_same_quotes_until_it_is_gone() -> None:
    """The engine keeps one for each game, and forgets it with the game."""
    parts = bench_parts()
    odds = parts.odds_of(GAME.game_id)
    assert parts.odds_of(GAME.game_id) is odds

    assert parts.found is None
    parts.relist(None, parts.catalogue)
    assert parts.odds_of(GAME.game_id) is odds
    parts.relist(None, type(parts.catalogue)(()))
    assert parts.odds_of(GAME.game_id) is not odds
