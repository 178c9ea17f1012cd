"""What actors tell each other beside the core's events and commands, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from arb.core.events import Fill, OrderEvent, Quote
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.core.orders import Order
from arb.kalshi.money_moves import MarketEnd


@attrs.frozen
class Frame:
    """One raw message of a connection, as it was received."""

    raw: str
    received_ms: int
    received_ns: int


@attrs.frozen
class PolledQuotes:
    """Prices that were read on demand: they confirm what the stream did not repeat.

    From a tape comes with them what their reader ``remembered``.
    """

    quotes: tuple[Quote, ...]
    received_ns: int
    remembered: Any = None


@attrs.frozen
class Hello:
    """A market is up and asks for what it needs to know: tops, quotes and its holding."""

    ticker: str


@attrs.frozen
class Relisted:
    """The catalogue has changed: whoever is told looks at it, or at its own listing, anew."""


@attrs.frozen
class GameBegins:
    """A market's own: its game's scheduled start has come."""


@attrs.frozen
class Retuned:
    """The settings in force have changed: whoever is told decides anew by them."""


@attrs.frozen
class ReadListings:
    """The catalogue may be behind what is listed: read it soon, and have these markets listed.

    ``missed`` says that messages of the markets' lives may be lost: a pause that was heard before
    them may have ended.
    """

    why: str
    ours: frozenset[str] = frozenset()
    missed: bool = False


@attrs.frozen
class StillThere:
    """Which of these markets does risk still hold or have at stake? The answer is a set."""

    tickers: tuple[str, ...]


@attrs.frozen
class ConnectionChanged:
    """A connection came up or went down, and why."""

    name: str
    connected: bool
    detail: str


@attrs.frozen
class OwnResting:
    """Our own resting orders in one market, to be taken out of its book; YES prices."""

    ticker: str
    bids: Mapping[PriceE4, CountE2]
    asks: Mapping[PriceE4, CountE2]


@attrs.frozen
class BookFeedReady:
    """A book feed is up and asks for our own resting orders, to take them out of the books."""


@attrs.frozen
class GatewayReady:
    """A gateway is up; what was approved for an earlier one is void."""


@attrs.frozen
class Session:
    """The only session whose approvals the gateway may send."""

    number: int


@attrs.frozen
class ReadAccount:
    """Risk wants the account read again; ``with_moves`` with deposits and the like.

    With ``since_ms`` fills and settlements are read from then on, else what is new since the last
    reading.
    """

    with_moves: bool = False
    since_ms: int | None = None


@attrs.frozen
class ShowComparison:
    """A person wants to see how the last reading of the account compared with the ledger."""


@attrs.frozen
class ShowMarket:
    """A console looks at one market and wants what only its actor knows."""


@attrs.frozen
class ShowBook:
    """A console looks at one market and wants its book's levels."""

    ticker: str


@attrs.frozen
class AcceptAccount:
    """A person takes the exchange's word where it differs from ours."""

    by: str


@attrs.frozen
class LookUp:
    """Risk does not know what became of an order and wants it looked up by its id.

    ``existed`` says that the exchange has had the order, so that it cannot have been refused.
    """

    client_order_id: str
    ticker: str
    sent_ms: int
    existed: bool = False
    order_id: str | None = None

    @classmethod
    def of(cls, order: Order) -> LookUp:
        """Ask for an order of the ledger."""
        order_id = order.order_id
        return cls(
            order.client_order_id,
            order.intent.ticker,
            order.created_ms,
            order_id is not None,
            order_id,
        )


@attrs.frozen
class Reported:
    """Something the exchange said of one of our orders."""

    event: OrderEvent


@attrs.frozen
class PaperSweep:
    """The paper exchange's own second hand: what real markets have come to, where it was read."""

    ends: tuple[MarketEnd, ...] = ()


@attrs.frozen
class NotOurs:
    """The exchange told of an order that is not this installation's, and is or was at work."""

    client_order_id: str
    ticker: str


@attrs.frozen
class Filled:
    """A fill that the exchange reported, by whichever way it came first."""

    fill: Fill


@attrs.frozen
class EntryTimeout:
    """A resting entry has stood for its time and is to be cancelled if it still does."""

    client_order_id: str


@attrs.frozen
class CancelsDue:
    """There should be tokens for the cancels that wait for some."""


@attrs.frozen
class ResetGroups:
    """A person has cleared the halt: the exchange's order groups may take entries again."""


@attrs.frozen
class TriggerGroups:
    """Cancel all entries at the exchange, and have it take none until the groups are reset."""


@attrs.frozen
class LookForHalt:
    """Look whether somebody who could not reach the engine has left a halt for it."""


@attrs.frozen
class FillsAwaited:
    """Fills that the exchange has counted should have come by now."""


@attrs.frozen
class LookAtDay:
    """Mark what is held, and look what the day has gained or lost."""


@attrs.frozen
class CancelAgain:
    """Time to see whether what must not rest any more is gone."""


@attrs.frozen
class ExitRetry:
    """An exit was refused a moment ago; plan the exits again."""


@attrs.frozen
class JournalBroken:
    """The journal cannot be written; nothing may be sent."""

    reason: str


@attrs.frozen
class Pause:
    """A person pauses entries."""

    by: str


@attrs.frozen
class Reduce:
    """A person, or a rule in his stead, wants positions closed and none opened, until resume."""

    by: str


@attrs.frozen
class Resume:
    """A person ends a pause, or reducing."""

    by: str


@attrs.frozen
class HaltTrading:
    """Latch trading off; entries are cancelled, exits stay unless told otherwise."""

    reason: str
    by: str
    cancel_exits: bool = False


@attrs.frozen
class ClearHalt:
    """A person ends the halt and says why."""

    reason: str
    by: str


@attrs.frozen
class ForceClose:
    """A person wants the position of one market gone at what the book pays now."""

    ticker: str
    by: str


@attrs.frozen
class Flatten:
    """A person wants every position gone at what the books pay now."""

    by: str


@attrs.frozen
class ChangeLimit:
    """A person moves the limit of the total exposure, within what the file allows."""

    change_e6: MoneyE6
    by: str


@attrs.frozen
class ChangeSetting:
    """A person changes one setting until the engine ends; ``text`` is the value as typed."""

    key: str
    text: str
    by: str


@attrs.frozen
class SettingChanged:
    """What became of a change: the line about it; ``done`` unless it was refused."""

    done: bool
    text: str


@attrs.frozen
class StopTrading:
    """The engine is about to stop: no more entries, and those that rest are cancelled."""

    cancel_exits: bool


@attrs.frozen
class SellAgain:
    """Risk tells a market that what kept its sales back is over: it tries at once."""


@attrs.frozen
class CloseNow:
    """Risk tells a market to give up what it holds at what the book pays, in limited steps."""

    by: str


@attrs.frozen
class CloseGivenUp:
    """A market has found nobody to take what it was to close, and says why."""

    ticker: str
    why: str


@attrs.frozen
class WatchExits:
    """Risk looks at whether everything is on sale, at intervals."""
