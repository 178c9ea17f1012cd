"""A person's hand on the faults of a running simulated world: what is on, since when, and off."""

from __future__ import annotations

from typing import Any

import attrs

from arb.sim.simulation import Simulation
from arb.sim.switchable import BY_NAME, FAULTS, Act, Pick, Server, SwitchableFault
from arb.sim.timing import WallClock

# As many as a feed is asked to stand in a row before it is given up.
GARBAGE_FRAMES = 5
GARBAGE = '{"type":"updated","id":'


class UnknownFault(ValueError):
    """No fault that can be switched has this name; says which there are."""


@attrs.define(eq=False)
class Switchboard:
    """Sets the conditions of one world by the table of `FAULTS`, and remembers since when.

    Two faults that set the same condition end each other: the later one holds.
    """

    simulation: Simulation
    clock: WallClock
    _at_ms: dict[str, int] = attrs.field(factory=dict)
    _owners: dict[tuple[Server, str], str] = attrs.field(factory=dict)

    def rows(self) -> list[dict[str, Any]]:
        """Return every fault, whether it is on, and when it was switched on, for JSON."""
        return [self._row(fault) for fault in FAULTS]

    def switch(self, name: str, *, on: bool) -> str:
        """Switch one fault and return one line about it; raises `UnknownFault`."""
        fault = BY_NAME.get(name)
        if fault is None:
            raise UnknownFault(
                f"{name!r} is no fault that can be switched: arb faults list shows which are"
            )
        if not on:
            was_on = self.is_on(fault)
            self._switch_off(fault)
            return f"{name} is off" if was_on else f"{name} was not on"
        for condition, value in fault.sets:
            setattr(self._conditions(fault), condition, self._value(value))
            self._owners[fault.server, condition] = name
        self._at_ms[name] = self.clock.wall_ms()
        if fault.act is not None:
            self._do(fault.act, fault.server)
        return f"{name}: {fault.does}"

    def all_off(self) -> str:
        """Switch every fault off and return one line about it."""
        on = [fault for fault in FAULTS if self.is_on(fault)]
        for fault in on:
            self._switch_off(fault)
        names = ", ".join(fault.name for fault in on)
        return f"switched off: {names}" if on else "no fault was on"

    def is_on(self, fault: SwitchableFault) -> bool:
        """Tell whether a fault holds; one that has passed, or was replaced, does not."""
        if not fault.sets or fault.name not in self._at_ms:
            return False
        conditions = self._conditions(fault)
        fresh = type(conditions)()
        return all(
            self._owners.get((fault.server, condition)) == fault.name
            and getattr(conditions, condition) != getattr(fresh, condition)
            for condition, _ in fault.sets
        )

    def _switch_off(self, fault: SwitchableFault) -> None:
        conditions = self._conditions(fault)
        fresh = type(conditions)()
        for condition, _ in fault.sets:
            # What another one has set since is that one's.
            if self._owners.get((fault.server, condition)) == fault.name:
                setattr(conditions, condition, getattr(fresh, condition))
        self._at_ms.pop(fault.name, None)

    def _row(self, fault: SwitchableFault) -> dict[str, Any]:
        on = self.is_on(fault)
        known = on or fault.passing
        return {
            "name": fault.name,
            "where": fault.where,
            "does": fault.does,
            "passing": fault.passing,
            "on": on,
            "at_ms": self._at_ms.get(fault.name) if known else None,
        }

    def _conditions(self, fault: SwitchableFault) -> Any:
        simulation = self.simulation
        if fault.server is Server.ODDS:
            return simulation.odds_conditions
        return simulation.exchange_conditions

    def _value(self, value: Any) -> Any:
        if value is Pick.GAME:
            fixture = self.simulation.world.ends_first()
            game = None if fixture is None else fixture.game
            return set() if game is None else {game.home_ticker, game.away_ticker}
        if value is Pick.HALF_OF_BOOKS:
            return set(sorted(self.simulation.desk.books)[::2])
        return value

    def _do(self, act: Act, server: Server) -> None:
        simulation = self.simulation
        if act is Act.END_GAME:
            simulation.world.end_first(self.clock.wall_ms())
        elif act is Act.SEND_GARBAGE:
            for _ in range(GARBAGE_FRAMES):
                simulation.odds.inject_frame(GARBAGE)
        elif server is Server.ODDS:
            simulation.odds.cut_connections()
        else:
            simulation.exchange.cut_connections()
