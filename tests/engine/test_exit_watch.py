"""Why an exit is missing: the first cause, in a few words."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from arb.core.commands import Purpose
from arb.core.exits import Holding, OpenOrder
from arb.core.listing import Catalogue, MarketStatus
from arb.core.money import CountE2, PriceE4
from arb.core.orders import OrderState
from arb.core.risk import Refusal, RefusalCode
from arb.engine.exit_watch import UNCOVERED_MAX_NS, ExitWatch, WatchHands
from arb.engine.messages import WatchExits
from arb.engine.parts import Parts
from tests.core.order_factory import BOS, EXIT, NYY, listing, order_in
from tests.engine.market_bench import bench_parts


@attrs.define
class HandClock:
    """A clock that is set by hand."""

    now_ns: int = 0

    def wall_ms(self) -> int:
        """Return the time as milliseconds."""
        return self.now_ns // 1_000_000

    def monotonic_ns(self) -> int:
        """Return the time."""
        return self.now_ns


@attrs.define
class Books:
    """What the watch sees of the books."""

    shown: Holding

    @property
    def ledger(self) -> Books:
        """Stand for the ledger as well."""
        return self

    def active_tickers(self) -> list[str]:
        """Return the one market, while something is in it."""
        return [NYY] if self.shown.count_e2 or self.shown.orders else []

    def holding(self, _ticker: str, _heard: int) -> Holding:
        """Return what is held."""
        return self.shown


@attrs.define
class Bench:
    """A watch that looks when it is told to."""

    parts: Parts
    clock: HandClock
    books: Books
    watch: ExitWatch
    canceled: list[Any]

    @property
    def alarm(self) -> str:
        """Return the alarm that stands."""
        found = self.parts.board.alarms.get(NYY)
        return found.text if found is not None else ""

    def look(self, after_ns: int = 0) -> None:
        """Let time pass, and look."""
        self.clock.now_ns += after_ns
        self.watch.look(WatchExits())

    def late(self) -> str:
        """Look twice, long enough apart, and return the alarm."""
        self.look()
        self.look(UNCOVERED_MAX_NS + 1)
        return self.alarm


def held(count: int, *orders: OpenOrder) -> Holding:
    """Hold so much."""
    return Holding(NYY, CountE2(count), PriceE4(4_000), orders)


def sale(state: OrderState = OrderState.RESTING, count: int = 500) -> OpenOrder:
    """Make an exit."""
    return OpenOrder.of(order_in(state, wish=EXIT, count_e2=CountE2(count)))


def bench(*orders: OpenOrder, count: int = 500, away: bool = False) -> Bench:
    """Watch five contracts and some exits."""
    clock = HandClock()
    parts = bench_parts(clock=clock)
    parts.switches.resting_known = True
    books, canceled = Books(held(count, *orders)), list[Any]()
    hands = WatchHands(
        canceled.append, lambda _ticker: None, lambda _s, _wish: None, lambda _ticker: away
    )
    return Bench(parts, clock, books, ExitWatch(parts, books, hands), canceled)  # type: ignore[arg-type]


def test_a_second_without_an_exit_is_no_alarm_yet() -> None:
    """Orders take their time; longer than that is too long."""
    made = bench()
    made.look()
    made.look(UNCOVERED_MAX_NS)
    assert made.alarm == ""

    made.look(1)
    assert made.alarm == "no exit rests for 5 of 5 YES: no exit was wished; nothing heard yet"
    made.look(10**9)
    assert made.parts.board.counts["exits_missing"] == 1


def test_no_is_warned_of_as_yes_is() -> None:
    """What is short is told by its own name."""
    assert bench(count=-300).late().startswith("no exit rests for 3 of 3 NO: ")


def test_a_part_is_warned_of_and_what_rests_ends_it() -> None:
    """Three of five rest: two are missing. All of them rest: it is over, and it is said."""
    made = bench(sale(count=300))
    assert made.late().startswith("no exit rests for 2 of 5 YES: ")

    made.books.shown = held(500, sale())
    made.look()
    assert made.alarm == ""
    assert made.parts.board.log[-1].text == f"{NYY}: everything that is ours is on sale again"


def test_a_position_that_is_gone_ends_its_alarm() -> None:
    """Settled, or closed by hand: there is nothing to cover."""
    made = bench()
    made.late()
    made.books.shown = held(0)
    made.look()

    assert made.alarm == ""


@pytest.mark.parametrize("state, cause", [
    (OrderState.PENDING, "its exit has no answer yet"),
    (OrderState.UNKNOWN, "whether its exit rests is unknown and being looked up"),
])  # fmt: skip
def test_an_exit_that_nobody_knows_to_rest_is_the_cause(state: OrderState, cause: str) -> None:
    """It may cover, and nobody can rely on it."""
    assert bench(sale(state)).late().endswith(cause)


def test_what_stops_every_exit_is_told_first() -> None:
    """A person's switch, what is not known, the market, a refusal, its actor: in this order."""
    made = bench(away=True)
    assert made.late().endswith("its market is away")
    made.watch.refused(Refusal(NYY, Purpose.ENTRY, RefusalCode.BALANCE, "no matter"))
    made.watch.refused(Refusal(NYY, Purpose.EXIT, RefusalCode.EXCHANGE, "post only cross"))
    made.look()
    assert made.alarm.endswith("not taken: post only cross")

    shut = attrs.evolve(listing(NYY), status=MarketStatus.INACTIVE)
    made.parts.relist(None, Catalogue((shut, listing(BOS))))
    made.look()
    assert made.alarm.endswith("Kalshi has paused the market")

    made.parts.switches.resting_known = False
    made.look()
    assert made.alarm.endswith("what rests at the exchange is not read yet")

    made.parts.switches.exits_withdrawn = True
    made.look()
    assert made.alarm.endswith("sales were cancelled on purpose")

    made.parts.switches.closing.add(NYY)
    made.look()
    assert made.alarm.endswith("it is being closed; nothing heard yet")

    made.parts.relist(None, Catalogue(()))
    made.look()
    assert made.alarm.endswith("its market is not traded here")
    assert made.parts.board.counts["exits_missing"] == 1


def test_what_is_too_much_is_cancelled_and_again_if_it_stays() -> None:
    """Not with every look: a cancel takes its time."""
    made = bench(sale(), count=300)
    for after_ns in (0, 10**8, 10**9):
        made.look(after_ns)

    assert [(one.client_order_id, one.why) for one in made.canceled] == [
        ("o1", "more than is held")
    ] * 2


def test_a_cancel_and_a_refusal_are_forgotten_with_what_they_were_of() -> None:
    """A cancel that could go out again is no longer kept in mind, nor why nothing rested once."""
    made = bench(sale(), count=300)
    made.look()
    made.watch.refused(Refusal(NYY, Purpose.EXIT, RefusalCode.EXCHANGE, "post only cross"))
    assert made.watch._canceled_ns
    made.books.shown = held(0)
    made.look(10**9)

    assert (made.watch._canceled_ns, made.watch._refused) == ({}, {})
