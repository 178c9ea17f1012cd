"""What the gateway remembers of the requests that are out and of the orders that exist."""

from __future__ import annotations

import attrs

from arb.core.commands import Amendment, CancelOrder
from arb.core.money import CountE2, PriceE4
from arb.kalshi.answers import Operation


@attrs.frozen
class Sent:
    """A request that is out: what it was, for which order, and on which shard."""

    operation: Operation
    client_order_id: str
    ticker: str
    sent_ms: int
    count_e2: CountE2
    price_e4: PriceE4 | None = None
    amendment: Amendment | None = None
    cancel: CancelOrder | None = None
    exchange_index: int | None = None


@attrs.frozen
class SentBatch:
    """A batch of cancels that is out; each of them by its order id."""

    cancels: dict[str, Sent]


@attrs.frozen
class Known:
    """An order that the exchange has given an id."""

    order_id: str
    ticker: str
    count_e2: CountE2
    price_e4: PriceE4 | None = None


@attrs.frozen
class DueCancel:
    """A cancel whose order id is known, with what is known of the order."""

    wish: CancelOrder
    order_id: str
    count_e2: CountE2
