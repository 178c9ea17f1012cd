"""Records that can be read and say what cannot be."""

from __future__ import annotations

import pytest

from arb.core.events import Fill
from arb.core.ledger import Ledger
from arb.journal.records import NotARecord, Record, RecordKind, fill_data
from arb.journal.recovery import recover
from tests.core.order_factory import NYY, fill

BOUGHT = Record(1, RecordKind.FILL, 7, fill_data(fill("t1")))


def test_a_fill_of_nothing_is_read() -> None:
    """A journal into which one was written is no journal that cannot be read."""
    nothing = {**fill_data(fill("t2")), "count_e2": 0}
    ledger = recover([BOUGHT, Record(2, RecordKind.FILL, 7, nothing)]).ledger

    assert ledger.position(NYY).count_e2 == 200
    assert ledger.trade_ids == {"t1", "t2"}


def test_what_cannot_be_reckoned_is_told_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of arithmetic is the journal's error in one line, as any other content is."""

    def divide(_ledger: Ledger, _fill: Fill) -> bool:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(Ledger, "book", divide)
    with pytest.raises(NotARecord, match=r"^record 1 \(fill\) cannot be read: ZeroDivisionError"):
        recover([BOUGHT])
