"""What must come back when all faults have been healed, and what must be true in the end."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import attrs
import trio

from actors.node import State
from arb.core.orders import OrderState
from arb.engine.other_engines import BY as OTHER_ENGINES
from arb.faults.catalogue import kind_of
from arb.faults.machine import Process
from arb.faults.oracle import Oracle
from arb.faults.second_engine import NOTICED_WITHIN_S, second_engine
from arb.faults.sometimes import (
    ANOTHER_ENGINE,
    EDGE_OFFERED,
    HALTED_AT_WORK,
    STOPPED_AT_WORK,
)
from arb.faults.stage import Heal, Stage
from arb.sim.exchange.markets import MarketStatus
from arb.sim.exchange.values import BookSide

# L1 and L3: a backoff of 15 s, a reading of the account, and the feeds' own start come before.
TRADING_WITHIN_S = 60.0

# L2: that an order was never taken is believed when the exchange's reads are 30 s past it, twice.
KNOWN_WITHIN_S = 75.0

# L1: the books of the bookmakers and of the exchange move within seconds.
HEARD_WITHIN_S = 60.0

# L5: the books follow within seconds, and the maker lags behind them by more.
TAKEN_WITHIN_S = 30.0

# A jump is over when makers have caught up with the books; then there is another.
JUMP_EVERY_S = 4.0

# Well over the thresholds, and within the collar beyond which a price passes for an error.
JUMP = 0.12

# L6: what is held is on sale within this, a closing that finds nobody and is given up included.
ON_SALE_WITHIN_S = 40.0

# Long enough for the watch over exits to look some times.
LEFT_ALONE_S = 3.0

# I12: a maker's purchase rests within this of a jump, where the limits leave room for one.
RESTS_WITHIN_S = 4.0

# I15: a halt's cancels are out within this, over lanes that stand.
HALTED_WITHIN_S = 5.0

# What a kill switch must do without: books, odds, a market, and the first cancels that it sends.
CANCELS_LOST = "request-lost@cancels"
CANCELS_LOST_S = 1.5
TROUBLES = ("black-hole@books", "frozen@odds stream", "actor-quarantined@market", CANCELS_LOST)

# A sale that a halt has taken away and that somebody puts back is back within moments.
HALTED_STAYS_S = 1.0

# What is on its way when trading ends has arrived after this; a reading of the account follows.
QUIET_S = 4.0

LOOK_S = 0.1

# A start takes a tenth of a run: so many runs stop once more, while an entry rests, and so many
# meet another engine when all is well.
AT_WORK_SHARE = 1 / 4
ANOTHER_ENGINE_SHARE = 1 / 8

# Halts that a run's own limits bring about, which are drawn so low that they will, that of an order
# group which was triggered before: a clear that could not be written did not reset it, and that of
# another engine's order, of which a connection that is made anew may hear when all is healed.
BY_RULES = (
    f"halted by {OTHER_ENGINES}",
    "halted by the daily loss limit",
    "halted by the refusal limit",
    "halted by the exchange's order group",
)
STOPPED_WITHIN_S = 10.0

# A start that hung when everything was healed takes its whole timeout, then a backoff.
RUNNING_WITHIN_S = 20.0


@attrs.define
class Liveness:
    """The second half of a run."""

    stage: Stage
    oracle: Oracle
    dice: Random
    endings: Random

    async def run(self) -> None:
        """Wait for each thing that must come back, then end everything and compare."""
        await self._within("L3", "the engine trades", TRADING_WITHIN_S, self._trades_on)
        await self._within("L2", "no order is unknown", KNOWN_WITHIN_S, self._all_known)
        await self._within("L4", "every actor runs", RUNNING_WITHIN_S, self._all_run)
        await self._hear_of_all()
        stops_at_work = self.endings.random() < AT_WORK_SHARE
        meets_another = self.endings.random() < ANOTHER_ENGINE_SHARE
        await self._take_an_edge()
        if stops_at_work:
            await self._stop_at_work()
        if meets_another:
            await self._meet_another_engine()
        if self.dice.random() < 1 / 2:
            await self._drill()
        await self._end()

    # ------------------------------------------------------------------ L1 to L4

    def _trades_on(self) -> bool:
        self._release_set_apart()
        return self.stage.is_asked_out and self._trades()

    def _trades(self) -> bool:
        engine = self.stage.machine.engine
        if engine is None or engine.parts.board.account is None:
            return False
        self._clear_rules(engine.parts.board.account.reasons)
        # What people are shown, which must say so where the risk manager itself is down.
        shown: str = engine.steering.snapshot()["trading"]["state"]
        return shown == "running"

    def _clear_rules(self, reasons: tuple[str, ...]) -> None:
        """Let a person clear a halt by a rule: he has looked, and wants to trade on."""
        if self.stage.is_asked_out and any(each.startswith(BY_RULES) for each in reasons):
            self.stage.insist("clear", reason="he has looked")

    def _all_known(self) -> bool:
        if self.stage.machine.engine is None:
            return False
        orders = self.oracle.ledger().all_at_stake()
        # After a restart an order that was written and may never have left is pending.
        return all(order.state not in (OrderState.UNKNOWN, OrderState.PENDING) for order in orders)

    def _release_set_apart(self) -> None:
        """Let a person release who is quarantined, as planned crashes in a row bring it about.

        Who fails by itself is a violation at that moment, whatever becomes of it.
        """
        engine = self.stage.machine.engine
        if engine is None or not self.stage.is_asked_out:
            return
        for node in engine.system.snapshot():
            if node.state is State.QUARANTINED:
                self.stage.insist("release", name=node.name)

    def _all_run(self) -> bool:
        self._release_set_apart()
        engine = self.stage.machine.engine
        return engine is None or all(
            node.state is State.RUNNING for node in engine.system.snapshot()
        )

    async def _hear_of_all(self) -> None:
        """Wait until each market that trades has come to a fair value by its odds and its book."""
        engine = self.stage.machine.engine
        since_ms = engine.parts.clock.wall_ms() if engine is not None else 0
        waited = {
            ticker
            for ticker, market in self.stage.simulation.venue.markets.items()
            if market.status is MarketStatus.ACTIVE
        }

        def heard() -> bool:
            engine = self.stage.machine.engine
            rows = engine.parts.board.markets if engine is not None else {}
            for ticker in sorted(waited):
                row = rows.get(ticker)
                if row is not None and row.at_ms > since_ms and row.fair is not None:
                    waited.discard(ticker)
            return not waited

        await self._within("L1", "every market has a fair value", HEARD_WITHIN_S, heard)

    # ------------------------------------------------------------------ L5

    async def _take_an_edge(self) -> None:
        """Let the chances of one game jump, so that its markets lag, until an order comes there."""
        fixtures = self.stage.simulation.world.fixtures
        game_id = self.endings.choice(sorted(fixtures))
        game = fixtures[game_id].game
        if not self._has_room():
            return
        before = len(self.oracle.orders.created)
        self.stage.trace.sometimes[EDGE_OFFERED] += 1
        self._jump(game_id)
        jumped_s = trio.current_time()

        def taken() -> bool:
            nonlocal jumped_s
            if trio.current_time() - jumped_s >= JUMP_EVERY_S:
                jumped_s = trio.current_time()
                self._jump(game_id)
            self._trades()
            new = list(self.oracle.orders.created.values())[before:]
            there = (each.intent.ticker in (game.home_ticker, game.away_ticker) for each in new)
            return any(there) or not self._has_room()

        await self._within("L5", "an edge is taken", TAKEN_WITHIN_S, taken)

    def _jump(self, *game_ids: int) -> None:
        world = self.stage.simulation.world
        for game_id in game_ids or world.fixtures:
            home = world.fixtures[game_id].chance.value
            world.jump(game_id, home - JUMP if home > 1 / 2 else home + JUMP)

    def _has_room(self) -> bool:
        """Tell whether the limits of this run leave room for another entry in every market."""
        account = self.stage.simulation.member
        busy = {ticker for ticker, held in account.positions.items() if held.count_e2}
        busy |= {order.ticker for order in account.resting.values()}
        settings = self.stage.settings
        risk, judged, now_s = settings.risk, self.oracle.orders, trio.current_time()
        dearest_e6 = 10_000 * settings.execution.contracts_per_order_e2
        has_room = min(account.cash_e6.values()) >= dearest_e6 and (
            judged.exposure_e6(now_s) + dearest_e6 <= risk.max_total_exposure_e6
            and judged.worst_game_e6(now_s) + dearest_e6 <= risk.max_game_exposure_e6
        )
        markets = self.stage.simulation.venue.markets.values()
        all_open = all(market.status is MarketStatus.ACTIVE for market in markets)
        return all_open and not busy and has_room

    # ------------------------------------------------------------------ I12

    async def _stop_at_work(self) -> None:
        """Stop in good order while an entry rests, if one does before long, and start again."""
        self._jump()
        rests = await _happens(RESTS_WITHIN_S, lambda: bool(self.oracle.exchange.entries_resting()))
        process = self.stage.machine.process
        if process is None or not rests:
            return
        self.stage.trace.sometimes[STOPPED_AT_WORK] += 1
        await self._ends(process)
        await self._within("L3", "the engine trades again", TRADING_WITHIN_S, self._trades)

    # ------------------------------------------------------------------ I15

    async def _meet_another_engine(self) -> None:
        """Let another engine trade the account when all is well: we halt, and somebody clears."""
        end = second_engine(self.stage, "account", self.endings)
        if end is None:
            return
        self.stage.trace.sometimes[ANOTHER_ENGINE] += 1
        await self._within("I15", "another engine's order halts", NOTICED_WITHIN_S, self._is_halted)
        end()
        await self._within("L3", "the engine trades again", TRADING_WITHIN_S, self._trades)

    def _is_halted(self) -> bool:
        engine = self.stage.machine.engine
        shown = engine.parts.board.account if engine is not None else None
        return shown is not None and shown.state == "halted"

    async def _drill(self) -> None:
        """Halt with everything cancelled, and clear again: the kill switch must work each time."""
        # Whoever clears a halt at the same time would leave open which of the two came last.
        await self._within(
            "L3", "nobody asks for anything", TRADING_WITHIN_S, lambda: self.stage.is_asked_out
        )
        account = self.stage.simulation.member
        self._jump()
        rests = await _happens(RESTS_WITHIN_S, lambda: bool(account.resting))
        self.stage.trace.sometimes[HALTED_AT_WORK] += rests
        heal = self._trouble() if self.endings.random() < 1 / 2 else None
        done = await self.stage.ask("halt", {"reason": "a drill", "exits": "cancel"})
        self.stage.trace.check("I15", done, "a halt was not taken")
        await self._within(
            "I15", "nothing rests after a halt", HALTED_WITHIN_S, lambda: not account.resting
        )
        await trio.sleep(HALTED_STAYS_S)
        back = [order.client_order_id for order in account.resting.values()]
        # Whoever looks at a day's loss may have cleared this halt along with that one.
        stands = self.stage.stops.halted_s is not None
        self.stage.trace.check("I15", not (stands and back), f"rests again after a halt: {back}")
        if heal is not None:
            heal()
        await self.stage.ask("clear", {"reason": "the drill is over"})
        await self._within("L3", "the engine trades again", TRADING_WITHIN_S, self._trades)
        await self._within("L4", "every actor runs", RUNNING_WITHIN_S, self._all_run)

    def _trouble(self) -> Heal | None:
        """Break what a kill switch must not depend on, and return what mends it."""
        cell = self.endings.choice(TROUBLES)
        self.stage.trace.note("fault", f"{cell} begins before a drill")
        kind, component = kind_of(cell)
        heal = kind.apply(self.stage, component, self.endings)
        if cell == CANCELS_LOST and heal is not None:
            self.stage.later(CANCELS_LOST_S, heal)
        return heal

    # ------------------------------------------------------------------ the end

    async def _end(self) -> None:
        """End trading in good order, let everything arrive, and compare everything."""
        stage, trace = self.stage, self.stage.trace
        engine = stage.machine.engine
        if engine is None:
            trace.violation("L4", "no engine runs in the end")
            return
        # Nothing new comes, so that what is compared stands still.
        stage.odds.freeze = True
        await stage.ask("pause", {})
        await trio.sleep(QUIET_S)
        await self._within("I5", "the books agree", QUIET_S + 35.0, self.oracle.agrees)
        await self._within("L6", "what is held is on sale", ON_SALE_WITHIN_S, self._all_on_sale)
        await self._stays_on_sale()
        trace.check("L4", stage.machine.engine is engine, "an engine ended while all was quiet")
        if stage.machine.engine is engine:
            self.oracle.at_rest(engine)
        await self._stop()

    def _all_on_sale(self) -> bool:
        """Tell whether exits that rest cover each position to the last contract, and no more."""
        machine, account = self.stage.machine, self.stage.simulation.member
        engine, markets = machine.engine, self.stage.simulation.venue.markets
        if engine is None or engine.parts.switches.exits_withdrawn:
            return True
        # What was bought in a second that a loss of power took is a person's to sell.
        persons = self.oracle.journal.markets_of_lost
        for ticker, held in account.positions.items():
            if ticker in persons:
                continue
            if held.count_e2 and markets[ticker].status is MarketStatus.ACTIVE:
                side = BookSide.ASK if held.count_e2 > 0 else BookSide.BID
                exits = (o for o in account.resting_in(ticker) if o.side is side)
                if sum(order.remaining_e2 for order in exits) != abs(held.count_e2):
                    return False
        return True

    async def _stays_on_sale(self) -> None:
        """Check that exits are left alone while nothing happens to what they cover."""
        engine, exits = self.stage.machine.engine, self.stage.settings.exits
        closes = exits.exit_after_s or exits.exit_stop
        if engine is None or closes or engine.parts.switches.closing:
            return
        before = set(self.oracle.orders.cancels)
        await trio.sleep(LEFT_ALONE_S)
        canceled = self.oracle.orders.cancels - before
        self.stage.trace.check("L6", not canceled, f"exits that fit were cancelled: {canceled}")

    async def _stop(self) -> None:
        machine = self.stage.machine
        machine.off = True
        if machine.process is None:
            return
        await self._ends(machine.process)
        left = self.oracle.exchange.entries_resting()
        self.stage.trace.check("I12", not left, f"entries rest after the stop: {left}")

    async def _ends(self, process: Process) -> None:
        """Ask an engine to stop in good order, and wait for its end."""
        self.stage.machine.signal()
        self.stage.stops.stopping_s = trio.current_time()
        await self._within("L4", "the engine stops", STOPPED_WITHIN_S, process.ended.is_set)

    async def _within(
        self, rule: str, what: str, seconds: float, holds: Callable[[], bool]
    ) -> None:
        """Wait until something holds; that it does not within its time is a violation."""
        if not await _happens(seconds, holds):
            why = self._why()
            self.stage.trace.violation(rule, f"not within {seconds:g} s: {what}{why}")

    def _why(self) -> str:
        engine = self.stage.machine.engine
        if engine is None:
            return " (no engine runs)"
        account = engine.parts.board.account
        return f" ({'; '.join(account.reasons)})" if account is not None else ""


async def _happens(seconds: float, holds: Callable[[], bool]) -> bool:
    """Wait so long at most until something holds, and tell whether it does."""
    with trio.move_on_after(seconds):
        # What happens in a world cannot be waited for: it is looked at.
        while not holds():  # noqa: ASYNC110
            await trio.sleep(LOOK_S)
    return holds()
