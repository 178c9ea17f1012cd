"""What a purchase is worth."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.edge import buy_edge_e4, round_trip_net_e6, sale_price_e4
from arb.core.events import Liquidity
from arb.core.fees import FeeSchedule
from arb.core.grid import WHOLE_CENTS, PriceGrid

PLAIN = FeeSchedule("quadratic_with_maker_fees")
TENTHS_AT_THE_EDGES = PriceGrid(((0, 1000, 10), (1000, 9000, 100), (9000, 10_000, 10)))


def test_the_edge_is_fair_value_less_the_ask() -> None:
    """In price units: 62 against an ask of 57 is 5 cents."""
    assert buy_edge_e4(0.62, 5700) == 500
    assert buy_edge_e4(0.57, 6200) == -500


def test_binary_error_takes_no_unit_away() -> None:
    """0.57 * 1e4 is 5699.999..., and the edge over 52 is 5 cents all the same."""
    assert 0.57 * 1e4 < 5700
    assert buy_edge_e4(0.57, 5200) == 500


def test_an_edge_below_a_threshold_stays_below() -> None:
    """A hundredth of a cent short is short."""
    assert buy_edge_e4(0.61995, 5700) == 499


@given(st.integers(0, 10_000), st.integers(1, 9_999))
def test_every_whole_chance_gives_the_whole_edge(fair_e4: int, ask_e4: int) -> None:
    """For each chance of four decimals the edge is exactly the difference."""
    assert buy_edge_e4(fair_e4 / 10_000, ask_e4) == fair_e4 - ask_e4


@given(st.floats(0.0, 1.0), st.integers(1, 9_999))
def test_the_edge_is_rounded_down(fair: float, ask_e4: int) -> None:
    """Never more than what it is, and less than a unit below, but for the binary error."""
    exact = Fraction(fair) * 10_000 - ask_e4

    assert exact - 1 < buy_edge_e4(fair, ask_e4) <= exact + Fraction(1, 900_000)


@pytest.mark.parametrize(
    "fair,price_e4",
    [
        (0.62, 6200),
        (0.57, 5700),
        (0.29, 2900),
        (0.6201, 6300),
        (0.62000001, 6300),
        (0.990001, 9900),
        (0.9999, 9900),
        (1.0, 9900),
        (0.0001, 100),
        (0.0, 100),
    ],
)
def test_a_sale_is_rounded_up_to_whole_cents(fair: float, price_e4: int) -> None:
    """At fair value or above, and always between nothing and a dollar."""
    assert sale_price_e4(fair, WHOLE_CENTS) == price_e4


@given(st.integers(1, 99))
def test_a_whole_cent_of_fair_value_is_sold_at_that_cent(number: int) -> None:
    """Binary error, such as 0.07 * 1e4 being above 700, puts no tick on top, from no side."""
    assert sale_price_e4(number / 100, WHOLE_CENTS) == number * 100
    assert sale_price_e4(1 - number / 100, WHOLE_CENTS) == (100 - number) * 100


@pytest.mark.parametrize("fair,price_e4", [(0.9551, 9560), (0.0951, 960), (0.5001, 5100)])
def test_a_sale_is_rounded_up_to_the_grid_that_there_is(fair: float, price_e4: int) -> None:
    """A finer step at the edges is used."""
    assert sale_price_e4(fair, TENTHS_AT_THE_EDGES) == price_e4


@given(st.floats(0.0, 1.0), st.sampled_from([WHOLE_CENTS, TENTHS_AT_THE_EDGES]))
def test_a_sale_is_never_below_fair_value(fair: float, grid: PriceGrid) -> None:
    """Nor a whole step above it, except where the grid ends."""
    price_e4 = sale_price_e4(fair, grid)
    below_e4 = grid.next_below(price_e4)

    assert grid.on_grid(price_e4)
    assert price_e4 >= math.floor(fair * 10_000) or price_e4 == grid.highest
    assert below_e4 is None or below_e4 < fair * 10_000


def test_a_round_trip_pays_two_fees() -> None:
    """Ten contracts from 57 to 62: 50 cents less 17.16 for taking and 4.13 for the sale."""
    net_e6 = round_trip_net_e6(5700, 6200, 1000, Liquidity.TAKER, PLAIN)

    assert net_e6 == 500_000 - 171_600 - 41_300


def test_a_maker_pays_less() -> None:
    """The same way with the maker's fee on both ends."""
    net_e6 = round_trip_net_e6(5700, 6200, 1000, Liquidity.MAKER, PLAIN)

    assert net_e6 == 500_000 - 42_900 - 41_300


def test_fees_are_of_the_whole_count() -> None:
    """Fees are rounded up once for the order, not once for each contract."""
    ten = round_trip_net_e6(100, 200, 1000, Liquidity.TAKER, PLAIN)
    one = round_trip_net_e6(100, 200, 100, Liquidity.TAKER, PLAIN)

    assert ten > 10 * one


def test_the_sale_is_charged_as_a_sale() -> None:
    """Its balance change is rounded down from what it brings, not up from what it costs."""
    # 0.27 contracts: bought at $0.0012 ($0.000324, charged $0.0005), sold at $0.0013 ($0.000351,
    # of which $0.0002 is left).
    assert round_trip_net_e6(12, 13, 27, Liquidity.TAKER, PLAIN) == 200 - 500
