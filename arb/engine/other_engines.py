"""A second engine on one account, on whichever machine: known by its orders' ids, and a halt.

Two engines each keep their own limits, and each sells what the other has bought. That one of this
machine is not started, locks see to; of another machine all that shows is its orders, which carry
this program's prefix and an installation that is not ours.
"""

from __future__ import annotations

from collections.abc import Callable

from arb.core.risk import EVERY_ORDER_PREFIX, client_order_prefix
from arb.engine.messages import HaltTrading
from arb.engine.parts import Parts

BY = "the watch for other engines"


class OtherEngines:
    """Halts at the first sign of another engine; what a person has cleared is no sign again."""

    def __init__(self, parts: Parts, halt: Callable[[HaltTrading], object]) -> None:
        self._seen = parts.switches.orders_of_others
        self._parts = parts
        self._halt = halt

    def saw(self, client_order_id: str | None, ticker: str) -> None:
        """Look at an order that is not in our books."""
        name = client_order_id or ""
        if not name.startswith(EVERY_ORDER_PREFIX) or name in self._seen:
            return
        if name.startswith(own_prefixes(self._parts)):
            return
        self._seen.add(name)
        text = f"another engine trades this account: its order {name} in {ticker}; stop one of them"
        self._halt(HaltTrading(text, BY))

    def __repr__(self) -> str:
        return f"<OtherEngines {len(self._seen)} orders seen>"


def own_prefixes(parts: Parts) -> tuple[str, ...]:
    """Return what the ids of our orders begin with, those of earlier installations of ours too.

    Another key of the account has a state directory, and with it an installation, of its own. It is
    ours while no engine has it: so this is asked anew for each order that is not in our books.
    """
    return tuple(client_order_prefix(each) for each in (parts.installation, *parts.earlier()))
