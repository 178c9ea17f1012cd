"""HTTP over any stream, as the simulated servers speak it."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from trio.testing import memory_stream_pair

from arb.sim.serving.connection import IDLE_S, Prefixed, serve_connection
from arb.sim.serving.http import Request, Response, Route, Router, json_response, make_request
from arb.sim.serving.live import LiveConnections
from arb.sim.serving.socket import Outbox
from tests.sim.sim_client import Bench, HttpConnection, Member, connect


def echo(request: Request) -> Response:
    """Answer with what was asked."""
    return json_response(
        200,
        {"method": request.method, "path": request.path, "size": len(request.body)},
        X_Seen="yes",
    )


async def no_socket(stream: trio.abc.Stream) -> None:
    await trio.aclose_forcefully(stream)
    raise AssertionError("nobody asked for an upgrade")


async def serve_echo(stream: trio.abc.Stream) -> None:
    await serve_connection(stream, echo, no_socket)


async def exchange(nursery: trio.Nursery, request: bytes) -> bytes:
    """Send raw bytes and return everything that comes back until the end."""
    stream = connect(nursery, serve_echo)
    await stream.send_all(request)
    received = b""
    while data := await stream.receive_some(65_536):
        received += bytes(data)
    return received


async def test_a_connection_serves_many_requests(nursery: trio.Nursery) -> None:
    """Kept alive, with bodies and without, custom headers included."""
    http = HttpConnection(connect(nursery, serve_echo))
    for size in (0, 10, 100_000):
        answer = await http.send("POST", "/a%20b?c=d", [], b"x" * size)
        assert answer is not None
        assert answer.json == {"method": "POST", "path": "/a b", "size": size}
        assert answer.headers["x-seen"] == "yes"


async def test_a_client_that_wants_to_close_is_closed(nursery: trio.Nursery) -> None:
    """Connection: close ends it after the answer."""
    raw = await exchange(nursery, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert raw.startswith(b"HTTP/1.1 200")


async def test_a_head_request_gets_no_body(nursery: trio.Nursery) -> None:
    """The headers are those of the answer, the body stays away."""
    raw = await exchange(nursery, b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert raw.endswith(b"\r\n\r\n")


async def test_a_client_may_ask_before_it_sends_its_body(nursery: trio.Nursery) -> None:
    """Expect: 100-continue is answered before the body."""
    stream = connect(nursery, serve_echo)
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    await stream.send_all(head)
    assert (await stream.receive_some(1_000)).startswith(b"HTTP/1.1 100")
    await stream.send_all(b"{}")
    assert (await stream.receive_some(1_000)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"x" * 70_000,
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 5_000_000,
    ],
)
async def test_nonsense_only_ends_its_own_connection(
    nursery: trio.Nursery, request_bytes: bytes
) -> None:
    """No HTTP, an endless head and a body too large are hung up on."""
    assert await exchange(nursery, request_bytes) == b""


async def test_a_peer_that_leaves_is_let_go(nursery: trio.Nursery) -> None:
    """Before its request, in the middle of it, and between two."""
    for part in (b"", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx"):
        stream = connect(nursery, serve_echo)
        await stream.send_all(part)
        await stream.aclose()
    http = HttpConnection(connect(nursery, serve_echo))
    await http.send("GET", "/", [])
    await http.stream.aclose()
    await trio.testing.wait_all_tasks_blocked()
    assert not nursery.child_tasks


@pytest.mark.parametrize("part", [b"", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"])
async def test_an_idle_peer_is_hung_up_on(
    nursery: trio.Nursery, autojump_clock: object, part: bytes
) -> None:
    """A connection on which nothing comes for long enough is closed."""
    stream = connect(nursery, serve_echo)
    if part:
        await stream.send_all(part)
    assert await stream.receive_some(1_000) == b""
    assert trio.current_time() == pytest.approx(IDLE_S)


async def test_bytes_read_ahead_are_given_back() -> None:
    """A prefixed stream returns its head in pieces, then the stream's own bytes."""
    ours, theirs = memory_stream_pair()
    prefixed = Prefixed(b"head", theirs)
    await ours.send_all(b"tail")
    assert [await prefixed.receive_some(3) for _ in range(3)] == [b"hea", b"d", b"tai"]
    await prefixed.wait_send_all_might_not_block()
    await prefixed.send_all(b"back")
    assert await ours.receive_some(10) == b"back"
    assert "0 bytes" in repr(prefixed)


def test_a_router_tells_paths_apart() -> None:
    """By method, by length and by fixed words before captured ones."""
    router = Router([Route("GET", "/a/b", 1), Route("GET", "/a/{name}", 2)])
    assert router.find("GET", "/a/b") == (Route("GET", "/a/b", 1), {})
    assert router.find("GET", "/a/c") == (Route("GET", "/a/{name}", 2), {"name": "c"})
    assert router.find("POST", "/a/b") is None
    assert router.find("GET", "/a") is None
    assert repr(router) == "Router(2 routes)"


def test_query_parameters_repeat_or_hold_commas() -> None:
    """Both spellings of a list read the same."""
    request = make_request("GET", "/x?a=1,2&a=3&b=", {}, b"")
    assert request.texts("a") == ["1", "2", "3"]
    assert (request.text("b", "none"), request.text("c", "none")) == ("", "none")


async def test_an_outbox_waits_and_closes() -> None:
    """What is in it is delivered before the end is."""
    outbox = Outbox(2)
    async with trio.open_nursery() as nursery:
        taken: list[str | None] = []

        async def take() -> None:
            while (frame := await outbox.take()) is not None:
                taken.append(frame)

        nursery.start_soon(take)
        await trio.testing.wait_all_tasks_blocked()
        outbox.put("a")
        outbox.put("b")
        assert (outbox.full, repr(outbox)) == (True, "Outbox(2/2)")
        outbox.close(1000)
    assert taken == ["a", "b"]
    assert len(outbox) == 0


async def test_live_connections_are_counted_and_cut(autojump_clock: object) -> None:
    """Cutting ends them all, and none is counted any more."""
    live = LiveConnections()

    async def hold() -> None:
        with live.one():
            await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hold)
        nursery.start_soon(hold)
        await trio.testing.wait_all_tasks_blocked()
        assert repr(live) == "LiveConnections(2)"
        live.cut()
    assert len(live) == 0


async def test_rest_can_be_down_or_busy(member: Member, bench: Bench) -> None:
    """An html page of a proxy, or 429 with its odd body and no helpful header."""
    bench.venue.conditions.rest_status = 502
    answer = await member.call("GET", "/exchange/status")
    assert (answer.status, answer.headers["content-type"]) == (502, "text/html")
    bench.venue.conditions.rest_status = None
    bench.venue.conditions.answer_429 = True
    answer = await member.call("GET", "/exchange/status")
    assert (answer.status, answer.json) == (429, {"error": "too many requests"})
    assert "retry-after" not in answer.headers


async def test_the_prefix_is_part_of_every_path(member: Member) -> None:
    """Without /trade-api/v2 there is nothing."""
    answer = await member.http.send("GET", "/exchange/status", [])
    assert answer is not None
    assert answer.status == 404
