"""Faults of the exchange and of the odds provider's servers: what they answer, and what they do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Any

import trio

from arb.faults.second_engine import second_engine
from arb.faults.sometimes import ACCOUNT_DIFFERED, LOST_RACE, PAUSED_RESTING
from arb.faults.stage import Heal, Kind, Stage, Struck
from arb.journal.frames import scan
from arb.sim.conditions import OrderAnswer
from arb.sim.exchange import grouping, lifecycle
from arb.sim.exchange.markets import Market, MarketStatus
from arb.sim.exchange.values import BookSide, Change
from arb.sim.exchange.venue import Venue
from arb.sim.world.world import Fixture

EXCHANGE = "exchange"

# A minute and a settlement timer on the real exchange; a run is too short for that, and nothing in
# the engine counts on either.
DETERMINED_AFTER_S = 2.0
PAID_AFTER_S = 3.0

# What the record of an account that was taken over has in its bytes, and no other record.
ACCOUNT_RECORD = b'"k":"account"'

# Market makers follow a jump within less.
CANCELS_LAG_S = 3.0

ORDERS = ("orders",)
READS = ("reads",)
PRIVATE = ("private",)
MARKET = ("market",)
VENUE = ("venue",)


# What an exchange at rest says, and what one says that finds something wrong with the order.
_REFUSALS = ((409, "trading_is_paused"), (400, "invalid_order"))


def _answer(answer: OrderAnswer, stage: Stage, component: str, dice: Random) -> Heal:
    condition = _ANSWERS[component]
    stage.exchange.refusal = dice.choice(_REFUSALS)
    setattr(stage.exchange, condition, answer)
    return partial(_restore, stage.exchange, condition, OrderAnswer.NORMAL)


def _conditions(stage: Stage, component: str) -> Any:
    return stage.odds if component == "odds" else stage.exchange


def _answered(answer: OrderAnswer, stage: Stage, component: str) -> int:
    return stage.exchange.strikes[f"{_ANSWERS[component]} {answer}"]


def condition_met(name: str, stage: Stage, component: str) -> int:
    """Return how often a condition has changed what somebody got."""
    strikes: Counter[str] = _conditions(stage, component).strikes
    return strikes[name]


def _met(name: str, stage: Stage, _component: str) -> int:
    return stage.met[name]


def _seen(name: str, stage: Stage, _component: str) -> int:
    return stage.trace.sometimes[name]


def _switch(name: str, values: tuple[Any, ...], stage: Stage, component: str, dice: Random) -> Heal:
    conditions = _conditions(stage, component)
    before = getattr(type(conditions)(), name)
    setattr(conditions, name, dice.choice(values))
    return partial(_restore, conditions, name, before)


def _restore(conditions: Any, name: str, value: Any) -> None:
    setattr(conditions, name, value)


def _cut(stage: Stage, component: str, _dice: Random) -> None:
    server: Any = stage.simulation.odds if component == "odds" else stage.simulation.exchange
    stage.met[f"{component} restarts"] += server.cut_connections()


def _cut_met(stage: Stage, component: str) -> int:
    return stage.met[f"{component} restarts"]


def _upgrades(stage: Stage, component: str, dice: Random) -> Heal:
    heal = _switch("refuse_upgrades", (401, 429, 503), stage, component, dice)
    _cut(stage, component, dice)
    return heal


def _order_vanishes(stage: Stage, _component: str, dice: Random) -> Heal:
    """Take our resting orders away without a word."""
    stage.exchange.drop_private = True
    for order in list(stage.simulation.member.resting.values()):
        if dice.random() < 2 / 3:
            stage.simulation.venue.take_off_book(order, Change.CANCEL)
            stage.met["an order vanishes"] += 1
    return partial(_restore, stage.exchange, "drop_private", value=False)


def _pause_trading(whole: str, stage: Stage, _component: str, _dice: Random) -> Heal:
    venue = stage.simulation.venue
    if stage.simulation.member.resting:
        stage.trace.sometimes[PAUSED_RESTING] += 1
    lifecycle.pause_trading(venue, whole_exchange=whole == "exchange")
    return partial(lifecycle.resume_trading, venue)


def _pause_market(stage: Stage, _component: str, dice: Random) -> Heal:
    venue = stage.simulation.venue
    market = venue.markets[dice.choice(stage.tickers())]
    lifecycle.pause_market(venue, market)
    return partial(lifecycle.resume_market, venue, market)


def _race(stage: Stage, _component: str, _dice: Random) -> Heal:
    """Let what rests of ours be met before long, while cancels take longer than that."""
    world = stage.simulation.world
    for order in list(stage.simulation.member.resting.values()):
        for fixture in world.fixtures.values():
            if order.ticker in (fixture.game.home_ticker, fixture.game.away_ticker):
                falls = (order.side is BookSide.BID) == (order.ticker == fixture.game.home_ticker)
                world.jump(fixture.game.game_id, 0.05 if falls else 0.95)
    stage.exchange.cancel_lag_s = CANCELS_LAG_S
    return partial(_restore, stage.exchange, "cancel_lag_s", 0.0)


def _money_moves(stage: Stage, _component: str, dice: Random) -> Heal | None:
    """Let money come to or leave the account that no fill explains, until somebody puts it back."""
    disk = stage.disk
    synced = scan(bytes(disk.kernel[: disk.durable])).payloads
    if not any(ACCOUNT_RECORD in payload for payload in synced):
        # What the engine took for its own when it first looked would be missing ever after, and
        # what a loss of power takes it looks at again.
        return None
    cash_e6 = stage.simulation.member.cash_e6
    shard = min(cash_e6)
    moved_e6 = dice.choice((1_000_000, -1_000_000))
    cash_e6[shard] += moved_e6

    def heal() -> None:
        cash_e6[shard] -= moved_e6

    return heal


# Which condition answers requests of each kind.
_ANSWERS = {"orders": "order_answer", "cancels": "cancel_answer", "amends": "amend_answer"}


def _close(stage: Stage, _component: str, dice: Random) -> None:
    """Close one market for good, as at the end of a game."""
    venue = stage.simulation.venue
    market = venue.markets[dice.choice(stage.tickers())]
    if market.status is MarketStatus.ACTIVE:
        lifecycle.close(venue, market)
        stage.met["a market closes"] += 1


def _game_ends(
    home_values_e4: tuple[int, ...], stage: Stage, _component: str, dice: Random
) -> None:
    """End a game whose markets all trade, with what its home side is worth then."""
    venue = stage.simulation.venue
    for fixture in dice.sample(*_fixtures(stage)):
        game = fixture.game
        markets = [venue.markets[ticker] for ticker in (game.home_ticker, game.away_ticker)]
        if not fixture.over and all(each.status is MarketStatus.ACTIVE for each in markets):
            fixture.over = True
            stage.met["a game ends"] += 1
            home_e4 = dice.choice(home_values_e4)
            stage.nursery.start_soon(_pay, venue, markets, (home_e4, 10_000 - home_e4))
            return


def _fixtures(stage: Stage) -> tuple[list[Fixture], int]:
    fixtures = list(stage.simulation.world.fixtures.values())
    return fixtures, len(fixtures)


async def _pay(venue: Venue, markets: Sequence[Market], values_e4: Sequence[int]) -> None:
    for market in markets:
        lifecycle.close(venue, market)
    await trio.sleep(DETERMINED_AFTER_S)
    for market, value_e4 in zip(markets, values_e4, strict=True):
        lifecycle.determine(venue, market, value_e4, market.ticker.rpartition("-")[2])
    await trio.sleep(PAID_AFTER_S)
    for market in markets:
        lifecycle.settle(venue, market)


def _group_triggers(stage: Stage, _component: str, _dice: Random) -> Heal:
    """Pull the trigger of our order groups, as the exchange does beyond their limit."""
    venue = stage.simulation.venue
    groups = list(venue.groups.values())
    stage.met["a group triggers"] += len(groups)
    for group in groups:
        grouping.trigger_group(venue, group)

    def heal() -> None:
        # Else an entry that is refused only now would halt what a person has just cleared.
        for group in groups:
            grouping.reset_group(venue, group)

    return heal


def _another_engine(stage: Stage, component: str, dice: Random) -> Heal | None:
    heal = second_engine(stage, component, dice)
    stage.met["another engine"] += heal is not None
    return heal


def _orders(name: str, answer: OrderAnswer) -> Kind:
    struck = partial(_answered, answer)
    return Kind(name, EXCHANGE, tuple(_ANSWERS), partial(_answer, answer), struck)


def _venue(name: str, condition: str, values: tuple[Any, ...], *components: str) -> Kind:
    struck = partial(condition_met, condition)
    return Kind(name, EXCHANGE, components, partial(_switch, condition, values), struck)


def _kind(
    name: str,
    components: tuple[str, ...],
    apply: Callable[[Stage, str, Random], Heal | None],
    struck: Struck | None = None,
) -> Kind:
    return Kind(name, EXCHANGE, components, apply, struck)


KINDS = (
    _orders("order-refused", OrderAnswer.REFUSE),
    _orders("request-lost", OrderAnswer.DROP_REQUEST),
    _orders("answer-lost", OrderAnswer.DROP_ACK),
    _orders("error-after-taking", OrderAnswer.ERROR_AFTER),
    _orders("success-without-order", OrderAnswer.EMPTY_SUCCESS),
    _orders("answered-429", OrderAnswer.TOO_MANY),
    _orders("error-before-taking", OrderAnswer.ERROR_BEFORE),
    _orders("page-after-taking", OrderAnswer.HTML_AFTER),
    _orders("no-answer-not-taken", OrderAnswer.TIMEOUT_BEFORE),
    _orders("no-answer-taken", OrderAnswer.TIMEOUT_AFTER),
    _orders("answered-twice", OrderAnswer.ACK_TWICE),
    _venue("request-lags", "order_lag_s", (0.1, 0.7, 3.0), "orders"),
    _venue("cancel-lags", "cancel_lag_s", (0.1, 0.7, 3.0), "cancels"),
    _venue("amend-lags", "amend_lag_s", (0.1, 0.7, 3.0), "amends"),
    _venue("cancel-answer-late", "cancel_delay_s", (0.2, 3.0), "cancels"),
    _venue("partial-fill", "pull_beyond_e2", (0, 100, 150), "orders"),
    _venue("slow-reads", "rest_delay_s", (0.5, 4.0, 11.0), "reads"),
    _venue("lagging-lists", "read_lag_ms", (500, 3_000), "reads"),
    _venue("stale-balance", "stale_balance_ms", (500, 3_000), "reads"),
    _venue("stale-positions", "stale_position_ms", (3_000,), "reads"),
    _venue("fills-lost", "drop_fills", (True,), "private"),
    _venue("order-repeated", "duplicate_orders", (True,), "private"),
    _venue("late-private", "private_delay_s", (0.3, 2.0), "private"),
    _venue("private-reordered", "reorder_private", (True,), "private"),
    _venue("crossed-book", "cross_books", (1, 3), "market data"),
    _venue("negative-level", "negative_books", (1, 3), "market data"),
    _venue("cut-frames", "garble_frames", (1, 5), "market data"),
    _venue("books-repeated", "duplicate_books", (True,), "market data"),
    _venue("books-reordered", "reorder_books", (True,), "market data"),
    _venue("subscription-ended", "end_subscription", (10, 25), "market data"),
    _venue("subscription-refused", "refuse_subscriptions", (5, 8), "market data"),
    _venue("frozen-sockets", "freeze_sockets", (True,), "venue"),
    _venue("slow-answer", "order_delay_s", (2.5, 4.0, 8.0), *ORDERS),
    _venue("fill-before-answer", "order_delay_s", (0.05, 0.4), *ORDERS),
    _kind("cancel-loses-race", ORDERS, _race, partial(_seen, LOST_RACE)),
    _venue("server-error", "rest_status", (500, 503), "reads", "odds"),
    _venue("html-page", "rest_status", (200, 502), "reads", "odds"),
    _venue("key-refused", "rest_status", (401, 403), "reads", "odds"),
    _venue("too-many-requests", "answer_429", (True,), *READS),
    _venue("stale-reads", "stale_read_ms", (900, 3_000), *READS),
    _venue("private-lost", "drop_private", (True,), *PRIVATE),
    _venue("fill-repeated", "duplicate_fills", (True,), *PRIVATE),
    _venue("sockets-stall", "stall_sockets", (True,), *VENUE),
    _kind(
        "upgrade-refused", ("venue", "odds"), _upgrades, partial(condition_met, "refuse_upgrades")
    ),
    _kind("restarts", ("venue", "odds"), _cut, _cut_met),
    _venue("ids-reusable", "dedup_open_orders_only", (True,), *ORDERS),
    _kind("order-vanishes", ORDERS, _order_vanishes, partial(_met, "an order vanishes")),
    _kind("trading-pause", VENUE, partial(_pause_trading, "trading")),
    _kind("exchange-pause", VENUE, partial(_pause_trading, "exchange")),
    _kind("market-pause", MARKET, _pause_market),
    _kind("money-moves", ("account",), _money_moves, partial(_seen, ACCOUNT_DIFFERED)),
    _kind("close", MARKET, _close, partial(_met, "a market closes")),
    _kind("settlement", MARKET, partial(_game_ends, (10_000, 0)), partial(_met, "a game ends")),
    _kind("tie", MARKET, partial(_game_ends, (5_000,)), partial(_met, "a game ends")),
    _kind("void", MARKET, partial(_game_ends, (3_700, 6_300)), partial(_met, "a game ends")),
    _kind("group-triggers", ORDERS, _group_triggers, partial(_met, "a group triggers")),
    _kind("second-engine", ("account",), _another_engine, partial(_met, "another engine")),
)
