"""Commands to the exchange's WebSocket, as texts ready to send."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import orjson

ORDER_BOOK = "orderbook_delta"
LIFECYCLE = "market_lifecycle_v2"

# The longest ticker seen has 33 characters: 18 KB a command, where no limit is published; the
# REST interface's own is a URL of some 800 tickers.
TICKERS_PER_COMMAND = 500


def in_commands(tickers: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut tickers into as many as one command should name."""
    for start in range(0, len(tickers), TICKERS_PER_COMMAND):
        yield tickers[start : start + TICKERS_PER_COMMAND]


def subscribe_command(command_id: int, channels: Sequence[str], tickers: Sequence[str] = ()) -> str:
    """Subscribe to ``channels``, to all markets where no tickers are given.

    A second subscription to the same channel adds markets to the first one's sid.
    """
    params: dict[str, object] = {"channels": list(channels)}
    if tickers:
        params["market_tickers"] = list(tickers)
    if ORDER_BOOK in channels:
        # The exchange has announced that the default will flip; saying it keeps the meaning.
        params["use_yes_price"] = True
    return _command(command_id, "subscribe", params)


def get_snapshot_command(command_id: int, sid: int, tickers: Iterable[str]) -> str:
    """Ask for the books of ``tickers`` anew; the subscription stays as it is."""
    return _update(command_id, sid, tickers, "get_snapshot")


def add_markets_command(command_id: int, sid: int, tickers: Iterable[str]) -> str:
    """Add markets to a subscription."""
    return _update(command_id, sid, tickers, "add_markets")


def delete_markets_command(command_id: int, sid: int, tickers: Iterable[str]) -> str:
    """Take markets out of a subscription."""
    return _update(command_id, sid, tickers, "delete_markets")


def unsubscribe_command(command_id: int, sids: Iterable[int]) -> str:
    """End subscriptions."""
    return _command(command_id, "unsubscribe", {"sids": list(sids)})


def _update(command_id: int, sid: int, tickers: Iterable[str], action: str) -> str:
    params = {"sids": [sid], "market_tickers": list(tickers), "action": action}
    return _command(command_id, "update_subscription", params)


def _command(command_id: int, name: str, params: object) -> str:
    return orjson.dumps({"id": command_id, "cmd": name, "params": params}).decode()
