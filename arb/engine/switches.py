"""What a person has switched, kept where no restart of an actor can undo it."""

from __future__ import annotations

import attrs

from arb.core.money import MoneyE6
from arb.core.parameters import Risk
from arb.core.permission import Halt

CENT_E6 = 10_000


@attrs.define
class Switches:
    """A person's pause or reducing, limit and closings, and the engine's own stopping.

    ``halt`` is this process's latest, for a journal that does not take it: one that is written
    stands there, and outlives the process too. ``closing`` names the markets whose position a
    person wants gone. ``resting_known`` says that since this process began the exchange's list of
    what rests held nothing unknown. Of the account only a reading proves anything that is complete
    up to ``proven_from_ns``, by the monotonic clock: since this process began, or since an order
    of ours was heard of that nobody here knows.
    ``orders_of_others`` are another engine's, which have halted us: a clear covers them.
    """

    halt: Halt | None = None
    paused_by: str | None = None
    reducing_by: str | None = None
    stopping: bool = False
    exits_withdrawn: bool = False
    resting_known: bool = False
    proven_from_ns: int = 0
    limit_e6: MoneyE6 | None = None
    closing: set[str] = attrs.field(factory=set)
    orders_of_others: set[str] = attrs.field(factory=set)

    def is_withdrawn(self, ticker: str) -> bool:
        """Tell whether the sales of a market were cancelled on purpose and must not come back."""
        return self.exits_withdrawn and ticker not in self.closing

    def limits(self, risk: Risk) -> Risk:
        """Return the limits in force: the file's, or what a person lowered them to."""
        if self.limit_e6 is None:
            return risk
        return attrs.evolve(risk, max_total_exposure_cents=self.limit_e6 // CENT_E6)
