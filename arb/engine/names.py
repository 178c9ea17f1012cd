"""The names of the actors, which is how they find each other."""

from __future__ import annotations

from collections.abc import Sequence

from actors import Address, Context, UnknownActor

TRADING = "trading"
JOURNAL = "journal"
RISK = "risk"
GATEWAY = "gateway"
FEEDS = "feeds"
BOOK_FEED = "books"
ODDS_FEED = "odds"
MARKETS = "markets"
CATALOGUE = "catalogue"
DISCOVERY = "discovery"
BESIDE = "beside"
CONTROL = "control"
TAPE = "tape"

# The connections that orders and our account depend on, as people are shown them.
ACCOUNT_LINK = "Kalshi account"
ORDER_LANES = "Kalshi orders"


def odds_feed_name(provider: str, providers: Sequence[str]) -> str:
    """Return the name of one provider's actor: the first of those in use is plainly the odds."""
    return ODDS_FEED if provider == providers[0] else f"{ODDS_FEED}-{provider}"


def odds_feed_names(providers: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the actors of all providers in use."""
    return tuple(odds_feed_name(each, providers) for each in providers)


def market_name(ticker: str) -> str:
    """Return the name of a market's actor: its ticker."""
    return ticker


def is_market(path: str) -> bool:
    """Tell whether a path in the tree is that of a market's actor."""
    return path.rpartition("/")[0].endswith(MARKETS)


def ticker_of(address: Address) -> str:
    """Return the ticker of a market's actor."""
    return address.name


def if_there(ctx: Context, name: str) -> Address | None:
    """Return an actor's address, None in a tree without it: a replay of books alone, a bench."""
    try:
        return ctx.find(name)
    except UnknownActor:
        return None
