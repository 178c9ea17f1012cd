"""What can become of a request that changes orders, and of its answer, one fault at a time."""

from __future__ import annotations

import pytest
import trio

from arb.sim.conditions import OrderAnswer
from arb.sim.exchange.resting import sweep_late_orders
from arb.sim.exchange.values import BookSide, Lifetime, Order, OrderStatus
from tests.sim.sim_client import Answer, Bench, Json, Member, order_wish

ORDERS = "/portfolio/events/orders"
BID, ASK = BookSide.BID, BookSide.ASK
IOC = Lifetime.IMMEDIATE_OR_CANCEL
KINDS = ("order", "cancel", "amend")
NOT_TAKEN = (
    OrderAnswer.REFUSE,
    OrderAnswer.TOO_MANY,
    OrderAnswer.ERROR_BEFORE,
    OrderAnswer.DROP_REQUEST,
    OrderAnswer.TIMEOUT_BEFORE,
)
TAKEN = tuple(answer for answer in OrderAnswer if answer not in NOT_TAKEN)


def rested(bench: Bench) -> Order:
    return bench.place(bench.member, BID, 4_000, 500).order


async def ask_for(member: Member, bench: Bench, kind: str, order: Order) -> Answer | None:
    """Send one request of a kind; None where no answer came within a while."""
    ticker = bench.home.ticker
    with trio.move_on_after(30):
        if kind == "order":
            wish = order_wish(ticker, "bid", "0.39", "1.00")
            return await member.call_or_none("POST", ORDERS, wish)
        path = f"{ORDERS}/{order.order_id}"
        if kind == "cancel":
            return await member.call_or_none("DELETE", f"{path}?market_ticker={ticker}")
        change = {"ticker": ticker, "side": "bid", "price": "0.41", "count": "5.00"}
        return await member.call_or_none("POST", f"{path}/amend", change)
    return None


def happened(bench: Bench, kind: str, order: Order) -> bool:
    """Return whether the exchange did what was asked."""
    if kind == "order":
        return len(bench.member.orders()) == 2
    if kind == "cancel":
        return order.status is OrderStatus.CANCELED
    return order.price_e4 == 4_100


STATUS = {
    OrderAnswer.NORMAL: (201, 200),
    OrderAnswer.REFUSE: (409, 409),
    OrderAnswer.TOO_MANY: (429, 429),
    OrderAnswer.ERROR_BEFORE: (503, 503),
    OrderAnswer.ERROR_AFTER: (503, 503),
    OrderAnswer.HTML_AFTER: (502, 502),
    OrderAnswer.EMPTY_SUCCESS: (201, 200),
    OrderAnswer.ACK_TWICE: (201, 200),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("answer", list(OrderAnswer))
async def test_every_answer_to_every_kind_of_request(
    member: Member, bench: Bench, kind: str, answer: OrderAnswer, autojump_clock: object
) -> None:
    """Whether it happened and what was heard of it, each by its own condition."""
    order = rested(bench)
    setattr(bench.venue.conditions, f"{kind}_answer", answer)
    heard = await ask_for(member, bench, kind, order)
    assert happened(bench, kind, order) is (answer in TAKEN)
    expected = STATUS.get(answer)
    if expected is None:
        assert heard is None
        return
    assert heard is not None
    assert heard.status == expected[kind != "order"]
    if answer is OrderAnswer.HTML_AFTER:
        assert heard.headers["content-type"] == "text/html"
    else:
        body: Json = heard.json
        told = answer in (OrderAnswer.NORMAL, OrderAnswer.ACK_TWICE)
        assert ("order_id" in body) is told


async def test_one_kind_of_request_can_fail_alone(member: Member, bench: Bench) -> None:
    """Cancels fail while orders go through."""
    bench.venue.conditions.cancel_answer = OrderAnswer.ERROR_BEFORE
    order = rested(bench)
    placed = await ask_for(member, bench, "order", order)
    failed = await ask_for(member, bench, "cancel", order)
    assert (placed and placed.status, failed and failed.status) == (201, 503)


async def test_a_refusal_can_have_any_code(member: Member, bench: Bench) -> None:
    """Status and code are those of the condition."""
    bench.venue.conditions.order_answer = OrderAnswer.REFUSE
    bench.venue.conditions.refusal = (400, "insufficient_balance")
    answer = await ask_for(member, bench, "order", rested(bench))
    assert answer is not None
    assert (answer.status, answer.json["error"]["code"]) == (400, "insufficient_balance")


async def test_an_acknowledgement_can_come_twice(
    member: Member, bench: Bench, autojump_clock: object
) -> None:
    """The same bytes again, which the next request on the connection would take for its own."""
    bench.venue.conditions.order_answer = OrderAnswer.ACK_TWICE
    first = await ask_for(member, bench, "order", rested(bench))
    assert first is not None
    rest = member.http.pending
    if not rest:
        with trio.fail_after(5):
            rest = bytes(await member.http.stream.receive_some(65_536))
    assert first.json["order_id"].encode() in rest


async def test_batches_and_sweeps_share_their_kinds_fate(member: Member, bench: Bench) -> None:
    """A batch of orders is an order, a batch of cancels and a cancel of all are cancels."""
    order = rested(bench)
    bench.venue.conditions.order_answer = OrderAnswer.ERROR_BEFORE
    bench.venue.conditions.cancel_answer = OrderAnswer.TOO_MANY
    batched = f"{ORDERS}/batched"
    assert (await member.call("POST", batched, {"orders": []})).status == 503
    assert (await member.call("DELETE", batched, {"orders": []})).status == 429
    assert (await member.call("DELETE", ORDERS)).status == 429
    bench.venue.conditions.amend_answer = OrderAnswer.TOO_MANY
    path = f"{ORDERS}/{order.order_id}/decrease"
    assert (await member.call("POST", path, {"reduce_to": "1"})).status == 429


async def test_a_fill_can_be_heard_before_its_acknowledgement(
    member: Member, bench: Bench, autojump_clock: object
) -> None:
    """With a delay the exchange acts at once and its answer comes later."""
    bench.place(bench.maker, ASK, 3_900, 100)
    bench.venue.conditions.order_delay_s = 7.0
    heard: list[tuple[str, float]] = []

    async def order() -> None:
        await ask_for(member, bench, "order", resting)
        heard.append(("ack", trio.current_time()))

    async with member.socket() as socket:
        await socket.command(1, "subscribe", channels=["fill"])
        await socket.frame()
        resting = rested(bench)
        bench.venue.take_off_book(resting, resting.change)
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(order)
            assert (await socket.until("fill"))["type"] == "fill"
            heard.append(("fill", trio.current_time()))
    assert [name for name, _ in heard] == ["fill", "ack"]
    assert heard[1][1] - began == pytest.approx(7.0)


async def test_a_fill_can_be_quicker_than_the_cancel(
    member: Member, bench: Bench, autojump_clock: object
) -> None:
    """With a lag the request itself is late: what it would have cancelled is gone by then."""
    bench.venue.conditions.cancel_lag_s = 1.0
    order = rested(bench)
    answers: list[Answer | None] = []

    async def cancel() -> None:
        answers.append(await ask_for(member, bench, "cancel", order))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(cancel)
        await trio.sleep(0.5)
        bench.place(bench.maker, ASK, 4_000, 500, IOC)
    assert order.status is OrderStatus.EXECUTED
    (answer,) = answers
    assert answer is not None
    assert (answer.status, answer.json["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("kind", KINDS)
async def test_requests_and_answers_can_be_late(
    member: Member, bench: Bench, kind: str, autojump_clock: object
) -> None:
    """The lag and the delay of each kind add up."""
    order = rested(bench)
    setattr(bench.venue.conditions, f"{kind}_lag_s", 2.0)
    setattr(bench.venue.conditions, f"{kind}_delay_s", 3.0)
    began = trio.current_time()
    answer = await ask_for(member, bench, kind, order)
    assert answer is not None
    assert trio.current_time() - began == pytest.approx(5.0)
    assert happened(bench, kind, order)


@pytest.mark.parametrize(("left_e2", "filled"), [(150, "1.50"), (0, "0.00"), (1_000, "5.00")])
async def test_others_can_be_quicker(
    member: Member, bench: Bench, left_e2: int, filled: str
) -> None:
    """What is there when the order arrives is less than was seen: a partial fill, or none."""
    for price_e4, count_e2 in ((3_800, 100), (3_900, 100), (3_900, 300)):
        bench.place(bench.maker, ASK, price_e4, count_e2)
    bench.venue.conditions.pull_beyond_e2 = left_e2
    wish = order_wish(bench.home.ticker, "bid", "0.39", "5.00", time_in_force=IOC.value)
    answer = await member.call("POST", ORDERS, wish)
    assert (answer.json["fill_count"], answer.json["remaining_count"]) == (filled, "0.00")


async def test_everything_cancelled_can_linger(member: Member, bench: Bench) -> None:
    """As documented, orders placed in the minute after are cancelled too, and later ones rest."""
    bench.venue.conditions.cancel_all_lingers_ms = 60_000
    assert (await member.call("DELETE", ORDERS)).status == 204
    caught = rested(bench)
    sweep_late_orders(bench.venue)
    assert caught.status is OrderStatus.CANCELED
    bench.clock.now_ms += 60_000
    late = rested(bench)
    sweep_late_orders(bench.venue)
    assert late.status is OrderStatus.RESTING
    assert bench.venue.swept_until_ms == {}
