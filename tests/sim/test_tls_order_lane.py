"""`arb sim --tls` as it is started, and the order lane's real way through it, end to end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import trio

from actors.testing import wait_until
from arb.core.commands import TimeInForce
from arb.core.events import Side
from arb.core.money import CountE2, PriceE4
from arb.io.clock import SystemClock
from arb.io.http import Http
from arb.io.net import SocketNetwork
from arb.io.tls import client_context
from arb.io.websocket import open_socket
from arb.kalshi.answers import Accepted, Canceled, Operation, sort
from arb.kalshi.lane import Answer, OrderLanes, Request
from arb.kalshi.rest import Rest
from arb.kalshi.sign import load_signer
from arb.kalshi.wire import CREATE_PATH, Subscribed, cancel_path, order_body, parse_frame
from arb.kalshi.wire import subscribe_command as subscribe
from tests.conftest import ROOT
from tests.sim.sim_client import SOCKET_PATH, Json

LANES = 2


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Json]:
    """Start the command with a certificate of its own; yields what it printed."""
    command = [sys.executable, "-m", "arb", "sim", "--json", "--tls", "--games", "2"]
    command += ["--state-dir", str(tmp_path / "state")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield orjson.loads(process.stdout.readline())
        process.terminate()


@pytest.mark.slow
async def test_an_order_goes_through_a_lane_over_tls(served: Json) -> None:
    """Placed and cancelled by a lane, read over REST, and the book heard, all of it encrypted."""
    assert served["rest"].startswith("https://")
    network, clock = SocketNetwork(client_context(served["ca_path"])), SystemClock()
    signer = load_signer(served["key_id"], Path(served["private_key_path"]))
    send, answers = trio.open_memory_channel[Answer](10)
    lanes = OrderLanes(
        network, served["rest"], signer, clock, lanes=LANES, on_answer=send.send_nowait
    )
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery, Http(network) as http:
            nursery.start_soon(lanes.run)
            rest = Rest(http, signer, clock, served["rest"])
            ticker = (await rest.events("KXNFLGAME"))[0].markets[0].ticker
            # No event tells that a lane is up: the engine looks at the moment it needs one.
            await wait_until(lambda: lanes.connected == LANES)

            body = order_body(
                ticker=ticker,
                client_order_id="over-tls",
                side=Side.BID,
                count_e2=CountE2(100),
                price_e4=PriceE4(100),
                time_in_force=TimeInForce.GOOD_TILL_CANCELED,
            )
            lanes.send(Request(1, "POST", CREATE_PATH, body))
            placed = await answers.receive()
            accepted = sort(placed.status, placed.body)
            assert isinstance(accepted, Accepted)
            lanes.send(Request(2, "DELETE", cancel_path(accepted.order_id, ticker)))
            gone = await answers.receive()
            assert isinstance(sort(gone.status, gone.body, Operation.CANCEL), Canceled)

            headers = signer.headers("GET", SOCKET_PATH, clock.wall_ms())
            async with open_socket(network, served["ws"], headers=headers) as socket:
                await socket.send(subscribe(1, ["orderbook_delta"], [ticker]))
                assert isinstance(parse_frame(await socket.receive()), Subscribed)
            nursery.cancel_scope.cancel()


@pytest.mark.slow
async def test_a_lane_trusts_nobody_else(served: Json) -> None:
    """Without the authority of this very exchange no lane comes up and nothing is sent."""
    network = SocketNetwork(client_context())
    port = int(served["rest"].split(":")[2].partition("/")[0])
    with pytest.raises(OSError, match="certificate"):
        await network.connect("127.0.0.1", port, tls=True)
