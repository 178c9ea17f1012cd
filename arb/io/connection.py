"""What a connection is: a stream that can also send in this very turn of the loop."""

from __future__ import annotations

from abc import abstractmethod

import trio

# One read takes what a burst of some hundred book messages weighs; larger reads gain nothing
# on loopback and cost memory on every connection.
RECEIVE_BYTES_MAX = 65_536


class Connection(trio.abc.Stream):
    """A Trio stream with an immediate way to send."""

    @abstractmethod
    def send_now(self, data: bytes) -> int:
        """Send without waiting; return how many bytes of ``data`` the connection took.

        What it did not take is the caller's to send with `send_all`; so is `backlog`, which an
        empty `send_all` pushes out. Raises `trio.BrokenResourceError` or
        `trio.ClosedResourceError` when nothing can be sent any more; nothing of ``data`` was.
        """

    @property
    def backlog(self) -> int:
        """Return how many bytes the connection took over and the kernel has not."""
        return 0

    def discard_at_close(self) -> None:
        """Let the end of this connection throw away what was sent and has not left the machine.

        So does the end of the process. What never waits below, as in memory, needs nothing.
        """

    @property
    @abstractmethod
    def readable(self) -> bool:
        """Say whether a read would return at once: data waits, or the peer has gone."""

    @abstractmethod
    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return some bytes, or none at the end of the stream."""
