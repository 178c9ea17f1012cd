"""What a person does when all is healed, and what must be true in the end."""

from __future__ import annotations

import pytest

from arb.faults.plan import plan_of
from arb.faults.session import simulate
from arb.faults.sometimes import INTENSITY

MARKET = (
    "crash@market:1.5:5.0:36",
    "crash@market:6.6:5.0:34",
    "deep-crash@market:9.0:5.0:30",
    "crash@market:11.7:4.2:36",
)
DISCOVERY = (
    *(f"crash@discovery:{at_s}:{15.5 - at_s}:{at_s}" for at_s in range(1, 7)),
    *(f"subscription-ended@market_data:{at_s}.0:0.1:5" for at_s in (3, 6, 9, 12)),
)


@pytest.mark.parametrize("seed, faults", [(28, MARKET), (1, DISCOVERY)])
def test_who_was_quarantined_by_planned_crashes_is_released(
    seed: int, faults: tuple[str, ...]
) -> None:
    """Whoever crashes too often stays down by design, until a person says otherwise."""
    outcome = simulate(plan_of(seed).exactly(faults))
    assert outcome.sometimes[INTENSITY]
    assert outcome.violations == ()
