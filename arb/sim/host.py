"""The outermost layer of the simulated world: two loopback listeners around a `Simulation`.

Nothing below this file knows of sockets.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial

import attrs
import trio

from arb.sim.credentials import HOST
from arb.sim.simulation import Simulation

HANDSHAKE_S = 10.0

Serve = Callable[[trio.abc.Stream], Awaitable[None]]


class PortTaken(Exception):
    """A port could not be opened; the text says which and why."""


@attrs.frozen
class Addresses:
    """Where the simulated servers listen."""

    rest: str
    ws: str
    odds_rest: str
    odds_ws: str
    opticodds: str
    the_odds_api: str
    unabated_rest: str
    unabated_ws: str


async def host(
    simulation: Simulation,
    *,
    port: int = 0,
    odds_port: int = 0,
    tls: ssl.SSLContext | None = None,
    on_ready: Callable[[Addresses], None],
) -> None:
    """Serve and step a simulation until cancelled; raises `PortTaken` before anything is served.

    ``on_ready`` is called once both listeners accept connections.
    """
    async with AsyncExitStack() as stack:
        exchange = await _listen(port)
        stack.push_async_callback(_close, exchange)
        odds = await _listen(odds_port)
        stack.push_async_callback(_close, odds)
        async with trio.open_nursery() as nursery:
            for listeners, serve in (
                (exchange, simulation.exchange.serve_stream),
                (odds, simulation.odds.serve_stream),
            ):
                nursery.start_soon(
                    trio.serve_listeners, partial(_serve, serve=serve, tls=tls), listeners
                )
            nursery.start_soon(simulation.run)
            on_ready(_addresses(_port(exchange), _port(odds), secure=tls is not None))


async def _listen(port: int) -> list[trio.SocketListener]:
    try:
        return await trio.open_tcp_listeners(port, host=HOST)
    except OSError as error:
        raise PortTaken(f"cannot listen on {HOST}:{port}: {error.strerror or error}") from None


async def _close(listeners: list[trio.SocketListener]) -> None:
    for listener in listeners:
        await trio.aclose_forcefully(listener)


def _port(listeners: list[trio.SocketListener]) -> int:
    port: int = listeners[0].socket.getsockname()[1]
    return port


def _addresses(port: int, odds_port: int, *, secure: bool) -> Addresses:
    letter = "s" if secure else ""
    return Addresses(
        rest=f"http{letter}://{HOST}:{port}/trade-api/v2",
        ws=f"ws{letter}://{HOST}:{port}/trade-api/ws/v2",
        odds_rest=f"http{letter}://{HOST}:{odds_port}/v3",
        odds_ws=f"ws{letter}://{HOST}:{odds_port}/v3/ws",
        opticodds=f"http{letter}://{HOST}:{odds_port}/api/v3",
        the_odds_api=f"http{letter}://{HOST}:{odds_port}/v4",
        unabated_rest=f"http{letter}://{HOST}:{odds_port}",
        unabated_ws=f"ws{letter}://{HOST}:{odds_port}/graphql/realtime",
    )


async def _serve(stream: trio.SocketStream, *, serve: Serve, tls: ssl.SSLContext | None) -> None:
    if tls is None:
        await serve(stream)
        return
    secure = trio.SSLStream(stream, tls, server_side=True, https_compatible=True)
    try:
        with trio.fail_after(HANDSHAKE_S):
            await secure.do_handshake()
    except (trio.BrokenResourceError, trio.TooSlowError):
        await trio.aclose_forcefully(secure)
        return
    await serve(secure)
