"""Paper trading against a simulated exchange in another process, from purchase to payment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import trio

from arb.io.clock import SystemClock
from arb.io.http import Http
from arb.io.net import SocketNetwork
from arb.journal.reading import read_records
from arb.journal.records import RecordKind
from arb.kalshi.listing import ListedOrder, ListedPosition
from arb.kalshi.rest import Rest
from arb.kalshi.sign import load_signer

ARB = (sys.executable, "-m", "arb")

# Games begin soon and are short, and at twenty times the speed their results are paid in seconds.
WORLD = ("--speed", "20", "--games", "6", "--start-in", "14", "--length", "3")

# Start, games, results, and two readings of them, on a machine that is busy with other tests.
RUN_S = 45
PATIENCE_S = 120.0


@pytest.fixture
def said(tmp_path: Path, root: Path) -> Iterator[dict[str, Any]]:
    """Serve a world whose games end soon; return where it is."""
    process = subprocess.Popen(
        [*ARB, "sim", "--json", *WORLD, "--state-dir", str(tmp_path / "world")],
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    yield orjson.loads(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()


async def account(said: dict[str, Any]) -> tuple[list[ListedOrder], list[ListedPosition], int]:
    """Return all orders that the exchange ever saw of us, what it says we hold, and our cash."""
    signer = load_signer(said["key_id"], Path(said["private_key_path"]))
    async with Http(SocketNetwork()) as http:
        rest = Rest(http, signer, SystemClock(), said["rest"])
        return await rest.orders(), await rest.positions(), await rest.balance()


@pytest.mark.slow
def test_positions_on_paper_are_paid_by_the_real_results(
    said: dict[str, Any], tmp_path: Path, root: Path
) -> None:
    """Bought here and paid here, in a state of its own; the exchange never hears of an order."""
    cash_before_e6 = trio.run(account, said)[2]
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("ARB_")},
        "PYTHONPATH": str(root),
        "ARB_KALSHI__API_BASE": said["rest"],
        "ARB_KALSHI__WS_URL": said["ws"],
        "ARB_KALSHI__API_KEY": said["key_id"],
        "ARB_KALSHI__PRIVATE_KEY_PATH": said["private_key_path"],
        "ARB_ODDS_FEED__REST_URL": said["odds_rest"],
        "ARB_ODDS_FEED__WS_URL": said["odds_ws"],
        "ARB_ODDS_FEED__API_KEY": said["odds_key"],
        "ARB_ENGINE__STATE_DIR": str(tmp_path / "state"),
    }
    ran = subprocess.run(
        [*ARB, "run", "--mode", "paper", "--headless", "--json", "--seconds", str(RUN_S)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    report = orjson.loads(ran.stdout.splitlines()[-1])
    assert report["mode"] == "paper"
    assert report["fills"] >= 1
    assert report["invariant_violations"] == 0
    assert trio.run(account, said) == ([], [], cash_before_e6)
    (place,) = (tmp_path / "state" / "paper").iterdir()
    kinds = [record.kind for record in read_records(place / "journal")]
    assert RecordKind.SETTLEMENT in kinds, ran.stderr[-2_000:]
    assert "settled: " in ran.stderr
