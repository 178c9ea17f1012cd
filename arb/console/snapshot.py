"""The engine's picture of itself, as it comes over the control socket, in frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import cattrs

SNAPSHOT_VERSION = 1


class Unreadable(ValueError):
    """The picture is of another version, or damaged; the text says which in one line."""


@attrs.frozen
class Trading:
    """Whether orders may be sent, and if not, every reason why."""

    state: str = "starting"
    reasons: tuple[str, ...] = ()


@attrs.frozen
class Account:
    """Money of the account, in dollars times 10**6."""

    balance_e6: int = 0
    exposure_e6: int = 0
    exposure_limit_e6: int = 0
    exposure_limit_max_e6: int = 0
    realised_e6: int = 0
    unrealised_e6: int = 0
    fees_e6: int = 0
    day_e6: int = 0
    day_loss_max_e6: int = 0


@attrs.frozen
class Connection:
    """One connection of the engine; ``age_ms`` counts from its last proof of life."""

    name: str
    connected: bool = False
    since_ms: int = 0
    age_ms: int | None = None
    detail: str = ""


@attrs.frozen
class Market:
    """One market as its actor sees it; prices are YES dollars times 10**4."""

    ticker: str
    game: str = ""
    team: str = ""
    start_ms: int | None = None
    fair: float | None = None
    bid_e4: int | None = None
    bid_size_e2: int = 0
    ask_e4: int | None = None
    ask_size_e2: int = 0
    edge_e4: int | None = None
    net_e4: int | None = None
    yes_cost_e4: int | None = None
    no_cost_e4: int | None = None
    buys: str = ""
    action: str = "WAIT"
    reason: str = ""
    odds_age_ms: int | None = None
    books: int = 0
    latency_us: int | None = None
    position_e2: int = 0
    actor: str = ""


@attrs.frozen
class Position:
    """What is held in one market, and the exit that rests to close it.

    A negative count is NO: ``entry_e4`` is what one NO cost, ``exit_e4`` a YES price all the same.
    """

    ticker: str
    count_e2: int = 0
    entry_e4: int = 0
    exit_e4: int | None = None
    exit_remaining_e2: int = 0
    unrealised_e6: int = 0
    realised_e6: int = 0
    by_hand_e2: int = 0

    @property
    def is_no(self) -> bool:
        """Tell whether NO is held."""
        return self.count_e2 < 0


@attrs.frozen
class Alarm:
    """What a person must know until it ends: of a market by its ticker, of an actor by its name."""

    name: str
    since_ms: int = 0
    text: str = ""


@attrs.frozen
class Trade:
    """One thing that became of one order."""

    at_ms: int
    side: str
    count_e2: int
    ticker: str
    price_e4: int
    liquidity: str = ""
    what: str = ""
    pnl_e6: int | None = None
    latency_us: int | None = None


@attrs.frozen
class LogLine:
    """One line of the engine's log."""

    seq: int
    at_ms: int
    level: str = "info"
    tag: str = ""
    text: str = ""


@attrs.frozen
class ActorEntry:
    """One actor or supervisor of the engine's tree."""

    name: str
    path: str
    depth: int = 0
    kind: str = ""
    state: str = ""
    generation: int = 0
    restarts: int = 0
    restart_limit: int | None = None
    mailbox_length: int = 0
    mailbox_capacity: int | None = None
    mailbox_peak: int = 0
    dropped: int = 0
    handled: int = 0
    handling_for_ms: int | None = None
    last_error: str | None = None
    uptime_ms: int | None = None


@attrs.frozen
class BadInput:
    """One kind of input that could not be used, with its last example."""

    source: str
    reason: str
    count: int = 0
    example: str = ""
    at_ms: int = 0


@attrs.frozen
class Counts:
    """What has been counted since the engine started."""

    orders: int = 0
    fills: int = 0
    exits: int = 0
    exits_missing: int = 0
    reversals: int = 0
    decisions: Mapping[str, int] = attrs.Factory(dict)
    refusals: Mapping[str, int] = attrs.Factory(dict)
    bad_input: Mapping[str, int] = attrs.Factory(dict)
    invariant_checks: int = 0
    invariant_violations: int = 0


@attrs.frozen
class Snapshot:
    """One picture of the whole engine at ``at_ms`` of its own clock."""

    v: int
    seq: int = 0
    at_ms: int = 0
    mode: str = ""
    mode_words: str = ""
    version: str = ""
    world: str = ""
    uptime_ms: int = 0
    trading: Trading = attrs.Factory(Trading)
    account: Account = attrs.Factory(Account)
    connections: tuple[Connection, ...] = ()
    markets: tuple[Market, ...] = ()
    positions: tuple[Position, ...] = ()
    trades: tuple[Trade, ...] = ()
    log: tuple[LogLine, ...] = ()
    actors: tuple[ActorEntry, ...] = ()
    counts: Counts = attrs.Factory(Counts)
    bad_input: tuple[BadInput, ...] = ()
    alarms: tuple[Alarm, ...] = ()

    def market(self, ticker: str) -> Market | None:
        """Return the market with this ticker, if the engine has it."""
        return next((market for market in self.markets if market.ticker == ticker), None)

    def position(self, ticker: str) -> Position | None:
        """Return the position in this market, if there is one."""
        return next((held for held in self.positions if held.ticker == ticker), None)


# Detailed validation costs half as much again for every field, four times a second for hundreds of
# markets; the one line that a person gets does not need it.
_converter = cattrs.Converter(detailed_validation=False)


def read_snapshot(document: Any) -> Snapshot:
    """Return the picture that a decoded JSON object holds; raises `Unreadable`.

    Fields this version does not know are passed over, so that a newer engine of the same
    snapshot version can be watched.
    """
    if not isinstance(document, dict):
        raise Unreadable("the engine sent something that is no picture")
    version = document.get("v")
    if version != SNAPSHOT_VERSION:
        raise Unreadable(
            f"the engine sends pictures of version {version!r} and this console reads "
            f"{SNAPSHOT_VERSION}: use the arb that started the engine"
        )
    try:
        return _converter.structure(document, Snapshot)
    except (TypeError, ValueError, KeyError, AttributeError, cattrs.BaseValidationError) as error:
        raise Unreadable(
            f"the engine's picture is damaged: {type(error).__name__}: {error}"
        ) from None
