"""What happens after the final whistle: close, determination and settlement, each in its time."""

from __future__ import annotations

import attrs

from arb.sim.exchange.account import ONE_DOLLAR_E4
from arb.sim.exchange.fee_changes import apply_due_fees
from arb.sim.exchange.lifecycle import (
    close,
    determine,
    follow_pauses,
    settle,
    sweep_closed,
)
from arb.sim.exchange.markets import Market, MarketStatus
from arb.sim.exchange.resting import expire, sweep_late_orders
from arb.sim.exchange.venue import Venue
from arb.sim.timing import MS_PER_S
from arb.sim.world.games import Game

# Inferred from recorded settlements: about a minute from the close to the determination.
_DETERMINED_AFTER_MS = 60_000
_NO_WINNER = "Tie"
_NOT_PLAYED = "Not played"


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
        home_e4 = {True: ONE_DOLLAR_E4, False: 0, None: ONE_DOLLAR_E4 // 2}[home_wins]
        winner = {True: game.home.label, False: game.away.label, None: _NO_WINNER}[home_wins]
        self._sentence(game, wall_ms, home_e4, winner)

    def call_off(self, game: Game, wall_ms: int) -> None:
        """End a game that was not played in time: both markets pay their fair market price."""
        home_e4 = self._venue.markets[game.home_ticker].last_price_e4 or ONE_DOLLAR_E4 // 2
        self._sentence(game, wall_ms, home_e4, _NOT_PLAYED)

    def _sentence(self, game: Game, wall_ms: int, home_e4: int, winner: str) -> None:
        determined_at_ms = wall_ms + round(_DETERMINED_AFTER_MS * self._scale)
        timer_ms = round(game.league.timer_s * MS_PER_S * self._scale)
        for ticker, value_e4 in (
            (game.home_ticker, home_e4),
            (game.away_ticker, ONE_DOLLAR_E4 - home_e4),
        ):
            market = self._venue.markets[ticker]
            close(self._venue, market)
            self._pending.append(
                _Sentence(market, value_e4, winner, determined_at_ms, determined_at_ms + timer_ms)
            )

    def step(self, wall_ms: int) -> None:
        """Let pauses, fees and expiries take effect; sweep, determine and settle what is due."""
        follow_pauses(self._venue)
        apply_due_fees(self._venue)
        expire(self._venue)
        sweep_late_orders(self._venue)
        sweep_closed(self._venue)
        held = self._venue.conditions.hold_settlements
        for sentence in self._pending:
            market = sentence.market
            if market.status is MarketStatus.CLOSED and wall_ms >= sentence.determined_at_ms:
                determine(self._venue, market, sentence.value_e4, sentence.winner_label)
            if held:
                continue
            if market.status is MarketStatus.DETERMINED and wall_ms >= sentence.settled_at_ms:
                settle(self._venue, market)
        self._pending = [
            sentence
            for sentence in self._pending
            if sentence.market.status is not MarketStatus.FINALIZED
        ]
