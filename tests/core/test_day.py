"""What a day has gained: realised, fees paid, and what is held at what it would fetch."""

from __future__ import annotations

import pytest

from arb.core.day import DATE_STANDS_NS, Mark, Midnight, day_of, gained_e6
from arb.core.events import Side
from arb.core.ledger import Ledger
from arb.core.money import CountE2, MoneyE6, PriceE4
from tests.core.order_factory import BOS, CASH, NYY, fill, hold, settlement


def mark(bid: int | None, ask: int | None) -> Mark:
    """Mark a market."""
    return Mark(None if bid is None else PriceE4(bid), None if ask is None else PriceE4(ask))


@pytest.mark.parametrize(
    "held, seen, gained",
    [
        (200, mark(4_700, 5_300), -60_000),
        (200, mark(5_200, 5_300), 40_000),
        (-200, mark(4_700, 5_300), -60_000),
        (-200, mark(4_600, 4_900), 20_000),
        (200, mark(None, 5_300), 0),
        (-200, mark(4_700, None), 0),
        (200, None, 0),
        (0, mark(1, 2), 0),
    ],
)
def test_what_is_held_is_worth_what_it_would_fetch(
    held: int, seen: Mark | None, gained: int
) -> None:
    """YES its bid, NO what the ask leaves of a dollar, and its cost where none was ever seen."""
    ledger = Ledger(CASH)
    if held:
        hold(ledger, held)

    assert gained_e6(ledger, {} if seen is None else {NYY: seen}) == gained


def test_fees_and_what_was_realised_count_in_every_market() -> None:
    """A sale below cost, a settlement and each fee; a market that is flat needs no mark."""
    ledger = Ledger(CASH)
    ledger.book(fill("t1", fee_e6=MoneyE6(70)))
    sold = fill(
        "t2", side=Side.ASK, price_e4=PriceE4(4_000), count_e2=CountE2(200), fee_e6=MoneyE6(50)
    )
    ledger.book(sold)
    hold(ledger, 100, 6_000, BOS)
    ledger.settle(settlement(100, 10_000, BOS))

    assert gained_e6(ledger, {NYY: mark(1, 9_999)}) == -200_000 - 120 + 400_000


@pytest.mark.parametrize(
    "before, later, both",
    [
        (mark(10, 20), mark(11, 19), mark(11, 19)),
        (mark(10, 20), mark(None, 19), mark(10, 19)),
        (mark(10, 20), mark(11, None), mark(11, 20)),
        (mark(None, None), mark(None, 19), mark(None, 19)),
    ],
)
def test_the_last_price_that_was_known_stays(before: Mark, later: Mark, both: Mark) -> None:
    """A side that is empty now was worth something when it was last seen."""
    assert before.followed_by(later) == both


def test_a_position_is_closed_at_the_others_price() -> None:
    """YES is sold at the bid, NO bought back at the ask."""
    assert mark(10, 20).closing_e4(CountE2(1)) == 10
    assert mark(10, 20).closing_e4(CountE2(-1)) == 20


@pytest.mark.parametrize(
    "now_ms, date",
    [
        (1_795_343_226_907, "2026-11-22"),
        (1_795_409_999_999, "2026-11-22"),
        (1_795_410_000_000, "2026-11-23"),
    ],
)
def test_a_day_begins_at_midnight_in_the_east(now_ms: int, date: str) -> None:
    """Five hours after that of UTC in winter."""
    assert day_of(now_ms) == date


A, B, C, D = "2026-11-22", "2026-11-23", "2026-11-24", "2026-12-24"


@pytest.mark.parametrize(
    ("dates", "days"),
    [
        # At midnight, a minute later; a start believes what it sees.
        ([(A, 0), (B, 10), (B, 69), (B, 70), (B, 500)], [A, A, A, B, B]),
        # Set ahead for a moment: nothing is forgotten, and the next midnight comes as ever.
        ([(A, 0), (D, 10), (A, 20), (A, 100), (B, 200), (B, 260)], [A, A, A, A, A, B]),
        # Ahead for an hour: a day of the future is counted, until the next midnight.
        ([(A, 0), (D, 1), (D, 61), (A, 99), (A, 199), (B, 300), (B, 360)], [A, A, D, D, D, D, B]),
        # Set back over a midnight, for long: the same day goes on, and ends when it should.
        ([(B, 0), (A, 10), (A, 99), (B, 100), (B, 200), (C, 300), (C, 360)], [B] * 6 + [C]),
    ],
)
def test_midnight_comes_once(dates: list[tuple[str, int]], days: list[str]) -> None:
    """Which day counts at each look, by a clock that is put wrong and right again."""
    midnight, counted, found = Midnight(), dates[0][0], []
    for date, at_s in dates:
        if midnight.has_come(counted, date, at_s * 10**9):
            counted = date
        found.append(counted)

    assert found == days


def test_a_start_counts_on_from_the_journals_day() -> None:
    """A later date begins a day at once; an earlier one begins none until its midnight."""
    assert Midnight().has_come(A, B, 0)
    assert not Midnight().has_come(A, A, 0)
    behind = Midnight()
    assert not behind.has_come(D, A, 0)
    assert not behind.has_come(D, B, 1)
    assert behind.has_come(D, B, 1 + DATE_STANDS_NS)
