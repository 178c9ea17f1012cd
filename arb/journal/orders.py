"""One order's whole life, read from the journal: what was meant, sent, said of it, and filled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from arb.core.commands import OrderIntent, Purpose, TimeInForce
from arb.core.events import Side
from arb.core.money import cents, contracts, dollars
from arb.journal.records import Record, RecordKind, read_intent


@attrs.define
class OrderLife:
    """One order: its id, what it was meant to be, when, and everything that was recorded of it."""

    name: str
    intent: OrderIntent
    at_ms: int
    order_id: str | None = None
    steps: list[Record] = attrs.field(factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return it as the JSON form has it."""
        return {
            "id": self.name,
            "order_id": self.order_id,
            "at_ms": self.at_ms,
            "why": purpose_text(self.intent),
            "intent": attrs.asdict(self.intent),
            "steps": [
                {"at_ms": step.at_ms, "text": step_text(step), "kind": step.kind, **step.data}
                for step in self.steps
            ],
        }


def lives_of(records: Iterable[Record]) -> dict[str, OrderLife]:
    """Return the life of every order of a journal, by its id, in their order."""
    lives: dict[str, OrderLife] = {}
    by_order_id: dict[str, OrderLife] = {}
    for record in records:
        if record.kind is RecordKind.INTENT:
            name, intent = read_intent(record.data)
            lives[name] = OrderLife(name, intent, record.at_ms)
            continue
        data = record.data.get("event") or record.data
        life = lives.get(data.get("client_order_id") or "")
        if life is None and record.kind is RecordKind.FILL:
            life = by_order_id.get(data["order_id"])
        if life is not None:
            life.steps.append(record)
            if life.order_id is None and data.get("order_id"):
                life.order_id = data["order_id"]
                by_order_id[data["order_id"]] = life
    return lives


def purpose_text(intent: OrderIntent) -> str:
    """Say what an order was for, and what it rested on."""
    count, price = contracts(intent.count_e2), cents(intent.price_e4)
    verb = "buy" if intent.side is Side.BID else "sell"
    fair = f"fair value {100 * intent.fair:.2f}¢"
    if intent.purpose is Purpose.ENTRY:
        away = 100 * intent.fair - intent.price_e4 / 100
        way = "takes what is offered" if not intent.post_only else "rests and waits"
        if intent.side is Side.ASK:
            text = f"{fair}, {-away:.2f}¢ below the price; it {way}"
            return f"{verb} {count} at {price}¢, which is to buy NO: {text}"
        return f"{verb} {count} at {price}¢: {fair}, {away:.2f}¢ above the price; it {way}"
    if intent.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL:
        return f"{verb} {count} at {price}¢ to close what is held, at what the book pays; {fair}"
    rounded = "down" if intent.side is Side.BID else "up"
    return (
        f"{verb} {count} at {price}¢ to close what is held, at {fair} rounded {rounded} to the grid"
    )


def step_text(record: Record) -> str:
    """Say in a few words what one record says of its order."""
    data = record.data
    if record.kind is RecordKind.FILL:
        count, price = contracts(data["count_e2"]), cents(data["price_e4"])
        return f"filled {count} at {price}¢ as {data['liquidity']}, fee {dollars(data['fee_e6'])}"
    if record.kind is RecordKind.AMEND:
        return f"moved to {cents(data['price_e4'])}¢, {contracts(data['total_e2'])} in all"
    event = data.get("event", {})
    said = {
        "OrderAccepted": lambda: (
            f"accepted: {contracts(event['filled_e2'])} filled,"
            f" {contracts(event['remaining_e2'])} rest"
        ),
        "OrderRefused": lambda: f"refused: {event['code']}: {event['text']}",
        "OrderUnknown": lambda: f"unknown: {event['why']}",
        "OrderAmended": lambda: f"now at {cents(event['price_e4'])}¢",
        "OrderKept": lambda: f"not changed: {event['code']}: {event['text']}",
        "OrderClosed": lambda: f"over: {event['why']}",
    }.get(data.get("type", ""))
    return said() if said is not None else str(record.kind)
