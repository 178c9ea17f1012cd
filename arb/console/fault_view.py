"""The faults of the simulated world as rows: which are on, since when, and what each does."""

from __future__ import annotations

from datetime import tzinfo

from arb.console import formats
from arb.console.cells import Cell, Column, Line, Tone
from arb.console.closeups import Faults, Look, WorldFault
from arb.console.table_view import TableView

TEXT_COLUMNS_MAX = 200
ON_SIGN = "●"


def seen_faults(look: Look | None) -> Faults | None:
    """Return what was seen of the world's faults, None before an answer."""
    seen = look.seen if look is not None else None
    return seen if isinstance(seen, Faults) else None


def faults_table(seen: Faults | None, why: str, zone: tzinfo | None) -> TableView[WorldFault]:
    """Return every fault that can be switched; ``why`` says why there is none to see."""
    rows = seen.faults if seen is not None else ()
    on = sum(each.on for each in rows)
    return TableView(
        title=f"Faults of the Simulated World{f', {on} ON' if on else ''}",
        note=f"{len(rows)} faults, Enter switches" if rows else "",
        columns=_columns(zone),
        rows=rows,
        key=lambda each: each.name,
        empty=why if seen is None else "this world has no faults to switch",
        detail=_detail,
        context=(zone,),
    )


def fault_facts(fault: WorldFault, zone: tzinfo | None) -> tuple[tuple[str, str], ...]:
    """Return all that is known of one fault."""
    at = "never" if fault.at_ms is None else formats.clock(fault.at_ms, zone)
    return (
        ("fault", fault.name),
        ("where", fault.where),
        ("does", fault.does),
        ("lasts", "once: it is over by itself" if fault.passing else "until it is switched off"),
        ("now", "on" if fault.on else "off"),
        ("since" if fault.on else "last", at),
        ("in a shell", f"arb faults {'off' if fault.on else 'on'} {fault.name}"),
    )


def _detail(each: WorldFault) -> Line:
    passing = " · happens to what comes next, then it is over" if each.passing else ""
    return (
        Cell(formats.one_line(f"{each.name}: {each.does}"), Tone.NOTE),
        Cell(passing, Tone.DIM),
    )


def _state(each: WorldFault) -> Cell:
    if each.on:
        return Cell(f"{ON_SIGN} ON", Tone.BAD)
    return Cell("  done" if each.at_ms is not None else "  off", Tone.DIM)


def _columns(zone: tzinfo | None) -> tuple[Column[WorldFault], ...]:
    def since(each: WorldFault, _width: int) -> Cell:
        text = formats.NOTHING if each.at_ms is None else formats.clock(each.at_ms, zone)
        return Cell(text, Tone.STRONG if each.on else Tone.DIM)

    return (
        Column("Now", 6, 0, lambda f, _: _state(f), sort=lambda f: int(f.on)),
        Column(
            "Fault", 21, 1, lambda f, _: Cell(formats.one_line(f.name), Tone.STRONG),
            sort=lambda f: f.name,
        ),
        Column(
            "Where", 7, 3, lambda f, _: Cell(formats.one_line(f.where), Tone.DIM),
            sort=lambda f: f.where,
        ),
        Column("Since", 8, 4, since, sort=lambda f: f.at_ms),
        Column(
            "What it does", 20, 2, lambda f, _: Cell(formats.one_line(f.does)), TEXT_COLUMNS_MAX
        ),
    )  # fmt: skip
