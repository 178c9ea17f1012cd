"""Mailboxes: bounded stores of what waits, with four answers to what happens when they are full.

A mailbox belongs to the cell, not to the instance, so what waits survives a restart. It knows
nothing of actors: what falls out of it goes to ``on_drop`` with the reason.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from enum import StrEnum
from typing import Any

import attrs
import trio

from actors.errors import MailboxFull

# A key seldom has more values than there are markets, and 5,000 of these are the most planned for.
CONFLATE_CAPACITY = 8192


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
    key: Callable[[Any], Hashable] | None = None
    keep_s: float = math.inf


def conflate(
    key: Callable[[Any], Hashable], capacity: int = CONFLATE_CAPACITY, *, keep_s: float = math.inf
) -> MailboxSpec:
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


Stamped = tuple[float, object]


class Mailbox:
    """What waits for one actor, oldest first; the base of the two ways to store it.

    ``put`` stores or refuses, ``take`` hands out the oldest, ``store`` is true while something
    waits. ``take`` is an attribute so that it can be the C method of the store itself.
    """

    __slots__ = (
        "_now",
        "_on_drop",
        "conflated",
        "path",
        "peak",
        "refused",
        "room",
        "spec",
        "store",
        "take",
    )

    store: deque[Any] | OrderedDict[Hashable, Any]
    take: Callable[[], object]

    def __init__(
        self,
        spec: MailboxSpec,
        path: str,
        now_s: Callable[[], float],
        on_drop: Callable[[object, str], None],
    ) -> None:
        """Start empty; messages are stamped only where an age limit needs it."""
        self.spec = spec
        self.path = path
        self.peak = 0
        self.conflated = 0
        self.refused = 0
        self._now = now_s if 0 < spec.keep_s < math.inf else None
        self.room = trio.lowlevel.ParkingLot() if spec.policy is Policy.BLOCK else None
        self._on_drop = on_drop

    def __repr__(self) -> str:
        """Say the policy, what waits and the limit."""
        spec = self.spec
        return f"<Mailbox {self.path} {spec.policy} {len(self.store)}/{spec.capacity}>"

    @abstractmethod
    def put(self, message: object) -> None:
        """Store a message, or raise `MailboxFull` where that is the policy."""

    @abstractmethod
    def remove(self, unwanted: Callable[[object], bool]) -> list[object]:
        """Take out and return every waiting message that is unwanted."""

    def sift(self, now_s: float) -> None:
        """Drop what is too old to be kept across a restart."""
        keep_s = self.spec.keep_s
        if keep_s == math.inf:
            return
        cut = now_s - keep_s
        for message in self._too_old(cut) if self._now else self.remove(lambda _: True):
            self._on_drop(message, "purged at restart")

    @abstractmethod
    def _too_old(self, cut_s: float) -> list[object]: ...

    def _plain(self, entry: Any) -> object:
        return entry[1] if self._now else entry


class QueueMailbox(Mailbox):
    """A queue: drops its oldest when full, or refuses, by its policy."""

    __slots__ = ()

    store: deque[Any]

    def __init__(
        self,
        spec: MailboxSpec,
        path: str,
        now_s: Callable[[], float],
        on_drop: Callable[[object, str], None],
    ) -> None:
        """Start empty."""
        super().__init__(spec, path, now_s, on_drop)
        self.store = deque()
        is_plain = self._now is None and self.room is None
        self.take = self.store.popleft if is_plain else self._take

    def put(self, message: object) -> None:
        """Append a message; a full queue drops its oldest or refuses."""
        store = self.store
        length = len(store)
        if length >= self.spec.capacity:
            self._overflow()
        elif length >= self.peak:
            self.peak = length + 1
        store.append(message if self._now is None else (self._now(), message))

    def remove(self, unwanted: Callable[[object], bool]) -> list[object]:
        """Take out and return every waiting message that is unwanted."""
        return self._split(lambda entry: unwanted(self._plain(entry)))

    def _overflow(self) -> None:
        if self.spec.policy is not Policy.DROP_OLDEST:
            self.refused += 1
            raise MailboxFull(self.path, self.spec.capacity)
        self._on_drop(self.take(), "mailbox overflow")

    def _take(self) -> object:
        if self.room is not None:
            self.room.unpark()
        return self._plain(self.store.popleft())

    def _too_old(self, cut_s: float) -> list[object]:
        return self._split(lambda entry: entry[0] <= cut_s)

    def _split(self, goes: Callable[[Any], bool]) -> list[object]:
        gone = [self._plain(entry) for entry in self.store if goes(entry)]
        kept = [entry for entry in self.store if not goes(entry)]
        self.store.clear()
        self.store.extend(kept)
        if self.room is not None:
            self.room.unpark(count=len(gone))
        return gone


class ConflatingMailbox(Mailbox):
    """The latest message of each key; a key keeps the place at which it became dirty."""

    __slots__ = ("_key", "_stays_apart")

    store: OrderedDict[Hashable, Any]

    def __init__(
        self,
        spec: MailboxSpec,
        path: str,
        now_s: Callable[[], float],
        on_drop: Callable[[object, str], None],
        key: Callable[[Any], Hashable],
        stays_apart: Callable[[object], bool],
    ) -> None:
        """Start empty; what ``stays_apart`` is its own key, as a question to be answered is."""
        super().__init__(spec, path, now_s, on_drop)
        self.store = OrderedDict()
        self._key = key
        self._stays_apart = stays_apart
        self.take = self._take

    def put(self, message: object) -> None:
        """Store a message in the place of the last one with its key, or at the end."""
        store = self.store
        try:
            key = message if self._stays_apart(message) else self._key(message)
            is_known = key in store
        except Exception as error:  # noqa: BLE001 - the sender must not meet the target's failure
            self._on_drop(message, f"conflation key failed: {error!r}")
            return
        if is_known:
            self.conflated += 1
        else:
            if len(store) >= self.spec.capacity:
                self._on_drop(self._take(), "mailbox overflow")
            if len(store) >= self.peak:
                self.peak = len(store) + 1
        store[key] = message if self._now is None else (self._now(), message)

    def remove(self, unwanted: Callable[[object], bool]) -> list[object]:
        """Take out and return every waiting message that is unwanted."""
        return self._split(lambda entry: unwanted(self._plain(entry)))

    def _take(self) -> object:
        return self._plain(self.store.popitem(last=False)[1])

    def _too_old(self, cut_s: float) -> list[object]:
        return self._split(lambda entry: entry[0] <= cut_s)

    def _split(self, goes: Callable[[Any], bool]) -> list[object]:
        gone = {key: entry for key, entry in self.store.items() if goes(entry)}
        for key in gone:
            del self.store[key]
        return [self._plain(entry) for entry in gone.values()]


def make_mailbox(
    spec: MailboxSpec,
    path: str,
    now_s: Callable[[], float],
    on_drop: Callable[[object, str], None],
    stays_apart: Callable[[object], bool],
) -> Mailbox:
    """Build the mailbox that ``spec`` describes."""
    if spec.key is not None:
        return ConflatingMailbox(spec, path, now_s, on_drop, spec.key, stays_apart)
    return QueueMailbox(spec, path, now_s, on_drop)
