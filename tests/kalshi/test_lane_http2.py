"""Order lanes over HTTP/2, against the simulated exchange's server, which another library runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from arb.core.parameters import LANE_HTTP2
from arb.io.clock import VirtualClock
from arb.io.connection import Connection
from arb.io.memory import MemoryNetwork
from arb.io.net import SocketNetwork
from arb.io.tls import client_context
from arb.io.url import Endpoint
from arb.kalshi import lane_http2_frames as http2
from arb.kalshi.lane import Answer, Limits, NoLane, OrderLanes, Request
from arb.kalshi.lane_http2_frames import BadFrame, Frame, FrameReader, RequestFrames, on_stream
from arb.sim.serving.connection import serve_connection
from arb.sim.serving.http import Request as Asked
from arb.sim.serving.http import Response
from tests.io.http_server import URL
from tests.kalshi.keys import PlainSigner
from tests.kalshi.lane_bench import CREATE, EPOCH_MS, order, settle

Answering = Callable[[Asked], Response]


def taken(asked: Asked) -> Response:
    """Answer orders with 201 and everything else with 200."""
    return Response(201 if asked.method == "POST" else 200, b'{"order_id":"o"}')


@asynccontextmanager
async def http2_lanes(
    answer: Answering | None = None,
    *,
    serve: Callable[[Connection], Any] | None = None,
    count: int = 1,
    **options: Any,
) -> AsyncIterator[tuple[OrderLanes, list[Answer], list[Asked], MemoryNetwork]]:
    """Run lanes to a server, all of them up."""
    answers: list[Answer] = []
    asked: list[Asked] = []

    def app(request: Asked) -> Response:
        asked.append(request)
        return (answer or taken)(request)

    async def real(connection: Connection) -> None:
        await serve_connection(connection, app, trio.aclose_forcefully)

    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(nursery)
        network.listen("sim", 80, serve or real)
        lanes = OrderLanes(
            network,
            URL,
            PlainSigner(),
            VirtualClock(EPOCH_MS),
            lanes=count,
            protocol=LANE_HTTP2,
            on_answer=answers.append,
            **options,
        )
        nursery.start_soon(lanes.run)
        await settle()
        yield lanes, answers, asked, network
        nursery.cancel_scope.cancel()


async def test_a_request_leaves_in_the_turn_that_sends_it(autojump_clock: object) -> None:
    """The bytes are on the connection before anything else runs, and the server reads them."""
    async with http2_lanes() as (lanes, answers, asked, network):
        (connection,) = network.connections
        before = bytes(connection._outgoing.data)
        lanes.send(order())
        after = bytes(connection._outgoing.data)
        await settle()

    assert before == b""
    assert b'{"ticker":"T"}' in after
    assert answers == [Answer(1, 201, b'{"order_id":"o"}', 0, 0)]
    request = asked[-1]
    assert (request.method, request.path, request.body) == ("POST", CREATE, b'{"ticker":"T"}')
    assert request.headers["kalshi-access-signature"] == f"{EPOCH_MS}|POST|{CREATE}"
    assert request.headers["content-length"] == "14"


async def test_one_connection_has_many_requests_in_flight(autojump_clock: object) -> None:
    """A slow answer holds up nobody, and each finds its own request."""

    def slow_first(asked: Asked) -> Response:
        delay_s = 1.0 if asked.body == b"slow" else 0.0
        return Response(201, asked.body, delay_s=delay_s)

    async with http2_lanes(slow_first) as (lanes, answers, _, network):
        for tag in range(10):
            lanes.send(Request(tag, "POST", "/x", b"slow" if tag % 2 else b"quick"))
        await trio.sleep(0.1)
        assert sorted(str(answer.tag) for answer in answers) == ["0", "2", "4", "6", "8"]
        assert lanes.free == 1
        await trio.sleep(1)
        assert len(network.connections) == 1

    assert len(answers) == 10
    assert all(a.body == (b"slow" if int(str(a.tag)) % 2 else b"quick") for a in answers)


async def test_a_lane_is_full_at_its_limit(autojump_clock: object) -> None:
    """What is beyond it is not sent, and that is certain."""
    async with http2_lanes(lambda _: Response(200, delay_s=1)) as (lanes, answers, asked, _):
        assert lanes.connected == 0
        await trio.sleep(1.1)
        for tag in range(16):
            lanes.send(order(tag))
        with pytest.raises(NoLane, match="busy"):
            lanes.send(order("more"))
        await trio.sleep(1.1)
        assert len(answers) == 16
        assert sum(one.method == "POST" for one in asked) == 16


async def test_a_broken_connection_leaves_all_its_requests_unknown(autojump_clock: object) -> None:
    """Each is answered once, without a status, and the lane comes back."""
    async with http2_lanes(lambda a: Response(200, delay_s=0 if a.method == "GET" else 1)) as (
        lanes,
        answers,
        _,
        network,
    ):
        lanes.send(order("a"))
        lanes.send(order("b"))
        await trio.sleep(0.1)
        network.cut()
        await trio.sleep(1)
        assert [(a.tag, a.status, bool(a.failure)) for a in answers] == [
            ("a", None, True),
            ("b", None, True),
        ]
        assert lanes.connected == 1


async def test_a_lane_that_is_given_up_leaves_all_its_requests_unknown(
    autojump_clock: object,
) -> None:
    """In this moment, however well the connection seems to stand."""
    async with http2_lanes(lambda a: Response(200, delay_s=0 if a.method == "GET" else 9)) as (
        lanes,
        answers,
        *_,
    ):
        lanes.send(order("a"))
        lanes.send(order("b"))
        await trio.sleep(0.1)
        lanes.give_up("asleep")
        assert lanes.free == 0
        await settle()
        assert [(a.tag, a.status, a.failure) for a in answers] == [
            ("a", None, "asleep"),
            ("b", None, "asleep"),
        ]
        await trio.sleep(0.2)
        assert lanes.free == 1


async def test_an_answer_that_never_comes_ends_its_own_request_alone(
    autojump_clock: object,
) -> None:
    """While others are answered the connection lives; with nobody answered it ends."""

    def never_x(asked: Asked) -> Response:
        return Response(200, b"{}", delay_s=1_000 if asked.body == b"never" else 0)

    limits = Limits(answer_s=2.0)
    async with http2_lanes(never_x, limits=limits) as (lanes, answers, _, network):
        lanes.send(Request("never", "POST", "/x", b"never"))
        await trio.sleep(1)
        lanes.send(Request("quick", "POST", "/x", b"quick"))
        await trio.sleep(1.5)
        assert [(a.tag, a.status) for a in answers] == [("quick", 200), ("never", None)]
        assert "no answer within 2 s" in str(answers[1].failure)
        assert len(network.connections) == 1
        lanes.send(Request("never", "POST", "/x", b"never"))
        first = network.connections[0]
        await trio.sleep(3)
        assert answers[-1].failure is not None
        assert first.closed
        assert lanes.connected == 1


async def test_idle_lanes_are_kept_warm(autojump_clock: object) -> None:
    """Each asks for the exchange's status every few seconds."""
    async with http2_lanes(count=2) as (lanes, answers, asked, _):
        await trio.sleep(100)
        assert lanes.free == 2
        assert len(asked) == pytest.approx(2 * 100 / 5, abs=4)
        assert {one.path for one in asked} == {"/trade-api/v2/exchange/status"}
        assert answers == []


async def test_what_the_kernel_does_not_take_follows_in_order(autojump_clock: object) -> None:
    """Requests larger than a full pipe arrive whole, one after the other."""
    async with http2_lanes(lambda a: Response(200, b"%d" % len(a.body))) as (
        lanes,
        answers,
        _,
        network,
    ):
        network.connections[0]._outgoing.capacity_bytes = 1_000
        for tag in range(3):
            lanes.send(Request(tag, "POST", "/x", b"x" * 3_000))
        await trio.sleep(1)

    assert [(a.tag, a.status, a.body) for a in answers] == [(n, 200, b"3000") for n in range(3)]


async def test_a_long_answer_comes_whole(autojump_clock: object) -> None:
    """It needs no window of ours to be widened on the way."""
    body = b"y" * 300_000
    async with http2_lanes(lambda _: Response(200, body)) as (lanes, answers, *_):
        lanes.send(order())
        await trio.sleep(1)

    assert answers[0].body == body


SETTINGS = http2.frame(http2.SETTINGS, 0, 0)
# 8: a status of 200 from the static table.
OK = http2.frame(http2.HEADERS, http2.END_HEADERS | http2.END_STREAM, 1, b"\x88")


@pytest.mark.parametrize(
    "said, words",
    [
        (http2.frame(http2.GOAWAY, 0, 0, bytes(8)), "closed by the exchange"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "a frame of"),
        (http2.frame(http2.SETTINGS, 0, 0, b"123"), "settings of an odd length"),
        (http2.frame(http2.WINDOW_UPDATE, 0, 0, b"1"), "window update of an odd length"),
        (http2.frame(http2.HEADERS, http2.END_HEADERS, 1, b"\xff\xff\xff\xff\xff\xff"), "broke"),
        (http2.frame(http2.HEADERS, http2.PADDED, 1, b"\x09x"), "more padding than frame"),
        (http2.frame(http2.HEADERS, 0, 1, b"\x88") + SETTINGS, "headers were cut into"),
        (b"", "closed by the exchange"),
    ],
)
async def test_what_is_no_http2_ends_the_connection(
    said: bytes, words: str, autojump_clock: object
) -> None:
    """One line says what it was, and nothing counts as up."""

    async def serve(connection: Connection) -> None:
        await connection.receive_some()
        if said:
            await connection.send_all(said)
            await trio.sleep_forever()

    async with http2_lanes(serve=serve) as (lanes, answers, *_):
        await trio.sleep(1)
        assert lanes.connected == 0
        assert words in str(lanes._lanes[0].last_error)
        assert answers == []


async def test_the_small_frames_are_obeyed(autojump_clock: object) -> None:
    """Settings and pings are acknowledged, padding is cut, headers in pieces are put together."""
    heard = bytearray()

    async def serve(connection: Connection) -> None:
        heard.extend(await connection.receive_some())
        limit = http2._SETTING.pack(http2.MAX_CONCURRENT_STREAMS, 1)
        await connection.send_all(
            http2.frame(http2.SETTINGS, 0, 0, limit)
            + http2.frame(http2.PING, 0, 0, b"12345678")
            + http2.frame(http2.WINDOW_UPDATE, 0, 0, (5).to_bytes(4, "big"))
            + http2.frame(http2.HEADERS, http2.END_STREAM, 1, b"")
            + http2.frame(http2.CONTINUATION, http2.END_HEADERS, 1, b"\x88")
        )
        while heard.count(b"ticker") < 1:
            heard.extend(await connection.receive_some())
        flags = http2.END_HEADERS | http2.PADDED | http2.PRIORITY
        await connection.send_all(
            http2.frame(http2.HEADERS, flags, 3, b"\x02" + bytes(5) + b"\x88" + bytes(2))
            + http2.frame(http2.DATA, http2.PADDED | http2.END_STREAM, 3, b"\x01{}\x00")
            + http2.frame(http2.HEADERS, http2.END_HEADERS, 99, b"\x88")
            + http2.frame(http2.DATA, 0, 99, b"for nobody")
        )
        while heard.count(b"ticker") < 2:
            heard.extend(await connection.receive_some())
        await connection.send_all(http2.frame(http2.RST_STREAM, 0, 5, bytes(4)))
        await trio.sleep_forever()

    async with http2_lanes(serve=serve) as (lanes, answers, *_):
        lanes.send(order("a"))
        assert lanes.free == 0
        await settle()
        lanes.send(order("b"))
        await settle()

    assert [(a.tag, a.status, a.body) for a in answers] == [("a", 200, b"{}"), ("b", None, b"")]
    assert answers[1].failure == "the exchange gave the request up"
    assert http2.frame(http2.SETTINGS, http2.ACK, 0) in heard
    assert http2.frame(http2.PING, http2.ACK, 0, b"12345678") in heard
    assert heard.startswith(http2.PREFACE)


def test_request_frames_are_what_another_library_reads() -> None:
    """Every header comes out as it went in, whatever its length."""
    import hpack  # noqa: PLC0415 - only here

    made = RequestFrames(Endpoint.parse("https://host/trade-api/v2"), PlainSigner())
    path = "/portfolio/events/orders/" + "x" * 200
    data, body_bytes = on_stream(made.build(Request(1, "DELETE", path), EPOCH_MS), 7)
    (frame,) = FrameReader().take(data)
    fields = {str(k): str(v) for k, v in hpack.Decoder().decode(frame.payload)}

    assert body_bytes == 0
    assert (frame.stream, frame.flags) == (7, http2.END_HEADERS | http2.END_STREAM)
    assert fields[":method"] == "DELETE"
    assert fields[":path"] == "/trade-api/v2" + path
    assert (fields[":scheme"], fields[":authority"]) == ("https", "host")
    assert fields["content-type"] == fields["accept"] == "application/json"
    assert "RequestFrames" in repr(made)


@pytest.mark.parametrize("path, body", [("/a b", b""), ("/x", b"x" * 20_000)])
def test_what_cannot_be_sent_is_refused(path: str, body: bytes) -> None:
    """Before anything has left."""
    made = RequestFrames(Endpoint.parse(URL), PlainSigner())
    with pytest.raises(ValueError, match=r"cannot stand|more than"):
        made.build(Request(1, "POST", path, body), EPOCH_MS)


def test_frames_come_in_any_pieces() -> None:
    """A frame is whole when its last byte is there."""
    data = SETTINGS + OK
    reader = FrameReader()
    frames = [frame for byte in data for frame in reader.take(bytes((byte,)))]

    assert [frame.kind for frame in frames] == [http2.SETTINGS, http2.HEADERS]
    assert "0 bytes" in repr(reader)
    with pytest.raises(BadFrame, match="a frame of"):
        list(reader.take(b"\xff\xff\xff" + bytes(6)))
    with pytest.raises(BadFrame):
        Frame(http2.DATA, http2.PADDED, 1, b"\x05a").content()


@pytest.mark.slow
async def test_over_real_tls_the_server_must_choose_it(tmp_path: Any) -> None:
    """A server with HTTP/2 takes the order; one without is refused with one line."""
    import datetime as dt  # noqa: PLC0415 - only here

    from arb.sim.credentials import make_server_context  # noqa: PLC0415 - only here

    context, ca_path = make_server_context(tmp_path, dt.datetime.now(dt.UTC))
    answers: list[Answer] = []

    async def serve(stream: trio.SocketStream) -> None:
        secure = trio.SSLStream(stream, context, server_side=True, https_compatible=True)
        await serve_connection(secure, taken, trio.aclose_forcefully)

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, serve, 0)
        port = listeners[0].socket.getsockname()[1]
        network = SocketNetwork(client_context(str(ca_path)))
        lanes = OrderLanes(
            network,
            f"https://127.0.0.1:{port}",
            PlainSigner(),
            VirtualClock(EPOCH_MS),
            protocol=LANE_HTTP2,
            on_answer=answers.append,
        )
        nursery.start_soon(lanes.run)
        with trio.fail_after(10):
            while not lanes.connected:  # noqa: ASYNC110
                await trio.sleep(0.01)
            lanes.send(order())
            while not answers:  # noqa: ASYNC110
                await trio.sleep(0.01)
            assert answers[0].status == 201
            context.set_alpn_protocols(["http/1.1"])
            with pytest.raises(OSError, match=r"does not speak h2|alert"):
                await network.connect("127.0.0.1", port, tls=True, alpn=("h2",))
            # The next connection for another purpose offers nothing.
            plain: Any = await network.connect("127.0.0.1", port, tls=True)
            assert plain.protocol is None
            await trio.aclose_forcefully(plain)
        nursery.cancel_scope.cancel()
