"""``arb settings``: the settings in force, each with its source, keys masked."""

from __future__ import annotations

import sys
from typing import Annotated, Any

from cyclopts import Parameter
from rich.table import Table

from arb.cli.common import Json, SettingsFile, load_settings, print_json, terminal
from arb.settings import Mode, Secret, Settings
from arb.settings.render import defaults_text
from arb.settings.schema import Entry, entries
from arb.settings.shown import shown
from arb.settings.venues import address


def settings(
    *,
    settings: SettingsFile = None,
    mode: Annotated[
        Mode | None, Parameter(help="Also show the exchange's hosts as this mode uses them.")
    ] = None,
    defaults: Annotated[
        bool, Parameter(negative="", help="Print a settings file with every default.")
    ] = False,
    json: Json = False,
) -> None:
    """Print the settings in force and where each came from; keys are masked."""
    if defaults:
        sys.stdout.write(defaults_text())
        return
    in_force = load_settings(settings)
    hosts = {} if mode in {None, Mode.SIM} else _hosts(in_force, Mode(mode))
    if json:
        rows = {entry.key: _as_json(in_force, entry) for entry in entries().values()}
        print_json({"settings": rows, "mode": mode, "hosts": hosts})
    else:
        _show(in_force, mode, hosts)


def _hosts(in_force: Settings, mode: Mode) -> dict[str, dict[str, str]]:
    found = {}
    for name in ("api_base", "ws_url"):
        url, source = address(in_force, mode, name)
        found[name] = {"value": url, "source": str(source)}
    return found


def _as_json(in_force: Settings, entry: Entry) -> dict[str, Any]:
    value = in_force.value(entry.key)
    return {
        "value": str(value) if isinstance(value, Secret) else value,
        "unit": entry.setting.unit,
        "source": str(in_force.source(entry.key)),
        "variable": entry.variable,
        "reason": entry.setting.reason,
    }


def _show(in_force: Settings, mode: Mode | None, hosts: dict[str, dict[str, str]]) -> None:
    table = Table("setting", "value", "unit", "from")
    section = ""
    for entry in entries().values():
        if entry.key.rpartition(".")[0] != section:
            section = entry.key.rpartition(".")[0]
            table.add_section()
        source = str(in_force.source(entry.key))
        table.add_row(entry.key, shown(in_force.value(entry.key)), entry.setting.unit, source)
    table.add_section()
    for name, host in hosts.items():
        table.add_row(f"{name} in {mode}", host["value"], "", host["source"])
    terminal().print(table)


def settings_facts(in_force: Settings) -> tuple[tuple[str, str], ...]:
    """Return every setting with its value, unit and source, for the console's page of them."""
    facts = []
    for entry in entries().values():
        value = f"{shown(in_force.value(entry.key))} {entry.setting.unit}".strip()
        facts.append((entry.key, f"{value or 'empty'}  ·  {in_force.source(entry.key)}"))
    return tuple(facts)
