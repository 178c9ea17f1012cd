"""Whether a market's price fits its own team or the other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.orientation import is_inverted, middle
from tests.core.order_factory import top


@pytest.mark.parametrize(
    ("bid", "ask", "chance"),
    [(5_000, 5_700, 0.535), (5_000, 6_000, 0.55), (5_000, 6_100, None), (5_700, 5_600, None)],
)
def test_a_chance_is_read_from_prices_that_are_near(
    bid: int, ask: int, chance: float | None
) -> None:
    """Up to ten cents apart their middle says something; further apart or crossed it does not."""
    assert middle(top(bid, ask)) == chance


def test_a_book_that_is_not_whole_says_no_chance() -> None:
    """An empty side or a book with a gap has no middle."""
    assert middle(top(None, 5_000)) is None
    assert middle(top(5_000, None)) is None
    assert middle(top(usable=False)) is None


@pytest.mark.parametrize(
    ("fair", "mid", "inverted"),
    [
        (0.70, 0.30, True),
        (0.70, 0.32, True),
        (0.70, 0.68, False),
        (0.70, 0.55, False),
        (0.55, 0.45, True),
        (0.52, 0.48, True),
        (0.519, 0.481, False),
        (0.50, 0.40, False),
        (0.60, 0.50, False),
        (0.60, 0.43, True),
    ],
)
def test_a_market_is_inverted_where_the_other_side_fits_far_better(
    fair: float, mid: float, *, inverted: bool
) -> None:
    """Four cents better and four times as near; an honest edge is neither."""
    assert is_inverted(fair, mid) is inverted
    assert is_inverted(1.0 - fair, 1.0 - mid) is inverted


def test_what_looked_inverted_must_prove_itself() -> None:
    """At even odds both sides fit, so that nothing is lifted; a good fit far from them lifts it."""
    assert is_inverted(0.50, 0.50, before=True)
    assert is_inverted(0.51, 0.51, before=True)
    assert not is_inverted(0.55, 0.54, before=True)


@given(st.floats(0.05, 0.95), st.floats(-0.01, 0.01))
def test_a_price_that_fits_its_team_is_never_inverted(fair: float, error: float) -> None:
    """A cent of difference, which is what Kalshi and the books usually have, proves nothing."""
    assert not is_inverted(fair, fair + error)
