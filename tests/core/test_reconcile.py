"""Where the exchange and we differ, in words, and what explains it."""

from __future__ import annotations

import attrs
import pytest

from arb.core.events import CashMove
from arb.core.ledger import Ledger
from arb.core.money import CountE2, MoneyE6
from arb.core.reconcile import (
    DIFFERENCES_NAMED_MAX,
    MOVES_TRIED_MAX,
    differences,
    explaining,
    in_one_line,
    returned_e6,
)
from tests.core.order_factory import BOS, CASH, NYY, hold

DEPOSIT = CashMove("deposit 1", "deposit", MoneyE6(10_000_000), 500)


def held(**counts_e2: int) -> Ledger:
    """Make a ledger that holds some positions and has all its cash left."""
    ledger = Ledger(CASH)
    for ticker, count in counts_e2.items():
        hold(ledger, count, ticker=ticker)
    ledger.cash_e6 = CASH
    return ledger


def said(ledger: Ledger, cash: int, **counts_e2: int) -> str:
    """Say where a ledger differs from an exchange's cash and positions."""
    return in_one_line(differences(ledger, cash, there(**counts_e2)))


def there(**counts_e2: int) -> dict[str, CountE2]:
    """List positions as the exchange has them."""
    return {ticker: CountE2(count) for ticker, count in counts_e2.items()}


def test_agreement_is_no_text() -> None:
    """Where positions and cash are equal there is nothing to say."""
    assert said(held(A=200, B=-100), CASH, A=200, B=-100) == ""


def test_flat_and_absent_are_the_same() -> None:
    """A market listed with nothing equals one that is not listed, on either side."""
    ledger = held(A=200)
    hold(ledger, -200, ticker="A")
    ledger.cash_e6 = CASH

    assert said(ledger, CASH) == ""
    assert said(Ledger(CASH), CASH, A=0) == ""


def test_each_kind_of_difference_is_named() -> None:
    """More there, fewer there, only there and only here each say by how much, and both counts."""
    assert said(held(A=200, C=50), CASH, A=150, B=-100) == (
        "A: 0.5 fewer at Kalshi (1.5 there, 2 here); "
        "B: 1 fewer at Kalshi (-1 there, 0 here); "
        "C: 0.5 fewer at Kalshi (0 there, 0.5 here)"
    )
    assert said(held(), CASH, A=200) == "A: 2 more at Kalshi (2 there, 0 here)"


@pytest.mark.parametrize(
    "by, text",
    [
        (1, "cash is $0.000001 more at Kalshi ($1000.000001 there, $1,000.00 here)"),
        (-1, "cash is $0.000001 less at Kalshi ($999.999999 there, $1,000.00 here)"),
        (12_340_000, "cash is $12.34 more at Kalshi ($1,012.34 there, $1,000.00 here)"),
        (-CASH - 5, "cash is $1000.000005 less at Kalshi (-$0.000005 there, $1,000.00 here)"),
    ],
)
def test_cash_says_by_how_much_to_the_last_unit(by: int, text: str) -> None:
    """Whole cents are written as people do, anything finer with all its digits."""
    assert said(Ledger(CASH), CASH + by) == text


def test_many_differences_are_counted() -> None:
    """As many as fit are named, cash first, and the others are a number."""
    text = said(held(A=100, B=100, C=100, D=100, E=100), 0)

    assert text.count("; ") == DIFFERENCES_NAMED_MAX
    assert text.startswith("cash is $1,000.00 less")
    assert text.endswith("; and 2 more")


@pytest.mark.parametrize(
    "counts, dollars",
    [
        ({NYY: -300, BOS: -200}, 2),
        ({NYY: -300, BOS: -300}, 3),
        ({NYY: -300, BOS: 300}, 0),
        ({NYY: 300, BOS: 300}, 0),
        ({NYY: -300}, 0),
        ({NYY: -300, "KXMLBGAME-26NOV23NYYBOS-BOS": -300}, 0),
        ({"E-A": -100, "E-B": -200, "E-TIE": -300}, 3),
    ],
)
def test_no_on_both_sides_of_a_game_is_sure_to_pay(counts: dict[str, int], dollars: int) -> None:
    """NO in all markets of a game but the largest pays for sure; all else may pay nothing."""
    assert returned_e6({t: CountE2(c) for t, c in counts.items()}) == dollars * 1_000_000


def test_returned_collateral_is_no_difference() -> None:
    """Whether the exchange has handed it out or not, cash is equal; any other sum is not."""
    counts = {NYY: CountE2(-300), BOS: CountE2(-200)}
    ledger = Ledger(CASH)
    for ticker, count in counts.items():
        hold(ledger, count, ticker=ticker)
    cash = ledger.cash_e6

    for by, equal in ((0, True), (2_000_000, True), (1_000_000, False), (-2_000_000, False)):
        assert (differences(ledger, cash + by, counts) == ()) is equal


class TestMovesOfMoney:
    """Deposits, withdrawals and transfers: they explain differences and never make one."""

    def test_one_that_makes_cash_equal_is_booked(self) -> None:
        """Exactly the missing sum, coming or going."""
        withdrawal = CashMove("withdrawal 1", "withdrawal", MoneyE6(-3_000_000), 500)
        moves = [DEPOSIT, withdrawal]

        assert explaining(Ledger(CASH), CASH + 10_000_000, {}, moves) == (DEPOSIT,)
        assert explaining(Ledger(CASH), CASH - 3_000_000, {}, moves) == (withdrawal,)
        assert explaining(Ledger(CASH), CASH + 7_000_000, {}, moves) == (DEPOSIT, withdrawal)

    @pytest.mark.parametrize("by", [0, 1, 9_999_999, -10_000_000])
    def test_one_that_does_not_fit_is_left_alone(self, by: int) -> None:
        """Equal cash needs nothing, and another difference is none of its doing."""
        assert explaining(Ledger(CASH), CASH + by, {}, [DEPOSIT]) == ()

    def test_its_fee_may_be_taken_from_it(self) -> None:
        """Which of the two the exchange does is seen from the cash."""
        dear = attrs.evolve(DEPOSIT, fee_e6=MoneyE6(2_000_000))
        (booked,) = explaining(Ledger(CASH), CASH + 8_000_000, {}, [dear])

        assert booked.amount_e6 == 8_000_000
        assert explaining(Ledger(CASH), CASH + 10_000_000, {}, [dear]) == (dear,)

    def test_one_is_booked_once(self) -> None:
        """What has been booked explains nothing more."""
        ledger = Ledger(CASH)

        assert ledger.move_cash(DEPOSIT)
        assert not ledger.move_cash(DEPOSIT)
        assert ledger.cash_e6 == CASH + 10_000_000
        assert explaining(ledger, CASH + 20_000_000, {}, [DEPOSIT]) == ()

    def test_one_from_before_the_first_reading_is_in_its_cash(self) -> None:
        """The cash that was adopted holds it already."""
        ledger = Ledger(CASH, adopted_ms=501)

        assert explaining(ledger, CASH + 10_000_000, {}, [DEPOSIT]) == ()

    def test_it_may_come_together_with_collateral(self) -> None:
        """Both explain cash at once."""
        ledger = Ledger(CASH)
        counts = {NYY: CountE2(-100), BOS: CountE2(-100)}

        assert explaining(ledger, CASH + 11_000_000, counts, [DEPOSIT]) == (DEPOSIT,)

    def test_only_so_many_are_tried(self) -> None:
        """Sets of moves grow too fast to try them all."""
        moves = [attrs.evolve(DEPOSIT, move_id=f"deposit {n}") for n in range(9)]
        most = 10_000_000 * MOVES_TRIED_MAX

        assert len(explaining(Ledger(CASH), CASH + most, {}, moves)) == MOVES_TRIED_MAX
        assert explaining(Ledger(CASH), CASH + most + 10_000_000, {}, moves) == ()
