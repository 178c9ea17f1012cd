"""What one client has subscribed to: channels, markets and the sequence of each."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import attrs


class Channel(StrEnum):
    """The channels that the simulated exchange serves."""

    BOOK = "orderbook_delta"
    TICKER = "ticker"
    TRADE = "trade"
    FILL = "fill"
    ORDERS = "user_orders"
    POSITIONS = "market_positions"
    LIFECYCLE = "market_lifecycle_v2"
    COMBOS_LIFECYCLE = "multivariate_market_lifecycle"
    GROUPS = "order_group_updates"


# Sequence numbers exist on these channels; the private ones and the ticker have none.
SEQUENCED = frozenset(
    {
        Channel.BOOK,
        Channel.TRADE,
        Channel.LIFECYCLE,
        Channel.COMBOS_LIFECYCLE,
        Channel.GROUPS,
    }
)
# These take no market: they always tell of everything.
ABOUT_EVERYTHING = frozenset({Channel.LIFECYCLE, Channel.COMBOS_LIFECYCLE, Channel.GROUPS})


class Code:
    """Error codes of the WebSocket, from its published contract."""

    UNABLE = (1, "Unable to process message")
    PARAMS = (2, "Params required")
    CHANNELS = (3, "Channels required")
    SIDS = (4, "Subscription IDs required")
    COMMAND = (5, "Unknown command")
    UNKNOWN_SID = (7, "Unknown subscription ID")
    UNKNOWN_CHANNEL = (8, "Unknown channel name")
    PARAMETER = (11, "Invalid parameter")
    ONE_SID = (12, "Exactly one subscription ID is required")
    ACTION_UNSUPPORTED = (13, "Unsupported action")
    MARKET = (14, "Market Ticker required")
    ACTION = (15, "Action required")
    CHANNEL = (10, "Channel error")
    TIMEOUT = (18, "Command timeout")
    OVERFLOW = (25, "Subscription buffer overflow")
    MARKET_LIMIT = (26, "Subscription market limit exceeded")
    TOO_MANY = (27, "Too many requests")

    @classmethod
    def terminal(cls, number: int) -> tuple[int, str]:
        """Return the error that ends a subscription, 10 or 25."""
        return cls.OVERFLOW if number == cls.OVERFLOW[0] else cls.CHANNEL

    @classmethod
    def refusal(cls, number: int) -> tuple[int, str]:
        """Return an error that answers a command, by its number."""
        known = (cls.UNABLE, cls.UNKNOWN_CHANNEL, cls.TIMEOUT, cls.MARKET_LIMIT, cls.TOO_MANY)
        return next((one for one in known if one[0] == number), (number, "Refused"))


class CommandError(Exception):
    """Raised where a command is refused; carries the code and the text to answer with."""

    def __init__(self, code: tuple[int, str]) -> None:
        super().__init__(f"{code[0]} {code[1]}")
        self.code = code


@attrs.define
class Subscription:
    """One channel of one client; ``tickers`` is None where it means every market."""

    sid: int
    channel: Channel
    tickers: dict[str, None] | None
    use_yes_price: bool = False
    quiet_ack: bool = False
    seq: int = 0

    def wants(self, ticker: str) -> bool:
        """Return whether messages of a market belong to this subscription."""
        return self.tickers is None or ticker in self.tickers

    def next_seq(self, skipped: int = 0) -> int | None:
        """Return the number of the next message, None on channels without a sequence."""
        if self.channel not in SEQUENCED:
            return None
        self.seq += 1 + skipped
        return self.seq

    def last_seq(self) -> int:
        """Return the number of the farewell, which the contract wants on every channel."""
        self.seq += 1
        return self.seq

    def add(self, tickers: Iterable[str]) -> None:
        """Add markets to a subscription that names its markets."""
        if self.tickers is not None:
            self.tickers.update(dict.fromkeys(tickers))

    def remove(self, tickers: Iterable[str]) -> None:
        """Take markets out again."""
        for ticker in tickers:
            if self.tickers is not None:
                self.tickers.pop(ticker, None)
