"""``arb why``: what a market decided in the last hours and on what, and the life of an order."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import attrs
from cyclopts import Parameter

from arb.cli.common import Json, print_json
from arb.cli.errors import CommandFailed, UsageError
from arb.cli.journal_place import clock_text, find_place, in_one_line, records_of, told
from arb.cli.steer import Mode, World
from arb.console import formats
from arb.core.commands import Purpose
from arb.core.money import contracts
from arb.core.ways import Outcome
from arb.engine.place import Place
from arb.io.clock import SystemClock
from arb.journal.decisions import DecisionRow, read_decisions
from arb.journal.orders import OrderLife, lives_of, purpose_text, step_text

HOURS = 2.0
MS_PER_HOUR = 3_600_000

# A decision and the order that followed from it are of one turn, which is milliseconds.
SAME_TURN_MS = 1_000


@attrs.frozen
class Answer:
    """Decisions and orders of one market, each in its order."""

    ticker: str
    decisions: tuple[DecisionRow, ...]
    orders: tuple[OrderLife, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as the JSON form has it."""
        return {
            "ticker": self.ticker,
            "decisions": [attrs.asdict(each) for each in self.decisions],
            "orders": [
                {**each.as_json(), "decision": _number(decision_of(each, self.decisions))}
                for each in self.orders
            ],
        }


def why(
    what: Annotated[str, Parameter(help="A market's ticker, or the id of one of our orders.")],
    /,
    *,
    hours: Annotated[float, Parameter(help="How far back.")] = HOURS,
    json: Json = False,
    mode: Mode = None,
    world: World = None,
) -> None:
    """Explain a market's decisions of the last hours, or one order.

    Example: arb why KXMLBGAME-25AUG231905NYYBOS-NYY --hours 1
    """
    if hours <= 0:
        raise UsageError(f"{hours:g} hours are none: give more than 0")
    place = find_place(mode, world)
    lives = in_one_line(place.journal_path, lambda: lives_of(records_of(place)))
    answer = _answer(place, what, lives, SystemClock().wall_ms() - int(hours * MS_PER_HOUR))
    if json:
        print_json({"journal": str(place.journal_path), **answer.as_json()})
        return
    sys.stdout.write(f"{told(place)}, {answer.ticker}\n")
    sys.stdout.writelines(f"{line}\n" for _, _, line in sorted(_lines(answer)))


def decision_of(life: OrderLife, decisions: Sequence[DecisionRow]) -> DecisionRow | None:
    """Return the decision that an entry followed from: the one of the same trigger.

    A sale follows from what is held and needs none.
    """
    for row in decisions if life.intent.purpose is Purpose.ENTRY else ():
        near = abs(row.first_ms - life.at_ms) <= SAME_TURN_MS
        if near and row.inputs.get("trigger_ns") == life.intent.trigger_ns:
            return row
    return None


def _answer(place: Place, what: str, lives: dict[str, OrderLife], since_ms: int) -> Answer:
    one = lives.get(what)
    if one is not None:
        ticker = one.intent.ticker
        rows = _decisions(place, ticker, one.at_ms - SAME_TURN_MS)
        until_ms = one.at_ms + SAME_TURN_MS
        near = tuple(row for row in rows if row.first_ms <= until_ms)
        return Answer(ticker, near, (one,))
    rows = _decisions(place, what, since_ms)
    orders = [life for life in lives.values() if life.intent.ticker == what]
    if not rows and not orders:
        raise CommandFailed(
            f"{what!r} is no order of this journal and no market that decided anything lately:"
            " arb status shows the markets"
        )
    return Answer(what, tuple(rows), tuple(life for life in orders if life.at_ms >= since_ms))


def _decisions(place: Place, ticker: str, since_ms: int) -> list[DecisionRow]:
    try:
        return read_decisions(place.decisions_path, ticker, since_ms)
    except sqlite3.Error as error:
        raise CommandFailed(f"{place.decisions_path} cannot be read: {error}") from None


def _lines(answer: Answer) -> list[tuple[int, int, str]]:
    """Return each line with what it is sorted by: its time, and its place within that."""
    lines = [(row.first_ms, 0, _decision_line(row)) for row in answer.decisions]
    for life in answer.orders:
        lines.append((life.at_ms, 1, f"{clock_text(life.at_ms)}  ORDER {life.name}"))
        lines.append((life.at_ms, 2, f"    {purpose_text(life.intent)}"))
        row = decision_of(life, answer.decisions)
        if row is not None:
            lines.append((life.at_ms, 3, f"    {row.action}: {row.reason}; {_inputs(row.inputs)}"))
            lines.extend((life.at_ms, 4, line) for line in _quotes(row))
        for step in life.steps:
            text = f"{clock_text(step.at_ms)}  ORDER {life.name} {step_text(step)}"
            lines.append((step.at_ms, 5, text))
    return lines


def _decision_line(row: DecisionRow) -> str:
    until = f" to {clock_text(row.last_ms).split()[1]}, {row.times} times" * (row.times > 1)
    return f"{clock_text(row.first_ms)}{until}  {row.action}: {row.reason}; {_inputs(row.inputs)}"


def _inputs(inputs: dict[str, Any]) -> str:
    fair = formats.fair(inputs["fair"])
    bid, ask = formats.price(inputs["bid_e4"]), formats.price(inputs["ask_e4"])
    sizes = f"{contracts(inputs['bid_size_e2'])} / {contracts(inputs['ask_size_e2'])}"
    edge, net = formats.edge(inputs["edge_e4"]), formats.edge(inputs["net_e4"])
    of = " of NO" if _is_no(inputs) else ""
    # Rows of earlier versions have no list of the books that were left out.
    left_out = inputs.get("left_out")
    return (
        f"fair {fair} of {inputs['books']} books, bid {bid} ask {ask} ({sizes}),"
        f" edge{of} {edge}, net {net}"
        + (f"; not counted: {', '.join(left_out)}" if left_out else "")
    )


def _is_no(inputs: dict[str, Any]) -> bool:
    # Decisions of before NO was bought do not say what they buy.
    return inputs.get("buys") == Outcome.NO


def _quotes(row: DecisionRow) -> list[str]:
    back = "bought back" if _is_no(row.inputs) else "sold again"
    return [
        f"      {each['book']}: home {each['home']:g} away {each['away']:g}, changed"
        f" {row.first_ms - each['changed_ms']} ms and confirmed"
        f" {row.first_ms - each['confirmed_ms']} ms before"
        + (", changed last" if each["book"] == row.inputs["changed_book"] else "")
        + (", suspended" if each["suspended"] else "")
        for each in row.inputs["quotes"]
    ] + [f"      to be {back} at {formats.price(row.inputs['exit_e4'])}¢"]


def _number(row: DecisionRow | None) -> int | None:
    return row.number if row is not None else None
