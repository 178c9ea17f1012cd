"""Where slow calls are made: in threads, or on the loop where time is simulated."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import attrs
import trio

from arb.kalshi.signatures_ahead import OffLoop
from arb.kalshi.signatures_ahead import in_place as sign_in_place
from arb.kalshi.signatures_ahead import in_thread as sign_in_thread

Offload = Callable[[Callable[[], None]], Awaitable[None]]


async def call_in_thread(call: Callable[[], None]) -> None:
    """Make a blocking call in a thread, so that the loop goes on."""
    await trio.to_thread.run_sync(call)


async def sync_in_thread(call: Callable[[], None]) -> None:
    """Make a blocking call in a thread; whoever is cancelled leaves it there, and goes on.

    For what a disk that hangs may hold up for ever, and what may go on beside anything else.
    """
    await trio.to_thread.run_sync(call, abandon_on_cancel=True)


async def call_in_place(call: Callable[[], None]) -> None:
    """Make a blocking call here and now; a simulation has no threads."""
    await trio.lowlevel.checkpoint()
    call()


@attrs.frozen
class Offloads:
    """How an engine's slow calls are made; ``sync`` is left alone by whoever is cancelled."""

    call: Offload
    sign: OffLoop
    sync: Offload


IN_THREADS = Offloads(call_in_thread, sign_in_thread, sync_in_thread)
IN_PLACE = Offloads(call_in_place, sign_in_place, call_in_place)
