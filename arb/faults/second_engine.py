"""A second engine on the account: an order of another installation, and whether it halts us."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import trio

from arb.sim.exchange.markets import MarketStatus
from arb.sim.exchange.placing import place
from arb.sim.exchange.refusals import Refused
from arb.sim.exchange.values import BookSide, Change, Order, OrderRequest

if TYPE_CHECKING:
    # The judges, which a stage holds, ask here whose an order is.
    from arb.faults.stage import Heal, Stage

CELL = "second-engine@account"

# This program's prefix, and an installation that no engine of a run has.
PREFIX = "arb-5ec0de00-"

# What it buys, so cheaply that nothing meets it and no limit of ours is near.
PRICE_E4, COUNT_E2 = 100, 100

# I15: the private channel tells of an order within milliseconds.
NOTICED_WITHIN_S = 2.0

NOTICED = "another engine trades this account"


def second_engine(stage: Stage, _component: str, dice: Random) -> Heal | None:
    """Place an order as an engine of another machine would, until it takes it away."""
    simulation = stage.simulation
    market = simulation.venue.markets[dice.choice(stage.tickers())]
    if market.status is not MarketStatus.ACTIVE:
        return None
    name = f"{PREFIX}{dice.getrandbits(32):08x}"
    wish = OrderRequest(market.ticker, BookSide.BID, COUNT_E2, PRICE_E4, client_order_id=name)
    try:
        order = place(simulation.venue, simulation.member, wish).order
    except Refused:
        return None
    if _trades_alone(stage):
        stage.nursery.start_soon(_judge, stage)

    def heal() -> None:
        _take_away(stage, order)

    return heal


def is_second_engines(client_order_id: str | None) -> bool:
    """Tell whether an order is the other engine's."""
    return (client_order_id or "").startswith(PREFIX)


def _trades_alone(stage: Stage) -> bool:
    """Tell whether nothing else that was broken can keep the news from an engine at work."""
    return set(stage.trace.cells) == {CELL} and _state(stage) == "running"


def _state(stage: Stage) -> str:
    engine = stage.machine.engine
    account = engine.parts.board.account if engine is not None else None
    return str(account.state) if account is not None else "absent"


async def _judge(stage: Stage) -> None:
    engine = stage.machine.engine
    await trio.sleep(NOTICED_WITHIN_S)
    if engine is None or engine is not stage.machine.engine or set(stage.trace.cells) != {CELL}:
        return
    noticed = any(NOTICED in line.text for line in engine.parts.board.log)
    text = f"another engine's order, and no halt within {NOTICED_WITHIN_S:g} s"
    stage.trace.check("I15", noticed, text)


def _take_away(stage: Stage, order: Order) -> None:
    if order.order_id in stage.simulation.member.resting:
        stage.simulation.venue.take_off_book(order, Change.CANCEL)
