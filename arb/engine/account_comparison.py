"""What a reading of the account came to, and whether a person's word on it was taken."""

from __future__ import annotations

import attrs

from arb.core.reconcile import Difference, in_one_line

ACCEPT_WITH = "arb reconcile --accept"


@attrs.frozen
class Comparison:
    """What one reading of the account came to; ``counts`` says that it stops trading."""

    number: int
    at_ms: int
    differences: tuple[Difference, ...]
    counts: bool
    figures: str
    overdue: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Say it in one line for a person."""
        if not self.differences:
            said = f"equal: {self.figures}"
        else:
            way = f"accept it with: {ACCEPT_WITH}" if self.counts else "it may still be moving"
            said = f"differs: {in_one_line(self.differences)}; {way}"
        overdue = ", ".join(self.overdue)
        return f"{said}; ended and not paid for long: {overdue}" if overdue else said


@attrs.frozen
class Acceptance:
    """Whether a person's word was taken: what was given up for it, or why it was not."""

    done: bool
    text: str
