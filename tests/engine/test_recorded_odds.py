"""What an engine records of its odds is what a replay finds, whoever the provider was."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from arb.engine.replay import Replay
from arb.faults.engine import ODDS
from arb.io.teams_file import packaged_teams
from arb.settings import Settings
from arb.settings.sections import PROVIDERS
from arb.tape.format import Feed
from arb.tape.reader import TapeReader
from tests.engine.test_odds_providers import settings_of

OpenRig = Callable[..., Any]


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_recorded_provider_is_replayed_to_the_same_quotes(
    provider: str, open_rig: OpenRig, tmp_path: Path, autojump_clock: object
) -> None:
    """Readings, lines that only a reading explains, and a reconnect are all on the tape."""
    async with open_rig(settings=settings_of(provider), tape=tmp_path / "day.tape") as rig:
        await trio.sleep(30)
        rig.network.deafen(*ODDS)
        rig.simulation.odds.cut_connections()
        await trio.sleep(2)
        rig.network.listen(*ODDS, rig.simulation.odds.serve_stream)
        await trio.sleep(30)
        counts = rig.board.counts
        markets = rig.markets()
    tape = tmp_path / "day-1.tape"
    with TapeReader(tape) as reader:
        feeds = {(record.feed, record.source) for record in reader}
    found = in_a_world_of_its_own(Replay(tape, Settings(), packaged_teams()))

    assert {(Feed.POLLED, provider), (Feed.ODDS, provider)} <= feeds
    assert found["quotes"] == counts["quotes"] > 100
    assert found["markets"] == len(markets)
    assert found["decisions"]["SKIP"] > 0


def in_a_world_of_its_own(replay: Replay) -> dict[str, Any]:
    """Run a replay, which runs a Trio of its own, beside the test's."""
    found: dict[str, Any] = {}
    thread = threading.Thread(target=lambda: found.update(replay.run()))
    thread.start()
    thread.join()
    return found
