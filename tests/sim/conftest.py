"""Small worlds for the tests of the simulated exchange."""

from __future__ import annotations

import pytest
import trio

from arb.sim.signatures import KeyRing
from arb.sim.websocket.server import ExchangeServer
from tests.sim.sim_client import Bench, Member, make_bench


@pytest.fixture
def bench() -> Bench:
    """Return an exchange with one baseball game and two members."""
    return make_bench()


@pytest.fixture
def server(bench: Bench) -> ExchangeServer:
    """Return the bench's exchange behind its interfaces."""
    return ExchangeServer(bench.venue, KeyRing())


@pytest.fixture
def member(server: ExchangeServer, nursery: trio.Nursery) -> Member:
    """Return a signed client of the bench's exchange; who waits asks for `autojump_clock` too."""
    return Member(server, nursery)
