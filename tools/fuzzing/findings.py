"""What fuzzing comes to: counts for each target, and what was found wrong."""

from __future__ import annotations

import base64
from collections import Counter
from typing import Any

import attrs

# What is shown of a message that was found to do harm; all of it is kept in base64.
SHOWN_MAX = 200

# What two findings of one kind have in common.
KIND_MAX = 40

# One defect shows in thousands of cases: the first few tell.
FINDINGS_MAX = 20


class Wrong(Exception):
    """The code under test did what it must never do; one line says what."""


# A reason may quote what was damaged, so that there are hundreds of which each came once.
REASONS_SHOWN = 12


@attrs.frozen
class Finding:
    """One case that went wrong: how to make it again, what happened, and the message."""

    target: str
    case: int
    what: str
    message: bytes

    def shown(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        text = self.message[:SHOWN_MAX].decode("utf-8", "replace")
        whole = base64.b64encode(self.message).decode()
        return {
            "target": self.target,
            "case": self.case,
            "what": self.what,
            "message": text,
            "base64": whole,
        }


@attrs.define
class Tally:
    """One target's count: every message is either accepted or rejected for a reason.

    ``counted`` is how often the code under test itself has counted a message as bad.
    """

    mutations: int = 0
    accepted: int = 0
    counted: int = 0
    rejected: Counter[str] = attrs.field(factory=Counter)
    notes: Counter[str] = attrs.field(factory=Counter)

    def add(self, reason: str | None) -> None:
        """Count one message: taken where there is no reason against it."""
        self.mutations += 1
        if reason is None:
            self.accepted += 1
        else:
            self.rejected[reason] += 1

    def shown(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {
            "mutations": self.mutations,
            "accepted": self.accepted,
            "rejected": sum(self.rejected.values()),
            "counted": self.counted,
            "reasons": dict(self.rejected.most_common(REASONS_SHOWN)),
            **({"notes": dict(self.notes.most_common())} if self.notes else {}),
        }


@attrs.define
class Findings:
    """What went wrong, the first of each kind."""

    kept: list[Finding] = attrs.field(factory=list)
    total: int = 0

    def add(self, target: str, case: int, error: Exception, message: bytes) -> None:
        """Count a defect, and keep it where it is the first of its kind."""
        self.total += 1
        found = Finding(target, case, f"{type(error).__name__}: {error}"[:SHOWN_MAX], message)
        kinds = {(each.target, each.what[:KIND_MAX]) for each in self.kept}
        if len(self.kept) < FINDINGS_MAX and (target, found.what[:KIND_MAX]) not in kinds:
            self.kept.append(found)
