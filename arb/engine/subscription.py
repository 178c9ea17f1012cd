"""What one subscription follows: what was asked of the exchange, and what it has confirmed.

No I/O and no clock: moments are handed in, and what must be asked for is returned.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

# An answer comes within milliseconds. What has none by then was lost on its way, or its answer
# was, and nobody knows whether changes will be told.
ANSWERED_WITHIN_S = 5.0

# Who was refused asks again after this long: a limit (26) or too many requests (27) does not pass
# within moments, and a market whose book is not followed misses every chance meanwhile.
ASKED_AGAIN_AFTER_S = 5.0


@attrs.frozen
class Asked:
    """Markets that one command has asked for, and when."""

    tickers: tuple[str, ...]
    at_s: float


@attrs.define
class Subscription:
    """The markets whose changes the exchange has said it will tell, and what is still asked.

    A market counts as ``followed`` by the exchange's word alone: its snapshot proves nothing, as
    one is sent to whoever asks for it and changes no subscription.
    """

    followed: frozenset[str] = frozenset()
    _asked: dict[int, Asked] = attrs.field(factory=dict)
    _again_s: dict[str, float] = attrs.field(factory=dict)

    def due(self, tickers: Iterable[str], now_s: float) -> list[str]:
        """Return which of these markets must be asked for now."""
        out = {ticker for asked in self._asked.values() for ticker in asked.tickers}
        return [
            ticker
            for ticker in tickers
            if ticker not in self.followed
            and ticker not in out
            and self._again_s.get(ticker, now_s) <= now_s
        ]

    def asked(self, command_id: int, tickers: Sequence[str], now_s: float) -> None:
        """Note that a command asks for these markets."""
        self._asked[command_id] = Asked(tuple(tickers), now_s)

    def confirmed(
        self, command_id: int | None, listed: frozenset[str] | None, now_s: float
    ) -> tuple[str, ...]:
        """Take a command's success, and return the markets that are not followed in spite of it.

        ``listed`` is all that is subscribed to by now: the exchange's answer to an update has the
        "full list of market tickers after update". None where the answer has no list; then the
        command's own markets are confirmed.
        """
        asked = self._answered(command_id)
        before = self.followed
        self.followed = before.union(asked) if listed is None else listed
        left_out = tuple(sorted(before.union(asked) - self.followed))
        self._put_off(left_out, now_s)
        return left_out

    def refused(self, command_id: int | None, now_s: float) -> tuple[str, ...]:
        """Take a command's refusal, and return the markets that are not followed for it."""
        tickers = tuple(each for each in self._answered(command_id) if each not in self.followed)
        self._put_off(tickers, now_s)
        return tickers

    def unanswered(self, now_s: float) -> tuple[str, ...]:
        """Give up the commands that should have been answered by now; return their markets."""
        late = [
            command_id
            for command_id, asked in self._asked.items()
            if now_s - asked.at_s >= ANSWERED_WITHIN_S
        ]
        return tuple(ticker for each in late for ticker in self.refused(each, now_s))

    def left(self, tickers: Iterable[str]) -> None:
        """Follow these markets no more, whatever becomes of the command that says so."""
        self.followed = self.followed.difference(tickers)

    def _answered(self, command_id: int | None) -> tuple[str, ...]:
        asked = self._asked.pop(command_id, None) if command_id is not None else None
        return asked.tickers if asked is not None else ()

    def _put_off(self, tickers: Iterable[str], now_s: float) -> None:
        waiting = {ticker: at_s for ticker, at_s in self._again_s.items() if at_s > now_s}
        again_s = dict.fromkeys(tickers, now_s + ASKED_AGAIN_AFTER_S)
        self._again_s = waiting | again_s

    def __repr__(self) -> str:
        return f"<Subscription {len(self.followed)} followed, {len(self._asked)} commands out>"
