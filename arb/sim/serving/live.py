"""The connections that are open now, so that they can be broken all at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import trio


class LiveConnections:
    """Counts open connections and breaks them on demand."""

    def __init__(self) -> None:
        self._scopes: list[trio.CancelScope] = []

    def __len__(self) -> int:
        return len(self._scopes)

    def __repr__(self) -> str:
        return f"LiveConnections({len(self._scopes)})"

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold one connection open for as long as the body runs, or until all are cut."""
        with trio.CancelScope() as scope:
            self._scopes.append(scope)
            try:
                yield
            finally:
                self._scopes.remove(scope)

    def cut(self) -> int:
        """Break every open connection, and return how many there were."""
        open_now = list(self._scopes)
        for scope in open_now:
            scope.cancel()
        return len(open_now)
