"""The settings around the core: venues, odds and state on disk."""

from __future__ import annotations

import attrs

from arb.core.setting import Address, setting
from arb.settings.secret import Secret

# When the journal is synced: each second, or before each order leaves as well.
FSYNC_SECOND = "second"
FSYNC_ORDER = "order"

# What becomes of an engine whose last console has disappeared.
UNATTENDED_RUN = "run"
UNATTENDED_REDUCE = "reduce"
UNATTENDED_STOP = "stop"

LEAGUES = ("nfl", "nba", "mlb", "nhl")

PROVIDERS = ("odds-api-io", "opticodds", "the-odds-api", "unabated")

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
class OddsApiIo:
    """odds-api.io: a WebSocket of changes, REST for first prices and confirmations."""

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
    api_key: Secret = setting(
        Secret(), "its key; better kept in ARB_ODDS_FEED__ODDS_API_IO__API_KEY"
    )


@attrs.frozen(kw_only=True)
class OpticOdds:
    """OpticOdds: server-sent events of changes, REST for first prices and confirmations."""

    rest_url: str = setting(
        "https://api.opticodds.com/api/v3",
        "its host, for streams as well",
        address=Address.HTTP,
    )
    api_key: Secret = setting(Secret(), "its key; better kept in ARB_ODDS_FEED__OPTICODDS__API_KEY")


@attrs.frozen(kw_only=True)
class TheOddsApi:
    """The Odds API: polled within a budget of credits, and a reference to compare others with."""

    rest_url: str = setting(
        "https://api.the-odds-api.com/v4",
        "its one host, for every league",
        address=Address.HTTP,
    )
    api_key: Secret = setting(
        Secret(), "its key; better kept in ARB_ODDS_FEED__THE_ODDS_API__API_KEY"
    )
    regions: tuple[str, ...] = setting(
        ("us",),
        "whose books are asked for; each costs a credit a league and poll",
        choices=("us", "us2", "uk", "eu", "au"),
    )
    credits_per_day: int = setting(
        600,
        "polls are spread evenly so that no more is spent: 20,000 a month are 645 a day, one"
        " poll in 144 s; what is new in a poll may be as old as the one before and opens no trade"
        " then: trading on it takes 50,000 a day, and polls within stale_odds_threshold_ms",
        unit="credits",
        low=1,
        high=10_000_000,
    )
    poll_interval_ms: int = setting(
        10_000,
        "how often each league is polled where credits allow; its prices are renewed more rarely",
        unit="ms",
        low=500,
        high=3_600_000,
    )


@attrs.frozen(kw_only=True)
class Unabated:
    """Unabated: a snapshot by REST, and a GraphQL socket of changes; hosts come with the key."""

    rest_url: str = setting(
        "https://data.unabated.com",
        "its REST host: books, teams, snapshots",
        address=Address.HTTP,
    )
    ws_url: str = setting(
        "wss://realtime.unabated.com/graphql/realtime",
        "its stream of changes; what fills gaps is asked for beside it",
        address=Address.WEBSOCKET,
    )
    api_key: Secret = setting(Secret(), "its key; better kept in ARB_ODDS_FEED__UNABATED__API_KEY")


@attrs.frozen(kw_only=True)
class OddsFeed:
    """Where the sportsbooks' odds come from: one provider or several at once."""

    provider: tuple[str, ...] = setting(
        ("odds-api-io",),
        "who gives the odds, each by its own section below; one may be written without brackets",
        choices=PROVIDERS,
    )
    rest_url: str = setting(
        "",
        "empty: the providers' own below; else the first provider's",
        address=Address.HTTP,
        optional=True,
    )
    ws_url: str = setting(
        "",
        "empty: the providers' own below; else the first provider's",
        address=Address.WEBSOCKET,
        optional=True,
    )
    api_key: Secret = setting(
        Secret(), "the first provider's key; better kept in ARB_ODDS_FEED__API_KEY"
    )
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
    odds_api_io: OddsApiIo = attrs.field(factory=OddsApiIo)
    opticodds: OpticOdds = attrs.field(factory=OpticOdds)
    the_odds_api: TheOddsApi = attrs.field(factory=TheOddsApi)
    unabated: Unabated = attrs.field(factory=Unabated)


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
    unattended: str = setting(
        UNATTENDED_REDUCE,
        "what an engine that was started with a console does when its last console disappears, as"
        " with a closed terminal or a lost ssh: run on, reduce to exits until a person resumes, or"
        " stop; leaving it running with q is no disappearance",
        choices=(UNATTENDED_RUN, UNATTENDED_REDUCE, UNATTENDED_STOP),
    )
    log_level: str = setting(
        "info",
        "how much the log file says",
        choices=("debug", "info", "warning", "error"),
    )
