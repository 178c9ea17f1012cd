"""How long the account and our books have differed, and whether that is more than a movement."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from arb.core.reconcile import Difference
from arb.io.clock import NS_PER_S

# What still moves is not a difference: positions were seen to lag fills by a second, and the list
# of orders what happened to them by 0.4 s.
DIFFERENCE_REPEATED_S = 2.0

# With fills all the time something always moves; books that were equal at no reading for so long
# are wrong.
DIFFERENCE_MOVING_MAX_S = 30.0


@attrs.define
class Differing:
    """Counts from when each difference was first seen; a fill begins them all anew."""

    _since_ns: int | None = None
    _first_seen_ns: dict[str, int] = attrs.field(factory=dict)
    _fills: int = 0

    def stays(self, found: Sequence[Difference], fills: int, now_ns: int) -> bool:
        """Tell whether any of what a reading found, after so many fills, is there for long."""
        # Each by itself: two that are gone in a moment are not one that stays.
        before_ns = self._first_seen_ns if fills == self._fills else {}
        self._first_seen_ns = {each.what: before_ns.get(each.what, now_ns) for each in found}
        self._fills = fills
        if self._since_ns is None:
            self._since_ns = now_ns
        still_ns = now_ns - min(self._first_seen_ns.values())
        moving_ns = now_ns - self._since_ns
        return (
            still_ns >= DIFFERENCE_REPEATED_S * NS_PER_S
            or moving_ns >= DIFFERENCE_MOVING_MAX_S * NS_PER_S
        )

    def agreed(self) -> None:
        """Note that nothing differs."""
        self._since_ns = None
        self._first_seen_ns = {}
