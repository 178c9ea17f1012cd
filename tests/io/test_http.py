"""HTTP over the seam, and the guard over httpcore's pool."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

import httpcore
import httpx
import pytest
import trio

from arb.io import http_transport
from arb.io.http import Http, HttpFailed
from arb.io.http_transport import SeamTransport, _Backend, _exchange
from arb.io.memory import MemoryNetwork
from tests.io.http_server import URL, Asked, Reply, http_served


async def test_a_request_reaches_the_server_and_its_answer_comes_back(
    autojump_clock: object,
) -> None:
    """Method, query, headers and body arrive, status, headers and body return."""
    async with (
        http_served(lambda asked: Reply(201, b'{"a":1}', headers=[("X-Seq", "7")])) as (
            net,
            server,
        ),
        Http(net) as http,
    ):
        answer = await http.request(
            "POST", f"{URL}/v3/x", params=[("q", "a b")], headers=[("KEY", "k")], content=b"body"
        )

    assert (answer.status, answer.body, answer.headers["x-seq"]) == (201, b'{"a":1}', "7")
    asked = server.asked[0]
    assert (asked.method, asked.target, asked.body) == ("POST", "/v3/x?q=a+b", b"body")
    assert asked.headers["key"] == "k"
    assert asked.headers["host"] == "sim"


async def test_connections_are_kept_and_used_again(autojump_clock: object) -> None:
    """Two requests one after the other take one connection, an hour apart or not."""
    async with http_served(lambda asked: Reply()) as (net, server), Http(net) as http:
        await http.request("GET", URL)
        await trio.sleep(3600)
        await http.request("GET", URL)

    assert server.connections == 1


async def test_a_connection_that_the_server_closed_is_not_used_again(
    autojump_clock: object,
) -> None:
    """An idle connection that has ended is found out before a request is lost on it."""
    async with http_served(lambda asked: Reply(close=True)) as (net, server), Http(net) as http:
        await http.request("GET", URL)
        await trio.sleep(1)
        assert (await http.request("GET", URL)).status == 200

    assert server.connections == 2


async def test_a_silent_server_is_given_up_without_showing_the_key(autojump_clock: object) -> None:
    """The deadline ends the request, and the text has no query."""

    async def hang(asked: Asked) -> Reply:
        await trio.sleep_forever()
        return Reply()

    async with http_served(hang) as (net, _), Http(net) as http:
        with pytest.raises(HttpFailed, match="GET http://sim:80/x: no answer within 3 s") as caught:
            await http.request("GET", f"{URL}/x", params=[("apiKey", "hush")], timeout_s=3)
        assert "hush" not in str(caught.value)
        assert trio.current_time() == 3

        with pytest.raises(HttpFailed, match="ReadTimeout"):
            await http.request("GET", f"{URL}/x")


async def test_nobody_listening_is_one_line(autojump_clock: object) -> None:
    """A refused connection is an HttpFailed that names the place."""
    async with trio.open_nursery() as nursery, Http(MemoryNetwork(nursery)) as http:
        with pytest.raises(HttpFailed, match="ConnectError: nobody listens on sim:80"):
            await http.request("GET", URL)


async def test_a_connection_cut_within_an_answer_is_a_failure(autojump_clock: object) -> None:
    """A server that hangs up instead of answering is not mistaken for an empty answer."""
    async with http_served(lambda asked: Reply(0)) as (net, _), Http(net) as http:
        with pytest.raises(HttpFailed, match="RemoteProtocolError"):
            await http.request("GET", URL)


async def test_a_reset_is_a_failure(autojump_clock: object) -> None:
    """A connection reset while an answer is awaited is an HttpFailed."""
    async with (
        http_served(lambda asked: Reply(delay_s=3)) as (net, _),
        Http(net) as http,
        trio.open_nursery() as nursery,
    ):

        async def cut() -> None:
            await trio.sleep(1)
            net.cut()

        nursery.start_soon(cut)
        with pytest.raises(HttpFailed, match="ReadError: the connection was cut"):
            await http.request("GET", URL)


async def test_an_answer_beyond_the_limit_is_refused(
    autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body larger than the limit is not taken into memory."""
    monkeypatch.setattr(http_transport, "ANSWER_BYTES_MAX", 100)
    async with http_served(lambda asked: Reply(body=b"x" * 101)) as (net, _), Http(net) as http:
        with pytest.raises(HttpFailed, match="larger than 100 bytes"):
            await http.request("GET", URL)


Ask = Callable[[], Awaitable[object]]


async def poison(ask: Ask) -> None:
    """Cancel requests that wait for a connection in the very moment that one is given to them."""
    for checkpoints in range(60):
        async with trio.open_nursery() as nursery:
            waiting = trio.CancelScope()

            async def first() -> None:
                with suppress(HttpFailed, httpx.PoolTimeout):
                    await ask()

            async def second(scope: trio.CancelScope) -> None:
                with scope, suppress(HttpFailed, httpx.PoolTimeout):
                    await ask()

            async def cancel(scope: trio.CancelScope, steps: int) -> None:
                await trio.sleep(1)
                for _ in range(steps):
                    await trio.lowlevel.checkpoint()
                scope.cancel()

            nursery.start_soon(first)
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(second, waiting)
            nursery.start_soon(cancel, waiting, checkpoints)


def after_a_second(asked: Asked) -> Reply:
    """Answer in a second, and hang up."""
    return Reply(delay_s=1, close=True)


async def test_httpcores_pool_is_poisoned_by_cancelled_requests(autojump_clock: object) -> None:
    """What the guard is for: after a cancelled wait no request gets a connection, for ever."""
    async with http_served(after_a_second) as (network, _):
        pool = httpcore.AsyncConnectionPool(
            max_connections=1, network_backend=_Backend(network, tls=False)
        )
        request = httpx.Request("GET", URL, extensions={"timeout": {"pool": 5.0}})
        # Which task runs first in a moment is chance, so more than one try may be needed.
        while not any("CONNECTING" in repr(connection) for connection in pool.connections):
            await poison(lambda: _exchange(pool, request))
        await trio.sleep(3600)

        with pytest.raises(httpx.PoolTimeout):
            await _exchange(pool, request)
        await pool.aclose()


async def test_the_guard_rebuilds_a_poisoned_pool(autojump_clock: object) -> None:
    """After two pool timeouts in a row a new pool serves, and it is counted."""
    async with http_served(after_a_second) as (network, _):
        transport = SeamTransport(network, connections_max=1)
        async with Http(network, transport=transport) as http:
            while not http.pools_rebuilt:
                await poison(lambda: http.request("GET", URL))
            outcomes: list[object] = []
            for _ in range(3):
                try:
                    outcomes.append((await http.request("GET", URL)).status)
                except HttpFailed as failed:
                    outcomes.append(str(failed))

            assert outcomes[-1] == 200
            assert "rebuilt=" in repr(http)


async def test_a_slow_request_on_an_old_pool_is_not_torn(autojump_clock: object) -> None:
    """A request that holds the only connection ends well although the pool is replaced."""

    def slow_first(asked: Asked) -> Reply:
        return Reply(body=b"slow", delay_s=30) if asked.target == "/slow" else Reply()

    async with http_served(slow_first) as (net, _):
        transport = SeamTransport(net, connections_max=1)
        async with httpx.AsyncClient(
            transport=transport, timeout=httpx.Timeout(60, pool=1), trust_env=False
        ) as client:
            bodies: list[bytes] = []

            async def slow() -> None:
                bodies.append((await client.get(f"{URL}/slow")).content)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(slow)
                await trio.sleep(1)
                for _ in range(2):
                    with pytest.raises(httpx.PoolTimeout):
                        await client.get(URL)
                assert (await client.get(URL)).status_code == 200
            assert (await client.get(URL)).status_code == 200

    assert bodies == [b"slow"]
    assert transport.rebuilt == 1


async def test_connections_that_are_given_up_are_not_used_again(autojump_clock: object) -> None:
    """What is under way fails at once, what was idle is closed, and the next one is a new one."""

    def slow(asked: Asked) -> Reply:
        return Reply(delay_s=4) if asked.target == "/slow" else Reply()

    async with http_served(slow) as (net, server), Http(net) as http:
        failures: list[str] = []

        async def ask_slowly() -> None:
            with pytest.raises(HttpFailed) as failed:
                await http.request("GET", f"{URL}/slow")
            failures.append(f"{trio.current_time() - began_s:g} {failed.value}")

        began_s = trio.current_time()
        await http.request("GET", URL)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask_slowly)
            await trio.sleep(1)
            # A second connection, which is idle then.
            await http.request("GET", URL)
            http.give_up()
        assert failures == [f"1 GET {URL}/slow: ReadError: its connection was given up"]
        assert server.connections == 2
        # Two at once: both find the pools of before, which are closed.
        async with trio.open_nursery() as nursery:
            nursery.start_soon(http.request, "GET", URL)
            nursery.start_soon(http.request, "GET", URL)

    assert server.connections == 4
    assert http.pools_rebuilt == 0
    assert all(connection.closed for connection in net.connections)
