"""Markets and the catalogue of them."""

from __future__ import annotations

import attrs

from arb.core.games import Reason, Source, Unmatched
from arb.core.listing import Catalogue
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
