"""What can be wrong with the simulated servers, switched on and off while they run.

Every field is one thing that real venues have done or that a network does. All are off by
default, but for the two lags that the real exchange shows every day. Whoever switches one on
changes what the next request, frame or step does, and nothing that already happened.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum

import attrs

# Recorded on the demo exchange in June 2026: 360 ms after the answer to a cancel the order still
# read as resting.
ORDER_READ_LAG_MS = 400
# Observed by others in production: positions follow fills after about a second.
POSITION_READ_LAG_MS = 1_000

# Stands for an error code where a command is lost and nobody answers.
LOST = 0


class OrderAnswer(StrEnum):
    """What becomes of a request that changes orders, and of its answer.

    Not taken: ``REFUSE`` with the code of the condition ``refusal``, ``TOO_MANY`` with 429,
    ``ERROR_BEFORE`` with 503, ``DROP_REQUEST`` with a closed connection, ``TIMEOUT_BEFORE`` with
    none at all. Taken all the same: ``ERROR_AFTER`` answered by 503, ``HTML_AFTER`` by a proxy's
    page, ``EMPTY_SUCCESS`` by a success without an order in it, ``DROP_ACK`` by a closed
    connection, ``TIMEOUT_AFTER`` by none, ``ACK_TWICE`` by its answer two times over.
    """

    NORMAL = "normal"
    REFUSE = "refuse"
    DROP_REQUEST = "drop_request"
    DROP_ACK = "drop_ack"
    ERROR_AFTER = "error_after"
    EMPTY_SUCCESS = "empty_success"
    TOO_MANY = "too_many"
    ERROR_BEFORE = "error_before"
    HTML_AFTER = "html_after"
    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    ACK_TWICE = "ack_twice"


@attrs.define
class Conditions:
    """What can be wrong with a server; ``strikes`` counts by name how often it changed something.

    A condition that was on while nobody asked for anything has struck nothing.
    """

    strikes: Counter[str] = attrs.field(factory=Counter, init=False, eq=False)

    def struck(self, name: str) -> None:
        """Note that a condition has changed what somebody gets."""
        self.strikes[name] += 1

    def holds(self, name: str) -> bool:
        """Return whether a condition is on for whoever asks now, and note that it strikes."""
        on = bool(getattr(self, name))
        if on:
            self.struck(name)
        return on


@attrs.define
class ExchangeConditions(Conditions):
    """Faults of the exchange; those that say "next" happen once and switch themselves off."""

    # Orders: what becomes of a request and of its answer. A delay holds the answer back after
    # the exchange acted, so that a fill is heard before its acknowledgement; a lag holds the
    # request back, so that a fill may be quicker than the cancel.
    order_answer: OrderAnswer = OrderAnswer.NORMAL
    order_delay_s: float = 0.0
    order_lag_s: float = 0.0
    cancel_answer: OrderAnswer = OrderAnswer.NORMAL
    cancel_delay_s: float = 0.0
    cancel_lag_s: float = 0.0
    amend_answer: OrderAnswer = OrderAnswer.NORMAL
    amend_delay_s: float = 0.0
    amend_lag_s: float = 0.0
    # Status and code of `OrderAnswer.REFUSE`.
    refusal: tuple[int, str] = (409, "trading_is_paused")
    # Others pull what a member's arriving order would meet beyond so much: a partial fill, or
    # none at all with 0.
    pull_beyond_e2: int | None = None
    # So long after everything was cancelled, new orders are cancelled too; a minute is documented.
    cancel_all_lingers_ms: int = 0
    # A client order id is refused only while its order rests, and not for ever.
    dedup_open_orders_only: bool = False

    # REST: every request is answered so, slowly, or as if the bucket were empty.
    rest_status: int | None = None
    rest_delay_s: float = 0.0
    answer_429: bool = False
    # Public reads without a signature are served out of a cache for so long; 15 s were observed.
    public_cache_s: float = 0.0
    # How far the exchange's clock is ahead of ours as far as signatures are concerned.
    clock_ahead_ms: int = 0

    # Reads that lag: an order after its cancel, a position after its fill, the cash after
    # anything, and the lists of orders and fills as a whole.
    stale_read_ms: int = ORDER_READ_LAG_MS
    stale_position_ms: int = POSITION_READ_LAG_MS
    stale_balance_ms: int = 0
    read_lag_ms: int = 0
    # The balance is wrong by so much.
    balance_error_e6: int = 0

    # Private channels.
    drop_private: bool = False
    drop_fills: bool = False
    duplicate_fills: bool = False
    duplicate_orders: bool = False
    private_delay_s: float = 0.0
    # Every second private frame overtakes the one before it.
    reorder_private: bool = False

    # Books: so many sequence numbers are left out before the next frame; the next frames are cut
    # in half, cross the book, take a level below nothing, or come after a flood of so many.
    skip_sequences: int = 0
    garble_frames: int = 0
    cross_books: int = 0
    negative_books: int = 0
    flood_frames: int = 0
    duplicate_books: bool = False
    reorder_books: bool = False
    # Nothing is said of these markets any more, without a gap.
    silent_markets: set[str] = attrs.field(factory=set)
    # The next book frame is an error with this code instead, 10 or 25, and ends the subscription.
    end_subscription: int | None = None
    # Every subscribe command is answered with this error code; every addition of markets to a
    # subscription with that one, or with nothing at all where it is `LOST`.
    refuse_subscriptions: int | None = None
    refuse_additions: int | None = None

    # Connections: frames are held back while pings are answered; nothing is read or sent at all
    # while the connection stays open; upgrades are refused with this status; a WebSocket is
    # reset after about so long and the next upgrade refused with 502.
    stall_sockets: bool = False
    freeze_sockets: bool = False
    refuse_upgrades: int | None = None
    socket_life_s: float | None = None

    # Trading stops everywhere, or in these markets; with the whole exchange cancels are refused
    # too. Followed at the world's next step, and undone when switched off.
    trading_paused: bool = False
    exchange_paused: bool = False
    paused_markets: set[str] = attrs.field(factory=set)
    # Games end in a tie, which pays half a dollar on both markets; nothing that is determined is
    # settled.
    force_ties: bool = False
    hold_settlements: bool = False

    def take_skip(self) -> int:
        """Return how many sequence numbers the next frame leaves out, once."""
        self.holds("skip_sequences")
        skip, self.skip_sequences = self.skip_sequences, 0
        return skip

    def take(self, name: str) -> bool:
        """Return whether a counted fault happens now, and count it down."""
        left: int = getattr(self, name)
        if self.holds(name):
            setattr(self, name, left - 1)
        return left > 0

    def take_end(self) -> int | None:
        """Return the error code that ends the subscription of the next book frame, once."""
        self.holds("end_subscription")
        code, self.end_subscription = self.end_subscription, None
        return code


@attrs.define
class OddsConditions(Conditions):
    """Faults of the odds provider.

    ``freeze`` stops the stream while the connection lives; ``lag_ms`` sends changes so much later,
    while REST has them at once; ``absent_books`` are silent and gone
    from REST; ``frozen_books`` keep the line they have, which REST repeats; ``greedy_books`` take
    twice their margin; ``swap_sides`` exchanges home and away, ``swapped_games`` in some games
    alone; ``shift`` moves every home chance by that much; ``duplicate`` sends every update twice;
    ``silent`` streams nothing at all, no sign of life either, where the protocol has one of its
    own. ``throttle`` lets nobody in: streams end with 1013 as soon as they are open, or are
    answered with 429 where there is no such code. ``forget_resume`` takes a resume and sends
    nothing of what was missed.
    """

    freeze: bool = False
    lag_ms: int = 0
    absent_books: set[str] = attrs.field(factory=set)
    frozen_books: set[str] = attrs.field(factory=set)
    greedy_books: set[str] = attrs.field(factory=set)
    swap_sides: bool = False
    swapped_games: set[int] = attrs.field(factory=set)
    shift: float = 0.0
    duplicate: bool = False
    rest_status: int | None = None
    refuse_upgrades: int | None = None
    silent: bool = False
    throttle: bool = False
    forget_resume: bool = False
