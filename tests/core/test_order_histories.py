"""Our books under random histories, compared with an exchange that keeps its own."""

from __future__ import annotations

import random

import pytest
from hypothesis import given

from tests.core.order_history import STEPS, OrderHistory, Step, histories

# Weights that make whole lives likely: what is sent is mostly heard of, and fills.
WEIGHTS = (4, 5, 1, 2, 6, 1, 6, 6, 1, 1)


def play(steps: list[Step]) -> OrderHistory:
    """Let a history happen, then let everything arrive."""
    history = OrderHistory()
    for step in steps:
        history.step(*step)
    history.heal()
    return history


def rolled(seed: int, length: int = 120) -> list[Step]:
    """Roll a long history from a seed."""
    rng = random.Random(seed)
    names = rng.choices(STEPS, WEIGHTS, k=length)
    return [(name, rng.randrange(6), rng.randrange(5_000)) for name in names]


@given(histories())
def test_no_history_brings_the_books_apart(steps: list[Step]) -> None:
    """Whatever is lost, late, doubled or reordered: no limit is passed, and both sides agree."""
    play(steps)


@pytest.mark.parametrize("seed", range(20))
def test_long_lives_end_in_agreement(seed: int) -> None:
    """Fifteen long histories a seed: entries, exits that move, fills, cancels, losses."""
    for number in range(15):
        play(rolled(1_000 * seed + number))


@pytest.mark.slow
def test_the_histories_reach_what_they_are_for() -> None:
    """Rolled histories hold every kind of life; if they did not, they would prove little."""
    seen = set()
    for seed in range(60):
        history = play(rolled(seed))
        for order in history.ledger.orders.values():
            purpose, state = order.intent.purpose.value, order.state.value
            seen.add(f"{purpose} {state}")
            seen.add(f"{purpose} moved" if order.lowest_e4 < order.highest_e4 else "not moved")
            seen.add("part filled" if 0 < order.filled_e2 < order.count_e2 else "whole")
        seen.add("gains" if any(p.realised_e6 for p in history.ledger.positions.values()) else "")

    assert seen >= {
        "entry closed",
        "entry refused",
        "entry resting",
        "exit closed",
        "exit refused",
        "exit resting",
        "exit moved",
        "part filled",
        "gains",
    }
