"""What every test may ask for."""

from __future__ import annotations

import shutil
import tempfile
from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples each time, however slow the machine is just now; others, with
# --hypothesis-profile=default.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

ROOT = Path(__file__).resolve().parents[1]


def pytest_configure(config: pytest.Config) -> None:
    """Give tests a folder with a short name: the path of a socket has 107 bytes at most.

    Pytest's own names grow with each run. `--basetemp` names a folder that is kept.
    """
    is_worker = hasattr(config, "workerinput")
    if config.option.basetemp is None and not is_worker:
        folder = tempfile.mkdtemp(prefix="t")
        config.option.basetemp = f"{folder}/t"
        config.add_cleanup(partial(shutil.rmtree, folder, ignore_errors=True))


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of recorded bytes and published tables, or skip where it is missing."""
    data = ROOT.parent / "shared" / "data"
    if not data.is_dir():
        pytest.skip(f"{data} is not there: this test reads recorded data from it")
    return data
