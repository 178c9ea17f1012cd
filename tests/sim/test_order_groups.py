"""Order groups over both interfaces: the window, the verbs, and who hears of them."""

from __future__ import annotations

import pytest

from arb.sim.exchange import grouping
from arb.sim.exchange.groups import WINDOW_MS
from arb.sim.exchange.refusals import Refused
from arb.sim.exchange.values import BookSide, Lifetime, OrderStatus
from tests.sim.sim_client import Bench, Member

BID, ASK = BookSide.BID, BookSide.ASK
IOC = Lifetime.IMMEDIATE_OR_CANCEL
CREATE = "/portfolio/order_groups/create"


def sell(bench: Bench, count_e2: int) -> None:
    bench.place(bench.maker, ASK, 4_000, count_e2, IOC)


async def test_the_window_rolls(member: Member, bench: Bench) -> None:
    """Fills of more than fifteen seconds ago no longer count; within it the limit triggers."""
    group = grouping.make_group(bench.venue, bench.member, 150, 3)
    async with member.socket() as socket:
        await socket.command(1, "subscribe", channels=["order_group_updates"])
        await socket.frame()
        order = bench.place(bench.member, BID, 4_000, 500, group_id=group.group_id).order
        sell(bench, 100)
        bench.later(WINDOW_MS)
        sell(bench, 100)
        assert (group.triggered, order.status) == (False, OrderStatus.RESTING)
        bench.later(WINDOW_MS - 1)
        sell(bench, 100)
        frame = await socket.frame()
    assert group.triggered
    assert (frame["seq"], frame["msg"]["event_type"]) == (1, "triggered")
    assert "contracts_limit_fp" not in frame["msg"]


async def test_a_limit_below_what_traded_triggers_at_once(member: Member, bench: Bench) -> None:
    """As documented for the verb; a reset lets it trade again."""
    made = await member.call("POST", CREATE, {"contracts_limit": 5, "exchange_index": 3})
    group_id = made.json["order_group_id"]
    path = f"/portfolio/order_groups/{group_id}"
    order = bench.place(bench.member, BID, 4_000, 500, group_id=group_id).order
    sell(bench, 200)
    assert (await member.call("PUT", f"{path}/limit", {"contracts_limit": 1})).status == 200
    assert order.status is OrderStatus.CANCELED
    await member.call("PUT", f"{path}/reset", {})
    again = bench.place(bench.member, BID, 4_000, 100, group_id=group_id).order
    assert again.status is OrderStatus.RESTING


def test_a_group_belongs_to_one_shard(bench: Bench) -> None:
    """An order of another shard finds no such group, nor does another member's."""
    group = grouping.make_group(bench.venue, bench.member, 100, 0)
    for account in (bench.member, bench.maker):
        with pytest.raises(Refused) as caught:
            bench.place(account, BID, 4_000, 100, group_id=group.group_id)
        assert caught.value.refusal.code == "order_group_not_found"


def test_there_are_so_many_groups_and_no_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Documented are a hundred thousand at a time."""
    monkeypatch.setattr(grouping, "GROUPS_MAX", 2)
    for _ in range(2):
        grouping.make_group(bench.venue, bench.member, 100, 0)
    with pytest.raises(Refused):
        grouping.make_group(bench.venue, bench.member, 100, 0)


@pytest.mark.parametrize("limit", ["0.00", "1000000.01", "-1.00"])
async def test_limits_are_within_bounds(member: Member, limit: str) -> None:
    """From more than nothing to a million contracts."""
    answer = await member.call("POST", CREATE, {"contracts_limit_fp": limit})
    assert answer.status == 400
