"""Where each provider of odds is reached, and with which key."""

from __future__ import annotations

import attrs

from arb.settings.errors import SettingsError
from arb.settings.settings import Settings


@attrs.frozen
class OddsPlace:
    """One provider's addresses, empty where it has none of the kind, and its key.

    The simulated world's is not ``metered``: what it answers costs nothing.
    """

    provider: str
    rest_url: str
    ws_url: str = ""
    key: str = attrs.field(default="", repr=False)
    metered: bool = True


def odds_places(settings: Settings) -> tuple[OddsPlace, ...]:
    """Return where every provider in use is; raises `SettingsError` for what is missing.

    What stands in [odds_feed] itself is the first provider's and goes before its own section.
    """
    providers = settings.odds_feed.provider
    return tuple(_place(settings, each, first=each == providers[0]) for each in providers)


def _place(settings: Settings, provider: str, *, first: bool) -> OddsPlace:
    name = provider.replace("-", "_")
    section = getattr(settings.odds_feed, name)
    found = {}
    for field in ("rest_url", "ws_url", "api_key"):
        if field not in attrs.fields_dict(type(section)):
            continue
        general = getattr(settings.odds_feed, field) if first else None
        found[field] = general or getattr(section, field)
        if not found[field]:
            key = f"odds_feed.{field}" if first else f"odds_feed.{name}.{field}"
            variable = f"ARB_{key.upper().replace('.', '__')}"
            raise SettingsError(
                f"{provider} needs {key}: set {variable}, or put it into a settings file"
            )
    return OddsPlace(
        provider, found["rest_url"], found.get("ws_url", ""), found["api_key"].reveal()
    )
