"""The switches of the risk manager: pause, reducing, halt, limit, closing, stopping, as messages.

A person's switches live in `Switches`, so that a risk manager that comes back finds them as they
were left.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import attrs

from actors import Address
from arb.core.commands import AmendIntent, OrderIntent, Purpose
from arb.core.money import MoneyE6, dollars
from arb.core.permission import JOURNAL, Command, Halt, Permission
from arb.core.risk import Refusal, RefusalCode
from arb.engine.bookkeeping import Bookkeeper
from arb.engine.halt_file import LeftHalt
from arb.engine.messages import (
    ChangeLimit,
    ChangeSetting,
    ClearHalt,
    CloseGivenUp,
    CloseNow,
    Flatten,
    ForceClose,
    HaltTrading,
    JournalBroken,
    LookForHalt,
    Pause,
    Reduce,
    ResetGroups,
    Resume,
    Retuned,
    SettingChanged,
    StopTrading,
    TriggerGroups,
)
from arb.engine.parts import Parts
from arb.journal.records import RecordKind
from arb.settings import SettingsError, Source, SourceKind, changed

# The exposure limit can be lowered to this and no further; at zero, pause says it better.
LIMIT_MIN_E6 = MoneyE6(1_000_000)

# How soon a halt that was left in a file is heeded; a look that finds none takes 5 µs.
LOOK_FOR_HALT_S = 0.25

# Neither the journal nor the file beside it could be written: a person must know.
NOT_KEPT = "the halt is not on the disk: it ends with this process"

# Said as a setting, the limit is what it says; what + and - have made of it before is over.
LIMIT_KEY = "risk.max_total_exposure_cents"

MS_PER_S = 1000


@attrs.frozen
class Hands:
    """What the switches may do: cancel, tell a market, show how things stand, begin anew."""

    cancel_entries: Callable[[str], None]
    cancel_exits: Callable[[str], None]
    tell_market: Callable[[str, object], None]
    publish: Callable[[], None]
    cleared: Callable[[], None]
    sell_again: Callable[[], None]
    after: Callable[[float, object], object]


class Switchboard:
    """Turns a person's messages into permissions, cancels and journal records."""

    def __init__(
        self,
        parts: Parts,
        books: Bookkeeper,
        permission: Permission,
        hands: Hands,
        gateway: Address,
    ) -> None:
        """Set every switch as it was left."""
        self._parts = parts
        self._switches = parts.switches
        self._board = parts.board
        self._books = books
        self._permission = permission
        self._hands = hands
        self._gateway = gateway
        self._heeded: LeftHalt | None = None
        permission.halt = self._switches.halt or books.halt
        permission.paused_by = self._switches.paused_by
        permission.reducing_by = self._switches.reducing_by
        permission.stopping = self._switches.stopping
        if books.halt_withdrew_exits:
            self._switches.exits_withdrawn = True
        self.handlers: dict[type, Callable[[Any], object]] = {
            JournalBroken: self._on_journal_broken,
            Pause: self._on_pause,
            Reduce: self._on_reduce,
            Resume: self._on_resume,
            HaltTrading: self.halt,
            ClearHalt: self._on_clear,
            ForceClose: self._on_force_close,
            CloseGivenUp: self._on_close_given_up,
            Flatten: self._on_flatten,
            ChangeLimit: self._on_change_limit,
            ChangeSetting: self._on_change_setting,
            StopTrading: self._on_stop,
            LookForHalt: self._on_look_for_halt,
        }
        if permission.halt is not None:
            self._heeded = _heeded(parts, with_exits=self.exits_withdrawn)
        self._on_look_for_halt(LookForHalt())

    @property
    def exits_withdrawn(self) -> bool:
        """Tell whether sales were cancelled on purpose and must not come back by themselves."""
        return self._switches.exits_withdrawn

    def withheld(self, intent: OrderIntent) -> Refusal | None:
        """Refuse a sale beside which another may rest, and one that a person has had cancelled."""
        if intent.purpose is Purpose.ENTRY:
            return None
        if not self._switches.resting_known:
            # A loss of power may have taken the record of a sale that rests: a second one beside
            # it would sell what is not held.
            text = "what rests at the exchange is not read yet"
            return Refusal(intent.ticker, intent.purpose, RefusalCode.RESTING_UNKNOWN, text)
        return self.unmovable(intent)

    def unmovable(self, intent: OrderIntent | AmendIntent) -> Refusal | None:
        """Refuse to sell, or to move a sale, where a person has had the sales cancelled."""
        if not self._switches.is_withdrawn(intent.ticker):
            return None
        text = "sales were cancelled on purpose"
        return Refusal(intent.ticker, Purpose.EXIT, RefusalCode.NOT_RUNNING, text)

    def is_closing(self, ticker: str) -> bool:
        """Tell whether a person wants the position of a market gone."""
        return ticker in self._switches.closing

    def settle(self, ticker: str) -> None:
        """End the closing of a market that holds nothing any more."""
        if not self._books.ledger.position(ticker).ours_e2:
            self._switches.closing.discard(ticker)

    def remind(self, ticker: str) -> None:
        """Tell a market that has come up what a person wants of it."""
        if self.is_closing(ticker):
            self._hands.tell_market(ticker, CloseNow("a person, before the restart"))

    def halt(self, wish: HaltTrading) -> bool:
        """Latch trading off: entries are cancelled one by one and by the exchange's own brake.

        Returns whether the next engine will find it, until it is cleared.
        """
        halt = Halt(wish.reason, wish.by, self._parts.clock.wall_ms())
        self._permission.halt = self._switches.halt = halt
        data = {"reason": halt.reason, "by": halt.by, "cancel_exits": wish.cancel_exits}
        self._books.record(RecordKind.HALT, data)
        # One request a shard, however many rest; and nothing is taken until the halt is cleared.
        self._gateway.tell(TriggerGroups())
        self._hands.cancel_entries("halted")
        if wish.cancel_exits:
            self._switches.exits_withdrawn = True
            self._hands.cancel_exits("halted")
        # The cancels are out. A loss of power must not forget that somebody pulled the plug.
        self._books.sync()
        is_kept = self._books.journal_failure is None or self._is_left(halt)
        self._board.say("RISK", halt.text, level="error")
        if not is_kept:
            self._board.say("RISK", NOT_KEPT, level="error")
        self._hands.publish()
        return is_kept

    def _is_left(self, halt: Halt) -> bool:
        """Leave a halt in the file, where none is that says as much; tell whether one is there."""
        file, cancel_exits = self._parts.halt_file, self._switches.exits_withdrawn
        if file is None:
            return False
        left = file.read()
        if left is None or (cancel_exits and not left.cancel_exits):
            left = LeftHalt(halt.reason, halt.by, halt.at_ms, cancel_exits)
            try:
                file.leave(left)
            except OSError:
                return False
            self._heeded = left
        return True

    def _on_look_for_halt(self, _look: LookForHalt) -> None:
        """Heed a halt that somebody has left for us, once; it stands until it is cleared."""
        file = self._parts.halt_file
        if file is None:
            return
        left = file.read()
        if left is not None and left != self._heeded:
            self._heeded = left
            self.halt(left.wish)
        self._hands.after(LOOK_FOR_HALT_S, LookForHalt())

    def take_up(self) -> None:
        """Pull the exchange's brake over a gateway that has come up while we are halted."""
        if self._permission.halt is not None:
            self._gateway.tell(TriggerGroups())

    def _on_journal_broken(self, broken: JournalBroken) -> None:
        # Each order that could not be written says so; one halt is enough.
        if self._permission.halt is None:
            self.halt(HaltTrading(broken.reason, JOURNAL))

    def _on_pause(self, pause: Pause) -> None:
        self._hold(Command.PAUSE, pause.by)
        self._hands.cancel_entries("paused")
        self._board.say("PERSON", f"paused by {pause.by}")
        self._hands.publish()

    def _on_reduce(self, reduce: Reduce) -> None:
        self._hold(Command.REDUCE, reduce.by)
        self._hands.cancel_entries("reducing")
        self._board.say("PERSON", f"reducing, by {reduce.by}: positions are closed, none is opened")
        self._hands.publish()

    def _hold(self, command: Command, by: str) -> None:
        permission = self._permission
        permission.obey(command, by)
        self._switches.paused_by = permission.paused_by
        self._switches.reducing_by = permission.reducing_by

    def _on_resume(self, resume: Resume) -> tuple[str, ...]:
        self._hold(Command.RESUME, resume.by)
        self._board.say("PERSON", f"resumed by {resume.by}")
        self._hands.publish()
        return self._permission.reasons

    def _on_clear(self, clear: ClearHalt) -> bool:
        if self._permission.halt is None:
            return False
        self._remove_halt_file()
        self._permission.halt = self._switches.halt = None
        self._switches.exits_withdrawn = False
        self._books.record(RecordKind.CLEAR, {"reason": clear.reason, "by": clear.by})
        self._hands.cleared()
        self._books.sync()
        self._gateway.tell(ResetGroups())
        self._board.say("PERSON", f"halt cleared by {clear.by}: {clear.reason}")
        self._hands.publish()
        self._hands.sell_again()
        return True

    def _remove_halt_file(self) -> None:
        """Take a halt that was left away; one that cannot be is heeded again at the next start."""
        try:
            if self._parts.halt_file is not None:
                self._parts.halt_file.remove()
        except OSError as error:
            path = self._parts.halt_file
            text = f"{path} cannot be removed, the next start is halted: {error.strerror}"
            self._board.say("RISK", text, level="error")

    def _on_force_close(self, wish: ForceClose) -> bool:
        if not self._close(wish.ticker, wish.by):
            return False
        self._board.say("PERSON", f"force close of {wish.ticker} by {wish.by}")
        return True

    def _on_flatten(self, wish: Flatten) -> int:
        self._hold(Command.PAUSE, wish.by)
        self._hands.cancel_entries("flatten")
        held = sum(self._close(each.ticker, wish.by) for each in self._books.ledger.held())
        self._board.say("PERSON", f"flatten by {wish.by}: {held} positions, entries paused")
        self._hands.publish()
        return held

    def _on_close_given_up(self, given_up: CloseGivenUp) -> None:
        self._switches.closing.discard(given_up.ticker)

    def _close(self, ticker: str, by: str) -> bool:
        # What no order of ours bought, and what is in no market of ours, is a person's own.
        held_e2 = self._books.ledger.position(ticker).ours_e2
        if not held_e2 or self._parts.listing(ticker) is None:
            return False
        self._switches.closing.add(ticker)
        self._hands.tell_market(ticker, CloseNow(by))
        return True

    def _on_change_limit(self, change: ChangeLimit) -> MoneyE6:
        most_e6 = self._parts.risk.max_total_exposure_e6
        now_e6 = self._switches.limits(self._parts.risk).max_total_exposure_e6
        limit_e6 = MoneyE6(min(most_e6, max(LIMIT_MIN_E6, now_e6 + change.change_e6)))
        self._switches.limit_e6 = limit_e6
        self._board.say("PERSON", f"exposure limit {dollars(limit_e6)} by {change.by}")
        self._hands.publish()
        return limit_e6

    def _on_change_setting(self, change: ChangeSetting) -> SettingChanged:
        parts, key = self._parts, change.key
        at = f"{datetime.fromtimestamp(parts.clock.wall_ms() // MS_PER_S, UTC):%F %T} UTC"
        source = Source(SourceKind.PERSON, f"{change.by}, {at}")
        before = parts.settings
        try:
            after = changed(before, key, change.text, source)
        except SettingsError as error:
            return SettingChanged(done=False, text=str(error))
        old, new = before.value(key), after.value(key)
        # Written first: what follows from a change that nobody can look up is worth nothing.
        data = {"key": key, "old": old, "new": new, "by": change.by}
        self._books.record(RecordKind.SETTING, data)
        parts.retune(after)
        if key == LIMIT_KEY:
            self._switches.limit_e6 = None
        text = f"{key} {old} -> {new}"
        self._board.say("PERSON", f"{text} by {change.by}")
        for listing in parts.catalogue.listings:
            self._hands.tell_market(listing.ticker, Retuned())
        self._hands.publish()
        return SettingChanged(done=True, text=text)

    def _on_stop(self, stop: StopTrading) -> int:
        """Cancel what must not outlive the engine, and return how many of those still stand."""
        if not self._permission.stopping:
            self._switches.stopping = self._permission.stopping = True
            self._board.say("ENGINE", "stopping: entries are cancelled")
        self._hands.cancel_entries("the engine stops")
        if stop.cancel_exits:
            self._switches.exits_withdrawn = True
            self._hands.cancel_exits("the engine stops")
        self._hands.publish()
        orders = self._books.ledger.all_at_stake()
        return sum(order.is_open and (order.is_entry or stop.cancel_exits) for order in orders)

    def __repr__(self) -> str:
        return f"<Switchboard {self._switches}>"


def _heeded(parts: Parts, *, with_exits: bool) -> LeftHalt | None:
    """Return a halt that was left and that the one which stands is as good as."""
    left = parts.halt_file.read() if parts.halt_file is not None else None
    return left if left is None or with_exits or not left.cancel_exits else None
