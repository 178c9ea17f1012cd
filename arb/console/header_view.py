"""The header: mode, trading state, money, connections; and the banner over everything."""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs

from arb.console import formats
from arb.console.cells import Cell, Item, Line, Tone, flow
from arb.console.snapshot import Alarm, Connection, Snapshot, Trading
from arb.core.money import dollars

PRODUCT = "Kalshi Arb Engine"
# Most connections lead there; on a narrow terminal it goes without saying.
EXCHANGE = "Kalshi "
BAR = Cell(" │ ", Tone.FRAME)
# A connection whose last sign of life is older than this looks old; its own ping goes each second.
QUIET_MS = 5_000
# Exposure from here on is close enough to its limit to say so.
NEAR_LIMIT_PERCENT = 90

# More reasons than these at once hide the markets from view.
REASONS_MAX = 3

MODE_TONES = {
    "sim": Tone.SAFE_MODE,
    "paper": Tone.SAFE_MODE,
    "demo": Tone.DEMO_MODE,
    "live": Tone.LIVE_MODE,
}

STATE_TONES = {
    "running": Tone.GOOD,
    "starting": Tone.WARN,
    "paused": Tone.WARN,
    "reducing": Tone.WARN,
    "halted": Tone.BAD,
    "stopping": Tone.WARN,
}

STATE_SIGNS = {
    "running": "▶",
    "starting": "…",
    "paused": "‖",
    "reducing": "▼",
    "halted": "■",
    "stopping": "…",
}

# Such a pause ends when the numbers are equal, or by a person's word; to resume is not enough.
UNRECONCILED = "not reconciled: "
# A person's pause, or a rule's in his stead; a connection's ends with the loss, and r does nothing.
PAUSED_BY = "paused by "
ACCEPT_HINT = "to look: arb reconcile · to take Kalshi's word: arb reconcile --accept"

RESUME_HINT = "press r to resume"
# Reasons name the way out for a shell; here a key of the console does, and the line is short.
SHELL_HINT = re.compile(r"(?: \(|; )end it with: arb [^);]*\)?")

STATE_HINTS = {
    "starting": "",
    "paused": "ends by itself",
    "reducing": f"positions are only closed, none is opened; {RESUME_HINT}",
    "halted": "press C to clear the halt",
    "stopping": "",
}

LOST = Cell("✗ LOST", Tone.BAD)


@attrs.frozen
class LinkView:
    """How the console stands with its engine; ``lost_ms`` is the age of the shown picture."""

    connected: bool
    lost_ms: int = 0
    attempts: int = 0
    why: str = ""
    ever: bool = True


@attrs.frozen
class Title:
    """What the frame's first line says, from left to right."""

    left: Line
    right: Line


def title(picture: Snapshot | None, *, connected: bool = True) -> Title:
    """Return the first line: the product, the mode in words, the trading state, the world.

    Of an engine that is lost nobody knows what it does: its last state is not shown as one.
    """
    if picture is None:
        return Title((Cell(PRODUCT, Tone.TITLE),), ())
    state = picture.trading.state
    words = formats.one_line(picture.mode_words or picture.mode).upper()
    shown = Cell(
        f"{STATE_SIGNS.get(state, '?')} {formats.one_line(state).upper()}",
        STATE_TONES.get(state, Tone.BAD),
    )
    left = (
        Cell(PRODUCT, Tone.TITLE),
        Cell(" ─ ", Tone.FRAME),
        Cell(f" {words} ", MODE_TONES.get(picture.mode, Tone.LIVE_MODE)),
        Cell(" ─ ", Tone.FRAME),
        shown if connected else LOST,
    )
    world = formats.one_line(picture.world)
    names = [name for name in (world, picture.version and f"v{picture.version}") if name]
    return Title(left, (Cell(" · ".join(names), Tone.DIM),) if names else ())


def money_line(picture: Snapshot, width: int) -> Line:
    """Return balance, exposure against its limit, gain and fees, in what room there is."""
    account = picture.account
    total_e6 = account.realised_e6 + account.unrealised_e6
    items = (
        Item(0, (_fact("Balance", dollars(account.balance_e6)),)),
        _exposure(picture),
        Item(
            2,
            (
                (
                    *_fact("P&L", formats.gain(total_e6), gain_tone(total_e6)),
                    Cell(
                        f" ({formats.gain(account.realised_e6)} closed, "
                        f"{formats.gain(account.unrealised_e6)} open)",
                        Tone.DIM,
                    ),
                ),
                _fact("P&L", formats.gain(total_e6), gain_tone(total_e6)),
            ),
        ),
        *_today(picture),
        Item(4, (_fact("Fees", dollars(account.fees_e6)),)),
        _orders(picture),
    )
    return flow(items, width, BAR)


def connection_line(picture: Snapshot, width: int) -> Line:
    """Return each connection with its state and age, those that are down first, and the uptime."""
    down_first = sorted(picture.connections, key=lambda connection: connection.connected)
    items = [
        Item(index, _connection_forms(connection, picture.at_ms))
        for index, connection in enumerate(down_first)
    ]
    if not items:
        items.append(Item(0, ((Cell("✗ no connection yet", Tone.WARN),),)))
    uptime = formats.duration(picture.uptime_ms)
    items.append(Item(len(items), (_fact("Uptime", uptime), _fact("Up", uptime))))
    return flow(items, width, BAR)


def banners(picture: Snapshot | None, link: LinkView, width: int) -> tuple[Line, ...]:
    """Return what stands over all else: a lost engine, a broken invariant, why nothing trades."""
    lines: list[Line] = []
    if not link.connected:
        lines += _wrapped(*_link_texts(link), Tone.ALARM, width)
    if picture is None:
        return tuple(lines)
    violations = picture.counts.invariant_violations
    if violations:
        text = f"‼ {violations} INVARIANT VIOLATION{'S' if violations > 1 else ''}"
        lines += _wrapped(text, "read the log before trading on", Tone.ALARM, width)
    lines += _alarm_banner(picture.alarms, width)
    lines += _trading_banner(picture.trading, width)
    return tuple(lines)


def _alarm_banner(alarms: Sequence[Alarm], width: int) -> list[Line]:
    """Return one banner for the first alarm, exits before all else, and how many more."""
    if not alarms:
        return []
    more = f" (+{len(alarms) - 1} more)" if len(alarms) > 1 else ""
    text = f"‼ {formats.one_line(alarms[0].name)}: {formats.one_line(alarms[0].text)}{more}"
    return _wrapped(text, "", Tone.ALARM, width)


def gain_tone(money_e6: int) -> Tone:
    """Return the tone of a gain or loss; the sign beside it says the same."""
    if money_e6 == 0:
        return Tone.PLAIN
    return Tone.GOOD if money_e6 > 0 else Tone.BAD


def _trading_banner(trading: Trading, width: int) -> list[Line]:
    if trading.state == "running" and not trading.reasons:
        return []
    tone = Tone.ALARM if trading.state == "halted" else Tone.CAUTION
    sign = STATE_SIGNS.get(trading.state, "!")
    head = f"{sign} {formats.one_line(trading.state).upper()}: "
    reasons = [formats.one_line(SHELL_HINT.sub("", reason)) for reason in trading.reasons]
    reasons = reasons or ["no reason given"]
    hint = _hint(trading.state, reasons)
    if len(head) + len("; ".join(reasons)) <= width:
        return _wrapped(f"{head}{'; '.join(reasons)}", hint, tone, width)
    # Reasons that do not fit into one line get one each, as far as they leave room for the rest.
    shown, hidden = reasons[:REASONS_MAX], len(reasons) - REASONS_MAX
    last = f"{shown.pop()}{f' (+{hidden} more)' if hidden > 0 else ''}"
    lines = [_start(head, index) + reason for index, reason in enumerate(shown)]
    end = _wrapped(_start(head, len(shown)) + last, hint, tone, width)
    return [(Cell(text, tone),) for text in lines] + end


def _hint(state: str, reasons: list[str]) -> str:
    if state == "paused" and any(reason.startswith(UNRECONCILED) for reason in reasons):
        return ACCEPT_HINT
    if state == "paused" and any(reason.startswith(PAUSED_BY) for reason in reasons):
        return RESUME_HINT
    return STATE_HINTS.get(state, "")


def _start(head: str, index: int) -> str:
    return f"{'  and: ':<{len(head)}}" if index else head


def _link_texts(link: LinkView) -> tuple[str, str]:
    why = f": {formats.one_line(link.why)}" if link.why else ""
    if not link.ever:
        return f"… WAITING FOR THE ENGINE{why}", f"attempt {link.attempts}"
    old = formats.age(link.lost_ms)
    again = f"this picture is {old} old · reconnecting, attempt {link.attempts}"
    return f"✗ ENGINE LOST{why}", again


def _wrapped(text: str, hint: str, tone: Tone, width: int) -> list[Line]:
    joined = f"{text} · {hint}" if hint else text
    if not hint or len(joined) <= width:
        return [(Cell(joined, tone),)]
    return [(Cell(text, tone),), (Cell(f"  {hint}", tone),)]


def _fact(name: str, value: str, tone: Tone = Tone.STRONG) -> Line:
    return (Cell(f"{name} ", Tone.DIM), Cell(value, tone))


def _exposure(picture: Snapshot) -> Item:
    account = picture.account
    percent = formats.share(account.exposure_e6, account.exposure_limit_e6)
    near = account.exposure_e6 * 100 >= account.exposure_limit_e6 * NEAR_LIMIT_PERCENT
    tone = Tone.WARN if near and account.exposure_e6 else Tone.STRONG
    used, limit = dollars(account.exposure_e6), dollars(account.exposure_limit_e6)
    sign = "!" if tone is Tone.WARN else ""
    return Item(
        1,
        (
            _fact("Exposure", f"{used} of {limit} ({percent}{sign})", tone),
            _fact("Exposure", f"{used} of {limit}{sign}", tone),
            _fact("Exp", f"{used}/{limit}{sign}", tone),
        ),
    )


def _today(picture: Snapshot) -> tuple[Item, ...]:
    """Return the day's gain and the loss that would halt it; nothing where no day is counted."""
    account = picture.account
    if not account.day_loss_max_e6:
        return ()
    fact = _fact("Today", formats.gain(account.day_e6), gain_tone(account.day_e6))
    halts = Cell(f" (halts at {formats.gain(-account.day_loss_max_e6)})", Tone.DIM)
    return (Item(3, ((*fact, halts), fact)),)


def _orders(picture: Snapshot) -> Item:
    counts = picture.counts
    text = f"{formats.amount(counts.orders)} orders, {formats.amount(counts.fills)} fills"
    refused = sum(counts.refusals.values())
    if refused:
        text += f", {formats.amount(refused)} refused"
    return Item(5, ((Cell(text, Tone.DIM),),))


def _connection_forms(connection: Connection, at_ms: int) -> tuple[Line, ...]:
    name = formats.one_line(connection.name)
    if not connection.connected:
        since = formats.age(at_ms - connection.since_ms)
        detail = formats.one_line(connection.detail)
        short: Line = (Cell(f"✗ {name} DOWN {since}", Tone.BAD),)
        return ((*short, Cell(f" {detail}", Tone.BAD)), short) if detail else (short,)
    quiet = connection.age_ms is not None and connection.age_ms > QUIET_MS
    sign, tone = ("○", Tone.WARN) if quiet else ("●", Tone.GOOD)
    word = "QUIET" if quiet else "CONNECTED"
    old = formats.age(connection.age_ms)
    end = f" {old}" if connection.age_ms is not None else ""
    return (
        (Cell(f"{sign} ", tone), Cell(f"{name} "), Cell(f"{word}{end}", tone)),
        (Cell(f"{sign} ", tone), Cell(f"{name}{end}")),
        (Cell(f"{sign} ", tone), Cell(f"{name.removeprefix(EXCHANGE)}{end}")),
    )
