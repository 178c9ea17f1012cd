"""Readings of the account: after connections that were lost, and those that fail themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
import trio

from arb.engine.account_reader import OVERLAP_MS, READING_GAP_S, READS, READS_LAG_MAX_S
from arb.engine.messages import ConnectionChanged
from arb.io.clock import NS_PER_S
from arb.kalshi.rest import Rest
from arb.kalshi.rest_calls import RestError
from arb.sim.exchange.lifecycle import settle
from arb.sim.websocket.subscriptions import Channel
from tests.engine.conftest import Rig
from tests.engine.test_reconciling import (
    TEN_DOLLARS_E6,
    end_game,
    give,
    held_ticker,
    until_counted,
)

OpenRig = Callable[..., Any]
HOUR_MS = 3_600_000


class Ahead:
    """An exchange's clock beside which ours is an hour ahead."""

    behind_ms = -HOUR_MS

    def earliest_ns(self, exchange_ms: int) -> int:
        """Return that nothing lags."""
        del exchange_ms
        return round(trio.current_time() * NS_PER_S)


async def test_a_connection_that_is_back_trades_only_on_equal_books(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """What changed while nobody listened keeps trading off from the first moment on."""
    async with open_rig() as rig:
        await rig.until(lambda: rig.board.counts["fills"] >= 1)
        rig.simulation.exchange_conditions.refuse_upgrades = 503
        rig.session(Channel.FILL).outbox.close(1001, "going away")
        await trio.sleep(1)
        give(rig, TEN_DOLLARS_E6)
        rig.heal()
        for _ in range(600):
            assert rig.state != "running"
            await trio.sleep(0.05)
        assert "cash is $10.00 more" in rig.reasons

        await rig.steering.steer("accept", {})
        assert rig.state == "running"


async def test_order_lanes_that_are_back_are_compared_first(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Orders may have been lost on the way: the account is read before anything new is sent."""
    async with open_rig() as rig:
        await rig.until(lambda: rig.board.counts["fills"] >= 1)
        reading = rig.risk._reconciler.last.number
        for connected in (False, True):
            rig.gateway._risk.tell(ConnectionChanged("Kalshi orders", connected, "test"))
        assert "Kalshi orders was down" in rig.reasons
        await rig.until_running()
        assert rig.risk._reconciler.last.number > reading


async def test_a_reading_that_fails_is_tried_again_soon(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """After a few failures the account is read within seconds of the exchange's recovery."""
    async with open_rig() as rig:
        await rig.until_running()
        await trio.sleep(2)
        rig.simulation.exchange_conditions.rest_status = 503
        await trio.sleep(40)
        reading = rig.risk._reconciler.last.number
        rig.heal()
        await trio.sleep(17)
        assert rig.risk._reconciler.last.number > reading
        assert rig.said("account not read")


async def test_an_account_that_cannot_be_read_stops_trading(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """After three intervals without a reading nothing new is begun, until there is one again."""
    async with open_rig() as rig:
        await rig.until_running()
        rig.simulation.exchange_conditions.rest_status = 503
        await trio.sleep(60)
        assert "Kalshi reads" not in rig.reasons
        await rig.until(lambda: "Kalshi reads is down: the account cannot be read" in rig.reasons)
        assert rig.state == "paused"
        rig.heal()
        await rig.until_running()


@pytest.mark.parametrize("killed", ["gateway", "risk"])
async def test_readings_that_were_late_are_no_later_than_their_gateway(
    killed: str, open_rig: OpenRig, autojump_clock: object
) -> None:
    """A gateway that has never failed takes back what the one before it has said."""
    async with open_rig() as rig:
        await rig.until_running()
        rig.simulation.exchange_conditions.rest_status = 503
        await rig.until(lambda: "Kalshi reads is down" in rig.reasons)
        await rig.steering.steer("kill", {"name": killed})
        await trio.sleep(5)
        assert rig.state != "running"
        rig.heal()
        await rig.until_running()
        assert rig.board.connections[READS].connected


async def test_shards_that_do_not_add_up_are_not_believed(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """The balance is the sum of its shards; a reading in which it is not is no reading."""
    async with open_rig() as rig:
        await rig.until_running()
        reader = rig.gateway._accounts
        balances = reader._rest.balances

        async def torn() -> object:
            found = await balances()
            return attrs.evolve(found, by_exchange_index={0: found.cash_e6 - 1})

        reader._rest.balances = torn
        before = rig.risk._reconciler.last.number
        await trio.sleep(35)
        assert rig.risk._reconciler.last.number == before
        assert rig.said("the shards hold $")


async def test_the_balance_is_read_a_second_after_its_last_answer(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """The exchange counts when a request arrives, which may be long after it was begun."""
    async with open_rig() as rig:
        await rig.until_running()
        reader = rig.gateway._accounts
        balances, began_s, answered_s = reader._rest.balances, [], []

        async def late() -> object:
            began_s.append(trio.current_time())
            await trio.sleep(5)
            answered_s.append(trio.current_time())
            reader.want()
            return await balances()

        reader._rest.balances = late
        reader.want()
        await trio.sleep(30)

    gaps_s = [after - before for before, after in zip(answered_s, began_s[1:], strict=False)]
    assert gaps_s
    assert min(gaps_s) >= READING_GAP_S


async def test_what_is_new_is_asked_for_by_the_exchanges_clock(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A machine whose clock is an hour ahead would ask for the fills of the next hour."""
    async with open_rig() as rig:
        await rig.until_running()
        reader = rig.gateway._accounts
        reader._exchange_clock = Ahead()
        await trio.sleep(35)
        new_ms = rig.parts.clock.wall_ms() - reader._fills_since_ms
        assert HOUR_MS + OVERLAP_MS <= new_ms <= HOUR_MS + OVERLAP_MS + 35_000


async def test_fills_that_are_read_are_booked_in_their_order(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """The exchange lists the newest first; what a position cost depends on what came first."""
    async with open_rig() as rig:
        rig.simulation.exchange_conditions.drop_fills = True
        await rig.until(lambda: len(rig.account.fills) >= 4, 240)
        await rig.until(lambda: rig.board.counts["fills"] >= 4, 60)
        booked = [r.data["trade_id"] for r in rig.parts.journal.records() if r.kind == "fill"]
        happened = [each.trade_id for each in rig.account.fills]

    assert booked == [trade_id for trade_id in happened if trade_id in booked]


async def decided_and_not_listed(rig: Rig) -> Callable[[], None]:
    """Have a held market paid without its settlement listed; return what lists it after all."""
    await rig.until(lambda: bool(rig.held_e2), 240)
    pair = end_game(rig, 10_000)
    await trio.sleep(40)
    before = len(rig.account.settlements)
    for ticker in pair:
        settle(rig.simulation.venue, rig.simulation.venue.markets[ticker])
    late = rig.account.settlements[before:]
    del rig.account.settlements[before:]
    return lambda: rig.account.settlements.extend(late)


async def filled_and_not_listed(rig: Rig) -> Callable[[], None]:
    """Have an order filled without a word, and not listed; return what lists it after all."""
    rig.simulation.exchange_conditions.drop_fills = True
    before = len(rig.account.fills)
    await rig.until(lambda: len(rig.account.fills) > before, 240)
    late = rig.account.fills[before:]
    del rig.account.fills[before:]
    return lambda: rig.account.fills.extend(late)


async def decided_before_a_fill_is_listed(rig: Rig) -> Callable[[], None]:
    """Have a market paid whose last fill is not listed; return what lists that after all."""
    await rig.until(lambda: bool(rig.held_e2), 240)
    rig.simulation.exchange_conditions.drop_fills = True
    ticker = held_ticker(rig)
    before, held_e2 = len(rig.account.fills), rig.held_e2[ticker]
    await rig.until(lambda: rig.held_e2.get(ticker, 0) != held_e2, 600)
    late = rig.account.fills[before:]
    del rig.account.fills[before:]
    pair = end_game(rig, 10_000)
    assert ticker in pair
    for each in pair:
        settle(rig.simulation.venue, rig.simulation.venue.markets[each])
    return lambda: rig.account.fills.extend(late)


@pytest.mark.slow
@pytest.mark.parametrize(
    "happens",
    [decided_and_not_listed, filled_and_not_listed, decided_before_a_fill_is_listed],
)
async def test_what_is_listed_minutes_late_is_found(
    happens: Callable[[Rig], Any], open_rig: OpenRig, autojump_clock: object
) -> None:
    """The account differs until then and is equal soon after, without a person or a restart."""
    async with open_rig(seed=3) as rig:
        await rig.until_running()
        list_it = await happens(rig)
        await until_counted(rig)
        await trio.sleep(OVERLAP_MS / 1000 + 5)
        assert "not reconciled" in rig.reasons
        list_it()
        rig.heal()
        await rig.until_running()
        rig.assert_books_equal()
        assert rig.board.counts["invariant_violations"] == 0


async def test_a_connection_that_is_back_waits_for_a_reading_that_cannot_miss_anything(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """What happened just before the private channels were heard again may not be listed yet."""
    async with open_rig() as rig:
        await rig.until_running()
        rig.simulation.exchange_conditions.read_lag_ms = 4_000
        rig.session(Channel.FILL).outbox.close(1001, "going away")
        await rig.until(lambda: "Kalshi account is down" in rig.reasons, 1)
        lost_s = trio.current_time()
        await rig.until_running()
        assert 4.0 <= trio.current_time() - lost_s <= 8.0


async def test_an_exchange_that_does_not_say_how_far_its_reads_are_is_read_all_the_same(
    open_rig: OpenRig, autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happened half a minute ago counts as read then: a start takes that long, no longer."""

    async def fails(_rest: Rest) -> int:
        await trio.lowlevel.checkpoint()
        raise RestError("GET /exchange/user_data_timestamp: HTTP 404", 404)

    monkeypatch.setattr(Rest, "user_data_ms", fails)
    async with open_rig() as rig:
        await rig.until_running()
        assert READS_LAG_MAX_S <= trio.current_time() <= READS_LAG_MAX_S + 5
        assert ("exchange", "how far its reads are cannot be read") in rig.board.bad


async def test_reads_that_claim_to_be_ahead_of_time_prove_nothing_more(
    open_rig: OpenRig, autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their clock may be ahead: no word is about what comes after it."""

    async def ahead(rest: Rest) -> int:
        await trio.lowlevel.checkpoint()
        return rest._clock.wall_ms() + 3_600_000

    monkeypatch.setattr(Rest, "user_data_ms", ahead)
    async with open_rig() as rig:
        await rig.until_running()
        account = rig.risk._reconciler._account
        assert account is not None
        assert account.as_of_ns is not None
        assert account.as_of_ns <= rig.parts.clock.monotonic_ns()


async def test_a_gateway_that_is_restarted_keeps_the_balances_gap(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """The exchange counts the account's readings, not ours."""
    async with open_rig() as rig:
        await rig.until_running()
        rig.gateway._accounts.want()
        before_s = rig.parts.brakes.balance_read_s
        await rig.until(lambda: rig.parts.brakes.balance_read_s > before_s, 5)
        read_s = rig.parts.brakes.balance_read_s
        await rig.system.restart("gateway")
        await rig.until(lambda: rig.parts.brakes.balance_read_s > read_s, 5)
        assert rig.parts.brakes.balance_read_s - read_s >= READING_GAP_S
