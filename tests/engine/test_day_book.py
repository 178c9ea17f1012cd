"""The day as the risk manager counts it: when it begins, what it is marked at, what shifts it."""

from __future__ import annotations

import pytest

from arb.core.day import Day, Earlier
from arb.core.money import CountE2
from arb.engine.day_book import AWAITED_MAX_S, MARKS_KEPT_EVERY_S
from tests.core.order_factory import BOS, NYY, hold, settlement
from tests.engine.day_bench import (
    DAY_MS,
    EPOCH_MS,
    TODAY,
    TOMORROW,
    YESTERDAY,
    Bench,
    begun,
    marked,
    open_bench,
)


@pytest.fixture
def bench() -> Bench:
    """Hold two contracts at fifty cents."""
    return open_bench()


def test_a_day_begins_with_the_first_look_and_is_written_down(bench: Bench) -> None:
    """What is held then is at its price of then; only what follows is this day's."""
    bench.shows(4_800, 5_200)
    book = bench.book()
    book.look()
    book.look()

    assert bench.written == [begun(TODAY, -40_000, marked(4_800, 5_200))]
    assert (book.gained_e6, book.lost_e6) == (0, 0)
    bench.shows(4_700, 5_300)
    book.look()
    assert (book.gained_e6, book.lost_e6) == (-20_000, 20_000)
    bench.shows(5_700, None)
    book.look()
    assert (book.gained_e6, book.lost_e6) == (180_000, 0)
    assert repr(book).endswith("gained_e6=180000>")


def test_a_day_that_stands_in_the_journal_goes_on(bench: Bench) -> None:
    """After a restart what was lost before it is still lost, and nothing is written."""
    book = bench.book(Day(TODAY, 30_000, {NYY: marked(4_800, None)}))
    book.look()

    assert book.lost_e6 == 70_000
    assert bench.written == []


def test_a_new_day_forgets_the_old_one(bench: Bench) -> None:
    """At midnight in the east the count begins anew, with what is held as it is marked."""
    book = bench.book(Day(TODAY, 70_000))
    bench.shows(4_900, 5_200)
    bench.clock.now_ms += DAY_MS
    book.look()

    assert book.lost_e6 == 0
    earlier = Earlier(TODAY, 70_000)
    assert bench.written == [begun(TOMORROW, -20_000, marked(4_900, 5_200), earlier=earlier)]


def test_a_clock_that_goes_back_brings_no_day_back(bench: Bench) -> None:
    """Yesterday does not come again, and today's loss is not forgotten."""
    book = bench.book(Day(TODAY, 70_000, {NYY: marked(5_000, None)}))
    bench.clock.now_ms -= DAY_MS
    book.look()

    assert book.lost_e6 == 70_000
    assert bench.written == []


def test_a_glimpse_of_another_day_forgets_nothing(bench: Bench) -> None:
    """A clock that is set a month ahead for some seconds leaves the day, and its loss, alone."""
    book = bench.book(Day(TODAY, 70_000, {NYY: marked(5_000, None)}))
    book.look()
    for ahead_ms, running_s in ((30 * DAY_MS, 1.0), (30 * DAY_MS, 50.0), (0, 55.0), (0, 200.0)):
        bench.clock.now_ms = EPOCH_MS + ahead_ms
        bench.clock.running_s = running_s
        book.look()
        assert book.lost_e6 == 70_000

    assert {each["date"] for each in bench.written} <= {TODAY}


def test_an_empty_side_was_worth_something_when_it_was_last_seen(bench: Bench) -> None:
    """The last bid that was known goes on to mark what is held."""
    book = bench.book(Day(TODAY, 0))
    bench.shows(4_000, 5_200)
    book.look()
    bench.shows(None, 5_200)
    book.look()

    assert book.lost_e6 == 200_000


def test_what_was_cleared_is_not_counted_again(bench: Bench) -> None:
    """The count begins anew at what is gained now, and that is written down."""
    book = bench.book(Day(TODAY, 70_000))
    book.look()
    book.begin_anew()
    book.begin_anew()

    assert book.lost_e6 == 0
    assert bench.written == [begun(TODAY, 0)]


def test_what_the_exchange_says_of_a_cost_is_no_loss(bench: Bench) -> None:
    """A position that is taken on the exchange's word leaves the day as it was."""
    bench.shows(4_000, 6_000)
    book = bench.book(Day(TODAY, 0))
    book.look()

    def dearer() -> None:
        position = bench.ledger.positions[NYY]
        position.count_e2, position.cost_e6 = CountE2(300), position.cost_e6 * 2  # type: ignore[assignment]

    book.without_gain(dearer)

    assert book.lost_e6 == 200_000
    bench.ledger.settle(settlement(300, 0))
    book.look()
    assert book.lost_e6 == 200_000 + 300 * 4_000


def test_before_the_first_look_nothing_is_written(bench: Bench) -> None:
    """An account that is taken before there was a day begins it."""
    book = bench.book()
    book.without_gain(lambda: hold(bench.ledger, 100))

    assert [each["date"] for each in bench.written] == [TODAY]
    assert book.gained_e6 == 0


# What a process begins with that has seen nothing yet.


def test_a_restart_in_the_middle_of_a_day_changes_nothing(bench: Bench) -> None:
    """What was gained by marks is no loss while no book is there, nor is a loss forgotten."""
    bench.shows(7_000, 7_200)
    book = bench.book(Day(TODAY, 0))
    book.look()
    assert book.gained_e6 == 400_000
    bench.clock.running_s += MARKS_KEPT_EVERY_S
    book.look()

    book = bench.restarted()
    book.look()
    assert (book.gained_e6, book.lost_e6) == (400_000, 0)
    bench.shows(4_000, 4_200)
    book.look()
    assert book.lost_e6 == 200_000


def test_marks_are_kept_after_a_fill_and_else_each_minute(bench: Bench) -> None:
    """A start judges by marks of which none is older, and what has not changed is not written."""
    book = bench.book(Day(TODAY, 0, {NYY: marked(4_800, 5_200)}))
    bench.shows(4_700, 5_200)
    book.look()
    assert bench.written == []
    hold(bench.ledger, 100)
    book.look()
    assert bench.written == [begun(TODAY, 0, marked(4_700, 5_200))]
    bench.shows(4_600, 5_200)
    bench.clock.running_s += MARKS_KEPT_EVERY_S - 0.1
    book.look()
    assert len(bench.written) == 1
    bench.clock.running_s += 0.1
    book.look()
    bench.clock.running_s += MARKS_KEPT_EVERY_S
    book.look()
    assert bench.written[1:] == [begun(TODAY, 0, marked(4_600, 5_200))]


def test_a_day_that_begins_unseen_begins_with_the_first_price(bench: Bench) -> None:
    """What was gained overnight is none of today's, and all that is lost from there on is."""
    book = bench.book(Day(YESTERDAY, 0, {NYY: marked(8_000, None)}))
    book.look()
    earlier = Earlier(YESTERDAY, 0)
    assert bench.written == [begun(TODAY, 600_000, marked(8_000, None), NYY, earlier=earlier)]
    assert book.gained_e6 == 0

    bench.shows(9_000, 9_200)
    book.look()
    assert bench.written[1:] == [begun(TODAY, 800_000, marked(9_000, 9_200), earlier=earlier)]
    assert book.gained_e6 == 0
    bench.shows(500, 700)
    book.look()
    assert book.lost_e6 == 200 * 8_500


def test_a_day_that_nobody_has_seen_goes_on_to_wait_in_the_next_process(bench: Bench) -> None:
    """Ended before a price was there: the next one's first price is the beginning."""
    bench.book(Day(YESTERDAY, 0, {NYY: marked(8_000, None)})).look()
    book = bench.restarted()
    bench.shows(3_000, 3_200)
    book.look()
    assert (book.gained_e6, book.before_e6) == (0, -400_000)


@pytest.mark.parametrize("row", [None, (None, 9_000), (None, None)])
def test_what_no_price_is_seen_of_stays_at_its_last(
    row: tuple[int | None, int | None] | None, bench: Bench
) -> None:
    """Not listed, or with an empty side: after a minute it began at what it was last worth."""
    book = bench.book(Day(YESTERDAY, 0, {NYY: marked(8_000, None)}))
    if row is not None:
        bench.shows(*row)
    book.look()
    bench.clock.running_s += AWAITED_MAX_S
    book.look()
    assert bench.written[-1]["awaited"] == ()
    assert book.gained_e6 == 0
    bench.shows(5_000, 5_200)
    book.look()
    assert book.lost_e6 == 600_000


def test_what_never_had_a_price_begins_with_the_first(bench: Bench) -> None:
    """However late it comes: what a market has said nothing of was worth nobody knows what."""
    hold(bench.ledger, -100, 5_000, BOS)
    book = bench.book()
    bench.shows(5_000, 5_200)
    bench.shows(4_800, None, BOS)
    book.look()
    assert bench.written[0]["awaited"] == (BOS,)
    bench.clock.running_s += 10 * AWAITED_MAX_S
    book.look()
    bench.shows(4_800, 9_000, BOS)
    book.look()
    assert (book.gained_e6, book.before_e6) == (0, -400_000)
    bench.shows(4_800, 9_500, BOS)
    book.look()
    assert book.lost_e6 == 50_000


def test_what_is_settled_unseen_is_lost_or_gained_since_its_last_price(bench: Bench) -> None:
    """Nobody waits for a price of what is not held any more."""
    book = bench.book(Day(YESTERDAY, 0, {NYY: marked(8_000, None)}))
    book.look()
    bench.ledger.settle(settlement(200, 0))
    book.look()
    assert bench.written[-1] == begun(TODAY, 600_000, earlier=Earlier(YESTERDAY, 0))
    assert book.lost_e6 == 1_600_000


def test_a_loss_is_not_judged_while_something_counts_at_its_cost(bench: Bench) -> None:
    """A journal without marks, or a fill while nobody looked: until a price, or for a minute."""
    book = bench.book(Day(TODAY, 400_000))
    book.look()
    assert (book.gained_e6, book.lost_e6) == (-400_000, 0)
    bench.shows(7_000, 7_200)
    book.look()
    assert (book.gained_e6, book.lost_e6) == (0, 0)

    bench.parts.board.tops.clear()
    book = bench.book(Day(TODAY, 400_000))
    book.look()
    bench.clock.running_s += AWAITED_MAX_S
    book.look()
    assert book.lost_e6 == 400_000


def test_what_was_bought_unseen_counts_at_what_it_cost(bench: Bench) -> None:
    """A fill that is found at a start is of today: all that its price fell since is lost."""
    book = bench.book(Day(TODAY, 0, {NYY: marked(5_000, None)}))
    book.look()
    hold(bench.ledger, 100, 6_000, BOS)
    book.look()
    bench.shows(1_000, 1_200, BOS)
    book.look()
    assert book.lost_e6 == 500_000


def test_what_is_taken_on_the_exchanges_word_begins_with_its_first_price(bench: Bench) -> None:
    """What it once cost is of another day; what was there before goes on to count."""
    bench.shows(5_000, 5_200)
    book = bench.book(Day(TODAY, 0))
    book.look()
    bench.clock.running_s += 2 * AWAITED_MAX_S
    book.without_gain(lambda: hold(bench.ledger, 100, 8_000, BOS))
    bench.shows(4_000, 4_200)
    bench.shows(500, 700, BOS)
    book.look()
    assert book.lost_e6 == 200_000
    bench.shows(400, 700, BOS)
    book.look()
    assert book.lost_e6 == 210_000
