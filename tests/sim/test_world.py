"""The simulated world: games, chances, sportsbooks, makers and takers."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise
from statistics import fmean, median

import pytest

from arb.sim.exchange.lifecycle import pause_market, pause_trading
from arb.sim.exchange.markets import MarketStatus
from arb.sim.exchange.placing import place
from arb.sim.exchange.values import BookSide, Lifetime, OrderRequest, OrderStatus
from arb.sim.simulation import Simulation, SimulationSettings
from arb.sim.world.chance import HIGHEST, LOWEST, HomeChance
from arb.sim.world.games import Calendar, make_games
from arb.sim.world.leagues import LEAGUES, MLB
from arb.sim.world.makers import wanted_levels
from arb.sim.world.sportsbooks import BOOKMAKERS, Bookmaker, Follower
from arb.sim.world.takers import NoiseTraders
from arb.sim.world.world import Fixture
from tests.sim.sim_client import EPOCH_MS, HOUR_MS, Bench, HandClock, game_of

BID, ASK = BookSide.BID, BookSide.ASK


def simulation(seed: int = 1, **more: object) -> tuple[HandClock, Simulation]:
    clock = HandClock()
    return clock, Simulation(SimulationSettings(seed=seed, **more), clock)  # type: ignore[arg-type]


def run(clock: HandClock, world: Simulation, seconds: float, step_s: float = 0.05) -> None:
    for _ in range(round(seconds / step_s)):
        clock.now_ms += round(step_s * 1_000)
        world.step(step_s)


def stage(fixture: Fixture) -> str:
    """Return where a game's home market is in its life."""
    return fixture.maker.home.status.value


def fair(world: Simulation, game_id: int) -> float:
    """Return the home chance that the books imply, their margins taken out."""
    chances = []
    for line in world.desk.lines(game_id).values():
        home, away = 1 / float(line.home), 1 / float(line.away)
        chances.append(home / (home + away))
    return median(chances)


def test_tickers_are_those_of_real_games() -> None:
    """Series, Eastern date, away before home; only baseball carries the time."""
    late = EPOCH_MS + 16 * HOUR_MS
    assert game_of(start_ms=late).event_ticker == "KXNFLGAME-26NOV18KCBUF"
    baseball = game_of(MLB, start_ms=late)
    assert baseball.home_ticker == "KXMLBGAME-26NOV182206LAALAD-LAD"
    assert baseball.away_ticker.endswith("-LAA")


def test_no_team_plays_twice_a_day() -> None:
    """However many games there are, a team has at most one within a day, and tickers differ."""
    games = make_games(random.Random(1), 150, EPOCH_MS, Calendar())
    assert len({game.event_ticker for game in games}) == 150
    assert len({game.game_id for game in games}) == 150
    starts: dict[str, list[int]] = {}
    for game in games:
        for team in (game.home, game.away):
            starts.setdefault(f"{game.league.key}/{team.code}", []).append(game.start_ms)
    for moments in starts.values():
        moments.sort()
        gaps = [later - sooner for sooner, later in pairwise(moments)]
        assert all(gap > 12 * HOUR_MS for gap in gaps)


def test_games_are_mixed_and_hours_ahead() -> None:
    """All four leagues in turn, none starting within two hours unless asked."""
    games = make_games(random.Random(1), 8, EPOCH_MS, Calendar())
    assert Counter(game.league.key for game in games) == {league.key: 2 for league in LEAGUES}
    assert all(game.start_ms > EPOCH_MS + 1.9 * HOUR_MS for game in games)
    soon = make_games(random.Random(1), 3, EPOCH_MS, Calendar(5_000, 1_000, 60_000))
    assert [game.start_ms - EPOCH_MS for game in soon] == [5_000, 6_000, 7_000]
    assert [game.end_ms - game.start_ms for game in soon] == [60_000] * 3


def test_every_league_has_its_table() -> None:
    """Sixteen teams each, with codes, labels and names of their own within the league."""
    for league in LEAGUES:
        assert len(league.teams) == 16
        for field in ("code", "label", "name", "target_id"):
            assert len({getattr(team, field) for team in league.teams}) == 16


def test_the_world_repeats_from_its_seed() -> None:
    """Same seed and same clock: the same books to the last order; another seed: another world."""

    def story(seed: int) -> list[object]:
        clock, world = simulation(seed)
        run(clock, world, 30)
        orders = [
            (order.order_id, order.price_e4, order.remaining_e2)
            for order in world.venue.resting_orders()
        ]
        lines = [world.desk.lines(game_id) for game_id in world.desk.games]
        return [orders, lines, world.key_id, world.odds_key]

    assert story(7) == story(7)
    assert story(7) != story(8)


def test_a_chance_stays_within_its_band_and_jumps_by_cents() -> None:
    """Small steps all the time; a jump is four to twelve cents."""
    rng = random.Random(2)
    chance = HomeChance.drawn(rng)
    for _ in range(5_000):
        before = chance.value
        chance.jump(rng)
        moved = abs(chance.value - before)
        assert LOWEST <= chance.value <= HIGHEST
        assert moved <= 0.12 + 1e-12
    still = HomeChance(0.5)
    for _ in range(20):
        still.drift(rng, 50)
    assert 0 < abs(still.value - 0.5) < 0.01


def test_books_follow_late_with_margin() -> None:
    """A book's line moves only after its delay, and its odds add up to one and its margin."""
    rng = random.Random(4)
    for bookmaker in BOOKMAKERS:
        follower = Follower.opened(bookmaker, 0.5, rng, 0)
        overround = 1 / float(follower.line.home) + 1 / float(follower.line.away)
        assert overround - 1 == pytest.approx(bookmaker.margin, abs=0.008)
        moved_ms = next(
            moment_ms
            for moment_ms in range(0, 5_000, 10)
            if follower.step(0.6, moment_ms, rng, moment_ms)
        )
        assert bookmaker.delay_lowest_ms <= moved_ms <= bookmaker.delay_highest_ms + 10
        assert follower.line.made_ms == moved_ms
        home, away = 1 / float(follower.line.home), 1 / float(follower.line.away)
        assert home / (home + away) == pytest.approx(0.6, abs=0.012)
        assert not follower.step(0.6, 9_000, rng, 9_000)


def test_books_do_not_repeat_an_unchanged_line() -> None:
    """A move too small to show in the odds is no update."""
    rng = random.Random(5)
    coarse = Bookmaker("Coarse", 0, 0, 0.04, 0.0, decimals=1)
    follower = Follower.opened(coarse, 0.5, rng, 0)
    assert follower.line.home == "1.9"
    assert not follower.step(0.503, 10, rng, 10)
    assert follower.step(0.55, 20, rng, 20)


@pytest.mark.parametrize(
    ("chance", "spread", "best"),
    [(0.5, 1, (4_900, 5_000)), (0.5, 2, (4_900, 5_100)), (0.623, 2, (6_100, 6_300))],
)
def test_makers_quote_around_their_belief(
    chance: float, spread: int, best: tuple[int, int]
) -> None:
    """Bid and ask stand the spread apart, with levels a cent apart behind them."""
    levels = list(wanted_levels(chance, spread))
    bid = max(price for side, price in levels if side is BID)
    ask = min(price for side, price in levels if side is ASK)
    assert ask - bid == spread * 100
    assert abs((bid + ask) / 2 - chance * 10_000) <= 100
    assert (bid, ask) == best or spread == 1
    assert len(levels) == 8


def test_makers_leave_prices_off_the_scale_out() -> None:
    """Near the end of the scale there are fewer levels."""
    assert {price for side, price in wanted_levels(0.02, 1) if side is BID} <= {100, 200}


def test_makers_lag_behind_the_books() -> None:
    """After a jump the books' fair value is away from the touch for half a second to seconds."""
    clock, world = simulation(suspensions=False)
    run(clock, world, 1)
    fixture = next(iter(world.world.fixtures.values()))
    game_id = fixture.game.game_id
    start_e4 = fixture.maker.home.book.best_e4(ASK)
    assert start_e4 is not None
    target = fixture.chance.value + 0.15 if fixture.chance.value < 0.5 else 0.3
    world.world.jump(game_id, target)
    apart_ms = 0
    for _ in range(100):
        run(clock, world, 0.05)
        ask_e4 = fixture.maker.home.book.best_e4(ASK)
        bid_e4 = fixture.maker.home.book.best_e4(BID)
        assert ask_e4 is not None
        assert bid_e4 is not None
        worth_e4 = fair(world, game_id) * 10_000
        apart_ms += 50 if worth_e4 > ask_e4 + 400 or worth_e4 < bid_e4 - 400 else 0
    assert 300 <= apart_ms <= 3_500
    assert fair(world, game_id) == pytest.approx(fixture.chance.value, abs=0.02)


def test_both_markets_of_a_game_agree() -> None:
    """The home and the away market's middles add up to about a dollar."""
    clock, world = simulation()
    run(clock, world, 20)
    sums = []
    for fixture in world.world.fixtures.values():
        middles = []
        for market in (fixture.maker.home, fixture.maker.away):
            bid_e4, ask_e4 = market.book.best_e4(BID), market.book.best_e4(ASK)
            assert bid_e4 is not None
            assert ask_e4 is not None
            assert 100 <= ask_e4 - bid_e4 <= 900
            middles.append((bid_e4 + ask_e4) / 2)
        sums.append(sum(middles))
    assert fmean(sums) == pytest.approx(10_000, abs=120)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_there_are_edges_and_exits(seed: int) -> None:
    """In three minutes a taker of five cents finds several edges, and sales at fair value fill."""
    clock, world = simulation(seed)
    entries, sales = 0, []
    held: set[str] = set()
    for _ in range(3_600):
        run(clock, world, 0.05)
        for game_id, fixture in world.world.fixtures.items():
            home = fair(world, game_id)
            for market, chance in ((fixture.maker.home, home), (fixture.maker.away, 1 - home)):
                ask_e4 = market.book.best_e4(ASK)
                worth_e4 = int(chance * 10_000)
                if ask_e4 is None or worth_e4 - ask_e4 < 500 or market.ticker in held:
                    continue
                held.add(market.ticker)
                entries += 1
                buy = OrderRequest(market.ticker, BID, 500, ask_e4, Lifetime.IMMEDIATE_OR_CANCEL)
                bought = place(world.venue, world.member, buy).order.filled_e2
                price_e4 = -(-worth_e4 // 100) * 100
                sale = OrderRequest(market.ticker, ASK, bought, price_e4)
                sales.append(place(world.venue, world.member, sale).order)
    assert entries >= 5
    assert sum(sale.status is OrderStatus.EXECUTED for sale in sales) >= entries // 2


def test_a_pause_stops_makers_and_takers() -> None:
    """Nothing changes on the books while trading is paused, and life goes on afterwards."""
    clock, world = simulation()
    run(clock, world, 5)
    for market in world.venue.markets.values():
        pause_market(world.venue, market)
    before = {ticker: market.clock for ticker, market in world.venue.markets.items()}
    run(clock, world, 20)
    assert before == {ticker: market.clock for ticker, market in world.venue.markets.items()}
    for market in world.venue.markets.values():
        market.status = MarketStatus.ACTIVE
    pause_trading(world.venue)
    run(clock, world, 20)
    assert before == {ticker: market.clock for ticker, market in world.venue.markets.items()}
    world.venue.trading_active = True
    run(clock, world, 20)
    assert all(market.clock > before[ticker] for ticker, market in world.venue.markets.items())


def test_noise_finds_nothing_in_an_empty_book(bench: Bench) -> None:
    """A taker without a counterparty goes home; an informed one trades towards the truth."""
    noise = NoiseTraders(bench.venue.open_account("noise", {}, bottomless=True))
    rng = random.Random(6)
    for _ in range(50):
        noise.step(bench.venue, bench.home, 0.9, 10_000, rng)
    assert bench.home.volume_e2 == 0
    for _ in range(300):
        if bench.home.book.best_e4(ASK) is None:
            bench.place(bench.maker, ASK, 5_200, 10_000)
            bench.place(bench.maker, BID, 4_800, 10_000)
        noise.step(bench.venue, bench.home, 0.9, 10_000, rng)
    assert noise.account.position(bench.home.ticker).count_e2 > 0


@pytest.mark.parametrize("speed", [1.0, 10.0])
def test_games_start_end_and_settle(speed: float) -> None:
    """A short game is played to the end, both markets settle and the books take it down."""
    calendar = Calendar(start_in_ms=1_000, length_ms=4_000)
    clock, world = simulation(games=2, speed=speed, calendar=calendar)
    run(clock, world, 4.9)
    (first, second) = world.world.fixtures.values()
    assert stage(first) == "active"
    run(clock, world, 0.2)
    assert first.over
    assert stage(first) == "closed"
    assert world.desk.lines(first.game.game_id) == {}
    run(clock, world, 130 / speed)
    results = {market.result for market in (first.maker.home, first.maker.away, second.maker.home)}
    assert results == {"yes", "no"}
    assert stage(first) == "finalized"
    assert {first.maker.home.result, first.maker.away.result} == {"yes", "no"}
    assert first.maker.home.winner_label in {first.game.home.label, first.game.away.label}


def test_speed_scales_the_world_and_not_its_stamps() -> None:
    """Ten times the speed makes about ten times the messages in the same time."""
    counts = []
    for speed in (1.0, 10.0):
        clock, world = simulation(speed=speed)
        run(clock, world, 20)
        assert world.world.moment_ms == pytest.approx(20_000 * speed)
        counts.append(sum(market.clock for market in world.venue.markets.values()))
        assert max(one.trades[-1].at_ms for one in world.venue.markets.values() if one.trades) <= (
            clock.now_ms
        )
    assert counts[1] > 4 * counts[0]


def test_the_world_says_what_it_is() -> None:
    """Representations name the numbers that matter."""
    _, world = simulation(seed=5)
    assert "seed=5" in repr(world)
    assert "8 games" in repr(world.world)
    assert "16 markets" in repr(world.venue)
    assert world.world_id == f"5-{EPOCH_MS}"
