"""What an engine does whose last console has disappeared: run on, reduce to exits, or stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from actors import System
from arb.engine.messages import Reduce
from arb.engine.names import RISK
from arb.engine.parts import Parts
from arb.engine.stopping import StopRequest
from arb.settings.sections import UNATTENDED_REDUCE, UNATTENDED_RUN, UNATTENDED_STOP

GONE = "its last console disappeared"


def unattended(
    parts: Parts, system: System, stop: StopRequest
) -> tuple[Callable[[], str], Mapping[str, Callable[[], None]]]:
    """Return what reads the setting, and what each of its values does."""

    def setting() -> str:
        wanted = parts.settings.engine.unattended
        text = f"{GONE}: engine.unattended = {wanted}"
        parts.board.say("ENGINE", text, level="warning")
        return wanted

    def reduce() -> None:
        # Entries are cancelled, exits go on, and a person who comes back ends it with resume.
        system.address(RISK).tell(Reduce(f"the engine: {GONE} (engine.unattended = reduce)"))

    return setting, {
        UNATTENDED_RUN: lambda: None,
        UNATTENDED_REDUCE: reduce,
        UNATTENDED_STOP: lambda: stop.request(GONE),
    }
