"""What happens after the final whistle: close, determination and settlement, each in its time."""

from __future__ import annotations

import attrs

from arb.sim.exchange.account import ONE_DOLLAR_E4
from arb.sim.exchange.lifecycle import close, determine, settle, sweep_closed
from arb.sim.exchange.markets import Market, MarketStatus
from arb.sim.exchange.resting import expire
from arb.sim.exchange.venue import Venue
from arb.sim.timing import MS_PER_S
from arb.sim.world.games import Game

# Inferred from recorded settlements: about a minute from the close to the determination.
_DETERMINED_AFTER_MS = 60_000
_NO_WINNER = "Tie"


@attrs.frozen
class _Sentence:
    """A market whose game is over: what YES is worth and when that takes effect."""

    market: Market
    value_e4: int
    winner_label: str
    determined_at_ms: int
    settled_at_ms: int


class Referee:
    """Ends games; ``scale`` stretches the waits (1 is real time, less is quicker)."""

    def __init__(self, venue: Venue, scale: float = 1.0, tie_share: float = 0.0) -> None:
        self._venue = venue
        self._scale = scale
        self.tie_share = tie_share
        self._pending: list[_Sentence] = []

    def __repr__(self) -> str:
        return f"Referee(pending={len(self._pending)})"

    def whistle(self, game: Game, wall_ms: int, *, home_wins: bool | None) -> None:
        """Close both markets of a game; ``None`` is a tie, which pays half a dollar each."""
        determined_at_ms = wall_ms + round(_DETERMINED_AFTER_MS * self._scale)
        timer_ms = round(game.league.timer_s * MS_PER_S * self._scale)
        winner = {True: game.home.label, False: game.away.label, None: _NO_WINNER}[home_wins]
        for ticker, wins in (
            (game.home_ticker, home_wins),
            (game.away_ticker, None if home_wins is None else not home_wins),
        ):
            market = self._venue.markets[ticker]
            value_e4 = {True: ONE_DOLLAR_E4, False: 0, None: ONE_DOLLAR_E4 // 2}[wins]
            close(self._venue, market)
            self._pending.append(
                _Sentence(market, value_e4, winner, determined_at_ms, determined_at_ms + timer_ms)
            )

    def step(self, wall_ms: int) -> None:
        """Expire orders, sweep closed markets, determine and settle what is due."""
        expire(self._venue)
        sweep_closed(self._venue)
        for sentence in self._pending:
            market = sentence.market
            if market.status is MarketStatus.CLOSED and wall_ms >= sentence.determined_at_ms:
                determine(self._venue, market, sentence.value_e4, sentence.winner_label)
            if market.status is MarketStatus.DETERMINED and wall_ms >= sentence.settled_at_ms:
                settle(self._venue, market)
        self._pending = [
            sentence
            for sentence in self._pending
            if sentence.market.status is not MarketStatus.FINALIZED
        ]
