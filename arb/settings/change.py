"""Changes one setting of a running engine: what may change, what is allowed, what came of it."""

from __future__ import annotations

import attrs

from arb.settings.errors import SettingsError
from arb.settings.schema import Entry, WrongType, entries, from_text, nearest
from arb.settings.settings import Settings, Source
from arb.settings.together import check_together

# What is read anew for every decision. All others are built into connections, files or actors, and
# take a new start.
CHANGEABLE = (
    "strategy.taker_edge_threshold",
    "strategy.maker_edge_threshold",
    "strategy.min_edge_after_fees",
    "strategy.max_edge_threshold",
    "risk.max_total_exposure_cents",
    "execution.maker_timeout_ms",
    "execution.stale_odds_threshold_ms",
)

SHOWN_MAX = 60


def changed(settings: Settings, key: str, text: str, source: Source) -> Settings:
    """Return the settings with one value as a person typed it; raises `SettingsError`.

    What may not change while the engine runs, is out of its range, or makes no sense beside the
    other settings is refused.
    """
    value = checked(key, text)
    section, _, name = key.partition(".")
    changed_section = attrs.evolve(getattr(settings, section), **{name: value})
    sources = {**settings.sources, key: source}
    result = attrs.evolve(settings, **{section: changed_section}, sources=sources)
    check_together(result)
    return result


def checked(key: str, text: str) -> int:
    """Return the value that a text stands for, itself allowed; raises `SettingsError`."""
    entry = _changeable(key)
    try:
        value: int = from_text(text, entry)
    except WrongType:
        raise SettingsError(f"{key} = {text[:SHOWN_MAX]!r}: must be {entry.allowed}") from None
    problem = entry.setting.problem(value)
    if problem is not None:
        raise SettingsError(f"{key} = {value}: {problem}")
    return value


def _changeable(key: str) -> Entry:
    entry = entries().get(key)
    if entry is None:
        near = nearest(key, CHANGEABLE)
        hint = f"the nearest is {near}" if near else "arb settings prints all that there are"
        raise SettingsError(f"{key[:SHOWN_MAX]!r} is no setting; {hint}")
    if key not in CHANGEABLE:
        raise SettingsError(
            f"{key} cannot change while the engine runs: write it into the settings file and start"
            f" again; what can is {', '.join(CHANGEABLE)}"
        )
    return entry
