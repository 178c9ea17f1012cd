"""The actor tree: who is up, who came back how often, and whose mailbox fills."""

from __future__ import annotations

from collections.abc import Mapping

from arb.console import formats
from arb.console.cells import Cell, Column, Line, Tone
from arb.console.closeups import ActorCloseup, Look
from arb.console.fact_view import Fact, facts_table
from arb.console.history import History
from arb.console.snapshot import ActorEntry, Snapshot
from arb.console.spark import sparkline
from arb.console.table_view import TableView
from arb.console.tickers import TickerNames, ticker_names

# A mailbox this full will soon refuse or drop.
FULL_PERCENT = 80
# A handler is a plain function of bounded time; one this long holds everybody up.
LONG_HANDLING_MS = 100
ERROR_COLUMNS_MAX = 200
# The end of a traceback names the fault; as much as a panel shows with some scrolling.
TRACE_LINES_MAX = 40
# What the panel says that the tree's own columns do not, or cut.
PANEL_FACTS = frozenset({"path", "state", "up", "generation", "restarts", "mailbox", "last error"})
SECOND_MS = 1_000

STATE_TONES = {
    "running": Tone.GOOD,
    "idle": Tone.GOOD,
    "busy": Tone.GOOD,
    "starting": Tone.WARN,
    "stopping": Tone.WARN,
    "stopped": Tone.DIM,
    "quarantined": Tone.WARN,
}
STATE_SIGNS = {
    "running": "●",
    "idle": "●",
    "busy": "●",
    "starting": "…",
    "stopping": "…",
    "stopped": "○",
    "quarantined": "‖",
}


class Rates:
    """Messages each second of every actor, from pictures at least a second apart."""

    def __init__(self) -> None:
        self._at_ms: int | None = None
        self._handled: dict[str, int] = {}
        self._per_s: dict[str, float] = {}

    def __repr__(self) -> str:
        return f"<Rates of {len(self._per_s)} actors>"

    def observe(self, picture: Snapshot) -> Mapping[str, float]:
        """Take a picture in and return the newest rates, by the actors' paths.

        An actor whose count fell has been replaced; it has no rate until the next picture.
        """
        handled = {entry.path: entry.handled for entry in picture.actors}
        if self._at_ms is None or picture.at_ms < self._at_ms:
            self._at_ms, self._handled, self._per_s = picture.at_ms, handled, {}
            return self._per_s
        elapsed_ms = picture.at_ms - self._at_ms
        if elapsed_ms < SECOND_MS:
            return self._per_s
        self._per_s = {
            path: (count - self._handled[path]) * SECOND_MS / elapsed_ms
            for path, count in handled.items()
            if self._handled.get(path, count + 1) <= count
        }
        self._at_ms, self._handled = picture.at_ms, handled
        return self._per_s


def actors_table(
    picture: Snapshot | None, rates: Mapping[str, float], history: History
) -> TableView[ActorEntry]:
    """Return the supervision tree, parents above their children."""
    actors = picture.actors if picture else ()
    # A market's actor has its ticker for a name.
    names = ticker_names(tuple(entry.name for entry in actors))
    empty = "no picture of the engine yet" if picture is None else "the engine shows no actors"
    return TableView(
        title="Actors",
        note=_note(actors),
        columns=_columns(names, rates, history),
        rows=actors,
        key=lambda entry: entry.path,
        empty=empty,
        detail=actor_detail,
        context=(
            names,
            tuple(sorted(rates.items())),
        ),
    )


def actor_detail(entry: ActorEntry) -> Line:
    """Return one line with the whole path and the whole last error of an actor."""
    error = formats.one_line(entry.last_error or "")
    return (
        Cell(formats.one_line(entry.path), Tone.STRONG),
        Cell(f" generation {entry.generation}, ", Tone.DIM),
        Cell(f"last error: {error}" if error else "no error", Tone.BAD if error else Tone.DIM),
    )


def actor_facts(entry: ActorEntry) -> tuple[tuple[str, str], ...]:
    """Return everything known of one actor as names and values."""
    capacity = "no limit" if entry.mailbox_capacity is None else str(entry.mailbox_capacity)
    busy = "nothing" if entry.handling_for_ms is None else f"for {entry.handling_for_ms} ms"
    up = formats.NOTHING if entry.uptime_ms is None else formats.duration(entry.uptime_ms)
    return (
        ("path", entry.path),
        ("kind", entry.kind),
        ("state", entry.state),
        ("up", up),
        ("generation", str(entry.generation)),
        ("restarts", restarts_text(entry)),
        ("mailbox", f"{entry.mailbox_length} of {capacity}, at most {entry.mailbox_peak}"),
        ("dropped", str(entry.dropped)),
        ("handled", str(entry.handled)),
        ("handling", busy),
        ("last error", entry.last_error or "none"),
    )


def actor_panel(entry: ActorEntry | None, look: Look | None, why: str) -> TableView[Fact]:
    """Return everything of the selected actor, in the order in which trouble is looked for."""
    if entry is None:
        return facts_table("Actor", (), empty=why or "no actor is selected")
    facts = [Fact(name, value) for name, value in actor_facts(entry) if name in PANEL_FACTS]
    seen = look.seen if look is not None else None
    if isinstance(seen, ActorCloseup):
        facts = _trouble(seen) + facts + _counted(seen)
    else:
        facts.append(Fact("more", why))
    return facts_table(formats.one_line(entry.name), facts, empty=why, name_columns=16)


def _trouble(seen: ActorCloseup) -> list[Fact]:
    facts = [Fact("handling", seen.handling)] if seen.handling else []
    if seen.waiting_on:
        text = f"{seen.waiting_on} for {formats.age(seen.waiting_for_ms)}"
        facts.append(Fact("waiting on", text, tone=Tone.WARN))
    facts += [Fact("deadlock", " → ".join(each), good=False) for each in seen.deadlocks]
    if seen.next_restart_ms is not None:
        facts.append(Fact("starts in", formats.age(seen.next_restart_ms), tone=Tone.WARN))
    if seen.failures:
        text = f"{seen.failures}, the last {formats.age(seen.failed_ms)} ago"
        facts.append(Fact("failures", text, good=False))
        lines = [line for line in seen.traceback.splitlines() if line.strip()]
        facts += [
            Fact(f"trace {number:>3}", line.rstrip(), tone=Tone.BAD)
            for number, line in enumerate(lines[-TRACE_LINES_MAX:], 1)
        ]
    else:
        facts.append(Fact("failures", "none", good=True))
    return facts


def _counted(seen: ActorCloseup) -> list[Fact]:
    facts = [
        Fact(f"letters {number}", f"{each.count} {each.reason}, {formats.age(each.age_ms)} ago")
        for number, each in enumerate(seen.dead_letters, 1)
    ]
    facts += [Fact(name, str(count)) for name, count in seen.counters.items()]
    return facts + [Fact(f"spec {name}", value) for name, value in seen.spec.items()]


def restarts_text(entry: ActorEntry) -> str:
    """Return how often an actor came back, of how often it may: ``2/5``."""
    limit = "" if entry.restart_limit is None else f"/{entry.restart_limit}"
    return f"{entry.restarts}{limit}"


def _columns(
    names: TickerNames, rates: Mapping[str, float], history: History
) -> tuple[Column[ActorEntry], ...]:
    def rate(entry: ActorEntry, _width: int) -> Cell:
        per_s = rates.get(entry.path)
        return Cell(formats.NOTHING if per_s is None else formats.amount(per_s), Tone.PLAIN)

    def course(entry: ActorEntry, width: int) -> Cell:
        return Cell(sparkline(history.rates(entry.path, width), width, low=0.0), Tone.NOTE)

    def name(entry: ActorEntry, width: int) -> Cell:
        sign = "▾ " if "supervisor" in entry.kind.lower() else ""
        indent = f"{'  ' * entry.depth}{sign}"
        text = formats.one_line(names.fitted(entry.name, width - len(indent)))
        return Cell(f"{indent}{text}", Tone.NOTE if sign else Tone.STRONG)

    return (
        Column("Actor", 22, 0, name, 44),
        Column("State", 12, 1, lambda e, _: _state(e), 14),
        Column("Restarts", 8, 2, lambda e, _: _restarts(e), right=True, sort=lambda e: e.restarts),
        Column(
            "Mailbox",
            11,
            3,
            lambda e, _: _mailbox(e),
            13,
            right=True,
            sort=lambda e: e.mailbox_length,
        ),
        Column("Msg/s", 5, 4, rate, right=True, sort=lambda e: rates.get(e.path)),
        Column("Course", 10, 5, course, 20),
        Column(
            "Handled",
            7,
            10,
            lambda e, _: Cell(formats.amount(e.handled), Tone.DIM),
            right=True,
            sort=lambda e: e.handled,
        ),
        Column("Drop", 5, 9, lambda e, _: _dropped(e), right=True),
        Column("Busy", 6, 8, lambda e, _: _busy(e), right=True),
        Column("Up", 7, 7, lambda e, _: _up(e), right=True),
        Column("Gen", 3, 11, lambda e, _: Cell(str(e.generation), Tone.DIM), right=True),
        Column("Last error", 12, 6, lambda e, _: _error(e), ERROR_COLUMNS_MAX),
    )


def _state(entry: ActorEntry) -> Cell:
    busy_ms = entry.handling_for_ms
    if busy_ms is not None and busy_ms >= LONG_HANDLING_MS:
        return Cell(f"! busy {formats.latency(busy_ms * 1_000)}", Tone.BAD)
    return Cell(
        f"{STATE_SIGNS.get(entry.state, '✗')} {formats.one_line(entry.state)}",
        STATE_TONES.get(entry.state, Tone.BAD),
    )


def _restarts(entry: ActorEntry) -> Cell:
    return Cell(restarts_text(entry), Tone.WARN if entry.restarts else Tone.DIM)


def _mailbox(entry: ActorEntry) -> Cell:
    if not entry.mailbox_capacity:
        return Cell(str(entry.mailbox_length), Tone.DIM)
    full = entry.mailbox_length * 100 >= entry.mailbox_capacity * FULL_PERCENT
    text = f"{entry.mailbox_length}/{entry.mailbox_capacity}"
    return Cell(f"!{text}", Tone.BAD) if full else Cell(text, Tone.DIM)


def _dropped(entry: ActorEntry) -> Cell:
    return Cell(formats.amount(entry.dropped), Tone.WARN if entry.dropped else Tone.DIM)


def _busy(entry: ActorEntry) -> Cell:
    if entry.handling_for_ms is None:
        return Cell(formats.NOTHING, Tone.DIM)
    long = entry.handling_for_ms >= LONG_HANDLING_MS
    text = formats.latency(entry.handling_for_ms * 1_000)
    return Cell(f"!{text}", Tone.BAD) if long else Cell(text)


def _up(entry: ActorEntry) -> Cell:
    return Cell(formats.age(entry.uptime_ms), Tone.DIM)


def _error(entry: ActorEntry) -> Cell:
    return Cell(formats.one_line(entry.last_error or ""), Tone.BAD)


def _note(actors: tuple[ActorEntry, ...]) -> str:
    if not actors:
        return ""
    down = sum(STATE_TONES.get(entry.state) is not Tone.GOOD for entry in actors)
    return f"{len(actors)} actors, {f'{down} not running' if down else 'all running'}"
