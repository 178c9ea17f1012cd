"""What the tests of the supervised actors share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from actors.testing import Notes, OverSeeds, Rule, run_seeds

# A check tries each rule under so many seeds, which takes half a minute of one core for all rules;
# ACTORS_SEEDS=1000 searches longer, in a minute and a half.
SEEDS = int(os.environ.get("ACTORS_SEEDS", "250"))
# Enough to notice what is plainly broken while one is at work on it, in a check without slow tests.
SEEDS_OF_A_FAST_CHECK = 20
# Under so many seeds a rule has been wherever it ever goes; to measure it more often only takes
# its time twice again.
SEEDS_MEASURED = 50


@pytest.fixture
def over_seeds(pytestconfig: pytest.Config) -> OverSeeds:
    """Return what tries a rule under many seeds; ACTORS_SEED names a single one to repeat."""
    only = os.environ.get("ACTORS_SEED")
    is_fast = "not slow" in pytestconfig.getoption("markexpr")
    count = min(SEEDS, SEEDS_OF_A_FAST_CHECK) if is_fast else SEEDS
    seeds = range(count) if only is None else range(int(only), int(only) + 1)

    def run(rule: Rule) -> None:
        run_seeds(seeds[:SEEDS_MEASURED], rule)
        with _unmeasured():
            run_seeds(seeds[SEEDS_MEASURED:], rule)

    return run


@contextmanager
def _unmeasured() -> Iterator[None]:
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(tracer)


@pytest.fixture
def notes() -> Notes:
    """Return an empty notebook for probes."""
    return Notes()
