"""The engine's picture, read from JSON."""

from __future__ import annotations

import pytest

from arb.console.snapshot import Snapshot, Unreadable, read_snapshot
from tests.console.fake_engine import picture, tickers


def test_a_whole_picture_is_read() -> None:
    """Every part of a picture comes out as its own kind of value."""
    read = read_snapshot(picture(4))

    assert read.mode_words == "SIMULATED WORLD"
    assert read.account.balance_e6 == 1_234_560_000
    assert [market.ticker for market in read.markets] == tickers(4)
    assert read.positions[0].exit_e4 == 6_200
    assert len(read.log) == 100
    assert read.actors[0].kind == "supervisor"
    assert read.counts.refusals == {"post_only_cross": 2}


def test_what_is_unknown_is_passed_over() -> None:
    """A newer engine may say more; what is missing has a harmless default."""
    read = read_snapshot({"v": 1, "weather": "fine", "markets": [{"ticker": "A", "mood": 1}]})

    assert read.markets[0].ticker == "A"
    assert read.markets[0].fair is None
    assert read.trading.state == "starting"


@pytest.mark.parametrize(
    "document,words",
    [
        (None, "no picture"),
        ([], "no picture"),
        ({}, "version None"),
        ({"v": 2}, "version 2"),
        ({"v": 1, "markets": [{}]}, "damaged"),
        ({"v": 1, "markets": 3}, "damaged"),
        ({"v": 1, "at_ms": "soon"}, "damaged"),
        ({"v": 1, "account": 3}, "damaged"),
    ],
)
def test_a_bad_picture_is_refused_in_one_line(document: object, words: str) -> None:
    """Another version or damage is said in one line, and never raises anything else."""
    with pytest.raises(Unreadable, match=words) as caught:
        read_snapshot(document)

    assert "\n" not in str(caught.value)


def test_markets_and_positions_are_found_by_ticker() -> None:
    """A picture finds what it holds by ticker, and nothing else."""
    read = read_snapshot(picture(2))
    first = tickers(2)[0]

    assert read.market(first) == read.markets[0]
    assert read.position(first) == read.positions[0]
    assert read.market("X") is None
    assert Snapshot(v=1).position(first) is None
