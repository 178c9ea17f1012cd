"""What the actors publish for people to see; nobody decides by it but where a last word is wanted.

A market that is away has left its last fair value here, by which its exits are kept; and what is
held is marked at the prices that the book feed has here, whether its market is away or not.

A board is written in the actor's own turn and read by the control actor, so showing the engine
costs trading an assignment. It outlives every actor: what a market last said stays on screen
while it restarts.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable

import attrs

from arb.core.events import Top
from arb.core.exits import Holding
from arb.core.ledger import HandOrder
from arb.core.money import MoneyE6, PriceE4
from arb.core.permission import TradingState
from arb.engine.pulse import Pulse
from arb.io.clock import Clock
from arb.io.text import one_line

# As many as the console shows; older ones stand in the journal and the log file.
TRADES_KEPT = 100
LOG_LINES_KEPT = 100

# Latencies to take percentiles from; at 8 bytes each nothing, and hours of orders.
LATENCIES_KEPT = 4096

# An example shows what a message was like; the whole of it stands on the tape.
EXAMPLE_LENGTH_MAX = 200

# Some reasons carry a foreign word, such as a message's type: neither its length nor how many
# there are may be for the sender to choose.
REASON_LENGTH_MAX = 80
REASONS_MAX = 200
OTHER_REASONS = "more kinds than are counted apart"

# A line that nobody can be told of stands in the log file and here all the same.
LOG_SOURCE = "log"
NOT_PASSED_ON = "a line could not be passed on"


@attrs.frozen
class MarketRow:
    """What a market last evaluated, in the units of the core.

    ``buys`` is the outcome that edge and net are of: the one bought, or the nearer to it.
    ``gated_fair`` is the trusted fair value: the last one that passed every gate, or the jump by
    which an exit was raised. No other moves an exit.
    ``left_out`` is books with why.
    """

    ticker: str
    at_ms: int
    fair: float | None
    bid_e4: PriceE4 | None
    bid_size_e2: int
    ask_e4: PriceE4 | None
    ask_size_e2: int
    edge_e4: int | None
    net_e4: int | None
    action: str
    reason: str
    quote_changed_ms: int | None
    books: int
    gated_fair: float | None = None
    buys: str = ""
    left_out: tuple[str, ...] = ()


@attrs.frozen
class TradeLine:
    """One line of recent trades."""

    at_ms: int
    side: str
    count_e2: int
    ticker: str
    price_e4: int
    liquidity: str
    what: str
    pnl_e6: int | None = None
    latency_us: int | None = None


@attrs.frozen
class LogLine:
    """One line of the engine's log."""

    seq: int
    at_ms: int
    level: str
    tag: str
    text: str


@attrs.frozen
class ConnectionLine:
    """One connection: its state, since when, and its last proof of life."""

    name: str
    connected: bool
    since_ms: int
    alive_ms: int | None
    detail: str


@attrs.frozen
class BadInput:
    """One kind of bad input: how often, and the last example."""

    source: str
    reason: str
    count: int
    example: str
    at_ms: int


@attrs.frozen
class AccountLine:
    """Money as the ledger has it, and whether trading is allowed."""

    cash_e6: MoneyE6
    exposure_e6: MoneyE6
    limit_e6: MoneyE6
    limit_max_e6: MoneyE6
    realised_e6: int
    fees_e6: int
    state: TradingState
    reasons: tuple[str, ...]
    day_e6: int = 0
    day_loss_max_e6: int = 0


@attrs.frozen
class Alarm:
    """What a person must know until it ends: of which market or actor, since when, and what."""

    name: str
    since_ms: int
    text: str


@attrs.define
class Board:
    """Everything that is shown: rows, trades, log lines, connections, counts.

    ``tops`` are the book feed's: of each market the last one whose book could be believed.
    """

    clock: Clock
    sink: Callable[[LogLine], None] | None = None
    markets: dict[str, MarketRow] = attrs.field(factory=dict)
    tops: dict[str, Top] = attrs.field(factory=dict)
    holdings: dict[str, Holding] = attrs.field(factory=dict)
    latency_us: dict[str, int] = attrs.field(factory=dict)
    decided_ns: deque[int] = attrs.field(factory=lambda: deque(maxlen=LATENCIES_KEPT))
    latencies_ns: deque[int] = attrs.field(factory=lambda: deque(maxlen=LATENCIES_KEPT))
    answered_ns: deque[int] = attrs.field(factory=lambda: deque(maxlen=LATENCIES_KEPT))
    trades: deque[TradeLine] = attrs.field(factory=lambda: deque(maxlen=TRADES_KEPT))
    log: deque[LogLine] = attrs.field(factory=lambda: deque(maxlen=LOG_LINES_KEPT))
    connections: dict[str, ConnectionLine] = attrs.field(factory=dict)
    bad: dict[tuple[str, str], BadInput] = attrs.field(factory=dict)
    decisions: Counter[str] = attrs.field(factory=Counter)
    refusals: Counter[str] = attrs.field(factory=Counter)
    counts: Counter[str] = attrs.field(factory=Counter)
    account: AccountLine | None = None
    alarms: dict[str, Alarm] = attrs.field(factory=dict)
    pulses: dict[str, Pulse] = attrs.field(factory=dict)
    beats_ns: dict[str, int] = attrs.field(factory=dict)
    by_hand: tuple[HandOrder, ...] = ()
    exposure_max_e6: int = 0
    log_seq: int = 0

    @property
    def steps(self) -> dict[str, deque[int]]:
        """Return what an entry's way took, step by step, in nanoseconds."""
        return {
            "frame in hand to decision": self.decided_ns,
            "frame in hand to order handed over": self.latencies_ns,
            "order handed over to its answer": self.answered_ns,
        }

    def say(self, tag: str, text: str, *, level: str = "info") -> None:
        """Add a line to the log; that it cannot be passed on is counted, and no actor's failure."""
        self.log_seq += 1
        line = LogLine(self.log_seq, self.clock.wall_ms(), level, tag, text)
        self.log.append(line)
        if self.sink is None:
            return
        try:
            self.sink(line)
        except (OSError, ValueError) as error:
            # A terminal that was closed, a reader that died, a full disk: actors say lines in the
            # middle of their work, and a halt says its own before it cancels anything.
            self.note_bad(LOG_SOURCE, NOT_PASSED_ON, str(error))

    def note_bad(self, source: str, reason: str, example: str) -> None:
        """Count a message that was no good, and keep it as the last example of its reason."""
        # Reasons are often words of an enumeration; as JSON keys they must be plain text.
        reason = one_line(str(reason), REASON_LENGTH_MAX)
        if (source, reason) not in self.bad and len(self.bad) >= REASONS_MAX:
            reason = OTHER_REASONS
        before = self.bad.get((source, reason))
        count = before.count + 1 if before is not None else 1
        self.bad[(source, reason)] = BadInput(
            source, reason, count, example[:EXAMPLE_LENGTH_MAX], self.clock.wall_ms()
        )

    def refused_row(self, row: MarketRow, code: str, text: str) -> None:
        """Show on a market's row that its wish was refused, and why."""
        self.markets[row.ticker] = attrs.evolve(row, action="REFUSED", reason=f"{code}: {text}")

    def connection(self, name: str, *, connected: bool, detail: str) -> None:
        """Note that a connection came up or went down."""
        now_ms = self.clock.wall_ms()
        before = self.connections.get(name)
        alive_ms = now_ms if connected else (before.alive_ms if before else None)
        if before is not None and before.connected == connected and before.detail == detail:
            self.connections[name] = attrs.evolve(before, alive_ms=alive_ms)
            return
        self.connections[name] = ConnectionLine(name, connected, now_ms, alive_ms, detail)

    def alive(self, name: str, silent_ms: int) -> None:
        """Note that a connection was last heard ``silent_ms`` ago."""
        before = self.connections.get(name)
        if before is not None:
            alive_ms = self.clock.wall_ms() - silent_ms
            self.connections[name] = attrs.evolve(before, alive_ms=alive_ms)

    def beat(self, name: str) -> None:
        """Note that a connection is looked after now, which must go on until it has ended."""
        self.beats_ns[name] = self.clock.monotonic_ns()

    def ended(self, name: str) -> None:
        """Note that a connection is looked after no more."""
        self.beats_ns.pop(name, None)

    @property
    def still_ns(self) -> int:
        """Return for how long a connection that counts as open was looked after by nobody."""
        now_ns = self.clock.monotonic_ns()
        return now_ns - min(self.beats_ns.values(), default=now_ns)

    def expect(self, name: str, undone: str, within_ms: int) -> None:
        """Miss an actor's work from now on; a new instance of it has done nothing by being new."""
        if name not in self.pulses:
            self.pulses[name] = Pulse(undone, self.clock.monotonic_ns(), within_ms)

    def done(self, name: str) -> None:
        """Note that the work that is expected of an actor was done just now."""
        pulse = self.pulses[name]
        self.pulses[name] = attrs.evolve(pulse, at_ns=self.clock.monotonic_ns(), trouble="")

    def not_done(self, name: str, why: str) -> None:
        """Note that the work was tried in vain."""
        self.pulses[name] = attrs.evolve(self.pulses[name], trouble=why)

    def __repr__(self) -> str:
        return f"<Board markets={len(self.markets)} trades={len(self.trades)}>"
