"""The judge of limits finds what it is for, and nothing else."""

# flake8: noqa: ASYNC124 - a clock needs a running loop, whether anything waits or not

from __future__ import annotations

from typing import Any

import attrs
import pytest
import trio

from arb.core.parameters import Risk
from arb.faults.judge_books import SeenBooks
from arb.faults.judge_limits import APPROVAL_S, AtRisk, LimitsJudge, game_loss_e6
from arb.faults.sometimes import DAY_LOST, REFUSED_IN_A_ROW
from arb.faults.trace import Trace
from arb.settings import Settings

HOME, AWAY = "KX-H", "KX-A"
LIMITS = Risk(max_daily_loss_cents=100, max_orders_per_second=2, max_consecutive_refusals=2)


@attrs.define
class Bench:
    """A judge and what it is told."""

    trace: Trace = attrs.field(factory=lambda: Trace(None, None))
    judge: LimitsJudge = attrs.field(init=False)
    entries: int = 0
    trades: int = 0

    def __attrs_post_init__(self) -> None:
        """Judge by low limits."""
        self.judge = LimitsJudge(Settings(risk=LIMITS), self.trace, SeenBooks())

    def write(self, kind: str, **data: Any) -> None:
        """Let the engine write a record."""
        self.judge.record({"k": kind, "d": data, "t": 0})

    def enter(self) -> str:
        """Let it write that an entry is about to leave."""
        self.entries += 1
        name = f"o{self.entries}"
        self.write("intent", id=name, intent={"purpose": "entry"})
        return name

    def fill(self, side: str, count_e2: int, price_e4: int, fee_e6: int = 0) -> None:
        """Let it book a fill."""
        self.write(
            "fill", ticker=HOME, side=side, count_e2=count_e2, price_e4=price_e4, fee_e6=fee_e6
        )

    def refuse(self, code: str = "invalid_order") -> None:
        """Let the exchange refuse one more entry."""
        event = {"client_order_id": self.enter(), "code": code}
        self.write("report", type="OrderRefused", event=event)

    @property
    def found(self) -> list[str]:
        """Return what was found."""
        return [f"{each.rule}: {each.text}" for each in self.trace.violations]


@pytest.mark.parametrize(
    "items, loss",
    [
        ([], 0),
        ([AtRisk(HOME, 200, 1_000_000)], 1_000_000),
        ([AtRisk(HOME, -200, 800_000)], 800_000),
        ([AtRisk(HOME, 200, 1_000_000), AtRisk(AWAY, 200, 1_200_000)], 1_200_000),
        ([AtRisk(HOME, 200, 1_000_000), AtRisk(AWAY, -200, 800_000)], 1_800_000),
    ],
)
def test_a_games_loss_is_that_of_its_worst_end(items: list[AtRisk], loss: int) -> None:
    """Two teams cannot both lose; YES of one and NO of the other can."""
    assert game_loss_e6(HOME, items) == loss


async def test_an_entry_after_the_days_loss_is_found(autojump_clock: object) -> None:
    """What may still be underway passes; what comes later does not."""
    bench = Bench()
    bench.write("day", date="2026-11-22", before_e6=0)
    bench.fill("bid", 200, 6_000, fee_e6=100_000)
    bench.fill("ask", 200, 1_500)
    bench.enter()
    assert bench.found == []
    await trio.sleep(APPROVAL_S * 2)
    bench.write("halt", reason="x", by="the daily loss limit")
    bench.enter()

    assert bench.found == ["I9: entry o2 was written although the day has lost its limit"]
    assert bench.trace.sometimes[DAY_LOST] == 1


@pytest.mark.parametrize("cleared", [True, False])
async def test_a_day_begins_anew_only_after_a_clear(cleared: bool, autojump_clock: object) -> None:
    """Whoever clears allows as much again; a restart allows nothing."""
    bench = Bench()
    bench.write("day", date="2026-11-22", before_e6=0)
    bench.fill("bid", 200, 6_000)
    bench.write("settlement", ticker=HOME, at_ms=5, value_e4=0)
    bench.write("settlement", ticker=HOME, at_ms=5, value_e4=0)
    await trio.sleep(1)
    if cleared:
        bench.write("clear", reason="x", by="me")
    bench.write("day", date="2026-11-22", before_e6=-1_200_000)
    bench.enter()

    text = "I9: the day began anew, and nobody had cleared its loss"
    assert bench.found == ([] if cleared else [text])
    bench.write("day", date="2026-11-23", before_e6=-1_200_000)
    assert len(bench.found) == (not cleared)


async def test_a_day_that_is_written_again_for_its_marks_goes_on(autojump_clock: object) -> None:
    """Nothing is forgotten by it; only what was awaited may still move the beginning, once."""
    bench = Bench()
    bench.write("day", date="2026-11-22", before_e6=0, marks={}, awaited=[HOME])
    bench.write("day", date="2026-11-22", before_e6=700, marks={}, awaited=[])
    bench.fill("bid", 200, 6_000)
    bench.write("settlement", ticker=HOME, at_ms=5, value_e4=0)
    await trio.sleep(1)
    bench.write("day", date="2026-11-22", before_e6=700, marks={}, awaited=[])
    assert bench.found == []
    bench.enter()
    assert bench.found == ["I9: entry o1 was written although the day has lost its limit"]
    bench.write("day", date="2026-11-22", before_e6=800, marks={}, awaited=[])
    assert len(bench.found) == 2


async def test_no_is_worth_what_the_ask_leaves(autojump_clock: object) -> None:
    """YES sold short is lost where YES has become dear."""
    bench = Bench()
    bench.fill("ask", 200, 3_000, fee_e6=900_000)
    assert not bench.judge._broken_s
    bench.judge.books.books[HOME].cheapest_ask_e4 = 2_000
    bench.fill("ask", 1, 3_000, fee_e6=300_000)
    assert not bench.judge._broken_s
    bench.fill("ask", 1, 3_000, fee_e6=10_000)
    assert bench.judge._broken_s
    assert bench.judge._tallies[HOME].least_e6() < 0


async def test_refusals_in_a_row(autojump_clock: object) -> None:
    """An entry taken, a clear and a new engine begin anew; an exchange at rest is passed over."""
    bench = Bench()
    for begin in ("taken", "clear", "new engine", "at rest"):
        bench.refuse()
        if begin == "taken":
            event = {"client_order_id": bench.enter()}
            bench.write("report", type="OrderAccepted", event=event)
        elif begin == "clear":
            bench.write("clear", reason="x", by="me")
        elif begin == "new engine":
            bench.judge.started()
        else:
            bench.refuse("trading_is_paused")
        await trio.sleep(1)
        bench.enter()
    assert bench.found == []
    bench.write("report", type="OrderRefused", event={"client_order_id": "an exit", "code": "x"})
    bench.refuse()
    bench.write("halt", reason="x", by="the refusal limit")
    await trio.sleep(1)
    bench.enter()

    (found,) = bench.found
    assert found.endswith("although entries were refused in a row")
    assert bench.trace.sometimes[REFUSED_IN_A_ROW] == 1


async def test_orders_within_a_second(autojump_clock: object) -> None:
    """The third of two is found; those of an engine before this one do not count."""
    bench = Bench()
    bench.judge.pace("o1", [0.0, 1.1], 2.0)
    assert bench.found == []
    bench.judge.pace("o2", [1.1, 1.2], 2.0)
    assert bench.found == ["I3: with o2 3 orders have left within a second, of 2"]
    await trio.sleep(2)
    bench.judge.started()
    bench.judge.pace("o3", [1.1, 1.2], 2.0)
    assert len(bench.found) == 1


async def test_a_loss_of_power_is_followed(autojump_clock: object) -> None:
    """What the machine finds again is all that counts."""
    bench = Bench()
    bench.fill("bid", 200, 6_000)
    bench.write("settlement", ticker=HOME, at_ms=5, value_e4=0)
    bench.judge.found_after_loss([])
    await trio.sleep(1)
    bench.enter()
    assert bench.found == []
    lost = {"ticker": HOME, "side": "bid", "count_e2": 200, "price_e4": 6_000, "fee_e6": 0}
    paid = {"ticker": HOME, "at_ms": 5, "value_e4": 0}
    bench.judge.found_after_loss([{"k": "fill", "d": lost}, {"k": "settlement", "d": paid}])
    await trio.sleep(1)
    bench.enter()
    assert len(bench.found) == 1
