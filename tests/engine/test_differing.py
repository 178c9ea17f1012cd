"""How long something differs before it is more than a movement."""

from __future__ import annotations

from arb.core.reconcile import Difference
from arb.engine.differing import DIFFERENCE_MOVING_MAX_S, DIFFERENCE_REPEATED_S, Differing

S = 1_000_000_000
REPEATED_NS = int(DIFFERENCE_REPEATED_S * S)
ONE, OTHER = Difference("order o1", "o1 rests"), Difference("order o2", "o2 rests")


def test_what_is_there_twice_stays() -> None:
    """Two seconds apart, not sooner, whatever else came and went beside it."""
    differing = Differing()
    assert not differing.stays([ONE], 0, 0)
    assert not differing.stays([ONE, OTHER], 0, REPEATED_NS - 1)
    assert differing.stays([ONE], 0, REPEATED_NS)


def test_two_that_are_gone_in_a_moment_are_not_one_that_stays() -> None:
    """Of two orders that were just cancelled each reading sees another."""
    differing = Differing()
    assert not differing.stays([ONE], 0, 0)
    assert not differing.stays([OTHER], 0, REPEATED_NS)
    assert differing.stays([OTHER], 0, 2 * REPEATED_NS)


def test_a_fill_begins_anew_but_not_for_ever() -> None:
    """With fills all the time something always moves."""
    differing = Differing()
    assert not differing.stays([ONE], 0, 0)
    assert not differing.stays([ONE], 1, REPEATED_NS)
    assert differing.stays([ONE], 2, int(DIFFERENCE_MOVING_MAX_S * S))


def test_agreeing_forgets_all() -> None:
    """The next difference is a new one."""
    differing = Differing()
    assert not differing.stays([ONE], 0, 0)
    differing.agreed()
    assert not differing.stays([ONE], 0, int(DIFFERENCE_MOVING_MAX_S * S))
