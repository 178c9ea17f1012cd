"""The host of an instance: the one place where an actor's failures are caught.

A host runs in the tree's own nursery, in a shielded scope that only the supervisor cancels, so
neither a cancellation from outside nor a sibling's failure reaches the actor. Whatever leaves the
instance is sorted here: an exception of any kind is its failure, a ``Cancelled`` that nobody asked
for too; KeyboardInterrupt and SystemExit are the program's, and end the tree in order.
"""

# flake8: noqa: ASYNC103 - failures are caught here; containment.py says whose a Cancelled is

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import trio

from actors.actor import Actor
from actors.containment import contained, failure_in
from actors.errors import StartTimeout, interrupt_in
from actors.node import State

if TYPE_CHECKING:
    from actors.cell import Cell


@trio.lowlevel.enable_ki_protection
async def host(cell: Cell) -> None:
    """Run one instance from its launch to its end, and report what became of it."""
    failure: BaseException | None = None
    try:
        with cell.scope:
            await _live(cell)
    except BaseException as error:  # noqa: BLE001 - see above; nothing may pass unsorted
        failure = contained(error)
    failure = failure or cell.failure
    interrupt = interrupt_in(failure)
    if interrupt is not None:
        cell.system.interrupt(interrupt)
        cell.then = cell.then or State.WAITING
        failure = None
    cell.exited(failure)


async def _live(cell: Cell) -> None:
    bell, listen = trio.open_memory_channel[None](1)
    with bell, listen:
        actor = await _boot(cell, bell)
        if type(actor).run is Actor.run:
            await _serve(cell, actor, listen)
        else:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_run_beside, cell, actor, nursery.cancel_scope)
                await _serve(cell, actor, listen)
                nursery.cancel_scope.cancel()


async def _boot(cell: Cell, bell: trio.MemorySendChannel[None]) -> Actor:
    timeout_s = cell.spec.start_timeout_s
    with trio.move_on_after(timeout_s) as limit:
        actor = await _start(cell, bell, limit)
    if limit.cancelled_caught:
        raise StartTimeout(f"{cell.path} was not ready within {timeout_s:g} s")
    cell.declare_ready()
    return actor


@trio.lowlevel.disable_ki_protection
async def _start(cell: Cell, bell: trio.MemorySendChannel[None], limit: trio.CancelScope) -> Actor:
    actor = cell.spec.build(cell.enter(bell, limit))
    cell.adopt(actor)
    await actor.start()
    return actor


async def _serve(cell: Cell, actor: Actor, listen: trio.MemoryReceiveChannel[None]) -> None:
    await cell.serve(listen)
    if cell.failure is None and not cell.scope.cancel_called:
        try:
            await _unprotected(lambda: actor.stop(cell.stop_reason))
        except BaseException as error:  # noqa: BLE001 - the actor's failure, sorted by the host
            cell.run_ended(failure_in(error, cancelled=cell.scope.cancel_called))


async def _run_beside(cell: Cell, actor: Actor, scope: trio.CancelScope) -> None:
    failure: BaseException | None = None
    try:
        await _unprotected(actor.run)
    except BaseException as error:  # noqa: BLE001 - the actor's failure, sorted by the host
        failure = failure_in(error, cancelled=scope.cancel_called or cell.scope.cancel_called)
    cell.run_ended(failure)


@trio.lowlevel.disable_ki_protection
async def _unprotected(call: Callable[[], Awaitable[None]]) -> None:
    await call()


# The code that runs an instance, and the variable that holds its cell: how the watchdog, which
# sees only frames, tells whose instance it is.
HOST_CODES = {function.__code__: "cell" for function in (host, _run_beside)}
