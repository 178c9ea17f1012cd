"""The test kit itself, and the canary for the private switch it turns."""

from __future__ import annotations

from collections.abc import Iterable
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
    run_seeds,
    run_tree,
    wait_for_state,
    wait_until,
    with_tree,
)


async def shuffled() -> tuple[int, ...]:
    """Return the order in which tasks that are all ready run."""
    order: list[int] = []

    async def note(n: int) -> None:
        for _ in range(5):
            order.append(n)
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        for n in range(6):
            nursery.start_soon(note, n)
    return tuple(order)


def order_under(seed: int) -> tuple[int, ...]:
    """Return the order in which tasks that are all ready run under a seed."""
    return run_seeded(seed, lambda _: shuffled())


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


async def history(seed: int) -> list[tuple[str, str, object]]:
    """Return everything that some probes note under a seed, in order, with the times."""
    notes = Notes()
    children = [crash_at(probe(name, notes, direct=True), 3) for name in "abc"]

    async def body(system: System) -> None:
        for n in range(9):
            system.address("abc"[n % 3]).tell((n, trio.current_time()))
            await trio.sleep(0.01)
        await trio.sleep(5)
        notes.add("slept", "body", trio.current_time())

    await with_tree(seed, SupervisorSpec("root", children), body)
    return notes.entries


def histories(seeds: Iterable[int]) -> dict[int, list[tuple[str, str, object]]]:
    """Return the history of each seed."""
    found: dict[int, list[tuple[str, str, object]]] = {}

    async def rule(seed: int) -> None:
        found[seed] = await history(seed)

    run_seeds(seeds, rule)
    return found


def test_the_same_seed_gives_the_same_history() -> None:
    """Alone or among others, before or after them, everything happens in the same order."""
    together = histories(range(20))

    assert len({str(each) for each in together.values()}) > 3
    assert histories(reversed(range(20))) == together
    for seed in range(20):
        assert histories([seed]) == {seed: together[seed]}


def test_each_seed_begins_as_a_program_of_its_own_does() -> None:
    """At time zero, in virtual time, whatever the one before it did; the order is the seed's."""
    order: dict[int, tuple[int, ...]] = {}

    async def rule(seed: int) -> None:
        assert trio.current_time() == 0
        found = await shuffled()
        assert order.setdefault(seed, found) == found
        await trio.sleep(1e4 + seed)

    run_seeds([*range(20), *range(20)], rule)
    assert len(set(order.values())) > 10


def test_a_failure_names_the_seed_that_repeats_it() -> None:
    """Whatever the rule fails of; later seeds are not tried."""
    tried: list[int] = []

    async def rule(seed: int) -> None:
        await trio.sleep(1)
        tried.append(seed)
        if seed == 3:
            raise KeyError("odd")

    with pytest.raises(KeyError) as info:
        run_seeds(range(9), rule)

    assert info.value.__notes__ == ["under seed 3"]
    assert tried == [0, 1, 2, 3]


def test_a_rule_that_hangs_or_leaves_a_task_behind_has_failed() -> None:
    """Neither stops the tests, nor reaches the next seed."""

    async def hangs(_: int) -> None:
        await trio.sleep_forever()

    async def leaves(_: int) -> None:
        trio.lowlevel.spawn_system_task(trio.sleep_forever)
        await trio.lowlevel.checkpoint()

    with pytest.raises(trio.TooSlowError):
        run_seeds(range(9), hangs)
    with pytest.raises(AssertionError, match="1 tasks are left"):
        run_seeds(range(9), leaves)


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
    assert notes.alive == {"a twice": 1}
