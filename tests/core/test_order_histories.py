"""Our books under random histories, compared with an exchange that keeps its own."""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from arb.faults.core_campaign import ASKED_FROM_SEEDS, run_core
from arb.faults.core_history import LUCK_MAX, STEPS, WHICH_MAX, CoreHistory, Step, play
from tests.core.order_history import histories

# A hundredth of what was run once; more with CORE_HISTORIES in the environment.
HISTORIES = int(os.environ.get("CORE_HISTORIES", "200"))


@given(histories())
def test_no_history_brings_the_books_apart(steps: list[Step]) -> None:
    """Whatever is lost, late, doubled or reordered: no limit is passed, and both sides agree."""
    play(steps)


class CoreAndExchange(RuleBasedStateMachine):
    """The core and its exchange, driven by rules that hypothesis chooses and makes smaller."""

    def __init__(self) -> None:
        super().__init__()
        self.history = CoreHistory()

    @rule(
        what=st.sampled_from(STEPS),
        which=st.integers(0, WHICH_MAX - 1),
        luck=st.integers(0, LUCK_MAX - 1),
    )
    def step(self, what: str, which: int, luck: int) -> None:
        """Let one thing happen, on our side, on theirs, or on the way."""
        self.history.step(what, which, luck)

    def teardown(self) -> None:
        """Let everything arrive, and hold both sides against each other."""
        self.history.heal()


def test_a_machine_finds_no_way_to_bring_the_books_apart() -> None:
    """The machine drives core and exchange through random histories of fifty steps."""
    run_state_machine_as_test(
        CoreAndExchange,
        settings=settings(max_examples=HISTORIES, stateful_step_count=50),
    )


def test_rolled_histories_hold_and_have_seen_everything() -> None:
    """Two thousand histories from their seeds go through all that they are for."""
    summary = run_core(1, ASKED_FROM_SEEDS, 1, now_s=lambda: 0.0, tell=lambda _so_far: None)

    assert summary.failed == []
    assert summary.missing == ()
