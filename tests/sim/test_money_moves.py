"""Money that a member moves, and collateral that comes back within a game."""

from __future__ import annotations

import pytest

from arb.sim.exchange.lifecycle import close, determine, settle
from arb.sim.exchange.refusals import Refused
from arb.sim.exchange.transfers import SUBACCOUNTS_MAX, create_subaccount, deposit, move
from arb.sim.exchange.values import BookSide, Lifetime
from tests.sim.sim_client import Bench, Member, make_bench, order_wish

BID, ASK = BookSide.BID, BookSide.ASK
IOC = Lifetime.IMMEDIATE_OR_CANCEL
DOLLAR = 1_000_000
SHARDS = "/portfolio/intra_exchange_instance_transfer"
WISH = {
    "client_transfer_id": "6d1f3d5e-5a44-4a54-9a3c-0d2c1a0c9a11",
    "source": "event_contract",
    "destination": "event_contract",
    "amount": 50_000,
    "source_exchange_shard": 0,
    "destination_exchange_shard": 3,
}


async def test_money_moves_between_shards_once(member: Member, bench: Bench) -> None:
    """Amounts are hundredths of a cent; a used id is refused and moves nothing."""
    made = await member.call("POST", SHARDS, WISH)
    assert made.status == 200
    assert bench.member.cash_e6 == {0: 995 * DOLLAR, 3: 1_005 * DOLLAR}
    again = await member.call("POST", SHARDS, WISH)
    assert (again.status, again.json["error"]["code"]) == (409, "transfer_already_exists")
    assert bench.member.cash_e6 == {0: 995 * DOLLAR, 3: 1_005 * DOLLAR}
    (listed,) = (await member.get(f"{SHARDS}s"))["transfers"]
    assert listed["amount"] == "5.0000"
    one = await member.get(f"{SHARDS}s/{made.json['transfer_id']}")
    assert one == {"transfer": listed}
    assert (await member.call("GET", f"{SHARDS}s/none")).status == 404


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount": 0}, "invalid_parameters"),
        ({"amount": 10_000_001}, "insufficient_balance"),
        ({"destination_exchange_shard": 0}, "invalid_parameters"),
        ({"destination": "margined"}, "invalid_parameters"),
        ({"source_subaccount": 9}, "invalid_parameters"),
    ],
)
async def test_bad_transfers_move_nothing(
    member: Member, bench: Bench, change: dict[str, object], code: str
) -> None:
    """Nothing, too much, nowhere, elsewhere, and out of a purse that is not there."""
    answer = await member.call("POST", SHARDS, WISH | change)
    assert (answer.status, answer.json["error"]["code"]) == (400, code)
    assert bench.member.total_cash_e6 == 2_000 * DOLLAR


async def test_subaccounts_are_funded_and_do_not_trade(member: Member, bench: Bench) -> None:
    """Numbered from one; a transfer with a used id is a 409; an order on one is refused."""
    assert (await member.call("POST", "/portfolio/subaccounts", {})).json == {
        "subaccount_number": 1
    }
    wish = {
        "client_transfer_id": "6d1f3d5e-5a44-4a54-9a3c-0d2c1a0c9a12",
        "from_subaccount": 0,
        "to_subaccount": 1,
        "amount_cents": 250,
    }
    path = "/portfolio/subaccounts"
    statuses = [(await member.call("POST", f"{path}/transfer", wish)).status for _ in range(2)]
    assert statuses == [200, 409]
    shown = (await member.get(f"{path}/balances"))["subaccount_balances"]
    assert [(one["subaccount_number"], one["balance"]) for one in shown] == [
        (0, "997.5000"),
        (0, "1000.0000"),
        (1, "2.5000"),
    ]
    (moved,) = (await member.get(f"{path}/transfers"))["transfers"]
    assert (moved["amount_cents"], moved["to_subaccount"]) == (250, 1)
    order = order_wish(bench.home.ticker, "bid", "0.40", "1", subaccount=1)
    assert (await member.call("POST", "/portfolio/events/orders", order)).status == 400


def test_there_are_so_many_subaccounts_and_no_more(bench: Bench) -> None:
    """Sixty-three besides the primary one, and none of an unknown number."""
    for number in range(1, SUBACCOUNTS_MAX + 1):
        assert create_subaccount(bench.member) == number
    with pytest.raises(Refused):
        create_subaccount(bench.member)
    with pytest.raises(Refused):
        move(bench.venue, bench.member, 1, (0, 0), (64, 0))


async def test_deposits_and_withdrawals_explain_cash(member: Member, bench: Bench) -> None:
    """Both are listed by themselves, newest first, and the balance has them."""
    for amount_e6 in (25 * DOLLAR, -5 * DOLLAR, 10 * DOLLAR):
        deposit(bench.venue, bench.member, amount_e6)
    assert (await member.get("/portfolio/balance"))["balance"] == 203_000
    came = (await member.get("/portfolio/deposits"))["deposits"]
    left = (await member.get("/portfolio/withdrawals"))["withdrawals"]
    assert [one["amount_cents"] for one in came] == [1_000, 2_500]
    assert [(one["amount_cents"], one["status"]) for one in left] == [(500, "applied")]


def short_both(netting: bool) -> Bench:
    """Return a bench whose member holds two NO of home and three of away."""
    bench = make_bench()
    bench.member.netting = netting
    for ticker, count_e2 in ((bench.home.ticker, 200), (bench.away.ticker, 300)):
        bench.place(bench.maker, BID, 5_000, count_e2, ticker=ticker)
        bench.place(bench.member, ASK, 5_000, count_e2, IOC, ticker=ticker)
    return bench


def test_a_dollar_comes_back_for_each_pair() -> None:
    """Two of the five NO contracts are sure to pay, and pay at once where netting is on."""
    off, on = short_both(netting=False), short_both(netting=True)
    assert on.member.cash_e6[3] - off.member.cash_e6[3] == 2 * DOLLAR
    assert on.member.returned_e6 == {on.home.event.ticker: 2 * DOLLAR}


def test_buying_back_gives_the_dollar_back() -> None:
    """Closing a contract of a pair costs its full price, and cash that is not there is refused."""
    bench = short_both(netting=True)
    before_e6 = bench.member.cash_e6[3]
    bench.place(bench.maker, ASK, 5_000, 200)
    bench.place(bench.member, BID, 5_000, 100, IOC)
    spent_e6 = before_e6 - bench.member.cash_e6[3]
    assert 500_000 < spent_e6 < 520_000
    bench.member.cash_e6[3] = 400_000
    with pytest.raises(Refused):
        bench.place(bench.member, BID, 5_000, 100, IOC)


@pytest.mark.parametrize("home_e4", [10_000, 0, 5_000])
def test_settlement_takes_back_what_was_returned(home_e4: int) -> None:
    """Whatever the result, a member with netting ends with the same cash as one without."""
    ends: list[int] = []
    for netting in (False, True):
        bench = short_both(netting)
        for market, value_e4 in ((bench.home, home_e4), (bench.away, 10_000 - home_e4)):
            close(bench.venue, market)
            determine(bench.venue, market, value_e4, "")
            settle(bench.venue, market)
        ends.append(bench.member.cash_e6[3])
        assert not any(bench.member.returned_e6.values())
    assert ends[0] == ends[1]


async def test_netting_is_switched_over_rest(member: Member, bench: Bench) -> None:
    """For the primary account alone."""
    path = "/portfolio/subaccounts/netting"
    wish = {"subaccount_number": 0, "enabled": True}
    assert (await member.call("PUT", path, wish)).status == 200
    configs = (await member.get(path))["netting_configs"]
    assert [one["enabled"] for one in configs] == [True, True]
    assert (await member.call("PUT", path, wish | {"subaccount_number": 1})).status == 400
