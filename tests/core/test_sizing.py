"""How large an entry is: by Kelly, and as the limits leave it."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.commands import OrderIntent
from arb.core.events import Side
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.core.parameters import Risk
from arb.core.permission import Permission
from arb.core.risk import Refusal, RefusalCode, review
from arb.core.sizing import Stake, by_kelly, cut
from tests.core.order_factory import (
    BOS,
    EXIT,
    hold,
    intent,
    ledger_with,
    no_fee,
    order,
    plain_fee,
)

RUNNING = Permission(ready=True)
# A hundred dollars, all of them free.
STAKE = Stake(0.25, MoneyE6(100_000_000), CountE2(0))
WISH = intent(count_e2=CountE2(100_000), fair=0.6, low=0.6)


def staked(stake: Stake = STAKE, fee_of: Any = no_fee, **changes: Any) -> int | RefusalCode:
    """Return how much Kelly buys of the usual wish with some things different, or why nothing."""
    found = by_kelly(attrs.evolve(WISH, **changes), stake, fee_of)
    return found.count_e2 if isinstance(found, OrderIntent) else found.code


def test_kelly_stakes_the_edge_over_what_can_be_won() -> None:
    """60 per cent at 50 cents: a fifth of the cash in full, a quarter of that here, in whole ones.

    Five dollars of a hundred at half a dollar each are ten contracts.
    """
    assert staked() == 1_000
    assert staked(attrs.evolve(STAKE, fraction=1.0)) == 4_000
    assert staked(attrs.evolve(STAKE, cash_e6=MoneyE6(109_000_000))) == 1_000
    assert staked(count_e2=CountE2(300)) == 300


def test_the_price_is_the_one_after_the_fee() -> None:
    """1.75 cents of fee leave 8.25 of edge on 48.25 that can be won: 4.27 dollars, 8 contracts."""
    assert staked(fee_of=plain_fee) == 800


def test_no_is_staked_on_by_its_own_price_and_chance() -> None:
    """YES sold at 50 with a chance of 40 is NO at 50 with one of 60."""
    assert staked(side=Side.ASK, fair=0.4, low=0.6) == 1_000
    assert staked(side=Side.ASK, fair=0.4, low=None) == 1_000
    assert staked(side=Side.ASK, price_e4=PriceE4(8_000), fair=0.7, low=0.3) == 1_500


def test_the_least_chance_counts_and_fair_value_where_there_is_none() -> None:
    """A worst case of 55 per cent stakes half of what 60 would."""
    assert staked(low=0.55) == 500
    assert staked(low=None) == 1_000


@pytest.mark.parametrize("held", [400, -400])
def test_what_is_held_is_staked_already(held: int) -> None:
    """Kelly says how much to hold, not how much to buy each time."""
    assert staked(attrs.evolve(STAKE, held_e2=CountE2(held))) == 600


@pytest.mark.parametrize(
    "changes, stake",
    [
        ({"low": 0.5}, STAKE),
        ({"low": 0.4}, STAKE),
        ({"low": 0.501}, STAKE),
        ({}, attrs.evolve(STAKE, cash_e6=MoneyE6(-1))),
        ({}, attrs.evolve(STAKE, held_e2=CountE2(1_000))),
    ],
)
def test_less_than_a_contract_is_nothing(changes: dict[str, Any], stake: Stake) -> None:
    """Without an edge, without cash, with all of it held: refused, and it says why."""
    assert staked(stake, **changes) is RefusalCode.STAKE_TOO_SMALL
    refusal = by_kelly(attrs.evolve(WISH, low=0.5), STAKE, no_fee)
    assert isinstance(refusal, Refusal)
    assert refusal.text == "bought at 50c with a chance of 0.5000 to win"


@given(st.integers(1, 9_999), st.floats(0.0, 1.0), st.integers(0, 10**9), st.floats(0.01, 1.0))
def test_never_more_than_the_fraction_of_the_cash(
    price: int, low: float, cash: int, fraction: float
) -> None:
    """Whatever the edge, what is staked is within the fraction, and mirrored it is the same."""
    stake = Stake(fraction, MoneyE6(cash), CountE2(0))
    found = staked(stake, plain_fee, price_e4=PriceE4(price), low=low)
    sold = staked(stake, plain_fee, price_e4=PriceE4(10_000 - price), side=Side.ASK, low=low)

    assert sold == found
    if not isinstance(found, RefusalCode):
        assert found * price <= cash * fraction + 1


# Cut to what the limits let through.


def fitted(wish: OrderIntent, ledger: Any, limits: Risk) -> int | RefusalCode:
    """Return how much of a wish the limits leave, or why they leave nothing."""
    found = cut(wish, lambda each: review(each, ledger, limits, RUNNING, plain_fee))
    return found.count_e2 if isinstance(found, OrderIntent) else found.code


def test_a_wish_within_every_limit_stays_as_it_is() -> None:
    """Down to hundredths of a contract."""
    assert fitted(intent(count_e2=CountE2(250)), ledger_with(), Risk()) == 250


@pytest.mark.parametrize("side", Side)
def test_a_wish_is_cut_to_each_limit(side: Side) -> None:
    """The market's contracts, the total exposure and the balance each leave what fits."""
    wish = intent(count_e2=CountE2(900), side=side)
    held = ledger_with()
    hold(held, 300 if side is Side.BID else -300)

    assert fitted(wish, held, Risk()) == 700
    assert fitted(wish, ledger_with(), Risk(max_total_exposure_cents=300)) == 500
    assert fitted(wish, ledger_with(cash=3_000_000), Risk()) == 500
    assert fitted(wish, ledger_with(cash=600_000), Risk()) == 100


def test_where_not_one_contract_fits_nothing_is_bought() -> None:
    """The refusal is the limit's that stops a single contract."""
    full, small = ledger_with(), intent(count_e2=CountE2(50))
    hold(full, 1_000)

    assert fitted(intent(), full, Risk()) is RefusalCode.CONTRACTS_PER_MARKET
    assert fitted(intent(), ledger_with(cash=100_000), Risk()) is RefusalCode.BALANCE
    assert fitted(small, ledger_with(cash=100_000), Risk()) is RefusalCode.BALANCE


def test_what_no_smaller_count_would_pass_is_refused() -> None:
    """A pause, an entry in flight and an exit too large are no question of how much."""
    flying = ledger_with(order(ticker=BOS))
    sale = attrs.evolve(EXIT, count_e2=CountE2(900))

    assert fitted(intent(), flying, Risk()) is RefusalCode.ENTRY_IN_FLIGHT
    assert fitted(sale, ledger_with(), Risk()) is RefusalCode.EXIT_TOO_LARGE


@given(st.integers(100, 5_000), st.integers(0, 3_000), st.integers(1, 40))
def test_the_cut_leaves_no_contract_behind(wished: int, cash_cents: int, most: int) -> None:
    """What is left passes, and one contract more would not."""
    ledger = ledger_with(cash=cash_cents * 10_000)
    limits = Risk(max_contracts_per_market=most)
    found = fitted(intent(count_e2=CountE2(wished)), ledger, limits)
    if isinstance(found, RefusalCode):
        found = 0

    def passes(count: int) -> bool:
        wish = intent(count_e2=CountE2(count))
        return review(wish, ledger, limits, RUNNING, plain_fee) is None

    assert found == 0 or passes(found)
    assert found == wished or not passes(min(wished, found + 100))
