"""One client's session: its subscriptions, and every change it has to hear of."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from arb.sim.exchange.account import Account, Position
from arb.sim.exchange.groups import GroupEvent
from arb.sim.exchange.markets import Event, Market
from arb.sim.exchange.values import Fill, LevelChange, LifecycleEvent, Order, Trade
from arb.sim.exchange.venue import Venue
from arb.sim.rest.words import Json
from arb.sim.serving.socket import Outbox
from arb.sim.websocket import frames
from arb.sim.websocket.spoiling import Overtaking, false_deltas
from arb.sim.websocket.subscriptions import Channel, Code, Subscription

# A reader that falls this many frames behind loses its subscription (code 25).
OUTBOX_FRAMES_MAX = 20_000


class Session:
    """Turns what happens on the exchange into one client's frames."""

    def __init__(
        self,
        venue: Venue,
        account: Account,
        on_end: Callable[[Session], None],
        *,
        limit: int = OUTBOX_FRAMES_MAX,
    ) -> None:
        self.venue = venue
        self.account = account
        self.outbox = Outbox(limit)
        self.subscriptions: dict[int, Subscription] = {}
        self._last_sid = 0
        self._on_end = on_end
        self._tickers_sent: dict[str, Json] = {}
        self._books = Overtaking()
        self._privates = Overtaking()

    def __repr__(self) -> str:
        channels = [one.channel.value for one in self.subscriptions.values()]
        return f"Session({self.account.name}, {channels}, {self.outbox!r})"

    def ended(self) -> None:
        """Leave the exchange's listeners."""
        self._on_end(self)

    def subscription(self, channel: Channel) -> Subscription | None:
        """Return the client's subscription to a channel; there is at most one."""
        return next((one for one in self.subscriptions.values() if one.channel is channel), None)

    def subscribe(self, channel: Channel, tickers: dict[str, None] | None) -> Subscription:
        """Open a subscription under a new id."""
        self._last_sid += 1
        made = Subscription(self._last_sid, channel, tickers)
        self.subscriptions[made.sid] = made
        return made

    def send(self, message: Json, delay_s: float = 0.0) -> None:
        """Send one message, stamped; replies are sent even when the outbox is full."""
        stamped = {**message, "sending_ts_ms": self.venue.clock.wall_ms()}
        self.outbox.put(orjson.dumps(stamped).decode() + "\n", delay_s)

    def emit(
        self,
        subscription: Subscription,
        kind: str,
        body: Json,
        command_id: int | None = None,
        delay_s: float = 0.0,
    ) -> None:
        """Send a message of a subscription, which a reader that is too slow loses for good."""
        if self.outbox.full:
            self._overflow(subscription)
            return
        message: Json = {"type": kind, "sid": subscription.sid}
        if command_id is not None:
            message["id"] = command_id
        seq = subscription.next_seq(self.venue.conditions.take_skip())
        if seq is not None:
            message["seq"] = seq
        message["msg"] = body
        self.send(message, delay_s)

    def snapshot(
        self, subscription: Subscription, ticker: str, command_id: int | None = None
    ) -> None:
        """Send a market's whole book."""
        market = self.venue.markets.get(ticker)
        if market is not None:
            body = frames.snapshot_message(market, use_yes_price=subscription.use_yes_price)
            self.emit(subscription, "orderbook_snapshot", body, command_id)

    def ticker(self, subscription: Subscription, ticker: str) -> None:
        """Send a market's ticker if it says anything new."""
        market = self.venue.markets.get(ticker)
        if market is None:
            return
        body = frames.ticker_message(market, self.venue.clock.wall_ms())
        telling = {key: value for key, value in body.items() if not key.startswith(("ts", "time"))}
        if telling != self._tickers_sent.get(ticker):
            self._tickers_sent[ticker] = telling
            self.emit(subscription, "ticker", body)

    # What follows is told by the exchange, in the turn in which it happens.

    def level_changed(self, change: LevelChange) -> None:
        """Send a delta of a book and, where the touch changed, a ticker."""
        if change.ticker in self.venue.conditions.silent_markets:
            return
        for one in list(self.subscriptions.values()):
            if not one.wants(change.ticker):
                continue
            if one.channel is Channel.BOOK:
                market = self.venue.markets[change.ticker]
                body = frames.delta_message(
                    market, change, self.account.name, use_yes_price=one.use_yes_price
                )
                self._book(one, market, body)
            elif one.channel is Channel.TICKER:
                self.ticker(one, change.ticker)

    def traded(self, trade: Trade) -> None:
        """Send a public trade and the ticker that it changed."""
        if trade.ticker in self.venue.conditions.silent_markets:
            return
        for one in list(self.subscriptions.values()):
            if one.channel is Channel.TRADE and one.wants(trade.ticker):
                self.emit(one, "trade", frames.trade_message(trade))
            elif one.channel is Channel.TICKER and one.wants(trade.ticker):
                self.ticker(one, trade.ticker)

    def filled(self, fill: Fill) -> None:
        """Send one's own fill."""
        conditions = self.venue.conditions
        if fill.account != self.account.name or conditions.holds("drop_fills"):
            return
        body = frames.fill_message(self.venue.markets[fill.ticker], fill)
        for _ in range(2 if conditions.holds("duplicate_fills") else 1):
            self._private(Channel.FILL, "fill", fill.ticker, body)

    def order_changed(self, order: Order) -> None:
        """Send one's own order."""
        if order.account != self.account.name:
            return
        body = frames.order_message(self.venue.markets[order.ticker], self.account, order)
        for _ in range(2 if self.venue.conditions.holds("duplicate_orders") else 1):
            self._private(Channel.ORDERS, "user_order", order.ticker, body)

    def position_changed(self, account: str, position: Position) -> None:
        """Send one's own position."""
        if account == self.account.name:
            body = frames.position_message(self.account, position)
            self._private(Channel.POSITIONS, "market_position", position.ticker, body)

    def group_changed(self, event: GroupEvent) -> None:
        """Send what became of one's own order group."""
        one = self.subscription(Channel.GROUPS)
        if one is not None and event.account == self.account.name:
            self.emit(one, "order_group_updates", frames.group_message(event))

    def event_fee_changed(self, event: Event) -> None:
        """Send an event's fee, which overrides its series' until it is cleared."""
        one = self.subscription(Channel.LIFECYCLE)
        if one is not None:
            self.emit(one, "event_fee_update", frames.event_fee_message(event))

    def market_changed(self, event: LifecycleEvent) -> None:
        """Send a market's change of life; a created event's own message comes with it."""
        one = self.subscription(Channel.LIFECYCLE)
        if one is None:
            return
        market = self.venue.markets[event.ticker]
        if event.event_type == "created":
            self.emit(one, "event_lifecycle", frames.event_message(market.event))
        self.emit(one, "market_lifecycle_v2", frames.lifecycle_message(market, event))

    def end_subscription(self, subscription: Subscription, code: tuple[int, str]) -> None:
        """End a subscription with an error that is its last word."""
        self.subscriptions.pop(subscription.sid, None)
        number, text = code
        self.send({"type": "error", "sid": subscription.sid, "msg": {"code": number, "msg": text}})

    def _overflow(self, subscription: Subscription) -> None:
        self.end_subscription(subscription, Code.OVERFLOW)

    def _book(self, one: Subscription, market: Market, body: Json) -> None:
        conditions = self.venue.conditions
        end = conditions.take_end()
        if end is not None:
            self.end_subscription(one, Code.terminal(end))
            return
        for false in false_deltas(conditions, market):
            self.emit(one, "orderbook_delta", false)
        if conditions.take("garble_frames"):
            # Its number is used up: what the client cannot read, it also misses.
            one.next_seq()
            whole = orjson.dumps({"type": "orderbook_delta", "sid": one.sid, "msg": body}).decode()
            self.outbox.put(whole[: len(whole) // 2])
            return
        delay_s = self._books.delay_s() if conditions.holds("reorder_books") else 0.0
        self.emit(one, "orderbook_delta", body, delay_s=delay_s)
        if one.seq and conditions.holds("duplicate_books"):
            one.seq -= 1
            self.emit(one, "orderbook_delta", body)

    def _private(self, channel: Channel, kind: str, ticker: str, body: Json) -> None:
        conditions = self.venue.conditions
        one = self.subscription(channel)
        if one is None or not one.wants(ticker) or conditions.holds("drop_private"):
            return
        overtaken_s = self._privates.delay_s() if conditions.holds("reorder_private") else 0.0
        conditions.holds("private_delay_s")
        self.emit(one, kind, body, delay_s=conditions.private_delay_s + overtaken_s)
