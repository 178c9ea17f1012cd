"""The test kit itself, and the canary for the private switch it turns."""

from __future__ import annotations

from random import Random

import pytest
import trio

from actors import State, SupervisorSpec, System, open_system
from actors.testing import (
    Notes,
    check_sums,
    crash_at,
    probe,
    run_seeded,
    run_tree,
    wait_for_state,
    wait_until,
)


def order_under(seed: int) -> tuple[int, ...]:
    """Return the order in which tasks that are all ready run under a seed."""
    order: list[int] = []

    async def note(n: int) -> None:
        for _ in range(5):
            order.append(n)
            await trio.lowlevel.checkpoint()

    async def main(_: Random) -> None:
        async with trio.open_nursery() as nursery:
            for n in range(6):
                nursery.start_soon(note, n)

    run_seeded(seed, main)
    return tuple(order)


def test_canary_the_seed_decides_trios_order() -> None:
    """Trio's private switch is still there, and does what the whole kit stands on."""
    assert len({order_under(3) for _ in range(20)}) == 1
    assert len({order_under(seed) for seed in range(50)}) > 20


def test_the_switch_is_put_back() -> None:
    """Programs beside the kit run as if it were not there."""
    run = trio._core._run
    before = (run._ALLOW_DETERMINISTIC_SCHEDULING, run._r.getstate())
    order_under(1)

    assert (run._ALLOW_DETERMINISTIC_SCHEDULING, run._r.getstate()) == before


def test_the_same_seed_gives_the_same_history(seeds: range) -> None:
    """Everything that probes note is equal, in the same order."""

    def history(seed: int) -> list[tuple[str, str, object]]:
        notes = Notes()
        children = [crash_at(probe(name, notes, direct=True), 3) for name in "abc"]

        async def body(system: System) -> None:
            for n in range(9):
                system.address("abc"[n % 3]).tell(n)
                await trio.sleep(0.01)
            await trio.sleep(5)

        run_tree(seed, SupervisorSpec("root", children), body)
        return notes.entries

    for seed in seeds[:20]:
        assert history(seed) == history(seed)


def test_crash_at_fails_once_at_the_message_it_was_told(notes: Notes) -> None:
    """Counted over restarts."""
    spec = SupervisorSpec("root", [crash_at(probe("a", notes), 2)])

    async def body(system: System) -> None:
        for n in range(4):
            system.address("a").tell(n)
        await wait_until(lambda: len(notes.of("received")) == 3)
        assert str(system.snapshot()["a"].last_error) == "Crash"

    run_tree(0, spec, body)
    assert [what for _, what in notes.of("received")] == [0, 2, 3]


async def test_waiting_has_a_limit(notes: Notes, autojump_clock: trio.testing.MockClock) -> None:
    """What does not come about is a failure of the test, not its hanging."""
    async with open_system(SupervisorSpec("root", [probe("a", notes)]), rng=Random(0)) as system:
        with pytest.raises(AssertionError, match="still not so after 2 s"):
            await wait_until(lambda: False, patience_s=2)
        with pytest.raises(AssertionError, match="did not become stuck within"):
            await wait_for_state(system, "a", State.STUCK)


async def test_sums_that_are_wrong_are_noticed(notes: Notes) -> None:
    """The kit's own check can fail."""
    async with open_system(SupervisorSpec("root", [probe("a", notes)]), rng=Random(0)) as system:
        check_sums(system.snapshot())
        system.find("a").received += 1  # type: ignore[attr-defined]
        with pytest.raises(AssertionError, match="the counters of a do not add up"):
            check_sums(system.snapshot())


async def test_notes_notice_two_lives_at_once(notes: Notes) -> None:
    """The kit's own check can fail."""
    spec = SupervisorSpec("root", [probe("a", notes, living=True)])
    async with open_system(spec, rng=Random(0)) as system:
        await wait_until(lambda: "a" in notes.alive)
        system.address("a").tell(lambda p: notes.born(p.ctx))
        await wait_until(lambda: system.snapshot()["a"].last_error is not None)

        assert str(system.snapshot()["a"].last_error) == "AssertionError: a is alive twice: 1, 1"
