"""Pauses of every size, scheduled fees, and the ways in which a game can end."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from arb.sim.exchange.fee_changes import (
    apply_due_fees,
    schedule_event_fee,
    schedule_series_fee,
)
from arb.sim.exchange.fees import FeeSchedule, FeeType
from arb.sim.exchange.lifecycle import follow_pauses, sweep_closed
from arb.sim.exchange.maintenance import in_window, keep_window, next_window_ms
from arb.sim.exchange.markets import MarketStatus
from arb.sim.exchange.refusals import Refused
from arb.sim.exchange.resting import cancel
from arb.sim.exchange.values import BookSide, LifecycleEvent, Lifetime, OrderStatus
from arb.sim.simulation import Simulation, SimulationSettings
from arb.sim.timing import wall_ms_from_iso
from arb.sim.world.games import Calendar
from tests.sim.sim_client import Bench, HandClock, Member

BID, ASK = BookSide.BID, BookSide.ASK
HOUR_MS = 3_600_000


def code_of(caught: pytest.ExceptionInfo[Refused]) -> str:
    return caught.value.refusal.code


def test_trading_can_be_paused_by_condition(bench: Bench) -> None:
    """No order, but a cancel; careful orders are cancelled by the pause; it ends when it ends."""
    careful = bench.place(bench.member, BID, 4_000, 100, cancel_on_pause=True).order
    resting = bench.place(bench.member, BID, 4_000, 100).order
    bench.venue.conditions.trading_paused = True
    follow_pauses(bench.venue)
    follow_pauses(bench.venue)
    with pytest.raises(Refused) as caught:
        bench.place(bench.member, BID, 4_000, 100)
    assert code_of(caught) == "trading_is_paused"
    assert (careful.status, resting.status) == (OrderStatus.CANCELED, OrderStatus.RESTING)
    cancel(bench.venue, bench.member, resting.order_id, 3)
    bench.venue.conditions.trading_paused = False
    follow_pauses(bench.venue)
    bench.place(bench.member, BID, 4_000, 100)


async def test_the_exchange_can_be_paused_by_condition(member: Member, bench: Bench) -> None:
    """Nothing at all is allowed, cancels neither, and the status says so."""
    resting = bench.place(bench.member, BID, 4_000, 100).order
    bench.venue.conditions.exchange_paused = True
    follow_pauses(bench.venue)
    with pytest.raises(Refused) as caught:
        cancel(bench.venue, bench.member, resting.order_id, 3)
    assert code_of(caught) == "exchange_is_paused"
    status = await member.get("/exchange/status")
    assert (status["exchange_active"], status["trading_active"]) == (False, False)
    bench.venue.conditions.exchange_paused = False
    bench.venue.conditions.trading_paused = True
    follow_pauses(bench.venue)
    status = await member.get("/exchange/status")
    assert (status["exchange_active"], status["trading_active"]) == (True, False)


def test_one_market_can_be_paused_by_condition(bench: Bench) -> None:
    """The others trade on; when it trades again all that rested in it is cancelled."""
    resting = bench.place(bench.member, BID, 4_000, 100).order
    bench.venue.conditions.paused_markets.add(bench.home.ticker)
    follow_pauses(bench.venue)
    with pytest.raises(Refused) as caught:
        bench.place(bench.member, BID, 4_000, 100)
    assert code_of(caught) == "trading_is_paused"
    bench.place(bench.member, BID, 4_000, 100, ticker=bench.away.ticker)
    statuses = [resting.status]
    bench.venue.conditions.paused_markets.clear()
    follow_pauses(bench.venue)
    statuses.append(resting.status)
    assert statuses == [OrderStatus.RESTING, OrderStatus.CANCELED]
    assert bench.home.status is MarketStatus.ACTIVE


def test_a_finished_market_is_neither_paused_nor_resumed(bench: Bench) -> None:
    """A condition that names it changes nothing."""
    bench.home.status = MarketStatus.CLOSED
    for paused in ({bench.home.ticker}, set()):
        bench.venue.conditions.paused_markets = paused
        follow_pauses(bench.venue)
        assert bench.home.status is MarketStatus.CLOSED


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        ("2026-11-19T07:59:59Z", False),
        ("2026-11-19T08:00:00Z", True),
        ("2026-11-19T09:59:59Z", True),
        ("2026-11-19T10:00:00Z", False),
        ("2026-07-16T07:00:00Z", True),
        ("2026-11-18T08:30:00Z", False),
    ],
)
def test_thursday_mornings_are_for_maintenance(moment: str, inside: bool) -> None:
    """From three to five in the East, in winter and in summer."""
    wall_ms = wall_ms_from_iso(moment)
    assert in_window(wall_ms) is inside
    start_ms, end_ms = next_window_ms(wall_ms)
    assert in_window(start_ms)
    assert not in_window(start_ms - 1)
    assert not in_window(end_ms)
    assert end_ms > wall_ms


async def test_the_schedule_tells_the_window(member: Member, bench: Bench) -> None:
    """The next one as a window of maintenance, and every Thursday's as closed hours."""
    schedule = (await member.get("/exchange/schedule"))["schedule"]
    (window,) = schedule["maintenance_windows"]
    assert dt.datetime.fromisoformat(window["start_datetime"]).weekday() == 3
    assert len(schedule["standard_hours"][0]["thursday"]) == 2


def test_the_window_pauses_trading_once(bench: Bench) -> None:
    """Cancels are allowed in it, and what a person paused before its end stays as it left it."""
    bench.clock.now_ms = wall_ms_from_iso("2026-11-19T08:00:00Z")
    keep_window(bench.venue)
    assert (bench.venue.trading_active, bench.venue.exchange_active) == (False, True)
    keep_window(bench.venue)
    bench.clock.now_ms += 2 * HOUR_MS
    keep_window(bench.venue)
    assert bench.venue.trading_active


def test_a_world_keeps_the_window_when_asked() -> None:
    """Off by default: a world that stands still at night would astonish."""
    for maintenance in (False, True):
        clock = HandClock(wall_ms_from_iso("2026-11-19T08:30:00Z"))
        world = Simulation(SimulationSettings(games=1, maintenance=maintenance), clock)
        world.step(0.05)
        assert world.venue.trading_active is not maintenance


def test_a_market_closes_by_its_time(bench: Bench) -> None:
    """Without an event; what rests is cancelled by the exchange, and everything is refused."""
    resting = bench.place(bench.member, BID, 4_000, 100).order
    bench.clock.now_ms = bench.home.close_ms
    sweep_closed(bench.venue)
    assert (bench.home.status, resting.status) == (MarketStatus.CLOSED, OrderStatus.CANCELED)
    with pytest.raises(Refused) as caught:
        bench.place(bench.member, BID, 4_000, 100)
    assert code_of(caught) == "market_inactive"


async def test_a_fee_changes_at_its_moment(member: Member, bench: Bench) -> None:
    """Announced before, in force from then on, and shown as past when asked for."""
    soon_ms = bench.clock.now_ms + 60_000
    schedule_series_fee(bench.venue, "KXMLBGAME", FeeSchedule(FeeType.QUADRATIC), soon_ms)
    path = "/series/fee_changes"
    (announced,) = (await member.get(path))["series_fee_change_arr"]
    assert (announced["fee_type"], announced["fee_multiplier"]) == ("quadratic", 1)
    assert bench.home.fees.multiplier_e4 == 5_000
    bench.later(60_000)
    apply_due_fees(bench.venue)
    assert bench.home.fees == FeeSchedule(FeeType.QUADRATIC)
    assert (await member.get("/series/KXMLBGAME"))["series"]["fee_type"] == "quadratic"
    assert (await member.get(path))["series_fee_change_arr"] == []
    shown = await member.get(f"{path}?show_historical=true&series_ticker=KXMLBGAME")
    assert len(shown["series_fee_change_arr"]) == 1
    none = await member.get(f"{path}?show_historical=true&series_ticker=KXNONE")
    assert none["series_fee_change_arr"] == []


async def test_an_event_can_have_a_fee_of_its_own(member: Member, bench: Bench) -> None:
    """It overrides the series' and is told when it comes and when it goes."""
    event, now_ms = bench.home.event, bench.clock.now_ms
    async with member.socket() as socket:
        await socket.command(1, "subscribe", channels=["market_lifecycle_v2"])
        await socket.frame()
        schedule_event_fee(bench.venue, event.ticker, FeeSchedule(multiplier_e4=20_000), now_ms)
        assert bench.away.fees.multiplier_e4 == 20_000
        body = (await member.get(f"/events/{event.ticker}"))["event"]
        assert body["fee_multiplier_override"] == 2
        schedule_event_fee(bench.venue, event.ticker, None, now_ms)
        assert bench.away.fees.multiplier_e4 == 5_000
        messages = [one["msg"] for one in await socket.frames(2)]
    assert [one["fee_multiplier_override"] for one in messages] == [2, None]
    changes = await member.get(f"/events/fee_changes?event_ticker={event.ticker}")
    assert len(changes["event_fee_changes"]) == 2
    assert (await member.get("/events/fee_changes?event_ticker=X"))["event_fee_changes"] == []


def season(**more: Any) -> tuple[Simulation, HandClock]:
    """Return a world with one short game that begins in a minute."""
    clock = HandClock()
    calendar = Calendar(60_000, 0, 60_000)
    return Simulation(SimulationSettings(games=1, calendar=calendar, **more), clock), clock


def pass_time(world: Simulation, clock: HandClock, ms: int) -> None:
    for _ in range(ms // 1_000):
        clock.now_ms += 1_000
        world.step(1.0)


def states(world: Simulation) -> set[str]:
    return {market.status.value for market in world.venue.markets.values()}


class Calls:
    """Remembers when which change of a market's life was told."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.told: list[tuple[str, str, int]] = []

    def market_changed(self, event: LifecycleEvent) -> None:
        self.told.append((event.ticker, event.event_type, self.clock.now_ms))

    def __getattr__(self, _name: str) -> object:
        return lambda *_args: None


def test_a_game_ends_in_the_recorded_steps() -> None:
    """Close moved to now, determined a minute later, settled after the league's timer."""
    world, clock = season()
    (fixture,) = world.world.fixtures.values()
    calls = Calls(clock)
    world.venue.listeners.append(calls)  # type: ignore[arg-type]
    pass_time(world, clock, 400_000)
    told = [one for one in calls.told if one[0] == fixture.game.home_ticker]
    whistle_ms = fixture.game.end_ms
    timer_ms = fixture.game.league.timer_s * 1_000
    assert [word for _, word, _ in told] == ["close_date_updated", "determined", "settled"]
    assert [at_ms - whistle_ms for _, _, at_ms in told] == [0, 60_000, 60_000 + timer_ms]
    home = world.venue.markets[fixture.game.home_ticker]
    assert (home.close_ms, home.settled_ms) == (whistle_ms, told[-1][2])


def test_every_game_can_end_in_a_tie() -> None:
    """By condition, in any league: both markets pay half a dollar, a scalar."""
    world, clock = season()
    world.exchange_conditions.force_ties = True
    pass_time(world, clock, 400_000)
    results = {(market.result, market.value_e4) for market in world.venue.markets.values()}
    assert results == {("scalar", 5_000)}


def test_settlements_can_be_held() -> None:
    """Determined and not settled, until they are let go."""
    world, clock = season()
    world.exchange_conditions.hold_settlements = True
    pass_time(world, clock, 800_000)
    assert states(world) == {"determined"}
    world.exchange_conditions.hold_settlements = False
    pass_time(world, clock, 1_000)
    assert states(world) == {"finalized"}


def test_a_postponed_game_ends_later() -> None:
    """Its milestone and the close of its markets move with it, and both are told."""
    world, clock = season()
    (fixture,) = world.world.fixtures.values()
    event = world.venue.events[fixture.game.event_ticker]
    start_ms, close_ms = event.start_ms, next(iter(world.venue.markets.values())).close_ms
    world.world.postpone(fixture.game.game_id, HOUR_MS)
    assert event.start_ms == start_ms + HOUR_MS
    assert {market.close_ms for market in world.venue.markets.values()} == {close_ms + HOUR_MS}
    pass_time(world, clock, 400_000)
    assert states(world) == {"active"}
    pass_time(world, clock, HOUR_MS)
    assert states(world) == {"finalized"}


def test_a_game_that_is_not_played_pays_its_fair_price() -> None:
    """The last price of one market and what is left of a dollar of the other, both scalar."""
    world, clock = season()
    (fixture,) = world.world.fixtures.values()
    home = world.venue.markets[fixture.game.home_ticker]
    away = world.venue.markets[fixture.game.away_ticker]
    home.last_price_e4 = 6_300
    world.world.call_off(fixture.game.game_id, clock.now_ms)
    pass_time(world, clock, 400_000)
    assert (home.value_e4, away.value_e4) == (6_300, 3_700)
    assert (home.result, home.status) == ("scalar", MarketStatus.FINALIZED)


@pytest.mark.parametrize("lifetime", list(Lifetime))
def test_a_paused_market_takes_no_order_of_any_kind(bench: Bench, lifetime: Lifetime) -> None:
    """Immediate ones neither."""
    bench.venue.conditions.paused_markets.add(bench.home.ticker)
    follow_pauses(bench.venue)
    with pytest.raises(Refused) as caught:
        bench.place(bench.member, BID, 4_000, 100, lifetime)
    assert code_of(caught) == "trading_is_paused"
