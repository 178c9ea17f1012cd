"""Mailboxes: bounded stores of what waits, with four answers to what happens when they are full.

A mailbox belongs to the cell, not to the instance, so what waits survives a restart. It knows
nothing of actors: what falls out of it goes to ``on_drop`` with the reason. What waits in it are
messages, or questions, which are messages on their way with a deadline and a place for the answer.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from enum import StrEnum
from typing import Any

import attrs
import trio

from actors.errors import ActorDied, MailboxFull

# A key seldom has more values than there are markets, and 5,000 of these are the most planned for.
CONFLATE_MAX = 8192

Key = Callable[[Any], Hashable]
Drop = Callable[[object, str], None]


class Policy(StrEnum):
    """What a full mailbox does with one more message."""

    CONFLATE = "conflate"
    DROP_OLDEST = "drop_oldest"
    BLOCK = "block"
    FAIL = "fail"


@attrs.frozen
class MailboxSpec:
    """A mailbox as described: made by `conflate`, `drop_oldest`, `block` or `fail`.

    ``keep_s`` says what survives a restart: messages younger than that. Infinity keeps all (and
    costs no time stamps), 0 purges all.
    """

    policy: Policy
    capacity: int
    key: Key | None = None
    keep_s: float = math.inf


def conflate(key: Key, capacity: int = CONFLATE_MAX, *, keep_s: float = math.inf) -> MailboxSpec:
    """Keep the latest message of each key, in the order in which the keys became dirty.

    ``key`` runs in the sender's turn; a message whose key cannot be made is dropped and counted.
    More keys than ``capacity`` drop the oldest.
    """
    return MailboxSpec(Policy.CONFLATE, capacity, key, keep_s)


def drop_oldest(capacity: int, *, keep_s: float = math.inf) -> MailboxSpec:
    """Keep the newest ``capacity`` messages; what falls out is counted as dropped."""
    return MailboxSpec(Policy.DROP_OLDEST, capacity, None, keep_s)


def block(capacity: int, *, keep_s: float = math.inf) -> MailboxSpec:
    """Let senders wait for room with ``await address.send()``; ``tell`` refuses when full."""
    return MailboxSpec(Policy.BLOCK, capacity, None, keep_s)


def fail(capacity: int, *, keep_s: float = math.inf) -> MailboxSpec:
    """Refuse with `MailboxFull` when full: for what must never be dropped silently."""
    return MailboxSpec(Policy.FAIL, capacity, None, keep_s)


@attrs.define(eq=False)
class Ask:
    """One message that wants an answer by ``due_s``; it travels through mailboxes as it is.

    ``abandoned`` means that the asker has gone: a reply that still comes is late.
    """

    message: object
    due_s: float = math.inf
    done: bool = False
    abandoned: bool = False
    value: object = None
    error: ActorDied | None = None
    answered: trio.Event = attrs.field(factory=trio.Event, init=False)

    @property
    def active(self) -> bool:
        """Return whether somebody still waits."""
        return not self.done and not self.abandoned

    def fire(self) -> None:
        """Let the asker go: the deadline is here."""
        self.abandoned = True
        self.answered.set()

    def reply(self, value: object, error: ActorDied | None = None) -> None:
        """Answer, or say why no answer will come; the asker goes on in its own turn."""
        self.value = value
        self.error = error
        self.done = True
        self.answered.set()

    def fail(self, path: str, reason: str, cause: BaseException | None) -> None:
        """Tell the asker that no answer will come, if the asker is still there."""
        if self.active:
            error = ActorDied(path, reason)
            error.__cause__ = cause
            self.reply(None, error)


@attrs.define(eq=False, repr=False)
class Mailbox:
    """What waits for one actor in a queue, which when full drops its oldest or refuses.

    ``store`` is true while something waits, and ``take`` hands out the oldest: an attribute, so
    that it can be the C method of the store itself. Messages are stamped only where an age limit
    needs it.
    """

    spec: MailboxSpec
    path: str
    _now_s: Callable[[], float] | None
    _on_drop: Drop
    store: Any = attrs.field(factory=deque, init=False)
    take: Callable[[], object] = attrs.field(init=False)
    room: trio.lowlevel.ParkingLot | None = attrs.field(default=None, init=False)
    peak: int = attrs.field(default=0, init=False)
    conflated: int = attrs.field(default=0, init=False)
    refused: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        """Choose the plainest way to take."""
        if not 0 < self.spec.keep_s < math.inf:
            self._now_s = None
        if self.spec.policy is Policy.BLOCK:
            self.room = trio.lowlevel.ParkingLot()
        is_plain = self._now_s is None and self.room is None and self.spec.key is None
        self.take = self.store.popleft if is_plain else self._take

    def __repr__(self) -> str:
        """Say the policy, what waits and the limit."""
        spec = self.spec
        return f"<Mailbox {self.path} {spec.policy} {len(self.store)}/{spec.capacity}>"

    def put(self, message: object) -> None:
        """Store a message, or raise `MailboxFull` where that is the policy."""
        store = self.store
        length = len(store)
        if length >= self.spec.capacity:
            if self.spec.policy is not Policy.DROP_OLDEST:
                self.refused += 1
                raise MailboxFull(self.path, self.spec.capacity)
            self._on_drop(self.take(), "mailbox overflow")
        elif length >= self.peak:
            self.peak = length + 1
        store.append(message if self._now_s is None else (self._now_s(), message))

    def remove(self, unwanted: Callable[[object], bool]) -> list[object]:
        """Take out and return every waiting message that is unwanted."""
        return self._split(lambda entry: unwanted(self._plain(entry)))

    def sift(self, now_s: float) -> None:
        """Drop what is too old to be kept across a restart."""
        cut_s = now_s - self.spec.keep_s
        if cut_s > -math.inf:
            for message in self._split(lambda entry: self._now_s is None or entry[0] <= cut_s):
                self._on_drop(message, "purged at restart")

    def _take(self) -> object:
        if self.room is not None:
            self.room.unpark()
        return self._plain(self.store.popleft())

    def _split(self, goes: Callable[[Any], bool]) -> list[object]:
        gone = [self._plain(entry) for entry in self.store if goes(entry)]
        kept = [entry for entry in self.store if not goes(entry)]
        self.store.clear()
        self.store.extend(kept)
        if self.room is not None:
            self.room.unpark(count=len(gone))
        return gone

    def _plain(self, entry: Any) -> object:
        return entry if self._now_s is None else entry[1]


@attrs.define(eq=False, repr=False)
class ConflatingMailbox(Mailbox):
    """The latest message of each key; a key keeps the place at which it became dirty."""

    store: OrderedDict[Hashable, Any] = attrs.field(factory=OrderedDict, init=False)

    def put(self, message: object) -> None:
        """Store a message in the place of the last one with its key, or at the end."""
        store, key_of = self.store, self.spec.key
        try:
            # A question is its own key, because each must be answered.
            key = message if key_of is None or type(message) is Ask else key_of(message)
            is_known = key in store
        except Exception as error:  # noqa: BLE001 - the sender must not meet the target's failure
            self._on_drop(message, f"conflation key failed: {error!r}")
            return
        if is_known:
            self.conflated += 1
        elif len(store) >= self.spec.capacity:
            self._on_drop(self.take(), "mailbox overflow")
        elif len(store) >= self.peak:
            self.peak = len(store) + 1
        store[key] = message if self._now_s is None else (self._now_s(), message)

    def _take(self) -> object:
        return self._plain(self.store.popitem(last=False)[1])

    def _split(self, goes: Callable[[Any], bool]) -> list[object]:
        gone = [key for key, entry in self.store.items() if goes(entry)]
        return [self._plain(self.store.pop(key)) for key in gone]


def make_mailbox(spec: MailboxSpec, path: str, now_s: Callable[[], float], drop: Drop) -> Mailbox:
    """Build the mailbox that ``spec`` describes."""
    return (Mailbox if spec.key is None else ConflatingMailbox)(spec, path, now_s, drop)
