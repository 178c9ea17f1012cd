"""Signatures for the coming seconds, made ahead, so that signing costs an order nothing.

An RSA signature takes 300 µs and covers timestamp, method and path only. That of a create, whose
path has no id in it, is known beforehand; that of a cancel or an amendment is as soon as its order
rests. The exchange takes stamps some seconds old or new: five were accepted on the demo exchange
and ten in production.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import attrs
import trio

from arb.io.clock import Clock
from arb.kalshi.sign import Headers, RequestSigner, Signer

# How far ahead signatures are ready. A loop that stalls longer than this has worse troubles, and
# each one made in vain costs 300 µs of a second core.
AHEAD_S = 5

# How often it is looked what is missing.
LOOK_EVERY_S = 0.5

# A resting order's signature is stamped so far in the future, and used until its stamp is as far
# in the past. With a clock that is off by the most that is traded with, that stays below the five
# seconds that are known to be accepted.
STAMP_OFF_MS = 2_000

# It is made anew when it is usable for no longer than this: two looks.
RENEW_MS = 1_000

# Orders with ready signatures at once. Two each, every three seconds, cost 0.6 % of a second core
# for 32; those of the default limits, at most ten sales and five entries, are well within.
ORDERS_MAX = 32

_MS_PER_S = 1000

# Runs a slow function away from the loop; a simulation runs it in place, having no threads.
OffLoop = Callable[[Callable[[], Headers]], Awaitable[Headers]]
Requests = tuple[tuple[str, str], ...]


async def in_thread(make: Callable[[], Headers]) -> Headers:
    """Make a signature in a thread: the library lets the loop run meanwhile."""
    return await trio.to_thread.run_sync(make)


async def in_place(make: Callable[[], Headers]) -> Headers:
    """Make a signature here and now, for simulations, which forbid threads."""
    await trio.lowlevel.checkpoint()
    return make()


@attrs.frozen
class _Stamped:
    """Headers that may be used a while before and after their stamp."""

    stamp_ms: int
    headers: Headers

    def usable_for_ms(self, wall_ms: int) -> int:
        """Return for how long they may be used; below 0 where they may not, or not yet."""
        left_ms = self.stamp_ms + STAMP_OFF_MS - wall_ms
        return left_ms if left_ms <= 2 * STAMP_OFF_MS else -1


class SignaturesAhead:
    """A signer with ready signatures for some requests; all others it signs on the spot.

    Paths of requests are relative to ``root``; their query is not signed.
    """

    def __init__(
        self,
        signer: Signer,
        clock: Clock,
        requests: Requests,
        *,
        root: str = "",
        off_loop: OffLoop = in_thread,
    ) -> None:
        self._signer: RequestSigner = signer
        self._clock = clock
        self._is_quick = signer.is_quick
        self._root = root
        # A quick key needs nothing made ahead.
        self._requests = () if self._is_quick else self._rooted(requests)
        self._off_loop = off_loop
        self._ready: dict[tuple[str, str, int], Headers] = {}
        self._orders: dict[str, Requests] = {}
        self._stamped: dict[tuple[str, str], _Stamped] = {}
        self._wake = trio.Event()
        self.made_late = 0

    def headers(self, method: str, path: str, wall_ms: int) -> Headers:
        """Return headers for a request: ready ones where there are some that still hold."""
        ready = self._ready.get((method, path, wall_ms // _MS_PER_S))
        if ready is not None:
            return ready
        stamped = self._stamped.get((method, path.partition("?")[0]))
        if stamped is not None and stamped.usable_for_ms(wall_ms) >= 0:
            return stamped.headers
        if stamped is not None or (method, path) in self._requests:
            self.made_late += 1
        return self._signer.headers(method, path, wall_ms)

    def watch(self, order: str, requests: Requests) -> None:
        """Have signatures ready for what may be asked of an order that rests."""
        if self._is_quick or order in self._orders or len(self._orders) >= ORDERS_MAX:
            return
        self._orders[order] = self._rooted(requests)
        self._wake.set()

    def _rooted(self, requests: Requests) -> Requests:
        return tuple((verb, self._root + path.partition("?")[0]) for verb, path in requests)

    def forget(self, order: str) -> None:
        """Let go of an order that has ended."""
        for request in self._orders.pop(order, ()):
            self._stamped.pop(request, None)

    async def run(self) -> None:
        """Keep signatures ready until cancelled."""
        while True:
            self._wake = trio.Event()
            await self.prepare()
            with trio.move_on_after(LOOK_EVERY_S):
                await self._wake.wait()

    async def prepare(self) -> None:
        """Make what is missing for the coming seconds, and forget what has passed."""
        await trio.lowlevel.checkpoint()
        await self._prepare_orders()
        now_s = self._clock.wall_ms() // _MS_PER_S
        self._ready = {key: made for key, made in self._ready.items() if key[2] >= now_s}
        for second in range(now_s, now_s + AHEAD_S + 1):
            for method, path in self._requests:
                if (method, path, second) not in self._ready:
                    await self._make(method, path, second)

    async def _prepare_orders(self) -> None:
        for order, requests in list(self._orders.items()):
            for request in self._missing(requests):
                stamp_ms = self._clock.wall_ms() + STAMP_OFF_MS
                headers = await self._signed(*request, stamp_ms)
                # It may have ended meanwhile.
                if order in self._orders:
                    self._stamped[request] = _Stamped(stamp_ms, headers)

    def _missing(self, requests: Requests) -> Iterable[tuple[str, str]]:
        now_ms = self._clock.wall_ms()
        for request in requests:
            made = self._stamped.get(request)
            if made is None or made.usable_for_ms(now_ms) < RENEW_MS:
                yield request

    async def _make(self, method: str, path: str, second: int) -> None:
        self._ready[method, path, second] = await self._signed(method, path, second * _MS_PER_S)

    async def _signed(self, method: str, path: str, stamp_ms: int) -> Headers:
        return await self._off_loop(lambda: self._signer.headers(method, path, stamp_ms))

    def __repr__(self) -> str:
        ready = len(self._ready) + len(self._stamped)
        return f"<SignaturesAhead {ready} ready, {self.made_late} made late>"
