"""Every limit an entry must pass, each with its neighbour that passes."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.commands import Purpose
from arb.core.events import Side
from arb.core.exposure import total_exposure_e6
from arb.core.ledger import Ledger
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.core.orders import OrderState
from arb.core.parameters import Risk
from arb.core.permission import Halt, Permission, TradingState
from arb.core.risk import (
    Refusal,
    RefusalCode,
    review,
)
from tests.core.order_factory import (
    BOS,
    CASH,
    ENTRY,
    EXIT,
    NYY,
    accepted,
    fill,
    hold,
    intent,
    ledger_with,
    no_fee,
    order,
    order_in,
    plain_fee,
)

RUNNING = Permission(ready=True)
RESTING = OrderState.RESTING
# Room for the usual entries of one game, so that every other limit can be met alone.
LIMITS = Risk(max_game_exposure_cents=5_000)
FIVE_AT_FIFTY = 2_500_000


def code(
    ledger: Ledger | None = None,
    *,
    permission: Permission = RUNNING,
    limits: Risk = LIMITS,
    **changes: Any,
) -> RefusalCode | None:
    """Review the usual entry with some things different, and return the refusal's code."""
    wish = intent(**changes)
    refusal = review(wish, ledger or ledger_with(), limits, permission, no_fee)
    if refusal is None:
        return None
    assert (refusal.ticker, refusal.purpose) == (wish.ticker, wish.purpose)
    return refusal.code


def text(ledger: Ledger, limits: Risk = LIMITS, **changes: Any) -> str:
    """Review the usual entry with some things different, and return why it is refused."""
    refusal = review(intent(**changes), ledger, limits, RUNNING, no_fee)
    assert refusal is not None
    return refusal.text


def test_a_plain_entry_passes() -> None:
    """An entry that every limit has room for is not refused."""
    assert code() is None


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("count, refusal", [(1, None), (0, "bad count"), (-1, "bad count")])
def test_a_count_is_above_nothing(purpose: Purpose, count: int, refusal: str | None) -> None:
    """A hundredth of a contract may be wished for; nothing and less may not."""
    ledger = ledger_with()
    hold(ledger, 100)
    side = Side.BID if purpose is Purpose.ENTRY else Side.ASK

    assert code(ledger, purpose=purpose, side=side, count_e2=CountE2(count)) == refusal


@pytest.mark.parametrize(
    "permission, reason",
    [
        (Permission(), "starting: positions, orders and cash are not compared with Kalshi yet"),
        (Permission(ready=True, stopping=True), "the engine is stopping"),
        (
            Permission(ready=True, halt=Halt("loss", "a rule", 1)),
            "halted by a rule: loss (end it with: arb clear --reason ...)",
        ),
        (
            Permission(ready=True, paused_by="console"),
            "paused by console (end it with: arb resume)",
        ),
        (
            Permission(ready=True, reducing_by="a rule"),
            "reducing, by a rule (end it with: arb resume)",
        ),
        (Permission(ready=True, unreconciled="cash"), "not reconciled: cash"),
        (Permission(ready=True, down={"odds": "gone"}), "odds is down: gone"),
    ],
)
def test_entries_leave_only_while_running(permission: Permission, reason: str) -> None:
    """Each switch that stands wrong refuses an entry with its reason, and no exit."""
    ledger = ledger_with()
    hold(ledger, 500)
    refusal = review(ENTRY, ledger, LIMITS, permission, no_fee)

    assert refusal == Refusal(NYY, Purpose.ENTRY, RefusalCode.NOT_RUNNING, reason)
    assert review(EXIT, ledger, LIMITS, permission, no_fee) is None


def test_a_state_without_a_reason_still_refuses() -> None:
    """Were a switch to give no reason, the state's name is the reason."""

    @attrs.define
    class Mute(Permission):
        @property
        def state(self) -> TradingState:
            return TradingState.PAUSED

    refusal = review(ENTRY, ledger_with(), LIMITS, Mute(ready=True), no_fee)

    assert refusal is not None
    assert refusal.text == "paused"


@pytest.mark.parametrize(
    "state, refusal",
    [
        (OrderState.PENDING, RefusalCode.ENTRY_IN_FLIGHT),
        (OrderState.RESTING, RefusalCode.ENTRY_IN_FLIGHT),
        (OrderState.UNKNOWN, RefusalCode.ENTRY_IN_FLIGHT),
        (OrderState.CLOSED, None),
        (OrderState.REFUSED, None),
    ],
)
@pytest.mark.parametrize("ticker", [NYY, BOS])
def test_one_entry_of_a_game_is_in_flight(
    state: OrderState, refusal: RefusalCode | None, ticker: str
) -> None:
    """While an entry of the game may fill, in either market, no other one leaves."""
    assert code(ledger_with(order_in(state, ticker=ticker))) is refusal


def test_an_entry_whose_fill_is_on_its_way_is_in_flight() -> None:
    """An entry that was answered as filled blocks the game until the fill is booked."""
    ledger = ledger_with(order())
    ledger.report(accepted(filled=500, remaining=0))
    before = code(ledger)
    ledger.book(fill(count_e2=CountE2(500)))

    assert before is RefusalCode.ENTRY_IN_FLIGHT
    assert code(ledger) is None


@pytest.mark.parametrize("changes", [{"game_id": "g2"}, {"purpose": Purpose.EXIT}])
def test_other_games_and_exits_are_not_in_the_way(changes: dict[str, Any]) -> None:
    """An entry of another game and an exit of this one do not block."""
    assert code(ledger_with(order(ticker=BOS, **changes))) is None


def test_the_entry_in_flight_is_named() -> None:
    """The refusal says which order is in the way and how it stands."""
    assert text(ledger_with(order_in(OrderState.UNKNOWN))) == "o1 is unknown"


@pytest.mark.parametrize(
    "fair, price, refusal",
    [
        (0.75, 5_000, None),
        (0.7501, 5_000, RefusalCode.PRICE_COLLAR),
        (0.25, 5_000, None),
        (0.2499, 5_000, RefusalCode.PRICE_COLLAR),
        (0.75, 4_999, RefusalCode.PRICE_COLLAR),
        (float("nan"), 5_000, RefusalCode.PRICE_COLLAR),
    ],
)
def test_an_order_far_from_fair_is_an_error(
    fair: float, price: int, refusal: RefusalCode | None
) -> None:
    """A quarter of a dollar from fair value passes, a hundredth of a cent more does not."""
    assert code(fair=fair, price_e4=PriceE4(price)) is refusal


def test_the_collar_says_both_prices() -> None:
    """The refusal names the price and the fair value it is too far from."""
    assert text(ledger_with(), fair=0.9, price_e4=PriceE4(5_050)) == (
        "50.5c is too far from fair 90.0c"
    )


@pytest.mark.parametrize("held, resting, wished, fits", [
    (0, 0, 1_000, True),
    (0, 0, 1_001, False),
    (500, 0, 500, True),
    (500, 0, 501, False),
    (-500, 0, 500, True),
    (-500, 0, 501, False),
    (300, 300, 400, True),
    (300, 300, 401, False),
])  # fmt: skip
def test_contracts_per_market(held: int, resting: int, wished: int, fits: bool) -> None:
    """Held, of either side, at stake and wished together may reach the limit and not pass it."""
    ledger = ledger_with()
    if held:
        hold(ledger, held)
    if resting:
        ledger.open_order(order(count_e2=CountE2(resting), game_id="another"))
    expected = None if fits else RefusalCode.CONTRACTS_PER_MARKET
    side = Side.BID if held >= 0 else Side.ASK

    assert code(ledger, count_e2=CountE2(wished), side=side) is expected


def test_exits_and_other_markets_do_not_use_up_a_markets_contracts() -> None:
    """Only entries of the same market count beside what is held there."""
    ledger = ledger_with(order("o1", wish=EXIT), order("o2", ticker="far", game_id="g2"))
    hold(ledger, 500)

    assert code(ledger, count_e2=CountE2(500)) is None
    assert text(ledger, count_e2=CountE2(501)) == "10.01 would exceed 10"


@pytest.mark.parametrize("others, refusal", [(4, None), (5, RefusalCode.CONCURRENT_MARKETS)])
@pytest.mark.parametrize("how", ["held", "wished"])
def test_concurrent_markets(others: int, refusal: RefusalCode | None, how: str) -> None:
    """A new market may be the last that the limit allows, not one more."""
    ledger = ledger_with()
    for number in range(others):
        if how == "held":
            hold(ledger, 100, ticker=f"m{number}")
        else:
            ledger.open_order(order(f"o{number}", ticker=f"m{number}", game_id=f"m{number}"))

    assert code(ledger) is refusal


def test_a_market_that_is_active_already_is_no_further_one() -> None:
    """With the limit's number of markets active, one of them may be entered again."""
    ledger = ledger_with()
    for ticker in ("m1", "m2", "m3", "m4", NYY):
        hold(ledger, 100, ticker=ticker)

    assert code(ledger) is None
    assert text(ledger, ticker=BOS) == "5 other markets are active"


@pytest.mark.parametrize("spare, refusal", [(0, None), (-1, RefusalCode.TOTAL_EXPOSURE)])
def test_total_exposure(spare: int, refusal: RefusalCode | None) -> None:
    """Held, at stake and wished may reach the exposure limit to the cent, not pass it."""
    ledger = ledger_with(order("o1", ticker="m1", game_id="m1"))
    hold(ledger, 100, ticker="m2")
    needed_cents = (2 * FIVE_AT_FIFTY + 500_000) // 10_000
    limits = attrs.evolve(LIMITS, max_total_exposure_cents=needed_cents + spare)

    assert code(ledger, limits=limits) is refusal


def test_fees_count_as_exposure() -> None:
    """A limit that the price alone would just reach is passed by the fee."""
    limits = attrs.evolve(LIMITS, max_total_exposure_cents=FIVE_AT_FIFTY // 10_000)

    assert review(ENTRY, ledger_with(), limits, RUNNING, no_fee) is None
    refusal = review(ENTRY, ledger_with(), limits, RUNNING, plain_fee)
    assert refusal is not None
    assert refusal.text == "$0.00 and $2.59 more would exceed $2.50"


@pytest.mark.parametrize("cash, refusal", [(0, None), (-1, RefusalCode.BALANCE)])
def test_balance(cash: int, refusal: RefusalCode | None) -> None:
    """What is free after other entries may be spent to the last unit, not beyond."""
    other = order("o1", ticker="m1", game_id="m1")
    ledger = ledger_with(other, order("o2", wish=EXIT), cash=2 * FIVE_AT_FIFTY + cash)

    assert code(ledger) is refusal


def test_what_filled_and_is_not_booked_is_not_free() -> None:
    """Cash that a fill on its way will take is reserved for it."""
    ledger = ledger_with(order("o1", ticker="m1", game_id="m1"), cash=2 * FIVE_AT_FIFTY - 1)
    ledger.report(accepted(filled=500, remaining=0))

    assert code(ledger) is RefusalCode.BALANCE
    assert text(ledger) == "$2.50 needed, $2.50 free"


def test_limits_are_asked_in_their_order() -> None:
    """Of several reasons the first is told: count, state, game, price, sizes, money."""
    ledger = ledger_with(order("o1", ticker=BOS), cash=0)
    hold(ledger, 1_000)
    limits = attrs.evolve(
        LIMITS,
        max_total_exposure_cents=1,
        max_concurrent_markets=1,
        max_game_exposure_cents=1,
    )
    roomier = attrs.evolve(limits, max_concurrent_markets=3)
    roomy = attrs.evolve(roomier, max_game_exposure_cents=5_000)
    waiting = Permission()
    told = [
        code(ledger, permission=waiting, limits=limits, fair=0.99, count_e2=CountE2(0)),
        code(ledger, permission=waiting, limits=limits, fair=0.99),
        code(ledger, limits=limits, fair=0.99),
        code(ledger, limits=limits, fair=0.99, game_id="g2"),
        code(ledger, limits=limits, game_id="g2"),
        code(ledger, limits=limits, game_id="g2", ticker="m3"),
        code(ledger, limits=roomier, game_id="g2", ticker="m3"),
        code(ledger, limits=roomy, game_id="g2", ticker="m3"),
        code(ledger, game_id="g2", ticker="m3"),
    ]

    assert told == [
        RefusalCode.BAD_COUNT,
        RefusalCode.NOT_RUNNING,
        RefusalCode.ENTRY_IN_FLIGHT,
        RefusalCode.PRICE_COLLAR,
        RefusalCode.CONTRACTS_PER_MARKET,
        RefusalCode.CONCURRENT_MARKETS,
        RefusalCode.GAME_EXPOSURE,
        RefusalCode.TOTAL_EXPOSURE,
        RefusalCode.BALANCE,
    ]


WISHES = st.tuples(
    st.sampled_from(("m1", "m2", "m3")), st.integers(1, 9_999), st.integers(1, 1_200), st.booleans()
)


@given(st.lists(WISHES, max_size=20), st.integers(1, 3_000))
def test_no_sequence_of_wishes_passes_a_limit(
    wishes: list[tuple[str, int, int, bool]], limit_cents: int
) -> None:
    """Whatever is wished and however it fills, what may be lost stays within limit and cash."""
    limits = attrs.evolve(LIMITS, max_total_exposure_cents=limit_cents, max_concurrent_markets=2)
    ledger = Ledger(MoneyE6(15_000_000))
    for number, (ticker, price, count, fills) in enumerate(wishes):
        wish = intent(
            ticker=ticker,
            game_id=ticker,
            price_e4=PriceE4(price),
            count_e2=CountE2(count),
            fair=price / 10_000,
        )
        if review(wish, ledger, limits, RUNNING, plain_fee) is None:
            name = f"o{number}"
            ledger.open_order(order(name, wish=wish))
            if fills:
                done = fill(
                    name,
                    client_order_id=name,
                    ticker=ticker,
                    price_e4=wish.price_e4,
                    count_e2=wish.count_e2,
                )
                ledger.book(done)

        assert total_exposure_e6(ledger, plain_fee) <= limits.max_total_exposure_e6
        assert ledger.cash_e6 >= 0
        assert len(ledger.active_tickers()) <= 2


def test_every_refusal_has_words() -> None:
    """Codes are what a person reads in the market's row, and no two are the same."""
    assert len({each.value for each in RefusalCode}) == len(RefusalCode)
    assert code(ledger_with(cash=CASH), price_e4=PriceE4(9_999), fair=0.1) == "price collar"
