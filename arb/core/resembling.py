"""What an unmatched game might have been: suggestions for a person, never for the matcher."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from itertools import chain

import attrs

from arb.core.eastern import eastern_text
from arb.core.games import Reason, Source, Unmatched
from arb.core.pairing import Listed, Offered, Pairing
from arb.core.teams import CANDIDATES_MAX, Team


@attrs.frozen
class _Entry:
    """One game of either side as a suggestion shows it."""

    source: Source
    day: date
    teams: frozenset[str]
    id: str
    text: str


class Search:
    """Finds, for an unmatched game, the other side's games that have a team in common with it."""

    def __init__(
        self, listings: Iterable[Sequence[Listed]], offers: Iterable[Sequence[Offered]]
    ) -> None:
        self._listings = listings
        self._offers = offers

    def __repr__(self) -> str:
        return "<Search for what unmatched games might have been>"

    def explained(self, pairing: Pairing) -> Iterator[Unmatched]:
        """Give what a pairing left over, with reason and suggestions."""
        for listed, reason in pairing.lone_listed:
            home, away = listed.parsed.home, listed.parsed.away
            yield self._unmatched(_listed_entry(listed), reason, home, away, Source.ODDS)
        for offer, reason in pairing.lone_offered:
            entry = _offered_entry(offer)
            yield self._unmatched(entry, reason, offer.home, offer.away, Source.KALSHI)

    @cached_property
    def _by_team(self) -> Mapping[tuple[Source, str, str], Sequence[_Entry]]:
        # Made when first asked for: on most days nothing is left over.
        found: dict[tuple[Source, str, str], list[_Entry]] = defaultdict(list)
        for listed in chain.from_iterable(self._listings):
            for team in (listed.parsed.home, listed.parsed.away):
                found[Source.KALSHI, team.league, team.name].append(_listed_entry(listed))
        for offer in chain.from_iterable(self._offers):
            for team in (offer.home, offer.away):
                found[Source.ODDS, team.league, team.name].append(_offered_entry(offer))
        return found

    def _unmatched(
        self, entry: _Entry, reason: Reason, home: Team, away: Team, other: Source
    ) -> Unmatched:
        near = {
            found.id: found
            for team in (home, away)
            for found in self._by_team.get((other, team.league, team.name), ())
            if found.teams == entry.teams or found.day == entry.day
        }
        best = sorted(near.values(), key=lambda found: _distance(found, entry))
        texts = tuple(found.text for found in best[:CANDIDATES_MAX])
        return Unmatched(entry.source, entry.id, reason, f"{entry.text}: {reason}", texts)


def _distance(found: _Entry, entry: _Entry) -> tuple[bool, int, str]:
    return found.teams != entry.teams, abs((found.day - entry.day).days), found.id


def _listed_entry(listed: Listed) -> _Entry:
    parsed = listed.parsed
    when = f"{parsed.date}" if listed.start_ms is None else eastern_text(listed.start_ms)
    text = f"{parsed.event_ticker} ({parsed.away.name} at {parsed.home.name}, {when})"
    teams = frozenset((parsed.home.name, parsed.away.name))
    return _Entry(Source.KALSHI, parsed.date, teams, parsed.event_ticker, text)


def _offered_entry(offer: Offered) -> _Entry:
    when = eastern_text(offer.event.start_ms)
    text = f"{offer.name} ({offer.away.name} at {offer.home.name}, {when})"
    teams = frozenset((offer.home.name, offer.away.name))
    return _Entry(Source.ODDS, offer.day, teams, offer.name, text)
