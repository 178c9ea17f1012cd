"""Since when a fill may have happened that stands in no book of ours."""

from __future__ import annotations

from arb.core.ledger import Ledger

# The exchange's clock and ours are apart by less than its tolerance for signatures, and its lists
# lag behind by seconds.
UNSEEN_MARGIN_MS = 60_000


def unseen_since_ms(ledger: Ledger) -> int:
    """Return since when a fill may be missing, by what is booked, adopted and still at stake.

    What is at stake may have filled since it was made, however long ago that was, and a person
    may have traded since the last fill that was booked. What is older than the account that was
    last adopted is within it, and counting it again would be wrong.
    """
    known_ms = max(ledger.adopted_ms, ledger.newest_fill_ms)
    made_ms = (order.created_ms for order in ledger.all_at_stake())
    return max(ledger.adopted_ms, min([known_ms, *made_ms]) - UNSEEN_MARGIN_MS)
