"""Faults of the exchange and of the odds provider's servers: what they answer, and what they do."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Any

from arb.faults.sometimes import PAUSED_RESTING
from arb.faults.stage import Heal, Kind, Stage, nothing
from arb.sim.conditions import OrderAnswer
from arb.sim.exchange import lifecycle
from arb.sim.exchange.values import Change

EXCHANGE = "exchange"

ORDERS = ("orders",)
READS = ("reads",)
PRIVATE = ("private",)
MARKET = ("market",)
VENUE = ("venue",)


def _answer(answer: OrderAnswer, stage: Stage, _component: str, _dice: Random) -> Heal:
    stage.exchange.order_answer = answer
    return partial(_restore, stage.exchange, "order_answer", OrderAnswer.NORMAL)


def _switch(name: str, values: tuple[Any, ...], stage: Stage, component: str, dice: Random) -> Heal:
    conditions: Any = stage.odds if component == "odds" else stage.exchange
    before = getattr(type(conditions)(), name)
    setattr(conditions, name, dice.choice(values))
    return partial(_restore, conditions, name, before)


def _restore(conditions: Any, name: str, value: Any) -> None:
    setattr(conditions, name, value)


def _cut(stage: Stage, component: str, _dice: Random) -> None:
    server: Any = stage.simulation.odds if component == "odds" else stage.simulation.exchange
    server.cut_connections()


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
    """Let what rests of ours be met now, so that a cancel on its way comes too late."""
    for fixture in stage.simulation.world.fixtures.values():
        held = {order.ticker for order in stage.simulation.member.resting.values()}
        if fixture.game.home_ticker in held:
            stage.simulation.world.jump(fixture.game.game_id, 0.05)
        elif fixture.game.away_ticker in held:
            stage.simulation.world.jump(fixture.game.game_id, 0.95)
    stage.exchange.order_delay_s = 0.3
    return partial(_restore, stage.exchange, "order_delay_s", 0.0)


def _money_moves(stage: Stage, _component: str, dice: Random) -> Heal:
    """Let money come to or leave the account that no fill explains, until somebody puts it back."""
    cash_e6 = stage.simulation.member.cash_e6
    shard = min(cash_e6)
    moved_e6 = dice.choice((1_000_000, -1_000_000))
    cash_e6[shard] += moved_e6

    def heal() -> None:
        cash_e6[shard] -= moved_e6

    return heal


def _orders(name: str, answer: OrderAnswer) -> Kind:
    return Kind(name, EXCHANGE, ORDERS, partial(_answer, answer))


def _not_yet(name: str, why: str, components: tuple[str, ...] = MARKET) -> Kind:
    return Kind(name, EXCHANGE, components, nothing, why)


_SETTLING = "the engine books no settlement yet"
_GROUPS = "the engine puts its orders in no group yet"

KINDS = (
    _orders("order-refused", OrderAnswer.REFUSE),
    _orders("request-lost", OrderAnswer.DROP_REQUEST),
    _orders("answer-lost", OrderAnswer.DROP_ACK),
    _orders("error-after-taking", OrderAnswer.ERROR_AFTER),
    _orders("success-without-order", OrderAnswer.EMPTY_SUCCESS),
    Kind("slow-answer", EXCHANGE, ORDERS, partial(_switch, "order_delay_s", (2.5, 4.0, 8.0))),
    Kind("fill-before-answer", EXCHANGE, ORDERS, partial(_switch, "order_delay_s", (0.05, 0.4))),
    Kind("cancel-loses-race", EXCHANGE, ORDERS, _race),
    Kind("server-error", EXCHANGE, ("reads", "odds"), partial(_switch, "rest_status", (500, 503))),
    Kind("html-page", EXCHANGE, ("reads", "odds"), partial(_switch, "rest_status", (200, 502))),
    Kind("key-refused", EXCHANGE, ("reads", "odds"), partial(_switch, "rest_status", (401, 403))),
    Kind("too-many-requests", EXCHANGE, READS, partial(_switch, "answer_429", (True,))),
    Kind("stale-reads", EXCHANGE, READS, partial(_switch, "stale_read_ms", (400, 900))),
    Kind("private-lost", EXCHANGE, PRIVATE, partial(_switch, "drop_private", (True,))),
    Kind("fill-repeated", EXCHANGE, PRIVATE, partial(_switch, "duplicate_fills", (True,))),
    Kind("sockets-stall", EXCHANGE, VENUE, partial(_switch, "stall_sockets", (True,))),
    Kind("upgrade-refused", EXCHANGE, ("venue", "odds"), _upgrades),
    Kind("restarts", EXCHANGE, ("venue", "odds"), _cut),
    Kind("ids-reusable", EXCHANGE, ORDERS, partial(_switch, "dedup_open_orders_only", (True,))),
    Kind("order-vanishes", EXCHANGE, ORDERS, _order_vanishes),
    Kind("trading-pause", EXCHANGE, VENUE, partial(_pause_trading, "trading")),
    Kind("exchange-pause", EXCHANGE, VENUE, partial(_pause_trading, "exchange")),
    Kind("market-pause", EXCHANGE, MARKET, _pause_market),
    Kind("money-moves", EXCHANGE, ("account",), _money_moves),
    _not_yet("close", "the engine hears of no market's life yet"),
    _not_yet("settlement", _SETTLING),
    _not_yet("tie", _SETTLING),
    _not_yet("void", _SETTLING),
    _not_yet("group-triggers", _GROUPS, ORDERS),
)
