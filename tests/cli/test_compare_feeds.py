"""Two sources of odds side by side, as a person types it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import orjson
import pytest
import trio

from arb.cli.app import main
from arb.cli.compare_feeds import as_json
from arb.core.events import Quote, QuoteOrigin
from arb.engine.comparing import CompareFailed, LiveComparison, compare_tapes
from arb.faults.engine import ODDS, venues_of
from arb.io.clock import VirtualClock
from arb.io.memory import MemoryNetwork
from arb.io.teams_file import packaged_teams
from arb.settings import OddsFeed, Settings
from arb.sim.simulation import Simulation, SimulationSettings
from arb.tape.format import Feed, Record
from arb.tape.polled import Reading, reading_text
from arb.tape.reader import TapeReader
from arb.tape.writer import TapeWriter
from tests.engine.conftest import EPOCH_MS
from tests.engine.test_odds_providers import QUICK
from tests.engine.test_replay_tape import BEGINS_MS, header, odds

TABLE = packaged_teams()


def tape_of(path: Path, lag_ms: int) -> Path:
    """Write a tape of one provider, on which a book moves so late."""
    writer = TapeWriter(path, header())
    for at_ms, home, away in ((0, "1.95", "1.87"), (1_000 + lag_ms, "1.60", "2.35")):
        raw = odds("FanDuel", home, away, BEGINS_MS + at_ms)
        writer.append(Record(BEGINS_MS + at_ms, Feed.ODDS, "odds-api-io", raw))
    writer.close()
    return path


def run(*words: str) -> int:
    """Run a command and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(["compare-feeds", *words])
    code = ended.value.code
    return code if isinstance(code, int) else 0


def test_two_tapes_say_who_moved_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half a second ahead, one move; both names are the tapes' where the provider is the same."""
    one, other = tape_of(tmp_path / "one.tape", 500), tape_of(tmp_path / "other.tape", 0)
    assert run(str(one), str(other), "--json") == 0
    said = orjson.loads(capsys.readouterr().out)

    assert said["providers"] == ["one.tape", "other.tape"]
    assert said["games_in_common"] == 1
    (book,) = said["books"]
    assert (book["first"]["moved_first"], book["second"]["moved_first"]) == (0, 1)
    assert book["lead_p50_ms"] == 500

    assert run(str(one), str(other)) == 0
    assert "FanDuel" in capsys.readouterr().out


def test_one_tape_needs_two_providers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A tape of one provider alone has nothing to be compared with."""
    assert run(str(tape_of(tmp_path / "one.tape", 0))) == 1
    assert "1 providers on tape" in capsys.readouterr().err


def test_one_tape_of_two_providers_is_compared(tmp_path: Path) -> None:
    """What was read on demand counts as well; what is of no common game does not."""
    one = header().odds_events[0]
    more = attrs.evolve(header(), odds_events=(one, attrs.evolve(one, provider="unabated")))
    writer = TapeWriter(tmp_path / "both.tape", more)
    quote = Quote("unabated", "1", "FanDuel", 1.95, 1.87, BEGINS_MS, BEGINS_MS, QuoteOrigin.POLL)
    other = attrs.evolve(quote, event_id="2")
    for at_ms, raw in (
        (0, reading_text(Reading((quote, other)))),
        (10, reading_text(Reading((), []))),
    ):
        writer.append(Record(BEGINS_MS + at_ms, Feed.POLLED, "unabated", raw))
    raw = odds("FanDuel", "1.95", "1.87", BEGINS_MS + 20)
    writer.append(Record(BEGINS_MS + 20, Feed.ODDS, "odds-api-io", raw))
    writer.append(Record(BEGINS_MS + 20, Feed.BOOKS, "kalshi", "{}"))
    writer.close()
    compared = compare_tapes([tmp_path / "both.tape"], TABLE)

    assert compared.names == ("odds-api-io", "unabated")
    (row,) = compared.rows
    assert [side.games for side in row.sides] == [1, 1]


def test_a_broken_reading_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says which tape."""
    paths = [tape_of(tmp_path / name, 0) for name in ("one.tape", "other.tape")]
    with TapeReader(paths[0]) as reader:
        records = list(reader)
    writer = TapeWriter(tmp_path / "broken.tape", header())
    writer.append(attrs.evolve(records[0], feed=Feed.POLLED))
    writer.close()

    assert run(str(tmp_path / "broken.tape"), str(paths[1])) == 1
    assert "broken.tape: a reading cannot be understood" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words, said",
    [
        (("a", "b", "c"), "3 tapes are too many"),
        (("--seconds", "0"), "over before they begin"),
        (("--provider", "nobody", "--provider", "opticodds"), "unknown provider"),
        (("--provider", "opticodds"), "two providers are compared"),
        (("--mode", "live", "--provider", "opticodds", "--provider", "unabated"), "needs"),
    ],
)
def test_what_is_typed_wrongly_exits_with_2(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says what was wrong."""
    assert run(*words) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("providers", [("odds-api-io", "opticodds"), ("unabated", "the-odds-api")])
async def test_two_providers_of_one_world_agree(
    providers: tuple[str, str], autojump_clock: object
) -> None:
    """All games in common, every book at both, the polled one later, and little disagreement."""
    compared = await listen(providers, 90)

    assert compared["games_in_common"] == compared["games"]["first"] == 4
    assert len(compared["books"]) == 6
    for book in compared["books"]:
        assert book["first"]["games"] == book["second"]["games"] == 4
        assert book["first"]["changes"] > 10
        assert book["apart_mean"] < 0.02
    firsts = sum(book["first"]["moved_first"] for book in compared["books"])
    seconds = sum(book["second"]["moved_first"] for book in compared["books"])
    if "the-odds-api" in providers:
        assert firsts > 10 * seconds


async def test_providers_without_a_game_in_common_are_not_compared(
    autojump_clock: object,
) -> None:
    """One line says so."""
    with pytest.raises(CompareFailed, match="no game in common"):
        await listen(("odds-api-io", "opticodds"), 5, games=0)


async def listen(providers: tuple[str, str], seconds: float, games: int = 4) -> Any:
    """Compare two providers of a simulated world in virtual time; half-way both are cut off."""
    clock = VirtualClock(EPOCH_MS)
    world = Simulation(SimulationSettings(games=games), clock)
    chosen = attrs.evolve(Settings(), odds_feed=OddsFeed(provider=providers, the_odds_api=QUICK))
    try:
        async with trio.open_nursery() as nursery:
            network = MemoryNetwork(nursery)
            network.listen(*ODDS, world.odds.serve_stream)
            nursery.start_soon(world.run)
            one, other = venues_of(world, "key", providers=providers).odds
            live = LiveComparison(network, clock, chosen, (one, other), TABLE)
            assert repr(live) == f"<LiveComparison {providers[0]} / {providers[1]}>"
            nursery.start_soon(cut_after, world, seconds / 2)
            compared = as_json(await live.run(seconds))
            nursery.cancel_scope.cancel()
    except* CompareFailed as group:
        raise CompareFailed(str(group.exceptions[0])) from group
    return compared


async def cut_after(world: Simulation, seconds: float) -> None:
    """Cut every connection once; nothing can be read for a while."""
    await trio.sleep(seconds)
    world.odds_conditions.rest_status = 503
    world.odds.cut_connections()
    await trio.sleep(2)
    world.odds_conditions.rest_status = None


def test_tapes_of_two_providers_need_one_each(tmp_path: Path) -> None:
    """Of two tapes each must say whose it is."""
    path = tmp_path / "none.tape"
    TapeWriter(path, attrs.evolve(header(), odds_events=())).close()
    with pytest.raises(CompareFailed, match="holds 0 providers"):
        compare_tapes([path, path], TABLE)
