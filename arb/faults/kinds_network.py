"""Faults of the network and of what the feeds send: one wire each, by toxics as toxiproxy's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

from arb.faults.stage import Heal, Kind, Stage
from arb.faults.wire_connection import WiredConnection
from arb.faults.wire_faults import FrameFaults, Refusal, WireFaults
from arb.faults.wires import COMPONENTS, SOCKETS

NETWORK = "network"
FEED = "feed"

Set = Callable[[WireFaults, Random], None]
SetFrames = Callable[[FrameFaults, Random], None]


def _refused(refusal: Refusal, stage: Stage, component: str, _dice: Random) -> Heal:
    wire = stage.wires[component]
    wire.faults.refusal = refusal
    # Without a loss nobody would try to connect.
    wire.each(WiredConnection.reset)

    def heal() -> None:
        wire.faults.refusal = None
        if refusal is Refusal.NO_ANSWER:
            wire.poke()

    return heal


def _all(do: Callable[[WiredConnection], None], stage: Stage, component: str, _: Random) -> None:
    stage.met[f"{do.__name__} {component}"] += stage.wires[component].each(do)


def _each_met(do: Callable[[WiredConnection], None], stage: Stage, component: str) -> int:
    return stage.met[f"{do.__name__} {component}"]


def _wire_met(name: str, stage: Stage, component: str) -> int:
    return stage.wires[component].faults.hits[name]


def _frames_met(name: str, stage: Stage, component: str) -> int:
    return stage.wires[component].faults.frames.hits[name]


def _odds_met(condition: str, stage: Stage, _component: str) -> int:
    return stage.odds.strikes[condition]


def _set(change: Set, stage: Stage, component: str, dice: Random) -> Heal:
    wire = stage.wires[component]
    change(wire.faults, dice)
    wire.poke()

    def heal() -> None:
        fresh = WireFaults()
        faults = wire.faults
        faults.hole, faults.reset_in, faults.slices = fresh.hole, fresh.reset_in, fresh.slices
        faults.drip_bytes, faults.latency_s = fresh.drip_bytes, fresh.latency_s
        wire.poke()

    return heal


def _set_frames(change: SetFrames, stage: Stage, component: str, dice: Random) -> Heal:
    wire = stage.wires[component]
    change(wire.faults.frames, dice)
    wire.poke()

    def heal() -> None:
        wire.faults.frames.clear()
        wire.poke()

    return heal


def _hole(faults: WireFaults, _dice: Random) -> None:
    faults.hole = True


def _reset_in(faults: WireFaults, dice: Random) -> None:
    faults.reset_in = dice.randint(1, 400)


def _slices(faults: WireFaults, dice: Random) -> None:
    faults.slices = dice.randint(50, 600)


def _drip(faults: WireFaults, dice: Random) -> None:
    faults.drip_bytes = dice.choice((16, 64, 256))


def _latency(faults: WireFaults, dice: Random) -> None:
    faults.latency_s = dice.choice((0.05, 0.3, 1.0, 5.0))


def _freeze(frames: FrameFaults, _dice: Random) -> None:
    frames.held = True


def _lag(frames: FrameFaults, dice: Random) -> None:
    frames.lag_s = dice.choice((0.2, 1.0, 3.0, 6.0))


def _count(name: str, most: int, frames: FrameFaults, dice: Random) -> None:
    setattr(frames, name, dice.randint(1, most))


def _vanish(stage: Stage, _component: str, dice: Random) -> Heal:
    books = stage.simulation.desk.books
    gone = set(dice.sample(books, dice.randint(1, len(books))))
    stage.odds.absent_books |= gone
    return stage.odds.absent_books.clear


def _wrong_prices(stage: Stage, _component: str, dice: Random) -> Heal:
    stage.odds.shift = dice.choice((0.03, -0.03, 0.08, -0.08))

    def heal() -> None:
        stage.odds.shift = 0.0

    return heal


def _swapped_sides(stage: Stage, _component: str, _dice: Random) -> Heal:
    stage.odds.swap_sides = True

    def heal() -> None:
        stage.odds.swap_sides = False

    return heal


def _skipped(stage: Stage, _component: str, dice: Random) -> None:
    stage.exchange.skip_sequences = dice.choice((1, 7))


def _refusing(name: str, refusal: Refusal) -> Kind:
    struck = partial(_wire_met, refusal.value)
    return Kind(name, NETWORK, COMPONENTS, partial(_refused, refusal), struck)


def _breaking(name: str, do: Callable[[WiredConnection], None]) -> Kind:
    return Kind(name, NETWORK, COMPONENTS, partial(_all, do), partial(_each_met, do))


def _wire(name: str, change: Set, hit: str) -> Kind:
    return Kind(name, NETWORK, COMPONENTS, partial(_set, change), partial(_wire_met, hit))


def _frames(name: str, change: SetFrames, hit: str) -> Kind:
    return Kind(name, FEED, SOCKETS, partial(_set_frames, change), partial(_frames_met, hit))


def _counted(name: str, field: str, most: int) -> Kind:
    return _frames(name, partial(_count, field, most), field)


def _odds(name: str, condition: str, apply: Callable[[Stage, str, Random], Heal]) -> Kind:
    return Kind(name, FEED, ("odds stream",), apply, partial(_odds_met, condition))


def _numbers_skipped(stage: Stage, _component: str) -> int:
    return stage.exchange.strikes["skip_sequences"]


KINDS = (
    _refusing("refused", Refusal.REFUSED),
    _refusing("no-name", Refusal.NO_NAME),
    _refusing("bad-tls", Refusal.BAD_TLS),
    _refusing("no-answer", Refusal.NO_ANSWER),
    _breaking("reset", WiredConnection.reset),
    _wire("reset-in-mid-frame", _reset_in, "reset in mid-frame"),
    _breaking("closed", WiredConnection.end),
    _breaking("half-open", WiredConnection.lose_peer),
    _wire("black-hole", _hole, "hole"),
    _wire("slow-drip", _drip, "drip"),
    _wire("one-byte-slices", _slices, "slice"),
    _wire("latency", _latency, "latency"),
    _frames("frozen", _freeze, "held"),
    _frames("lagging", _lag, "late"),
    _counted("message-lost", "lose", 3),
    _counted("message-repeated", "repeat", 4),
    _counted("messages-swapped", "swap", 2),
    _counted("garbage", "garble", 12),
    _counted("odd-numbers", "odd_numbers", 8),
    _counted("flood", "flood", 2_000),
    _odds("book-vanishes", "absent_books", _vanish),
    _odds("wrong-prices", "shift", _wrong_prices),
    _odds("swapped-sides", "swap_sides", _swapped_sides),
    Kind("sequence-gap", FEED, ("exchange",), _skipped, _numbers_skipped),
)
