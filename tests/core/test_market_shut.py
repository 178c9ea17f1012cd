"""What a market takes no order for: the listing's word before any limit's."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from arb.core.commands import OrderIntent
from arb.core.listing import MarketStatus
from arb.core.risk import RefusalCode, review_listing
from tests.core.order_factory import ENTRY, EXIT, NYY, listing


@pytest.mark.parametrize(
    "intent, changes, why",
    [
        (ENTRY, {}, None),
        (EXIT, {}, None),
        (ENTRY, {"status": MarketStatus.INACTIVE}, "Kalshi has paused the market"),
        (EXIT, {"status": MarketStatus.INACTIVE}, "Kalshi has paused the market"),
        (EXIT, {"close_ms": 5_000}, "the market is closed"),
        (ENTRY, {"left_out": "several games fit"}, "several games fit"),
        (EXIT, {"left_out": "several games fit"}, None),
    ],
)
def test_a_shut_market_refuses_and_says_why(
    intent: OrderIntent, changes: dict[str, Any], why: str | None
) -> None:
    """A pause and a close stop both ways; a game that is matched no more is only sold."""
    refusal = review_listing(
        intent, attrs.evolve(listing(NYY), **changes), 5_000, in_play=False, is_live=False
    )

    assert (refusal.text if refusal is not None else None) == why
    assert refusal is None or refusal.code is RefusalCode.MARKET_SHUT


def test_a_market_that_is_not_listed_takes_nothing() -> None:
    """Without a listing there is neither a grid nor a fee to trade by."""
    refusal = review_listing(EXIT, None, 0, in_play=False, is_live=False)

    assert refusal is not None
    assert refusal.text == f"{NYY} is not traded here"
