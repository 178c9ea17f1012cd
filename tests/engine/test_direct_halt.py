"""The kill switch without an engine, against the simulated exchange in virtual time."""

# flake8: noqa: ASYNC124 - a clock needs a running loop, whether anything waits or not

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest
import trio

from arb.engine.direct_halt import DirectHalt, DirectReach, DirectWish, KeyRefused, is_exit
from arb.faults.engine import EXCHANGE
from arb.io.clock import VirtualClock
from arb.io.http import Http
from arb.io.memory import MemoryNetwork
from arb.kalshi.order_groups import OrderGroupClient
from arb.kalshi.rate import RateBudget
from arb.kalshi.rest import Rest
from arb.kalshi.rest_calls import RestError
from arb.kalshi.sign import Signer
from arb.sim.conditions import OrderAnswer
from arb.sim.exchange.grouping import make_group
from arb.sim.exchange.placing import place
from arb.sim.exchange.values import BookSide, Lifetime, Order, OrderRequest
from arb.sim.simulation import Simulation
from tests.engine.conftest import EPOCH_MS, Member, new_world

CHEAP_E4 = 100


@attrs.define
class Bench:
    """An account with orders of ours, and what a direct halt says."""

    world: Simulation
    rest: Rest
    reach: DirectReach
    said: list[str]

    @property
    def ticker(self) -> str:
        """Return a market on the second shard."""
        return next(
            ticker for ticker, market in self.world.venue.markets.items() if market.exchange_index
        )

    def rests(self, name: str | None, side: BookSide = BookSide.BID, **more: Any) -> Order:
        """Let an order rest that nothing meets."""
        price_e4 = CHEAP_E4 if side is BookSide.BID else 9_900
        wish = OrderRequest(self.ticker, side, 100, price_e4, client_order_id=name, **more)
        return place(self.world.venue, self.world.member, wish).order

    def holds(self) -> None:
        """Buy something."""
        self.world.step(0.05)
        venue = self.world.venue
        ask_e4 = venue.markets[self.ticker].book.best_e4(BookSide.ASK)
        assert ask_e4 is not None
        wish = OrderRequest(self.ticker, BookSide.BID, 100, ask_e4, Lifetime.IMMEDIATE_OR_CANCEL)
        assert place(venue, self.world.member, wish).order.filled_e2

    def names(self) -> set[str | None]:
        """Return the names of what rests."""
        return {order.client_order_id for order in self.world.member.resting.values()}

    async def halt(self, ours: frozenset[str] = frozenset(), **wish: bool) -> None:
        """Halt, and fail the test if that takes a minute."""
        with trio.fail_after(60):
            await DirectHalt(self.reach, DirectWish(**wish), ours).run()

    def heard(self, words: str) -> bool:
        """Tell whether a line says so."""
        return any(words in line for line in self.said)


@pytest.fixture
async def bench(
    member: Member, nursery: trio.Nursery, autojump_clock: object
) -> AsyncIterator[Bench]:
    """Serve an exchange in memory, with nothing but the account in it."""
    world = new_world()
    network = MemoryNetwork(nursery)
    network.listen(*EXCHANGE, world.exchange.serve_stream)
    key_id = world.admit(member.public)
    clock = VirtualClock(EPOCH_MS)
    said: list[str] = []
    async with Http(network) as http:
        signer = Signer(key_id, "rsa", member.sign)
        url = f"http://{EXCHANGE[0]}:{EXCHANGE[1]}"
        budget = RateBudget(clock)
        rest = Rest(http, signer, clock, url, budget=budget)
        reach = DirectReach(rest, OrderGroupClient(rest), budget, clock, said.append)
        yield Bench(world, rest, reach, said)


async def test_entries_of_any_installation_go_and_everything_else_stays(
    bench: Bench, autojump_clock: object
) -> None:
    """Ours by their ids, in a group or not; sales of what is held stay, and a person's orders."""
    group = make_group(bench.world.venue, bench.world.member, 10_000, 3)
    other = make_group(bench.world.venue, bench.world.member, 10_000, 3)
    bench.rests("arb-1-1", group_id=group.group_id)
    bench.rests("arb-2-1")
    bench.rests("by-hand")
    nameless = bench.rests(None)
    bench.holds()
    bench.rests("arb-1-2", BookSide.ASK)
    await bench.halt()

    assert bench.names() == {"arb-1-2", "by-hand", nameless.client_order_id}
    assert (group.triggered, other.triggered) == (True, False)
    assert bench.heard(f"order group {other.group_id} of shard 3: no order of ours")
    assert bench.said[-1].endswith("no entry of ours rests; exits were kept")


async def test_exits_go_where_that_is_wanted(bench: Bench, autojump_clock: object) -> None:
    """Sales of ours are cancelled as well; a person's order still rests."""
    bench.holds()
    bench.rests("arb-1-2", BookSide.ASK)
    bench.rests("by-hand")
    await bench.halt(cancel_exits=True)

    assert bench.names() == {"by-hand"}
    assert bench.said[-1] == "done: 1 cancelled, nothing of ours rests"


async def test_everything_goes_where_that_is_wanted(bench: Bench, autojump_clock: object) -> None:
    """A person's own orders and every order group, in one request for the whole account."""
    other = make_group(bench.world.venue, bench.world.member, 10_000, 0)
    bench.rests("arb-1-1")
    bench.rests("by-hand")
    await bench.halt(cancel_exits=True, everything=True)

    assert bench.names() == set()
    assert other.triggered
    assert bench.heard("cancelled everything in the account")
    assert bench.said[-1].endswith("nothing rests in the account")


async def test_groups_that_an_engine_has_made_are_triggered_without_any_order(
    bench: Bench, autojump_clock: object
) -> None:
    """Those that a journal names, and those that orders of ours went to lately."""
    known = make_group(bench.world.venue, bench.world.member, 10_000, 0)
    used = make_group(bench.world.venue, bench.world.member, 10_000, 3)
    order = bench.rests("arb-1-1", group_id=used.group_id)
    bench.world.venue.take_off_book(order, order.change)
    await bench.halt(frozenset({known.group_id}))

    assert known.triggered
    assert used.triggered


async def test_many_go_in_batches_and_one_by_one_where_batches_are_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, autojump_clock: object
) -> None:
    """Fifty orders, within the lowest tier's budget; without batches it goes on all the same."""
    for number in range(50):
        bench.rests(f"arb-1-{number}")
    await bench.halt()
    assert bench.names() == set()

    write: Any = bench.rest.write

    async def refuses_batches(method: str, path: str, *rest: Any) -> Any:
        if path.endswith("/batched"):
            raise RestError("no batches here", 404)
        return await write(method, path, *rest)

    monkeypatch.setattr(bench.rest, "write", refuses_batches)
    for number in range(5):
        bench.rests(f"arb-2-{number}")
    await bench.halt()
    assert bench.names() == set()


@pytest.mark.parametrize(
    "answer",
    [
        OrderAnswer.REFUSE,
        OrderAnswer.TOO_MANY,
        OrderAnswer.ERROR_BEFORE,
        OrderAnswer.DROP_REQUEST,
        OrderAnswer.DROP_ACK,
        OrderAnswer.HTML_AFTER,
        OrderAnswer.EMPTY_SUCCESS,
    ],
)
@pytest.mark.parametrize("count", [1, 3])
async def test_it_goes_on_until_cancels_get_through(
    answer: OrderAnswer, count: int, bench: Bench, autojump_clock: object
) -> None:
    """Whatever becomes of cancels: it says so once, tries each second, ends when all is gone."""
    for number in range(count):
        bench.rests(f"arb-1-{number}")
    bench.world.exchange_conditions.cancel_answer = answer
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bench.halt)
        await trio.sleep(10)
        bench.world.exchange_conditions.cancel_answer = OrderAnswer.NORMAL
    assert bench.names() == set()
    assert bench.said[-1].startswith("done: ")
    assert sum("not done yet" in line for line in bench.said) <= 3


async def test_a_pause_of_the_exchange_is_waited_out(bench: Bench, autojump_clock: object) -> None:
    """Neither cancels nor the brake are taken until it ends; both are then."""
    group = make_group(bench.world.venue, bench.world.member, 10_000, 3)
    bench.rests("arb-1-1", group_id=group.group_id)
    venue = bench.world.venue
    venue.trading_active = venue.exchange_active = False
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bench.halt)
        await trio.sleep(20)
        assert bench.names() == {"arb-1-1"}
        assert bench.heard("not done yet, tried again each second")
        assert bench.heard("exchange_is_paused")
        venue.trading_active = venue.exchange_active = True
    assert bench.names() == set()
    assert group.triggered


@pytest.mark.parametrize("broken", ["positions", "groups"])
async def test_what_cannot_be_read_keeps_no_cancel_back(
    broken: str, bench: Bench, monkeypatch: pytest.MonkeyPatch, autojump_clock: object
) -> None:
    """Without positions, orders in a group are entries still; without groups, ids are enough."""
    group = make_group(bench.world.venue, bench.world.member, 10_000, 3)
    bench.rests("arb-1-1", group_id=group.group_id)
    bench.rests("arb-1-2")

    async def fails() -> Any:
        raise RestError(f"{broken} cannot be read", 503)

    target: Any = bench.rest if broken == "positions" else bench.reach.groups
    name = "positions" if broken == "positions" else "listed"
    with monkeypatch.context() as patched:
        patched.setattr(target, name, fails)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.halt)
            await trio.sleep(5)
            assert "arb-1-1" not in bench.names()
            assert bench.heard(f"{broken} cannot be read")
            patched.undo()
    assert bench.names() == set()
    assert group.triggered


async def test_an_order_that_comes_back_is_cancelled_again(
    bench: Bench, autojump_clock: object
) -> None:
    """A hung engine's order that arrives late, between two looks, does not survive the end."""
    bench.rests("arb-1-1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bench.halt)
        await trio.sleep(1.5)
        bench.rests("arb-1-2")
    assert bench.names() == set()


async def test_a_key_that_is_refused_ends_it_at_once(bench: Bench, autojump_clock: object) -> None:
    """Trying again with a wrong key cancels nothing; one that was right is tried again."""
    bench.rests("arb-1-1")
    bench.world.exchange_conditions.rest_status = 401
    with pytest.raises(KeyRefused, match="401"):
        await bench.halt()
    bench.world.exchange_conditions.rest_status = 503
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bench.halt)
        await trio.sleep(3)
        bench.world.exchange_conditions.rest_status = 401
        await trio.sleep(3)
        bench.world.exchange_conditions.rest_status = None
    assert bench.names() == set()


@pytest.mark.parametrize(
    ("side", "held_e2", "expected"),
    [
        ("ask", 100, True),
        ("ask", 0, False),
        ("ask", -100, False),
        ("bid", -100, True),
        ("bid", 1, False),
    ],
)
async def test_an_exit_lessens_what_is_held(
    side: str, held_e2: int, expected: bool, bench: Bench, autojump_clock: object
) -> None:
    """Of YES and of NO; what opens or adds to a position is an entry."""
    bench.rests("arb-1-1", BookSide(side))
    (order,) = await bench.rest.open_orders()
    held: Any = {bench.ticker: held_e2}
    assert is_exit(order, held) is expected
    assert not is_exit(attrs.evolve(order, group_id="g"), held)
