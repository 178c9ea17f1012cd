"""The engine as people are shown it: the snapshot at any moment and the report at the end."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import orjson
import pytest
import trio

from actors import SupervisorSpec, open_system
from arb.engine.board import LOG_LINES_KEPT, Board, LogLine
from arb.engine.report import trading_report
from arb.engine.snapshot import A_TURN, Photographer, counts
from arb.engine.steering import EngineSteering
from arb.engine.stopping import StopRequest
from arb.io.clock import VirtualClock
from arb.settings import Mode
from tests.engine.market_bench import StillClock, bench_parts, note

OpenRig = Callable[..., Any]

SCHEMA: dict[str, set[str]] = {
    "trading": {"state", "reasons"},
    "account": {
        "balance_e6",
        "exposure_e6",
        "exposure_limit_e6",
        "day_e6",
        "day_loss_max_e6",
        "exposure_limit_max_e6",
        "realised_e6",
        "unrealised_e6",
        "fees_e6",
    },
    "connections": {"name", "connected", "since_ms", "age_ms", "detail"},
    "markets": {
        "ticker",
        "game",
        "team",
        "start_ms",
        "fair",
        "bid_e4",
        "bid_size_e2",
        "ask_e4",
        "ask_size_e2",
        "edge_e4",
        "net_e4",
        "buys",
        "action",
        "reason",
        "odds_age_ms",
        "books",
        "latency_us",
        "position_e2",
        "yes_cost_e4",
        "no_cost_e4",
        "actor",
    },
    "positions": {
        "ticker",
        "count_e2",
        "entry_e4",
        "exit_e4",
        "exit_remaining_e2",
        "by_hand_e2",
        "unrealised_e6",
        "realised_e6",
    },
    "trades": {
        "at_ms",
        "side",
        "count_e2",
        "ticker",
        "price_e4",
        "liquidity",
        "what",
        "pnl_e6",
        "latency_us",
    },
    "log": {"seq", "at_ms", "level", "tag", "text"},
    "actors": {
        "name",
        "path",
        "depth",
        "kind",
        "state",
        "generation",
        "restarts",
        "restart_limit",
        "mailbox_length",
        "mailbox_capacity",
        "mailbox_peak",
        "dropped",
        "handled",
        "handling_for_ms",
        "last_error",
        "uptime_ms",
    },
    "counts": {
        "orders",
        "fills",
        "exits",
        "exits_missing",
        "reversals",
        "decisions",
        "refusals",
        "bad_input",
        "invariant_checks",
        "invariant_violations",
    },
    "bad_input": {"source", "reason", "count", "example", "at_ms"},
}
PLAIN = {"v", "seq", "at_ms", "mode", "mode_words", "version", "world", "uptime_ms"}

REPORTED = {
    "decisions",
    "orders",
    "fills",
    "exits",
    "refusals",
    "cash_e6",
    "positions",
    "pnl_e6",
    "exposure_max_e6",
    "invariant_checks",
    "invariant_violations",
}


def read(picture: dict[str, Any]) -> dict[str, Any]:
    """Return a picture as whoever is sent it reads it."""
    decoded: dict[str, Any] = orjson.loads(orjson.dumps(picture))
    return decoded


async def test_a_picture_of_a_busy_engine_has_the_whole_schema(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Everything that is promised is there, as JSON, and every market says why it does what."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.held_e2) and len(rig.board.trades) >= 6)
        rig.simulation.odds.inject_frame("rubbish")
        await trio.sleep(0.05)
        picture = read(rig.steering.snapshot())

        assert set(picture) >= PLAIN | set(SCHEMA)
        for name, fields in SCHEMA.items():
            rows = picture[name] if isinstance(picture[name], list) else [picture[name]]
            assert rows, name
            for row in rows:
                assert set(row) == fields, name
        assert all(row["reason"] and row["action"] for row in picture["markets"])
        assert len(picture["markets"]) == len(rig.markets())
        assert picture["mode_words"] == "SIMULATED WORLD"
        assert picture["trades"][0]["at_ms"] >= picture["trades"][-1]["at_ms"]
        assert picture["log"][0]["seq"] < picture["log"][-1]["seq"]


async def test_the_picture_agrees_with_the_exchange(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Cash, positions, average prices and what is on sale are the exchange's own."""
    async with open_rig() as rig:
        await rig.until(lambda: len(rig.held_e2) >= 2)
        await trio.sleep(0.5)
        picture = read(rig.steering.snapshot())

        assert picture["account"]["balance_e6"] == rig.account.total_cash_e6
        assert {p["ticker"]: p["count_e2"] for p in picture["positions"]} == rig.held_e2
        for shown in picture["positions"]:
            true = rig.account.positions[shown["ticker"]]
            assert shown["entry_e4"] == -(-true.cost_e6 // abs(true.count_e2))
            on_sale = [o for o in rig.resting() if o.ticker == shown["ticker"]]
            assert shown["exit_remaining_e2"] == sum(o.remaining_e2 for o in on_sale)
            assert shown["exit_e4"] in {o.price_e4 for o in on_sale}
        fees_e6 = sum(p.fees_e6 for p in rig.account.positions.values())
        realised_e6 = sum(p.realised_e6 for p in rig.account.positions.values())
        assert picture["account"]["fees_e6"] == fees_e6
        assert picture["account"]["realised_e6"] == realised_e6 - fees_e6


async def test_numbers_of_pictures_rise(open_rig: OpenRig, autojump_clock: object) -> None:
    """Each picture has the next number, and time goes on in it."""
    async with open_rig() as rig:
        first = rig.steering.snapshot()
        await trio.sleep(3)
        second = rig.steering.snapshot()

        assert second["seq"] == first["seq"] + 1
        assert second["uptime_ms"] - first["uptime_ms"] == 3_000


async def test_the_report_says_what_a_run_came_to(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """All its fields are there, and its profit is what the exchange's own books say."""
    async with open_rig() as rig:
        await rig.until(lambda: rig.board.counts["fills"] >= 6)
        report = read(trading_report(rig.parts))

        assert set(report) >= REPORTED
        assert report["cash_e6"] == rig.account.total_cash_e6
        held = {t: p["count_e2"] for t, p in report["positions"].items()}
        assert held == rig.held_e2
        worth_e6 = sum(p["mark_e4"] * abs(p["count_e2"]) for p in report["positions"].values())
        assert report["pnl_e6"] == report["cash_e6"] + worth_e6 - 10_000_000_000
        assert report["exposure_max_e6"] <= 500_000_000
        assert report["invariant_checks"] >= report["orders"] >= 1
        assert report["latency_us"]["p50"] <= report["latency_us"]["p99"]


def picture_of(parts: Any) -> dict[str, Any]:
    """Return a picture of an engine in which nothing runs yet."""
    return Photographer(parts, "paper", "w", parts.clock.wall_ms()).take(())


def test_a_picture_before_anything_runs() -> None:
    """Nothing has been heard yet, and it says so."""
    parts = bench_parts(clock=StillClock())
    picture = read(picture_of(parts))

    assert picture["trading"]["state"] == "starting"
    assert picture["account"] == {}
    assert {row["reason"] for row in picture["markets"]} == {"nothing heard yet"}
    assert {row["actor"] for row in picture["markets"]} == {"absent"}
    report = trading_report(parts)
    assert (report["cash_e6"], report["pnl_e6"], report["latency_us"]) == (0, 0, None)


async def test_a_picture_of_many_actors_lets_others_have_their_turn() -> None:
    """The loop is not held for as long as it takes to look at every actor."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    parts = bench_parts()
    many = tuple(note(f"n{number}", []) for number in range(5 * A_TURN))
    spec = SupervisorSpec("root", many)
    async with open_system(spec, rng=random.Random(0)) as system, trio.open_nursery() as nursery:
        steering = EngineSteering(Photographer(parts, "sim", "w", 0), StopRequest(), system)
        nursery.start_soon(count)
        await trio.lowlevel.checkpoint()
        before = turns
        picture = await steering.picture()
        nursery.cancel_scope.cancel()

    assert len(picture["actors"]) == len(many) + 1
    assert turns - before >= 4


def test_the_board_keeps_the_last_of_everything() -> None:
    """Lines are numbered and limited, bad input has its last example, cut to a length."""
    lines: list[Any] = []
    board = Board(StillClock(), lines.append)
    for number in range(LOG_LINES_KEPT + 5):
        board.say("ENGINE", f"line {number}")
    board.note_bad("S", "r", "first")
    board.note_bad("S", "r", "x" * 1_000)
    board.note_bad("T", "r", "other")

    assert len(board.log) == LOG_LINES_KEPT
    assert len(lines) == LOG_LINES_KEPT + 5
    assert (board.bad["S", "r"].count, len(board.bad["S", "r"].example)) == (2, 200)
    assert counts(board)["bad_input"] == {"r": 3}
    assert "markets=0" in repr(board)


@pytest.mark.parametrize("error", [BrokenPipeError(32, "Broken pipe"), ValueError("closed file")])
def test_a_line_that_cannot_be_passed_on_is_counted_and_kept(error: Exception) -> None:
    """Whoever says it goes on; a person sees how many lines were lost, and why."""

    def fail(_line: LogLine) -> None:
        raise error

    board = Board(StillClock(), fail)
    board.say("RISK", "first")
    board.say("RISK", "second")

    assert [line.text for line in board.log] == ["first", "second"]
    (bad,) = board.bad.values()
    assert (bad.source, bad.count, bad.example) == ("log", 2, str(error))


async def test_connections_have_a_since_and_an_age(autojump_clock: object) -> None:
    """The moment of a change stays while nothing changes; each proof of life is newer."""
    board = Board(VirtualClock(0))
    board.alive("Odds", 0)
    assert board.connections == {}
    board.connection("Odds", connected=False, detail="connecting")
    assert board.connections["Odds"].alive_ms is None
    await trio.sleep(1)
    board.connection("Odds", connected=True, detail="4 games")
    await trio.sleep(1)
    board.connection("Odds", connected=True, detail="4 games")
    line = board.connections["Odds"]
    assert (line.since_ms, line.alive_ms) == (1_000, 2_000)
    await trio.sleep(1)
    board.alive("Odds", 400)
    board.connection("Odds", connected=False, detail="lost")
    line = board.connections["Odds"]
    assert (line.connected, line.since_ms, line.alive_ms) == (False, 3_000, 2_600)


@pytest.mark.parametrize("mode", list(Mode))
def test_every_mode_is_said_in_words(mode: Mode) -> None:
    """No mode is without words for the screen."""
    assert mode.words
