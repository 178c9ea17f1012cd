"""Money without a trade, as the exchange lists it: settlements, deposits, transfers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from arb.kalshi.fields import Malformed
from arb.kalshi.money_moves import (
    deposit_of,
    market_end_of,
    settlement_of,
    shard_transfer_of,
    subaccount_transfer_of,
    withdrawal_of,
)
from arb.kalshi.rest import TICKERS_PER_URL
from arb.kalshi.rest_calls import RestError
from tests.io.http_server import Reply
from tests.kalshi.rest_bench import rest_over

SETTLED: dict[str, Any] = {
    "fee_cost": "0.202100",
    "market_result": "yes",
    "no_count_fp": "0.00",
    "revenue": 1500,
    "settled_time": "2026-08-16T04:00:00Z",
    "ticker": "T",
    "value": 100,
    "yes_count_fp": "15.00",
}
MOVED: dict[str, Any] = {
    "amount_cents": 500,
    "created_ts": 7,
    "fee_cents": 25,
    "id": "d1",
    "status": "applied",
    "type": "ach",
}
SUBACCOUNT: dict[str, Any] = {
    "amount_cents": 500,
    "created_ts": 7,
    "from_subaccount": 0,
    "to_subaccount": 3,
    "transfer_id": "t1",
}
SHARD: dict[str, Any] = {
    "amount": "5.0000",
    "created_ts": 7,
    "destination": "margined",
    "source": "event_contract",
    "status": "complete",
    "transfer_id": "t1",
}


def test_a_settlement_pays_in_whole_cents() -> None:
    """Revenue is in cents, the fee is exact."""
    settlement = settlement_of(SETTLED)

    assert (settlement.revenue_e6, settlement.fee_e6) == (15_000_000, 202_100)
    assert (settlement.yes_count_e2, settlement.no_count_e2) == (1500, 0)


@pytest.mark.parametrize(
    "result, value, worth_e4",
    [("yes", None, 10_000), ("no", None, 0), ("yes", 100, 10_000), ("scalar", 50, 5_000)],
)
def test_the_result_says_what_a_contract_was_worth(
    result: str, value: int | None, worth_e4: int
) -> None:
    """Yes and no need no value, which may be missing; a price between is in whole cents."""
    settlement = settlement_of({**SETTLED, "market_result": result, "value": value})

    assert settlement.value_e4 == worth_e4
    assert settlement.is_scalar is (result == "scalar")


@pytest.mark.parametrize("value", [None, -1, 101])
def test_a_price_between_that_is_none_is_refused(value: int | None) -> None:
    """Without a value nobody knows what was paid."""
    with pytest.raises(Malformed):
        settlement_of({**SETTLED, "market_result": "scalar", "value": value})


def test_every_recorded_settlement_is_count_times_value(shared_data: Path) -> None:
    """What production paid is what the counts and the value come to, NO included."""
    path = shared_data / "kalshi" / "recorded" / "prod-2026-08" / "portfolio_settlements.json"
    rows = orjson.loads(path.read_bytes())["payload"]["settlements"]
    for row in rows:
        one = settlement_of(row)
        paid_e6 = one.yes_count_e2 * one.value_e4 + one.no_count_e2 * (10_000 - one.value_e4)
        assert one.revenue_e6 == paid_e6
    assert len(rows) > 20


@pytest.mark.parametrize(
    "text, worth_e4",
    [("1.0000", 10_000), ("0.0000", 0), ("0.3333", 3_333), ("", None), (None, None)],
)
def test_a_market_says_what_it_ended_at(text: str | None, worth_e4: int | None) -> None:
    """Exactly, and nothing before it is decided."""
    end = market_end_of({"ticker": "T", "status": "x", "settlement_value_dollars": text})

    assert (end.value_e4, end.settled_ms) == (worth_e4, None)


def test_a_worth_beyond_a_dollar_is_refused() -> None:
    """A contract pays a dollar at most."""
    with pytest.raises(Malformed):
        market_end_of({"ticker": "T", "status": "x", "settlement_value_dollars": "1.0001"})


def test_every_recorded_settled_market_has_an_end(shared_data: Path) -> None:
    """Production's settled markets are worth nothing or a dollar."""
    path = shared_data / "kalshi" / "recorded" / "prod-2026-08" / "markets_settled.json"
    ends = [market_end_of(row) for row in orjson.loads(path.read_bytes())["markets"]]

    assert {end.value_e4 for end in ends} == {0, 10_000}
    assert all(end.status == "finalized" and end.settled_ms for end in ends)


def test_deposits_come_and_withdrawals_go() -> None:
    """In millionths, with the fee beside them, at the end of the second they were made in."""
    deposit, withdrawal = deposit_of(MOVED), withdrawal_of({**MOVED, "finalized_ts": 9})

    assert deposit is not None
    assert withdrawal is not None
    assert (deposit.amount_e6, deposit.fee_e6, deposit.at_ms) == (5_000_000, 250_000, 7_999)
    assert (withdrawal.amount_e6, withdrawal.at_ms) == (-5_000_000, 9_999)
    assert deposit.move_id != withdrawal.move_id


@pytest.mark.parametrize("status", ["pending", "failed", "returned"])
def test_what_was_not_carried_out_moved_nothing(status: str) -> None:
    """Only an applied deposit is in the balance."""
    assert deposit_of({**MOVED, "status": status}) is None


@pytest.mark.parametrize(
    "source, target, amount_e6",
    [(0, 3, -5_000_000), (3, 0, 5_000_000), (1, 2, None), (0, 0, None)],
)
def test_transfers_between_subaccounts(source: int, target: int, amount_e6: int | None) -> None:
    """They count as far as the primary account gains or loses."""
    row = {**SUBACCOUNT, "from_subaccount": source, "to_subaccount": target}
    move = subaccount_transfer_of(row)

    assert (move.amount_e6 if move is not None else None) == amount_e6


@pytest.mark.parametrize(
    "changes, amount_e6",
    [
        ({}, -5_000_000),
        ({"source": "margined", "destination": "event_contract"}, 5_000_000),
        ({"destination": "event_contract"}, None),
        ({"status": "pending"}, None),
    ],
)
def test_transfers_between_shards(changes: dict[str, str], amount_e6: int | None) -> None:
    """From shard to shard nothing changes in all; what leaves trading is gone from the cash."""
    move = shard_transfer_of({**SHARD, **changes})

    assert (move.amount_e6 if move is not None else None) == amount_e6


async def test_lists_that_are_not_shown_are_empty(autojump_clock: object) -> None:
    """A key may not see them, or an exchange not have them; any other failure is one."""
    status = 403

    def pages(path: str, _query: dict[str, str]) -> object:
        if path == "/portfolio/deposits":
            return {"deposits": [MOVED], "cursor": ""}
        return Reply(status, b"{}")

    async with rest_over(pages) as (rest, _):
        assert [move.move_id for move in await rest.cash_moves()] == ["deposit d1"]
        status = 503
        with pytest.raises(RestError):
            await rest.cash_moves()


async def test_many_markets_are_asked_for_in_parts(autojump_clock: object) -> None:
    """An address has its limits."""
    asked: list[int] = []

    def pages(_path: str, query: dict[str, str]) -> object:
        tickers = query["tickers"].split(",")
        asked.append(len(tickers))
        return {"markets": [{"ticker": each, "status": "active"} for each in tickers]}

    async with rest_over(pages) as (rest, _):
        ends = await rest.market_ends([f"T{n}" for n in range(TICKERS_PER_URL + 5)])

    assert asked == [TICKERS_PER_URL, 5]
    assert len(ends) == TICKERS_PER_URL + 5
