"""What stands still while trading may go on: actors that are set apart, stuck, or do no work.

It is found anew for each picture, from the tree and from when each work was last done, so that
what a person is shown needs nobody else to be at work. Markets are left out: their rows show it,
and risk keeps what they hold on sale.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from actors import NodeSnapshot, State
from arb.engine.board import Alarm, Board
from arb.engine.names import is_market
from arb.engine.pulse import MS_PER_S, Pulse, span

# What a person can do about an actor in such a state; in any other a new instance may help.
WAYS_OUT = {
    State.QUARANTINED: "arb release {name} starts it again",
    State.STUCK: "it ends with the process alone: arb stop, then arb run",
}
NEW_INSTANCE = "arb restart {name} starts it anew"


def standstills(board: Board, nodes: Iterable[NodeSnapshot]) -> Iterator[Alarm]:
    """Yield an alarm for each actor and supervisor, but markets, that stands still."""
    for node in nodes:
        pulse = board.pulses.get(node.name)
        if is_market(node.path):
            continue
        if node.state in WAYS_OUT:
            yield _down(board, node, pulse)
        elif pulse is not None and pulse.is_late(board.clock.monotonic_ns()):
            yield late(board, node.name, pulse, node.state)


def late(board: Board, name: str, pulse: Pulse, state: State) -> Alarm:
    """Return the alarm over an actor whose work is overdue."""
    now_ns = board.clock.monotonic_ns()
    since_ms = board.clock.wall_ms() - pulse.age_ms(now_ns)
    return Alarm(name, since_ms, f"{pulse.text(now_ns)}; {_way_out(name, state)}")


def _down(board: Board, node: NodeSnapshot, pulse: Pulse | None) -> Alarm:
    down_ms = round(node.state_for_s * MS_PER_S)
    text = f"{node.state} for {span(down_ms)}"
    if pulse is not None:
        text += f", {pulse.text(board.clock.monotonic_ns())}"
    since_ms = board.clock.wall_ms() - down_ms
    return Alarm(node.name, since_ms, f"{text}; {_way_out(node.name, node.state)}")


def _way_out(name: str, state: State) -> str:
    return WAYS_OUT.get(state, NEW_INSTANCE).format(name=name)
