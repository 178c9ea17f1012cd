"""The modes, and which exchange hosts each of them may speak to.

A mode's hosts come from the settings of that mode. A value under [kalshi] itself, or in the
environment, overrides them, and is held to the same rule: demo orders go to demo hosts or to
this machine, live ones to production, and everything else is refused before anything starts.
"""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

import attrs

from arb.settings.errors import SettingsError
from arb.settings.secret import Secret
from arb.settings.settings import Settings, Source

API_PATH = "/trade-api/v2"

# Kalshi's published names; "trading-api.kalshi.com" is dead and stays out.
DEMO_HOSTS = frozenset(
    {
        "external-api.demo.kalshi.co",
        "external-api-ws.demo.kalshi.co",
        "demo-api.kalshi.co",
    }
)
PRODUCTION_HOSTS = frozenset(
    {
        "external-api.kalshi.com",
        "external-api-ws.kalshi.com",
        "api.elections.kalshi.com",
    }
)


class Mode(StrEnum):
    """What the engine is connected to, and whether orders leave this machine."""

    SIM = "sim"
    PAPER = "paper"
    DEMO = "demo"
    LIVE = "live"

    @property
    def words(self) -> str:
        """Say it so that nobody can mistake it."""
        return _WORDS[self]


_WORDS = {
    Mode.SIM: "SIMULATED WORLD",
    Mode.PAPER: "PAPER: REAL PRICES, NO ORDERS",
    Mode.DEMO: "DEMO EXCHANGE",
    Mode.LIVE: "LIVE: REAL MONEY",
}


@attrs.frozen
class Venue:
    """The exchange as one mode reaches it, with the keys that sign there."""

    mode: Mode
    rest_url: str
    ws_url: str
    api_key: Secret
    private_key_path: Secret

    @property
    def key_file(self) -> Path:
        """Return where the private key lies; never print it."""
        return Path(self.private_key_path.reveal()).expanduser()


def venue(settings: Settings, mode: Mode) -> Venue:
    """Return the exchange for a mode; raises `SettingsError` for a wrong host or a missing key."""
    rest_url, _ = address(settings, mode, "api_base")
    ws_url, _ = address(settings, mode, "ws_url")
    for name in ("api_key", "private_key_path"):
        if not settings.value(f"kalshi.{name}"):
            raise SettingsError(
                f"{mode} needs kalshi.{name}: set ARB_KALSHI__{name.upper()},"
                " or put it into a settings file of your own"
            )
    kalshi = settings.kalshi
    return Venue(mode, rest_url, ws_url, kalshi.api_key, kalshi.private_key_path)


def address(settings: Settings, mode: Mode, name: str) -> tuple[str, Source]:
    """Return ``api_base`` or ``ws_url`` as a mode uses it, and where it came from.

    Raises `SettingsError` where the mode may not speak to that host. ``api_base`` always comes
    with /trade-api/v2, however it was written.
    """
    if mode is Mode.SIM:
        raise SettingsError("the simulated world names its own hosts")
    key = _deciding_key(settings, mode, name)
    url: str = settings.value(key).rstrip("/")
    source = settings.source(key)
    problem = _problem(url, mode)
    if problem is not None:
        raise SettingsError(f"{source}: {key} = {url!r}: {problem}")
    if name == "api_base" and not url.endswith(API_PATH):
        url += API_PATH
    return url, source


def _deciding_key(settings: Settings, mode: Mode, name: str) -> str:
    """Prefer the value for every mode where somebody gave one, unless the mode's came closer."""
    general, own = f"kalshi.{name}", f"kalshi.{mode}.{name}"
    if not settings.value(general) or settings.source(own).kind > settings.source(general).kind:
        return own
    return general


def _problem(url: str, mode: Mode) -> str | None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host):
        return "live trades on production hosts alone" if mode is Mode.LIVE else None
    if parts.scheme not in {"https", "wss"}:
        return f"{parts.scheme}:// is for this machine alone"
    allowed = DEMO_HOSTS if mode is Mode.DEMO else PRODUCTION_HOSTS
    if host not in allowed:
        return f"{mode} may use {', '.join(sorted(allowed))}{_or_loopback(mode)}"
    return None


def _or_loopback(mode: Mode) -> str:
    return "" if mode is Mode.LIVE else " or 127.0.0.1"


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
