"""The settings in force as a console shows them: masked, each with its source and its limits."""

from __future__ import annotations

from typing import Any

from arb.settings.change import CHANGEABLE
from arb.settings.schema import entries
from arb.settings.settings import Settings


def shown(value: object) -> str:
    """Write a value for a person: lists with commas, a secret masked."""
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def settings_closeup(settings: Settings) -> dict[str, Any]:
    """Return every setting, ready for JSON; those that may change while the engine runs first."""
    every = entries()
    order = [*CHANGEABLE, *(key for key in every if key not in CHANGEABLE)]
    return {
        "file": str(settings.file) if settings.file is not None else None,
        "settings": [
            {
                "key": key,
                "value": shown(settings.value(key)),
                "unit": every[key].setting.unit,
                "source": str(settings.source(key)),
                "reason": every[key].setting.reason,
                "allowed": every[key].allowed if not every[key].secret else "",
                "changeable": key in CHANGEABLE,
            }
            for key in order
        ],
    }
