"""Whether the engine may trade, and every reason why not."""

from __future__ import annotations

from itertools import product

import pytest

from arb.core.permission import HOLDS, JOURNAL, Command, Halt, Permission, TradingState

HALT = Halt("too many refusals", "a rule", at_ms=5)
REASONS = (
    "the engine is stopping",
    "halted by a rule: too many refusals (end it with: arb clear --reason ...)",
    "paused by console (end it with: arb resume)",
    "reducing, by a rule (end it with: arb resume)",
    "not reconciled: cash differs",
    "starting: positions, orders and cash are not compared with Kalshi yet",
    "Kalshi books is down: closed by peer",
)
COMBINATIONS = list(product((False, True), repeat=len(REASONS)))


def permission(*switched: bool) -> Permission:
    """Set the seven switches that can stand in the way, in the order of `REASONS`."""
    stopping, halted, paused, reducing, differs, starting, down = switched
    return Permission(
        ready=not starting,
        stopping=stopping,
        paused_by="console" if paused else None,
        reducing_by="a rule" if reducing else None,
        halt=HALT if halted else None,
        unreconciled="cash differs" if differs else None,
        down={"Kalshi books": "closed by peer"} if down else {},
    )


def expected_state(*switched: bool) -> TradingState:
    """Say by hand which of several switches names the state."""
    stopping, halted, paused, reducing, differs, starting, down = switched
    if stopping:
        return TradingState.STOPPING
    if halted:
        return TradingState.HALTED
    if paused:
        return TradingState.PAUSED
    if reducing:
        return TradingState.REDUCING
    if differs:
        return TradingState.PAUSED
    if starting:
        return TradingState.STARTING
    return TradingState.PAUSED if down else TradingState.RUNNING


@pytest.mark.parametrize("switched", COMBINATIONS, ids=str)
def test_every_combination_of_switches(switched: tuple[bool, ...]) -> None:
    """The state is named by the strongest switch, and each switch gives its reason, in order.

    A difference says more than that the first comparison is still to come, and stands for it.
    """
    allowed = permission(*switched)
    differs, starting, down = switched[4:]
    said = [*switched[:5], starting and not differs, down]

    assert allowed.state is expected_state(*switched)
    assert allowed.reasons == tuple(reason for reason, on in zip(REASONS, said, strict=True) if on)


@pytest.mark.parametrize("switched", COMBINATIONS, ids=str)
def test_running_means_no_reason_at_all(switched: tuple[bool, ...]) -> None:
    """Exactly where nothing stands in the way the engine runs."""
    allowed = permission(*switched)

    assert (allowed.state is TradingState.RUNNING) is (allowed.reasons == ())


def test_nothing_is_allowed_at_first() -> None:
    """A new permission waits until positions and orders are read."""
    allowed = Permission()

    assert allowed.state is TradingState.STARTING
    assert allowed.reasons == (REASONS[5],)


def test_a_connection_that_comes_and_goes() -> None:
    """A lost connection stops trading until it is back; only changes are told as such."""
    allowed = Permission(ready=True)
    told = [
        (allowed.connection("odds", connected=connected, detail=detail), allowed.reasons)
        for connected, detail in (
            (True, ""),
            (False, "refused"),
            (False, "refused"),
            (False, "timed out"),
            (True, ""),
            (True, ""),
        )
    ]

    assert told == [
        (False, ()),
        (True, ("odds is down: refused",)),
        (False, ("odds is down: refused",)),
        (True, ("odds is down: timed out",)),
        (True, ()),
        (False, ()),
    ]


def test_every_lost_connection_counts() -> None:
    """One connection that is back does not hide another that is down; they are told in order."""
    allowed = Permission(ready=True)
    for name in ("odds", "Kalshi books", "orders"):
        allowed.connection(name, connected=False, detail="gone")
    allowed.connection("Kalshi books", connected=True, detail="")

    assert allowed.reasons == ("odds is down: gone", "orders is down: gone")
    assert allowed.state is TradingState.PAUSED


RUNNING, PAUSED, REDUCING = TradingState.RUNNING, TradingState.PAUSED, TradingState.REDUCING


@pytest.mark.parametrize(
    "held, command, leads_to",
    [
        (RUNNING, Command.PAUSE, PAUSED),
        (RUNNING, Command.REDUCE, REDUCING),
        (RUNNING, Command.RESUME, RUNNING),
        (PAUSED, Command.PAUSE, PAUSED),
        (PAUSED, Command.REDUCE, REDUCING),
        (PAUSED, Command.RESUME, RUNNING),
        (REDUCING, Command.PAUSE, PAUSED),
        (REDUCING, Command.REDUCE, REDUCING),
        (REDUCING, Command.RESUME, RUNNING),
    ],
)
@pytest.mark.parametrize("halt", [None, HALT])
def test_every_command_in_every_state(
    held: TradingState, command: Command, leads_to: TradingState, halt: Halt | None
) -> None:
    """Whoever speaks last is obeyed and named; a halt hides it all and is not ended by it."""
    allowed = Permission(ready=True)
    if held is not RUNNING:
        before = Command.PAUSE if held is PAUSED else Command.REDUCE
        allowed.obey(before, "the first")
    allowed.halt = halt
    allowed.obey(command, "the second")

    assert allowed.hold is leads_to
    assert allowed.state is (leads_to if halt is None else TradingState.HALTED)
    by = "the first" if leads_to is held else "the second"
    expected = {PAUSED: (by, None), REDUCING: (None, by), RUNNING: (None, None)}
    assert (allowed.paused_by, allowed.reducing_by) == expected[leads_to]


def test_the_table_leads_from_every_hold_to_every_other() -> None:
    """Nothing a person can say leaves him stuck."""
    ways = {(held, leads_to) for (held, _), leads_to in HOLDS.items()}
    holds = (RUNNING, PAUSED, REDUCING)

    assert ways == {(one, other) for one in holds for other in holds if one is not other}


def test_a_journal_that_failed_is_not_ended_by_a_clear() -> None:
    """The way out says what helps: the next process may write again."""
    halt = Halt("the journal cannot be written: no space", JOURNAL, at_ms=5)

    assert halt.text.endswith(
        "(end it with: room on the disk, a restart, then arb clear --reason ...)"
    )
