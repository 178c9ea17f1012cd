"""What shall happen, as frozen values: the wishes that actors send each other."""

from __future__ import annotations

from enum import StrEnum

import attrs

from arb.core.events import Liquidity, Side
from arb.core.money import CountE2, PriceE4


class Purpose(StrEnum):
    """Why an order exists: to open a position or to lessen one."""

    ENTRY = "entry"
    EXIT = "exit"


class TimeInForce(StrEnum):
    """How long an order lives, in the exchange's own words."""

    GOOD_TILL_CANCELED = "good_till_canceled"
    IMMEDIATE_OR_CANCEL = "immediate_or_cancel"
    FILL_OR_KILL = "fill_or_kill"


@attrs.frozen
class OrderIntent:
    """One order that a market wishes for; it becomes one only when risk approves it.

    ``price_e4`` is the YES price whatever the side. ``trigger_ns`` is the moment the frame that
    led here was in hand; ``expires_s`` is Unix seconds, for orders that rest. ``low`` is the least
    chance that what an entry buys wins, where that is not ``fair`` or what it leaves.
    """

    ticker: str
    game_id: str
    purpose: Purpose
    side: Side
    price_e4: PriceE4
    count_e2: CountE2
    liquidity: Liquidity
    time_in_force: TimeInForce
    post_only: bool
    trigger_ns: int
    fair: float
    expires_s: int | None = None
    low: float | None = None


@attrs.frozen
class AmendIntent:
    """A wish to move a resting order to a new price for what remains of it.

    ``expires_s`` is its new expiry in Unix seconds, None to keep the one it has.
    """

    client_order_id: str
    ticker: str
    price_e4: PriceE4
    remaining_e2: CountE2
    trigger_ns: int
    expires_s: int | None = None


@attrs.frozen
class Amendment:
    """An amendment as it is sent: ``total_e2`` is what has filled and what shall rest together."""

    client_order_id: str
    order_id: str
    ticker: str
    side: Side
    price_e4: PriceE4
    total_e2: CountE2
    trigger_ns: int
    expires_s: int | None = None


@attrs.frozen
class CancelOrder:
    """A cancel: needs no approval, and is allowed in every state.

    ``order_id`` is the exchange's; where it is not known yet, the cancel waits until it is. An
    empty ``ticker`` is whatever the exchange has said of the order. ``count_e2`` is all of it that
    may ever fill, as far as whoever wishes it knows; 0 where nobody does.
    """

    client_order_id: str
    order_id: str | None
    ticker: str
    count_e2: CountE2
    why: str
