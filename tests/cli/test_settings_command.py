"""Tests of `arb settings`."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import orjson
import pytest

from arb.cli import app
from arb.settings.schema import entries

SECRET = "a5f-very-secret"


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, without a person's own variables."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("ARB_")]:
        monkeypatch.delenv(name)
    return tmp_path


def answer(capsys: pytest.CaptureFixture[str], *tokens: str) -> dict[str, Any]:
    """Run the command and return the object it prints."""
    assert app.run(["settings", *tokens, "--json"]) == 0
    found: dict[str, Any] = orjson.loads(capsys.readouterr().out)
    return found


def test_every_setting_is_printed_with_its_source(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Default, file and environment are told apart."""
    file = empty_folder / "mine.toml"
    file.write_text("[strategy]\nmin_books = 4\n")
    monkeypatch.setenv("ARB_RISK__MAX_CONCURRENT_MARKETS", "9")

    rows = answer(capsys, "--settings", str(file))["settings"]

    assert list(rows) == list(entries())
    assert (rows["strategy.min_books"]["value"], rows["strategy.min_books"]["source"]) == (
        4,
        str(file),
    )
    assert rows["risk.max_concurrent_markets"]["value"] == 9
    assert rows["risk.max_concurrent_markets"]["source"] == "ARB_RISK__MAX_CONCURRENT_MARKETS"
    assert rows["execution.maker_timeout_ms"] == {
        "value": 500,
        "unit": "ms",
        "source": "default",
        "variable": "ARB_EXECUTION__MAKER_TIMEOUT_MS",
        "reason": "a resting buy that has not filled by then rests at an old fair value",
    }


@pytest.mark.parametrize("form", [[], ["--json"], ["--mode", "demo"]])
def test_keys_are_masked(
    form: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sees that a key is set, and never the key."""
    for name in ("KALSHI__API_KEY", "KALSHI__PRIVATE_KEY_PATH", "ODDS_FEED__API_KEY"):
        monkeypatch.setenv(f"ARB_{name}", SECRET)

    assert app.run(["settings", *form]) == 0

    shown = capsys.readouterr().out
    assert SECRET not in shown
    assert shown.count("****") == 3


def test_the_hosts_of_a_mode_are_printed_as_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --mode, what the environment overrides is already worked in."""
    monkeypatch.setenv("ARB_KALSHI__API_BASE", "http://127.0.0.1:99")

    assert answer(capsys, "--mode", "demo")["hosts"] == {
        "api_base": {
            "value": "http://127.0.0.1:99/trade-api/v2",
            "source": "ARB_KALSHI__API_BASE",
        },
        "ws_url": {
            "value": "wss://external-api-ws.demo.kalshi.co/trade-api/ws/v2",
            "source": "default",
        },
    }


@pytest.mark.parametrize("tokens", [[], ["--mode", "sim"]])
def test_without_an_exchange_there_are_no_hosts(
    tokens: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The simulated world names its own."""
    assert answer(capsys, *tokens)["hosts"] == {}


def test_a_person_sees_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Values stand with units and sources; lists with commas."""
    assert app.run(["settings", "--mode", "demo"]) == 0

    shown = capsys.readouterr().out
    for part in ("max_concurrent_markets", "markets", "default", "nfl, nba, mlb, nhl"):
        assert part in shown
    assert "api_base in demo" in shown


def test_defaults_are_printed_as_a_settings_file(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever installed the package without the repository can start from this file."""
    assert app.run(["settings", "--defaults"]) == 0

    assert tomllib.loads(capsys.readouterr().out)["strategy"]["taker_edge_threshold"] == 5


def test_a_wrong_host_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A host that the mode may not use ends with 2."""
    monkeypatch.setenv("ARB_KALSHI__API_BASE", "https://external-api.kalshi.com")

    assert app.run(["settings", "--mode", "demo"]) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("arb: ARB_KALSHI__API_BASE: ")
    assert captured.err.count("\n") == 1
