"""Which of the engine's connections goes over which wire."""

from __future__ import annotations

import attrs

from arb.engine.link import Link
from arb.engine.live import Connections, LiveTree
from arb.engine.subscribed_books import SOURCE as BOOKS_SOURCE
from arb.faults import wires
from arb.faults.engine import ODDS
from arb.faults.wires import PluggedNetwork


@attrs.frozen
class WiredTree(LiveTree):
    """The tree with each connection on a wire of its own."""

    def _kalshi_link(self, name: str) -> Link:
        link = super()._kalshi_link(name)
        wire = wires.BOOKS if name == BOOKS_SOURCE else wires.ACCOUNT
        link.network = _rewired(link.network, wire)
        return link

    def _odds_link(self) -> Link:
        link = super()._odds_link()
        link.network = _rewired(link.network, wires.ODDS_STREAM)
        return link


def _rewired(network: object, wire: str) -> PluggedNetwork:
    if not isinstance(network, PluggedNetwork):
        raise TypeError("a simulated engine runs on wires")
    return network.plug.to(lambda _port: wire)


def on_lanes(made: Connections) -> Connections:
    """Let what the tree opens by itself be an order lane; its links are rewired one by one."""
    return attrs.evolve(made, network=_rewired(made.network, wires.LANES))


def by_port(port: int) -> str:
    """Return the wire of a plain request: the exchange's, or the odds provider's."""
    return wires.ODDS_REST if port == ODDS[1] else wires.REST
