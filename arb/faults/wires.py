"""The network of a simulated engine: one wire for each component, each with faults of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import attrs
import trio

from arb.faults.wire_connection import WiredConnection
from arb.faults.wire_faults import REFUSALS, Refusal, WireFaults
from arb.io.memory import MemoryConnection, MemoryNetwork
from arb.io.net import Connection

BOOKS = "books"
ACCOUNT = "account"
LANES = "lanes"
REST = "rest"
ODDS_STREAM = "odds stream"
ODDS_REST = "odds rest"

COMPONENTS = (BOOKS, ACCOUNT, LANES, REST, ODDS_STREAM, ODDS_REST)
SOCKETS = (BOOKS, ACCOUNT, ODDS_STREAM)


class Observer(Protocol):
    """Somebody who sees what passes between the engine and its wire, in the turn it passes."""

    def opened(self, connection: WiredConnection) -> None:
        """A connection stands."""

    def sending(self, connection: WiredConnection, data: bytes) -> None:
        """These bytes are about to leave the engine."""

    def sent(self, connection: WiredConnection) -> None:
        """The bytes that were about to leave have left."""

    def received(self, connection: WiredConnection, data: bytes) -> None:
        """These bytes are handed to the engine."""

    def ended(self, connection: WiredConnection) -> None:
        """The engine has seen the end of a connection, or ended it itself."""


@attrs.define(eq=False)
class Wire:
    """One component's way to the world: its faults, and the connections that stand."""

    name: str
    observer: Observer
    faults: WireFaults = attrs.field(factory=WireFaults)
    connections: list[WiredConnection] = attrs.field(factory=list)

    def poke(self) -> None:
        """Let every connection look at the faults anew, because they have changed."""
        for connection in list(self.connections):
            connection.poke()

    def each(self, do: Callable[[WiredConnection], None]) -> int:
        """Do something to every connection that stands, and return how many there were."""
        standing = list(self.connections)
        for connection in standing:
            do(connection)
        return len(standing)

    def heal(self) -> None:
        """Let the wire be a good one; what a hole held back arrives."""
        self.faults.clear()
        self.poke()


class Wires:
    """All wires of the machine that the engine runs on; they outlive each engine."""

    def __init__(self, network: MemoryNetwork, observer: Observer) -> None:
        self._network = network
        self.wires = {name: Wire(name, observer) for name in COMPONENTS}

    def __getitem__(self, name: str) -> Wire:
        return self.wires[name]

    def heal(self) -> None:
        """Let every wire be a good one."""
        for wire in self.wires.values():
            wire.heal()

    def plug(self) -> Plug:
        """Return one engine's access to the wires."""
        return Plug(self, self._network)

    def __repr__(self) -> str:
        standing = {name: len(wire.connections) for name, wire in self.wires.items()}
        return f"<Wires {standing}>"


@attrs.define(eq=False)
class Plug:
    """One engine's access to the wires: pulled when the engine is killed."""

    wires: Wires
    network: MemoryNetwork
    pulled: bool = False
    _connections: list[WiredConnection] = attrs.field(factory=list)

    def to(self, choose: Callable[[int], str]) -> PluggedNetwork:
        """Return a network on whose wire ``choose`` decides by the port."""
        return PluggedNetwork(self, choose)

    async def connect(self, name: str, host: str, port: int) -> Connection:
        """Open a connection over one wire; raises `OSError`."""
        await trio.lowlevel.checkpoint()
        wire = self.wires[name]
        refusal = wire.faults.refusal
        if refusal is not None and not self.pulled:
            wire.faults.hits[refusal] += 1
        if refusal is Refusal.NO_ANSWER or self.pulled:
            # Nobody is there to answer; whoever asks has a deadline.
            await trio.sleep_forever()
        if refusal is not None:
            error = REFUSALS[refusal]()
            raise error
        inner = await self.network.connect(host, port, tls=False)
        if not isinstance(inner, MemoryConnection):
            raise TypeError("a simulation has connections in memory only")
        made = WiredConnection(inner, wire)
        wire.connections.append(made)
        self._connections = [one for one in self._connections if not one.closed]
        self._connections.append(made)
        wire.observer.opened(made)
        return made

    def pull(self) -> None:
        """End every connection as the kernel does for a process that is killed."""
        self.pulled = True
        for connection in self._connections:
            connection.abandon()

    def __repr__(self) -> str:
        return f"<Plug {'pulled' if self.pulled else f'{len(self._connections)} connections'}>"


@attrs.frozen
class PluggedNetwork:
    """The seam as one part of the engine sees it."""

    plug: Plug
    choose: Callable[[int], str]

    async def connect(
        self, host: str, port: int, *, tls: bool, alpn: Sequence[str] = ()
    ) -> Connection:
        """Open a connection; raises `OSError`."""
        return await self.plug.connect(self.choose(port), host, port)
