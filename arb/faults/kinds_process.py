"""Faults of the process and its machine: actors, kills, signals, disk, clock, and people."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

from actors import MailboxFull, UnknownActor
from arb.faults.kill_points import KillPoint
from arb.faults.saboteur import ANY_MARKET, Planned, Prank, hit_of
from arb.faults.stage import Heal, Kind, Stage, Struck, wish_of

PROCESS = "process"
DISK = "disk"
CLOCK = "clock"
PERSON = "person"

ACTORS = ("journal", "risk", "gateway", "books", "odds", ANY_MARKET)
HEARING = ("risk", "gateway", "books", "odds", ANY_MARKET)
RUNNING = ("gateway", "books", "odds", "journal")
APART = ("discovery",)
ENGINE = ("engine",)

Apply = Callable[[Stage, str, Random], Heal | None]

# Whom a supervisor quarantines rather than give up itself.
SET_APART = (ANY_MARKET, "discovery")

# How many messages each hears within some seconds, even where little happens: what is planned for a
# later one than that never comes.
HEARD = {"risk": 20, "gateway": 6, "books": 20, "odds": 8, ANY_MARKET: 20, "discovery": 1}

# More than any supervisor restarts within a minute, those above it counted in.
STORM_CRASHES = 40


def _prank_met(prank: Prank, stage: Stage, component: str) -> int:
    return stage.saboteur.hits[hit_of(prank, component)]


def _blocked(stage: Stage, _component: str) -> int:
    return _prank_met(Prank.BLOCK, stage, "books")


def _asked(verb: str, stage: Stage, component: str) -> int:
    return stage.met[wish_of(verb, component)]


def _person_met(verb: str, stage: Stage, _component: str) -> int:
    return stage.met[wish_of(verb, None)]


def _met(name: str, stage: Stage, component: str) -> int:
    return stage.met[f"{name} {component}"]


def _killed_point(point: KillPoint, stage: Stage, _component: str) -> int:
    return stage.trace.sometimes[f"killed {point}"]


def _disk_met(name: str, stage: Stage, _component: str) -> int:
    return stage.disk.hits[name]


def _at_message(prank: Prank, stage: Stage, component: str, dice: Random) -> Heal:
    for _ in range(dice.randint(1, 2)):
        seconds = dice.choice((0.05, 0.4, 2.0))
        stage.saboteur.plan(component, Planned(prank, dice.randrange(HEARD[component]), seconds))
    return stage.saboteur.forget


def _storm(stage: Stage, component: str, dice: Random) -> Heal:
    """Let an actor crash at each of its next messages, more often than its supervisor bears."""
    name = stage.actor(component, dice)
    for _ in range(STORM_CRASHES):
        stage.saboteur.plan(name, Planned(Prank.CRASH))

    def heal() -> None:
        stage.saboteur.forget()
        if component in SET_APART:
            stage.insist("release", name=name)

    return heal


def _suspended(stage: Stage, _component: str, dice: Random) -> Heal:
    stage.saboteur.plan("books", Planned(Prank.BLOCK, dice.randrange(20), dice.uniform(20, 90)))
    return stage.saboteur.forget


def _asleep(stage: Stage, _component: str, dice: Random) -> Heal:
    """Let the machine sleep while a message is on its way to any of those that lead to an order."""
    name = dice.choice(HEARING)
    stage.saboteur.plan(
        name, Planned(Prank.SLEEP, dice.randrange(HEARD[name]), dice.uniform(3, 90))
    )
    return stage.saboteur.forget


def _slept(stage: Stage, _component: str) -> int:
    return sum(_prank_met(Prank.SLEEP, stage, name) for name in HEARING)


def _at_life(prank: Prank, verb: str, stage: Stage, component: str, dice: Random) -> Heal:
    name = stage.actor(component, dice)
    stage.saboteur.plan(name, Planned(prank))
    stage.steer(verb, name=name)
    return stage.saboteur.forget


def _run_fails(stage: Stage, component: str, _dice: Random) -> None:
    stage.saboteur.break_run(component, Prank.RUN_FAILS)


def _run_hangs(stage: Stage, component: str, _dice: Random) -> Heal:
    """Let an actor hear and do no more work beside it, until a person restarts it."""
    stage.saboteur.break_run(component, Prank.RUN_HANGS)
    return partial(stage.insist, "restart", name=component)


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
            stage.met[f"flood {component}"] += 1
        except MailboxFull:
            stage.trace.sometimes["a mailbox refused"] += 1
            return


def _killed_at(point: KillPoint, stage: Stage, _component: str, dice: Random) -> Heal:
    stage.machine.kill_point = (point, dice.randint(1, 6))

    def heal() -> None:
        stage.machine.kill_point = None

    return heal


def _killed(stage: Stage, component: str, _dice: Random) -> None:
    stage.met[f"kill {component}"] += _is_alive(stage)
    stage.machine.kill()


def _is_alive(stage: Stage) -> bool:
    process = stage.machine.process
    return process is not None and not process.killed and not process.ended.is_set()


def _power(stage: Stage, _component: str, dice: Random) -> None:
    stage.machine.lose_power(dice)


def _power_at_write(stage: Stage, _component: str, dice: Random) -> Heal:
    stage.machine.power_point = (dice.randint(1, 6), dice)

    def heal() -> None:
        stage.machine.power_point = None

    return heal


def _signals(count: int, stage: Stage, component: str, dice: Random) -> None:
    def signal() -> None:
        stage.met[f"signal {component}"] += _is_alive(stage)
        stage.machine.signal()

    for number in range(count):
        stage.later(number * dice.choice((0.0, 0.05, 0.6)), signal)


def _stopped_at_start(stage: Stage, component: str, dice: Random) -> None:
    stage.machine.kill()

    def signal() -> None:
        stage.met[f"signal at start {component}"] += (
            _is_alive(stage) and stage.machine.engine is None
        )
        stage.machine.signal()

    # The machine waits half a second before it starts the engine again.
    stage.later(0.5 + dice.choice((0.0, 0.001, 0.01)), signal)


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


def _process(
    name: str, components: tuple[str, ...], apply: Apply, struck: Struck | None = None
) -> Kind:
    return Kind(name, PROCESS, components, apply, struck)


def _actors(name: str, components: tuple[str, ...], apply: Apply, struck: Struck) -> Kind:
    return Kind(name, PROCESS, components, apply, struck, APART)


def _crashing(name: str, prank: Prank) -> Kind:
    return _actors(name, HEARING, partial(_at_message, prank), partial(_prank_met, prank))


def _living(name: str, prank: Prank, verb: str) -> Kind:
    return _actors(name, ACTORS, partial(_at_life, prank, verb), partial(_prank_met, prank))


def _steering(name: str, verb: str) -> Kind:
    return _actors(name, ACTORS, partial(_steered, verb), partial(_asked, verb))


def _disk(name: str, apply: Apply, hit: str) -> Kind:
    return Kind(name, DISK, ("journal",), apply, partial(_disk_met, hit))


def _person(name: str, apply: Apply, verb: str, components: tuple[str, ...] = ENGINE) -> Kind:
    return Kind(name, PERSON, components, apply, partial(_person_met, verb))


KINDS = (
    _crashing("crash", Prank.CRASH),
    _crashing("deep-crash", Prank.DEEP_CRASH),
    _actors("restart-storm", HEARING, _storm, partial(_prank_met, Prank.CRASH)),
    _crashing("loop-blocked", Prank.BLOCK),
    _process("suspended", ENGINE, _suspended, _blocked),
    Kind("asleep", PROCESS, (), _asleep, _slept, rare=ENGINE),
    _actors("work-fails", RUNNING, _run_fails, partial(_prank_met, Prank.RUN_FAILS)),
    Kind(
        "run-hangs",
        PROCESS,
        (),
        _run_hangs,
        partial(_prank_met, Prank.RUN_HANGS),
        (*RUNNING, *APART),
    ),
    _living("start-fails", Prank.START_FAILS, "kill"),
    _living("start-hangs", Prank.START_HANGS, "kill"),
    _living("stop-hangs", Prank.STOP_HANGS, "restart"),
    _steering("actor-killed", "kill"),
    _steering("actor-restarted", "restart"),
    _actors("actor-quarantined", ACTORS, _quarantined, partial(_asked, "quarantine")),
    _actors("mailbox-flood", ACTORS, _flooded, partial(_met, "flood")),
    _process("kill-9", ENGINE, _killed, partial(_met, "kill")),
    *(
        _process(
            f"kill-9-{point.replace(' ', '-')}",
            ENGINE,
            partial(_killed_at, point),
            partial(_killed_point, point),
        )
        for point in KillPoint
    ),
    _process("sigterm", ENGINE, partial(_signals, 1), partial(_met, "signal")),
    _process("sigint-twice", ENGINE, partial(_signals, 2), partial(_met, "signal")),
    _process("signal-at-start", ENGINE, _stopped_at_start, partial(_met, "signal at start")),
    _disk("power-loss", _power, "bytes lost"),
    Kind(
        "power-loss-at-write",
        DISK,
        (),
        _power_at_write,
        partial(_disk_met, "bytes lost"),
        apart=("journal",),
    ),
    _disk("no-space", _no_space, "no space"),
    _disk("half-write", _half_write, "half a write"),
    _disk("sync-fails", _sync_fails, "no sync"),
    _disk("slow-sync", _slow_sync, "slow"),
    Kind("step-forward", CLOCK, ENGINE, partial(_stepped, (3.0, 15.0, 3_600.0))),
    Kind("step-back", CLOCK, ENGINE, partial(_stepped, (-3.0, -15.0, -3_600.0))),
    Kind("drift-fast", CLOCK, ENGINE, partial(_drifting, 0.2)),
    Kind("drift-slow", CLOCK, ENGINE, partial(_drifting, -0.2)),
    _person("paused", _paused, "pause"),
    _person("reducing", _reducing, "reduce"),
    _person("halted", partial(_halted, "keep"), "halt"),
    _person("halted-without-exits", partial(_halted, "cancel"), "halt"),
    _person("limit-lowered", _limited, "limit"),
    _person("flattened", _flattened, "flatten"),
    _person("force-closed", _force_closed, "force_close", ("market",)),
)
