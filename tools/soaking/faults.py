"""What goes wrong in each minute of a soak: a gap, a reset, 502, 429 and a pause of trading."""

from __future__ import annotations

from collections import Counter

import attrs
import trio

from tools.soaking.remote import RemoteWorld

BAD_GATEWAY = 502
TOO_MANY = 429


@attrs.frozen
class Fault:
    """One fault: when it comes and how long it lasts, as shares of a period."""

    name: str
    at: float
    lasts: float
    begin: tuple[tuple[str, int | None], ...]
    end: tuple[tuple[str, int | None], ...] = ()


# In a minute: the reset finds a proxy that answers 502 for two seconds, REST answers 502 and 429
# for three each, and trading rests for five. A quarter of the minute is left to recover.
FAULTS = (
    Fault("gap", 0.08, 0.0, (("gap", None),)),
    Fault(
        "reset",
        0.20,
        0.033,
        (("refuse upgrades", BAD_GATEWAY), ("reset", None)),
        (("refuse upgrades", None),),
    ),
    Fault("502", 0.38, 0.05, (("rest status", BAD_GATEWAY),), (("rest status", None),)),
    Fault("429", 0.53, 0.05, (("too many", TOO_MANY),), (("too many", None),)),
    Fault("pause", 0.66, 0.08, (("pause", None),), (("resume", None),)),
)


async def inflict(world: RemoteWorld, period_s: float, periods: int, done: Counter[str]) -> None:
    """Bring every fault once in each period, and count them."""
    began_s = trio.current_time()
    for period in range(periods):
        for fault in FAULTS:
            await trio.sleep_until(began_s + (period + fault.at) * period_s)
            await _all(world, fault.begin)
            done[fault.name] += 1
            await trio.sleep(fault.lasts * period_s)
            await _all(world, fault.end)
    await trio.sleep_until(began_s + periods * period_s)


async def _all(world: RemoteWorld, deeds: tuple[tuple[str, int | None], ...]) -> None:
    for deed, status in deeds:
        await world.do(deed, status=status)
