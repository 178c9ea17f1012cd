"""Where the markets' actors are, as the risk manager knows it: who is there, how to reach one."""

from __future__ import annotations

from actors import Address, Context
from arb.engine.names import market_name
from arb.engine.parts import Parts


class MarketActors:
    """Who has said hello and is not gone; one that is over leaves nothing behind here."""

    def __init__(self, ctx: Context, parts: Parts) -> None:
        self._ctx = ctx
        self._parts = parts
        self._addresses: dict[str, Address] = {}
        # A market that stays down, in quarantine, never says hello to a risk manager that is new.
        self._present: set[str] = set()

    def arrived(self, ticker: str) -> None:
        """Take a market for present, and be told when it is gone."""
        self._present.add(ticker)
        self._ctx.monitor(self._ctx.find(market_name(ticker)))

    def gone(self, ticker: str) -> None:
        """Take a market for absent."""
        self._present.discard(ticker)

    def forget(self, ticker: str) -> None:
        """Let go of a market that is over: its address keeps its actor's mailbox."""
        self._addresses.pop(ticker, None)

    def is_away(self, ticker: str) -> bool:
        """Tell whether nobody keeps a market's exits."""
        return ticker not in self._present

    def tell(self, ticker: str, message: object) -> None:
        """Tell a market something, if it is traded here; what a person holds elsewhere is not."""
        if self._parts.listing(ticker) is None:
            return
        address = self._addresses.get(ticker)
        if address is None:
            address = self._addresses[ticker] = self._ctx.find(market_name(ticker))
        address.tell(message)

    def __repr__(self) -> str:
        return f"<MarketActors {len(self._present)} present>"
