"""What the console asks before it does what cannot be taken back; the harmless answer is first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from arb.console import formats
from arb.console.cells import Tone
from arb.console.closeups import SettingSeen
from arb.console.snapshot import Position
from arb.console.widgets.dialog import Choice, Question
from arb.console.widgets.prompt import TypedQuestion
from arb.core.money import contracts
from arb.settings import SettingsError, checked

Act = Callable[[], None]
# Long enough that nobody types it by chance.
FLATTEN_WORD = "flatten"

_ACTOR_WORDS = {
    "kill": (
        "It is cancelled now, and its supervisor starts it again at once.",
        "Its entry orders are cancelled while it is away; its exits stay.",
        "All other actors go on.",
    ),
    "restart": (
        "It stops in good order and starts again.",
        "Its entry orders are cancelled while it is away; its exits stay.",
        "All other actors go on.",
    ),
    "quarantine": (
        "It stops, and stays down until you release it with U.",
        "Its entry orders are cancelled; its exits stay. All other actors go on.",
    ),
    "release": ("It leaves quarantine and starts.",),
}


def about_actor(verb: str, name: str, act: Act) -> Question:
    """Ask whether to kill, restart, quarantine or release an actor."""
    lines = (f"{verb.capitalize()} {formats.one_line(name)}?", *_ACTOR_WORDS[verb])
    return _yes_or_no(verb.capitalize(), lines, f"Yes, {verb}", act)


def about_closing(position: Position, act: Act) -> Question:
    """Ask whether to sell a position now, at whatever the book pays."""
    result = formats.gain(position.unrealised_e6)
    count, name = contracts(abs(position.count_e2)), formats.one_line(position.ticker)
    if position.is_no:
        asked = f"Buy back {count} contracts of NO of {name} now?"
        means = "The resting bid is cancelled and the position is bought back at once, at the asks."
    else:
        asked = f"Sell {count} contracts of {name} now?"
        means = "The resting sale is cancelled and the position is sold at once, into the bids."
    lines = (
        asked,
        means,
        f"Bought at {formats.price(position.entry_e4)}c; open result {result}.",
    )
    answer = "Yes, buy back now" if position.is_no else "Yes, sell now"
    return _yes_or_no("Force close", lines, answer, act)


def about_leaving(*, owns_engine: bool, leave: Act, stop: Act) -> Question:
    """Ask what becomes of the engine when the console closes; cancelling is the default."""
    started = "This console was started together with it." if owns_engine else ""
    lines = [
        "The engine goes on trading if you leave it running.",
        "Come back to it with: arb console",
        *([started] if started else []),
    ]
    choices = (
        Choice("Cancel", "c"),
        Choice("Leave running", "l", leave),
        Choice("Stop engine", "s", stop),
    )
    return Question("Quit", lines, choices, default=0)


def about_flattening(positions: int, act: Callable[[str], None]) -> TypedQuestion:
    """Ask for a word before every position is sold, which nothing brings back."""
    lines = (
        f"Close {'the position' if positions == 1 else f'all {positions} positions'} now?",
        "Every resting exit is cancelled, and what is held goes at once at what the book pays.",
        "Entries are paused.",
    )
    return TypedQuestion("Flatten", lines, act, word=FLATTEN_WORD)


def about_halting(act: Callable[[str], None]) -> TypedQuestion:
    """Ask why trading is to halt; the reason stands in the journal and the banner."""
    lines = (
        "Halt trading? Entries are cancelled and none is sent until the halt is cleared with C.",
        "Exits stay.",
    )
    return TypedQuestion("Halt", lines, act)


def about_clearing(reasons: Sequence[str], act: Callable[[str], None]) -> TypedQuestion:
    """Ask why a halt may be cleared, and show what it was for."""
    halted = "; ".join(formats.one_line(each) for each in reasons) or "no reason was given"
    return TypedQuestion("Clear", (f"Clear the halt? It is because: {halted}",), act)


def about_value(setting: SettingSeen, act: Callable[[str], None]) -> TypedQuestion:
    """Ask for a setting's new value; what it may not be is said before anything is sent."""

    def problem(text: str) -> str | None:
        try:
            checked(setting.key, text)
        except SettingsError as error:
            return str(error).partition(": ")[2] or str(error)
        return None

    now = f"{setting.key} is {setting.value} {setting.unit}".strip()
    lines = (formats.one_line(now), formats.one_line(f"{setting.reason} ({setting.allowed})"))
    return TypedQuestion("Change a setting", lines, act, check=problem, tone=Tone.TITLE)


def about_changing(
    setting: SettingSeen, value: str, file: str | None, *, leave: Act, change: Act, write: Act
) -> Question:
    """Ask whether a value shall be in force, and whether in the engine's ``file``, too."""
    unit = formats.one_line(setting.unit)
    kept = f"Kept in {file} only if you say so." if file else "This engine has no file to keep it."
    lines = [
        f"{formats.one_line(setting.key)}: {setting.value} → {value} {unit}".rstrip(),
        "In force at once, in all markets, until the engine ends.",
        formats.one_line(kept),
    ]
    choices = [
        Choice("No", "n", leave),
        Choice("Yes, until it ends", "y", change),
    ]
    if file:
        choices.append(Choice("Yes, and write it", "w", write))
    return Question("Change a setting", lines, choices, default=0)


def _yes_or_no(title: str, lines: tuple[str, ...], yes: str, act: Act) -> Question:
    choices = (Choice("No", "n"), Choice(yes, "y", act))
    return Question(title, lines, choices, default=0, tone=Tone.BAD)
