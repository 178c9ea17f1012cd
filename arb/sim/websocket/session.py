"""One client's session: its subscriptions, and every change it has to hear of."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from arb.sim.exchange.account import Account, Position
from arb.sim.exchange.values import Fill, LevelChange, LifecycleEvent, Order, Trade
from arb.sim.exchange.venue import Venue
from arb.sim.rest.words import Json
from arb.sim.serving.socket import Outbox
from arb.sim.websocket import frames
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

    def send(self, message: Json) -> None:
        """Send one message, stamped; replies are sent even when the outbox is full."""
        stamped = {**message, "sending_ts_ms": self.venue.clock.wall_ms()}
        self.outbox.put(orjson.dumps(stamped).decode() + "\n")

    def emit(
        self, subscription: Subscription, kind: str, body: Json, command_id: int | None = None
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
        self.send(message)

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
        for one in list(self.subscriptions.values()):
            if not one.wants(change.ticker):
                continue
            if one.channel is Channel.BOOK:
                market = self.venue.markets[change.ticker]
                body = frames.delta_message(
                    market, change, self.account.name, use_yes_price=one.use_yes_price
                )
                self.emit(one, "orderbook_delta", body)
            elif one.channel is Channel.TICKER:
                self.ticker(one, change.ticker)

    def traded(self, trade: Trade) -> None:
        """Send a public trade and the ticker that it changed."""
        for one in list(self.subscriptions.values()):
            if one.channel is Channel.TRADE and one.wants(trade.ticker):
                self.emit(one, "trade", frames.trade_message(trade))
            elif one.channel is Channel.TICKER and one.wants(trade.ticker):
                self.ticker(one, trade.ticker)

    def filled(self, fill: Fill) -> None:
        """Send one's own fill."""
        body = frames.fill_message(self.venue.markets[fill.ticker], fill)
        times = 2 if self.venue.conditions.duplicate_fills else 1
        for _ in range(times):
            self._private(Channel.FILL, "fill", fill.account, fill.ticker, body)

    def order_changed(self, order: Order) -> None:
        """Send one's own order."""
        if order.account == self.account.name:
            body = frames.order_message(self.venue.markets[order.ticker], self.account, order)
            self._private(Channel.ORDERS, "user_order", order.account, order.ticker, body)

    def position_changed(self, account: str, position: Position) -> None:
        """Send one's own position."""
        if account == self.account.name:
            body = frames.position_message(self.account, position)
            self._private(Channel.POSITIONS, "market_position", account, position.ticker, body)

    def market_changed(self, event: LifecycleEvent) -> None:
        """Send a market's change of life; a created event's own message comes with it."""
        one = self.subscription(Channel.LIFECYCLE)
        if one is None:
            return
        market = self.venue.markets[event.ticker]
        if event.event_type == "created":
            self.emit(one, "event_lifecycle", frames.event_message(market.event))
        self.emit(one, "market_lifecycle_v2", frames.lifecycle_message(market, event))

    def _private(self, channel: Channel, kind: str, account: str, ticker: str, body: Json) -> None:
        if account != self.account.name or self.venue.conditions.drop_private:
            return
        one = self.subscription(channel)
        if one is not None and one.wants(ticker):
            self.emit(one, kind, body)

    def _overflow(self, subscription: Subscription) -> None:
        del self.subscriptions[subscription.sid]
        code, text = Code.OVERFLOW
        self.send({"type": "error", "sid": subscription.sid, "msg": {"code": code, "msg": text}})
