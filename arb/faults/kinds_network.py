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
    stage.wires[component].each(do)


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


def _network(name: str, apply: Callable[[Stage, str, Random], Heal | None]) -> Kind:
    return Kind(name, NETWORK, COMPONENTS, apply)


def _frames(name: str, change: SetFrames) -> Kind:
    return Kind(name, FEED, SOCKETS, partial(_set_frames, change))


KINDS = (
    _network("refused", partial(_refused, Refusal.REFUSED)),
    _network("no-name", partial(_refused, Refusal.NO_NAME)),
    _network("bad-tls", partial(_refused, Refusal.BAD_TLS)),
    _network("no-answer", partial(_refused, Refusal.NO_ANSWER)),
    _network("reset", partial(_all, WiredConnection.reset)),
    _network("reset-in-mid-frame", partial(_set, _reset_in)),
    _network("closed", partial(_all, WiredConnection.end)),
    _network("half-open", partial(_all, WiredConnection.lose_peer)),
    _network("black-hole", partial(_set, _hole)),
    _network("slow-drip", partial(_set, _drip)),
    _network("one-byte-slices", partial(_set, _slices)),
    _network("latency", partial(_set, _latency)),
    _frames("frozen", _freeze),
    _frames("lagging", _lag),
    _frames("message-lost", partial(_count, "lose", 3)),
    _frames("message-repeated", partial(_count, "repeat", 4)),
    _frames("messages-swapped", partial(_count, "swap", 2)),
    _frames("garbage", partial(_count, "garble", 12)),
    _frames("odd-numbers", partial(_count, "odd_numbers", 8)),
    _frames("flood", partial(_count, "flood", 2_000)),
    Kind("book-vanishes", FEED, ("odds stream",), _vanish),
    Kind("wrong-prices", FEED, ("odds stream",), _wrong_prices),
    Kind("swapped-sides", FEED, ("odds stream",), _swapped_sides),
    Kind("sequence-gap", FEED, ("exchange",), _skipped),
)
