"""The settings: declared in sections, read from a file and the environment, shown masked."""

from __future__ import annotations

from arb.settings.change import CHANGEABLE, changed, checked
from arb.settings.errors import SettingsError
from arb.settings.load import load
from arb.settings.odds_places import OddsPlace, odds_places
from arb.settings.rewrite import write_value
from arb.settings.secret import Secret
from arb.settings.sections import Engine, Kalshi, OddsFeed
from arb.settings.settings import Settings, Source, SourceKind
from arb.settings.venues import Mode, Venue, venue

__all__ = [
    "CHANGEABLE",
    "Engine",
    "Kalshi",
    "Mode",
    "OddsFeed",
    "OddsPlace",
    "Secret",
    "Settings",
    "SettingsError",
    "Source",
    "SourceKind",
    "Venue",
    "changed",
    "checked",
    "load",
    "odds_places",
    "venue",
    "write_value",
]
