"""Signatures for the coming seconds, made ahead, so that signing costs an order nothing.

An RSA signature takes 350 µs and covers timestamp, method and path only, so that of a create,
whose path has no id in it, is known beforehand. The exchange takes stamps some seconds old: five
were accepted on the demo exchange and ten in production.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from arb.io.clock import Clock
from arb.kalshi.sign import Headers, RequestSigner, Signer

# How far ahead signatures are ready. A loop that stalls longer than this has worse troubles, and
# each one made in vain costs 350 µs of a second core.
AHEAD_S = 5

_MS_PER_S = 1000

# Runs a slow function away from the loop; a simulation runs it in place, having no threads.
OffLoop = Callable[[Callable[[], Headers]], Awaitable[Headers]]


async def in_thread(make: Callable[[], Headers]) -> Headers:
    """Make a signature in a thread: the library lets the loop run meanwhile."""
    return await trio.to_thread.run_sync(make)


async def in_place(make: Callable[[], Headers]) -> Headers:
    """Make a signature here and now, for simulations, which forbid threads."""
    await trio.lowlevel.checkpoint()
    return make()


class SignaturesAhead:
    """A signer with ready signatures for some requests; all others it signs on the spot."""

    def __init__(
        self,
        signer: Signer,
        clock: Clock,
        requests: tuple[tuple[str, str], ...],
        *,
        off_loop: OffLoop = in_thread,
    ) -> None:
        self._signer: RequestSigner = signer
        self._clock = clock
        # A quick key needs nothing made ahead.
        self._requests = () if signer.is_quick else requests
        self._off_loop = off_loop
        self._ready: dict[tuple[str, str, int], Headers] = {}
        self.made_late = 0

    def headers(self, method: str, path: str, wall_ms: int) -> Headers:
        """Return headers for a request: ready ones stamped with the second that has begun."""
        second = wall_ms // _MS_PER_S
        ready = self._ready.get((method, path, second))
        if ready is not None:
            return ready
        if (method, path) in self._requests:
            self.made_late += 1
        return self._signer.headers(method, path, wall_ms)

    async def run(self) -> None:
        """Keep signatures ready until cancelled."""
        while True:
            await self.prepare()
            await trio.sleep(1 / 2)

    async def prepare(self) -> None:
        """Make what is missing for the coming seconds, and forget what has passed."""
        await trio.lowlevel.checkpoint()
        now_s = self._clock.wall_ms() // _MS_PER_S
        self._ready = {key: made for key, made in self._ready.items() if key[2] >= now_s}
        for second in range(now_s, now_s + AHEAD_S + 1):
            for method, path in self._requests:
                if (method, path, second) not in self._ready:
                    await self._make(method, path, second)

    async def _make(self, method: str, path: str, second: int) -> None:
        headers = await self._off_loop(
            lambda: self._signer.headers(method, path, second * _MS_PER_S)
        )
        self._ready[method, path, second] = headers

    def __repr__(self) -> str:
        return f"<SignaturesAhead {len(self._ready)} ready, {self.made_late} made late>"
