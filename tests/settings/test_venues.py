"""Tests of the modes and of the hosts that each may speak to."""

from __future__ import annotations

from pathlib import Path

import pytest

from arb.settings import Mode, Settings, SettingsError, load, venue
from arb.settings.venues import address, is_loopback

KEYS = {"ARB_KALSHI__API_KEY": "id", "ARB_KALSHI__PRIVATE_KEY_PATH": "~/key.pem"}
PRODUCTION = "https://external-api.kalshi.com/trade-api/v2"
DEMO = "https://external-api.demo.kalshi.co/trade-api/v2"
HERE = "http://127.0.0.1:8765/trade-api/v2"


def settings_of(folder: Path, text: str = "", **environ: str) -> Settings:
    """Load a file's text and an environment."""
    (folder / "settings.toml").write_text(text)
    return load(environ, folder=folder)


@pytest.mark.parametrize(
    ("mode", "rest", "ws"),
    [
        (Mode.PAPER, PRODUCTION, "wss://external-api-ws.kalshi.com/trade-api/ws/v2"),
        (Mode.DEMO, DEMO, "wss://external-api-ws.demo.kalshi.co/trade-api/ws/v2"),
        (Mode.LIVE, PRODUCTION, "wss://external-api-ws.kalshi.com/trade-api/ws/v2"),
    ],
)
def test_each_mode_has_its_own_hosts(tmp_path: Path, mode: Mode, rest: str, ws: str) -> None:
    """Without a setting, a mode speaks to the host that Kalshi recommends for it."""
    reached = venue(settings_of(tmp_path, **KEYS), mode)

    assert (reached.rest_url, reached.ws_url, reached.mode) == (rest, ws, mode)
    assert reached.api_key.reveal() == "id"
    assert reached.key_file == Path("~/key.pem").expanduser()


@pytest.mark.parametrize(
    "written",
    [
        "http://127.0.0.1:8765",
        "http://127.0.0.1:8765/",
        "http://127.0.0.1:8765/trade-api/v2",
        "http://127.0.0.1:8765/trade-api/v2/",
    ],
)
def test_the_api_path_may_be_written_or_not(tmp_path: Path, written: str) -> None:
    """With or without /trade-api/v2, and with a slash at its end."""
    settings = settings_of(tmp_path, ARB_KALSHI__API_BASE=written)

    url, source = address(settings, Mode.DEMO, "api_base")

    assert (url, str(source)) == (HERE, "ARB_KALSHI__API_BASE")


def test_the_socket_address_stays_as_written(tmp_path: Path) -> None:
    """Only the REST address is completed."""
    settings = settings_of(tmp_path, ARB_KALSHI__WS_URL="ws://localhost:1/x")

    assert address(settings, Mode.DEMO, "ws_url")[0] == "ws://localhost:1/x"


def test_what_comes_closer_decides(tmp_path: Path) -> None:
    """The environment beats the file; in one place the value for every mode beats the mode's."""
    general, own = "http://127.0.0.1:1", "http://127.0.0.1:2"
    both = f'[kalshi]\napi_base = "{general}"\n[kalshi.demo]\napi_base = "{own}"\n'
    by_file = settings_of(tmp_path, both)
    by_variable = settings_of(
        tmp_path, f'[kalshi]\napi_base = "{general}"\n', ARB_KALSHI__DEMO__API_BASE=own
    )
    mode_only = settings_of(tmp_path, f'[kalshi.demo]\napi_base = "{own}"\n')

    found = [address(each, Mode.DEMO, "api_base")[0] for each in (by_file, by_variable, mode_only)]

    assert found == [f"{base}/trade-api/v2" for base in (general, own, own)]


@pytest.mark.parametrize(
    ("mode", "base"),
    [
        (Mode.DEMO, "https://external-api.kalshi.com"),
        (Mode.DEMO, "https://api.elections.kalshi.com"),
        (Mode.DEMO, "https://external-api.demo.kalshi.co.evil.example"),
        (Mode.DEMO, "http://external-api.demo.kalshi.co"),
        (Mode.LIVE, "https://external-api.demo.kalshi.co"),
        (Mode.LIVE, "http://127.0.0.1:8765"),
        (Mode.LIVE, "http://external-api.kalshi.com"),
        (Mode.LIVE, "https://trading-api.kalshi.com"),
        (Mode.PAPER, "https://external-api.demo.kalshi.co"),
    ],
)
def test_a_mode_speaks_to_no_other_host(tmp_path: Path, mode: Mode, base: str) -> None:
    """Demo orders never go to production, live ones nowhere else, and none goes unencrypted."""
    settings = settings_of(tmp_path, ARB_KALSHI__API_BASE=base, **KEYS)

    with pytest.raises(SettingsError, match=r"^ARB_KALSHI__API_BASE: kalshi\.api_base = "):
        venue(settings, mode)


def test_the_simulated_world_takes_no_host_from_the_settings(tmp_path: Path) -> None:
    """In sim nothing that stands in the settings can lead off the machine."""
    with pytest.raises(SettingsError, match="names its own hosts"):
        venue(settings_of(tmp_path, **KEYS), Mode.SIM)


@pytest.mark.parametrize("missing", KEYS)
def test_a_missing_key_is_asked_for(tmp_path: Path, missing: str) -> None:
    """The line names the variable that is to be set."""
    environ = {name: value for name, value in KEYS.items() if name != missing}

    with pytest.raises(SettingsError, match=f"demo needs .*: set {missing}"):
        venue(settings_of(tmp_path, **environ), Mode.DEMO)


@pytest.mark.parametrize("mode", Mode)
def test_every_mode_has_its_words(mode: Mode) -> None:
    """What is on the screen cannot be mistaken for another mode."""
    assert len({each.words for each in Mode}) == len(Mode)
    assert ("REAL MONEY" in mode.words) == (mode is Mode.LIVE)


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("127.0.0.1.example", False),
        ("", False),
    ],
)
def test_this_machine_is_known_by_its_names(host: str, here: bool) -> None:
    """Loopback is localhost and the addresses reserved for it."""
    assert is_loopback(host) is here
