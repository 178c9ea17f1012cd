"""A ``Cancelled`` that belongs to nobody any more, as a broken library lets one out."""

from __future__ import annotations

import trio


async def stray_cancelled() -> BaseException:
    """Return one."""
    caught: list[BaseException] = []
    with trio.CancelScope() as scope:
        scope.cancel()
        try:
            await trio.sleep_forever()
        except trio.Cancelled as error:
            caught.append(error)
            raise
    return caught[0]


async def leak_a_cancelled() -> None:
    """Raise one."""
    raise await stray_cancelled()
