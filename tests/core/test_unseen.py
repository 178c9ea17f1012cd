"""Since when a fill may be missing."""

from __future__ import annotations

from arb.core.adoption import AdoptedAccount, adopt
from arb.core.ledger import Ledger
from arb.core.orders import OrderState
from arb.core.unseen import UNSEEN_MARGIN_MS, unseen_since_ms
from tests.core.order_factory import CASH, fill, ledger_with, order_in

DAY_MS = 86_400_000
ACCOUNT = AdoptedAccount(CASH, (), ())


def test_nothing_is_missing_from_before_the_account_was_adopted() -> None:
    """What it says holds all that came before, whatever was at stake then."""
    ledger = ledger_with(order_in(OrderState.RESTING))
    adopt(ledger, ACCOUNT, 5 * DAY_MS)

    assert unseen_since_ms(ledger) == 5 * DAY_MS


def test_the_last_fill_that_was_booked_is_the_last_that_was_seen() -> None:
    """A person may have traded since; the oldest that is booked later says nothing."""
    ledger = Ledger(CASH)
    adopt(ledger, ACCOUNT, DAY_MS)
    for name, at_ms in (("t1", 4 * DAY_MS), ("t2", 3 * DAY_MS)):
        ledger.book(fill(name, client_order_id=None, at_ms=at_ms))

    assert unseen_since_ms(ledger) == 4 * DAY_MS - UNSEEN_MARGIN_MS


def test_what_is_at_stake_may_have_filled_since_it_was_made() -> None:
    """Other fills are booked that came after: those of this order may be older."""
    ledger = Ledger(CASH)
    adopt(ledger, ACCOUNT, DAY_MS)
    resting = order_in(OrderState.RESTING)
    resting.created_ms = 2 * DAY_MS
    ledger.open_order(resting)
    ledger.book(fill("t1", client_order_id=None, order_id="x-other", at_ms=9 * DAY_MS))

    assert unseen_since_ms(ledger) == 2 * DAY_MS - UNSEEN_MARGIN_MS
