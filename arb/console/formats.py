"""Numbers as people read them: short, with their unit, and with a sign where colour has a say."""

from __future__ import annotations

from datetime import datetime, tzinfo

from arb.core.money import cents, dollars

NOTHING = "--"
SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
# Below ten of a unit a decimal still tells something; above it only flickers.
DECIMAL_BELOW = 10
THOUSAND = 1_000
MILLION = 1_000_000


def age(age_ms: int | None) -> str:
    """Write how long ago something was: ``0.4s``, ``12s``, ``3m``, ``2h``, ``4d``."""
    if age_ms is None:
        return NOTHING
    age_ms = max(0, age_ms)
    if age_ms < DECIMAL_BELOW * SECOND_MS:
        return f"{age_ms // 100 / 10:.1f}s"
    for unit_ms, next_ms, letter in (
        (SECOND_MS, 2 * MINUTE_MS, "s"),
        (MINUTE_MS, 2 * HOUR_MS, "m"),
        (HOUR_MS, 2 * DAY_MS, "h"),
    ):
        if age_ms < next_ms:
            return f"{age_ms // unit_ms}{letter}"
    return f"{age_ms // DAY_MS}d"


def duration(duration_ms: int) -> str:
    """Write how long something has lasted, in its two greatest units: ``2h 14m``."""
    duration_ms = max(0, duration_ms)
    days, rest_ms = divmod(duration_ms, DAY_MS)
    hours, rest_ms = divmod(rest_ms, HOUR_MS)
    minutes, rest_ms = divmod(rest_ms, MINUTE_MS)
    if days:
        return f"{days}d {hours}h"
    if hours:
        return f"{hours}h {minutes:02d}m"
    seconds = rest_ms // SECOND_MS
    return f"{minutes}m {seconds:02d}s" if minutes else f"{seconds}s"


def latency(latency_us: int | None) -> str:
    """Write a latency in the unit that keeps it short: ``48µs``, ``2.4ms``, ``12ms``, ``1.2s``."""
    if latency_us is None:
        return NOTHING
    latency_us = max(0, latency_us)
    if latency_us < THOUSAND:
        return f"{latency_us}µs"
    for unit_us, letter in ((THOUSAND, "ms"), (MILLION, "s")):
        if latency_us < DECIMAL_BELOW * unit_us:
            return f"{latency_us * 10 // unit_us / 10:.1f}{letter}"
        if latency_us < THOUSAND * unit_us:
            return f"{latency_us // unit_us}{letter}"
    return f"{latency_us // MILLION}s"


def price(price_e4: int | None) -> str:
    """Write a price in cents: ``62`` or ``62.5``; nothing known is ``--``."""
    return NOTHING if price_e4 is None else cents(price_e4)


def fair(chance: float | None) -> str:
    """Write a probability as the cents it is worth: ``62.3``."""
    return NOTHING if chance is None else f"{chance * 100:.1f}"


def edge(edge_e4: int | None) -> str:
    """Write an edge in cents with its sign, to the tenth: ``+2.0c``, ``-1.5c``, ``0.0c``.

    It is rounded down, so that none looks as if it reached a threshold that it missed.
    """
    if edge_e4 is None:
        return NOTHING
    tenths = edge_e4 // 10
    sign = "+" if tenths > 0 else "-" if tenths < 0 else ""
    return f"{sign}{abs(tenths) // 10}.{abs(tenths) % 10}c"


def gain(money_e6: int) -> str:
    """Write a gain or loss with its sign: ``+$45.23``, ``-$0.10``, ``$0.00``."""
    text = dollars(money_e6)
    return f"+{text}" if money_e6 > 0 and text != "$0.00" else text


def share(part: int, whole: int) -> str:
    """Write a part of a whole in whole percent, rounded down; of nothing is ``--``."""
    return NOTHING if whole <= 0 else f"{part * 100 // whole}%"


def amount(number: float) -> str:
    """Write a count in at most five characters: ``950``, ``12.3k``, ``4.5M``."""
    if number < DECIMAL_BELOW * THOUSAND:
        return f"{number:.0f}"
    if number < MILLION:
        return f"{number / THOUSAND:.3g}k"
    return f"{number / MILLION:.3g}M"


def clock(at_ms: int, zone: tzinfo | None) -> str:
    """Write a moment's time of day to the second; without a zone, in the machine's own."""
    return _moment(at_ms, zone).strftime("%H:%M:%S")


def clock_ms(at_ms: int, zone: tzinfo | None) -> str:
    """Write a moment's time of day to the millisecond."""
    return f"{clock(at_ms, zone)}.{at_ms % SECOND_MS:03d}"


def day_clock(at_ms: int, zone: tzinfo | None) -> str:
    """Write a moment's date and time to the minute: ``Aug 23 19:05``."""
    return _moment(at_ms, zone).strftime("%b %d %H:%M")


def one_line(text: str) -> str:
    """Return ``text`` without what could move a terminal's cursor or change its colours.

    Texts come from the exchange and the bookmakers, who must not be able to paint the screen.
    """
    return "".join(character if character.isprintable() else " " for character in text).strip()


def _moment(at_ms: int, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(at_ms // SECOND_MS, zone)
