"""What a console sees when it looks at one thing of a running engine closely."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from arb.engine.closeup import BAR_ENDS_US, measured
from arb.engine.control_requests import SteeringError

OpenRig = Callable[..., Any]


async def test_a_market_shows_its_book_its_quotes_and_its_orders(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Everything a decision rests on is there, and looking changes nothing."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.held_e2))
        ticker = next(name for name, held in rig.board.holdings.items() if held.count_e2)
        first = await rig.steering.show("market", ticker)
        shown = orjson.loads(orjson.dumps(await rig.steering.show("market", ticker)))

        assert shown["book"]["bids"][0]["price_e4"] < shown["book"]["asks"][0]["price_e4"]
        assert sum(each["weight_percent"] for each in shown["odds"]["quotes"]) == 100
        assert 0 < shown["odds"]["fair"] < 1
        assert any(each["purpose"] == "exit" for each in shown["orders"])
        assert any(level["own_e2"] for level in shown["book"]["asks"])
        assert first["odds"]["counted"] == shown["odds"]["counted"]


async def test_what_is_away_is_shown_as_away(open_rig: OpenRig, autojump_clock: object) -> None:
    """A market in quarantine shows its book all the same; its actor shows why it is down."""
    async with open_rig() as rig:
        ticker = rig.markets()[0]
        await rig.steering.steer("quarantine", {"name": ticker})
        shown = await rig.steering.show("market", ticker)
        actor = await rig.steering.show("actor", ticker)

        assert shown["odds"] is None
        assert shown["book"]["fault"] is None or shown["book"]["bids"] == []
        assert actor["spec"]["name"] == ticker
        assert actor["counters"]["received"] >= 0
        for what in ("market", "actor"):
            with pytest.raises(SteeringError, match="nobody"):
                await rig.steering.show(what, "nobody")


async def test_matching_and_latency_of_a_running_engine(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Every game of the catalogue is listed, and every step of an order's way is measured."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.board.answered_ns))
        matching = orjson.loads(orjson.dumps(await rig.steering.show("matching", "")))
        latency = orjson.loads(orjson.dumps(await rig.steering.show("latency", "")))

        assert 2 * len(matching["matched"]) == len(rig.markets())
        assert [each["count"] > 0 for each in latency["steps"]] == [True, True, True]
        assert latency["counts"]["odds_frames"] > 0


def test_times_become_percentiles_and_bars() -> None:
    """Each time is in one bar; the last bar takes what is slower than all others."""
    shown = measured([10_000, 30_000, 10**12])

    assert (shown["count"], shown["p50_us"], shown["max_us"]) == (3, 30, 10**9)
    assert (shown["bars"][0], shown["bars"][1], shown["bars"][-1]) == (1, 1, 1)
    assert len(shown["bars"]) == len(BAR_ENDS_US) + 1
    assert measured([])["p99_us"] is None
