"""Mailboxes alone: bounds, policies, order, ages."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import MailboxFull, MailboxSpec, Policy, block, conflate, drop_oldest, fail
from actors.mailbox import Ask, Mailbox, make_mailbox


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


Dropped = list[tuple[object, str]]


def open_box(spec: MailboxSpec, clock: Clock | None = None) -> tuple[Mailbox, Dropped]:
    """Build a mailbox and the list of what falls out of it."""
    dropped: Dropped = []
    box = make_mailbox(
        spec,
        "a",
        clock or Clock(),
        lambda message, reason: dropped.append((message, reason)),
    )
    return box, dropped


def drain(box: Mailbox) -> list[object]:
    """Take out everything that waits."""
    taken = []
    while box.store:
        taken.append(box.take())
    return taken


def first(message: tuple[Hashable, object]) -> Hashable:
    """Key a pair by its first half."""
    return message[0]


def test_fail_refuses_when_full() -> None:
    """The message past the limit is refused, counted and not stored."""
    box, dropped = open_box(fail(2))
    box.put(1)
    box.put(2)
    with pytest.raises(MailboxFull, match=r"mailbox of a is full \(2 messages\)") as info:
        box.put(3)

    assert (info.value.path, info.value.capacity) == ("a", 2)
    assert (box.refused, box.peak, dropped) == (1, 2, [])
    assert drain(box) == [1, 2]


def test_block_refuses_a_sender_that_cannot_wait() -> None:
    """Put never waits; the cell waits for room before it."""
    box, _ = open_box(block(1))
    box.put(1)
    with pytest.raises(MailboxFull):
        box.put(2)

    assert box.refused == 1
    assert drain(box) == [1]


def test_drop_oldest_keeps_the_newest() -> None:
    """What falls out is the oldest, and is handed over with the reason."""
    box, dropped = open_box(drop_oldest(2))
    for n in range(5):
        box.put(n)

    assert dropped == [(n, "mailbox overflow") for n in range(3)]
    assert drain(box) == [3, 4]
    assert box.peak == 2


def test_conflate_keeps_the_latest_of_each_key_in_the_place_of_the_first() -> None:
    """A key keeps the place at which it became dirty."""
    box, dropped = open_box(conflate(first))
    for message in [("x", 1), ("y", 1), ("x", 2), ("z", 1), ("y", 2)]:
        box.put(message)

    assert drain(box) == [("x", 2), ("y", 2), ("z", 1)]
    assert (box.conflated, box.peak, dropped) == (2, 3, [])


def test_conflate_drops_its_oldest_key_when_there_are_too_many() -> None:
    """Even keys have a limit."""
    box, dropped = open_box(conflate(first, 2))
    for key in "xyz":
        box.put((key, 0))

    assert dropped == [(("x", 0), "mailbox overflow")]
    assert drain(box) == [("y", 0), ("z", 0)]


def test_conflate_leaves_apart_what_must_be_answered() -> None:
    """Such a message has no key but itself."""
    box, _ = open_box(conflate(first))
    box.put(("x", 1))
    asks = Ask(("x", 2)), Ask(("x", 3))
    for ask in asks:
        box.put(ask)
    box.put(("x", 2))

    assert drain(box) == [("x", 2), *asks]


def test_a_message_without_a_key_is_dropped_and_the_sender_knows_nothing() -> None:
    """A key that fails is not the sender's failure."""
    box, dropped = open_box(conflate(first))
    box.put(7)
    box.put(([], "unhashable"))

    assert [message for message, _ in dropped] == [7, ([], "unhashable")]
    assert all("conflation key failed: TypeError" in reason for _, reason in dropped)
    assert not box.store


POLICIES: list[Callable[[float], MailboxSpec]] = [
    lambda keep_s: fail(9, keep_s=keep_s),
    lambda keep_s: block(9, keep_s=keep_s),
    lambda keep_s: drop_oldest(9, keep_s=keep_s),
    lambda keep_s: conflate(lambda message: message, 9, keep_s=keep_s),
]


@pytest.mark.parametrize("make", POLICIES)
@pytest.mark.parametrize(
    ("keep_s", "kept"), [(math.inf, [0, 1, 2, 3]), (0, []), (2.0, [2, 3]), (1.5, [2, 3])]
)
def test_a_restart_keeps_what_is_young_enough(
    make: Callable[[float], MailboxSpec], keep_s: float, kept: list[int]
) -> None:
    """All, none, or what is younger than the limit, in order."""
    clock = Clock()
    box, dropped = open_box(make(keep_s), clock)
    for n in range(4):
        clock.now_s = float(n)
        box.put(n)
    box.sift(3.0)

    assert drain(box) == kept
    gone = [n for n in range(4) if n not in kept]
    assert dropped == [(n, "purged at restart") for n in gone]


@pytest.mark.parametrize("make", POLICIES)
@pytest.mark.parametrize("keep_s", [math.inf, 5.0])
def test_remove_takes_out_what_is_unwanted(
    make: Callable[[float], MailboxSpec], keep_s: float
) -> None:
    """The rest keeps its order."""
    box, _ = open_box(make(keep_s))
    for n in range(6):
        box.put(n)

    assert box.remove(lambda n: n in (0, 3, 5)) == [0, 3, 5]
    assert drain(box) == [1, 2, 4]


def test_a_mailbox_says_how_full_it_is() -> None:
    """Its repr holds the path, the policy, what waits and the limit."""
    box, _ = open_box(drop_oldest(5))
    box.put(1)

    assert repr(box) == "<Mailbox a drop_oldest 1/5>"


operations = st.lists(st.one_of(st.tuples(st.integers(0, 4), st.integers()), st.just("take")))


@given(operations, st.sampled_from(Policy), st.integers(1, 4), st.sampled_from([math.inf, 1.0]))
def test_a_mailbox_does_what_its_plain_model_does(
    steps: list[Any], policy: Policy, capacity: int, keep_s: float
) -> None:
    """For any history: contents, order, and every message accounted for."""
    key = first if policy is Policy.CONFLATE else None
    box, dropped = open_box(MailboxSpec(policy, capacity, key, keep_s))
    model: list[Any] = []
    put = taken = 0
    for step in steps:
        if step == "take":
            if model:
                assert box.take() == model.pop(0)
                taken += 1
            continue
        refuses = policy in (Policy.FAIL, Policy.BLOCK) and len(model) >= capacity
        if refuses:
            with pytest.raises(MailboxFull):
                box.put(step)
            continue
        put += 1
        _put_in_model(model, step, policy, capacity)
        box.put(step)

    assert put == taken + len(box.store) + len(dropped) + box.conflated
    assert drain(box) == model


def _put_in_model(model: list[Any], message: Any, policy: Policy, capacity: int) -> None:
    if policy is Policy.CONFLATE:
        for place, (key, _) in enumerate(model):
            if key == message[0]:
                model[place] = message
                return
    if len(model) >= capacity:
        model.pop(0)
    model.append(message)
