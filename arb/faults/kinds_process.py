"""Faults of the process and its machine: actors, kills, signals, disk, clock, and people."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Any

from actors import MailboxFull, UnknownActor
from arb.faults.kill_points import KillPoint
from arb.faults.saboteur import ANY_MARKET, Planned, Prank
from arb.faults.stage import Heal, Kind, Stage

PROCESS = "process"
DISK = "disk"
CLOCK = "clock"
PERSON = "person"

ACTORS = ("journal", "risk", "gateway", "books", "odds", ANY_MARKET)
HEARING = ("risk", "gateway", "books", "odds", ANY_MARKET)
RUNNING = ("gateway", "books", "odds", "journal")
ENGINE = ("engine",)

# More than any supervisor restarts within a minute, those above it counted in.
STORM_CRASHES = 40


def _at_message(prank: Prank, stage: Stage, component: str, dice: Random) -> Heal:
    for _ in range(dice.randint(1, 2)):
        seconds = dice.choice((0.05, 0.4, 2.0))
        stage.saboteur.plan(component, Planned(prank, dice.randrange(60), seconds))
    return stage.saboteur.forget


def _storm(stage: Stage, component: str, dice: Random) -> Heal:
    """Let an actor crash at each of its next messages, more often than its supervisor bears."""
    name = stage.actor(component, dice)
    for _ in range(STORM_CRASHES):
        stage.saboteur.plan(name, Planned(Prank.CRASH))

    def heal() -> None:
        stage.saboteur.forget()
        if component == ANY_MARKET:
            stage.insist("release", name=name)

    return heal


def _suspended(stage: Stage, _component: str, dice: Random) -> Heal:
    stage.saboteur.plan("books", Planned(Prank.BLOCK, dice.randrange(20), dice.uniform(20, 90)))
    return stage.saboteur.forget


def _at_life(prank: Prank, verb: str, stage: Stage, component: str, dice: Random) -> Heal:
    name = stage.actor(component, dice)
    stage.saboteur.plan(name, Planned(prank))
    stage.steer(verb, name=name)
    return stage.saboteur.forget


def _run_fails(stage: Stage, component: str, _dice: Random) -> None:
    stage.saboteur.fail_run(component)


def _steered(verb: str, stage: Stage, component: str, dice: Random) -> None:
    stage.steer(verb, name=stage.actor(component, dice))


def _quarantined(stage: Stage, component: str, dice: Random) -> Heal:
    name = stage.actor(component, dice)
    stage.steer("quarantine", name=name)
    return partial(stage.insist, "release", name=name)


def _flooded(stage: Stage, component: str, dice: Random) -> None:
    engine = stage.machine.engine
    if engine is None:
        return
    try:
        address = engine.system.address(stage.actor(component, dice))
    except UnknownActor:
        # The game has ended: its markets are not listed any more.
        return
    for number in range(dice.choice((100, 3_000))):
        try:
            address.tell(f"junk {number}")
        except MailboxFull:
            stage.trace.sometimes["a mailbox refused"] += 1
            return


def _killed_at(point: KillPoint, stage: Stage, _component: str, dice: Random) -> Heal:
    stage.machine.kill_point = (point, dice.randint(1, 6))

    def heal() -> None:
        stage.machine.kill_point = None

    return heal


def _killed(stage: Stage, _component: str, _dice: Random) -> None:
    stage.machine.kill()


def _power(stage: Stage, _component: str, dice: Random) -> None:
    stage.machine.lose_power(dice)


def _power_at_write(stage: Stage, _component: str, dice: Random) -> Heal:
    stage.machine.power_point = (dice.randint(1, 6), dice)

    def heal() -> None:
        stage.machine.power_point = None

    return heal


def _signals(count: int, stage: Stage, _component: str, dice: Random) -> None:
    for number in range(count):
        stage.later(number * dice.choice((0.0, 0.05, 0.6)), stage.machine.signal)


def _stopped_at_start(stage: Stage, _component: str, dice: Random) -> None:
    stage.machine.kill()
    # The machine waits half a second before it starts the engine again.
    stage.later(0.5 + dice.choice((0.0, 0.001, 0.01)), stage.machine.signal)


def _no_space(stage: Stage, _component: str, dice: Random) -> Heal:
    stage.disk.write_fails_in = dice.randrange(12)
    return stage.mend_disk


def _half_write(stage: Stage, component: str, dice: Random) -> Heal:
    stage.disk.writes_half = True
    return _no_space(stage, component, dice)


def _sync_fails(stage: Stage, _component: str, dice: Random) -> Heal:
    stage.disk.sync_fails_in = dice.randrange(3)
    return stage.mend_disk


def _slow_sync(stage: Stage, _component: str, _dice: Random) -> Heal:
    stage.machine.sync_takes_s = 2.0

    def heal() -> None:
        stage.machine.sync_takes_s = 0.0

    return heal


def _stepped(seconds: tuple[float, ...], stage: Stage, _component: str, dice: Random) -> Heal:
    stage.clock.step(dice.choice(seconds))
    return stage.clock.correct


def _drifting(rate: float, stage: Stage, _component: str, _dice: Random) -> Heal:
    stage.clock.drift(rate)
    return stage.clock.correct


def _paused(stage: Stage, _component: str, _dice: Random) -> Heal:
    stage.steer("pause")
    return partial(stage.insist, "resume")


def _reducing(stage: Stage, _component: str, _dice: Random) -> Heal:
    stage.steer("reduce")
    return partial(stage.insist, "resume")


def _halted(exits: str, stage: Stage, _component: str, _dice: Random) -> Heal:
    stage.steer("halt", reason="a drill", exits=exits)
    return partial(stage.insist, "clear", reason="the drill is over")


def _limited(stage: Stage, _component: str, _dice: Random) -> Heal:
    stage.steer("limit", change_cents=-1_000_000)
    return partial(stage.insist, "limit", change_cents=1_000_000)


def _flattened(stage: Stage, _component: str, _dice: Random) -> Heal:
    stage.steer("flatten")
    return partial(stage.insist, "resume")


def _force_closed(stage: Stage, _component: str, dice: Random) -> None:
    held = [t for t, held in stage.simulation.member.positions.items() if held.count_e2]
    if held:
        stage.steer("force_close", ticker=dice.choice(sorted(held)))


def _process(name: str, components: tuple[str, ...], apply: Any) -> Kind:
    return Kind(name, PROCESS, components, apply)


KINDS = (
    _process("crash", HEARING, partial(_at_message, Prank.CRASH)),
    _process("deep-crash", HEARING, partial(_at_message, Prank.DEEP_CRASH)),
    _process("restart-storm", HEARING, _storm),
    _process("loop-blocked", HEARING, partial(_at_message, Prank.BLOCK)),
    _process("suspended", ENGINE, _suspended),
    _process("work-fails", RUNNING, _run_fails),
    _process("start-fails", ACTORS, partial(_at_life, Prank.START_FAILS, "kill")),
    _process("start-hangs", ACTORS, partial(_at_life, Prank.START_HANGS, "kill")),
    _process("stop-hangs", ACTORS, partial(_at_life, Prank.STOP_HANGS, "restart")),
    _process("actor-killed", ACTORS, partial(_steered, "kill")),
    _process("actor-restarted", ACTORS, partial(_steered, "restart")),
    _process("actor-quarantined", ACTORS, _quarantined),
    _process("mailbox-flood", ACTORS, _flooded),
    _process("kill-9", ENGINE, _killed),
    *(
        _process(f"kill-9-{point.replace(' ', '-')}", ENGINE, partial(_killed_at, point))
        for point in KillPoint
    ),
    _process("sigterm", ENGINE, partial(_signals, 1)),
    _process("sigint-twice", ENGINE, partial(_signals, 2)),
    _process("signal-at-start", ENGINE, _stopped_at_start),
    Kind("power-loss", DISK, ("journal",), _power),
    Kind("power-loss-at-write", DISK, ("journal",), _power_at_write),
    Kind("no-space", DISK, ("journal",), _no_space),
    Kind("half-write", DISK, ("journal",), _half_write),
    Kind("sync-fails", DISK, ("journal",), _sync_fails),
    Kind("slow-sync", DISK, ("journal",), _slow_sync),
    Kind("step-forward", CLOCK, ENGINE, partial(_stepped, (3.0, 15.0, 3_600.0))),
    Kind("step-back", CLOCK, ENGINE, partial(_stepped, (-3.0, -15.0, -3_600.0))),
    Kind("drift-fast", CLOCK, ENGINE, partial(_drifting, 0.2)),
    Kind("drift-slow", CLOCK, ENGINE, partial(_drifting, -0.2)),
    Kind("paused", PERSON, ENGINE, _paused),
    Kind("reducing", PERSON, ENGINE, _reducing),
    Kind("halted", PERSON, ENGINE, partial(_halted, "keep")),
    Kind("halted-without-exits", PERSON, ENGINE, partial(_halted, "cancel")),
    Kind("limit-lowered", PERSON, ENGINE, _limited),
    Kind("flattened", PERSON, ENGINE, _flattened),
    Kind("force-closed", PERSON, ("market",), _force_closed),
)
