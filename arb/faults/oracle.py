"""The oracle: every judge, tied to the wires, the disk, the exchange and the engine's tree."""

from __future__ import annotations

from typing import Any

import attrs

from arb.core.exposure import total_exposure_e6
from arb.core.ledger import Ledger
from arb.core.risk import RefusalCode
from arb.engine.names import GATEWAY, RISK
from arb.faults import wires
from arb.faults.clock import true_s
from arb.faults.engine import OpenedEngine
from arb.faults.judge_account import exposure_beside_e6
from arb.faults.judge_exchange import ExchangeJudge
from arb.faults.judge_journal import JournalJudge
from arb.faults.judge_orders import OrderJudge
from arb.faults.judge_rate import RateJudge
from arb.faults.kill_points import KillPoint
from arb.faults.machine import Machine
from arb.faults.requests import RequestReader, SeenRequest
from arb.faults.second_engine import is_second_engines
from arb.faults.sometimes import (
    CAP_REACHED,
    FILL_TWICE,
    FILL_UNSEEN,
    GAP_MENDED,
    JOURNAL_FAILED,
    PARTLY_FILLED,
    SHORT_OF_CASH,
    TOO_FAST,
)
from arb.faults.trace import Trace
from arb.faults.wire_connection import WiredConnection
from arb.journal.recovery import recover
from arb.settings import Settings
from arb.settings.sections import FSYNC_ORDER
from arb.sim.simulation import Simulation

_CAPS = (
    RefusalCode.GAME_EXPOSURE,
    RefusalCode.TOTAL_EXPOSURE,
    RefusalCode.CONTRACTS_PER_MARKET,
    RefusalCode.CONCURRENT_MARKETS,
)

_KILL_POINTS_RECEIVING = {
    wires.LANES: KillPoint.AT_ANSWER,
    wires.ACCOUNT: KillPoint.AT_PRIVATE_FRAME,
    wires.REST: KillPoint.AT_READING,
}


@attrs.define(eq=False)
class Oracle:
    """Hears everything, and asks the machine to kill the engine where a fault wants it."""

    simulation: Simulation
    settings: Settings
    trace: Trace
    journal: JournalJudge = attrs.field(init=False)
    orders: OrderJudge = attrs.field(init=False)
    exchange: ExchangeJudge = attrs.field(init=False)
    rate: RateJudge = attrs.field(init=False)
    machine: Machine | None = None
    _cash_before_e6: int = attrs.field(init=False)
    _written_to: dict[str, int] = attrs.field(factory=dict)
    _readers: dict[WiredConnection, RequestReader] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        """Take a seat at the exchange."""
        account = self.simulation.member
        self._cash_before_e6 = account.total_cash_e6
        self.journal = JournalJudge(account, self.trace)
        self.orders = OrderJudge(self.simulation, self.settings, self.journal, self.trace)
        self.exchange = ExchangeJudge(account, self.orders, self.trace)
        self.exchange.on_fill = self._filled
        self.rate = RateJudge(account.tier, self.trace)
        self.simulation.venue.listeners.append(self.exchange)

    def _filled(self) -> None:
        if self.machine is not None and self.machine.engine is None:
            self.trace.sometimes[FILL_UNSEEN] += 1

    def written(self, data: bytes) -> None:
        """Look at one write of the journal, before anything that follows from it."""
        self.journal.written(data)
        if self.machine is not None and self.journal.last_order is not None:
            self._written_to[self.journal.last_order] = len(self.machine.disk.kernel)

    # ------------------------------------------------------------------ on the wires

    def opened(self, connection: WiredConnection) -> None:
        """A connection stands."""
        self.trace.note("wire", f"{connection.wire.name} connected")

    def sending(self, connection: WiredConnection, data: bytes) -> None:
        """Judge requests, before their first byte has left."""
        name = connection.wire.name
        machine = self.machine
        if name == wires.BOOKS:
            self.orders.books.subscription.sending(connection, data)
        if name not in (wires.LANES, wires.REST) or machine is None:
            return
        reader = self._readers.setdefault(connection, RequestReader())
        for request in reader.feed(data):
            is_write = name == wires.LANES and request.method != "GET"
            if is_write and not self._judge_write(connection, request, machine):
                return
            self._judge_rate(request)
            if "/portfolio/positions" in request.path:
                self.orders.account_read_s = true_s()

    def _judge_write(
        self, connection: WiredConnection, request: SeenRequest, machine: Machine
    ) -> bool:
        """Judge what changes orders; False where the engine is killed before it leaves."""
        if machine.reached(KillPoint.BEFORE_SEND):
            machine.kill()
            return False
        process = machine.process
        failed = process is not None and process.file.failed
        if request.method == "POST":
            self.trace.check("I2", not failed, "an order left on a journal that failed")
            self._check_synced(request, machine)
        self.orders.request(connection, request, machine.clock.wall_ms())
        return True

    def _check_synced(self, request: SeenRequest, machine: Machine) -> None:
        """Check that an order's record is on the disk, where people have asked for that."""
        name = (request.body or {}).get("client_order_id")
        if self.settings.engine.fsync == FSYNC_ORDER and name in self._written_to:
            synced = machine.disk.durable >= self._written_to[name]
            self.trace.check("I2", synced, f"{name} left before its record was on the disk")

    def _judge_rate(self, request: SeenRequest) -> None:
        if self._knows_its_limits():
            self.rate.limits_read(true_s())
        name = str((request.body or {}).get("client_order_id"))
        created = self.orders.created.get(name) if request.method == "POST" else None
        is_entry = created is not None and created.intent.purpose == "entry"
        self.rate.request(request, true_s(), is_entry=is_entry)

    def _knows_its_limits(self) -> bool:
        if self.machine is None or self.machine.engine is None:
            return False
        gateway: Any = self._actor(GATEWAY)
        granted: int = gateway._exchange.budget.limits.write.capacity  # noqa: SLF001 - as below
        return granted == self.rate.tier.write_capacity

    def sent(self, connection: WiredConnection) -> None:
        """Kill where a fault wants it."""
        machine = self.machine
        if connection.wire.name != wires.LANES or machine is None:
            return
        if machine.reached(KillPoint.AFTER_SEND):
            machine.kill()

    def received(self, connection: WiredConnection, data: bytes) -> None:
        """Note what the engine now knows."""
        name = connection.wire.name
        wall_ms = self.machine.clock.wall_ms() if self.machine is not None else 0
        if name == wires.BOOKS:
            self.orders.books.received(connection, data)
        elif name == wires.ODDS_STREAM:
            self.orders.odds.received(connection, data, wall_ms)
        elif name == wires.ODDS_REST:
            self.orders.odds.read(connection, data, wall_ms)
        elif name == wires.LANES:
            self.orders.answered(connection)
        elif name == wires.ACCOUNT and self.orders.account_stream is not connection:
            self.orders.account_stream = connection
            self.orders.account_since_s = true_s()
        point = _KILL_POINTS_RECEIVING.get(name)
        if point is not None and self.machine is not None and self.machine.reached(point):
            self.machine.kill()

    def ended(self, connection: WiredConnection) -> None:
        """Note what the engine has lost."""
        name = connection.wire.name
        self._readers.pop(connection, None)
        self.trace.note("wire", f"{name} ended")
        if name == wires.BOOKS:
            self.orders.books.ended(connection)
        elif name == wires.ODDS_STREAM:
            self.orders.odds.ended(connection)
        elif name == wires.ACCOUNT and self.orders.account_stream is connection:
            self.orders.account_stream = None
            self.orders.account_since_s = true_s()
            if self.exchange.rests_in_both():
                self.trace.sometimes[PARTLY_FILLED] += 1

    def started(self) -> None:
        """Begin with what an engine that starts finds forbidden: a halt that was written down.

        A pause is a person's, for as long as the engine runs.
        """
        self.rate.started(true_s())
        stops = self.orders.stops
        stops.paused_s = stops.stopping_s = None
        stops.halted_s = true_s() if self.journal.halted else None
        self.orders.limits.started()

    def trading_ended(self) -> None:
        """Check an engine's word, at the end of its trading, that none of its entries rests."""
        # What left in a second that a loss of power took, it cannot know.
        left = [each for each in self.exchange.entries_resting() if each not in self.journal.lost]
        self.trace.check("I12", not left, f"trading has ended, and entries rest: {left}")

    # ------------------------------------------------------------------ at every step

    def step(self) -> None:
        """Check what is too dear to check after every event."""
        engine = self.machine.engine if self.machine is not None else None
        if engine is None:
            return
        for node in engine.system.snapshot():
            box = node.mailbox
            if box is not None and box.capacity is not None:
                text = f"{node.path} holds {box.length} of {box.capacity} messages"
                self.trace.check("I16", box.length <= box.capacity, text)
        self._compare_exposure(engine)
        shown = engine.parts.board.account
        if shown is not None and shown.state == "running":
            text = f"trading goes on although today has lost {-shown.day_e6}"
            self.trace.check("I9", -shown.day_e6 < shown.day_loss_max_e6, text)
        self._note_sometimes(engine)
        self._look_for_alarms(engine)

    def _look_for_alarms(self, engine: OpenedEngine) -> None:
        """Check that the engine finds nothing wrong with its own books."""
        found = engine.parts.board.counts["invariant_violations"]
        lines = [line.text for line in engine.parts.board.log if "must never be" in line.text]
        taken = self.journal.lost or self.journal.moves_lost
        if found and taken and all(map(self.journal.excuses, lines)):
            # What stood in the second that was lost is news to it, and it says so, as it must.
            self.trace.sometimes["an alarm after a loss of power"] += 1
            return
        self.trace.check("I4", not found, f"the engine itself found: {lines}")

    def _compare_exposure(self, engine: OpenedEngine) -> None:
        """Check that the engine counts all that may be lost: what it left out, no limit would see.

        What was written down in the second that a loss of power took, it cannot know of, which
        leaves out that game; and a fill that it heard of late is no dearer for it than in the order
        in which it heard.
        """
        machine, journal = self.machine, self.journal
        if machine is None or RISK not in machine.saboteur.instances or journal.shuffled:
            return
        fee_of, rival_of, apart = engine.parts.fee_e6, engine.parts.rival, journal.markets_of_lost
        shown_e6 = exposure_beside_e6(self.ledger(), fee_of, rival_of, apart)
        true_e6 = self.orders.exposure_e6(true_s(), apart)
        text = f"the engine counts {shown_e6} at risk, it is {true_e6}"
        self.trace.check("I3", shown_e6 >= true_e6, text)

    def _note_sometimes(self, engine: OpenedEngine) -> None:
        board, sometimes = engine.parts.board, self.trace.sometimes
        if any(board.refusals[code.value] for code in _CAPS):
            sometimes[CAP_REACHED] = 1
        if board.refusals[RefusalCode.ORDERS_PER_SECOND.value]:
            sometimes[TOO_FAST] = 1
        if board.refusals[RefusalCode.SHARD_BALANCE.value]:
            sometimes[SHORT_OF_CASH] = 1
        if board.counts["fills_repeated"]:
            sometimes[FILL_TWICE] = 1
        if self.orders.books.mended:
            sometimes[GAP_MENDED] = 1
        failed = self.machine is not None and self.machine.disk.failed
        if failed and board.account is not None and board.account.state == "halted":
            sometimes[JOURNAL_FAILED] = 1

    # ------------------------------------------------------------------ at rest

    def at_rest(self, engine: OpenedEngine) -> None:
        """Compare everything that the engine believes with what is true, to the last unit."""
        ledger = self.ledger()
        account = self.simulation.member
        held = {t: p.count_e2 for t, p in ledger.positions.items() if p.count_e2}
        true = {t: p.count_e2 for t, p in account.positions.items() if p.count_e2}
        self.trace.check("I5", held == true, f"positions {held}, the exchange has {true}")
        cash_e6 = account.total_cash_e6
        text = f"cash {ledger.cash_e6}, the exchange has {cash_e6}"
        self.trace.check("I5", ledger.cash_e6 == cash_e6, text)
        self._orders_at_rest(ledger)
        self._journal_at_rest(engine, ledger)
        if not self.journal.lost:
            self._day_at_rest(engine)
        shown_e6 = total_exposure_e6(ledger, engine.parts.fee_e6, engine.parts.rival)
        true_e6 = self.orders.exposure_e6(true_s())
        text = f"exposure {shown_e6} is less than the exchange's {true_e6}"
        self.trace.check("I5", shown_e6 >= true_e6 or self.journal.shuffled, text)
        gateway: Any = self._actor(GATEWAY)
        out = gateway._desk._sender._out  # noqa: SLF001 - a judge looks inside
        self.trace.check("I16", not out, f"requests without an end: {out}")

    def _day_at_rest(self, engine: OpenedEngine) -> None:
        """Compare all that was ever gained with the exchange's cash and what is held, as marked."""
        risk: Any = self._actor(RISK)
        book = risk._books.day  # noqa: SLF001 - a judge looks inside
        book.look()
        tops, account = engine.parts.board.tops, self.simulation.member
        true_e6 = account.total_cash_e6 - self._cash_before_e6
        for ticker, held in account.positions.items():
            top = tops.get(ticker)
            mark_e4 = None if top is None else top.bid_e4 if held.count_e2 > 0 else top.ask_e4
            if held.count_e2 and mark_e4 is None:
                # What it was last worth, only the engine remembers.
                return
            own_e4 = mark_e4 if held.count_e2 > 0 else 10_000 - (mark_e4 or 0)
            true_e6 += abs(held.count_e2) * (own_e4 or 0)
        gained_e6 = book.gained_e6 + book.before_e6
        text = f"gained {gained_e6} in all, by the exchange's cash {true_e6}"
        self.trace.check("I5", gained_e6 == true_e6, text)

    def agrees(self) -> bool:
        """Tell whether cash, positions and resting orders agree just now."""
        if self.machine is None or self.machine.engine is None:
            return False
        ledger, account = self.ledger(), self.simulation.member
        held = {t: p.count_e2 for t, p in ledger.positions.items() if p.count_e2}
        true = {t: p.count_e2 for t, p in account.positions.items() if p.count_e2}
        owned = {o.client_order_id for o in ledger.all_at_stake() if o.is_open}
        resting = {o.client_order_id for o in account.resting.values()}
        same = held == true and owned == resting
        return same and ledger.cash_e6 == account.total_cash_e6

    def _orders_at_rest(self, ledger: Ledger) -> None:
        account = self.simulation.member
        rests, owns = account.resting.values(), ledger.all_at_stake()
        resting = {o.client_order_id: (o.remaining_e2, o.price_e4) for o in rests}
        owned = {o.client_order_id: (o.at_stake_e2, o.price_e4) for o in owns if o.is_open}
        self.trace.check("I12", resting == owned, f"rests {resting}, the engine owns {owned}")
        text = f"{ledger.illegal_reports} reports were illegal"
        self.trace.check("I6", not ledger.illegal_reports, text)
        for order in account.history.values():
            known = ledger.orders.get(order.client_order_id)
            if known is None:
                if is_second_engines(order.client_order_id):
                    continue
                if order.client_order_id in self.journal.lost:
                    continue
                self.trace.violation("I5", f"{order.client_order_id} is in no ledger")
                continue
            text = f"{order.client_order_id} filled {known.filled_e2} of {order.filled_e2}"
            self.trace.check("I4", known.filled_e2 == order.filled_e2, text)

    def _journal_at_rest(self, engine: OpenedEngine, ledger: Ledger) -> None:
        """Replay the journal, and compare with what stands in memory."""
        replayed = recover(engine.parts.journal.records())
        followed = engine.parts.journal.known()
        text = f"the journal leads to {replayed!r}, and is followed to {followed!r}"
        self.trace.check("I14", followed == replayed, text)
        recovered = replayed.ledger
        # An order that was refused before it was written never was.
        unwritten = ledger.orders.keys() - self.journal.intents.keys()
        states = {name: one for name, one in _states(ledger).items() if name not in unwritten}
        same = (
            recovered.cash_e6 == ledger.cash_e6
            and recovered.trade_ids == ledger.trade_ids
            and _states(recovered) == states
            and _positions(recovered) == _positions(ledger)
            and _sums(recovered) == (ledger.realised_e6, ledger.fees_e6)
        )
        text = f"the journal leads to {recovered!r}, memory has {ledger!r}"
        self.trace.check("I14", same, text)

    def ledger(self) -> Ledger:
        """Return the engine's own books."""
        risk: Any = self._actor(RISK)
        found: Ledger = risk._books.ledger  # noqa: SLF001 - a judge looks inside
        return found

    def _actor(self, name: str) -> Any:
        if self.machine is None:
            raise LookupError("no machine, no actor")
        return self.machine.saboteur.instances[name]

    def __repr__(self) -> str:
        return f"<Oracle {self.trace!r}>"


def _states(ledger: Ledger) -> dict[str, tuple[object, ...]]:
    return {
        name: (order.state, order.filled_e2, order.price_e4)
        for name, order in ledger.orders.items()
    }


def _sums(ledger: Ledger) -> tuple[int, int]:
    """Return all gains and fees, added up from the positions."""
    positions = ledger.positions.values()
    return sum(each.realised_e6 for each in positions), sum(each.fees_e6 for each in positions)


def _positions(ledger: Ledger) -> dict[str, tuple[int, int]]:
    return {t: (p.count_e2, p.cost_e6) for t, p in ledger.positions.items() if p.count_e2}
