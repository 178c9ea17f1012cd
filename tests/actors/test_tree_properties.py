"""Random trees and random histories: whatever happens, the rules hold."""

# flake8: noqa: ASYNC124 - the kit awaits what it is given, whether that waits or not

from __future__ import annotations

import os
from random import Random
from typing import Any

import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

from actors import (
    ActorError,
    Backoff,
    ChildSpec,
    Exceeded,
    Intensity,
    Restart,
    RestartIntensityExceeded,
    State,
    Strategy,
    SupervisorSpec,
    System,
    block,
    conflate,
    drop_oldest,
    fail,
    open_system,
)
from actors.node import ALIVE
from actors.testing import Crash, Hook, Notes, Probe, check_sums, probe, run_seeded

EXAMPLES = int(os.environ.get("ACTORS_EXAMPLES", "500"))
BOXES = [fail(3), drop_oldest(2), block(2), conflate(type, 3), fail(3, keep_s=0), fail(9, keep_s=1)]
RESTING = ALIVE - {State.STOPPING, State.STUCK} | {State.STOPPED, State.QUARANTINED}

leaf = st.fixed_dictionaries(
    {
        "restart": st.sampled_from(Restart),
        "box": st.integers(0, len(BOXES) - 1),
        "direct": st.booleans(),
        "boot_fails": st.integers(0, 6),
        "clean_up_s": st.sampled_from([0.0, 0.3, 5.0]),
    }
)
branch_options = {
    "strategy": st.sampled_from(Strategy),
    "exceeded": st.sampled_from(Exceeded),
    "restart": st.sampled_from(Restart),
    "limit": st.integers(0, 6),
    "base_s": st.sampled_from([0.0, 0.2]),
}
branch = st.recursive(
    leaf,
    lambda children: st.fixed_dictionaries(
        {**branch_options, "children": st.lists(children, min_size=1, max_size=3)}
    ),
    max_leaves=6,
)
tree = st.fixed_dictionaries(
    {**branch_options, "children": st.lists(branch, min_size=1, max_size=3)}
)
ACTS = (
    *("tell", "tell", "flood", "crash", "end", "ask", "signal"),
    *("kill", "restart", "quarantine", "release", "remove", "spawn"),
)
acts = st.tuples(st.sampled_from(ACTS), st.integers(0, 30), st.sampled_from([None, 0.0, 0.05, 1.0]))


def build(described: dict[str, Any], name: str, notes: Notes) -> ChildSpec:
    """Turn a drawn description into specs."""
    if "children" in described:
        children = [
            build(each, f"{name}{n}", notes) for n, each in enumerate(described["children"])
        ]
        return SupervisorSpec(
            name,
            children,
            strategy=described["strategy"],
            exceeded=described["exceeded"],
            restart=described["restart"],
            intensity=Intensity(described["limit"], per_s=5),
            backoff=Backoff(described["base_s"], 1.0),
        )
    box = BOXES[described["box"]]

    async def start(probe: Probe) -> None:
        await trio.lowlevel.checkpoint()
        if described["boot_fails"] and probe.ctx.generation % 7 == described["boot_fails"]:
            raise Crash("boot")

    async def end(_: Probe) -> None:
        await trio.sleep(described["clean_up_s"])

    hooks: dict[str, Hook] = {"start": start, "end": end}
    return probe(
        name,
        notes,
        living=True,
        hooks=hooks,
        restart=described["restart"],
        mailbox=box,
        direct=described["direct"] and box is not BOXES[2],
    )


async def act(system: System, what: str, number: int, notes: Notes, nursery: trio.Nursery) -> None:
    """Do one thing to the tree; a refusal is an answer, too."""
    nodes = system.snapshot().nodes
    path = nodes[number % len(nodes)].path
    is_actor = nodes[number % len(nodes)].kind == "actor"
    try:
        if what == "spawn":
            system.spawn(path, probe(f"new{number}", notes, living=True))
        elif what in ("kill", "restart", "quarantine", "release", "remove"):
            getattr(system, what)(path)
        elif not is_actor:
            return
        elif what == "ask":
            nursery.start_soon(ask, system, path)
        elif what == "signal":
            system.address(path).signal(number)
        else:
            messages = {"crash": Crash("x"), "end": lambda p: p.ctx.end()}
            for _ in range(8 if what == "flood" else 1):
                system.address(path).tell(messages.get(what, number))
    except ActorError:
        return


async def ask(system: System, path: str) -> None:
    """Ask something, and bear every outcome."""
    try:
        await system.address(path).ask("question", timeout_s=3)
    except ActorError:
        return


@given(tree, st.lists(acts, max_size=25), st.integers(0, 2**16))
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES <= 500,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_the_rules_hold_for_any_tree_and_any_history(
    described: dict[str, Any], history: list[tuple[str, int, float | None]], seed: int
) -> None:
    """No two lives at once, sums that add up at every step, states that settle, nothing left."""
    notes = Notes()
    spec = build(described, "r", notes)
    assert isinstance(spec, SupervisorSpec)

    async def main(rng: Random) -> None:
        choice = Random(seed)
        async with (
            trio.open_nursery() as nursery,
            open_system(spec, rng=rng, choose_direct=lambda: choice.random() < 0.5) as system,
        ):
            for what, number, pause_s in history:
                await act(system, what, number, notes, nursery)
                check_sums(system.snapshot())
                if pause_s is not None:
                    await trio.sleep(pause_s)
            await trio.sleep(60)
            await wait_all_tasks_blocked()
            snapshot = system.snapshot()
            check_sums(snapshot)
            held = [node.path for node in snapshot if node.state is State.QUARANTINED]
            for node in snapshot:
                is_held = any(node.path.startswith(f"{path}/") for path in held)
                assert node.state in RESTING or (is_held and node.state is State.WAITING), node
            alive = {node.path for node in snapshot if node.kind == "actor" and node.state in ALIVE}
            assert set(notes.alive) == alive

    try:
        run_seeded(seed, main)
    except* RestartIntensityExceeded:
        pass
    assert notes.alive == {}
