"""Markets and the catalogue of them."""

from __future__ import annotations

import attrs
import pytest

from arb.core.games import Reason, Source, Unmatched
from arb.core.listing import Catalogue, MarketStatus
from tests.core.order_factory import BOS, GAME, NYY, listing

OTHER = attrs.evolve(GAME, game_id="g2", home_ticker="H", away_ticker="A")


def test_a_market_knows_its_side_of_the_game() -> None:
    """The home team's market and the away team's are each other's sibling."""
    home, away = listing(BOS), listing(NYY)

    assert (home.is_home, home.team, home.sibling) == (True, "Red Sox", NYY)
    assert (away.is_home, away.team, away.sibling) == (False, "Yankees", BOS)


def test_a_catalogue_names_each_game_once() -> None:
    """Games come in the order of their first market, however their markets are mixed."""
    catalogue = Catalogue((listing("A", OTHER), listing(NYY), listing("H", OTHER), listing(BOS)))

    assert catalogue.games == (OTHER, GAME)


def test_a_catalogue_finds_markets_by_ticker() -> None:
    """Every listing is found under its own ticker."""
    catalogue = Catalogue((listing(NYY), listing(BOS)))

    assert {ticker: each.ticker for ticker, each in catalogue.by_ticker().items()} == {
        NYY: NYY,
        BOS: BOS,
    }


def test_a_catalogue_keeps_what_was_not_matched() -> None:
    """Games that stay out are there to be shown; without any the catalogue is empty."""
    out = Unmatched(Source.ODDS, "feed:1", Reason.NO_TEAM, "no team of that name")

    assert Catalogue((), (out,)).unmatched == (out,)
    assert Catalogue(()) == Catalogue((), ())
    assert Catalogue(()).games == ()


@pytest.mark.parametrize(
    "status", [each for each in MarketStatus if each is not MarketStatus.ACTIVE]
)
def test_only_an_active_market_takes_orders(status: MarketStatus) -> None:
    """Every other status says in words of its own why nothing is sent."""
    shut = attrs.evolve(listing(NYY), status=status)

    assert shut.shut(0) is not None
    assert shut.why_not_entered(0, in_play=False, is_live=False) == shut.shut(0)
    assert listing(NYY).shut(0) is None


def test_a_market_is_closed_from_its_close_on() -> None:
    """The exchange sends no message when the hour has come."""
    closing = attrs.evolve(listing(NYY), close_ms=1_000)

    assert closing.shut(999) is None
    assert closing.shut(1_000) == "the market is closed"


def test_what_is_left_out_is_sold_but_not_bought() -> None:
    """A game that is matched no more takes orders at the exchange, and no entry of ours."""
    left_out = attrs.evolve(listing(NYY), left_out="no such game on the other side")

    assert left_out.shut(0) is None
    assert (
        left_out.why_not_entered(0, in_play=False, is_live=False)
        == "no such game on the other side"
    )


def test_an_unpublished_status_is_none_to_trade_on() -> None:
    """The payload's words are read as they are, and one that is new forbids trading."""
    assert MarketStatus("inactive") is MarketStatus.INACTIVE
    assert MarketStatus("suspended") is MarketStatus.UNKNOWN
