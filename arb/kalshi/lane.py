"""The way an order takes: warm connections, prepared bytes, one write in the turn of the approval.

A lane has one request in flight, so that a slow answer holds nobody up but itself. What becomes
of a request whose lane breaks is unknown, and is said so: it is never sent again from here.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs
import trio

from arb.core.parameters import LANE_HTTP1, LANE_HTTP2
from arb.io.clock import Clock
from arb.io.net import Network
from arb.io.url import Endpoint
from arb.kalshi.lane_connection import Lane
from arb.kalshi.lane_http2 import Http2Lane
from arb.kalshi.lane_http2_frames import RequestFrames
from arb.kalshi.lane_request import Answer, Limits, Request, RequestBytes
from arb.kalshi.rest_calls import normalised_api_base
from arb.kalshi.sign import RequestSigner

__all__ = ["Answer", "Limits", "NoLane", "OrderLanes", "Request", "Sent"]

# One for an entry, one for its exit, one for a cancel.
LANES = 3


class NoLane(Exception):
    """No lane is connected and free; nothing was sent."""


@attrs.frozen
class Sent:
    """A request has left: on which lane, and when it was handed over."""

    lane: int
    sent_ns: int


class OrderLanes:
    """Several lanes to one exchange. ``on_answer`` gets one `Answer` for every request sent."""

    def __init__(
        self,
        network: Network,
        base_url: str,
        signer: RequestSigner,
        clock: Clock,
        *,
        lanes: int = LANES,
        protocol: str = LANE_HTTP1,
        on_answer: Callable[[Answer], object] | None = None,
        limits: Limits | None = None,
    ) -> None:
        place = Endpoint.parse(normalised_api_base(base_url))
        limits = Limits() if limits is None else limits
        self.on_answer = on_answer
        self.unclaimed = 0
        self._clock = clock
        self._requests: RequestBytes | RequestFrames = RequestBytes(place, signer)
        kind = Lane
        if protocol == LANE_HTTP2:
            self._requests, kind = RequestFrames(place, signer), Http2Lane
        self._closing = False
        self._done = trio.Event()
        self._lanes = [
            kind(
                number,
                network,
                place,
                clock,
                keep_warm=self._requests.keep_warm,
                # Spread out, so that few wait for each other to be kept warm.
                first_warm_s=limits.keep_warm_s * (number + 1) / lanes,
                limits=limits,
                can_spare=self._can_spare,
                answered=self._answer,
            )
            for number in range(lanes)
        ]

    @property
    def connected(self) -> int:
        """Return how many lanes stand."""
        return sum(lane.is_up for lane in self._lanes)

    @property
    def free(self) -> int:
        """Return how many requests could be sent at once."""
        return sum(lane.is_free for lane in self._lanes)

    def send(self, request: Request) -> Sent:
        """Send in this very turn; raises `NoLane`, and then nothing was sent."""
        if self._closing:
            raise NoLane("the order lanes are closing")
        data = self._requests.build(request, self._clock.wall_ms())
        for lane in self._lanes:
            if lane.is_free:
                sent_ns = lane.send(request.tag, data)
                if sent_ns is not None:
                    # Turns are taken, so that every lane is tried and none grows cold.
                    self._lanes.remove(lane)
                    self._lanes.append(lane)
                    return Sent(lane.number, sent_ns)
        raise NoLane(self._why_none())

    def _can_spare(self, lane: Lane) -> bool:
        """Tell whether an order would find another lane; one that stands alone must be spared."""
        others = [each for each in self._lanes if each is not lane and each.is_up]
        return not others or any(each.is_free for each in others)

    def _why_none(self) -> str:
        if self.connected:
            return f"all {self.connected} connected order lanes are busy"
        errors = [lane.last_error for lane in self._lanes if lane.last_error]
        return f"no order lane is connected{f': {errors[0]}' if errors else ''}"

    def give_up(self, why: str) -> None:
        """Take other connections for all lanes; every request that is out is answered unknown."""
        for lane in self._lanes:
            lane.give_up(why)

    async def run(self) -> None:
        """Keep the lanes up until cancelled; then every request still out is answered unknown."""
        self._closing = False
        async with trio.open_nursery() as nursery:
            for lane in self._lanes:
                nursery.start_soon(lane.run)

    async def drain(self, grace_s: float) -> None:
        """Take no more requests, and wait up to ``grace_s`` for the answers that are out."""
        self._closing = True
        with trio.move_on_after(grace_s):
            await trio.lowlevel.checkpoint()
            while any(lane.has_order for lane in self._lanes):
                self._done = trio.Event()
                await self._done.wait()

    def _answer(self, answer: Answer) -> None:
        self._done.set()
        if self.on_answer is None:
            self.unclaimed += 1
        else:
            self.on_answer(answer)

    def __repr__(self) -> str:
        return f"<OrderLanes {sorted(self._lanes, key=lambda lane: lane.number)!r}>"
