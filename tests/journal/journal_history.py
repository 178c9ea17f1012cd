"""A history of orders with a journal beside it, and the state after each of its records."""

from __future__ import annotations

from typing import Any

import attrs

from arb.core.commands import Amendment
from arb.core.events import CashMove, Fill, Settlement
from arb.core.ledger import Ledger
from arb.core.money import MoneyE6, PriceE4
from arb.faults.core_exchange import CASH
from arb.faults.core_history import CoreHistory, Noted, Step, rolled
from arb.journal.frames import HEADER, scan
from arb.journal.records import (
    RecordKind,
    amend_data,
    cash_data,
    fill_data,
    intent_data,
    report_data,
    settlement_data,
)
from arb.journal.writer import Journal, MemoryFile

State = dict[str, Any]
OTHER_KINDS = (
    (RecordKind.GROUP, {"exchange_index": 3, "group_id": "g1"}),
    (RecordKind.HALT, {"reason": "loss", "by": "a rule", "cancel_exits": False}),
    (RecordKind.CLEAR, {"reason": "looked at", "by": "me"}),
    (RecordKind.STOP, {"reason": "a person"}),
    (RecordKind.SETTING, {"key": "risk.max_total_exposure_cents", "old": 4, "new": 5, "by": "me"}),
    (RecordKind.DAY, {"date": "2026-11-22", "before_e6": -5}),
    (
        RecordKind.DAY,
        {
            "date": "2026-11-22",
            "before_e6": -5,
            "marks": {"NYY": {"bid_e4": 4_800, "ask_e4": None}},
            "awaited": ["BOS"],
        },
    ),
    (
        RecordKind.DAY,
        {
            "date": "2026-11-22",
            "before_e6": -5,
            "earlier": {"date": "2026-11-21", "before_e6": 7, "awaited": ["BOS"]},
        },
    ),
)
DEPOSIT_E6 = MoneyE6(5_000_000)
ACCOUNT = {"cash_e6": CASH, "positions": [], "trade_ids": []}


class StoppedClock:
    """A clock that stands still."""

    def wall_ms(self) -> int:
        """Return the beginning of time."""
        return 0

    def monotonic_ns(self) -> int:
        """Return the beginning of time."""
        return 0


def state_of(ledger: Ledger) -> State:
    """Describe all that a ledger knows; a market that never traded is not known."""
    return {
        "cash": ledger.cash_e6,
        "orders": {name: attrs.asdict(order) for name, order in ledger.orders.items()},
        "positions": {
            ticker: attrs.asdict(position)
            for ticker, position in sorted(ledger.positions.items())
            if position.count_e2 or position.realised_e6 or position.fees_e6
        },
        "trades": sorted(ledger.trade_ids),
        "counts": (ledger.fills_booked, ledger.stray_fills, ledger.illegal_reports),
        "at stake": {
            ticker: [order.client_order_id for order in ledger.at_stake(ticker)]
            for ticker in ledger.active_tickers()
        },
    }


def ends_of_records(data: bytes) -> list[int]:
    """Return where each record of a whole file ends, the beginning first."""
    ends = [0]
    for payload in scan(data).payloads:
        ends.append(ends[-1] + HEADER.size + len(payload))
    return ends


class KeptSnapshot:
    """A snapshot in memory; with ``error`` it can be neither read nor written."""

    def __init__(self, data: bytes | None = None, error: OSError | None = None) -> None:
        self.data = data
        self.saved = 0
        self._error = error

    def load(self) -> bytes | None:
        """Return what was saved."""
        if self._error is not None:
            raise self._error
        return self.data

    def save(self, data: bytes) -> None:
        """Keep it."""
        if self._error is not None:
            raise self._error
        self.data = data
        self.saved += 1


class Unread(MemoryFile):
    """A journal's file that is not to be read any more from some moment on."""

    may_be_read = True

    def read(self) -> bytes:
        """Return all, or fail the test."""
        assert self.may_be_read, "the journal is read again"
        return super().read()


def opened(data: bytes, kept: KeptSnapshot | None = None) -> Journal:
    """Open a journal of these bytes, as the engine does at its start."""
    file = MemoryFile()
    file.write(data)
    return Journal(file, StoppedClock(), snapshots=kept)


def kept_of(data: bytes) -> KeptSnapshot:
    """Return the snapshot of a whole journal."""
    kept = KeptSnapshot()
    opened(data, kept).recover(keep_after=1)
    return kept


class JournalledHistory:
    """An order history that is journalled as the engine does it: noted first, then done."""

    def __init__(self) -> None:
        self.file = MemoryFile()
        self.journal = Journal(self.file, StoppedClock())
        self.history = CoreHistory(self._note)
        self.states = [state_of(Ledger(MoneyE6(0)))] * 2
        self.journal.append(RecordKind.START, {"version": "test", "mode": "sim"})
        self.journal.append(RecordKind.ACCOUNT, ACCOUNT)

    def play(self, steps: list[Step]) -> None:
        """Let a history happen; afterwards `states` has the state after each record."""
        for step in steps:
            self.history.step(*step)
        self.states.append(state_of(self.history.ledger))

    def end(self) -> None:
        """End with a record of every other kind: markets that are decided, money that moves."""
        ledger = self.history.ledger
        for kind, data in OTHER_KINDS:
            self.journal.append(kind, data)
            self.states.append(state_of(ledger))
        move = CashMove("deposit d1", "deposit", DEPOSIT_E6, 7)
        self.journal.append(RecordKind.CASH, cash_data(move))
        ledger.move_cash(move)
        self.states.append(state_of(ledger))
        for ticker in sorted(ledger.positions):
            held_e2 = ledger.position(ticker).count_e2
            settled = Settlement(ticker, held_e2, PriceE4(5_000), MoneyE6(0), MoneyE6(0), 9)
            self.journal.append(RecordKind.SETTLEMENT, settlement_data(settled))
            ledger.settle(settled)
            self.states.append(state_of(ledger))

    def _note(self, noted: Noted) -> None:
        self.states.append(state_of(self.history.ledger))
        if isinstance(noted, tuple):
            self.journal.append(RecordKind.INTENT, intent_data(*noted))
        elif isinstance(noted, Amendment):
            self.journal.append(RecordKind.AMEND, amend_data(noted))
        elif isinstance(noted, Settlement):
            self.journal.append(RecordKind.SETTLEMENT, settlement_data(noted))
        elif isinstance(noted, Fill):
            self.journal.append(RecordKind.FILL, fill_data(noted))
        else:
            self.journal.append(RecordKind.REPORT, report_data(noted))


def ended(seed: int, length: int) -> JournalledHistory:
    """Play a history that ends with the records that no order leads to."""
    journalled = JournalledHistory()
    journalled.play(rolled(seed, length))
    journalled.end()
    return journalled
