"""The console's view-model on a running engine, in the same process: it must read every picture."""

from __future__ import annotations

import attrs
import orjson

from actors import State
from arb.console.header_view import LinkView
from arb.console.snapshot import Unreadable, read_snapshot
from arb.console.view_model import make_view
from arb.engine.names import RISK
from arb.faults.engine import OpenedEngine
from arb.faults.trace import Trace

# The narrowest and the widest terminal that the console draws in.
WIDTHS = (1, 80, 200)


@attrs.define
class Watch:
    """Looks at the engine as the console does, and draws everything but the letters."""

    trace: Trace
    pictures: int = 0

    def look(self, engine: OpenedEngine) -> None:
        """Take one picture, over JSON as over the socket, and make a view of it."""
        sent = orjson.dumps(engine.steering.snapshot())
        try:
            picture = read_snapshot(orjson.loads(sent))
        except Unreadable as error:
            self.trace.violation("L4", f"the console cannot read the engine: {error}")
            return
        view = make_view(picture, LinkView(connected=True), {})
        for width in WIDTHS:
            view.header.lines(width)
        self.pictures += 1
        node = engine.system.find(RISK)
        told = picture.trading.state != "running" or node.state is State.RUNNING
        self.trace.check("I15", told, f"the console shows running, the risk manager {node.state}")
