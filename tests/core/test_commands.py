"""Wishes as values."""

from __future__ import annotations

from copy import deepcopy

import attrs
import pytest

from arb.core.commands import AmendIntent, Amendment, CancelOrder, OrderIntent, TimeInForce
from arb.core.events import Side
from arb.core.money import CountE2, PriceE4
from tests.core.order_factory import ENTRY, NYY

WISHES = (
    ENTRY,
    AmendIntent("o1", NYY, PriceE4(5_600), CountE2(300), 1),
    Amendment("o1", "x-o1", NYY, Side.ASK, PriceE4(5_600), CountE2(500), 1),
    CancelOrder("o1", None, NYY, CountE2(500), "paused"),
)


@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: type(wish).__name__)
def test_a_wish_cannot_be_changed_on_its_way(wish: attrs.AttrsInstance) -> None:
    """Whoever receives a wish has what was sent; a copy is equal and as good a key."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        wish.ticker = "another"  # type: ignore[attr-defined]

    assert {wish: 1}[deepcopy(wish)] == 1


def test_times_in_force_are_the_exchanges_words() -> None:
    """What is written into an order is what the exchange reads."""
    assert [each.value for each in TimeInForce] == [
        "good_till_canceled",
        "immediate_or_cancel",
        "fill_or_kill",
    ]


def test_an_order_lives_until_it_is_cancelled_unless_said_otherwise() -> None:
    """No expiry is the default; an order that has one says so."""
    assert ENTRY.expires_s is None
    assert OrderIntent(**{**attrs.asdict(ENTRY), "expires_s": 15}).expires_s == 15
