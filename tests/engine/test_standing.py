"""What rests at the exchange, against what should rest there."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from arb.core.commands import CancelOrder
from arb.core.money import CountE2, PriceE4
from arb.core.orders import OrderState
from arb.engine.account_reading import RestingOrder
from arb.engine.standing import LISTED_AFTER_MS, Standing
from tests.core.order_factory import (
    ENTRY,
    NYY,
    ledger_with,
    order_in,
)


def resting(**changes: Any) -> RestingOrder:
    """List the usual order as resting."""
    usual = RestingOrder("o1", "x-o1", NYY, ENTRY.side, ENTRY.price_e4, ENTRY.count_e2)
    return attrs.evolve(usual, **changes)


class TestStanding:
    """What rests there, against what should rest."""

    def test_what_should_rest_and_does_not_is_missing(self) -> None:
        """An order that is old enough to be listed and is not is looked up; a young one is not."""
        ledger = ledger_with(order_in(OrderState.RESTING))
        standing = Standing()

        assert standing.compare(ledger, (), 1_000 + LISTED_AFTER_MS - 1).missing == ()
        (missing,) = standing.compare(ledger, (), 1_000 + LISTED_AFTER_MS).missing
        assert missing.client_order_id == "o1"
        listed_now = (resting(),)
        assert standing.compare(ledger, listed_now, 9_000).missing == ()

    @pytest.mark.parametrize("state", [OrderState.PENDING, OrderState.UNKNOWN])
    def test_what_may_not_rest_is_not_missed(self, state: OrderState) -> None:
        """An order whose fate is not known is looked for elsewhere."""
        assert Standing().compare(ledger_with(order_in(state)), (), 99_000).missing == ()

    def test_what_the_ledger_never_had_is_an_orphan_at_once(self) -> None:
        """It knows each order before it is sent: no stale list can make one up."""
        found = Standing().compare(ledger_with(), (resting(),), 99_000)

        (cancel,) = found.orphans
        assert cancel.order_id == "x-o1"
        assert found.lost == ("o1",)

    def test_what_has_ended_and_rests_is_an_orphan_the_second_time(self) -> None:
        """One reading may be stale, two in a row are not."""
        ledger = ledger_with(order_in(OrderState.CLOSED))
        standing = Standing()
        first = standing.compare(ledger, (resting(),), 99_000)
        second = standing.compare(ledger, (resting(),), 99_000)

        assert first.orphans == ()
        assert first.lost == ()
        (cancel,) = second.orphans
        assert isinstance(cancel, CancelOrder)
        assert (cancel.order_id, cancel.count_e2) == ("x-o1", 0)
        assert [each.text for each in first.differences + second.differences] == [
            "order o1 rests at Kalshi and not here"
        ] * 2

    def test_the_cancel_of_an_orphan_says_how_much_it_was(self) -> None:
        """What of it has filled is what the answer leaves of that."""
        standing, there = Standing(), (resting(filled_e2=CountE2(200)),)
        standing.compare(ledger_with(), there, 99_000)
        (cancel,) = standing.compare(ledger_with(), there, 99_000).orphans

        assert cancel.count_e2 == ENTRY.count_e2 + 200

    @pytest.mark.parametrize(
        "there, text",
        [
            (resting(), None),
            (resting(remaining_e2=CountE2(200)), "order o1 rests with 2 at Kalshi, 5 here"),
            (resting(price_e4=PriceE4(4_900)), "order o1 rests at 49c at Kalshi, 50c here"),
        ],
    )
    def test_what_rests_otherwise_is_a_difference(
        self, there: RestingOrder, text: str | None
    ) -> None:
        """Another count or another price than ours is told, once the list can know of it."""
        ledger = ledger_with(order_in(OrderState.RESTING))
        found = Standing().compare(ledger, (there,), 99_000)

        assert [each.text for each in found.differences] == ([] if text is None else [text])
        assert (found.missing, found.orphans) == ((), ())

    def test_what_stands_elsewhere_is_looked_up_the_second_time(self) -> None:
        """A list may be older than a move; two readings in a row that say the same are not."""
        one, standing = order_in(OrderState.RESTING), Standing()
        ledger, there = ledger_with(one), (resting(price_e4=PriceE4(4_900)),)
        assert standing.compare(ledger, there, 99_000).moved == ()
        assert standing.compare(ledger, there, 99_000).moved == (one,)

        # One that was moved since, here or there, is another difference.
        one.price_e4 = PriceE4(4_800)
        assert standing.compare(ledger, there, 99_000).moved == ()
        elsewhere = (resting(price_e4=PriceE4(4_700), remaining_e2=CountE2(200)),)
        assert standing.compare(ledger, elsewhere, 99_000).moved == ()
        assert standing.compare(ledger, elsewhere, 99_000).moved == (one,)
        one.amend_sent(PriceE4(4_700))
        assert standing.compare(ledger, elsewhere, 99_000).moved == ()

    def test_another_count_is_not_looked_up(self) -> None:
        """What filled is in the fills; what a person took off a person accepts."""
        standing, ledger = Standing(), ledger_with(order_in(OrderState.RESTING))
        there = (resting(remaining_e2=CountE2(200)),)
        standing.compare(ledger, there, 99_000)
        assert standing.compare(ledger, there, 99_000).moved == ()

    def test_an_order_that_is_being_moved_stands_at_either_price(self) -> None:
        """While a move is out nobody knows which of the two prices is listed."""
        one = order_in(OrderState.RESTING)
        one.amend_sent(PriceE4(4_900))
        found = Standing().compare(ledger_with(one), (resting(price_e4=PriceE4(4_900)),), 99_000)

        assert found.differences == ()
