"""Private reads that are behind what happened, by recording, by observation or by condition."""

from __future__ import annotations

from arb.sim.exchange.lagging import KEPT_MS, Lagging
from arb.sim.exchange.resting import cancel
from arb.sim.exchange.values import BookSide, Lifetime
from tests.sim.sim_client import Bench, Member

BID, ASK = BookSide.BID, BookSide.ASK
IOC = Lifetime.IMMEDIATE_OR_CANCEL


def test_a_lagging_state_is_what_it_was() -> None:
    """Before, between and after its changes; what is too old to be asked for is dropped."""
    past: Lagging[str] = Lagging()
    past.keep("a", 1_000)
    past.keep("b", 2_000)
    assert [past.at(moment, "c") for moment in (999, 1_000, 1_999, 2_000)] == ["a", "b", "b", "c"]
    past.keep("c", 2_000 + KEPT_MS)
    assert len(past) == 1


async def test_an_order_reads_as_resting_after_its_cancel(member: Member, bench: Bench) -> None:
    """Recorded: for four tenths of a second, by id and in the list."""
    order = bench.place(bench.member, BID, 4_000, 100).order
    bench.later(10)
    cancel(bench.venue, bench.member, order.order_id, 3)
    path = f"/portfolio/orders/{order.order_id}?market_ticker={bench.home.ticker}"
    for waited_ms, status in ((399, "resting"), (1, "canceled")):
        bench.later(waited_ms)
        assert (await member.get(path))["order"]["status"] == status
        (listed,) = (await member.get("/portfolio/orders"))["orders"]
        assert listed["status"] == status


async def test_positions_follow_fills_after_a_second(member: Member, bench: Bench) -> None:
    """Observed: the position is the one before while the fill can be read already."""
    bench.place(bench.maker, ASK, 4_000, 300)
    bench.place(bench.member, BID, 4_000, 100, IOC)
    bench.later(5_000)
    bench.place(bench.member, BID, 4_000, 200, IOC)
    for waited_ms, count in ((0, "1.00"), (999, "1.00"), (1, "3.00")):
        bench.later(waited_ms)
        (position,) = (await member.get("/portfolio/positions"))["market_positions"]
        assert position["position_fp"] == count
    assert len((await member.get("/portfolio/fills"))["fills"]) == 2


async def test_a_first_position_is_not_there_yet(member: Member, bench: Bench) -> None:
    """Before the first fill there was none, so there is none to show."""
    bench.place(bench.maker, ASK, 4_000, 300)
    bench.place(bench.member, BID, 4_000, 100, IOC)
    assert (await member.get("/portfolio/positions"))["market_positions"] == []


async def test_lists_can_lag_as_a_whole(member: Member, bench: Bench) -> None:
    """Orders and fills of the last seconds are nowhere, and the time of the data says so."""
    bench.venue.conditions.read_lag_ms = 20_000
    bench.place(bench.maker, ASK, 4_000, 300)
    order = bench.place(bench.member, BID, 4_000, 100, IOC).order
    path = f"/portfolio/orders/{order.order_id}?market_ticker={bench.home.ticker}"
    bench.later(19_999)
    assert (await member.get("/portfolio/orders"))["orders"] == []
    assert (await member.get("/portfolio/fills"))["fills"] == []
    assert (await member.call("GET", path)).status == 404
    bench.later(1)
    assert len((await member.get("/portfolio/orders"))["orders"]) == 1
    assert len((await member.get("/portfolio/fills"))["fills"]) == 1
    assert (await member.call("GET", path)).status == 200
    as_of = await member.get("/exchange/user_data_timestamp")
    assert as_of == {"as_of_time": "2026-11-18T11:06:40Z"}


async def test_the_balance_can_lag_and_be_wrong(member: Member, bench: Bench) -> None:
    """By so long, and by so much on the first shard."""
    bench.place(bench.maker, ASK, 4_000, 300)
    before = await member.get("/portfolio/balance")
    bench.venue.conditions.stale_balance_ms = 3_000
    bench.place(bench.member, BID, 4_000, 100, IOC)
    bench.later(2_999)
    shown = await member.get("/portfolio/balance")
    assert shown["balance_dollars"] == before["balance_dollars"]
    bench.later(1)
    truth = await member.get("/portfolio/balance")
    assert truth["balance_breakdown"][1]["balance"] == "999.5916"
    bench.venue.conditions.balance_error_e6 = -10_000
    wrong = await member.get("/portfolio/balance")
    assert wrong["balance"] == truth["balance"] - 1
    assert wrong["balance_breakdown"][1] == truth["balance_breakdown"][1]
