"""Histories of the core and an exchange, as hypothesis draws them."""

from __future__ import annotations

from hypothesis import strategies as st

from arb.faults.core_history import LUCK_MAX, STEPS, WHICH_MAX, Step


def histories(steps_max: int = 40) -> st.SearchStrategy[list[Step]]:
    """Draw histories: what happens, to which order or message, and with what luck."""
    step = st.tuples(
        st.sampled_from(STEPS), st.integers(0, WHICH_MAX - 1), st.integers(0, LUCK_MAX - 1)
    )
    return st.lists(step, max_size=steps_max)
