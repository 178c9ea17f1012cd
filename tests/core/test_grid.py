"""The prices at which a market trades."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.grid import RANGES_MAX, WHOLE_CENTS, BadGrid, PriceGrid, Range, grid_from_ranges

TAPERED = PriceGrid(((0, 1000, 10), (1000, 9000, 100), (9000, 10_000, 10)))
HALF_CENT_EDGES = PriceGrid(((0, 1000, 50), (1000, 9000, 100), (9000, 10_000, 50)))
FINEST_EDGES = PriceGrid(((0, 100, 1), (100, 9900, 10), (9900, 10_000, 1)))
WITH_A_GAP = PriceGrid(((0, 200, 100), (500, 700, 100)))
ONE_PRICE = PriceGrid(((0, 10_000, 5_000),))
GRIDS = [WHOLE_CENTS, TAPERED, HALF_CENT_EDGES, FINEST_EDGES, WITH_A_GAP, ONE_PRICE]


def every_price(grid: PriceGrid) -> list[int]:
    """List a grid's prices the slow way: by walking each range."""
    walked = {price for start, end, step in grid.ranges for price in range(start, end + 1, step)}
    return sorted(walked - {0, 10_000})


@pytest.mark.parametrize("price_e4", [100, 5600, 9900])
def test_whole_cents_are_on_the_usual_grid(price_e4: int) -> None:
    """The lowest, a middle and the highest price of the usual grid."""
    assert WHOLE_CENTS.on_grid(price_e4)


@pytest.mark.parametrize("price_e4", [0, 10_000, 5650, 1, 9999, -100, 10_100])
def test_what_is_off_the_usual_grid(price_e4: int) -> None:
    """Nothing, a dollar, half cents and what lies outside are no prices."""
    assert not WHOLE_CENTS.on_grid(price_e4)


def test_steps_are_finer_at_the_edges() -> None:
    """Each range has its own step, and neighbours lie across the border."""
    assert TAPERED.next_above(990) == 1000
    assert TAPERED.next_above(1000) == 1100
    assert TAPERED.next_below(1000) == 990
    assert TAPERED.next_above(9000) == 9010
    assert TAPERED.next_below(9000) == 8900
    assert not TAPERED.on_grid(1010)


def test_the_ends_have_no_neighbour() -> None:
    """Below the lowest and above the highest price there is none."""
    assert (WHOLE_CENTS.lowest, WHOLE_CENTS.highest) == (100, 9900)
    assert WHOLE_CENTS.next_below(100) is None
    assert WHOLE_CENTS.next_above(9900) is None
    assert FINEST_EDGES.highest == 9999


def test_rounding_stays_within_the_grid() -> None:
    """What is above the highest price becomes the highest, what is below the lowest the lowest."""
    assert WHOLE_CENTS.round_up(5601) == 5700
    assert WHOLE_CENTS.round_up(5700) == 5700
    assert WHOLE_CENTS.round_up(9901) == 9900
    assert WHOLE_CENTS.round_down(5699) == 5600
    assert WHOLE_CENTS.round_down(99) == 100
    assert WHOLE_CENTS.round_down(20_000) == 9900
    assert WHOLE_CENTS.round_up(-5) == 100


@given(st.sampled_from(GRIDS), st.integers(-50, 10_050))
def test_agrees_with_a_list_of_all_prices(grid: PriceGrid, price_e4: int) -> None:
    """Membership, neighbours and rounding are those of the list of all prices."""
    prices = every_price(grid)
    above = [price for price in prices if price > price_e4]
    below = [price for price in prices if price < price_e4]
    not_below = [price for price in prices if price >= price_e4]
    not_above = [price for price in prices if price <= price_e4]

    assert grid.on_grid(price_e4) == (price_e4 in prices)
    assert grid.next_above(price_e4) == (above[0] if above else None)
    assert grid.next_below(price_e4) == (below[-1] if below else None)
    assert grid.round_up(price_e4) == (not_below[0] if not_below else prices[-1])
    assert grid.round_down(price_e4) == (not_above[-1] if not_above else prices[0])
    assert (grid.lowest, grid.highest) == (prices[0], prices[-1])


@given(st.sampled_from(GRIDS))
def test_the_mirrored_grid_has_the_prices_of_no(grid: PriceGrid) -> None:
    """Each is a dollar less a price of YES, and the mirror of the mirror is the grid itself."""
    prices = every_price(grid)

    assert every_price(grid.mirrored) == [10_000 - price for price in reversed(prices)]
    assert grid.mirrored.mirrored == grid


@pytest.mark.parametrize(
    "ranges,complaint",
    [
        ((), "0 price ranges, allowed are 1 to 16"),
        (((0, 10, 10),) * (RANGES_MAX + 1), "17 price ranges"),
        (((0, 10_000, 0),), r"price range 0\.0000 to 1\.0000 has step 0"),
        (((0, 10_000, -100),), "has step -100"),
        (((0, 10_000, 300),), "has step 300"),
        (((100, 100, 100),), "is out of place"),
        (((-100, 100, 100),), "is out of place"),
        (((0, 10_100, 100),), "is out of place"),
        (((0, 1000, 100), (900, 10_000, 100)), r"price range 0\.0900 to 1\.0000 is out of place"),
        (((0, 10_000, 10_000),), "hold no price between 0 and 1"),
    ],
)
def test_ranges_that_make_no_grid(ranges: tuple[Range, ...], complaint: str) -> None:
    """Empty, overlapping, backward or uneven ranges are refused in one line."""
    with pytest.raises(BadGrid, match=complaint):
        PriceGrid(ranges)


def test_reads_the_exchanges_ranges() -> None:
    """Start, end and step come as texts; equal ranges share one grid."""
    ranges = [
        {"start": "0.0000", "end": "0.1000", "step": "0.0010"},
        {"start": "0.1000", "end": "0.9000", "step": "0.0100"},
        {"start": "0.9000", "end": "1.0000", "step": "0.0010"},
    ]

    assert grid_from_ranges(ranges) == TAPERED
    assert grid_from_ranges(ranges) is grid_from_ranges([dict(each) for each in ranges])


UNREADABLE: list[Any] = [
    [{"start": "0.0000", "end": "1.0000"}],
    [{"start": "0.0000", "end": "1.0000", "step": 0.01}],
    [{"start": "zero", "end": "1.0000", "step": "0.0100"}],
    ["0.01"],
    None,
]


@pytest.mark.parametrize("ranges", UNREADABLE)
def test_ranges_that_cannot_be_read(ranges: Any) -> None:
    """A missing key, a number or a word where a text belongs is refused in one line."""
    with pytest.raises(BadGrid, match="price ranges cannot be read"):
        grid_from_ranges(ranges)


def test_reads_recorded_grids(shared_data: Path) -> None:
    """The grid of all recorded game markets is whole cents."""
    recorded = shared_data / "kalshi" / "recorded" / "prod-2026-08" / "price_grids.json"
    grids = json.loads(recorded.read_text())["grids"]

    assert [grid_from_ranges(each["price_ranges"]) for each in grids] == [WHOLE_CENTS]
