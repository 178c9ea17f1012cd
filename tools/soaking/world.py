"""The exchange of a soak, as a process of its own that does what it is told, one line at a time.

It serves a simulated world on loopback, breaks itself on command, and at the end says what is true.
It ends with its standard input, so that it never outlives whoever started it.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import orjson
import trio

from arb.io.clock import SystemClock
from arb.sim.credentials import HOST, make_member_key
from arb.sim.simulation import Simulation, SimulationSettings
from arb.sim.truth import truth_of

STDIN = 0
READ_BYTES = 65_536

# With this a closed socket sends a reset instead of the end of its stream.
RESET = struct.pack("ii", 1, 0)


class World:
    """One simulated world, its listeners and what can be done to it."""

    def __init__(self, settings: SimulationSettings) -> None:
        self.simulation = Simulation(settings, SystemClock())
        self.stepping = trio.CancelScope()
        self._streams: set[trio.SocketStream] = set()

    def __repr__(self) -> str:
        return f"<World {self.simulation!r}, {len(self._streams)} connections>"

    async def run(self) -> None:
        """Let time pass until the world is frozen."""
        with self.stepping:
            await self.simulation.run()

    async def serve_exchange(self, stream: trio.SocketStream) -> None:
        """Serve one connection of the exchange."""
        self._streams.add(stream)
        try:
            await self.simulation.exchange.serve_stream(stream)
        finally:
            self._streams.discard(stream)

    def obey(self, command: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked, and say what is true now where that is the question."""
        conditions = self.simulation.exchange_conditions
        deeds: dict[str, Callable[[], object]] = {
            "gap": lambda: setattr(conditions, "skip_sequences", 1),
            "reset": self._reset,
            "refuse upgrades": lambda: setattr(conditions, "refuse_upgrades", command["status"]),
            "rest status": lambda: setattr(conditions, "rest_status", command["status"]),
            "too many": lambda: setattr(conditions, "answer_429", command["status"] is not None),
            "pause": lambda: setattr(conditions, "trading_paused", True),
            "resume": lambda: setattr(conditions, "trading_paused", False),
            "freeze": self.stepping.cancel,
            "truth": lambda: None,
        }
        deeds[command["do"]]()
        is_asked = command["do"] == "truth"
        return truth_of(self.simulation) if is_asked else {"done": command["do"]}

    def _reset(self) -> None:
        for stream in self._streams:
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.simulation.exchange.cut_connections()


async def serve(settings: SimulationSettings, folder: Path) -> None:
    """Serve a world until standard input closes."""
    world = World(settings)
    key = make_member_key(folder)
    world.simulation.admit(key.public)
    exchange = await trio.open_tcp_listeners(0, host=HOST)
    odds = await trio.open_tcp_listeners(0, host=HOST)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, world.serve_exchange, exchange)
        nursery.start_soon(trio.serve_listeners, world.simulation.odds.serve_stream, odds)
        nursery.start_soon(world.run)
        place, odds_place = (
            f"{HOST}:{each[0].socket.getsockname()[1]}" for each in (exchange, odds)
        )
        _say(
            {
                "name": world.simulation.world_id,
                "rest_url": f"http://{place}/trade-api/v2",
                "ws_url": f"ws://{place}/trade-api/ws/v2",
                "key_id": world.simulation.key_id,
                "private_key_path": str(key.path),
                "odds": [
                    "odds-api-io",
                    f"http://{odds_place}/v3",
                    f"ws://{odds_place}/v3/ws",
                    world.simulation.odds_key,
                ],
            }
        )
        await _obey_lines(world)
        nursery.cancel_scope.cancel()


async def _obey_lines(world: World) -> None:
    rest = b""
    while True:
        # Past Python's own buffer: its lock must not be held by a thread when the process ends.
        piece = await trio.to_thread.run_sync(os.read, STDIN, READ_BYTES, abandon_on_cancel=True)
        if not piece:
            return
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            _say(world.obey(orjson.loads(line)))


def _say(content: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(content) + b"\n")
    sys.stdout.buffer.flush()


# What a line of plain values cannot say.
_USUAL = frozenset({"calendar", "tier"})


def main(settings: str) -> None:
    """Serve the world that a line of JSON describes."""
    with tempfile.TemporaryDirectory(prefix="arb-soak-") as folder:
        trio.run(serve, SimulationSettings(**orjson.loads(settings)), Path(folder))


def settings_line(settings: SimulationSettings) -> str:
    """Return the line that describes a world; its calendar and tier are the usual ones."""
    fields = attrs.asdict(settings, filter=lambda field, _value: field.name not in _USUAL)
    return orjson.dumps(fields).decode()


if __name__ == "__main__":
    main(sys.argv[1])
