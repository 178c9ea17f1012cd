"""The end of trading: what must not outlive the engine is cancelled while its gateway lives."""

from __future__ import annotations

import trio

from actors import ActorDied, AskTimeout, System
from arb.core.parameters import EXITS_CANCEL
from arb.engine.messages import StopTrading
from arb.engine.names import RISK
from arb.engine.stopping import StopRequest

# The orders' share of a stop, which takes five seconds in all.
CANCEL_TIMEOUT_S = 2.5
CANCEL_STEP_S = 0.02
ASK_TIMEOUT_S = 0.5


async def end_trading(system: System, stop: StopRequest, exits_at_stop: str) -> bool:
    """Cancel entries, and exits where that is wished; tells whether all were gone in time."""
    wish = StopTrading(cancel_exits=(stop.exits or exits_at_stop) == EXITS_CANCEL)
    with trio.move_on_after(CANCEL_TIMEOUT_S):
        while True:
            try:
                left = await system.address(RISK).ask(wish, timeout_s=ASK_TIMEOUT_S)
            except (ActorDied, AskTimeout):
                left = None
            if left == 0:
                return True
            await trio.sleep(CANCEL_STEP_S)
    return False
