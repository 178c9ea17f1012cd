"""Facts as values."""

from __future__ import annotations

from copy import deepcopy
from typing import get_args

import attrs
import pytest

from arb.core.events import GameQuotes, OrderEvent, Quote, QuoteOrigin, Side
from tests.core.order_factory import REPORTS, fill, top

QUOTE = Quote("feed", "e1", "book", 1.8, 2.1, source_ms=1, received_ms=2)
FACTS = (*REPORTS, fill(), top(), QUOTE, GameQuotes("g1", (QUOTE,), 1))


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
def test_a_fact_cannot_be_changed_on_its_way(fact: attrs.AttrsInstance) -> None:
    """Whoever hears of a fact hears the same; a copy is equal and as good a key."""
    name = attrs.fields(type(fact))[0].name
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(fact, name, "another")

    assert {fact: 1}[deepcopy(fact)] == 1


def test_the_other_side_is_the_one_that_is_traded_against() -> None:
    """Bid and ask are each other's counterpart."""
    assert [side.other for side in (Side.BID, Side.ASK)] == [Side.ASK, Side.BID]


def test_a_quote_is_plain_unless_it_says_otherwise() -> None:
    """Without more said a quote was pushed, before the game, two-way and open."""
    assert QUOTE.origin is QuoteOrigin.STREAM
    assert (QUOTE.draw, QUOTE.gateway_ms, QUOTE.live, QUOTE.suspended) == (None, None, False, False)


def test_every_kind_of_report_is_looked_at() -> None:
    """The tests' list of reports has one of each kind that the exchange can give."""
    assert {type(report) for report in REPORTS} == set(get_args(OrderEvent))
