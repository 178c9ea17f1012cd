"""What the tests of the supervised actors share."""

from __future__ import annotations

import os

import pytest

from actors.testing import Notes

# A check runs each rule over so many seeds; set ACTORS_SEEDS for a longer search.
SEEDS = int(os.environ.get("ACTORS_SEEDS", "100"))


@pytest.fixture
def seeds() -> range:
    """Return the seeds that a rule is tried under."""
    return range(SEEDS)


@pytest.fixture
def notes() -> Notes:
    """Return an empty notebook for probes."""
    return Notes()
