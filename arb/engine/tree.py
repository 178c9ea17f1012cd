"""The whole tree of actors, on one page.

Root, one for one: what stands beside trading, and trading. Beside it, one for one: control and
tape. Trading, rest for one: whoever fails takes those down that were started after it, because they
rest on it. Markets, one for one: each by itself. Nothing rests on discovery, which comes last.

Where a market, discovery, control or tape fails again and again, it is set apart and takes nothing
down; all but markets are released after a while by `tree_watch.py`, if a person is not quicker.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from actors import (
    Actor,
    ActorSpec,
    Backoff,
    Context,
    Exceeded,
    Intensity,
    Restart,
    Strategy,
    SupervisorSpec,
    drop_oldest,
    fail,
)
from arb.core.listing import Listing
from arb.engine import names
from arb.engine.market import Market
from arb.engine.parts import Parts
from arb.engine.risk import RiskManager

Build = Callable[[Context], Actor]

# Orders, fills and holdings are never dropped: an actor that lets this many wait has stopped
# working, and its senders must hear of it.
ORDERS_WAITING_MAX = 10_000

# Books and quotes of some hundred markets in a burst, a snapshot of each among them.
FRAMES_WAITING_MAX = 10_000

# Messages of markets' lives wait for a discovery that is away, or set apart, and must never hold up
# the book feed that passes them on. One that comes up reads the lists, which know all but the last.
LIVES_WAITING_MAX = 1_000
LIVES_KEPT_S = 20.0

# A tape that is behind by so much loses frames, counted, rather than hold up the feeds.
TAPE_FRAMES_MAX = 50_000

# A market is told of each change of two tops, its quotes and its holding. What waits while it is
# away may be lost: a market that comes up asks for all of it anew, and keeps nothing.
MARKET_MESSAGES_MAX = 2_000

# Restarts within a minute, after which a market is quarantined, and any other branch gives up and
# leaves it to the one above. Levels multiply, so the upper ones get fewer.
MARKET_RESTARTS = Intensity(5, per_s=60.0)
TRADING_RESTARTS = Intensity(3, per_s=60.0)
ROOT_RESTARTS = Intensity(2, per_s=60.0)
BACKOFF = Backoff(base_s=0.1, cap_s=5.0, healthy_after_s=30.0)

# What each child may take to stop; all of them in a row stay within five seconds.
GRACE_S = 0.5


def engine_tree(
    parts: Parts,
    *,
    journal: Build,
    gateway: Build,
    book_feed: Build,
    odds_feeds: Mapping[str, Build],
    control: Build | None = None,
    tape: Build | None = None,
    discovery: Build | None = None,
) -> SupervisorSpec:
    """Return the tree of an engine whose outer parts are given; ``odds_feeds`` by actor name."""
    last = () if discovery is None else (_catalogue(discovery),)
    trading = SupervisorSpec(
        names.TRADING,
        strategy=Strategy.REST_FOR_ONE,
        intensity=TRADING_RESTARTS,
        backoff=BACKOFF,
        children=(
            _worker(names.JOURNAL, journal),
            _direct(names.RISK, lambda ctx: RiskManager(ctx, parts), ORDERS_WAITING_MAX),
            _direct(names.GATEWAY, gateway, ORDERS_WAITING_MAX),
            SupervisorSpec(
                names.FEEDS,
                strategy=Strategy.ONE_FOR_ONE,
                intensity=TRADING_RESTARTS,
                backoff=BACKOFF,
                children=(
                    _direct(names.BOOK_FEED, book_feed, FRAMES_WAITING_MAX),
                    *(
                        _direct(name, build, FRAMES_WAITING_MAX)
                        for name, build in odds_feeds.items()
                    ),
                ),
            ),
            SupervisorSpec(
                names.MARKETS,
                strategy=Strategy.ONE_FOR_ONE,
                intensity=MARKET_RESTARTS,
                backoff=BACKOFF,
                exceeded=Exceeded.QUARANTINE,
                children=tuple(market(parts, each) for each in parts.catalogue.listings),
            ),
            *last,
        ),
    )
    return SupervisorSpec(
        "root",
        strategy=Strategy.ONE_FOR_ONE,
        intensity=ROOT_RESTARTS,
        backoff=BACKOFF,
        children=(*_beside(control, tape), trading),
    )


def market(parts: Parts, listing: Listing) -> ActorSpec:
    """Return the spec of one market's actor, which looks at its listing of the moment."""
    return ActorSpec(
        names.market_name(listing.ticker),
        build=lambda ctx: Market(ctx, parts, listing),
        restart=Restart.TRANSIENT,
        mailbox=drop_oldest(MARKET_MESSAGES_MAX, keep_s=0.0),
        direct=True,
        grace_s=GRACE_S,
    )


def _beside(control: Build | None, tape: Build | None) -> tuple[SupervisorSpec, ...]:
    """Return what trading does without: a console's socket that fails must not end it."""
    children = []
    if control is not None:
        children.append(_worker(names.CONTROL, control))
    if tape is not None:
        lossy = drop_oldest(TAPE_FRAMES_MAX)
        children.append(ActorSpec(names.TAPE, build=tape, mailbox=lossy, grace_s=GRACE_S))
    if not children:
        return ()
    beside = SupervisorSpec(
        names.BESIDE,
        strategy=Strategy.ONE_FOR_ONE,
        intensity=TRADING_RESTARTS,
        backoff=BACKOFF,
        exceeded=Exceeded.QUARANTINE,
        children=tuple(children),
    )
    return (beside,)


def _catalogue(discovery: Build) -> SupervisorSpec:
    return SupervisorSpec(
        names.CATALOGUE,
        intensity=TRADING_RESTARTS,
        backoff=BACKOFF,
        exceeded=Exceeded.QUARANTINE,
        children=(
            ActorSpec(
                names.DISCOVERY,
                build=discovery,
                mailbox=drop_oldest(LIVES_WAITING_MAX, keep_s=LIVES_KEPT_S),
                direct=True,
                grace_s=GRACE_S,
            ),
        ),
    )


def _direct(name: str, build: Build, waiting_max: int) -> ActorSpec:
    return ActorSpec(name, build=build, mailbox=fail(waiting_max), direct=True, grace_s=GRACE_S)


def _worker(name: str, build: Build) -> ActorSpec:
    return ActorSpec(name, build=build, grace_s=GRACE_S)
