"""Finding out: connections that are kept up, and lookups of orders."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import attrs
import pytest
import trio

from arb.core.events import (
    Fill,
    OrderAccepted,
    OrderAmended,
    OrderClosed,
    OrderEvent,
    OrderRefused,
)
from arb.core.money import CountE2
from arb.engine.board import Board
from arb.engine.link import RETRY_MAX_S, THROTTLED_FIRST_S, Link
from arb.engine.lookups import Lookups
from arb.faults.clock import MachineClock, TrueClock, fall_asleep
from arb.io.clock import VirtualClock
from arb.io.memory import MemoryNetwork
from arb.io.websocket import TRY_AGAIN_LATER, SocketClosed, open_socket
from arb.kalshi.listing import ListedOrder
from arb.kalshi.rest_calls import RestError
from tests.core.order_factory import (
    BOS,
    ENTRY,
    NYY,
    fill,
)


class TestLink:
    """One connection that is kept up."""

    async def test_it_waits_longer_after_each_failure(self, autojump_clock: object) -> None:
        """Refused at once, it tries again at growing intervals, up to a limit."""
        tried: list[float] = []
        said: list[tuple[bool, str]] = []

        async def refuse(_connection: object) -> None:
            await trio.lowlevel.checkpoint()
            raise AssertionError("nobody comes here")

        async with trio.open_nursery() as nursery:
            network = MemoryNetwork(nursery)
            network.listen("other", 1, refuse)

            def opens() -> open_socket:
                tried.append(trio.current_time())
                return open_socket(network, "ws://nobody:1/secret-key")

            board = Board(VirtualClock(0))
            link = Link("A", opens, board, random.Random(3), secret="secret-key")
            link.report = lambda up, why: said.append((up, why))

            async def serve(_socket: object) -> None:
                await trio.lowlevel.checkpoint()
                raise AssertionError("nothing was opened")

            with trio.move_on_after(600):
                await link.run(serve)
            nursery.cancel_scope.cancel()
        pauses = [after - before for before, after in pairwise(tried)]
        assert max(pauses) <= RETRY_MAX_S
        assert max(pauses[:2]) <= 1.6
        assert sum(pauses[-10:]) > 10 * max(pauses[:2])
        assert all(not up for up, _ in said)
        assert all("secret-key" not in why for _, why in said)
        assert said[-1] == (False, "not running")
        assert repr(link) == "<Link A>"

    async def test_a_link_that_is_sent_away_stays_away_for_long(
        self, autojump_clock: object
    ) -> None:
        """Eight seconds, sixteen, up to two minutes: streams that open and end are no success."""
        tried: list[float] = []
        lasts_s = [0.5]

        @asynccontextmanager
        async def opens() -> AsyncIterator[Any]:
            tried.append(trio.current_time())
            yield Heard()

        async def serve(_stream: object) -> None:
            await trio.sleep(lasts_s[0])
            raise SocketClosed("try again later", TRY_AGAIN_LATER)

        link = Link("A", opens, Board(VirtualClock(0)), random.Random(3), yields=True)
        with trio.move_on_after(600):
            await link.run(serve)
        pauses = [after - before - 0.5 for before, after in pairwise(tried)]
        usual = [8.0, 16.0, 32.0, 64.0, 120.0, 120.0]
        assert all(0.75 * u <= p <= 1.25 * u for p, u in zip(pauses, usual, strict=False))
        assert len(pauses) >= 6

        lasts_s[0], since = 30.0, len(tried)
        with trio.move_on_after(240):
            await link.run(serve)
        pauses = [after - before - 30.0 for before, after in pairwise(tried[since:])]
        assert max(pauses) <= 1.25 * THROTTLED_FIRST_S

    @pytest.mark.parametrize("ends", ["closed by the peer", "killed"])
    async def test_a_loss_is_reported_before_the_goodbye(
        self, ends: str, autojump_clock: object
    ) -> None:
        """A goodbye that nobody answers takes a second in which nothing is heard any more."""
        said: list[tuple[float, bool, str]] = []

        @asynccontextmanager
        async def opens() -> AsyncIterator[Any]:
            try:
                yield Heard()
            finally:
                with trio.CancelScope(shield=True):
                    await trio.sleep(1.0)

        async def serve(_stream: object) -> None:
            await trio.sleep(0.5)
            if ends == "killed":
                owner.cancel()
            await trio.lowlevel.checkpoint()
            raise SocketClosed("the peer went")

        link = Link("A", opens, Board(VirtualClock(0)), random.Random(3))
        link.report = lambda up, why: said.append((trio.current_time() - began_s, up, why))
        began_s = trio.current_time()
        with trio.move_on_after(1.6) as owner:
            await link.run(serve)
        why = "not running" if ends == "killed" else "the peer went"
        assert said[0] == (0.5, False, why)

    async def test_what_a_sleep_went_over_is_given_up(self, autojump_clock: object) -> None:
        """No timer comes due by it: half a second after the machine wakes up it is noticed."""
        said: list[tuple[float, bool, str]] = []
        board = Board(MachineClock(TrueClock(0)))
        link = Link("A", standing, board, random.Random(3))
        link.report = lambda up, why: said.append((trio.current_time(), up, why))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(link.run, serve_for_ever)
            await trio.sleep(0.7)
            fall_asleep(2.0)
            await trio.sleep(2.1)
            assert said == []
            assert board.still_ns < 500_000_000
            fall_asleep(40)
            assert board.still_ns > 40_000_000_000
            await trio.sleep(0.5)
            assert board.still_ns < 500_000_000
            nursery.cancel_scope.cancel()

        at_s, up, why = said[0]
        assert (2.8 < at_s <= 3.3, up, why) == (True, False, "this machine stood still for 40.0 s")
        assert board.still_ns == 0

    async def test_a_link_that_nobody_listens_to_says_nothing(self, autojump_clock: object) -> None:
        """Before an actor takes it over its reports are heard by nobody."""
        async with trio.open_nursery() as nursery:
            network = MemoryNetwork(nursery)
            board = Board(VirtualClock(0))
            link = Link(
                "A", lambda: open_socket(network, "ws://nobody:1/"), board, random.Random(3)
            )
            link.report(True, "nobody hears this")
            assert board.connections == {}
            nursery.cancel_scope.cancel()


@attrs.define
class Heard:
    """A stream that was heard when it was opened."""

    last_proof_s: float = 0.0


@asynccontextmanager
async def standing() -> AsyncIterator[Any]:
    """Open a stream that never ends by itself."""
    yield Heard()


async def serve_for_ever(_stream: object) -> None:
    """Wait for messages that do not come."""
    await trio.sleep_forever()


@attrs.define
class FakeRest:
    """The reads that a lookup makes."""

    clock: VirtualClock
    listed: dict[str, ListedOrder] = attrs.field(factory=dict)
    filled: list[Fill] = attrs.field(factory=list)
    asked: list[tuple[float, str]] = attrs.field(factory=list)
    lag_ms: int = 0
    failing: bool = False

    async def orders(self, params: list[tuple[str, str]]) -> list[ListedOrder]:
        """Note which market is asked for."""
        await trio.lowlevel.checkpoint()
        ((_, ticker),) = params
        self.asked.append((trio.current_time(), ticker))
        if self.failing:
            raise RestError("down")
        return [order for order in self.listed.values() if order.ticker == ticker]

    async def fills(self, since_ms: int, *, ticker: str) -> list[Fill]:
        """List the fills of a market."""
        await trio.lowlevel.checkpoint()
        return [f for f in self.filled if f.ticker == ticker and f.at_ms >= since_ms]

    async def user_data_ms(self) -> int:
        """Say how far the reads are."""
        await trio.lowlevel.checkpoint()
        return self.clock.wall_ms() - self.lag_ms


def listed(name: str, status: str, filled: int = 0) -> ListedOrder:
    """Make an order of the exchange's list."""
    return ListedOrder(
        order_id=f"x-{name}",
        client_order_id=name,
        ticker=NYY,
        side=ENTRY.side,
        price_e4=ENTRY.price_e4,
        status=status,
        filled_e2=CountE2(filled),
        remaining_e2=CountE2(500 - filled),
        initial_e2=CountE2(500),
        created_ms=None,
        exchange_index=None,
        expires_s=900,
    )


class TestLookups:
    """What became of orders without an answer."""

    @pytest.fixture
    def rest(self) -> FakeRest:
        """Return what is asked."""
        return FakeRest(VirtualClock(0))

    async def run(self, rest: Any, *names: str, seconds: float = 60.0) -> list[OrderEvent]:
        """Look some orders up for a while, and return what was found."""
        found: list[OrderEvent] = []
        lookups = Lookups(rest, rest.clock, Board(rest.clock), found.append)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lookups.run)
            await trio.sleep(0.1)
            for name in names:
                lookups.want(name, NYY, 0)
                lookups.want(name, NYY, 0)
            await trio.sleep(seconds)
            nursery.cancel_scope.cancel()
        assert f"{len(lookups._wanted)} wanted" in repr(lookups)
        return found

    async def test_one_that_rests_is_believed_after_a_second(
        self, rest: FakeRest, autojump_clock: object
    ) -> None:
        """A read may be stale: what rests is believed only a second after it was sent."""
        rest.listed["o1"] = listed("o1", "resting", 100)
        found = await self.run(rest, "o1")

        assert [type(each).__name__ for each in found] == ["OrderAccepted", "OrderAmended"]
        assert found[1] == OrderAmended("o1", ENTRY.price_e4, CountE2(400), 900)
        assert rest.asked[-1][0] >= 1.0
        assert len(rest.asked) <= 4

    @pytest.mark.parametrize("status, why", [("executed", "filled"), ("canceled", "canceled: ")])
    async def test_one_that_has_ended_is_closed(
        self, status: str, why: str, rest: FakeRest, autojump_clock: object
    ) -> None:
        """The exchange's id comes first, for fills that are read; then the end, with all of it."""
        rest.listed["o1"] = listed("o1", status, 500)
        accepted, closed = await self.run(rest, "o1")

        assert isinstance(accepted, OrderAccepted)
        assert accepted.remaining_e2 == 0
        assert getattr(closed, "why", "").startswith(why)
        assert getattr(closed, "filled_e2", None) == 500

    async def test_absence_is_believed_late_and_only_when_seen_twice(
        self, rest: FakeRest, autojump_clock: object
    ) -> None:
        """An order is given up once the reads are half a minute past its sending, twice."""
        assert await self.run(rest, "o1", seconds=29) == []
        (refused,) = await self.run(rest, "o1", seconds=60)
        assert isinstance(refused, OrderRefused)

        rest.lag_ms = 10_000_000
        assert await self.run(rest, "o2", seconds=300) == []

    async def test_one_that_existed_has_ended_when_it_is_listed_no_more(
        self, rest: FakeRest, autojump_clock: object
    ) -> None:
        """The exchange had it, so it was never refused; nobody knows what of it filled."""
        found: list[OrderEvent] = []
        lookups = Lookups(rest, rest.clock, Board(rest.clock), found.append)  # type: ignore[arg-type]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lookups.run)
            lookups.want("o1", NYY, 0, existed=True)
            await trio.sleep(120)
            nursery.cancel_scope.cancel()

        assert found == [OrderClosed("o1", None, "canceled: no longer listed")]

    async def test_one_that_existed_was_never_refused(
        self, rest: FakeRest, autojump_clock: object
    ) -> None:
        """An order that the exchange has had and lists no more has ended."""
        found: list[OrderEvent] = []
        lookups = Lookups(rest, rest.clock, Board(rest.clock), found.append)  # type: ignore[arg-type]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lookups.run)
            lookups.want("o1", NYY, 0, existed=True)
            await trio.sleep(60)
            nursery.cancel_scope.cancel()
        assert [type(each).__name__ for each in found] == ["OrderClosed"]

    @pytest.mark.parametrize(
        "changes, order_id",
        [
            ({"client_order_id": "o1"}, None),
            ({"client_order_id": None, "order_id": "x-o1"}, "x-o1"),
        ],
    )
    async def test_one_that_is_only_to_be_seen_in_fills_has_filled(
        self,
        changes: dict[str, Any],
        order_id: str | None,
        rest: FakeRest,
        autojump_clock: object,
    ) -> None:
        """By our id, or by the exchange's where we know it: what filled is the sum of them."""
        rest.filled = [fill(f"t{n}", at_ms=0, **{"order_id": "x-o1", **changes}) for n in range(2)]
        found: list[OrderEvent] = []
        lookups = Lookups(rest, rest.clock, Board(rest.clock), found.append)  # type: ignore[arg-type]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lookups.run)
            lookups.want("o1", NYY, 0, existed=order_id is not None, order_id=order_id)
            await trio.sleep(29)
            assert found == []
            await trio.sleep(60)
            nursery.cancel_scope.cancel()

        assert found == [
            OrderAccepted("o1", "x-o1", CountE2(400), CountE2(0)),
            OrderClosed("o1", CountE2(400), "filled: seen in the fills alone"),
        ]

    async def test_a_fill_of_an_order_that_is_not_listed_may_be_its_own(
        self, rest: FakeRest, autojump_clock: object
    ) -> None:
        """While there is one, absence proves nothing; a fill of a listed order is no such one."""
        rest.filled = [fill("t1", order_id="x-other", client_order_id=None, at_ms=0)]
        assert await self.run(rest, "o1", seconds=300) == []

        rest.listed["other"] = listed("other", "executed", 200)
        (refused,) = await self.run(rest, "o1", seconds=300)
        assert isinstance(refused, OrderRefused)

    async def test_a_failing_read_settles_nothing(
        self, rest: FakeRest, autojump_clock: object
    ) -> None:
        """While the exchange cannot be read, an order stays unknown."""
        rest.failing = True
        assert await self.run(rest, "o1", seconds=300) == []
        assert len(rest.asked) > 20

    async def test_a_new_one_does_not_wait_for_an_old_one(
        self, rest: FakeRest, autojump_clock: object
    ) -> None:
        """Wanted while another is paused for seconds, an order is asked for at once."""
        found: list[OrderEvent] = []
        lookups = Lookups(rest, rest.clock, Board(rest.clock), found.append)  # type: ignore[arg-type]
        rest.listed["new"] = listed("new", "executed", 500)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lookups.run)
            lookups.want("old", BOS, 1_000_000)
            await trio.sleep(20)
            began_s = trio.current_time()
            lookups.want("new", NYY, 0)
            await trio.sleep(0.5)
            assert next(ticker for at_s, ticker in rest.asked if at_s >= began_s) == NYY
            assert len(found) == 2
            nursery.cancel_scope.cancel()
