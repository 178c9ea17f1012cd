"""Order lanes when connections break, peers misbehave and answers do not come."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
import trio

from arb.io.clock import VirtualClock
from arb.io.connection import Connection
from arb.io.memory import MemoryNetwork
from arb.kalshi import lane_connection
from arb.kalshi.lane import Answer, Limits, NoLane, OrderLanes, Request
from tests.io.http_server import URL, Asked, HttpServer, Reply
from tests.kalshi.keys import PlainSigner
from tests.kalshi.lane_bench import EPOCH_MS, lanes_to, order, settle, taken


async def test_a_connection_that_breaks_leaves_its_request_unknown(autojump_clock: object) -> None:
    """A reset while the answer is awaited is told without a status, and never sent again."""
    async with lanes_to(lambda asked: Reply(delay_s=1)) as (lanes, answers, server, network):
        await trio.sleep(1.1)
        lanes.send(order("mine"))
        await settle()
        network.cut()
        await settle()
        assert [(answer.tag, answer.status) for answer in answers] == [("mine", None)]
        assert "broke" in (answers[0].failure or "")
        await trio.sleep(2)
        assert lanes.connected == 3
        assert len(answers) == 1

    assert sum(asked.method == "POST" for asked in server.asked) == 1


async def test_lanes_that_are_given_up_answer_at_once_and_come_back(autojump_clock: object) -> None:
    """What is out is unknown in this moment, nothing takes an old lane, and fresh ones follow."""

    def silent(asked: Asked) -> Reply:
        return Reply(201, b"late", delay_s=60) if asked.method == "POST" else Reply()

    async with lanes_to(silent) as (lanes, answers, server, _):
        lanes.send(order("mine"))
        await trio.sleep(1)
        lanes.give_up("this machine stood still for 12.0 s")
        assert (lanes.connected, lanes.free) == (0, 0)
        with pytest.raises(NoLane, match="no order lane is connected"):
            lanes.send(order("later"))
        await settle()
        assert [(answer.tag, answer.status, answer.failure) for answer in answers] == [
            ("mine", None, "this machine stood still for 12.0 s")
        ]
        assert "stood still" in repr(lanes)
        await trio.sleep(0.2)
        assert (lanes.connected, lanes.free, server.connections) == (3, 3, 6)


async def test_an_answer_in_the_moment_of_giving_up_counts(autojump_clock: object) -> None:
    """It was read: only the lane that brought it is no longer used."""

    def silent(asked: Asked) -> Reply:
        return Reply(delay_s=60) if asked.method == "POST" else Reply()

    async with lanes_to(silent, count=1) as (lanes, answers, server, network):
        lanes.send(order("mine"))
        await settle()
        network.connections[0]._incoming.put(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        lanes.give_up("asleep")
        await settle()
        assert [(answer.tag, answer.status) for answer in answers] == [("mine", 201)]
        assert lanes.connected == 0
        await trio.sleep(0.2)
        assert (lanes.connected, server.connections) == (1, 2)


async def test_a_server_that_hangs_up_leaves_its_request_unknown(autojump_clock: object) -> None:
    """The end of the stream instead of an answer proves nothing."""

    def hang_up(asked: Asked) -> Reply:
        return Reply(0) if asked.method == "POST" else Reply()

    async with lanes_to(hang_up) as (lanes, answers, *_):
        lanes.send(order())
        await settle()
        assert [answer.status for answer in answers] == [None]
        assert answers[0].failure


async def test_an_answer_that_does_not_come_is_unknown_after_its_deadline(
    autojump_clock: object,
) -> None:
    """The lane gives the connection up, so that a late answer cannot be taken for another's."""

    def silent(asked: Asked) -> Reply:
        return Reply(201, b"late", delay_s=60) if asked.method == "POST" else Reply()

    async with lanes_to(silent, limits=Limits(answer_s=2)) as (lanes, answers, server, _):
        lanes.send(order())
        await trio.sleep(1.9)
        assert answers == []
        await trio.sleep(0.2)
        assert [answer.failure for answer in answers] == ["no answer within 2 s"]
        await trio.sleep(100)
        assert len(answers) == 1
        assert lanes.connected == 3
        assert server.connections == 4


async def test_a_server_that_closes_politely_is_called_again(autojump_clock: object) -> None:
    """An answer with Connection: close counts, and the lane comes back."""

    def close(asked: Asked) -> Reply:
        return Reply(201, b"{}", close=asked.method == "POST")

    async with lanes_to(close, count=1) as (lanes, answers, server, _):
        lanes.send(order())
        await settle()
        assert [answer.status for answer in answers] == [201]
        assert lanes.connected == 0
        await trio.sleep(0.2)
        assert lanes.connected == 1
        assert server.connections == 2
        assert "closed by the exchange" in repr(lanes)


async def test_a_server_that_answers_once_and_hangs_up_is_not_called_without_end(
    autojump_clock: object,
) -> None:
    """However good the answers are, there is a pause between connections."""
    async with lanes_to(lambda asked: Reply(close=True), count=1) as (_, _, server, _):
        await trio.sleep(10)

    assert 90 <= server.connections <= 101


async def test_reconnecting_backs_off(autojump_clock: object) -> None:
    """A dead exchange is tried ever more rarely, and found again when it is back."""
    tries: list[float] = []

    class Refusing(MemoryNetwork):
        async def connect(
            self, host: str, port: int, *, tls: bool, alpn: Sequence[str] = ()
        ) -> Connection:
            tries.append(trio.current_time())
            return await super().connect(host, port, tls=tls)

    async with trio.open_nursery() as nursery:
        network = Refusing(nursery)
        lanes = OrderLanes(network, URL, PlainSigner(), VirtualClock(EPOCH_MS), lanes=1)
        nursery.start_soon(lanes.run)
        await trio.sleep(30)
        pauses = [round(after - before, 3) for before, after in pairwise(tries)]
        assert pauses[:6] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2]
        assert set(pauses[6:]) == {5.0}
        with pytest.raises(NoLane, match=r"no order lane is connected: .*nobody listens"):
            lanes.send(order())

        network.listen("sim", 80, HttpServer(taken))
        await trio.sleep(5.1)
        assert lanes.connected == 1
        nursery.cancel_scope.cancel()


async def test_connecting_has_a_deadline(autojump_clock: object) -> None:
    """A network that never answers is told as the reason."""

    class Deaf(MemoryNetwork):
        async def connect(
            self, host: str, port: int, *, tls: bool, alpn: Sequence[str] = ()
        ) -> Connection:
            await trio.sleep_forever()
            raise AssertionError

    async with trio.open_nursery() as nursery:
        lanes = OrderLanes(Deaf(nursery), URL, PlainSigner(), VirtualClock(EPOCH_MS), lanes=1)
        nursery.start_soon(lanes.run)
        await trio.sleep(5.05)
        with pytest.raises(NoLane, match="no connection within 5 s"):
            lanes.send(order())
        nursery.cancel_scope.cancel()


async def test_what_the_kernel_does_not_take_follows(autojump_clock: object) -> None:
    """A request larger than the connection's room arrives whole."""
    answers: list[Answer] = []
    server = HttpServer(taken)
    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(nursery, capacity_bytes=500)
        network.listen("sim", 80, server)
        lanes = OrderLanes(
            network, URL, PlainSigner(), VirtualClock(EPOCH_MS), on_answer=answers.append
        )
        nursery.start_soon(lanes.run)
        await settle()
        lanes.send(Request(1, "POST", "/x", b"y" * 5000))
        await settle()

        assert [answer.status for answer in answers] == [201]
        assert server.asked[-1].body == b"y" * 5000
        nursery.cancel_scope.cancel()


async def test_a_break_while_the_rest_follows_is_unknown(autojump_clock: object) -> None:
    """Half a request may have been enough; nobody knows."""
    answers: list[Answer] = []

    async def deaf_after_one(connection: Connection) -> None:
        server = HttpServer(taken)
        with trio.move_on_after(0.5):
            await server(connection)
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(nursery, capacity_bytes=500)
        network.listen("sim", 80, deaf_after_one)
        lanes = OrderLanes(
            network, URL, PlainSigner(), VirtualClock(EPOCH_MS), lanes=1, on_answer=answers.append
        )
        nursery.start_soon(lanes.run)
        await trio.sleep(0.6)
        lanes.send(Request(1, "POST", "/x", b"y" * 5000))
        await settle()
        network.cut()
        await settle()

        assert [answer.status for answer in answers] == [None]
        nursery.cancel_scope.cancel()


async def speaking(data: bytes) -> tuple[list[Answer], OrderLanes]:
    """Answer an order with raw bytes."""
    answers: list[Answer] = []

    async def handler(connection: Connection) -> None:
        while request := await connection.receive_some():
            ok = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
            await connection.send_all(ok if request.startswith(b"GET") else data)

    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(nursery)
        network.listen("sim", 80, handler)
        lanes = OrderLanes(
            network, URL, PlainSigner(), VirtualClock(EPOCH_MS), lanes=1, on_answer=answers.append
        )
        nursery.start_soon(lanes.run)
        await settle()
        lanes.send(order())
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    return answers, lanes


async def test_an_answer_that_is_no_http_is_unknown(autojump_clock: object) -> None:
    """Nonsense ends the connection, and the request is not known."""
    answers, _ = await speaking(b"nonsense\r\n\r\n")

    assert [answer.status for answer in answers] == [None]
    assert "within an answer" in (answers[0].failure or "")


async def test_an_answer_in_pieces_without_a_length_is_read(autojump_clock: object) -> None:
    """Chunks are put together; an interim answer is passed over."""
    answers, _ = await speaking(
        b"HTTP/1.1 103 Early Hints\r\n\r\n"
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )

    assert [(answer.status, answer.body) for answer in answers] == [(201, b"abcde")]


async def test_an_answer_larger_than_any_is_unknown(
    autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is a limit on what is kept of an answer."""
    monkeypatch.setattr(lane_connection, "BODY_BYTES_MAX", 4)
    answers, _ = await speaking(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde")

    assert [answer.failure for answer in answers] == ["an answer of more than 4 bytes"]


async def test_two_answers_to_one_request_end_the_connection(autojump_clock: object) -> None:
    """The first counts; a lane that speaks out of turn is not trusted with another order."""
    one = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    answers, lanes = await speaking(one + one)

    assert [answer.status for answer in answers] == [200]
    assert "out of turn" in repr(lanes)


async def test_words_out_of_turn_end_the_connection(autojump_clock: object) -> None:
    """Bytes that nobody asked for are not kept for the next order's answer."""

    async def chatty(connection: Connection) -> None:
        await connection.receive_some()
        await connection.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await trio.sleep(1)
        await connection.send_all(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(nursery)
        network.listen("sim", 80, chatty)
        lanes = OrderLanes(network, URL, PlainSigner(), VirtualClock(EPOCH_MS), lanes=1)
        nursery.start_soon(lanes.run)
        await trio.sleep(0.5)
        assert lanes.connected == 1
        await trio.sleep(0.55)
        assert "out of turn" in repr(lanes)
        nursery.cancel_scope.cancel()
