"""The terms that every order carries beside side, price and count: each set on purpose.

| term | entry | exit | why |
|---|---|---|---|
| self trade | the taker gives way | the same; an entry of ours gives way to it | sales go first |
| cancel on pause | yes | yes | what is decided in a pause changes what a team is worth |
| order group | its shard's | none | a group that is hit must not take sales away |
| reduce only | no | if it takes | the exchange allows it there alone; it cannot oversell |

A person's own orders are of the same account, and nothing of ours may take one away: where there is
one, or none of ours, the taker gives way.

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


def terms_of(intent: OrderIntent, *, meets_own: bool) -> Terms:
    """Return the terms of an order by its purpose and by whether it takes.

    ``meets_own`` says that an entry of ours, and no order of a person's, is in its way.
    """
    if intent.purpose is Purpose.ENTRY:
        return _ENTRY
    takes = intent.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL
    gives_way = SelfTrade.MAKER if meets_own else SelfTrade.TAKER_AT_CROSS
    return Terms(gives_way, reduce_only=takes)
