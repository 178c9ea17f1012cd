"""What is ours in a market without a listing: nothing can be sold there until it has one."""

from __future__ import annotations

from actors import Context
from arb.core.ledger import Ledger
from arb.engine.messages import ReadListings
from arb.engine.names import DISCOVERY, if_there
from arb.engine.parts import Parts


def want_listings(ctx: Context, parts: Parts, ledger: Ledger) -> None:
    """Ask discovery for the listing of every market of ours that has none."""
    ours = frozenset(each for each in ledger.our_tickers() if parts.listing(each) is None)
    discovery = if_there(ctx, DISCOVERY)
    if ours and discovery is not None:
        discovery.tell(ReadListings("something is ours in a market without a listing", ours))
