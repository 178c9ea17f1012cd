"""What the engine itself seldom needs of the client, against the simulated exchange."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
import trio

from arb.core.money import CountE2
from arb.kalshi.answers import Accepted, Amended, Canceled, Operation, Refused, Unknown, sort
from arb.kalshi.batch_answers import sort_batch
from arb.kalshi.exchange_clock import ExchangeClock
from arb.kalshi.lane import Answer, OrderLanes, Request
from arb.kalshi.order_groups import OrderGroupClient
from arb.kalshi.rate import RateBudget
from arb.kalshi.rest import Rest
from arb.kalshi.rest_calls import RestError
from arb.kalshi.wire_orders import (
    BATCH_PATH,
    CREATE_PATH,
    batch_cancel_body,
    batch_create_body,
    decrease_body,
    decrease_path,
)
from tests.io.http_server import Reply
from tests.kalshi.rest_bench import rest_over
from tests.kalshi.test_against_sim import REST_URL, Place, bid, world


@attrs.define
class Asking:
    """Lanes on which one request is sent and its answer awaited."""

    lanes: OrderLanes
    answers: list[Answer]

    async def ask(self, method: str, path: str, body: bytes = b"") -> Answer:
        """Send one request and return its answer."""
        self.lanes.send(Request(len(self.answers), method, path, body))
        await trio.sleep(1)
        return self.answers[-1]


async def asking(place: Place, nursery: trio.Nursery) -> Asking:
    """Bring lanes up."""
    answers: list[Answer] = []
    lanes = OrderLanes(place.network, REST_URL, place.signer, place.clock, on_answer=answers.append)
    nursery.start_soon(lanes.run)
    await trio.sleep(1)
    return Asking(lanes, answers)


async def test_batches_decreases_and_queues(autojump_clock: object, tmp_path: Path) -> None:
    """Two of three orders of a batch rest, are looked at, made smaller, and cancelled together."""
    async with world(tmp_path) as place, trio.open_nursery() as nursery:
        ticker = (await place.market()).ticker
        lanes = await asking(place, nursery)
        bodies = [bid("arb-1", ticker, 100), bid("arb-2", ticker, 100), bid("arb-3", ticker, 101)]
        answer = await lanes.ask("POST", BATCH_PATH, batch_create_body(bodies))
        names = ["arb-1", "arb-2", "arb-3"]
        one, two, three = sort_batch(answer.status, answer.body, Operation.CREATE, names)
        assert isinstance(one, Accepted)
        assert isinstance(two, Accepted)
        # A single create would be refused for certain; in a batch no status says so.
        assert isinstance(three, Unknown)

        ahead = await place.rest.queue_positions([ticker])
        assert set(ahead) == {one.order_id, two.order_id}
        assert ahead[two.order_id] - ahead[one.order_id] == 100

        body = decrease_body(ticker=ticker, reduce_to_e2=CountE2(40))
        answer = await lanes.ask("POST", decrease_path(one.order_id), body)
        smaller = sort(answer.status, answer.body, Operation.DECREASE)
        assert isinstance(smaller, Amended)
        assert smaller.remaining_e2 == 40

        ids = [one.order_id, two.order_id, "nobody"]
        body = batch_cancel_body((order_id, ticker) for order_id in ids)
        answer = await lanes.ask("DELETE", BATCH_PATH, body)
        found = sort_batch(answer.status, answer.body, Operation.CANCEL, ids)
        assert [type(each) for each in found] == [Canceled, Canceled, Unknown]
        assert await place.rest.open_orders() == []
        nursery.cancel_scope.cancel()


async def test_everything_can_be_cancelled_at_once(autojump_clock: object, tmp_path: Path) -> None:
    """On every shard, by one request."""
    async with world(tmp_path) as place, trio.open_nursery() as nursery:
        lanes = await asking(place, nursery)
        for name in ("arb-1", "arb-2"):
            await lanes.ask("POST", CREATE_PATH, bid(name, (await place.market()).ticker, 100))
        assert len(await place.rest.open_orders()) == 2
        await place.rest.cancel_all()
        # The order list lags what happened.
        await trio.sleep(1)
        assert await place.rest.open_orders() == []
        nursery.cancel_scope.cancel()


async def test_order_groups(autojump_clock: object, tmp_path: Path) -> None:
    """Made, listed, given another limit, triggered, reset and removed."""
    async with world(tmp_path) as place:
        groups = OrderGroupClient(place.rest)
        group_id = await groups.create(3, 25)
        (listed,) = await groups.listed()
        assert (listed.group_id, listed.exchange_index, listed.limit_e2) == (group_id, 3, 2_500)
        assert "OrderGroupClient" in repr(groups)
        await groups.limit(listed, 50)
        (group,) = place.simulation.venue.groups.values()
        assert group.limit_e2 == 5_000
        await groups.trigger(group_id, 3)
        assert group.triggered
        await groups.reset(group_id, 3)
        assert not group.triggered
        await groups.delete(group_id, 3)
        assert await groups.listed() == []
        with pytest.raises(RestError, match=r"PUT .*/reset: HTTP 404 not_found"):
            await groups.reset(group_id, 3)


async def test_limits_and_costs_make_a_budget(autojump_clock: object, tmp_path: Path) -> None:
    """As the account has them."""
    async with world(tmp_path) as place:
        budget = RateBudget(place.clock)
        budget.apply(await place.rest.limits(), await place.rest.endpoint_costs())
        assert budget.limits.tier == "advanced"
        assert (budget.create_cost, budget.cancel_cost) == (10, 2)


async def test_signed_reads_date_the_exchanges_clock(
    autojump_clock: object, tmp_path: Path
) -> None:
    """Public ones may come from a cache and do not."""
    async with world(tmp_path) as place:
        clock = ExchangeClock(place.clock)
        rest = Rest(place.rest._http, place.signer, place.clock, REST_URL, on_date=clock.note_date)
        await rest.exchange_status()
        assert clock.behind_ms is None
        await rest.fills()
        behind_ms = clock.behind_ms
        assert behind_ms is not None
        assert abs(behind_ms) <= 500


async def test_costs_are_read_exactly(autojump_clock: object) -> None:
    """As recorded; what costs less than nothing is no list of costs."""
    rows = [{"cost": 4, "method": "DELETE", "path": "/trade-api/v2/portfolio/events/orders/:id"}]

    def pages(path: str, query: dict[str, str]) -> object:
        return {"default_cost": 7, "endpoint_costs": rows}

    async with rest_over(pages) as (rest, _):
        costs = await rest.endpoint_costs()
        assert costs.of("DELETE", "/portfolio/events/orders/:order_id") == 4
        assert costs.of("GET", "/portfolio/fills") == 7
        rows[0]["cost"] = -1
        with pytest.raises(RestError, match="less than nothing"):
            await rest.endpoint_costs()


@pytest.mark.parametrize("body", [b"[]", b"no", b"5"])
async def test_a_write_that_is_answered_oddly_is_an_error(
    body: bytes, autojump_clock: object
) -> None:
    """It may have been made all the same."""
    async with rest_over(lambda path, query: Reply(200, body)) as (rest, server):
        with pytest.raises(RestError, match="PUT /x: no JSON object"):
            await rest.write("PUT", "/x", {"a": 1})
        assert server.asked[0].body == b'{"a":1}'
        assert server.asked[0].headers["content-type"] == "application/json"


async def test_a_429_to_a_write_rests_the_common_bucket(autojump_clock: object) -> None:
    """Orders on it wait as well."""
    async with rest_over(lambda path, query: Reply(429, b'{"error":"too many requests"}')) as (
        rest,
        _,
    ):
        rest._budget = budget = RateBudget(rest._clock)
        with pytest.raises(RestError, match="DELETE /portfolio/events/orders: HTTP 429"):
            await rest.cancel_all()
        assert not budget.take_entry(0)
        assert budget.take_entry(3)


def test_a_refusal_of_a_batch_is_one_of_each() -> None:
    """So that nothing is left to be guessed."""
    body = b'{"error":{"code":"bad_request","message":"m"}}'
    assert sort_batch(400, body, Operation.CREATE, ["a"]) == [Refused("bad_request", "m", 400)]
