"""Orders, cancels and moves under a rate limit, at an exchange that enforces it."""

from __future__ import annotations

import random
from typing import Any

import attrs
import pytest
import trio

from arb.core.events import (
    OrderAccepted,
    OrderAmended,
    OrderClosed,
    OrderKept,
    OrderRefused,
    OrderUnknown,
)
from arb.core.listing import Listing
from arb.core.money import PriceE4
from arb.engine.order_sender import NO_TOKENS
from arb.kalshi.rest_calls import RestError
from arb.kalshi.token_bucket import REFUSED_PAUSE_S
from arb.sim.serving.http import Request, Response, json_response
from tests.core.order_factory import EXIT
from tests.engine.conftest import Member
from tests.engine.desk_bench import DeskBench, open_desk


async def read_for_ever(bench: DeskBench) -> None:
    """Read the account as fast as the budget allows, but for the cash."""
    while True:
        await bench.rest.fills()
        await bench.rest.positions()
        await bench.rest.open_orders()


async def read_cash_for_ever(bench: DeskBench) -> None:
    """Read the cash as fast as the budget allows."""
    while True:
        await bench.rest.balance()


def act(bench: DeskBench, rng: random.Random, at: list[Listing]) -> None:
    """Do something to some order, or make a new one."""
    resting = sorted(name for name in bench.resting() if bench.desk.known(name) is not None)
    what = rng.random()
    if what < 0.15 and resting:
        bench.cancel(rng.choice(resting))
    elif what < 0.4 and resting:
        bench.amend(name := rng.choice(resting), 9_800 if bench.sells(name) else 200)
    elif what < 0.6:
        bench.place(EXIT, at=rng.choice(at), price_e4=9_900)
    else:
        bench.place(at=rng.choice(at))


@pytest.mark.slow
@pytest.mark.parametrize("shards", [(0,), (3,), (0, 3)])
async def test_hundreds_of_orders_never_meet_a_429(
    shards: tuple[int, ...], member: Member, autojump_clock: object
) -> None:
    """However fast orders are wished and the account is read, the exchange refuses none of it."""
    rng = random.Random(1)
    async with open_desk(member, answer_s=0.01) as bench, trio.open_nursery() as nursery:
        nursery.start_soon(read_for_ever, bench)
        nursery.start_soon(read_cash_for_ever, bench)
        at = [each for each in bench.listings if each.exchange_index in shards]
        for _ in range(1_000):
            act(bench, rng, at)
            await trio.sleep(rng.expovariate(80))
        for name in bench.resting():
            bench.cancel(name)
        await bench.until(lambda: not bench.resting())
        nursery.cancel_scope.cancel()

    assert bench.refused_429() == 0
    made = sum(isinstance(event, OrderAccepted) for event in bench.reports)
    assert made >= 100
    assert bench.statuses["POST", 200] + bench.statuses["DELETE", 200] >= 150
    refused = [event for event in bench.reports if isinstance(event, OrderRefused)]
    assert {event.code for event in refused} <= {NO_TOKENS, "no lane"}
    assert bench.statuses["GET", 200] >= 300
    assert not bench.parts.board.bad


async def test_what_cannot_be_paid_for_is_refused_here(
    member: Member, autojump_clock: object
) -> None:
    """A create is refused under a code and never sent; a moment later it can be paid for."""
    async with open_desk(member) as bench:
        while bench.budget.take_entry(bench.listings[0].exchange_index):
            pass
        name = bench.place()
        (refused,) = bench.of(name)
        assert isinstance(refused, OrderRefused)
        assert refused.code == NO_TOKENS
        assert "advanced" in refused.text
        # A sale may use what an entry leaves for it.
        sale = bench.place(EXIT, price_e4=9_900)
        await trio.sleep(0.05)
        assert isinstance(bench.of(sale)[0], OrderAccepted)

        await trio.sleep(0.2)
        later = bench.place()
        await trio.sleep(0.05)
        assert isinstance(bench.of(later)[0], OrderAccepted)
        assert bench.resting() == {sale, later}


async def test_an_amendment_without_tokens_leaves_the_order(
    member: Member, autojump_clock: object
) -> None:
    """It stands as it was, and can be moved later."""
    async with open_desk(member) as bench:
        name = bench.place()
        await trio.sleep(0.1)
        while bench.budget.take_exit(bench.listings[0].exchange_index):
            pass
        bench.amend(name, 200)
        kept = bench.of(name)[-1]
        assert isinstance(kept, OrderKept)
        assert kept.code == NO_TOKENS
        await trio.sleep(0.2)
        bench.amend(name, 200)
        await trio.sleep(0.05)
        (order,) = bench.account.resting.values()
        assert order.price_e4 == 200


async def test_cancels_wait_in_line_for_their_tokens(
    member: Member, autojump_clock: object
) -> None:
    """Without tokens none is sent; then all are, the first wished first, and none is refused."""
    async with open_desk(member) as bench:
        names = await bench.rest_orders(12)
        while bench.budget.take_cancel():
            pass
        before = bench.statuses["DELETE", 200]
        for name in names:
            bench.cancel(name)
            bench.cancel(name)
        assert bench.statuses["DELETE", 200] == before
        assert "12 due" in repr(bench.desk.cancels)
        began_s = trio.current_time()
        await bench.until(lambda: not bench.resting())
        closed = [event for event in bench.reports if isinstance(event, OrderClosed)]

    assert trio.current_time() - began_s == pytest.approx(12 * 2 / 300, abs=0.02)
    assert [event.client_order_id for event in closed] == names
    assert bench.refused_429() == 0


async def test_a_429_to_a_create_is_a_certain_refusal(
    member: Member, autojump_clock: object
) -> None:
    """Nothing of the order exists; the bucket rests, and then orders go again."""
    async with open_desk(member) as bench:
        conditions = bench.world.exchange_conditions
        conditions.answer_429 = True
        name = bench.place()
        await trio.sleep(0.01)
        (refused,) = bench.of(name)
        assert isinstance(refused, OrderRefused)
        assert refused.code == "too_many_requests"
        assert [bad.reason for bad in bench.parts.board.bad.values()] == ["429 to a create"]
        conditions.answer_429 = False
        early = bench.of(bench.place())[0]
        assert isinstance(early, OrderRefused)
        assert early.code == NO_TOKENS
        await trio.sleep(REFUSED_PAUSE_S + 0.2)
        later = bench.place()
        await trio.sleep(0.05)
        assert bench.resting() == {later}


@pytest.mark.parametrize("count", [1, 7])
async def test_a_429_to_cancels_loses_none(
    count: int, member: Member, autojump_clock: object
) -> None:
    """They are sent again, alone or in a batch, until the exchange takes them; no storm of them."""
    async with open_desk(member) as bench:
        names = await bench.rest_orders(count)
        bench.world.exchange_conditions.answer_429 = True
        sent = sum(bench.statuses.values())
        for name in names:
            bench.cancel(name)
        await trio.sleep(3)
        assert bench.resting() == set(names)
        assert sum(bench.statuses.values()) - sent <= 4 * 3 / REFUSED_PAUSE_S
        bench.world.exchange_conditions.answer_429 = False
        await trio.sleep(1)

        assert not bench.resting()
        for name in names:
            assert [type(event) for event in bench.of(name)] == [OrderAccepted, OrderClosed]


async def test_a_429_to_an_amendment_leaves_the_order(
    member: Member, autojump_clock: object
) -> None:
    """It is certain that it was not moved."""
    async with open_desk(member) as bench:
        name = bench.place()
        await trio.sleep(0.1)
        bench.world.exchange_conditions.answer_429 = True
        bench.amend(name, 200)
        await trio.sleep(0.05)
        kept = bench.of(name)[-1]
        assert isinstance(kept, OrderKept)
        assert kept.code == "too_many_requests"
        bench.world.exchange_conditions.answer_429 = False
        (order,) = bench.account.resting.values()
        assert order.price_e4 == 100


async def test_a_429_to_a_read_rests_the_bucket(member: Member, autojump_clock: object) -> None:
    """The next read waits, and succeeds."""
    async with open_desk(member) as bench:
        bench.world.exchange_conditions.answer_429 = True
        with pytest.raises(RestError, match="too many requests"):
            await bench.rest.fills()
        bench.world.exchange_conditions.answer_429 = False
        began_s = trio.current_time()
        assert await bench.rest.fills() == []
        assert trio.current_time() - began_s >= REFUSED_PAUSE_S


async def test_many_cancels_leave_together(member: Member, autojump_clock: object) -> None:
    """Sixty orders are gone in the time of four answers, twenty to a request."""
    async with open_desk(member, answer_s=0.05) as bench:
        names = await bench.rest_orders(60)
        await trio.sleep(2)
        requests = bench.statuses["DELETE", 200]
        began_s = trio.current_time()
        for name in names:
            bench.cancel(name)
        await bench.until(lambda: all(isinstance(bench.of(n)[-1], OrderClosed) for n in names))

        assert trio.current_time() - began_s <= 0.16
        assert bench.statuses["DELETE", 200] - requests <= 7
        assert not bench.resting()
        assert "0 due, 0 out" in repr(bench.desk.cancels)


@pytest.mark.parametrize("status, code", [(400, "bad_request"), (404, "not_found")])
async def test_cancels_go_alone_where_batches_are_refused(
    status: int, code: str, member: Member, autojump_clock: object
) -> None:
    """None is lost, it is told once for each batch, and no further batch is tried."""
    async with open_desk(member) as bench:
        names = await bench.rest_orders(12)
        serve: Any = bench.world.exchange.rest
        batches: list[str] = []

        def refuse_batches(asked: Request) -> Response:
            if not asked.path.endswith("/batched"):
                return serve(asked)  # type: ignore[no-any-return]
            batches.append(asked.path)
            return json_response(status, {"error": {"code": code, "message": "m"}})

        bench.world.exchange.rest = refuse_batches  # type: ignore[assignment]
        for name in names:
            bench.cancel(name)
        await bench.until(lambda: not bench.resting())
        assert 1 <= len(batches) <= 3
        assert all(isinstance(bench.of(name)[-1], OrderClosed) for name in names)
        (bad,) = bench.parts.board.bad.values()
        assert (bad.reason, bad.count) == (f"HTTP {status} to a batch of cancels", len(batches))


async def test_a_batch_without_an_answer_is_looked_up(
    member: Member, autojump_clock: object
) -> None:
    """Nobody knows which of its orders still rest."""
    async with open_desk(member) as bench:
        names = await bench.rest_orders(8)
        for lane in bench.lanes._lanes:
            lane._limits = attrs.evolve(lane._limits, answer_s=0.5)
        serve: Any = bench.world.exchange.rest

        def hang_up(asked: Request) -> Response:
            response: Response = serve(asked)
            batched = asked.path.endswith("/batched")
            return attrs.evolve(response, hang_up=batched)

        bench.world.exchange.rest = hang_up  # type: ignore[assignment]
        for name in names:
            bench.cancel(name)
        await trio.sleep(1)
        unknown = {e.client_order_id for e in bench.reports if isinstance(e, OrderUnknown)}
        assert unknown == set(names[3:])
        assert "5 wanted" in repr(bench.desk._lookups)


async def test_a_move_that_fills_leaves_nothing_to_be_ready_for(
    member: Member, autojump_clock: object
) -> None:
    """The end of the order may be told before its move is answered: then nobody says it again."""
    async with open_desk(member) as bench:
        name = bench.place(post_only=False)
        await trio.sleep(0.1)
        assert name in bench.signatures._orders
        bench.amend(name, 9_900)
        await bench.until(lambda: name not in bench.resting())
        await trio.sleep(0.05)

        (moved,) = [event for event in bench.of(name) if isinstance(event, OrderAmended)]
        assert moved.remaining_e2 == 0
        assert bench.desk.known(name) is None
        assert name not in bench.signatures._orders


async def test_what_is_listed_no_more_leaves_nothing_to_be_ready_for(
    member: Member, autojump_clock: object
) -> None:
    """Its end was told by a fill or not at all; a list that does not have it yet proves nothing."""
    async with open_desk(member) as bench:
        first, second = await bench.rest_orders(2)
        bench.desk.listed({first})
        bench.desk.listed({second})
        assert {first, second} <= bench.signatures._orders.keys()
        bench.desk.listed({second})

        assert bench.desk.known(first) is None
        assert bench.desk.known(second) is not None
        assert list(bench.signatures._orders) == [second]


async def test_a_move_that_says_nothing_is_looked_up_unless_it_was_heard_of(
    member: Member, autojump_clock: object
) -> None:
    """The answer to a move of the price alone leaves out what rests."""
    async with open_desk(member) as bench:
        name = bench.place()
        await trio.sleep(0.1)
        bench.amend(name, 200)
        await trio.sleep(0.05)
        assert "1 wanted" in repr(bench.desk._lookups)
        assert not any(isinstance(event, OrderAmended) for event in bench.of(name))

        other = bench.place()
        await trio.sleep(0.1)
        known = bench.desk.known(other)
        assert known is not None
        bench.amend(other, 200)
        # The private channel is quicker than the answer.
        bench.desk.learn(other, attrs.evolve(known, price_e4=PriceE4(200)))
        await trio.sleep(0.05)
        assert "1 wanted" in repr(bench.desk._lookups)
