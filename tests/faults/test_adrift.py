"""Orders that arrive after their records went with the power: what is forgiven, and what is not."""

# flake8: noqa: ASYNC124 - a clock needs a running loop, whether anything waits or not

from __future__ import annotations

import struct
import zlib
from typing import Any, cast

import attrs
import orjson
import pytest
import trio

from arb.faults.adrift import PUT_RIGHT_WITHIN_S
from arb.faults.judge_exchange import ExchangeJudge
from arb.faults.judge_journal import JournalJudge
from arb.faults.plan import Plan, plan_of
from arb.faults.session import simulate
from arb.faults.trace import Trace
from arb.sim.exchange.account import Account, Position
from arb.sim.exchange.values import BookSide, Fill, Order, OrderRequest
from arb.sim.simulation import MEMBER

TICKER = "KX-H"


@attrs.define
class Bench:
    """An account, and the judges of its orders."""

    trace: Trace = attrs.field(factory=lambda: Trace(None, None))
    account: Account = attrs.field(factory=lambda: Account(MEMBER, "u", {0: 0}))
    journal: JournalJudge = attrs.field(init=False)
    exchange: ExchangeJudge = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Judge what fills."""
        self.journal = JournalJudge(self.account, self.trace)
        self.exchange = ExchangeJudge(self.account, cast("Any", self), self.trace)

    def check_exposure(self, _when: str, _now_s: float, *, adrift: bool = True) -> None:
        """Be no judge of limits here."""

    def write(self, kind: str, **data: Any) -> None:
        """Let the engine write a record."""
        payload = orjson.dumps({"k": kind, "n": 0, "d": data, "t": 0})
        self.journal.written(struct.pack("<II", len(payload), zlib.crc32(payload)) + payload)

    def wish(self, name: str, purpose: str, side: str) -> None:
        """Let it write an order."""
        intent = {"ticker": TICKER, "side": side, "purpose": purpose}
        self.write("intent", id=name, intent=intent | {"price_e4": 5_000, "count_e2": 200})

    def arrive(self, name: str, side: BookSide) -> None:
        """Let an order reach the exchange, and rest there."""
        wish = OrderRequest(TICKER, side, 200, 5_000, client_order_id=name)
        order = Order(name, MEMBER, wish, 5_000, 200, 200, 0, 0, None, name)
        self.account.opened(order)
        self.account.resting[name] = order

    def fill(self, name: str) -> Fill:
        """Let the whole of an order fill."""
        order = self.account.resting.pop(name)
        side, held = order.side, self.account.position(TICKER)
        held.count_e2 += 200 if side is BookSide.BID else -200
        trade = f"{name} trades", name, name, MEMBER, TICKER, side, 5_000, 200, 0, True, 0
        fill = Fill(*trade, held.count_e2)
        self.account.fills.append(fill)
        self.exchange.filled(fill)
        return fill

    def book(self, fill: Fill) -> None:
        """Let the engine write what it has heard of a fill."""
        told = attrs.asdict(fill) | {"side": fill.side.value}
        self.write("fill", **told)

    def lose_power(self) -> None:
        """Lose all that was written."""
        self.journal.found_after_loss([])

    @property
    def found(self) -> list[str]:
        """Return what was found."""
        return [f"{each.rule}: {each.text}" for each in self.trace.violations]


async def test_a_lost_sale_and_the_second_one_may_both_trade(autojump_clock: object) -> None:
    """Whoever has put the position on sale again could not know that the first sale was to come."""
    bench = Bench()
    bench.account.position(TICKER).count_e2 = 200
    bench.wish("lost", "exit", "ask")
    bench.lose_power()
    bench.wish("second", "exit", "ask")
    bench.arrive("second", BookSide.ASK)
    bench.arrive("lost", BookSide.ASK)
    fills = [bench.fill("lost"), bench.fill("second")]
    assert bench.found == []

    for fill in fills:
        bench.book(fill)
    await trio.sleep(PUT_RIGHT_WITHIN_S + 1)
    bench.wish("third", "exit", "ask")
    bench.arrive("third", BookSide.ASK)
    bench.fill("third")
    assert bench.found == ["I3: exit third made -200 -400 in KX-H"]


async def test_what_had_arrived_before_the_loss_is_no_excuse(autojump_clock: object) -> None:
    """An order that the exchange has is in its list when the next engine asks."""
    bench = Bench()
    bench.account.position(TICKER).count_e2 = 200
    bench.wish("lost", "exit", "ask")
    bench.arrive("lost", BookSide.ASK)
    bench.lose_power()
    bench.fill("lost")
    bench.wish("second", "exit", "ask")
    bench.arrive("second", BookSide.ASK)
    bench.fill("second")
    assert bench.found == ["I3: exit second made 0 -200 in KX-H"]


@pytest.mark.parametrize(
    "held_e2, bought_e2, others_e2",
    [(400, 0, 400), (400, 200, 200), (200, 200, 0), (-200, -200, 0), (200, -200, 200)],
)
async def test_what_is_held_beside_them(
    held_e2: int, bought_e2: int, others_e2: int, autojump_clock: object
) -> None:
    """What they have bought is left out, as far as it is still there."""
    bench = Bench()
    bench.wish("lost", "entry", "bid" if bought_e2 > 0 else "ask")
    bench.lose_power()
    if bought_e2:
        bench.arrive("lost", BookSide.BID if bought_e2 > 0 else BookSide.ASK)
        bench.fill("lost")
    assert bench.journal.adrift.others_e2(Position(TICKER, held_e2)) == others_e2


def narrow(seed: int, entry_s: float) -> Plan:
    """Return a run in which the power goes while an entry is 3 s on its way, with narrow limits."""
    plan = plan_of(seed)
    settings = plan.settings
    risk = attrs.evolve(settings.risk, max_total_exposure_cents=180, max_game_exposure_cents=180)
    execution = attrs.evolve(settings.execution, maker_timeout_ms=8_000)
    plan = attrs.evolve(plan, settings=attrs.evolve(settings, risk=risk, execution=execution))
    late = f"request-lags@orders:{entry_s - 1}:1.5:5"
    return plan.exactly([late, f"power-loss@journal:{entry_s + 0.02}:0.5:0"])


@pytest.mark.parametrize("seed, entry_s", [(13, 4.5), (25, 7.0)])
def test_an_entry_that_arrives_unknown_breaks_no_limit(seed: int, entry_s: float) -> None:
    """The one of the next life was approved before it came, and nobody could have refused it."""
    lines: list[str] = []
    outcome = simulate(narrow(seed, entry_s), on_line=lines.append)
    said = [line.split()[2:5] for line in lines]
    first = next(words[1] for words in said if words[0] == "create")
    arrived = said.index(["order", first, "resting"])
    assert any(words[0] == "create" and words[1] != first for words in said[:arrived])
    assert outcome.violations == ()
