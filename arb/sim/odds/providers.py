"""What the odds server asks of each further provider whose protocol it speaks."""

from __future__ import annotations

from typing import Protocol

from arb.sim.serving.http import Request, Response
from arb.sim.serving.socket import Agent


class Provider(Protocol):
    """One provider's interface to the desk, on paths of its own."""

    @property
    def prefix(self) -> str | tuple[str, ...]:
        """Return what the provider's paths begin with."""

    def answer(self, request: Request) -> Response:
        """Return the response to a request; never raises for what a client sends."""

    def admit(self, request: Request) -> Agent | Response:
        """Return who answers on a WebSocket, or why there is none."""

    def inject(self, text: str) -> None:
        """Send a text as it is to every client of the stream."""

    def throttle(self) -> None:
        """Send every client away; the condition keeps them out."""
