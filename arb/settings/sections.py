"""The settings around the core: venues, odds and state on disk."""

from __future__ import annotations

import attrs

from arb.core.setting import Address, setting
from arb.settings.secret import Secret

# When the journal is synced: each second, or before each order leaves as well.
FSYNC_SECOND = "second"
FSYNC_ORDER = "order"

LEAGUES = ("nfl", "nba", "mlb", "nhl")

PRODUCTION_API = "https://external-api.kalshi.com/trade-api/v2"
PRODUCTION_WS = "wss://external-api-ws.kalshi.com/trade-api/ws/v2"
DEMO_API = "https://external-api.demo.kalshi.co/trade-api/v2"
DEMO_WS = "wss://external-api-ws.demo.kalshi.co/trade-api/ws/v2"


@attrs.frozen(kw_only=True)
class PaperHosts:
    """Where paper mode reads real prices; it sends no order anywhere."""

    api_base: str = setting(
        PRODUCTION_API,
        "Kalshi's recommended production host",
        address=Address.HTTP,
    )
    ws_url: str = setting(
        PRODUCTION_WS,
        "its host for market data",
        address=Address.WEBSOCKET,
    )


@attrs.frozen(kw_only=True)
class DemoHosts:
    """Where demo mode trades: Kalshi's demo exchange, with keys of its own, or loopback."""

    api_base: str = setting(
        DEMO_API,
        "Kalshi's recommended demo host",
        address=Address.HTTP,
    )
    ws_url: str = setting(
        DEMO_WS,
        "its host for market data",
        address=Address.WEBSOCKET,
    )


@attrs.frozen(kw_only=True)
class LiveHosts:
    """Where live mode trades, with real money."""

    api_base: str = setting(
        PRODUCTION_API,
        "Kalshi's recommended production host",
        address=Address.HTTP,
    )
    ws_url: str = setting(
        PRODUCTION_WS,
        "its host for market data",
        address=Address.WEBSOCKET,
    )


@attrs.frozen(kw_only=True)
class Kalshi:
    """The exchange; keys belong into the environment or a settings file of your own."""

    api_base: str = setting(
        "",
        "empty: the mode's own below; else used in every mode that may use this host;"
        " with or without /trade-api/v2",
        address=Address.HTTP,
        optional=True,
    )
    ws_url: str = setting(
        "",
        "empty: the mode's own below; else used in every mode that may use this host",
        address=Address.WEBSOCKET,
        optional=True,
    )
    api_key: Secret = setting(Secret(), "the key's id; better kept in ARB_KALSHI__API_KEY")
    private_key_path: Secret = setting(
        Secret(), "the PEM file that signs; better kept in ARB_KALSHI__PRIVATE_KEY_PATH"
    )
    paper: PaperHosts = attrs.field(factory=PaperHosts)
    demo: DemoHosts = attrs.field(factory=DemoHosts)
    live: LiveHosts = attrs.field(factory=LiveHosts)


@attrs.frozen(kw_only=True)
class OddsFeed:
    """Where the sportsbooks' odds come from."""

    provider: str = setting(
        "odds-api-io",
        "the one provider that is built in",
        choices=("odds-api-io",),
    )
    rest_url: str = setting(
        "https://api.odds-api.io/v3",
        "its REST host: games, first prices, confirmations",
        address=Address.HTTP,
    )
    ws_url: str = setting(
        "wss://api.odds-api.io/v3/ws",
        "its stream of changes",
        address=Address.WEBSOCKET,
    )
    api_key: Secret = setting(Secret(), "its key; better kept in ARB_ODDS_FEED__API_KEY")
    sports: tuple[str, ...] = setting(LEAGUES, "the leagues to watch", choices=LEAGUES)
    books: tuple[str, ...] = setting(
        ("Pinnacle", "DraftKings", "FanDuel", "BetMGM", "Caesars", "Bet365"),
        "the sportsbooks to ask for, spelled as the provider does",
    )
    poll_interval_ms: int = setting(
        20_000,
        "how often unchanged prices are read again, which confirms them: below book_confirm_ms",
        unit="ms",
        low=1_000,
        high=3_600_000,
    )


@attrs.frozen(kw_only=True)
class Engine:
    """What the engine keeps on disk and says about itself."""

    state_dir: str = setting(
        "~/.local/state/arb",
        "journal, lock and socket, in a folder for each mode",
    )
    fsync: str = setting(
        FSYNC_SECOND,
        "when the journal is brought to the disk, which only a loss of power can show: each second,"
        " or before each order leaves, which costs it 0.2 ms and more; a kill loses nothing either"
        " way",
        choices=(FSYNC_SECOND, FSYNC_ORDER),
    )
    record_tape: bool = setting(
        default=False,
        reason="keep every raw frame beside the journal, for arb replay: about 1 GB a day",
    )
    discovery_interval_ms: int = setting(
        60_000,
        "how often the games of both sides are read again; messages of new games ask sooner",
        unit="ms",
        low=15_000,
        high=3_600_000,
    )
    blocked_exit_ms: int = setting(
        10_000,
        "how long one piece of code may hold the whole engine up before the process ends itself;"
        " 0: for ever",
        unit="ms",
        low=0,
        high=600_000,
    )
    log_level: str = setting(
        "info",
        "how much the log file says",
        choices=("debug", "info", "warning", "error"),
    )
