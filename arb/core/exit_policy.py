"""What an exit asks for at least, and when it asks no more and crosses the book.

Prices are of the side that is held: a NO contract's is a dollar less the YES price, and so is its
fair value. Nothing here knows a book; what moves an exit is fair value alone, and only one that
has passed every gate an entry must pass may be handed in.
"""

from __future__ import annotations

import math

import attrs

from arb.core.events import Liquidity, Side
from arb.core.exit_parameters import Exits
from arb.core.fees import FeeSchedule
from arb.core.ledger import Position
from arb.core.money import ONE_DOLLAR_E4, CountE2, MoneyE6, PriceE4

# Below a whole unit of price, which is the most that binary error could ever matter.
_BINARY_ERROR_E4 = 1e-6


@attrs.frozen
class Bought:
    """What our own orders hold of one market and what it cost, as an exit must know it.

    ``count_e2`` is negative for NO. ``fair`` is the chance of YES that it was bought on, None where
    it was not our decision; ``since_ms`` is when the first of it was bought, in wall-clock time.
    """

    count_e2: CountE2
    cost_e6: MoneyE6
    fees_e6: MoneyE6
    since_ms: int
    fair: float | None = None

    @classmethod
    def of(cls, position: Position, fair: float | None) -> Bought | None:
        """Describe a position, None where nothing of it is ours; its cost is shared by count."""
        if not position.ours_e2:
            return None
        share, whole = abs(position.ours_e2), abs(position.count_e2)
        return cls(
            position.ours_e2,
            MoneyE6(-(-position.cost_e6 * share // whole)),
            MoneyE6(-(-position.open_fees_e6 * share // whole)),
            position.opened_ms,
            fair,
        )

    @property
    def entry_e4(self) -> PriceE4:
        """Return the average price paid, fees apart, rounded up."""
        return PriceE4(-(-self.cost_e6 // abs(self.count_e2)))


@attrs.frozen
class Floors:
    """The least an exit asks for: where it rests, and where it takes, which has the dearer fee."""

    rest_e4: PriceE4 = PriceE4(0)
    take_e4: PriceE4 = PriceE4(0)


NO_FLOOR = Floors()


def own_fair(fair: float, count_e2: int) -> float:
    """Return what a contract of the side that is held is worth, from the chance of YES."""
    return fair if count_e2 > 0 else 1.0 - fair


def floors(bought: Bought, fees: FeeSchedule, exits: Exits) -> Floors:
    """Return the least that an exit may ask for under the settings; 0 where they name nothing."""
    least_e4 = 0
    if not exits.exit_follow_down and bought.fair is not None:
        least_e4 = _whole_e4(own_fair(bought.fair, bought.count_e2))
    if not exits.exit_break_even:
        return Floors(PriceE4(least_e4), PriceE4(least_e4))
    return Floors(
        PriceE4(max(least_e4, break_even_e4(bought, fees, Liquidity.MAKER))),
        PriceE4(max(least_e4, break_even_e4(bought, fees, Liquidity.TAKER))),
    )


def break_even_e4(bought: Bought, fees: FeeSchedule, liquidity: Liquidity) -> PriceE4:
    """Return the least price at which a sale of everything pays all that was paid, its fee too.

    A dollar where no price does. It is exact for one order that fills at once.
    """
    count_e2 = CountE2(abs(bought.count_e2))
    paid_e6 = bought.cost_e6 + bought.fees_e6

    def missing_e6(price_e4: int) -> int:
        # The balance rounds as for a sale of YES at this price: the complement differs by dollars.
        fee_e6 = fees.fee_e6(price_e4, count_e2, liquidity, Side.ASK)
        return paid_e6 + fee_e6 - price_e4 * count_e2

    price_e4 = -(-paid_e6 // count_e2)
    while price_e4 < ONE_DOLLAR_E4 and (short_e6 := missing_e6(price_e4)) > 0:
        price_e4 += -(-short_e6 // count_e2)
    if price_e4 >= ONE_DOLLAR_E4:
        return PriceE4(ONE_DOLLAR_E4)
    # Above even odds a fee falls as its price rises, so that the way up may have gone too far.
    while missing_e6(price_e4 - 1) <= 0:
        price_e4 -= 1
    return PriceE4(price_e4)


def is_doubtful_fall(
    fair: float, count_e2: int, bid_e4: PriceE4 | None, ask_e4: PriceE4 | None, most_e4: int
) -> bool:
    """Tell whether what is held would be worth less than the book pays for it by over ``most_e4``.

    Such a fair value is an error until proven otherwise, and must not drag an exit down. One that
    is as far above the book is as doubtful, but it asks for more: at worst nothing is sold.
    """
    if count_e2 > 0:
        paid_e4: int | None = bid_e4
    else:
        paid_e4 = ONE_DOLLAR_E4 - ask_e4 if ask_e4 is not None else None
    return paid_e4 is not None and _whole_e4(own_fair(fair, count_e2)) < paid_e4 - most_e4


def why_close(bought: Bought, fair: float | None, now_ms: int, exits: Exits) -> str | None:
    """Say why an exit waits no longer for its price and crosses the book, None where it waits."""
    if exits.exit_after_s and now_ms - bought.since_ms >= exits.exit_after_s * 1000:
        return f"held for {exits.exit_after_s} s"
    if not exits.exit_stop or fair is None:
        return None
    worth_e4 = _whole_e4(own_fair(fair, bought.count_e2))
    if worth_e4 <= bought.entry_e4 - exits.exit_stop_e4:
        return f"worth {exits.exit_stop}c less than was paid"
    return None


def _whole_e4(chance: float) -> int:
    return math.ceil(chance * ONE_DOLLAR_E4 - _BINARY_ERROR_E4)
