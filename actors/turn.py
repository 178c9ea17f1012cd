"""What the direct deliveries of one turn of the scheduler share."""

from __future__ import annotations

from collections.abc import Callable

# Direct deliveries that one turn may nest or chain before messages queue: far below the
# interpreter's recursion limit, and far above the three hops of any way that matters.
DIRECT_BUDGET = 64


class Turn:
    """How deep direct deliveries are nested at the moment, and how many more there may be.

    ``choose`` is for simulations: it says for each possible direct delivery whether it is one.
    """

    __slots__ = ("choose", "depth", "left")

    def __init__(self, choose: Callable[[], bool] | None) -> None:
        """Start with a full budget."""
        self.depth = 0
        self.left = DIRECT_BUDGET
        self.choose = choose

    def __repr__(self) -> str:
        """Say how deep the turn is and what is left of its budget."""
        return f"<Turn depth {self.depth}, {self.left} left>"
