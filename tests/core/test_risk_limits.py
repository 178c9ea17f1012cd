"""The limits of a game, a second and the distance from fair value, each with its neighbour."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from arb.core.brakes import Brakes
from arb.core.events import Side
from arb.core.exposure import Exposures
from arb.core.money import PriceE4
from arb.core.parameters import Risk
from arb.core.permission import Permission
from arb.core.risk import WISH_VALID_NS, Refusal, RefusalCode, review, review_rate
from tests.core.order_factory import BOS, ENTRY, EXIT, GAME, NYY, hold, intent, ledger_with, no_fee

RUNNING = Permission(ready=True)
LIMITS = Risk(max_game_exposure_cents=5_000)


def refused(limits: Risk, **changes: Any) -> Refusal | None:
    """Review the usual entry, some things different, with nothing held."""
    return review(intent(**changes), ledger_with(), limits, RUNNING, no_fee)


def code(limits: Risk, **changes: Any) -> RefusalCode | None:
    """Return the code of its refusal."""
    refusal = refused(limits, **changes)
    return refusal.code if refusal is not None else None


@pytest.mark.parametrize("collar", range(1, 100))
def test_the_collar_is_a_setting_and_exact(collar: int) -> None:
    """At the setting an entry passes, a hundredth of a cent beyond it does not."""
    limits = attrs.evolve(LIMITS, price_collar=collar)
    fair = (100 + collar * 100) / 10_000

    assert code(limits, fair=fair, price_e4=PriceE4(100)) is None
    beyond = code(limits, fair=fair, price_e4=PriceE4(99))
    assert beyond is RefusalCode.PRICE_COLLAR


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
    answer = review(wish, ledger, limits, RUNNING, no_fee, kept)

    assert (answer.code if answer else None) is refusal


def test_the_game_is_named() -> None:
    """The refusal says which game, how much it would be, and the limit."""
    limits = attrs.evolve(LIMITS, max_game_exposure_cents=249)

    refusal = refused(limits)
    assert refusal is not None
    assert refusal.text == "$2.50 in g1 would exceed $2.49"


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
    now_ns = 7 + after_ns
    answer = review_rate(attrs.evolve(ENTRY, trigger_ns=now_ns), brakes, limits, now_ns)

    assert (answer.code if answer else None) is refusal
    if answer is not None:
        assert answer.text == f"{sent} orders have left within a second, of 3"
    assert review_rate(EXIT, brakes, limits, now_ns) is None


@pytest.mark.parametrize(
    "age_ns, refusal",
    [(0, None), (WISH_VALID_NS, None), (WISH_VALID_NS + 1, RefusalCode.TOO_LATE)],
)
def test_an_entry_that_was_decided_long_ago(age_ns: int, refusal: RefusalCode | None) -> None:
    """A process that stood still does not buy at the prices of then; an exit may always leave."""
    now_ns = ENTRY.trigger_ns + age_ns
    answer = review_rate(ENTRY, Brakes(), LIMITS, now_ns)

    assert (answer.code if answer else None) is refusal
    if answer is not None:
        assert answer.text == "it was decided on what came 0.3 s ago"
    assert review_rate(EXIT, Brakes(), LIMITS, now_ns) is None
