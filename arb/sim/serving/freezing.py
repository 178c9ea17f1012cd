"""A stream that stands still on demand: open, and dead below everything that is said on it."""

from __future__ import annotations

from collections.abc import Callable

import trio

# While it stands still the stream looks again this often.
_POLL_S = 0.02


class Freezing(trio.abc.Stream):
    """Passes bytes on, except that while ``frozen`` says so nothing is read and nothing sent."""

    def __init__(self, stream: trio.abc.Stream, frozen: Callable[[], bool]) -> None:
        self._stream = stream
        self._frozen = frozen

    def __repr__(self) -> str:
        return f"Freezing(frozen={self._frozen()}, {self._stream!r})"

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Receive from the stream, the bytes kept back while it stands still."""
        data = bytes(await self._stream.receive_some(max_bytes))
        await self._thaw()
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send through the stream once it moves."""
        await self._thaw()
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait as the stream does."""
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """Close the stream."""
        await self._stream.aclose()

    async def _thaw(self) -> None:
        # A condition is a plain flag that anybody may set: there is nothing to wait on.
        while self._frozen():  # noqa: ASYNC110
            await trio.sleep(_POLL_S)
