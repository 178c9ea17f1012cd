"""An order whose record went with the power excuses what it alone explains, and no more."""

# flake8: noqa: ASYNC124 - a clock needs a running loop, whether anything waits or not

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any, cast

import attrs
import pytest
import trio

from arb.core.events import Side
from arb.core.ledger import Ledger
from arb.core.orders import OrderState
from arb.faults.judge_account import exposure_beside_e6
from arb.faults.judge_journal import Intent
from arb.faults.liveness import Liveness
from arb.faults.oracle import Oracle
from arb.faults.session import EPOCH_MS
from arb.faults.trace import Trace
from arb.io.clock import VirtualClock
from arb.settings import Settings
from arb.sim.exchange.account import Account
from arb.sim.exchange.values import BookSide, Fill, Order, OrderRequest
from arb.sim.simulation import MEMBER, Simulation, SimulationSettings
from tests.core.order_factory import BOS, CASH, NYY, hold, ledger_with, no_fee, order_in

ALARM = "must never be: "


@attrs.define
class Bench:
    """A world whose engine has lost orders, and the oracle of it."""

    trace: Trace = attrs.field(factory=lambda: Trace(None, None))
    oracle: Oracle = attrs.field(init=False)
    log: list[Any] = attrs.field(factory=list)

    def __attrs_post_init__(self) -> None:
        """Make a world of two games."""
        world = Simulation(SimulationSettings(seed=1, games=2), VirtualClock(EPOCH_MS))
        self.oracle = Oracle(world, Settings(), self.trace)

    @property
    def account(self) -> Account:
        """Return the account of the engine."""
        return self.oracle.simulation.member

    @property
    def tickers(self) -> list[str]:
        """Return one market of each game."""
        games = self.oracle.simulation.world.fixtures.values()
        return [fixture.game.home_ticker for fixture in games]

    def lose(self, name: str, ticker: str) -> None:
        """Let an order be written, and its record be lost."""
        self.oracle.journal.intents[name] = Intent(ticker, "bid", "entry", 5_000, 200, 0, {})
        self.oracle.journal.found_after_loss([])

    def rest(self, name: str, ticker: str) -> Order:
        """Let an order rest at the exchange."""
        wish = OrderRequest(ticker, BookSide.BID, 200, 5_000, client_order_id=name)
        order = Order(name, MEMBER, wish, 5_000, 200, 200, 0, 0, None, name)
        self.account.opened(order)
        self.account.resting[name] = order
        return order

    def alarm(self, text: str) -> None:
        """Let the engine find something wrong with itself, and look."""
        self.log.append(SimpleNamespace(text=ALARM + text))
        counts = {"invariant_violations": len(self.log)}
        board = SimpleNamespace(account=None, refusals={}, counts=counts, log=self.log)
        engine = SimpleNamespace(
            system=SimpleNamespace(snapshot=lambda: ()), parts=SimpleNamespace(board=board)
        )
        self.oracle._look_for_alarms(cast("Any", engine))

    def is_on_sale(self) -> bool:
        """Tell whether all that should be on sale is."""
        parts = SimpleNamespace(switches=SimpleNamespace(exits_withdrawn=False))
        machine = SimpleNamespace(engine=SimpleNamespace(parts=parts))
        stage = SimpleNamespace(machine=machine, simulation=self.oracle.simulation)
        return Liveness(cast("Any", stage), self.oracle, Random(1), Random(1))._all_on_sale()

    @property
    def found(self) -> list[str]:
        """Return what was found."""
        return [f"{each.rule}: {each.text}" for each in self.trace.violations]


@pytest.fixture
async def bench(autojump_clock: object) -> Bench:
    """Return a bench, in a running loop."""
    await trio.lowlevel.checkpoint()
    return Bench()


async def test_what_is_held_elsewhere_must_be_on_sale(bench: Bench) -> None:
    """What a lost order has bought is a person's to sell, and nothing else is."""
    lost, other = bench.tickers
    bench.lose("lost", lost)
    bench.account.position(lost).count_e2 = 200
    assert bench.is_on_sale()

    bench.account.position(other).count_e2 = 200
    assert not bench.is_on_sale()


async def test_another_entry_that_rests_after_the_end_is_found(bench: Bench) -> None:
    """An engine that stops cannot know of the lost one alone."""
    lost, other = bench.tickers
    bench.lose("lost", lost)
    bench.rest("lost", lost)
    bench.oracle.trading_ended()
    assert bench.found == []

    bench.rest("other", other)
    bench.oracle.trading_ended()
    assert bench.found == ["I12: trading has ended, and entries rest: ['other']"]


async def test_an_alarm_over_anything_else_is_found(bench: Bench) -> None:
    """The engine's alarm over a lost order, or over its fill, is right; another one is not."""
    lost, _ = bench.tickers
    bench.lose("lost", lost)
    trade = "t1", "lost", "lost", MEMBER, lost, BookSide.BID, 5_000, 200, 0, True, 0, 200
    bench.account.fills.append(Fill(*trade))
    bench.alarm("fill t1 has our name and belongs to no order of ours")
    bench.alarm("<Order lost exit> was reported filled beyond its count")
    assert bench.found == []

    bench.alarm("cash 1.00, fills say 2.00")
    assert len(bench.found) == 1


async def test_an_alarm_over_a_lost_move_names_its_order(bench: Bench) -> None:
    """The order stands where the engine does not know that it has moved it."""
    for name in ("moved", "kept"):
        bench.oracle.journal.amends[name] = [{"client_order_id": name}]
    kept = b'{"k": "amend", "d": {"client_order_id": "kept"}}'
    bench.oracle.journal.found_after_loss([kept])
    bench.alarm("<Order moved exit> filled at 5000, worse than its limit")
    assert bench.found == []

    bench.alarm("<Order kept exit> filled at 5000, worse than its limit")
    assert len(bench.found) == 1


@pytest.mark.parametrize("left_out, exposed", [((), 3), ((BOS,), 1), ((NYY,), 1), (("KX-H",), 2)])
def test_what_other_games_may_lose(left_out: tuple[str, ...], exposed: int) -> None:
    """Both markets of a game are left out with one of them; a lone market is a game."""
    ledger = Ledger(CASH)
    hold(ledger, 200)
    hold(ledger, 200, ticker=BOS)
    hold(ledger, 200, ticker="KX-H")
    rivals = {NYY: BOS, BOS: NYY}
    # Of two teams one wins: what is held of both loses one half alone, if the game is played.
    whole_e6 = exposure_beside_e6(ledger, no_fee, rivals.get, ())
    game_e6 = whole_e6 - 1_000_000
    shown_e6 = exposure_beside_e6(ledger, no_fee, rivals.get, left_out)
    assert shown_e6 == {3: whole_e6, 2: game_e6, 1: 1_000_000}[exposed]
    assert game_e6 > 0


@pytest.mark.parametrize("price_e4, found", [(5_000, 0), (5_100, 1)])
async def test_an_order_at_another_price_is_found_at_rest(
    price_e4: int, found: int, bench: Bench
) -> None:
    """As many contracts as the engine has, at a price that it does not know."""
    order = order_in(OrderState.RESTING, "ours", side=Side.BID)
    there = bench.rest("ours", bench.tickers[0])
    there.remaining_e2, there.price_e4 = order.at_stake_e2, price_e4
    bench.oracle._orders_at_rest(ledger_with(order))
    assert len(bench.found) == found
