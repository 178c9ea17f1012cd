"""What may go wrong and has no cell of its own: which test holds it, or why nothing does yet."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

NOT_YET = "*not yet*"


@attrs.frozen
class Elsewhere:
    """One fault: the tests that hold it, each a file and a function, and what is not held yet."""

    fault: str
    tests: tuple[str, ...] = ()
    missing: str = ""


_IO = "tests/io/test_websocket"
_JOURNAL = "tests/journal/test"
_RUDE = "tests/cli/test_rude_consoles.py::test_nothing_that_consoles_do_changes_the_engine"

ELSEWHERE = (
    Elsewhere(
        "a ping comes while a socket closes",
        (f"{_IO}_opening.py::test_a_ping_after_our_goodbye_kills_no_sibling",),
    ),
    Elsewhere(
        "a connection is cut while our ping is out",
        (f"{_IO}.py::test_a_ping_in_flight_does_not_outlive_a_drop",),
    ),
    Elsewhere(
        "a pool of connections is exhausted",
        ("tests/io/test_http.py::test_the_guard_rebuilds_a_poisoned_pool",),
    ),
    Elsewhere(
        "an id is refused as a duplicate (409)",
        ("tests/kalshi/test_answers.py::test_our_own_id_taken_already_means_look_it_up",),
        "the engine uses no id twice, so that the simulated exchange never says it",
    ),
    Elsewhere(
        "odds of another event, of a turned market, or of books that all stand still",
        (
            "tests/engine/test_wrong_worlds.py::test_two_games_whose_starts_are_swapped_are_not_bought",
            "tests/engine/test_wrong_worlds.py::test_an_inverted_market_of_the_slate_is_not_bought",
            "tests/engine/test_wrong_worlds.py::test_three_frozen_books_of_five_buy_nothing",
        ),
    ),
    Elsewhere(
        "a handler holds up the loop",
        (
            "tests/actors/test_actors_watchdog.py::test_the_handler_that_blocks_is_named",
            "tests/engine/test_loop_watch.py::test_code_that_never_returns_ends_the_process",
        ),
    ),
    Elsewhere(
        "an actor outlives its cancellation",
        (
            "tests/actors/test_stopping.py::test_one_that_ignores_its_cancellation_is_reported_as_stuck",
        ),
    ),
    Elsewhere(
        "work beside a mailbox that waits for ever is named",
        (
            "tests/engine/test_standstills.py::test_readings_that_hang_are_named",
            "tests/engine/test_standstills.py::test_syncs_that_hang_are_named",
            "tests/engine/test_tree_watch.py::test_work_that_hangs_is_said_once_and_when_it_goes_on",
        ),
    ),
    Elsewhere(
        "the actor of the control socket fails, or its clients do their worst",
        (
            "tests/engine/test_control.py::test_an_engine_that_fails_keeps_its_control",
            "tests/engine/test_control.py::test_rubbish_is_answered_counted_and_in_the_end_dropped",
            "tests/faults/test_visitors.py::test_the_trace_is_the_one_without_them",
        ),
        "a crash of that actor itself, which simulated engines have not got",
    ),
    Elsewhere(
        "a kill at every byte of a journal",
        (f"{_JOURNAL}_recovery.py::test_every_truncation_gives_the_records_that_are_whole",),
    ),
    Elsewhere(
        "a journal is damaged in its middle",
        (
            f"{_JOURNAL}_journal_frames.py::test_damage_before_the_tail_is_refused",
            f"{_JOURNAL}_recovery.py::test_every_changed_byte_is_refused_or_a_torn_tail",
            "tests/engine/test_place.py::test_a_journal_that_cannot_be_followed_is_refused_with_its_place",
        ),
    ),
    Elsewhere(
        "a journal of a later version",
        (f"{_JOURNAL}_journal_chain.py::test_a_journal_of_a_later_format_is_refused",),
    ),
    Elsewhere(
        "two processes on one journal, or on one account",
        (
            "tests/engine/test_place.py::test_a_place_holds_one_engine_at_a_time",
            "tests/engine/test_account.py::test_an_account_has_one_engine_on_this_machine",
        ),
    ),
    Elsewhere(
        "a snapshot cannot be read or saved",
        (f"{_JOURNAL}_snapshots.py::test_a_store_that_fails_costs_time_alone",),
    ),
    Elsewhere(
        "a journal cannot be read (EIO)",
        ("tests/engine/test_place.py::test_a_journal_that_cannot_be_read_ends_the_start",),
    ),
    Elsewhere(
        "the exchange's clock and ours disagree",
        (
            "tests/engine/test_clock_and_groups_stop_trading.py::test_a_clock_that_is_off_stops_entries_until_it_is_set",
        ),
    ),
    Elsewhere(
        "daylight saving; a leap second is a step of the clock, which has a cell",
        ("tests/faults/test_simulation.py::test_the_end_of_daylight_saving_changes_nothing",),
    ),
    Elsewhere("a console is killed, or stopped, or its terminal is never read", (_RUDE,)),
    Elsewhere(
        "a terminal is lost",
        ("tests/console/test_console_app.py::test_a_lost_terminal_is_a_disappearance",),
    ),
    Elsewhere(
        "a terminal of one column and one row, and one that is resized",
        (
            "tests/console/test_cockpit.py::test_every_size_is_filled_exactly",
            "tests/console/test_console_app.py::test_a_resize_is_drawn_at_once",
            "tests/console/test_console_app.py::test_a_storm_of_resizes_ends_in_the_last_size",
        ),
    ),
    Elsewhere(
        "drawing or a key fails within the console",
        ("tests/console/test_console_app.py::test_a_failing_screen_ends_in_one_line",),
    ),
    Elsewhere(
        "a recording with broken lines, or whose times go back",
        (
            "tests/tape/test_tape_files.py::test_a_broken_line_says_where_and_what",
            "tests/engine/test_replay_tape.py::test_a_broken_line_is_named",
        ),
        "a hole: a missing line shows at the next number of a book, in odds not at all",
    ),
    Elsewhere(
        "memory, connections and open files over hours",
        (
            "tests/faults/test_whole_day.py::test_an_engine_lives_through_games_and_faults",
            "tests/faults/test_judged_processes.py::test_files_that_pile_up_are_found",
        ),
    ),
)


def elsewhere() -> Iterator[str]:
    """Yield the table of what has no cell, in Markdown."""
    yield "**without a cell**"
    yield ""
    yield "| what goes wrong | held by |"
    yield "|---|---|"
    for row in ELSEWHERE:
        yield f"| {row.fault} | {'; '.join(_held_by(row))} |"
    yield ""


def _held_by(row: Elsewhere) -> Iterator[str]:
    for test in row.tests:
        path, _, name = test.partition("::")
        yield f"{path} {name}"
    if row.missing:
        yield f"{NOT_YET}: {row.missing}"
