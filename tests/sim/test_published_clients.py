"""Clients that others published, pointed at the addresses that `arb sim --json` prints.

Each has a driver in `tests/sim/clients`, which uses the client as its documentation shows. None of
them is a dependency of ours: a driver runs under whichever interpreter has its client, this one or
those that ``ARB_CLIENT_PYTHONS`` names (paths, with colons between them), and is skipped where
none has. A throw-away environment is made with `python3.13 -m venv there` and
`there/bin/pip install kalshi-python-sync==3.34.0`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

DRIVERS = Path(__file__).parent / "clients"
PATIENCE_S = 90

TRADES = {"markets", "book", "place", "amend", "cancel", "fills"}
# Driver: the module it needs, and what must have worked.
CLIENTS = {
    "official_sync": ("kalshi_python_sync", TRADES | {"decrease", "positions", "listings"}),
    "official_async": ("kalshi_python_async", TRADES),
    "sdk_client": ("kalshi.ws", TRADES | {"decrease", "ws_book", "ws_fill"}),
    "pykalshi_client": ("pykalshi.afeed", TRADES | {"decrease", "ws_book", "ws_fill"}),
    "first_official": ("kalshi_python", {"balance", "markets", "gone"}),
    "kyro_client": ("kyro", {"balance", "markets", "book", "gone"}),
    "client_2024": ("kalshi_client", {"balance", "markets", "book", "orders", "fills"}),
}


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a simulated exchange as a person would and return the line it prints."""
    folder = str(tmp_path_factory.mktemp("sim"))
    command = [sys.executable, "-m", "arb", "sim", "--json", "--state-dir", folder]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline()
        process.terminate()


def interpreters() -> list[str]:
    named = os.environ.get("ARB_CLIENT_PYTHONS", "")
    return [sys.executable, *(path for path in named.split(":") if path)]


def has(python: str, module: str) -> bool:
    """Return whether an interpreter can import a client."""
    command = [python, "-c", f"import {module}"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("driver", sorted(CLIENTS))
def test_a_published_client_works_unchanged(driver: str, request: pytest.FixtureRequest) -> None:
    """It lists, reads, places, amends, cancels and sees its fills, as far as it can itself."""
    module, wanted = CLIENTS[driver]
    python = next((one for one in interpreters() if has(one, module)), None)
    if python is None:
        pytest.skip(f"no interpreter has {module}: name one in ARB_CLIENT_PYTHONS")
    line = request.getfixturevalue("ready")
    command = [python, "-B", str(DRIVERS / f"{driver}.py"), line]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = [json.loads(text) for text in done.stdout.splitlines()]
    assert wanted <= {one["step"] for one in found}, done.stdout


def test_every_driver_is_run() -> None:
    """A driver without a row here would never be run, nor a row without a driver."""
    files = {path.stem for path in DRIVERS.glob("*.py")} - {"driving"}
    assert files == set(CLIENTS)
