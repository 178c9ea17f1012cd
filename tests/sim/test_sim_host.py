"""The outermost layer: real sockets, keys on disk, certificates."""

from __future__ import annotations

import socket
import ssl
import stat
from pathlib import Path

import attrs
import pytest
import trio
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from arb.io.clock import SystemClock
from arb.sim.credentials import make_member_key, make_server_context
from arb.sim.host import Addresses, PortTaken, host
from arb.sim.simulation import Simulation, SimulationSettings
from arb.sim.timing import utc
from tests.sim.sim_client import KEY, HttpConnection, open_socket, signed

BALANCE = "/trade-api/v2/portfolio/balance"
SOCKET = "/trade-api/ws/v2"


def port_of(address: str) -> int:
    return int(address.split(":")[2].split("/", maxsplit=1)[0])


class Running:
    """A hosted simulation and how to reach it."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.simulation = Simulation(SimulationSettings(games=2, speed=20.0), SystemClock())
        self.simulation.admit(KEY.public_key())
        self.tls = tls
        self.ready = trio.Event()
        self.addresses = Addresses(*("" for _ in attrs.fields(Addresses)))

    async def run(self) -> None:
        def announce(addresses: Addresses) -> None:
            self.addresses = addresses
            self.ready.set()

        await host(self.simulation, tls=self.tls, on_ready=announce)

    def headers(self, path: str) -> list[tuple[str, str]]:
        wall_ms = self.simulation.clock.wall_ms()
        return signed("GET", path, self.simulation.key_id, wall_ms)


async def test_everything_is_served_on_real_sockets(nursery: trio.Nursery) -> None:
    """REST and WebSocket share a port, the odds server has its own, and the world moves."""
    running = Running()
    nursery.start_soon(running.run)
    await running.ready.wait()
    port, odds_port = port_of(running.addresses.rest), port_of(running.addresses.odds_rest)
    assert port == port_of(running.addresses.ws)
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        answer = await HttpConnection(stream).send("GET", BALANCE, running.headers(BALANCE))
    assert answer is not None
    assert answer.json["balance"] == 1_000_000
    tickers = list(running.simulation.venue.markets)
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    async with stream, open_socket(stream, SOCKET, running.headers(SOCKET)) as client:
        await client.command(1, "subscribe", channels=["orderbook_delta"], market_tickers=tickers)
        assert (await client.until("orderbook_delta"))["seq"] == len(tickers) + 1
    stream = await trio.open_tcp_stream("127.0.0.1", odds_port)
    key = running.simulation.odds_key
    async with stream, open_socket(stream, f"/v3/ws?apiKey={key}&markets=ML", []) as client:
        assert (await client.frame())["type"] == "welcome"
        assert "bookie" in await client.text()
    nursery.cancel_scope.cancel()


async def test_tls_is_served_behind_an_own_certificate(
    nursery: trio.Nursery, tmp_path: Path
) -> None:
    """Whoever trusts the authority in ca_path gets through, a plain client does not."""
    context, ca_path = make_server_context(tmp_path, utc(SystemClock().wall_ms()))
    running = Running(context)
    nursery.start_soon(running.run)
    await running.ready.wait()
    assert running.addresses.rest.startswith("https://")
    assert running.addresses.odds_ws.startswith("wss://")
    port = port_of(running.addresses.rest)
    async with await trio.open_tcp_stream("127.0.0.1", port) as plain:
        await plain.send_all(b"GET / HTTP/1.1\r\n\r\n")
        assert b"200" not in await plain.receive_some(1_000)
    trusting = ssl.create_default_context(cafile=str(ca_path))
    secure = trio.SSLStream(
        await trio.open_tcp_stream("127.0.0.1", port),
        trusting,
        server_hostname="127.0.0.1",
        https_compatible=True,
    )
    async with secure:
        answer = await HttpConnection(secure).send("GET", BALANCE, running.headers(BALANCE))
    assert answer is not None
    assert answer.status == 200
    nursery.cancel_scope.cancel()


async def test_a_taken_port_is_said_in_one_line() -> None:
    """Which port and why, for either of the two, before anything is served."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        simulation = Simulation(SimulationSettings(games=1), SystemClock())
        for ports in ({"port": port}, {"odds_port": port}):
            with pytest.raises(PortTaken, match=f"127.0.0.1:{port}: Address already in use"):
                await host(simulation, on_ready=lambda _: None, **ports)


def test_the_private_key_is_its_owners_alone(tmp_path: Path) -> None:
    """Written with mode 0600 from the first byte, and again over an older one."""
    for _ in range(2):
        made = make_member_key(tmp_path)
        assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
        key = load_pem_private_key(made.path.read_bytes(), None)
        assert key.public_key() == made.public
