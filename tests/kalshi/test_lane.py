"""Order lanes over memory streams in virtual time: sending, answers, warmth, the end."""

from __future__ import annotations

import pytest
import trio

from arb.io.memory import MemoryConnection
from arb.io.url import Endpoint
from arb.kalshi.lane import Answer, Limits, NoLane, Request, Sent
from arb.kalshi.lane_request import RequestBytes
from tests.io.http_server import URL, Asked, Reply
from tests.kalshi.keys import PlainSigner
from tests.kalshi.lane_bench import CREATE, EPOCH_MS, lanes_to, order, settle, taken


async def test_a_request_leaves_in_the_turn_that_sends_it(autojump_clock: object) -> None:
    """No scheduler pass lies between the call and the bytes on the connection."""
    async with lanes_to(taken) as (lanes, answers, server, network):
        before = [connection._outgoing.data[:] for connection in network.connections]
        sent = lanes.send(order())
        after = [bytes(connection._outgoing.data) for connection in network.connections]
        await settle()

    assert before == [b"", b"", b""]
    assert sent == Sent(0, 0)
    assert sorted(data.count(b"POST /") for data in after) == [0, 0, 1]
    assert answers == [Answer(1, 201, b'{"order_id":"o"}', 0, 0)]
    asked = server.asked[-1]
    assert (asked.method, asked.target, asked.body) == ("POST", CREATE, b'{"ticker":"T"}')
    assert asked.headers["kalshi-access-signature"] == f"{EPOCH_MS}|POST|{CREATE}"
    assert asked.headers["host"] == "sim"
    assert asked.headers["content-length"] == "14"


async def test_a_slow_answer_holds_up_its_own_lane_alone(autojump_clock: object) -> None:
    """Others are sent and answered meanwhile; with every lane busy nothing is sent."""

    def slow_first(asked: Asked) -> Reply:
        return Reply(201, asked.body, delay_s=1 if asked.body == b"slow" else 0)

    async with lanes_to(slow_first) as (lanes, answers, _, _):
        for tag in range(3):
            lanes.send(Request(tag, "POST", "/x", b"slow"))
        with pytest.raises(NoLane, match="all 3 connected order lanes are busy"):
            lanes.send(order())
        assert (lanes.free, lanes.connected) == (0, 3)
        await trio.sleep(1.1)
        lanes.send(Request("a", "POST", "/x", b"slow"))
        lanes.send(Request("b", "POST", "/x", b"quick"))
        await trio.sleep(0.1)
        assert answers[-1].tag == "b"
        await trio.sleep(1)

    assert sorted(str(answer.tag) for answer in answers) == ["0", "1", "2", "a", "b"]
    assert all(answer.status == 201 for answer in answers)
    slow = next(answer for answer in answers if answer.tag == "a")
    assert slow.answered_ns - slow.sent_ns == 1_000_000_000


async def test_idle_lanes_are_kept_warm_and_out_of_step(autojump_clock: object) -> None:
    """Each lane asks for the exchange's status every few seconds, never all at once."""
    at: list[float] = []

    def note(asked: Asked) -> Reply:
        assert (asked.method, asked.target) == ("GET", "/trade-api/v2/exchange/status")
        at.append(trio.current_time())
        return Reply()

    async with lanes_to(note) as (lanes, answers, server, _):
        await trio.sleep(601)
        assert lanes.free == 3

    assert at[:3] == [0.0, 0.0, 0.0]
    later = at[3:]
    assert len(later) == pytest.approx(3 * 600 / 5, abs=6)
    assert len({round(moment, 6) for moment in later}) == len(later)
    assert server.connections == 3
    assert answers == []


async def test_a_lane_is_free_while_others_are_kept_warm(autojump_clock: object) -> None:
    """Orders that leave together bring their lanes into step; one stays free all the same."""
    quiet: list[float] = []

    def slowly(asked: Asked) -> Reply:
        if asked.method == "GET":
            quiet.append(trio.current_time())
        return Reply(delay_s=0.05)

    async with lanes_to(slowly) as (lanes, _, _, _):
        await trio.sleep(1)
        for tag in range(3):
            lanes.send(order(tag))
        await trio.sleep(1)
        for _ in range(3_000):
            assert lanes.free
            await trio.sleep(0.02)

    assert len(quiet) == pytest.approx(3 * 60 / 5, abs=6)


async def test_a_lane_that_stands_alone_is_kept_warm(autojump_clock: object) -> None:
    """There is no other that an order could take: cold it would serve nobody."""
    async with lanes_to(taken, count=1) as (_, _, server, _):
        await trio.sleep(16)

    assert [asked.method for asked in server.asked] == ["GET"] * 4


async def test_a_lane_counts_only_after_its_first_answer(autojump_clock: object) -> None:
    """A connection that nobody has answered on is no lane."""
    async with lanes_to(lambda asked: Reply(delay_s=1)) as (lanes, *_):
        assert lanes.connected == 0
        with pytest.raises(NoLane, match="no order lane is connected"):
            lanes.send(order())
        await trio.sleep(1.1)
        assert lanes.connected == 3


async def test_a_lane_found_broken_in_the_send_is_passed_over(autojump_clock: object) -> None:
    """Nothing left on it, so the request goes out on the next one."""
    async with lanes_to(taken) as (lanes, answers, server, _):
        first = lanes._lanes[0]._connection
        assert isinstance(first, MemoryConnection)
        first.cut()
        assert lanes.send(order()).lane == 1
        await settle()
        assert [answer.status for answer in answers] == [201]
        assert lanes.connected == 2
        await trio.sleep(1)
        assert lanes.connected == 3

    assert sum(asked.method == "POST" for asked in server.asked) == 1


async def test_every_lane_broken_is_no_lane(autojump_clock: object) -> None:
    """With nothing sent, the caller knows for certain."""
    async with lanes_to(taken) as (lanes, answers, _, network):
        network.cut()
        with pytest.raises(NoLane):
            lanes.send(order())
        await settle()
        assert answers == []


async def test_lanes_take_turns(autojump_clock: object) -> None:
    """One order after the other goes round, so that every lane is used."""
    async with lanes_to(taken) as (lanes, *_):
        used = []
        for _ in range(6):
            used.append(lanes.send(order()).lane)
            await settle()

    assert used == [0, 1, 2, 0, 1, 2]


async def test_an_answer_may_send_the_next_request_on_the_same_lane(
    autojump_clock: object,
) -> None:
    """The lane is free again before its answer is told, and the next deadline is its own."""
    answers: list[Answer] = []
    async with lanes_to(
        lambda asked: Reply(200, delay_s=1.5 if asked.method == "POST" else 0),
        count=1,
        limits=Limits(answer_s=2),
    ) as (lanes, _, _, _):

        def again(answer: Answer) -> None:
            answers.append(answer)
            if len(answers) < 3:
                lanes.send(order(len(answers)))

        lanes.on_answer = again
        lanes.send(order(0))
        await trio.sleep(6)

    assert [(answer.tag, answer.status) for answer in answers] == [(0, 200), (1, 200), (2, 200)]


async def test_shutting_down_tells_what_is_out_as_unknown(autojump_clock: object) -> None:
    """Cancelling the lanes answers every request that is out."""
    async with lanes_to(lambda asked: Reply(delay_s=3 * (asked.method == "POST"))) as (
        lanes,
        answers,
        _,
        _,
    ):
        lanes.send(order("a"))
        lanes.send(order("b"))
        await trio.sleep(1)

    assert sorted((answer.tag, answer.status) for answer in answers) == [("a", None), ("b", None)]
    assert {answer.failure for answer in answers} == {"the lane was closed"}


async def test_draining_waits_for_the_answers_and_takes_nothing_new(autojump_clock: object) -> None:
    """Requests that are out get their real answers, within the grace."""
    async with lanes_to(lambda asked: Reply(delay_s=3 * (asked.method == "POST"))) as (
        lanes,
        answers,
        _,
        _,
    ):
        lanes.send(order("a"))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lanes.drain, 5)
            await settle()
            with pytest.raises(NoLane, match="closing"):
                lanes.send(order())
        assert trio.current_time() == 3
        assert [answer.status for answer in answers] == [200]

        await lanes.drain(5)
        assert trio.current_time() == 3


async def test_draining_ends_with_its_grace(autojump_clock: object) -> None:
    """A drain is not longer than it was given."""
    async with lanes_to(lambda asked: Reply(delay_s=3 * (asked.method == "POST"))) as (
        lanes,
        answers,
        _,
        _,
    ):
        lanes.send(order("a"))
        await lanes.drain(1)
        assert trio.current_time() == 1
        assert answers == []


async def test_answers_that_nobody_wants_are_counted(autojump_clock: object) -> None:
    """A request whose sender has set no receiver is not lost silently."""
    async with lanes_to(taken) as (lanes, *_):
        lanes.on_answer = None
        lanes.send(order())
        await settle()
        assert lanes.unclaimed == 1


def test_a_request_line_cannot_be_broken() -> None:
    """A path with a blank or a line end in it is refused before anything is sent."""
    made = RequestBytes(Endpoint.parse(f"{URL}/trade-api/v2"), PlainSigner())

    for path in ("/a b", "/a\r\nX: y"):
        with pytest.raises(ValueError, match="cannot stand"):
            made.build(order(path=path), 1)
