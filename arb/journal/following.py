"""The state that a journal leads to, kept in step with what is appended to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import attrs

from arb.journal.chain import Position, follow
from arb.journal.frames import HEADER
from arb.journal.records import link_of
from arb.journal.recovery import Recovered, replay


@attrs.define
class Following:
    """A state, the place in the journal that it is of, and what was written behind that place.

    What is written is taken up later, from its bytes and as a start would: an append stands on the
    way to an order. Nobody else changes the state; whoever goes on from it takes a copy.
    """

    state: Recovered
    here: Position
    _waiting: deque[bytes] = attrs.field(factory=deque, repr=False)

    @property
    def waiting(self) -> int:
        """Return how many records were written and not taken up yet."""
        return len(self._waiting)

    def wrote(self, payload: bytes) -> None:
        """Note the next record, to be taken up later."""
        self._waiting.append(payload)

    def take_up(self, at_most: int) -> None:
        """Take up what was written first; raises `NotARecord`, and is of no use then."""
        count = min(at_most, len(self._waiting))
        self.take([self._waiting.popleft() for _ in range(count)])

    def take(self, payloads: Sequence[bytes]) -> None:
        """Take the records that come next; raises `NotARecord`, and is of no use then."""
        last = None
        for record in replay(follow(payloads, self.here), self.state):
            last = record
        if last is not None:
            read_bytes = sum(HEADER.size + len(payload) for payload in payloads)
            link, is_linked = link_of(payloads[-1]), last.prior is not None
            at = self.here.bytes + read_bytes
            self.here = Position(at, last.number, link, is_linked)
