"""Pairs the games of the same two teams on both sides by day and time, or refuses to.

The two teams are the same here; what is left to decide is which of their games is which. A pair
stands only if nothing else fits either of its sides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from enum import Enum, auto

import attrs

from arb.core.eastern import MS_PER_MINUTE
from arb.core.games import KalshiGame, OddsEvent, Reason
from arb.core.teams import Team
from arb.core.tickers import ParsedTicker

# Feeds state starts some minutes apart (the broadcast's hour, the first pitch); the games of a
# doubleheader start at least two and a half hours apart. An hour tells one from the other.
START_TOLERANCE_MS = 60 * MS_PER_MINUTE

# Two offers closer together are more likely one game that the feed lists twice.
DOUBLEHEADER_GAP_MIN_MS = 120 * MS_PER_MINUTE


@attrs.frozen
class Listed:
    """A game on Kalshi whose ticker was understood.

    One with a ``fault`` is never paired, but stands in the way of what might be its own partner.
    """

    game: KalshiGame
    parsed: ParsedTicker
    start_ms: int | None
    fault: Reason | None = None


@attrs.frozen
class Offered:
    """A game of a feed whose teams were found."""

    event: OddsEvent
    home: Team
    away: Team
    day: date

    @property
    def name(self) -> str:
        """Return what a person finds the event by."""
        return f"{self.event.provider}:{self.event.event_id}"


@attrs.frozen
class Pairing:
    """What became of the games of two teams; the lone ones each with the reason."""

    pairs: tuple[tuple[Listed, tuple[Offered, ...]], ...]
    lone_listed: tuple[tuple[Listed, Reason], ...]
    lone_offered: tuple[tuple[Offered, Reason], ...]


# A doubleheader has two games, which Kalshi numbers G1 and G2.
_DOUBLEHEADER = [1, 2]


class _Fit(Enum):
    NONE = auto()
    SURE = auto()
    UNSURE = auto()


def is_near(one_ms: int, other_ms: int) -> bool:
    """Tell whether two starts may be those of one game."""
    return abs(one_ms - other_ms) <= START_TOLERANCE_MS


def pair_games(listed: Sequence[Listed], offered: Sequence[Offered]) -> Pairing:
    """Return which games of the same two teams are the same one.

    A listing that any provider contradicts is paired with none: two feeds that disagree about a
    game are two guesses.
    """
    fits = [[_fit(game, offer, listed, offered) for offer in offered] for game in listed]
    suitors = [sum(row[j] is not _Fit.NONE for row in fits) for j in range(len(offered))]
    pairs: list[tuple[Listed, tuple[Offered, ...]]] = []
    lone: list[tuple[Listed, Reason]] = []
    reasons: dict[str, Reason] = {}
    for game, row in zip(listed, fits, strict=True):
        partners = [j for j, fit in enumerate(row) if fit is not _Fit.NONE]
        offers = tuple(offered[j] for j in partners)
        contested = _Fit.UNSURE in row or any(suitors[j] > 1 for j in partners)
        reason = game.fault or _why_not(game, offers, offered, contested=contested)
        if reason is None:
            pairs.append((game, offers))
        else:
            lone.append((game, reason))
            reasons |= dict.fromkeys((offer.name for offer in offers), reason)
    taken = {offer.name for _, offers in pairs for offer in offers}
    alone = [offer for offer in offered if offer.name not in taken]
    why_alone = tuple((offer, reasons.get(offer.name) or _alone(offer, listed)) for offer in alone)
    return Pairing(tuple(pairs), tuple(lone), why_alone)


def _why_not(
    game: Listed, offers: Sequence[Offered], every: Sequence[Offered], *, contested: bool
) -> Reason | None:
    if not offers:
        same_day = any(offer.day == game.parsed.date for offer in every)
        return Reason.TIMES_DISAGREE if same_day else Reason.NO_COUNTERPART
    if contested or max(Counter(offer.event.provider for offer in offers).values()) > 1:
        return Reason.AMBIGUOUS_GAME
    starts = [offer.event.start_ms for offer in offers]
    return None if is_near(min(starts), max(starts)) else Reason.TIMES_DISAGREE


def _alone(offer: Offered, listed: Sequence[Listed]) -> Reason:
    same_day = any(offer.day == game.parsed.date for game in listed)
    return Reason.TIMES_DISAGREE if same_day else Reason.NO_COUNTERPART


def _fit(
    game: Listed, offer: Offered, listed: Sequence[Listed], offered: Sequence[Offered]
) -> _Fit:
    given = offer.event.kalshi_event_ticker
    if given is not None and given != game.game.event_ticker:
        return _Fit.NONE
    same_day = game.parsed.date == offer.day
    near = game.start_ms is not None and is_near(game.start_ms, offer.event.start_ms)
    if game.fault is not None:
        return _Fit.UNSURE if near or same_day else _Fit.NONE
    if game.start_ms is not None:
        return _Fit.SURE if near else _Fit.NONE
    if not same_day:
        return _Fit.NONE
    if given is not None or game.parsed.game_number is None:
        return _Fit.SURE
    return _by_order(game, offer, listed, offered)


def _by_order(
    game: Listed, offer: Offered, listed: Sequence[Listed], offered: Sequence[Offered]
) -> _Fit:
    """Tell a doubleheader's games by their order, where both sides show both and nothing else."""
    day = game.parsed.date
    numbers = sorted(other.parsed.game_number or 0 for other in listed if other.parsed.date == day)
    provider = offer.event.provider
    starts = sorted(
        other.event.start_ms
        for other in offered
        if other.day == day and other.event.provider == provider
    )
    if numbers != _DOUBLEHEADER or len(starts) != len(_DOUBLEHEADER):
        return _Fit.UNSURE
    first_ms, second_ms = starts
    if second_ms - first_ms < DOUBLEHEADER_GAP_MIN_MS:
        return _Fit.UNSURE
    number = _DOUBLEHEADER[offer.event.start_ms == second_ms]
    return _Fit.SURE if number == game.parsed.game_number else _Fit.NONE
