"""Markets whose end is overdue, whatever end it is."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from arb.core.listing import Catalogue
from arb.core.money import CountE2, MoneyE6
from arb.engine.account_reading import Account, HeldPosition
from arb.engine.overdue import DECIDED_WITHIN_MS, PAID_WITHIN_MS, PLAYED_WITHIN_MS, Overdue
from arb.engine.parts import Parts
from tests.core.order_factory import BOS, GAME, NYY, listing
from tests.engine.market_bench import StillClock, bench_parts

START_MS = 10**9


def parts() -> Parts:
    """Make the parts of an engine whose one game begins in a while."""
    made = bench_parts(clock=StillClock())
    game = attrs.evolve(GAME, start_ms=START_MS)
    made.relist(None, Catalogue((listing(NYY, game), listing(BOS, game))))
    return made


def reading(count: int = 500, **changes: Any) -> Account:
    """Read an account that holds something of one market."""
    held = (HeldPosition(NYY, CountE2(count), MoneyE6(0)),) if count else ()
    return attrs.evolve(Account(MoneyE6(0), held), **changes)


@pytest.mark.parametrize("kind, within, said", [
    ("decided", PAID_WITHIN_MS, "is decided for 15 minutes and has not been paid"),
    ("closed", DECIDED_WITHIN_MS, "is closed for 180 minutes and has no result"),
])  # fmt: skip
def test_an_end_that_is_overdue_is_said_once(kind: str, within: int, said: str) -> None:
    """It counts from when it was first seen, and begins anew where a market has opened again."""
    engine = parts()
    changes: dict[str, Any] = {kind: (NYY,)}
    watch, account = Overdue(engine), reading(**changes)
    watch.look(account, 1_000)
    watch.look(account, 1_000 + within - 1)
    assert not watch.tickers

    for later_ms in (0, 60_000):
        watch.look(account, 1_000 + within + later_ms)
        assert watch.tickers == (NYY,)
    assert [line.text for line in engine.board.log] == [f"{NYY} {said}"]

    watch.look(reading(), 1_000 + within)
    watch.look(account, 1_000 + within)
    assert not watch.tickers


@pytest.mark.parametrize("count, late_ms, told", [
    (500, PLAYED_WITHIN_MS - 1, False),
    (500, PLAYED_WITHIN_MS, True),
    (-500, PLAYED_WITHIN_MS, True),
    (0, PLAYED_WITHIN_MS, False),
])  # fmt: skip
def test_a_game_that_is_not_played_is_told(count: int, late_ms: int, told: bool) -> None:
    """Postponed: what is held in it is tied up, and only that is of interest."""
    engine = parts()
    watch = Overdue(engine)
    watch.look(reading(count), START_MS + late_ms)

    assert watch.tickers == ((NYY,) if told else ())
    text = f"{NYY} was to be played 24 hours ago and is not closed: postponed?"
    assert [line.text for line in engine.board.log] == ([text] if told else [])


def test_a_market_that_is_not_traded_here_has_no_start() -> None:
    """A person's position in another market is his own."""
    watch = Overdue(parts())
    held = (HeldPosition("KXELSE-A", CountE2(500), MoneyE6(0)),)
    watch.look(Account(MoneyE6(0), held), START_MS + PLAYED_WITHIN_MS)

    assert not watch.tickers
    assert repr(watch) == "<Overdue 0 of 0 told>"
