"""The terms that every order carries beside side, price and count: each set on purpose.

| term | entry | exit | why |
|---|---|---|---|
| self trade | the taker gives way | the maker gives way | a sale goes before a buy of ours |
| cancel on pause | yes | yes | what is decided in a pause changes what a team is worth |
| order group | its shard's | none | a group that is hit must not take sales away |
| reduce only | no | if it takes | the exchange allows it there alone; it cannot oversell |

Whether an order rests or takes, is post-only and expires is the market's wish: what rests is
post-only and expires, what takes is immediate-or-cancel.
"""

from __future__ import annotations

import attrs

from arb.core.commands import OrderIntent, Purpose, TimeInForce
from arb.kalshi.wire_orders import SelfTrade

CANCEL_ON_PAUSE = True


@attrs.frozen
class Terms:
    """The terms of one order, in the exchange's words."""

    self_trade: SelfTrade
    reduce_only: bool
    cancel_on_pause: bool = CANCEL_ON_PAUSE


_ENTRY = Terms(SelfTrade.TAKER_AT_CROSS, reduce_only=False)
_RESTING_EXIT = Terms(SelfTrade.MAKER, reduce_only=False)
_TAKING_EXIT = Terms(SelfTrade.MAKER, reduce_only=True)


def terms_of(intent: OrderIntent) -> Terms:
    """Return the terms of an order by its purpose and by whether it takes."""
    if intent.purpose is Purpose.ENTRY:
        return _ENTRY
    takes = intent.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL
    return _TAKING_EXIT if takes else _RESTING_EXIT
