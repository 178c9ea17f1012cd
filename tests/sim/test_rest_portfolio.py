"""What a member reads over HTTP: orders, fills, positions, money, groups."""

from __future__ import annotations

from arb.sim.exchange.lifecycle import close, determine, settle
from arb.sim.exchange.values import BookSide, Lifetime
from tests.sim.sim_client import Bench, Member, order_wish

BID, ASK = BookSide.BID, BookSide.ASK
IOC = Lifetime.IMMEDIATE_OR_CANCEL


def quote(bench: Bench) -> None:
    """Put a bid of 47 and an ask of 52 cents on the home market."""
    bench.place(bench.maker, BID, 4_700, 300)
    bench.place(bench.maker, ASK, 5_200, 200)


def buy(bench: Bench, count_e2: int = 100) -> None:
    """Take from the ask, and let reads catch up."""
    bench.place(bench.member, BID, 5_200, count_e2, IOC, client_order_id=f"buy-{count_e2}")
    bench.later()


def sell(bench: Bench) -> None:
    """Sell one to the bid, and let reads catch up."""
    bench.place(bench.member, ASK, 4_700, 100, IOC)
    bench.later()


async def test_orders_are_listed_newest_first(member: Member, bench: Bench) -> None:
    """Filtered by market, event, state, time and shard, and found one by one."""
    quote(bench)
    bench.place(bench.member, BID, 4_000, 500, client_order_id="rest", expires_s=1_900_000_000)
    buy(bench)

    async def names(query: str) -> list[str]:
        found = (await member.get(f"/portfolio/orders?{query}"))["orders"]
        return [one["client_order_id"] for one in found]

    assert await names("") == ["buy-100", "rest"]
    assert await names("status=resting") == ["rest"]
    assert await names("status=executed&exchange_index=3") == ["buy-100"]
    assert await names("exchange_index=0") == []
    assert await names(f"event_ticker={bench.home.event.ticker}") == ["buy-100", "rest"]
    assert await names("ticker=NOWHERE") == []
    assert await names("max_ts=1") == []
    assert await names("limit=1") == ["buy-100"]
    (resting,) = (await member.get("/portfolio/orders?status=resting"))["orders"]
    assert resting["expiration_time"] == "2030-03-17T17:46:40Z"


async def test_an_order_is_found_on_its_shard(member: Member, bench: Bench) -> None:
    """Like a cancel, a read by id needs the market on another shard."""
    order_id = bench.place(bench.member, BID, 4_000, 500, cancel_on_pause=True).order.order_id
    path = f"/portfolio/orders/{order_id}"
    assert (await member.call("GET", path)).status == 404
    order = (await member.get(f"{path}?market_ticker={bench.home.ticker}"))["order"]
    assert (order["status"], order["cancel_order_on_pause"]) == ("resting", True)


async def test_fills_carry_fee_and_direction(member: Member, bench: Bench) -> None:
    """Newest first, with filters; without the client's order id, as since March 2026."""
    quote(bench)
    buy(bench)
    (fill,) = (await member.get("/portfolio/fills"))["fills"]
    assert (fill["fee_cost"], fill["count_fp"], fill["is_taker"]) == ("0.008800", "1.00", True)
    assert (fill["book_side"], fill["outcome_side"], fill["exchange_index"]) == ("bid", "yes", 3)
    assert "client_order_id" not in fill
    for query in ("ticker=X", "order_id=X", "max_ts=1", "exchange_index=0"):
        assert (await member.get(f"/portfolio/fills?{query}"))["fills"] == []


async def test_positions_leave_out_fees_and_what_was_never_traded(
    member: Member, bench: Bench
) -> None:
    """Exposure is the cost alone; looking at a market makes no position in it."""
    quote(bench)
    bench.place(bench.member, BID, 4_000, 100, ticker=bench.away.ticker)
    buy(bench, 200)
    body = await member.get("/portfolio/positions")
    (one,) = body["market_positions"]
    assert (one["position_fp"], one["market_exposure_dollars"]) == ("2.00", "1.040000")
    assert one["fees_paid_dollars"] == "0.017500"
    (event,) = body["event_positions"]
    assert (event["total_cost_shares_fp"], event["event_exposure_dollars"]) == (
        "2.00",
        "1.040000",
    )
    for query in ("ticker=X", "event_ticker=X", "exchange_index=0", "settlement_status=settled"):
        assert (await member.get(f"/portfolio/positions?{query}"))["market_positions"] == []


async def test_a_closed_position_is_listed_until_filtered(member: Member, bench: Bench) -> None:
    """What was traded and is flat again shows its profit, unless only positions are asked for."""
    quote(bench)
    buy(bench)
    sell(bench)
    (one,) = (await member.get("/portfolio/positions"))["market_positions"]
    assert (one["position_fp"], one["realized_pnl_dollars"]) == ("0.00", "-0.050000")
    path = "/portfolio/positions?count_filter="
    assert (await member.get(f"{path}position"))["market_positions"] == []
    assert len((await member.get(f"{path}position,total_traded"))["market_positions"]) == 1


async def test_the_balance_is_told_by_shard(member: Member, bench: Bench) -> None:
    """Cents are cut off; positions count at the last price, and the read is what is stamped."""
    quote(bench)
    buy(bench, 200)
    assert await member.get("/portfolio/balance") == {
        "balance": 199_894,
        "balance_breakdown": [
            {"balance": "1000.0000", "exchange_index": 0},
            {"balance": "998.9425", "exchange_index": 3},
        ],
        "balance_dollars": "1998.9425",
        "portfolio_value": 104,
        "updated_ts": bench.clock.now_ms // 1_000,
    }


async def test_no_is_worth_a_dollar_less_the_last_price(member: Member, bench: Bench) -> None:
    """Recorded: what last traded counts, whatever the best bid is."""
    quote(bench)
    sell(bench)
    assert (await member.get("/portfolio/balance"))["portfolio_value"] == 53


async def test_settlements_are_in_cents(member: Member, bench: Bench) -> None:
    """Revenue and value are whole cents, costs and fees dollars."""
    quote(bench)
    buy(bench, 200)
    close(bench.venue, bench.home)
    determine(bench.venue, bench.home, 10_000, "Los Angeles D")
    settle(bench.venue, bench.home)
    bench.later()
    body = await member.get("/portfolio/settlements")
    assert body["settlements"] == [
        {
            "event_ticker": bench.home.event.ticker,
            "exchange_index": 3,
            "fee_cost": "0.017500",
            "market_result": "yes",
            "no_count_fp": "0.00",
            "no_total_cost_dollars": "0.000000",
            "revenue": 200,
            "settled_time": "2026-11-18T11:06:42Z",
            "ticker": bench.home.ticker,
            "value": 100,
            "yes_count_fp": "2.00",
            "yes_total_cost_dollars": "1.040000",
        }
    ]
    market = (await member.get(f"/markets/{bench.home.ticker}"))["market"]
    assert (market["status"], market["result"]) == ("finalized", "yes")
    assert market["settlement_value_dollars"] == "1.0000"
    assert (await member.get("/portfolio/positions"))["market_positions"] == []
    settled = await member.get("/portfolio/positions?settlement_status=settled")
    assert len(settled["market_positions"]) == 1
    for query in ("ticker=X", "event_ticker=X", "max_ts=1"):
        assert (await member.get(f"/portfolio/settlements?{query}"))["settlements"] == []


async def test_a_no_settlement_is_told_on_its_own_side(member: Member, bench: Bench) -> None:
    """NO contracts of a market that resolved yes brought nothing."""
    quote(bench)
    bench.place(bench.member, ASK, 4_700, 100, IOC)
    determine(bench.venue, bench.home, 10_000, "")
    settle(bench.venue, bench.home)
    (one,) = (await member.get("/portfolio/settlements"))["settlements"]
    assert (one["no_count_fp"], one["no_total_cost_dollars"]) == ("1.00", "0.530000")
    assert (one["yes_count_fp"], one["revenue"]) == ("0.00", 0)


async def test_queue_positions_are_what_stands_before(member: Member, bench: Bench) -> None:
    """By market, by event, or for one order."""
    quote(bench)
    order_id = bench.place(bench.member, BID, 4_700, 100).order.order_id
    wanted = {
        "market_ticker": bench.home.ticker,
        "order_id": order_id,
        "queue_position_fp": "3.00",
    }
    path = "/portfolio/orders"
    for query in (f"market_tickers={bench.home.ticker}", f"event_ticker={bench.home.event.ticker}"):
        found = await member.get(f"{path}/queue_positions?{query}")
        assert found == {"queue_positions": [wanted]}
    one = await member.get(f"{path}/{order_id}/queue_position")
    assert one == {"queue_position_fp": "3.00"}
    assert (await member.call("GET", f"{path}/x/queue_position")).status == 404


async def test_limits_and_costs_are_told(member: Member) -> None:
    """The tier's buckets, and what differs from the default cost of ten."""
    limits = await member.get("/account/limits")
    assert (limits["usage_tier"], limits["write"]) == (
        "advanced",
        {"bucket_capacity": 600, "refill_rate": 300},
    )
    costs = await member.get("/account/endpoint_costs")
    cancel = {
        "cost": 2,
        "method": "DELETE",
        "path": "/trade-api/v2/portfolio/events/orders/:order_id",
    }
    assert costs["default_cost"] == 10
    assert cancel in costs["endpoint_costs"]


async def test_order_groups_live_over_rest(member: Member, bench: Bench) -> None:
    """Made, read, limited, triggered, reset and deleted."""
    wanted = {"contracts_limit": 5, "exchange_index": 3}
    made = await member.call("POST", "/portfolio/order_groups/create", wanted)
    assert (made.status, made.json["subaccount"]) == (201, 0)
    path = f"/portfolio/order_groups/{made.json['order_group_id']}"
    wish = order_wish(bench.home.ticker, "bid", "0.40", "1", order_group_id=path.rsplit("/", 1)[1])
    order = await member.call("POST", "/portfolio/events/orders", wish)
    assert (await member.get(path))["orders"] == [order.json["order_id"]]
    assert (await member.call("PUT", f"{path}/limit", {"contracts_limit_fp": "7.50"})).status == 200
    (listed,) = (await member.get("/portfolio/order_groups"))["order_groups"]
    assert listed["contracts_limit_fp"] == "7.50"
    await member.call("PUT", f"{path}/trigger", {})
    bench.later()
    assert bench.member.resting == {}
    refused = await member.call("POST", "/portfolio/events/orders", wish)
    assert refused.json["error"]["code"] == "exceeded_order_group_risk_limit"
    await member.call("PUT", f"{path}/reset", {})
    bench.later()
    placed = await member.call("POST", "/portfolio/events/orders", wish)
    assert placed.status == 201
    (shown,) = (await member.get("/portfolio/orders?status=resting"))["orders"]
    assert shown["order_group_id"] == wish["order_group_id"]
    assert (await member.call("DELETE", path)).status == 200
    assert bench.member.resting == {}
    assert (await member.call("GET", path)).status == 404
    bad = await member.call("POST", "/portfolio/order_groups/create", {"contracts_limit": 0})
    assert bad.status == 400
