"""Whether the sportsbooks say that a game is played, and what is stricter once it is."""

from __future__ import annotations

from functools import lru_cache

import attrs

from arb.core.parameters import Risk, Strategy
from arb.core.staleness import QuoteBoard

# Settings do not change while the engine runs, but for the limit that a person moves.
_KEPT = 16


def shows_live(board: QuoteBoard) -> bool:
    """Tell whether any book's last word of a game is that it is played.

    Those that support no fair value count as well: a book that is suspended has said so before.
    """
    for held in board.quotes():  # noqa: SIM110 - on the way to an order, and half as long
        if held.quote.live:
            return True
    return False


def strategy_in_force(strategy: Strategy, *, has_begun: bool) -> Strategy:
    """Return the thresholds of a market: no edge below ``in_play_edge_threshold`` in play."""
    return _strategy_in_play(strategy) if has_begun else strategy


def limits_in_force(risk: Risk, *, has_begun: bool) -> Risk:
    """Return the limits of a market: ``in_play_max_contracts`` in play, where that is less."""
    return _limits_in_play(risk) if has_begun else risk


@lru_cache(maxsize=_KEPT)
def _strategy_in_play(strategy: Strategy) -> Strategy:
    least = strategy.in_play_edge_threshold
    return attrs.evolve(
        strategy,
        taker_edge_threshold=max(least, strategy.taker_edge_threshold),
        maker_edge_threshold=max(least, strategy.maker_edge_threshold),
    )


@lru_cache(maxsize=_KEPT)
def _limits_in_play(risk: Risk) -> Risk:
    most = min(risk.in_play_max_contracts, risk.max_contracts_per_market)
    return attrs.evolve(risk, max_contracts_per_market=most)
