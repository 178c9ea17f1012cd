"""``arb actors``: the actor tree of a running engine."""

from __future__ import annotations

from rich.table import Table

from arb.cli.common import Json, print_json, terminal
from arb.cli.errors import CommandFailed
from arb.cli.steer import Mode, World, picture_of
from arb.console import formats
from arb.console.actor_view import restarts_text
from arb.console.snapshot import ActorEntry, Unreadable, read_snapshot


def actors(*, json: Json = False, mode: Mode = None, world: World = None) -> None:
    """Print the actor tree of a running engine.

    Example: arb actors
    """
    document = picture_of(mode, world)
    if json:
        print_json({"actors": document.get("actors", [])})
        return
    try:
        picture = read_snapshot(document)
    except Unreadable as error:
        raise CommandFailed(str(error)) from None
    table = Table(title="Actors", title_justify="left")
    table.add_column("actor", no_wrap=True)
    table.add_column("state")
    for heading in ("restarts", "mailbox", "handled", "dropped", "up"):
        table.add_column(heading, justify="right")
    table.add_column("last error")
    for entry in picture.actors:
        table.add_row(*_row(entry))
    terminal().print(table)


def _row(entry: ActorEntry) -> tuple[str, ...]:
    # A supervisor has no mailbox of its own.
    capacity = f"/{entry.mailbox_capacity}" if entry.mailbox_capacity else ""
    return (
        f"{'  ' * entry.depth}{formats.one_line(entry.name)}",
        entry.state,
        restarts_text(entry),
        f"{entry.mailbox_length}{capacity}",
        str(entry.handled),
        str(entry.dropped),
        formats.age(entry.uptime_ms),
        formats.one_line(entry.last_error or ""),
    )
