"""What one reading of the account brings: cash, positions, orders, and what led there lately."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from arb.core.events import CashMove, Fill, Settlement, Side
from arb.core.money import CountE2, MoneyE6, PriceE4


@attrs.frozen
class HeldPosition:
    """One position as the exchange has it; negative is NO."""

    ticker: str
    count_e2: CountE2
    cost_e6: MoneyE6
    fees_e6: MoneyE6 | None = None


@attrs.frozen
class RestingOrder:
    """One order that the exchange lists as resting; a person's own may have no id of its own."""

    client_order_id: str
    order_id: str
    ticker: str
    side: Side
    price_e4: PriceE4
    remaining_e2: CountE2
    filled_e2: CountE2 | None = None


@attrs.frozen
class Account:
    """What the exchange says we have: cash, positions, and what led there lately.

    ``resting`` is every order of this machine's installations that rests, None where nobody was
    asked, and ``by_hand`` everybody else's. ``decided`` are held markets whose result is known.
    ``closed`` are those in which trading is over without one. ``moves`` is read only on request,
    because cash seldom differs. ``cash_by_shard`` is empty of an account that is not split.
    ``as_of_ns`` is the moment of our monotonic clock up to which it is complete at least; the
    exchange's reads lag behind what happens. None of an account that nothing lags behind.
    """

    cash_e6: MoneyE6
    positions: tuple[HeldPosition, ...]
    fills: tuple[Fill, ...] = ()
    resting: tuple[RestingOrder, ...] | None = None
    by_hand: tuple[RestingOrder, ...] = ()
    settlements: tuple[Settlement, ...] = ()
    decided: tuple[str, ...] = ()
    moves: tuple[CashMove, ...] = ()
    closed: tuple[str, ...] = ()
    cash_by_shard: Mapping[int, MoneyE6] = attrs.field(factory=dict)
    as_of_ns: int | None = None

    def is_behind(self, moment_ns: int) -> bool:
        """Tell whether something that happened before a moment may be missing here."""
        return self.as_of_ns is not None and self.as_of_ns < moment_ns
