"""An order's life out of the journal, in words."""

from __future__ import annotations

import attrs
import pytest

from arb.core.commands import Amendment, TimeInForce
from arb.core.events import OrderEvent, Side
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.journal.orders import lives_of, purpose_text, step_text
from arb.journal.records import (
    Record,
    RecordKind,
    amend_data,
    fill_data,
    intent_data,
    report_data,
)
from tests.core.order_factory import (
    ENTRY,
    EXIT,
    accepted,
    amended,
    closed,
    fill,
    kept,
    refused,
    unknown,
)

MOVE = Amendment("o1", "x-o1", ENTRY.ticker, ENTRY.side, PriceE4(5_600), CountE2(500), 1)


def report(event: OrderEvent) -> Record:
    """Make the record of a report."""
    return Record(0, RecordKind.REPORT, 7, report_data(event))


def test_an_order_has_all_that_was_recorded_of_it() -> None:
    """By our id, and a fill by the exchange's where it names no other."""
    nameless = fill(client_order_id=None)
    records = [
        Record(1, RecordKind.START, 1, {}),
        Record(2, RecordKind.INTENT, 5, intent_data("o1", ENTRY)),
        Record(3, RecordKind.INTENT, 6, intent_data("o2", ENTRY)),
        report(accepted()),
        Record(5, RecordKind.AMEND, 7, amend_data(MOVE)),
        Record(6, RecordKind.FILL, 8, fill_data(nameless)),
        Record(7, RecordKind.FILL, 8, fill_data(attrs.evolve(nameless, order_id="else"))),
        report(closed("o2")),
        report(closed("never sent")),
    ]
    lives = lives_of(records)

    assert list(lives) == ["o1", "o2"]
    assert [step.kind for step in lives["o1"].steps] == ["report", "amend", "fill"]
    assert (lives["o1"].order_id, lives["o1"].at_ms) == ("x-o1", 5)
    assert len(lives["o2"].steps) == 1
    said = lives["o1"].as_json()
    assert (said["id"], said["steps"][0]["kind"]) == ("o1", "report")


@pytest.mark.parametrize(
    "event, words",
    [
        (accepted(filled=100, remaining=400), "accepted: 1 filled, 4 rest"),
        (refused(), "refused: invalid_order: post only cross"),
        (unknown(), "unknown: no answer"),
        (amended(), "now at 56¢"),
        (kept(), "not changed: not_found: nothing rests"),
        (closed(), "over: canceled: test"),
    ],
)
def test_every_report_has_its_words(event: OrderEvent, words: str) -> None:
    """What the exchange said, as a person reads it."""
    assert step_text(report(event)) == words


def test_fills_and_moves_have_theirs() -> None:
    """With count, price and fee; what is of no order is named by its kind."""
    data = fill_data(fill(fee_e6=MoneyE6(17_500)))

    said = step_text(Record(1, RecordKind.FILL, 7, data))
    assert said == "filled 2 at 50¢ as maker, fee $0.02"
    assert step_text(Record(1, RecordKind.AMEND, 7, amend_data(MOVE))) == "moved to 56¢, 5 in all"
    assert step_text(Record(1, RecordKind.STOP, 7, {})) == "stop"


def test_an_order_says_what_it_was_for() -> None:
    """An entry its edge, an exit what it closes, and how."""
    taker = attrs.evolve(ENTRY, post_only=False)
    now = attrs.evolve(EXIT, time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL)

    assert purpose_text(ENTRY) == (
        "buy 5 at 50¢: fair value 55.00¢, 5.00¢ above the price; it rests and waits"
    )
    assert purpose_text(taker).endswith("it takes what is offered")
    assert purpose_text(attrs.evolve(ENTRY, side=Side.ASK, price_e4=PriceE4(6_000))) == (
        "sell 5 at 60¢, which is to buy NO: fair value 55.00¢, 5.00¢ below the price;"
        " it rests and waits"
    )
    assert purpose_text(attrs.evolve(EXIT, side=Side.BID)).endswith("rounded down to the grid")
    assert purpose_text(EXIT) == (
        "sell 5 at 55¢ to close what is held, at fair value 55.00¢ rounded up to the grid"
    )
    assert "at what the book pays" in purpose_text(now)
