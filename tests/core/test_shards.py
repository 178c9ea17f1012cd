"""Money that lies on another shard of the exchange pays for nothing on this one."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from arb.core.commands import OrderIntent
from arb.core.events import Side
from arb.core.ledger import HandOrder, Ledger
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.core.risk import Refusal, RefusalCode
from arb.core.shards import Shards
from arb.core.sizing import cut
from tests.core.order_factory import BOS, EXIT, NYY, intent, ledger_with, no_fee, order, plain_fee

SHARDS = {NYY: 3, BOS: 0}
# Five contracts at 50 cents.
WISH = intent()


def shards(held: Mapping[int, int], ledger: Ledger | None = None) -> Shards:
    """Read what each shard holds: NYY is on shard 3, BOS on shard 0, others are not listed."""
    made = Shards(ledger or ledger_with(), no_fee, SHARDS.get)
    made.agreed({shard: MoneyE6(cash) for shard, cash in held.items()})
    return made


def test_an_entry_is_paid_by_its_own_shard() -> None:
    """What is asked for to the last unit passes; one unit less is refused, and it says why."""
    assert shards({0: 0, 3: 2_500_000}).why_not(WISH) is None
    assert shards({0: 9_000_000, 3: 2_499_999}).why_not(WISH) is not None
    refusal = shards({0: 9_000_000, 3: 2_490_000}).why_not(WISH)

    assert refusal is not None
    assert refusal.code is RefusalCode.SHARD_BALANCE
    assert refusal.text == "$2.50 needed, $2.49 free on shard 3"


def test_a_shard_that_is_not_named_holds_nothing() -> None:
    """The shards named hold all the cash there is."""
    refusal = shards({0: 9_000_000}).why_not(WISH)
    assert refusal is not None
    assert refusal.text.endswith("$0.00 free on shard 3")


@pytest.mark.parametrize("wish", [EXIT, intent(ticker="UNLISTED")])
def test_what_needs_no_cash_or_has_no_shard_is_not_looked_at(wish: OrderIntent) -> None:
    """A sale brings cash, and a market that is not listed is refused elsewhere."""
    assert shards({0: 0, 3: 0}).why_not(wish) is None


def test_nothing_is_known_before_a_reading_nor_of_an_account_that_is_whole() -> None:
    """Then the cash of the whole account is the limit, which is another rule's."""
    unread = Shards(ledger_with(), no_fee, SHARDS.get)
    unread.changed(NYY, -1)
    assert unread.why_not(WISH) is None
    assert repr(unread) == "<Shards not known>"
    assert shards({}).why_not(WISH) is None


def test_orders_at_stake_claim_the_cash_of_their_own_shard() -> None:
    """One of NYY leaves nothing for another there; one of BOS takes nothing from it."""
    here, there = order("o1"), order("o2", ticker=BOS)
    held = {0: 2_500_000, 3: 2_500_000}

    assert shards(held, ledger_with(here)).why_not(WISH) is not None
    assert shards(held, ledger_with(there)).why_not(WISH) is None


def test_a_persons_own_orders_claim_their_cash() -> None:
    """Five contracts by hand at 20 cents are a dollar less."""
    ledger = ledger_with()
    ledger.by_hand = (HandOrder("x", NYY, Side.BID, PriceE4(2_000), CountE2(500)),)
    assert shards({0: 0, 3: 3_499_999}, ledger).why_not(WISH) is not None
    assert shards({0: 0, 3: 3_500_000}, ledger).why_not(WISH) is None


def test_no_costs_what_is_left_of_a_dollar() -> None:
    """Selling YES at 30 cents buys NO at 70."""
    short = intent(side=Side.ASK, price_e4=PriceE4(3_000))
    assert shards({3: 3_499_999}).why_not(short) is not None
    assert shards({3: 3_500_000}).why_not(short) is None


def test_trades_since_the_reading_count() -> None:
    """Bought with its cash, sold for more of it; what another shard has is left alone."""
    here = shards({0: 5_000_000, 3: 5_000_000})
    here.changed(NYY, -2_500_001)
    assert here.why_not(WISH) is not None
    here.changed(BOS, 1)
    assert here.why_not(WISH) is not None
    here.changed(NYY, 1)
    assert here.why_not(WISH) is None
    assert repr(here) == "<Shards 0: $5.00, 3: $2.50>"


def test_what_is_not_listed_may_be_on_any_shard() -> None:
    """Cash that went to an unknown market is missing everywhere, what came from it nowhere."""
    here = shards({0: 5_000_000, 3: 5_000_000})
    here.changed("UNLISTED", -1_000_000)
    here.changed("UNLISTED", 9_000_000)
    assert repr(here) == "<Shards 0: $4.00, 3: $4.00>"


def test_a_persons_order_in_a_market_that_is_not_listed_claims_everywhere() -> None:
    """Five contracts by hand at 20 cents, on whichever shard."""
    ledger = ledger_with()
    ledger.by_hand = (HandOrder("x", "UNLISTED", Side.BID, PriceE4(2_000), CountE2(500)),)
    assert shards({0: 0, 3: 3_499_999}, ledger).why_not(WISH) is not None
    assert shards({0: 0, 3: 3_500_000}, ledger).why_not(WISH) is None


def test_collateral_that_was_returned_is_not_free() -> None:
    """Buying back the NO that it was returned on takes it again."""
    here = Shards(ledger_with(), no_fee, SHARDS.get)
    here.agreed({0: MoneyE6(9), 3: MoneyE6(22_500_000)}, {NYY: MoneyE6(20_000_000)})
    assert here.why_not(WISH) is None
    here.agreed({0: MoneyE6(9), 3: MoneyE6(22_499_999)}, {NYY: MoneyE6(20_000_000)})
    assert here.why_not(WISH) is not None


def test_an_entry_is_cut_to_what_its_shard_pays_with_its_fee() -> None:
    """2.12 dollars pay four contracts at 50 cents and 1.75 cents of fee each, not five."""
    here = Shards(ledger_with(), plain_fee, SHARDS.get)
    here.agreed({3: MoneyE6(2_120_000)})
    found = cut(WISH, here.why_not)

    assert not isinstance(found, Refusal)
    assert found.count_e2 == 400
