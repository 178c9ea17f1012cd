"""A failure with as few faults as will still fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from arb.faults.plan import Fault, Plan
from arb.faults.session import Outcome, simulate

Tell = Callable[[str], None]


class DoesNotFail(Exception):
    """There is nothing to shrink: this plan does not fail."""


def shrink(plan: Plan, tell: Tell) -> tuple[Plan, Outcome]:
    """Drop faults, halves first and then one by one, while the same rule is still violated.

    What is left is numbered anew, as it will be where it is written and read again.
    """
    outcome = simulate(plan)
    if not outcome.failed:
        raise DoesNotFail(f"seed {plan.seed} does not fail: there is nothing to shrink")
    rule = outcome.violations[0].rule
    faults = list(plan.faults)
    size = max(1, len(faults) // 2)
    while True:
        fewer = _without_some(plan, faults, size, rule)
        if fewer is not None:
            faults = fewer
            tell(f"{len(faults)} faults still violate {rule}")
            size = max(1, min(size, len(faults) // 2))
        elif size == 1:
            smallest = plan.exactly(_with(plan, faults).texts)
            return smallest, simulate(smallest)
        else:
            size = max(1, size // 2)


def _without_some(plan: Plan, faults: Sequence[Fault], size: int, rule: str) -> list[Fault] | None:
    for start in range(0, len(faults), size):
        left = [*faults[:start], *faults[start + size :]]
        outcome = simulate(_with(plan, left))
        if any(found.rule == rule for found in outcome.violations):
            return left
    return None


def _with(plan: Plan, faults: Sequence[Fault]) -> Plan:
    return plan.keep([fault.number for fault in faults])
