"""What happened in one simulation, line by line, and what was found wrong with it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable

import attrs

from arb.faults.clock import true_s

# Enough to see what led to a violation; the whole of it comes with --trace.
TAIL_LINES = 25

# One mistake repeated at every step says nothing more.
VIOLATIONS_KEPT = 20


@attrs.frozen
class Violation:
    """One rule that did not hold, when, and how."""

    rule: str
    at_s: float
    text: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.rule} at {self.at_s:.3f} s: {self.text}"


@attrs.define
class Trace:
    """The events of one run in order; the same seed gives the same lines and the same digest.

    ``until`` is the number of the event after which ``on_until`` is called, to end the run there;
    what comes of its ending is neither noted nor judged. ``cells`` counts how often each fault has
    begun, ``strikes`` how often it then met anything.
    """

    on_line: Callable[[str], None] | None = None
    until: int | None = None
    on_until: Callable[[], None] | None = None
    events: int = 0
    tail: list[str] = attrs.field(factory=list)
    violations: list[Violation] = attrs.field(factory=list)
    violated: int = 0
    sometimes: Counter[str] = attrs.field(factory=Counter)
    cells: Counter[str] = attrs.field(factory=Counter)
    strikes: Counter[str] = attrs.field(factory=Counter)
    _hash: hashlib._Hash = attrs.field(factory=hashlib.sha256)

    def note(self, kind: str, text: str) -> None:
        """Add one event."""
        if self.stopped:
            return
        self.events += 1
        line = f"{self.events:5d} {true_s():9.3f} {kind:<9} {text}"
        self._hash.update(line.encode())
        self.tail.append(line)
        if len(self.tail) > 2 * TAIL_LINES:
            del self.tail[:TAIL_LINES]
        if self.on_line is not None:
            self._hand_on(line)
        if self.events == self.until and self.on_until is not None:
            self.on_until()

    @property
    def stopped(self) -> bool:
        """Tell whether the last event that is wanted has come."""
        return self.until is not None and self.events >= self.until

    def _hand_on(self, line: str) -> None:
        try:
            if self.on_line is not None:
                self.on_line(line)
        except BrokenPipeError:
            # Raised here it would fail whatever was noted; the run ends, and its reader has gone.
            self.on_line = None
            if self.on_until is not None:
                self.on_until()

    def violation(self, rule: str, text: str) -> None:
        """Add a rule that did not hold."""
        if self.stopped:
            return
        self.violated += 1
        found = Violation(rule, true_s(), text)
        if len(self.violations) < VIOLATIONS_KEPT:
            self.violations.append(found)
        self.note("VIOLATION", f"{rule}: {text}")

    def check(self, rule: str, holds: object, text: str) -> None:
        """Add a violation unless something holds."""
        if not holds:
            self.violation(rule, text)

    @property
    def digest(self) -> str:
        """Return the hash of every event so far."""
        return self._hash.hexdigest()

    def __repr__(self) -> str:
        return f"<Trace {self.events} events, {self.violated} violations>"
