"""The life of a market and of the positions in it."""

from __future__ import annotations

import attrs
import pytest

from arb.sim.exchange.account import Position
from arb.sim.exchange.grid import DECI_CENT, GRIDS, TAPERED_DECI_CENT
from arb.sim.exchange.groups import GroupEvent
from arb.sim.exchange.lifecycle import (
    change_grid,
    close,
    determine,
    pause_market,
    resume_market,
    resume_trading,
    settle,
    sweep_closed,
)
from arb.sim.exchange.markets import Event, MarketStatus
from arb.sim.exchange.values import (
    BookSide,
    Change,
    Fill,
    LevelChange,
    LifecycleEvent,
    Lifetime,
    Order,
    Trade,
)
from arb.sim.world.leagues import MLB
from arb.sim.world.referee import Referee
from tests.sim.sim_client import EPOCH_MS, Bench, game_of

BID, ASK = BookSide.BID, BookSide.ASK
IOC = Lifetime.IMMEDIATE_OR_CANCEL


@attrs.define
class Diary:
    """A listener that writes down what it is told."""

    heard: list[object] = attrs.field(factory=list)

    def level_changed(self, change: LevelChange) -> None:
        self.heard.append(change)

    def traded(self, trade: Trade) -> None:
        self.heard.append(trade)

    def filled(self, fill: Fill) -> None:
        self.heard.append(fill)

    def order_changed(self, order: Order) -> None:
        self.heard.append((order.order_id, order.status, order.change))

    def position_changed(self, account: str, position: Position) -> None:
        self.heard.append((account, position.count_e2))

    def market_changed(self, event: LifecycleEvent) -> None:
        self.heard.append((event.ticker, event.event_type, dict(event.fields)))

    def group_changed(self, event: GroupEvent) -> None:
        self.heard.append(event)

    def event_fee_changed(self, event: Event) -> None:
        self.heard.append(event.ticker)


@pytest.fixture
def diary(bench: Bench) -> Diary:
    made = Diary()
    bench.venue.listeners.append(made)
    return made


def hold(bench: Bench, count_e2: int = 200) -> None:
    """Give the member YES and the maker NO."""
    bench.place(bench.maker, ASK, 4_000, count_e2)
    bench.place(bench.member, BID, 4_000, count_e2, IOC)


def test_a_trade_is_told_in_one_order(bench: Bench, diary: Diary) -> None:
    """First the level, then the trade, then fills and positions, then the orders."""
    hold(bench)
    kinds = [type(one).__name__ for one in diary.heard]
    assert kinds == [
        "LevelChange",
        "tuple",
        "LevelChange",
        "Trade",
        "Fill",
        "tuple",
        "Fill",
        "tuple",
        "tuple",
        "tuple",
    ]
    change = diary.heard[2]
    assert isinstance(change, LevelChange)
    assert (change.delta_e2, change.clock) == (-200, 2)
    assert [owner for owner, _ in change.owners] == ["maker", "member"]


def test_a_winner_is_paid_a_dollar(bench: Bench) -> None:
    """YES of the winner gets a dollar each, NO nothing, and both positions are gone."""
    hold(bench)
    before = (bench.member.cash_e6[3], bench.maker.cash_e6[3])
    close(bench.venue, bench.home)
    determine(bench.venue, bench.home, 10_000, "Los Angeles D")
    settle(bench.venue, bench.home)
    assert bench.home.status is MarketStatus.FINALIZED
    assert bench.home.result == "yes"
    assert bench.member.cash_e6[3] - before[0] == 2_000_000
    assert bench.maker.cash_e6[3] == before[1]
    assert bench.member.position(bench.home.ticker).count_e2 == 0
    (paid,) = bench.member.settlements
    assert (paid.revenue_e6, paid.count_e2, paid.cost_e6) == (2_000_000, 200, 800_000)
    assert bench.member.position(bench.home.ticker).realised_e6 == 1_200_000


def test_a_tie_pays_half_to_both(bench: Bench) -> None:
    """A scalar result pays YES its value and NO the rest of the dollar."""
    hold(bench)
    determine(bench.venue, bench.home, 5_000, "Tie")
    settle(bench.venue, bench.home)
    assert bench.home.result == "scalar"
    assert [one.settlements[0].revenue_e6 for one in (bench.member, bench.maker)] == [1_000_000] * 2


def test_settling_needs_a_result(bench: Bench) -> None:
    """A market that nobody determined pays nobody."""
    hold(bench)
    settle(bench.venue, bench.home)
    assert bench.member.settlements == []


def test_the_close_sweeps_what_rests(bench: Bench, diary: Diary) -> None:
    """Resting orders are cancelled shortly after the close, and the close time moves to now."""
    order = bench.place(bench.member, BID, 4_000, 100).order
    bench.clock.now_ms += 5_000
    close(bench.venue, bench.home)
    assert bench.home.close_ms == EPOCH_MS + 5_000
    sweep_closed(bench.venue)
    assert order.change is Change.CLOSE
    assert diary.heard[2] == (
        bench.home.ticker,
        "close_date_updated",
        {"close_ts": (EPOCH_MS + 5_000) // 1_000},
    )


def test_a_resumed_market_starts_empty(bench: Bench, diary: Diary) -> None:
    """Everything that rested through a market's pause is cancelled when it resumes."""
    order = bench.place(bench.member, BID, 4_000, 100).order
    pause_market(bench.venue, bench.home)
    resume_market(bench.venue, bench.home)
    assert (order.change, bench.home.status) == (Change.HALT, MarketStatus.ACTIVE)
    events = [one[1] for one in diary.heard if isinstance(one, tuple) and len(one) == 3]
    assert "deactivated" in events
    assert events[-1] == "activated"


def test_trading_resumes_with_what_rested(bench: Bench) -> None:
    """A pause of the whole exchange takes nothing off the books."""
    bench.place(bench.member, BID, 4_000, 100)
    bench.venue.trading_active = bench.venue.exchange_active = False
    resume_trading(bench.venue)
    assert bench.venue.trading_active
    assert bench.home.book.levels(BID) == [(4_000, 100)]


def test_a_grid_can_change_live(bench: Bench, diary: Diary) -> None:
    """Finer prices are allowed from then on, and everybody is told."""
    change_grid(bench.venue, bench.home, DECI_CENT)
    bench.place(bench.member, BID, 4_010, 100)
    assert diary.heard[0] == (
        bench.home.ticker,
        "price_level_structure_updated",
        {"price_level_structure": "deci_cent"},
    )


@pytest.mark.parametrize(
    ("price_e4", "allowed"),
    [(10, True), (1_000, True), (1_010, False), (1_100, True), (9_000, True), (9_010, True)],
)
def test_a_tapered_grid_is_fine_at_its_ends(price_e4: int, allowed: bool) -> None:
    """Tenths of a cent below ten and above ninety cents, whole cents between."""
    assert TAPERED_DECI_CENT.allows(price_e4) is allowed
    assert GRIDS["tapered_deci_cent"] is TAPERED_DECI_CENT


def test_a_game_ends_in_the_real_order(bench: Bench) -> None:
    """Closed at once, determined a minute later, finalized after the settlement timer."""
    hold(bench)
    referee = Referee(bench.venue)
    referee.whistle(game_of(MLB), bench.clock.now_ms, home_wins=True)
    seen = []
    for second in (0, 59, 60, 179, 180):
        referee.step(EPOCH_MS + second * 1_000)
        seen.append((second, bench.home.status.value, bench.away.result))
    assert seen == [
        (0, "closed", ""),
        (59, "closed", ""),
        (60, "determined", "no"),
        (179, "determined", "no"),
        (180, "finalized", "no"),
    ]
    assert repr(referee) == "Referee(pending=0)"


def test_a_tied_game_settles_both_markets_at_half(bench: Bench) -> None:
    """A tie is a scalar result of half a dollar in both markets."""
    referee = Referee(bench.venue, scale=0.0)
    referee.whistle(game_of(MLB), bench.clock.now_ms, home_wins=None)
    referee.step(bench.clock.now_ms)
    assert [(one.result, one.value_e4) for one in (bench.home, bench.away)] == [
        ("scalar", 5_000)
    ] * 2
