"""The judge of the journal: reads every record as it is written, with eyes of its own.

It shares no code with the engine's own reading of its journal: frames are split and records are
decoded here, from the bytes.
"""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Callable
from typing import Any

import attrs
import orjson

from arb.faults.adrift import Adrift
from arb.faults.sometimes import EXIT_REFUSED, UNKNOWN_ABSENT, UNKNOWN_FILLED, UNKNOWN_RESTING
from arb.faults.trace import Trace
from arb.sim.exchange.account import Account

_HEAD = struct.Struct("<II")
_INTEGERS = ("_e2", "_e4", "_e6", "_ms", "_ns", "_s")


def _unheard(_what: Any) -> None:
    """Hear nothing."""


@attrs.frozen
class Intent:
    """An order as it was written down before it was sent."""

    ticker: str
    side: str
    purpose: str
    price_e4: int
    count_e2: int
    at_ms: int
    fields: dict[str, Any]


@attrs.define
class JournalJudge:
    """Checks records against the exchange's ledger; the journal outlives every engine.

    ``lost`` names the orders whose records a loss of power took: no engine can know of them;
    ``adrift`` are those that had not reached the exchange by then.
    ``moves_lost`` names those of whose moves a record was taken: they rest at another price.
    ``shuffled`` says that a fill was written after later ones of its market: of all that was paid,
    another part is then the cost of what is held, and the rest is gained or lost.
    ``last_order`` is the order that the last record sends or moves, None where it does neither.
    """

    account: Account
    trace: Trace
    intents: dict[str, Intent] = attrs.field(factory=dict)
    amends: dict[str, list[dict[str, Any]]] = attrs.field(factory=dict)
    fills: set[str] = attrs.field(factory=set)
    lost: set[str] = attrs.field(factory=set)
    adrift: Adrift = attrs.field(init=False)
    moves_lost: set[str] = attrs.field(factory=set)
    shuffled: bool = False
    records: int = 0
    last_order: str | None = None
    halted: bool = False
    on_record: Callable[[dict[str, Any]], None] = _unheard
    on_loss: Callable[[list[dict[str, Any]]], None] = _unheard
    _known_fills: dict[str, Any] = attrs.field(factory=dict)
    _numbers: dict[str, int] = attrs.field(factory=dict)
    _latest: dict[str, int] = attrs.field(factory=dict)
    _unknown: set[str] = attrs.field(factory=set)

    def __attrs_post_init__(self) -> None:
        """Begin with nothing lost."""
        self.adrift = Adrift(self.account)

    def written(self, data: bytes) -> None:
        """Look at one write, which holds one whole record."""
        size, checksum = _HEAD.unpack_from(data)
        payload = data[_HEAD.size :]
        if size != len(payload) or checksum != zlib.crc32(payload):
            self.trace.violation("I13", f"a write of {len(data)} bytes is not one whole record")
            return
        self._record(orjson.loads(payload))

    def _record(self, record: dict[str, Any]) -> None:
        kind, data = record["k"], record["d"]
        self.records += 1
        self.last_order = None
        self.trace.note("journal", f"{record['n']} {kind} {_short(data)}")
        self._check_integers(data)
        if kind == "intent":
            self._intent(data, record["t"])
            self.last_order = data["id"]
        elif kind == "amend":
            self.last_order = data["client_order_id"]
            self.amends.setdefault(data["client_order_id"], []).append(data)
        elif kind == "fill":
            self._fill(data)
        elif kind == "report":
            self._report(data["type"], data["event"])
        elif kind in ("halt", "clear"):
            self.halted = kind == "halt"
        self.on_record(record)

    def _report(self, kind: str, event: dict[str, Any]) -> None:
        """Note which ways an order can go have been gone."""
        name = event["client_order_id"]
        self.adrift.told(name)
        if kind == "OrderUnknown":
            self._unknown.add(name)
        elif name in self._unknown and kind in ("OrderClosed", "OrderAccepted", "OrderRefused"):
            self._unknown.discard(name)
            self.trace.sometimes[_found(kind, event)] += 1
        intent = self.intents.get(name)
        if kind == "OrderRefused" and intent is not None and intent.purpose == "exit":
            self.trace.sometimes[EXIT_REFUSED] += 1

    def _intent(self, data: dict[str, Any], at_ms: int) -> None:
        fields = data["intent"]
        name = data["id"]
        self.trace.check("I1", name not in self.intents, f"{name} was written twice as an intent")
        self.intents[name] = Intent(
            fields["ticker"],
            fields["side"],
            fields["purpose"],
            fields["price_e4"],
            fields["count_e2"],
            at_ms,
            fields,
        )

    def _fill(self, data: dict[str, Any]) -> None:
        trade_id = data["trade_id"]
        self.trace.check("I4", trade_id not in self.fills, f"fill {trade_id} was booked twice")
        self.fills.add(trade_id)
        true = self._true_fill(trade_id)
        if true is None:
            self.trace.violation("I4", f"fill {trade_id} was booked and never happened")
            return
        self.adrift.told(true.client_order_id)
        number = self._numbers[trade_id]
        self.shuffled |= number < self._latest.get(true.ticker, 0)
        self._latest[true.ticker] = number
        told = (data["ticker"], data["side"], data["price_e4"], data["count_e2"], data["fee_e6"])
        meant = (true.ticker, true.side.value, true.price_e4, true.count_e2, true.fee_e6)
        self.trace.check("I4", told == meant, f"fill {trade_id} booked as {told}, was {meant}")

    def _true_fill(self, trade_id: str) -> Any:
        for fill in self.account.fills[len(self._known_fills) :]:
            self._numbers[fill.trade_id] = len(self._known_fills)
            self._known_fills[fill.trade_id] = fill
        return self._known_fills.get(trade_id)

    def _check_integers(self, value: Any, name: str = "") -> None:
        if isinstance(value, dict):
            for key, each in value.items():
                self._check_integers(each, key)
        elif isinstance(value, list):
            for each in value:
                self._check_integers(each, name)
        elif isinstance(value, float) and name.endswith(_INTEGERS):
            self.trace.violation("I7", f"{name} is written as {value!r}")

    @property
    def markets_of_lost(self) -> set[str]:
        """Return where a lost order was to trade, or did."""
        return {self.intents[name].ticker for name in self.lost}

    def excuses(self, alarm: str) -> bool:
        """Tell whether an alarm of the engine is of what a loss of power took, and so right."""
        taken = self.lost | self.moves_lost
        trades = (each.trade_id for each in self.account.fills if each.client_order_id in taken)
        return any(word in alarm for word in (*taken, *trades))

    def found_after_loss(self, payloads: list[bytes]) -> None:
        """Begin anew from what a machine found on its disk after it had lost power."""
        kept = [orjson.loads(payload) for payload in payloads]
        self.lost |= self.intents.keys() - {e["d"]["id"] for e in kept if e["k"] == "intent"}
        self.adrift.lost(self.lost)
        self._latest.clear()
        moves = Counter(e["d"]["client_order_id"] for e in kept if e["k"] == "amend")
        self.moves_lost |= {name for name, some in self.amends.items() if moves[name] < len(some)}
        self.fills = {each["d"]["trade_id"] for each in kept if each["k"] == "fill"}
        switches = [each["k"] for each in kept if each["k"] in ("halt", "clear")]
        self.halted = switches[-1:] == ["halt"]
        self.on_loss(kept)


def _found(kind: str, event: dict[str, Any]) -> str:
    if kind == "OrderRefused":
        return UNKNOWN_ABSENT
    return UNKNOWN_FILLED if event.get("filled_e2") else UNKNOWN_RESTING


def _short(data: dict[str, Any]) -> str:
    event = data.get("event", data)
    name = data.get("id") or event.get("client_order_id") or event.get("trade_id") or ""
    fields = data.get("intent", event)
    shown = ("purpose", "side", "ticker", "price_e4", "count_e2", "filled_e2", "remaining_e2")
    words = [f"{key}={fields[key]}" for key in shown if fields.get(key) is not None]
    return " ".join([str(data.get("type", "")), str(name), *words]).strip()
