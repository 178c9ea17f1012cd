"""What a campaign must have seen: schedules that never reach these states prove nothing."""

from __future__ import annotations

from collections.abc import Mapping

from arb.faults.kill_points import KillPoint

# Seldom states need many seeds: fewer than these are not asked for them.
ASKED_FROM_SEEDS = 500

UNKNOWN_FILLED = "an unknown order was found filled"
UNKNOWN_ABSENT = "an unknown order was found absent"
UNKNOWN_RESTING = "an unknown order was found at rest"
PARTLY_FILLED = "partly filled, then disconnected"
EXIT_REFUSED = "an entry filled, its exit refused"
LOST_RACE = "a cancel lost the race to a fill"
GAP_MENDED = "a gap was seen, and mended"
INTENSITY = "restart intensity was exceeded"
TORN_TAIL = "a journal's tail was torn"
FROM_SNAPSHOT = "a life began at a snapshot"
SNAPSHOT_LEFT = "a snapshot did not fit, and was left aside"
CAP_REACHED = "a cap was reached"
TOO_MANY = "too many requests were answered so"
PAUSED_RESTING = "the exchange paused while orders rested"
FILL_TWICE = "a fill was delivered twice"
FILL_UNSEEN = "a fill happened while no engine ran"
POWER_LOST = "the power was lost"
JOURNAL_FAILED = "a journal failed, and trading halted"
NO_BOUGHT = "NO was bought"
DAY_LOST = "a day's loss halted trading"
REFUSED_IN_A_ROW = "refusals in a row halted trading"
TOO_FAST = "an entry was refused for coming too fast"
SHORT_OF_CASH = "an entry was refused for want of cash on its shard"
EDGE_OFFERED = "an edge was offered after everything was healed"
ACCOUNT_DIFFERED = "an account that differed stopped entries"
ANOTHER_ENGINE = "another engine came when all was well"
HALTED_AT_WORK = "a halt took away what rested"
STOPPED_AT_WORK = "an engine was stopped while an entry rested"

REQUIRED = (
    UNKNOWN_FILLED,
    UNKNOWN_ABSENT,
    UNKNOWN_RESTING,
    PARTLY_FILLED,
    EXIT_REFUSED,
    LOST_RACE,
    GAP_MENDED,
    INTENSITY,
    TORN_TAIL,
    FROM_SNAPSHOT,
    SNAPSHOT_LEFT,
    CAP_REACHED,
    TOO_MANY,
    PAUSED_RESTING,
    FILL_TWICE,
    FILL_UNSEEN,
    POWER_LOST,
    JOURNAL_FAILED,
    NO_BOUGHT,
    DAY_LOST,
    REFUSED_IN_A_ROW,
    TOO_FAST,
    SHORT_OF_CASH,
    EDGE_OFFERED,
    ANOTHER_ENGINE,
    HALTED_AT_WORK,
    STOPPED_AT_WORK,
    *(f"killed {point}" for point in KillPoint),
)


def missing(seen: Mapping[str, int], seeds: int) -> tuple[str, ...]:
    """Return what a campaign of so many seeds should have seen and has not."""
    if seeds < ASKED_FROM_SEEDS:
        return ()
    return tuple(name for name in REQUIRED if not seen.get(name))
