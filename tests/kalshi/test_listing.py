"""What the exchange lists, recorded and made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from arb.core.events import Liquidity
from arb.core.grid import WHOLE_CENTS
from arb.kalshi.fields import Malformed
from arb.kalshi.listing import event_of, market_of
from arb.kalshi.rest import Rest
from tests.kalshi.rest_bench import rest_over

MARKET = {
    "ticker": "KXNFLGAME-26AUG13DETCIN-CIN",
    "event_ticker": "KXNFLGAME-26AUG13DETCIN",
    "yes_sub_title": "Cincinnati",
    "status": "active",
    "close_time": "2026-08-15T23:00:00Z",
    "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0100"}],
    "exchange_index": 3,
    "custom_strike": {"football_team": "b007"},
}
EVENT = {
    "event_ticker": "KXNFLGAME-26AUG13DETCIN",
    "series_ticker": "KXNFLGAME",
    "title": "Detroit vs Cincinnati",
    "markets": [MARKET],
}


Read = Callable[[Rest], Awaitable[Any]]

DEMO = "demo-2026-06"
PROD = "prod-2026-08"


async def recorded(shared_data: Path, name: str, read: Read) -> Any:
    """Read a recorded body through the client."""
    path = shared_data / "kalshi" / "recorded" / f"{name}.json"
    content = orjson.loads(path.read_bytes())
    content = content.get("payload", content) | {"cursor": ""}
    async with rest_over(lambda path, query: content) as (rest, _):
        found = await read(rest)
        assert not rest.bad
        return found


async def test_recorded_events_are_read(autojump_clock: object, shared_data: Path) -> None:
    """Every recorded NFL game has two markets on whole cents."""
    events = await recorded(
        shared_data, f"{PROD}/events_nfl_preseason", lambda rest: rest.events("KXNFLGAME")
    )

    assert len(events) >= 1
    assert all(len(event.markets) == 2 for event in events)
    assert all(market.price_grid == WHOLE_CENTS for event in events for market in event.markets)
    assert all(market.team_id for event in events for market in event.markets)


@pytest.mark.parametrize(
    "name, read, holds",
    [
        (f"{PROD}/portfolio_fills", lambda rest: rest.fills(), lambda found: len(found) >= 15),
        (
            f"{DEMO}/fills__after_taker",
            lambda rest: rest.fills(),
            lambda found: found[0].fee_e6 == 17_500 and found[0].liquidity is Liquidity.TAKER,
        ),
        (
            f"{DEMO}/portfolio__orders_list",
            lambda rest: rest.orders(),
            lambda found: {order.status for order in found} >= {"executed", "canceled"},
        ),
        (
            f"{DEMO}/portfolio__positions",
            lambda rest: rest.positions(),
            lambda found: (found[0].count_e2, found[0].cost_e6) == (300, 2_500_000),
        ),
        (
            f"{DEMO}/auth__balance_ok",
            lambda rest: rest.balance(),
            lambda found: found == 98_018_600,
        ),
        (
            f"{PROD}/portfolio_settlements",
            lambda rest: rest.settlements(0),
            lambda found: len(found) >= 6,
        ),
        (
            f"{DEMO}/account__limits",
            lambda rest: rest.limits(),
            lambda found: found.tier == "basic",
        ),
        (
            f"{DEMO}/exchange__status",
            lambda rest: rest.exchange_status(),
            lambda found: found.trading_active,
        ),
    ],
)
async def test_recorded_account_reads_are_read(
    autojump_clock: object,
    shared_data: Path,
    name: str,
    read: Read,
    holds: Callable[[Any], bool],
) -> None:
    """Fills, settlements, orders, positions, balance and limits as recorded."""
    assert holds(await recorded(shared_data, name, read))


async def test_recorded_series_and_markets_are_read(
    autojump_clock: object, shared_data: Path
) -> None:
    """Fees of every recorded series, and every settled market."""
    folder = shared_data / "kalshi" / "recorded" / "prod-2026-08"
    payloads = orjson.loads((folder / "series_fee_fields.json").read_bytes())["payloads"]
    async with rest_over(lambda path, query: payloads[path.removeprefix("/series/")]) as (rest, _):
        series = {ticker: await rest.series(ticker) for ticker in payloads}

    settled = orjson.loads((folder / "markets_settled.json").read_bytes())["markets"]
    markets = [market_of(each) for each in settled]

    assert series["KXMLBGAME"].fee_multiplier_e4 == 5000
    assert all(market.result in {"yes", "no"} for market in markets)


def test_an_event_may_have_fees_of_its_own() -> None:
    """Overrides are read where they are set."""
    event = event_of({**EVENT, "fee_type_override": "quadratic", "fee_multiplier_override": 0.5})

    assert (event.fee_type, event.fee_multiplier_e4) == ("quadratic", 5000)


def test_a_market_must_belong_to_its_event() -> None:
    """A ticker that does not begin with its event's has no team in it."""
    with pytest.raises(Malformed, match="is none of event"):
        market_of({**MARKET, "ticker": "KXOTHER-CIN"})
    with pytest.raises(Malformed, match="is none of event"):
        market_of({**MARKET, "ticker": "KXNFLGAME-26AUG13DETCIN-"})


def test_a_market_without_a_team_of_its_own_has_no_team_id() -> None:
    """No strike, a strike of another kind, or two teams name none."""
    for strike in (None, {}, {"player": "x"}, {"a_team": "1", "b_team": "2"}, {"a_team": 5}):
        assert market_of({**MARKET, "custom_strike": strike}).team_id is None
