"""Many seeds over several processes, in their order."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def chunks(first: int, count: int, size: int) -> list[range]:
    """Cut so many seeds into chunks."""
    end = first + count
    return [range(at, min(at + size, end)) for at in range(first, end, size)]


def spread(
    work: Callable[[Sequence[int]], T], chunks: Sequence[Sequence[int]], jobs: int
) -> Iterator[T]:
    """Yield what came of each chunk, in order; with one job it is done in this process."""
    if jobs <= 1:
        yield from map(work, chunks)
        return
    # Spawned, not forked: a child must not inherit what another simulation has left behind.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _end_with_parent) as pool:
        try:
            yield from pool.map(work, chunks)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _end_with_parent() -> None:
    """Let this process end when the one that began it has been killed."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
