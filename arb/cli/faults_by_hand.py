"""``arb faults list``, ``on`` and ``off``: the faults of a running simulated world, by hand."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import App, Parameter
from rich import box
from rich.table import Table

from arb.cli.common import Json, print_json, terminal
from arb.cli.errors import UsageError
from arb.cli.steer import World, ask_engine, find_engine
from arb.console.formats import clock
from arb.io.rendezvous import RunningEngine

# No other mode has a world that could be put under a fault.
MODE = "sim"


def add_to(app: App) -> None:
    """Add the commands to ``arb faults``."""
    app.command(list_faults, name="list")
    app.command(switch_on, name="on")
    app.command(switch_off, name="off")


def list_faults(*, world: World = None, json: Json = False) -> None:
    """Print what the running simulated world can be put under. Example: arb faults list."""
    shown = ask_engine(find_engine(MODE, world), "show", what="faults")["shown"]
    if json:
        print_json(shown["faults"])
        return
    table = Table("Now", "Fault", "Where", "Since", "What it does", box=box.SIMPLE_HEAD)
    for row in shown["faults"]:
        at_ms = row["at_ms"]
        since = "" if at_ms is None else clock(at_ms, None)
        state = "ON" if row["on"] else "done" if at_ms is not None else "off"
        table.add_row(state, row["name"], row["where"], since, row["does"])
    terminal().print(table)


def switch_on(
    *names: Annotated[str, Parameter(help="Faults to switch on.")], world: World = None
) -> None:
    """Switch faults of the running simulated world on. Example: arb faults on order-refused."""
    if not names:
        raise UsageError("name a fault to switch on: arb faults list shows all")
    _switch(find_engine(MODE, world), names, "on")


def switch_off(
    *names: Annotated[str, Parameter(help="Faults to switch off.")],
    all: Annotated[bool, Parameter(negative="", help="Every fault that is on.")] = False,  # noqa: A002
    world: World = None,
) -> None:
    """Switch faults of the running simulated world off. Example: arb faults off --all."""
    if bool(names) is all:
        raise UsageError("name the faults to switch off, or give --all")
    engine = find_engine(MODE, world)
    if all:
        sys.stdout.write(f"{ask_engine(engine, 'faults_off')['text']}\n")
    else:
        _switch(engine, names, "off")


def _switch(engine: RunningEngine, names: tuple[str, ...], switch: str) -> None:
    for name in names:
        answer = ask_engine(engine, "fault", name=name, switch=switch)
        sys.stdout.write(f"{answer['text']}\n")
