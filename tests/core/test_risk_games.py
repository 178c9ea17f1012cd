"""The limits of a game and of a second, each with its neighbour that passes."""

from __future__ import annotations

import attrs
import pytest

from arb.core.brakes import Brakes
from arb.core.events import Side
from arb.core.exposure import Exposures
from arb.core.money import PriceE4
from arb.core.risk import RefusalCode, review, review_rate
from tests.core.order_factory import BOS, ENTRY, EXIT, GAME, NYY, hold, intent, ledger_with, no_fee
from tests.core.test_risk import LIMITS, RUNNING, text


def rival(ticker: str) -> str | None:
    """Return the other market of the one game there is."""
    return GAME.sibling_of(ticker) if ticker in GAME.tickers else None


@pytest.mark.parametrize("spare, refusal", [(0, None), (-1, RefusalCode.GAME_EXPOSURE)])
@pytest.mark.parametrize(
    "ticker, side, price, needed",
    [
        (NYY, Side.BID, 5_000, 1_500_000 + 2_500_000),
        (BOS, Side.ASK, 4_500, 1_500_000 + 2_750_000),
        (BOS, Side.BID, 5_000, 2_500_000),
        (NYY, Side.ASK, 5_000, 2_500_000),
    ],
)
def test_exposure_of_a_game(
    ticker: str, side: Side, price: int, needed: int, spare: int, refusal: RefusalCode | None
) -> None:
    """Three dollars' bets on a team: more of it, by either market, adds; the other team does not.

    The limit is reached to the cent and not passed.
    """
    ledger = ledger_with()
    hold(ledger, 300)
    limits = attrs.evolve(LIMITS, max_game_exposure_cents=needed // 10_000 + spare)
    wish = intent(ticker=ticker, side=side, price_e4=PriceE4(price))
    kept = Exposures(ledger, no_fee, rival)
    refused = review(wish, ledger, limits, RUNNING, no_fee, kept)

    assert (refused.code if refused else None) is refusal


def test_the_game_is_named() -> None:
    """The refusal says which game, how much it would be, and the limit."""
    limits = attrs.evolve(LIMITS, max_game_exposure_cents=249)

    assert text(ledger_with(), limits) == "$2.50 in g1 would exceed $2.49"


@pytest.mark.parametrize(
    "sent, after_ns, refusal",
    [
        (2, 0, None),
        (3, 0, RefusalCode.ORDERS_PER_SECOND),
        (3, 999_999_999, RefusalCode.ORDERS_PER_SECOND),
        (3, 1_000_000_000, None),
        (4, 1_000_000_000, None),
    ],
)
def test_orders_per_second(sent: int, after_ns: int, refusal: RefusalCode | None) -> None:
    """The third within a second may leave, the fourth may not; an exit always may."""
    brakes = Brakes()
    for _ in range(sent):
        brakes.sent(7)
    limits = attrs.evolve(LIMITS, max_orders_per_second=3)
    refused = review_rate(ENTRY, brakes, limits, 7 + after_ns)

    assert (refused.code if refused else None) is refusal
    if refused is not None:
        assert refused.text == f"{sent} orders have left within a second, of 3"
    assert review_rate(EXIT, brakes, limits, 7 + after_ns) is None
