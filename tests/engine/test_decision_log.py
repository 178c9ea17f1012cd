"""What the markets decide is kept for whoever asks why, and costs trading nothing."""

# flake8: noqa: ASYNC124 - tests of async code are async whether or not they wait

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import attrs
import pytest
import trio

from arb.core.commands import OrderIntent, Purpose
from arb.core.risk import Refusal, RefusalCode
from arb.engine import decision_log
from arb.engine.board import MarketRow
from arb.engine.decision_log import (
    OPEN_AGAIN_AFTER_S,
    RUN_MS_MAX,
    WRITE_EVERY_S,
    DecisionLog,
)
from arb.engine.offload import call_in_place
from arb.journal import decisions
from arb.journal.decisions import DecisionRow, read_decisions
from tests.core.order_factory import NYY
from tests.engine.market_bench import EPOCH_MS, open_bench

NOW_MS = EPOCH_MS
ROW = MarketRow(
    ticker="A",
    at_ms=NOW_MS,
    fair=0.5,
    bid_e4=None,
    bid_size_e2=0,
    ask_e4=None,
    ask_size_e2=0,
    edge_e4=None,
    net_e4=None,
    action="RESTING",
    reason="edge too thin",
    quote_changed_ms=None,
    books=6,
)


@attrs.frozen
class StoppedAt:
    """A clock that stands still."""

    at_ms: int

    def wall_ms(self) -> int:
        """Return the moment at which it stands."""
        return self.at_ms

    def monotonic_ns(self) -> int:
        """Return the same."""
        return self.at_ms


@attrs.define
class Kept:
    """A log of decisions, and what it said."""

    path: Path
    said: list[str]
    log: DecisionLog

    def rows(self, ticker: str = "A") -> list[DecisionRow]:
        """Close the log and return what is kept."""
        self.log.close()
        return read_decisions(self.path, ticker, 0)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """A log on a real file."""
    said: list[str] = []
    path = tmp_path / "decisions.sqlite"
    return Kept(path, said, DecisionLog(path, StoppedAt(NOW_MS), said.append, call_in_place))


def later(ms: int, reason: str = "edge too thin") -> MarketRow:
    """Return the row of a later moment."""
    return attrs.evolve(ROW, at_ms=NOW_MS + ms, fair=0.5 + ms / 1e6, reason=reason)


async def test_the_same_decision_again_is_counted(kept: Kept) -> None:
    """One row tells from when to when, how often, and its latest inputs."""
    for ms in (0, 10, 20):
        kept.log.saw(later(ms), "SKIP")
    kept.log.saw(later(30, "no ask"), "SKIP")
    kept.log.saw(later(40), "SKIP")
    first, *others = kept.rows()

    assert (first.first_ms, first.last_ms, first.times) == (NOW_MS, NOW_MS + 20, 3)
    assert (first.action, first.reason) == ("SKIP", "edge too thin")
    assert first.inputs["fair"] == later(20).fair
    assert [(each.reason, each.times) for each in others] == [("no ask", 1), ("edge too thin", 1)]


async def test_a_decision_that_lasts_is_told_piece_by_piece(kept: Kept) -> None:
    """After a while a new row begins, so that no inputs stand for hours."""
    for ms in (0, RUN_MS_MAX - 1, RUN_MS_MAX, RUN_MS_MAX + 1):
        kept.log.saw(later(ms), "SKIP")

    assert [each.times for each in kept.rows()] == [2, 2]


async def test_a_purchase_stands_for_itself(kept: Kept) -> None:
    """It keeps what it rested on, and nothing is counted onto it."""
    for _ in range(2):
        kept.log.saw(ROW, "TAKER", {"trigger_ns": 5})
    kept.log.saw(ROW, "TAKER")
    rows = kept.rows()

    assert [each.times for each in rows] == [1, 1, 1]
    assert [each.inputs.get("trigger_ns") for each in rows] == [5, 5, None]


async def test_a_refusal_is_kept_with_its_words(kept: Kept) -> None:
    """What risk said no to shows beside what the market wished."""
    kept.log.refused(ROW, "limit", "too much")

    assert [(each.action, each.reason) for each in kept.rows()] == [("REFUSED", "limit: too much")]


async def test_what_lasts_is_written_now_and_then(kept: Kept, autojump_clock: object) -> None:
    """A running engine can be asked; a row that goes on is written again."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(kept.log.run)
        for times in (1, 2):
            kept.log.saw(ROW, "SKIP")
            await trio.sleep(WRITE_EVERY_S * 1.5)
            assert [each.times for each in read_decisions(kept.path, "A", 0)] == [times]
        nursery.cancel_scope.cancel()
    assert "writing, 0 to be written" in repr(kept.log)


async def test_a_market_tells_what_it_decides(kept: Kept, autojump_clock: object) -> None:
    """Skips, one purchase with the books it rests on and its trigger, and a refusal."""
    async with open_bench() as bench:
        bench.parts.decisions = kept.log
        bench.hold(0)
        bench.top(4_800, 5_000)
        bench.quote(2.0, "a", "b", "c")
        bench.quote(2.5, "a")
        bench.quote(2.5, "b")
        (wish,) = bench.wishes()
        bench.tell(Refusal(NYY, Purpose.ENTRY, RefusalCode.NOT_RUNNING, "paused"))
        bench.quote(2.51, "b")
        await trio.sleep(0.01)
    rows = kept.rows(NYY)
    (bought,) = [row for row in rows if row.action == "TAKER" and row.inputs.get("quotes")]

    assert isinstance(wish, OrderIntent)
    assert bought.inputs["trigger_ns"] == wish.trigger_ns
    assert (bought.inputs["price_e4"], bought.inputs["changed_book"]) == (5_000, "b")
    assert [each["home"] for each in bought.inputs["quotes"]] == [2.5, 2.5, 2.0]
    words = [row.action for row in rows]
    assert words.index("TAKER") < words.index("REFUSED")
    assert {"WAIT", "SKIP"} & set(words)
    # What could not be sent, the market not being heard, is no purchase.
    assert [row.action for row in rows if "quotes" in row.inputs] == ["TAKER"]


async def test_too_many_at_once_are_counted(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded, and that something is missing is said."""
    monkeypatch.setattr(decision_log, "PENDING_MAX", 2)
    for number in range(5):
        kept.log.saw(later(number, str(number)), "SKIP")

    assert len(kept.rows()) == 2
    assert kept.said == ["3 decisions were too many to keep for arb why"]


async def test_an_engine_goes_on_without_its_file(tmp_path: Path) -> None:
    """A file that cannot be opened is said once, nothing is kept, and what is lost is counted."""
    said: list[str] = []
    log = DecisionLog(tmp_path, StoppedAt(NOW_MS), said.append, call_in_place)
    log.saw(ROW, "SKIP")
    assert "waiting for its file" in repr(log)
    log.close()

    assert said[0].startswith("decisions are not kept for arb why from here on: ")
    assert said[0].endswith("this is tried again every 60 s")
    assert said[1:] == ["at least 1 decisions were lost for arb why"]


async def test_a_file_that_fails_later_is_opened_again(kept: Kept, autojump_clock: object) -> None:
    """The engine trades on; it is told once that nothing is kept, and once that it goes on."""
    assert kept.log._store is not None
    kept.log._store._connection.execute("DROP TABLE decisions")
    kept.log.saw(ROW, "SKIP")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(kept.log.run)
        await trio.sleep(WRITE_EVERY_S * 2.5)
        for ms in (1, 2):
            kept.log.saw(later(ms), "SKIP")
        await trio.sleep(OPEN_AGAIN_AFTER_S)
        kept.log.saw(later(3), "SKIP")
        # Nothing shows that it goes on before something is written.
        assert len(kept.said) == 1
        await trio.sleep(WRITE_EVERY_S)
        nursery.cancel_scope.cancel()

    stopped, again = kept.said
    assert stopped == (
        "decisions are not kept for arb why from here on: no such table: decisions;"
        " this is tried again every 60 s"
    )
    assert again == "decisions are kept again for arb why; at least 3 were lost"
    (row,) = kept.rows()
    assert (row.first_ms, row.times) == (NOW_MS + 3, 1)
    assert len(kept.said) == 2


async def test_a_file_that_opens_and_cannot_be_written_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, autojump_clock: object
) -> None:
    """A lock that is held for long lets it be opened each time, as a full disk does."""
    monkeypatch.setattr(decisions, "PATIENCE_S", 0.0)
    said: list[str] = []
    path = tmp_path / "decisions.sqlite"
    log = DecisionLog(path, StoppedAt(NOW_MS), said.append, call_in_place)
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(log.run)
            for _ in range(100):
                log.saw(ROW, "SKIP")
                await trio.sleep(WRITE_EVERY_S)
            assert [text.partition(";")[0] for text in said] == [
                "decisions are not kept for arb why from here on: database is locked"
            ]
            other.rollback()
            await trio.sleep(OPEN_AGAIN_AFTER_S)
            log.saw(ROW, "SKIP")
            await trio.sleep(OPEN_AGAIN_AFTER_S)
            nursery.cancel_scope.cancel()
    log.close()

    (again,) = said[1:]
    assert again.startswith("decisions are kept again for arb why; at least ")
    assert len(read_decisions(path, "A", 0)) == 1


async def test_a_file_that_comes_late_is_added_to(tmp_path: Path, autojump_clock: object) -> None:
    """What it holds stays, and while it is opened, which may take long, nobody waits."""
    said: list[str] = []
    path, moved = tmp_path / "decisions.sqlite", tmp_path / "moved"
    earlier = DecisionLog(path, StoppedAt(NOW_MS), said.append, call_in_place)
    earlier.saw(ROW, "SKIP")
    earlier.close()
    path.rename(moved)
    path.mkdir()

    async def slowly(call: Callable[[], None]) -> None:
        await trio.sleep(30)
        call()

    log = DecisionLog(path, StoppedAt(NOW_MS), said.append, slowly)
    path.rmdir()
    moved.rename(path)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(log.run)
        await trio.sleep(OPEN_AGAIN_AFTER_S + 29)
        log.saw(ROW, "SKIP")
        assert "waiting for its file" in repr(log)
        await trio.sleep(2)
        log.saw(later(1), "SKIP")
        nursery.cancel_scope.cancel()
    log.close()

    assert [each.number for each in read_decisions(path, "A", 0)] == [1, 2]
    assert said[1:] == ["decisions are kept again for arb why; at least 1 were lost"]


async def test_what_comes_while_a_write_fails_is_counted(
    kept: Kept, autojump_clock: object
) -> None:
    """It was taken, and there is nothing any more to write it to."""

    async def slowly(call: Callable[[], None]) -> None:
        await trio.sleep(2)
        call()

    kept.log._offload = slowly
    assert kept.log._store is not None
    kept.log._store._connection.execute("DROP TABLE decisions")
    kept.log.saw(ROW, "SKIP")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(kept.log.run)
        await trio.sleep(WRITE_EVERY_S + 1)
        kept.log.saw(later(1, "no ask"), "SKIP")
        await trio.sleep(WRITE_EVERY_S)
        nursery.cancel_scope.cancel()
    kept.log.close()

    assert kept.said[1:] == ["at least 2 decisions were lost for arb why"]


async def test_a_file_that_fails_at_the_end_is_told_too(kept: Kept) -> None:
    """The last write is like every other."""
    assert kept.log._store is not None
    kept.log._store._connection.execute("DROP TABLE decisions")
    kept.log.saw(ROW, "SKIP")
    kept.log.close()

    assert len(kept.said) == 2
