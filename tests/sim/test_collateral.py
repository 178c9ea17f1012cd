"""What an account must be able to pay before an order is taken."""

from __future__ import annotations

import pytest

from arb.sim.exchange.collateral import Claim, needed_e6
from arb.sim.exchange.fees import FeeSchedule
from arb.sim.exchange.refusals import Refused
from arb.sim.exchange.values import BookSide, Lifetime
from tests.sim.sim_client import Bench, make_bench

BID, ASK = BookSide.BID, BookSide.ASK
IOC = Lifetime.IMMEDIATE_OR_CANCEL
FREE = FeeSchedule(multiplier_e4=0)


def poor_bench() -> Bench:
    """Return a bench whose member has ten dollars on each shard."""
    bench = make_bench()
    bench.member.cash_e6 = {0: 10_000_000, 3: 10_000_000}
    return bench


def code_of(bench: Bench, *arguments: object, **more: object) -> str:
    with pytest.raises(Refused) as caught:
        bench.place(bench.member, *arguments, **more)  # type: ignore[arg-type]
    return caught.value.refusal.code


def test_opening_needs_the_full_price() -> None:
    """YES needs the price, NO one dollar less the price, each plus the highest fee."""
    step = 100
    assert needed_e6(0, [Claim(BID, 4_000, 100)], FREE) == 400_000 + step
    assert needed_e6(0, [Claim(ASK, 4_000, 100)], FREE) == 600_000 + step
    assert (
        needed_e6(0, [Claim(ASK, 4_000, 100), Claim(BID, 3_000, 100)], FREE) == 900_000 + 2 * step
    )


def test_closing_needs_nothing() -> None:
    """Only what goes beyond the position has to be paid for, the best price closing first."""
    claims = [Claim(ASK, 6_000, 100), Claim(ASK, 5_000, 100)]
    assert needed_e6(200, claims, FREE) == 0
    assert needed_e6(150, claims, FREE) == 4_000 * 50 + 100
    assert needed_e6(-100, [Claim(BID, 5_000, 100)], FREE) == 0


def test_an_order_beyond_the_cash_is_refused() -> None:
    """What rests already is set aside before a new order is looked at."""
    bench = poor_bench()
    assert code_of(bench, BID, 5_000, 2_001) == "insufficient_balance"
    bench.place(bench.member, BID, 5_000, 1_000)
    assert code_of(bench, BID, 5_000, 1_000) == "insufficient_balance"
    assert code_of(bench, BID, 5_000, 1_000, ticker=bench.away.ticker) == "insufficient_balance"
    bench.place(bench.member, BID, 5_000, 900)


def test_each_shard_has_a_purse_of_its_own() -> None:
    """Money on another shard buys nothing here; without any purse there is no such user."""
    bench = poor_bench()
    bench.member.cash_e6 = {0: 1_000_000_000, 3: 0}
    assert code_of(bench, BID, 5_000, 100) == "insufficient_balance"
    bench.member.cash_e6 = {0: 1_000_000_000}
    assert code_of(bench, BID, 5_000, 100) == "user_not_found"


def test_selling_what_is_held_needs_no_cash() -> None:
    """A member whose cash is spent can still get out."""
    bench = poor_bench()
    bench.place(bench.maker, ASK, 9_900, 1_000)
    bench.place(bench.member, BID, 9_900, 1_000, IOC)
    assert bench.member.cash_e6[3] < 100_000
    bench.place(bench.maker, BID, 5_000, 1_000)
    bench.place(bench.member, ASK, 5_000, 1_000, IOC)
    assert bench.member.position(bench.home.ticker).count_e2 == 0
    assert bench.member.cash_e6[3] > 4_900_000


def test_a_bottomless_account_is_never_asked() -> None:
    """Market makers have no purse and no history, and orders all the same."""
    bench = make_bench()
    account = bench.venue.open_account("deep", {}, bottomless=True)
    placed = bench.place(account, BID, 9_900, 100_000_000)
    assert account.orders() == [placed.order]
    assert account.history == {}
    assert "deep" in repr(account)
