"""The file of seeds that have failed once; every check runs them again, for ever.

A line is a date, a seed, the faults that failed with it and, after a ``#``, the reason. Where no
faults are written it is whatever the seed draws; ``none`` is a failure that needs no fault at all.
The world and the settings of a seed never change; its faults would, whenever a new kind comes, so
that a shrunk failure names them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs

from arb.faults.plan import Plan, plan_of


class SeedsFileError(ValueError):
    """A line that cannot be read; says which."""


@attrs.frozen
class OldFailure:
    """One line of the file."""

    date: str
    seed: int
    faults: tuple[str, ...]
    reason: str

    @property
    def plan(self) -> Plan:
        """Return what to run."""
        plan = plan_of(self.seed)
        return plan.exactly(self.faults) if self.faults else plan

    @property
    def line(self) -> str:
        """Return it as it stands in the file."""
        return " ".join((self.date, str(self.seed), *self.faults, "#", self.reason))


def read_seeds(text: str) -> Iterator[OldFailure]:
    """Yield every failure of a file; raises `SeedsFileError`."""
    for number, line in enumerate(text.splitlines(), start=1):
        said, _, reason = line.partition("#")
        words = said.split()
        if not words:
            continue
        try:
            yield OldFailure(words[0], int(words[1]), tuple(words[2:]), reason.strip())
        except (IndexError, ValueError) as error:
            raise SeedsFileError(f"line {number}: a date, a seed and a reason: {line!r}") from error


def add_seed(path: Path, failure: OldFailure) -> None:
    """Add a line to the file."""
    with path.open("a", encoding="utf-8") as file:
        file.write(failure.line + "\n")
