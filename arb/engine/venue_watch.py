"""What about the exchange is looked at now and then: order lanes, clock, rate limits."""

from __future__ import annotations

from collections.abc import Callable

import trio

from arb.engine.link import standstill
from arb.engine.messages import ConnectionChanged
from arb.engine.names import ORDER_LANES
from arb.engine.order_desk import GROUPS, Exchange, OrderDesk
from arb.engine.parts import Parts
from arb.kalshi.rest_calls import RestError

CLOCK = "Kalshi clock"

# How often it is looked whether the order lanes are up and the clocks agree.
LOOK_EVERY_S = 0.25

# The tier is found anew by the exchange once a day at most, and a person's upgrade may wait.
LIMITS_EVERY_S = 600.0

# Until they have been read once, the lowest tier's hold, which is slow for the higher ones.
LIMITS_RETRY_S = 15.0

# Once too far off, the clock must come within this part of the limit, or trading would go on and
# off with each new measurement.
CLOCK_BACK_PART = 0.5


class VenueWatch:
    """Tells the risk manager of lanes and clock, and the budget of the account's limits."""

    def __init__(
        self,
        parts: Parts,
        exchange: Exchange,
        desk: OrderDesk,
        tell: Callable[[object], object],
    ) -> None:
        self._parts = parts
        self._exchange = exchange
        self._desk = desk
        self._tell = tell
        self._lanes_up = False
        self._clock_right: bool | None = None
        self._tier = ""
        self._looked_ns = parts.clock.monotonic_ns()

    def start(self) -> None:
        """Say that no lane stands yet."""
        self._tell(ConnectionChanged(ORDER_LANES, connected=False, detail="connecting"))

    async def run(self) -> None:
        """Look for ever."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._keep_limits)
            try:
                while True:
                    self.notice_standstill()
                    self._looked_ns = self._parts.clock.monotonic_ns()
                    self._look_at_lanes()
                    self._look_at_clock()
                    self._desk.cancels.send()
                    if self._desk.groups.ready:
                        self._parts.board.alive(GROUPS, 0)
                    await trio.sleep(LOOK_EVERY_S)
            finally:
                self._tell(ConnectionChanged(ORDER_LANES, connected=False, detail="not running"))

    def notice_standstill(self) -> None:
        """Give lanes and pools up where this comes so late that a `Link` gives itself up.

        Whoever is about to use a lane asks too: a link may wake up before this loop does, and the
        cancels that follow its loss must not leave on lanes that the machine has slept over.
        """
        now_ns = self._parts.clock.monotonic_ns()
        why = standstill(self._looked_ns, now_ns, LOOK_EVERY_S)
        if why is not None:
            self._looked_ns = now_ns
            self._exchange.give_up(why)
            self._look_at_lanes()

    def _look_at_lanes(self) -> None:
        connected = self._exchange.lanes.connected
        if (connected > 0) is not self._lanes_up:
            self._lanes_up = connected > 0
            detail = f"{connected} lanes" if connected else "no lane stands"
            self._tell(ConnectionChanged(ORDER_LANES, self._lanes_up, detail))
        if connected:
            self._parts.board.alive(ORDER_LANES, 0)

    def _look_at_clock(self) -> None:
        behind_ms = self._exchange.clock.behind_ms
        if behind_ms is None:
            return
        limit_ms = self._parts.execution.clock_limit_ms
        if self._clock_right is False:
            limit_ms = round(limit_ms * CLOCK_BACK_PART)
        right = abs(behind_ms) <= limit_ms
        if right is not self._clock_right:
            self._clock_right = right
            self._tell(ConnectionChanged(CLOCK, right, _words(behind_ms, right=right)))
        self._parts.board.alive(CLOCK, 0)

    async def _keep_limits(self) -> None:
        while True:
            was_read = await self._read_limits()
            await trio.sleep(LIMITS_EVERY_S if was_read else LIMITS_RETRY_S)

    async def _read_limits(self) -> bool:
        rest, board = self._exchange.rest, self._parts.board
        try:
            limits, costs = await rest.limits(), await rest.endpoint_costs()
        except RestError as error:
            board.say("KALSHI", f"rate limits not read: {error}", level="warning")
            return False
        self._exchange.budget.apply(limits, costs)
        if limits.tier != self._tier:
            self._tier = limits.tier
            read, write = limits.read.refill_per_s, limits.write.refill_per_s
            text = f"rate limits of tier {limits.tier}: {read} reading, {write} writing a second"
            board.say("KALSHI", text)
        return True

    def __repr__(self) -> str:
        return f"<VenueWatch lanes_up={self._lanes_up} clock_right={self._clock_right}>"


def _words(behind_ms: int, *, right: bool) -> str:
    way = "behind" if behind_ms >= 0 else "ahead of"
    text = f"this machine's clock is {abs(behind_ms) / 1000:.1f} s {way} the exchange's"
    return text if right else f"{text}: set it, with timedatectl set-ntp true"
