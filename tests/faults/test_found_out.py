"""Engines that are wrong in one place, simulated: the judge who is there for it finds each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import trio

from arb.engine.market import Market
from arb.engine.other_engines import OtherEngines
from arb.engine.subscription import Subscription
from arb.faults.catalogue import kind_of
from arb.faults.liveness import TROUBLES
from arb.faults.plan import Plan, plan_of
from arb.faults.session import simulate
from arb.journal import writer
from arb.settings.sections import FSYNC_ORDER

SEEDS = range(1, 40)


def quiet(seed: int) -> Plan:
    """Return a plan without any fault."""
    return plan_of(seed).keep(())


def found(plans: list[Plan], rule: str) -> str:
    """Return what the first of some runs says of a rule that is broken."""
    for plan in plans:
        for violation in simulate(plan).violations:
            if violation.rule == rule:
                return violation.text
    return "nothing"


def test_an_engine_that_dies_of_an_error_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends outside of its tree, where no actor's failure would show it."""

    async def broken(*_everything: object) -> bool:
        await trio.lowlevel.checkpoint()
        raise KeyError("no such market")

    monkeypatch.setattr("arb.faults.machine.end_trading", broken)
    assert found([quiet(1)], "L4") == "the engine died of KeyError: 'no such market'"


def test_a_subscription_that_is_believed_before_it_is_confirmed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The snapshot of a market that was refused is asked for, comes, and stands still for ever."""
    real = Subscription.asked

    def asked(one: Subscription, command_id: int, tickers: Sequence[str], now_s: float) -> None:
        real(one, command_id, tickers, now_s)
        one.followed = one.followed.union(tickers)

    monkeypatch.setattr(Subscription, "asked", asked)
    plans = [plan_of(seed).exactly([f"{REFUSED}:{seed}"]) for seed in (4, 8)]
    assert "on a book whose changes are not subscribed to" in found(plans, "I8")


REFUSED = "additions-refused@market_data:3.1:2.0"


def test_markets_that_hear_nothing_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their actors run, and the engine says that it trades."""
    monkeypatch.setattr(Market, "receive", lambda _market, _message: None)
    assert "every market has a fair value" in found([quiet(1)], "L1")


def test_a_game_that_is_deaf_beside_one_that_trades(monkeypatch: pytest.MonkeyPatch) -> None:
    """The edge is offered in one game, and an order in another one is no answer to it."""
    real = Market.receive
    deaf: set[str] = set()

    def receive(market: Market, message: object) -> Any:
        heard = real(market, message)
        row = market._parts.board.markets.get(market._ticker)
        if row is not None and row.fair is not None and not deaf:
            deaf.add(market._listing.game.game_id)
        return heard

    def half_deaf(market: Market, message: object) -> Any:
        return None if market._listing.game.game_id in deaf else receive(market, message)

    monkeypatch.setattr(Market, "receive", half_deaf)
    two = [plan for plan in map(quiet, SEEDS) if plan.games == 2][:3]
    assert "every market has a fair value" in found(two, "L1")


def test_an_order_whose_record_is_not_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where people have asked for that, it must be there before the order leaves."""
    monkeypatch.setattr(writer, "ORDERS", frozenset())
    asked = [p for p in map(quiet, SEEDS) if p.settings.engine.fsync == FSYNC_ORDER][:4]
    assert "before its record was on the disk" in found(asked, "I2")


def test_another_engine_that_passes_for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    """An eighth of the runs meets one when all is well."""
    monkeypatch.setattr(OtherEngines, "saw", lambda *_order: None)
    assert "another engine's order halts" in found([quiet(seed) for seed in SEEDS], "I15")


def test_the_troubles_of_a_drill_are_faults_that_there_are() -> None:
    """Each is a cell of the table."""
    for cell in TROUBLES:
        kind, component = kind_of(cell)
        assert component in kind.components
