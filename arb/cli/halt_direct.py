"""``arb halt --direct``: the kill switch that works when nothing else does.

A process of its own, with the settings and the key file alone. It leaves a halt in the state
directory first, so that an engine that lives, or wakes up, or is started again, does not put back
what is cancelled here.
"""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

import trio

from arb.cli.common import load_settings
from arb.cli.errors import CommandFailed, UsageError
from arb.engine.account import account_name
from arb.engine.direct_halt import DirectHalt, DirectReach, DirectWish, KeyRefused
from arb.engine.halt_file import HaltFile, LeftHalt
from arb.engine.place import Place
from arb.io.clock import SystemClock
from arb.io.http import Http
from arb.io.lines import try_line
from arb.io.net import SocketNetwork
from arb.io.rendezvous import engine_directory
from arb.journal.reading import read_records
from arb.journal.records import RecordKind
from arb.kalshi.order_groups import OrderGroupClient
from arb.kalshi.rate import RateBudget
from arb.kalshi.rest import Rest
from arb.kalshi.sign import PASSPHRASE_VARIABLE, KeyFileError, Signer, load_signer
from arb.settings import Mode, Settings, venue
from arb.settings.venues import Venue

PHRASE = "cancel everything"

# The modes whose orders leave the machine.
DIRECT_MODES = (Mode.DEMO, Mode.LIVE)


def halt_directly(
    reason: str,
    mode: str | None,
    settings_file: Path | None,
    *,
    cancel_exits: bool,
    everything: bool,
    sure: bool,
) -> None:
    """Halt without an engine; raises `UsageError`, `SettingsError` or `CommandFailed`."""
    settings = load_settings(settings_file)
    root = Path(settings.engine.state_dir).expanduser()
    exchange = venue(settings, _mode(mode, settings, root))
    if everything and not sure:
        _ask_for_the_phrase()
    signer = _signer(exchange)
    place = Place(engine_directory(root, exchange.mode, account_name(exchange.api_key.reveal())))
    _say(f"halting the account at {exchange.rest_url} ({exchange.mode.words})")
    _leave(place, reason, cancel_exits=cancel_exits or everything)
    wish = DirectWish(cancel_exits or everything, everything)
    try:
        trio.run(_halt, exchange, signer, wish, _known_groups(place))
    except KeyRefused as error:
        raise CommandFailed(
            f"Kalshi refuses the key, nothing was cancelled: {error}; check kalshi.api_key,"
            " kalshi.private_key_path and this machine's clock"
        ) from None
    except KeyboardInterrupt:
        _say("interrupted: orders may still rest")
        raise


async def _halt(
    exchange: Venue, signer: Signer, wish: DirectWish, known_groups: frozenset[str]
) -> None:
    clock = SystemClock()
    budget = RateBudget(clock)
    async with Http(SocketNetwork()) as http:
        rest = Rest(http, signer, clock, exchange.rest_url, budget=budget)
        reach = DirectReach(rest, OrderGroupClient(rest), budget, clock, _say)
        await DirectHalt(reach, wish, known_groups).run()


def _mode(mode: str | None, settings: Settings, root: Path) -> Mode:
    """Return the mode that is meant: the one named, or the only one this key has been used in."""
    if mode is not None:
        if mode not in DIRECT_MODES:
            raise UsageError(
                f"--direct is for demo and live: in {mode} no order leaves the machine"
            )
        return Mode(mode)
    name = account_name(settings.kalshi.api_key.reveal())
    used = [each for each in DIRECT_MODES if (root / each / name).is_dir()]
    if len(used) != 1:
        raise UsageError("say whose orders are meant: --direct --mode demo, or --mode live")
    return used[0]


def _ask_for_the_phrase() -> None:
    sys.stderr.write(
        "This cancels every order of the account, those that a person placed by hand too, and what"
        f' is placed within the next minute. Type "{PHRASE}" to go on: '
    )
    sys.stderr.flush()
    if sys.stdin.readline().strip() != PHRASE:
        raise UsageError("the phrase was not typed: nothing was done")


def _signer(exchange: Venue) -> Signer:
    try:
        return load_signer(
            exchange.api_key.reveal(), exchange.key_file, os.environ.get(PASSPHRASE_VARIABLE)
        )
    except KeyFileError as error:
        raise CommandFailed(str(error)) from None


def _leave(place: Place, reason: str, *, cancel_exits: bool) -> None:
    """Leave the halt for an engine; that nobody can is no reason to cancel nothing."""
    halt = LeftHalt(reason, _who(), SystemClock().wall_ms(), cancel_exits)
    try:
        HaltFile(place.halt_path).leave(halt)
    except Exception as error:  # noqa: BLE001 - whatever it is, the cancels come next
        _say(f"{place.halt_path} cannot be written, an engine will not find it: {error}")
        return
    _say("left the halt for the engine: it stays halted until arb clear")


def _known_groups(place: Place) -> frozenset[str]:
    """Return the order groups that an engine of this machine has made; none where it cannot say."""
    try:
        records = read_records(place.journal_path)
        return frozenset(
            str(record.data["group_id"]) for record in records if record.kind is RecordKind.GROUP
        )
    except Exception:  # noqa: BLE001 - the exchange is asked for them as well
        return frozenset()


def _who() -> str:
    # Without a name in the environment or in the system's list a person is just that.
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "a person"
    return f"{name}, with arb halt --direct"


def _say(text: str) -> None:
    # Line by line: whoever waits must see what is done now. Whoever does not is no reason to stop.
    try_line(sys.stdout, text)
