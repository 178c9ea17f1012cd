"""The loop's pulse, and a thread that names the handler which holds it up.

Trio cannot kill a task, and one that never awaits holds up every other. A heartbeat measures how
late the loop is; a thread of its own sees a missing beat, finds the handler by the loop thread's
frames (so a message costs nothing), and past the last limit runs a last action and ends the
process.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from types import FrameType

import attrs
import trio

from actors.cell import Cell

# Half a minute of beats: enough for a p99, small enough to sort on each snapshot.
BEATS_KEPT = 1500
BLOCKED_EXIT_CODE = 70


@attrs.frozen
class Blocked:
    """A loop that does not turn: whose handler holds it, for how long, and where it is."""

    path: str | None
    for_s: float
    stack: str


@attrs.frozen
class WatchdogSpec:
    """How to watch the loop.

    ``on_blocked`` is called in the watchdog's thread, once for each time the loop has stood still
    for ``warn_after_s``. When the thread has watched that for another ``last_limit_s`` (None: for
    ever) it calls ``last_action``, and ``end_process`` after it, also if that fails. ``thread``
    False leaves only the lag measured.
    """

    beat_s: float = 0.02
    warn_after_s: float = 0.25
    last_limit_s: float | None = None
    on_blocked: Callable[[Blocked], None] | None = None
    last_action: Callable[[Blocked], None] | None = None
    end_process: Callable[[], None] = lambda: os._exit(BLOCKED_EXIT_CODE)
    monotonic_s: Callable[[], float] = time.monotonic
    thread: bool = True


class Heartbeat:
    """A task that beats and, beside it, the thread that listens."""

    def __init__(self, spec: WatchdogSpec) -> None:
        """Belong to the loop of the calling thread."""
        self.spec = spec
        self.blocked: Blocked | None = None
        self._lags_s: deque[float] = deque(maxlen=BEATS_KEPT)
        self._beaten_s = self._checked_s = spec.monotonic_s()
        self._watched_s = 0.0
        self._loop_thread = threading.get_ident()
        self._closed = threading.Event()

    def __repr__(self) -> str:
        """Say how late the loop is."""
        return f"<Heartbeat lag p50, p99 {self.lag_s()}>"

    def start(self) -> None:
        """Start the thread."""
        if self.spec.thread:
            threading.Thread(target=self._listen, name="actors watchdog", daemon=True).start()

    def close(self) -> None:
        """Let the thread end."""
        self._closed.set()

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            due_s = trio.current_time() + self.spec.beat_s
            await trio.sleep_until(due_s)
            self._lags_s.append(trio.current_time() - due_s)
            self._beaten_s = self.spec.monotonic_s()

    def lag_s(self) -> tuple[float | None, float | None]:
        """Return the median and the 99th percentile of how late beats were."""
        lags_s = sorted(self._lags_s)
        if not lags_s:
            return None, None
        return lags_s[len(lags_s) // 2], lags_s[len(lags_s) * 99 // 100]

    def worst_lag_s(self) -> float | None:
        """Return how late the latest of the kept beats was; None before the first."""
        return max(self._lags_s, default=None)

    def _listen(self) -> None:
        while not self._closed.wait(self.spec.beat_s):
            self.check()

    def check(self) -> None:
        """Look once whether the loop still turns, and act by how long it has not."""
        now_s = self.spec.monotonic_s()
        unwatched_s, self._checked_s = now_s - self._checked_s, now_s
        silent_s = now_s - self._beaten_s
        if silent_s < self.spec.warn_after_s:
            self.blocked = None
            self._watched_s = 0.0
            return
        # While the machine slept or the process was stopped, this thread stood still as well; for
        # that no process is ended.
        self._watched_s += min(unwatched_s, self.spec.warn_after_s)
        is_new = self.blocked is None
        self.blocked = self._find(silent_s)
        if is_new and self.spec.on_blocked is not None:
            self.spec.on_blocked(self.blocked)
        limit_s = self.spec.last_limit_s
        if limit_s is not None and self._watched_s >= limit_s:
            try:
                if self.spec.last_action is not None:
                    self.spec.last_action(self.blocked)
            finally:
                self.spec.end_process()

    def _find(self, silent_s: float) -> Blocked:
        frame = sys._current_frames().get(self._loop_thread)  # noqa: SLF001 - the only way
        stack = "".join(traceback.format_stack(frame)) if frame else ""
        return Blocked(_path_in(frame), silent_s, stack)


def _path_in(frame: FrameType | None) -> str | None:
    while frame is not None:
        if frame.f_code in Cell.INSTANCE_CODES:
            cell: Cell = frame.f_locals["self"]
            return cell.path
        frame = frame.f_back
    return None
