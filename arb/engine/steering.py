"""A person's verbs, turned into messages to the risk manager and calls to the tree of actors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import trio

from actors import Actor, ActorError, Context, System
from arb.core.money import ONE_CENT_E6, MoneyE6, dollars
from arb.engine.closeup import CloseUps
from arb.engine.control import ControlServer
from arb.engine.control_requests import SteeringError
from arb.engine.messages import (
    AcceptAccount,
    ChangeLimit,
    ChangeSetting,
    ClearHalt,
    Flatten,
    ForceClose,
    HaltTrading,
    Pause,
    ReadAccount,
    Reduce,
    Resume,
    ShowComparison,
)
from arb.engine.names import RISK
from arb.engine.offload import IN_PLACE, Offload
from arb.engine.risk_switches import NOT_KEPT
from arb.engine.snapshot import A_TURN, Photographer
from arb.engine.stopping import StopRequest
from arb.engine.world_hand import WorldHand, WorldRefused
from arb.io.text import one_line
from arb.settings import SettingsError, write_value

# The risk manager answers in the turn it is asked; a second means that it is down.
ASK_TIMEOUT_S = 1.0

# A reading takes a second at most where the exchange answers; the last one is shown after that.
READING_TIMEOUT_S = 5.0
READING_STEP_S = 0.1

# Whoever steers through the socket is a person with the rights of the engine's owner.
PERSON = "a person"
# A login; a longer text is somebody's prank on the log.
BY_LENGTH_MAX = 40

Verb = Callable[[dict[str, Any]], Awaitable[str]]


class EngineSteering:
    """What the control socket may ask of this engine."""

    def __init__(
        self,
        photographer: Photographer,
        stop: StopRequest,
        system: System,
        world: WorldHand | None = None,
        off_loop: Offload = IN_PLACE.call,
    ) -> None:
        """Steer an engine; ``world`` is the simulated world it started, if it started one.

        Files are written by ``off_loop``: a slow disk must not hold the loop up.
        """
        self._world = world
        self._photographer = photographer
        self._stop = stop
        self._system = system
        self._off_loop = off_loop
        self._closeups = CloseUps(photographer.parts, system)
        self._verbs: dict[str, Verb] = {
            "kill": self._kill,
            "restart": self._restart,
            "quarantine": self._quarantine,
            "release": self._release,
            "pause": self._pause,
            "reduce": self._reduce,
            "resume": self._resume,
            "halt": self._halt,
            "clear": self._clear,
            "flatten": self._flatten,
            "force_close": self._force_close,
            "reconcile": self._reconcile,
            "accept": self._accept,
            "limit": self._limit,
            "fault": self._fault,
            "faults_off": self._faults_off,
            "set": self._set,
            "stop": self._stop_engine,
        }

    def snapshot(self) -> dict[str, Any]:
        """Return a picture of the engine, all of it of one moment."""
        return self._photographer.take(self._system.nodes())

    async def picture(self) -> dict[str, Any]:
        """Return a picture of the engine that was made in several turns.

        Money, markets and orders are of one moment; actors were looked at before it.
        """
        nodes = []
        for node in self._system.nodes():
            nodes.append(node)
            if not len(nodes) % A_TURN:
                await trio.lowlevel.checkpoint()
        return await self._photographer.take_in_turns(nodes)

    async def steer(self, verb: str, arguments: dict[str, Any]) -> str:
        """Do what a person asks and return one line about it; raises `SteeringError`."""
        try:
            text = await self._verbs[verb](arguments)
        except ActorError as error:
            raise SteeringError(str(error)) from error
        return text

    async def show(self, what: str, name: str) -> dict[str, Any]:
        """Return one thing closely; raises `SteeringError`."""
        if what == "faults":
            return await self._ask_world("faults")
        try:
            return await self._closeups.show(what, name)
        except (ActorError, LookupError) as error:
            raise SteeringError(str(error)) from error

    async def _kill(self, arguments: dict[str, Any]) -> str:
        await self._system.kill(arguments["name"])
        return self._said(f"killed {arguments['name']}; its supervisor starts it again")

    async def _restart(self, arguments: dict[str, Any]) -> str:
        await self._system.restart(arguments["name"])
        return self._said(f"restarted {arguments['name']}")

    async def _quarantine(self, arguments: dict[str, Any]) -> str:
        await self._system.quarantine(arguments["name"])
        return self._said(f"quarantined {arguments['name']}; release brings it back")

    async def _release(self, arguments: dict[str, Any]) -> str:
        await self._system.release(arguments["name"])
        if self._system.find(arguments["name"]).name == RISK:
            # Everybody has to introduce themselves to a risk manager that is new.
            await self._system.restart(RISK)
        return self._said(f"released {arguments['name']}")

    async def _pause(self, _arguments: dict[str, Any]) -> str:
        await self._ask(Pause(PERSON))
        return "paused: no new entries until resume"

    async def _reduce(self, _arguments: dict[str, Any]) -> str:
        await self._ask(Reduce(PERSON))
        return "reducing: positions are closed and none is opened, until resume"

    async def _resume(self, _arguments: dict[str, Any]) -> str:
        # A lost connection, a halt or an account that differs is not a person's to resume from.
        left = await self._ask(Resume(PERSON))
        return f"resumed, but nothing is bought yet: {'; '.join(left)}" if left else "resumed"

    async def _halt(self, arguments: dict[str, Any]) -> str:
        cancel_exits = arguments.get("exits", "keep") == "cancel"
        is_kept = await self._ask(HaltTrading(arguments["reason"], PERSON, cancel_exits))
        exits = "cancelled" if cancel_exits else "kept"
        said = f"halted: entries are cancelled, exits {exits}; end it with clear"
        return said if is_kept else f"{said}; {NOT_KEPT}"

    async def _clear(self, arguments: dict[str, Any]) -> str:
        if not await self._ask(ClearHalt(arguments["reason"], PERSON)):
            raise SteeringError("nothing is halted")
        return "the halt is cleared"

    async def _flatten(self, _arguments: dict[str, Any]) -> str:
        closing = await self._ask(Flatten(PERSON))
        return f"{closing} positions are being closed at what the book pays; entries are paused"

    async def _force_close(self, arguments: dict[str, Any]) -> str:
        ticker = arguments["ticker"]
        if not await self._ask(ForceClose(ticker, PERSON)):
            raise SteeringError(f"{ticker} holds nothing that could be closed here")
        return f"{ticker} is being closed at what the book pays"

    async def _reconcile(self, _arguments: dict[str, Any]) -> str:
        before = await self._ask(ShowComparison())
        await self._ask(ReadAccount())
        number = before.number if before is not None else 0
        last = before
        with trio.move_on_after(READING_TIMEOUT_S):
            while last is None or last.number <= number:
                await trio.sleep(READING_STEP_S)
                last = await self._ask(ShowComparison())
        if last is None:
            raise SteeringError("the account has not been read yet: look at the connections")
        age_ms = self._photographer.parts.clock.wall_ms() - last.at_ms
        late = "" if last.number > number else f" (read {age_ms // 1000} s ago, and not since)"
        return f"{last.text}{late}"

    async def _accept(self, arguments: dict[str, Any]) -> str:
        answer = await self._ask(AcceptAccount(arguments.get("by", PERSON)))
        if not answer.done:
            raise SteeringError(answer.text)
        return f"accepted, trading goes on by Kalshi's account: {answer.text}"

    async def _limit(self, arguments: dict[str, Any]) -> str:
        change_e6 = MoneyE6(arguments["change_cents"] * ONE_CENT_E6)
        limit_e6 = await self._ask(ChangeLimit(change_e6, PERSON))
        return f"the exposure limit is {dollars(limit_e6)}"

    async def _set(self, arguments: dict[str, Any]) -> str:
        key, text = arguments["key"].strip(), arguments["value"].strip()
        by = one_line(arguments.get("by", PERSON), BY_LENGTH_MAX)
        answer = await self._ask(ChangeSetting(key, text, by))
        if not answer.done:
            raise SteeringError(answer.text)
        if not arguments.get("write", False):
            return f"{answer.text}, in all markets, until the engine ends"
        return f"{answer.text}, in all markets, and {await self._written(key)}"

    async def _written(self, key: str) -> str:
        """Write a setting in force to the file of this engine, and say what came of it."""
        settings = self._photographer.parts.settings
        file = settings.file
        if file is None:
            return (
                "not written: the engine reads no settings file; start it with --settings FILE,"
                " which may be empty"
            )
        try:
            await self._off_loop(partial(write_value, file, key, settings.value(key)))
        except SettingsError as error:
            return f"not written: {error}"
        return f"written to {file}"

    async def _stop_engine(self, arguments: dict[str, Any]) -> str:
        self._stop.request("a person asked", exits=arguments.get("exits"))
        return "stopping: entries are cancelled first"

    async def _fault(self, arguments: dict[str, Any]) -> str:
        on = arguments["switch"] == "on"
        answer = await self._ask_world("switch", name=arguments["name"], on=on)
        return self._said(str(answer["text"]))

    async def _faults_off(self, _arguments: dict[str, Any]) -> str:
        return self._said(str((await self._ask_world("all_off"))["text"]))

    async def _ask_world(self, verb: str, **arguments: Any) -> dict[str, Any]:
        if self._world is None:
            raise SteeringError(
                "only the simulated world has faults to switch: this engine runs in"
                f" {self._photographer.mode}"
            )
        try:
            return await self._world.ask(verb, **arguments)
        except WorldRefused as error:
            raise SteeringError(str(error)) from None

    async def _ask(self, message: object) -> Any:
        return await self._system.address(RISK).ask(message, timeout_s=ASK_TIMEOUT_S)

    def _said(self, text: str) -> str:
        self._photographer.parts.board.say("PERSON", text)
        return text


class Control(Actor):
    """Serves the control socket for as long as it lives."""

    def __init__(self, ctx: Context, server: ControlServer) -> None:
        super().__init__(ctx)
        self._server = server

    def receive(self, message: object) -> None:
        """Nobody tells the control actor anything."""
        self.ctx.dead_letter(message, "not for control")

    async def start(self) -> None:
        """Open the socket; raises what that raises."""
        self._server.open()

    async def run(self) -> None:
        """Serve clients until stopped."""
        await self._server.serve()

    def __repr__(self) -> str:
        return f"<Control {self._server!r}>"
