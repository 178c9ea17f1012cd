"""Every provider of odds by its name: how its feed is made, and how its tape is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import attrs

from arb.core.games import OddsEvent
from arb.feeds import odds_api_wire, opticodds_wire, the_odds_api_wire, unabated_wire
from arb.feeds.base import NoteBad, OddsFeed, Parsed, unheard
from arb.feeds.odds_api_io import OddsApiIo
from arb.feeds.opticodds import OpticOdds
from arb.feeds.the_odds_api import TheOddsApi
from arb.feeds.unabated import Unabated
from arb.io.clock import Clock
from arb.io.http import Http
from arb.io.net import Network
from arb.settings import OddsPlace, Settings

MS_PER_S = 1000

Parse = Callable[[str, int], Parsed]


@attrs.frozen
class Seams:
    """What every feed speaks through; ``on_bad`` hears of what was polled and cannot be used."""

    http: Http
    network: Network
    clock: Clock
    on_bad: NoteBad = unheard


Make = Callable[[Seams, OddsPlace, Settings], OddsFeed]


def _on_socket(
    kind: type[OddsApiIo | Unabated], seams: Seams, place: OddsPlace, settings: Settings
) -> OddsFeed:
    return kind(
        seams.http,
        seams.network,
        seams.clock,
        place.rest_url,
        place.ws_url,
        place.key,
        books=settings.odds_feed.books,
        on_bad=seams.on_bad,
    )


def _opticodds(seams: Seams, place: OddsPlace, settings: Settings) -> OddsFeed:
    return OpticOdds(
        seams.http,
        seams.network,
        seams.clock,
        place.rest_url,
        place.key,
        books=settings.odds_feed.books,
        on_bad=seams.on_bad,
    )


def _the_odds_api(seams: Seams, place: OddsPlace, settings: Settings) -> OddsFeed:
    section = settings.odds_feed.the_odds_api
    return TheOddsApi(
        seams.http,
        place.rest_url,
        place.key,
        books=settings.odds_feed.books,
        regions=section.regions,
        poll_interval_s=section.poll_interval_ms / MS_PER_S,
        credits_per_day=section.credits_per_day if place.metered else None,
    )


_FEEDS: Mapping[str, Make] = MappingProxyType(
    {
        odds_api_wire.PROVIDER: partial(_on_socket, OddsApiIo),
        opticodds_wire.PROVIDER: _opticodds,
        the_odds_api_wire.PROVIDER: _the_odds_api,
        unabated_wire.PROVIDER: partial(_on_socket, Unabated),
    }
)


@attrs.frozen
class TapeParser:
    """What reads a provider's messages from a tape.

    ``restore`` takes over what the live reader remembered at that place; raises `ValueError`.
    """

    parse: Parse
    restore: Callable[[Any], None]


def _remember_nothing(_memory: Any) -> None:
    """Need nothing beside the message."""


def tape_parser(provider: str, events: Iterable[OddsEvent]) -> TapeParser:
    """Return what reads a provider's messages from a tape; ``events`` are the tape's games."""
    if provider == opticodds_wire.PROVIDER:
        optic = opticodds_wire.OpticOddsReader()
        optic.learn((event for event in events if event.provider == provider), 0)
        return TapeParser(optic.event, optic.restore)
    if provider == unabated_wire.PROVIDER:
        unabated = unabated_wire.UnabatedReader()
        return TapeParser(unabated.message, unabated.restore)
    if provider == the_odds_api_wire.PROVIDER:
        return TapeParser(the_odds_api_wire.TheOddsApiReader().answer, _remember_nothing)
    return TapeParser(odds_api_wire.parse_frame, _remember_nothing)


def make_feed(seams: Seams, place: OddsPlace, settings: Settings) -> OddsFeed:
    """Return the feed of a provider that is reached at ``place``."""
    return _FEEDS[place.provider](seams, place, settings)


class Offers:
    """The games that several providers offer, all together."""

    def __init__(self, feeds: Sequence[OddsFeed]) -> None:
        self._feeds = tuple(feeds)

    async def events(self, sports: Sequence[str]) -> list[OddsEvent]:
        """Return the games of some leagues, by provider; raises `FeedError` where one fails."""
        return [event for feed in self._feeds for event in await feed.events(sports)]

    def __repr__(self) -> str:
        return f"<Offers of {', '.join(feed.provider for feed in self._feeds)}>"
