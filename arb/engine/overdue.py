"""What is held in markets whose end is overdue: closed without a result, decided and not paid."""

from __future__ import annotations

from arb.core.listing import Listing
from arb.engine.account_reading import Account
from arb.engine.parts import Parts

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS

# From a result to its payment the exchange takes one to five minutes, by the market's own timer.
PAID_WITHIN_MS = 15 * MINUTE_MS

# From the last whistle to a result it is about a minute; a dispute, or a doubt, takes hours.
DECIDED_WITHIN_MS = 3 * HOUR_MS

# Longer than any game. One that is postponed is played within two days or paid at a fair market
# price, and until then what is held in it is tied up.
PLAYED_WITHIN_MS = 24 * HOUR_MS


class Overdue:
    """Looks at every reading of the account, and says once what should have ended by now."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._board = parts.board
        self._decided_ms: dict[str, int] = {}
        self._closed_ms: dict[str, int] = {}
        self._told: set[str] = set()
        self.tickers: tuple[str, ...] = ()

    def look(self, account: Account, now_ms: int) -> None:
        """Take a reading; `tickers` is what is overdue now."""
        self._decided_ms = {t: self._decided_ms.get(t, now_ms) for t in account.decided}
        self._closed_ms = {t: self._closed_ms.get(t, now_ms) for t in account.closed}
        held = [each.ticker for each in account.positions if each.count_e2]
        late = {t: text for t in held if (text := self._text(t, now_ms)) is not None}
        for ticker in sorted(late.keys() - self._told):
            self._board.say("RISK", f"{ticker} {late[ticker]}", level="warning")
        self._told.update(late)
        self.tickers = tuple(sorted(late))

    def _text(self, ticker: str, now_ms: int) -> str | None:
        if ticker in self._decided_ms:
            since_ms = now_ms - self._decided_ms[ticker]
            text = f"is decided for {since_ms // MINUTE_MS} minutes and has not been paid"
            return text if since_ms >= PAID_WITHIN_MS else None
        if ticker in self._closed_ms:
            since_ms = now_ms - self._closed_ms[ticker]
            text = f"is closed for {since_ms // MINUTE_MS} minutes and has no result"
            return text if since_ms >= DECIDED_WITHIN_MS else None
        listing = self._parts.listing(ticker)
        return _not_played(listing, now_ms) if listing is not None else None

    def __repr__(self) -> str:
        return f"<Overdue {len(self.tickers)} of {len(self._told)} told>"


def _not_played(listing: Listing, now_ms: int) -> str | None:
    start_ms = listing.game.start_ms
    if now_ms - start_ms < PLAYED_WITHIN_MS:
        return None
    hours = (now_ms - start_ms) // HOUR_MS
    return f"was to be played {hours} hours ago and is not closed: postponed?"
