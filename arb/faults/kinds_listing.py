"""Faults of the exchange that meet what a running engine has to ask for: a game that is listed.

They stand behind all others, so that the dice of old seeds fall on what they fell on.
"""

from __future__ import annotations

from functools import partial
from random import Random

from arb.engine.names import DISCOVERY
from arb.faults.kinds_exchange import EXCHANGE, condition_met
from arb.faults.stage import Kind, Stage
from arb.sim.conditions import LOST

# Too slow, too many markets, too many requests, and no answer at all.
_ANSWERS = (18, 26, 27, LOST)


def _additions_refused(stage: Stage, _component: str, dice: Random) -> None:
    """List a game, and add its markets to no subscription until everything is healed.

    Lists are read a quarter of a minute apart, as long as a whole run has faults: somebody restarts
    discovery, which reads them then.
    """
    stage.exchange.refuse_additions = dice.choice(_ANSWERS)
    stage.list_game()
    stage.steer("restart", name=DISCOVERY)


KINDS = (
    Kind(
        "additions-refused",
        EXCHANGE,
        (),
        _additions_refused,
        partial(condition_met, "refuse_additions"),
        apart=("market data",),
    ),
)
