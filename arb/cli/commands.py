"""The table of commands: where each lives, its line in ``arb --help``, and an example.

A command's module is imported only when the command runs, so that this table is all that
``arb --help`` knows of it. A new command is one entry here and one file beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

EXIT_INTERRUPTED = 130

# What runs until somebody stops it has done its work when it is stopped.
UNTIL_STOPPED = frozenset({"console", "run", "sim"})

_TICKER = "KXMLBGAME-25AUG231905NYYBOS-NYY"


class Command(NamedTuple):
    """One command: its name, ``module:function``, its line of help, and how it is typed."""

    name: str
    target: str
    help: str
    example: str


COMMANDS = (
    Command(
        "run",
        "arb.cli.run:run",
        "Start the engine and, unless headless, the console.",
        "arb run --headless --seconds 30 --json",
    ),
    Command(
        "console",
        "arb.cli.console:console",
        "Watch and steer a running engine.",
        "arb console --mode demo",
    ),
    Command(
        "status",
        "arb.cli.status:status",
        "Print one picture of a running engine.",
        "arb status --json",
    ),
    Command(
        "actors",
        "arb.cli.actors:actors",
        "Print the actor tree of a running engine.",
        "arb actors",
    ),
    Command(
        "kill",
        "arb.cli.kill:kill",
        "Kill one actor; its supervisor starts it again at once.",
        f"arb kill {_TICKER}",
    ),
    Command(
        "restart",
        "arb.cli.restart:restart",
        "Restart one actor in good order.",
        f"arb restart {_TICKER}",
    ),
    Command(
        "quarantine",
        "arb.cli.quarantine:quarantine",
        "Stop one actor and keep it down until it is released.",
        f"arb quarantine {_TICKER}",
    ),
    Command(
        "release",
        "arb.cli.release:release",
        "Release one actor from quarantine.",
        f"arb release {_TICKER}",
    ),
    Command(
        "pause",
        "arb.cli.pause:pause",
        "Pause trading until it is resumed; exits stay.",
        "arb pause",
    ),
    Command(
        "reduce",
        "arb.cli.reduce:reduce",
        "Open no position, and go on closing those there are.",
        "arb reduce",
    ),
    Command(
        "resume",
        "arb.cli.resume:resume",
        "Resume trading after a pause, or after reducing.",
        "arb resume",
    ),
    Command(
        "halt",
        "arb.cli.halt:halt",
        "Halt trading until the halt is cleared.",
        'arb halt --reason "odds look wrong" --exits keep',
    ),
    Command(
        "clear",
        "arb.cli.clear:clear",
        "Clear a halt, so that trading may go on.",
        'arb clear --reason "feed repaired"',
    ),
    Command(
        "flatten",
        "arb.cli.flatten:flatten",
        "Close every position now, and cancel every entry.",
        "arb flatten",
    ),
    Command(
        "set",
        "arb.cli.change:change",
        "Change a threshold of a running engine.",
        "arb set strategy.maker_edge_threshold 3 --write",
    ),
    Command(
        "reconcile",
        "arb.cli.reconcile:reconcile",
        "Compare our books with Kalshi's account, or accept it.",
        "arb reconcile --accept",
    ),
    Command(
        "why",
        "arb.cli.why:why",
        "Explain a market's decisions of the last hours, or one order.",
        f"arb why {_TICKER}",
    ),
    Command(
        "trades",
        "arb.cli.trades:trades",
        "Print what was bought, sold and settled, with fees and gains.",
        "arb trades --last 20",
    ),
    Command(
        "positions",
        "arb.cli.positions:positions",
        "Print what is held, with its cost, its exits and its fees.",
        "arb positions",
    ),
    Command(
        "export",
        "arb.cli.export:export",
        "Write trades and lots to files.",
        "arb export --csv trades.csv",
    ),
    Command(
        "journal",
        "arb.cli.journal:app",
        "Check every record of a journal: arb journal verify.",
        "arb journal verify",
    ),
    Command(
        "stop",
        "arb.cli.stop:stop",
        "Stop the engine in good order.",
        "arb stop --exits keep",
    ),
    Command(
        "sim",
        "arb.cli.sim:sim",
        "Serve the simulated exchange and odds servers on loopback.",
        "arb sim --seed 7 --json",
    ),
    Command(
        "compare-feeds",
        "arb.cli.compare_feeds:compare_feeds",
        "Compare two providers of odds, live or from tapes.",
        "arb compare-feeds --provider odds-api-io --provider opticodds",
    ),
    Command(
        "replay",
        "arb.cli.replay:replay",
        "Send a recorded day through the same actors.",
        "arb replay day.tape --json",
    ),
    Command(
        "import-games",
        "arb.cli.import_games:import_games",
        "Turn recorded prices into a tape.",
        "arb import-games mlb-2025-08-23.csv -o day.tape",
    ),
    Command(
        "faults",
        "arb.cli.faults:app",
        "Try the engine under every fault, from a seed.",
        "arb faults campaign --seeds 1000 --jobs 2",
    ),
    Command(
        "fair",
        "arb.cli.fair:fair",
        "Take the margin out of one book's odds, step by step.",
        "arb fair -150 +130",
    ),
    Command(
        "fee",
        "arb.cli.fee:fee",
        "Compute what Kalshi charges for one order, step by step.",
        "arb fee --series KXMLBGAME --price 0.52 --count 10 --liquidity taker",
    ),
    Command(
        "match",
        "arb.cli.match:match",
        "Show which teams and which listed game two names mean.",
        'arb match --league mlb "New York Yankees" "Boston Red Sox"',
    ),
    Command(
        "settings",
        "arb.cli.settings:settings",
        "Print the settings in force and where each came from.",
        "arb settings --mode demo",
    ),
)


def interrupted(tokens: Sequence[str]) -> int:
    """Return the exit code of a command that a person or the system stopped."""
    return 0 if UNTIL_STOPPED.intersection(tokens[:1]) else EXIT_INTERRUPTED
