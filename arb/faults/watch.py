"""The console's view-model on a running engine, in the same process: it must read every picture."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import orjson
import trio

from actors import State
from arb.console.actor_view import actors_table
from arb.console.header_view import LinkView
from arb.console.history import History
from arb.console.log_view import log_table
from arb.console.market_view import markets_table
from arb.console.money_view import positions_table, trades_table
from arb.console.snapshot import Snapshot, Unreadable, read_snapshot
from arb.console.view_model import HeaderView
from arb.engine.names import RISK
from arb.faults.engine import OpenedEngine
from arb.faults.trace import Trace

# The narrowest and the widest terminal that the console draws in.
WIDTHS = (1, 80, 200)

MS_PER_S = 1000


@attrs.define
class Watch:
    """Looks at the engine as the console does, and draws everything but the letters.

    ``present`` returns the engine of the moment, None where none is up.
    """

    trace: Trace
    present: Callable[[], OpenedEngine | None]
    pictures: int = 0
    seen: Snapshot | None = None
    seen_s: float = 0.0

    def look(self) -> None:
        """Take one picture of an engine that is up, and make a view of it."""
        engine = self.present()
        if engine is None:
            return
        try:
            picture = self._take(engine)
        except Unreadable as error:
            self.trace.violation("L4", f"the console cannot read the engine: {error}")
            return
        header = HeaderView(picture, LinkView(connected=True))
        for width in WIDTHS:
            header.lines(width)
        markets_table(picture)
        positions_table(picture)
        trades_table(picture, None)
        log_table(picture, None)
        actors_table(picture, {}, History())
        self.pictures += 1
        node = engine.system.find(RISK)
        told = picture.trading.state != "running" or node.state is State.RUNNING
        self.trace.check("I15", told, f"the console shows running, the risk manager {node.state}")

    def now(self) -> tuple[Snapshot | None, LinkView]:
        """Return what a console shows at this moment: a new picture, or the last one of an engine.

        Nothing of the run depends on it, whenever and however often it is asked.
        """
        engine = self.present()
        why = "none is up"
        if engine is not None:
            try:
                return self._take(engine), LinkView(connected=True)
            except Unreadable as error:
                why = str(error)
        lost_ms = round((trio.current_time() - self.seen_s) * MS_PER_S)
        ever = self.seen is not None
        return self.seen, LinkView(connected=False, lost_ms=lost_ms, attempts=1, why=why, ever=ever)

    def _take(self, engine: OpenedEngine) -> Snapshot:
        """Return a picture that went through JSON, as over the socket; raises `Unreadable`."""
        sent = orjson.dumps(engine.steering.snapshot())
        self.seen, self.seen_s = read_snapshot(orjson.loads(sent)), trio.current_time()
        return self.seen
