"""What can be wrong with the simulated servers, switched on and off while they run.

Every field is one thing that real venues have done. All are off by default; whoever switches one
on changes what the next request, frame or step does, and nothing that already happened.
"""

from __future__ import annotations

from enum import StrEnum

import attrs


class OrderAnswer(StrEnum):
    """What becomes of a request to create an order, and of its answer."""

    NORMAL = "normal"
    REFUSE = "refuse"
    DROP_REQUEST = "drop_request"
    DROP_ACK = "drop_ack"
    ERROR_AFTER = "error_after"
    EMPTY_SUCCESS = "empty_success"


@attrs.define
class ExchangeConditions:
    """Faults of the exchange.

    ``order_answer`` says what happens to order creation: refused with 409, lost before the
    exchange takes it, taken with the answer lost (the connection closes), taken and answered by
    503, or taken and answered by a success without an order in it. ``stall_sockets`` holds every
    frame back while connections live, ``drop_private`` loses fills, orders and positions, and
    ``skip_sequences`` leaves so many sequence numbers out before the next frame.
    """

    order_answer: OrderAnswer = OrderAnswer.NORMAL
    order_delay_s: float = 0.0
    rest_status: int | None = None
    refuse_upgrades: int | None = None
    answer_429: bool = False
    stale_read_ms: int = 0
    dedup_open_orders_only: bool = False
    stall_sockets: bool = False
    drop_private: bool = False
    duplicate_fills: bool = False
    skip_sequences: int = 0

    def take_skip(self) -> int:
        """Return how many sequence numbers the next frame leaves out, once."""
        skip, self.skip_sequences = self.skip_sequences, 0
        return skip


@attrs.define
class OddsConditions:
    """Faults of the odds provider.

    ``freeze`` stops the stream while the connection lives; ``absent_books`` are silent and gone
    from REST; ``swap_sides`` exchanges home and away; ``shift`` moves every home chance by that
    much; ``duplicate`` sends every update twice.
    """

    freeze: bool = False
    absent_books: set[str] = attrs.field(factory=set)
    swap_sides: bool = False
    shift: float = 0.0
    duplicate: bool = False
    rest_status: int | None = None
    refuse_upgrades: int | None = None
