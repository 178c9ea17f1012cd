"""Thresholds changed on a running engine: at once, everywhere, and written down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from arb.core.money import PriceE4
from arb.engine.control_requests import SteeringError
from arb.engine.messages import Retuned
from arb.journal.records import RecordKind
from arb.settings import Settings
from tests.engine.conftest import MAKER_ONLY, Rig
from tests.engine.market_bench import open_bench

OpenRig = Callable[..., Any]
KEY = "strategy.maker_edge_threshold"
SET = {"key": KEY, "value": "59", "by": "kim"}


def bought(rig: Rig) -> int:
    """Count the entries that ever reached the exchange."""
    return len(rig.entries())


async def test_a_change_reaches_every_market_at_once(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """No entry follows a threshold that no edge reaches, before or after a market's restart."""
    async with open_rig(settings=MAKER_ONLY) as rig:
        await rig.until(lambda: bought(rig) > 0)
        said = await rig.steering.steer("set", SET)
        assert said == f"{KEY} 2 -> 59, in all markets, until the engine ends"
        before = bought(rig)
        for name in rig.board.markets:
            await rig.system.kill(name)
        await rig.system.kill("risk")
        await trio.sleep(30)
        assert bought(rig) == before

        await rig.steering.steer("set", {"key": KEY, "value": "2"})
        await rig.until(lambda: bought(rig) > before)
        assert rig.board.counts["invariant_violations"] == 0


async def test_a_change_is_written_down_with_who_and_when(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """In the journal, in the log, and as the source of the setting."""
    async with open_rig() as rig:
        await trio.sleep(1)
        await rig.steering.steer("set", {**SET, "value": " 3 "})
        (record,) = [each for each in rig.parts.journal.each() if each.kind is RecordKind.SETTING]
        assert record.data == {"key": KEY, "old": 2, "new": 3, "by": "kim"}
        assert any(f"{KEY} 2 -> 3 by kim" in line.text for line in rig.board.log)
        seen = await rig.steering.show("settings", "")
        (row,) = [each for each in seen["settings"] if each["key"] == KEY]
        assert row["value"] == "3"
        assert row["source"].startswith("kim, 2026-")
        assert row["source"].endswith(" UTC")


async def test_a_wrong_value_changes_nothing(open_rig: OpenRig, autojump_clock: object) -> None:
    """It is refused in one line, and nothing is written down."""
    async with open_rig() as rig:
        await trio.sleep(1)
        before = rig.parts.settings
        with pytest.raises(SteeringError, match="from 1 to 99 cents"):
            await rig.steering.steer("set", {"key": KEY, "value": "100"})

        assert rig.parts.settings is before
        kinds = [each.kind for each in rig.parts.journal.each()]
        assert RecordKind.SETTING not in kinds


async def test_the_limit_as_a_setting_ends_what_plus_and_minus_made(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """It is what was said, and + raises it no further than that."""
    async with open_rig() as rig:
        await trio.sleep(1)
        await rig.steering.steer("limit", {"change_cents": -40_000})
        await rig.steering.steer("set", {"key": "risk.max_total_exposure_cents", "value": "30000"})
        assert rig.board.account is not None
        assert rig.board.account.limit_e6 == 300_000_000
        assert "$300.00" in await rig.steering.steer("limit", {"change_cents": 100_000})


async def test_a_change_is_written_to_the_settings_file(
    open_rig: OpenRig, autojump_clock: object, tmp_path: Path
) -> None:
    """Only where that is wished, and what cannot be written is in force all the same."""
    file = tmp_path / "own.toml"
    file.write_text("# mine\n")
    async with open_rig(settings=attrs.evolve(Settings(), file=file)) as rig:
        await trio.sleep(1)
        await rig.steering.steer("set", {"key": KEY, "value": "3"})
        assert file.read_text() == "# mine\n"
        said = await rig.steering.steer("set", {"key": KEY, "value": "4", "write": True})
        assert said.endswith(f"and written to {file}")
        assert "maker_edge_threshold = 4\n" in file.read_text()
        file.unlink()
        said = await rig.steering.steer("set", {"key": KEY, "value": "5", "write": True})
        assert "not written: " in said
        assert rig.parts.strategy.maker_edge_threshold == 5


async def test_without_a_settings_file_nothing_is_written(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """The line says how to have one."""
    async with open_rig() as rig:
        await trio.sleep(1)
        said = await rig.steering.steer("set", {"key": KEY, "value": "4", "write": True})
        assert "not written: " in said
        assert "--settings FILE" in said


async def test_a_quiet_market_decides_anew_when_it_is_told(autojump_clock: object) -> None:
    """Nothing of the market changes, and yet what was too little is enough now."""
    async with open_bench() as bench:
        bench.top(4_000, 4_900)
        await bench.ready(0.5)
        await trio.sleep(1)
        (row,) = bench.parts.board.markets.values()
        strategy = attrs.evolve(bench.parts.strategy, maker_edge_threshold=1)
        bench.parts.retune(attrs.evolve(bench.parts.settings, strategy=strategy))
        bench.tell(Retuned())
        await trio.sleep(1)

        assert bench.parts.board.markets[row.ticker].reason != row.reason
        assert (row.fair, row.ask_e4) == (0.5, PriceE4(4_900))
