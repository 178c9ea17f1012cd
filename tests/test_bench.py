"""Tests of the benchmarks: that each measures something, never how fast it was."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from arb.kalshi.wire import BookDelta, BookSnapshot, parse_frame
from tools.benchmarks import (
    actors,
    attached,
    books,
    console,
    halting,
    journal,
    lane,
    main,
    odds,
    path,
    posting,
    replay,
    rude,
)
from tools.benchmarks.engine import open_rig
from tools.benchmarks.figures import (
    BenchmarkFailed,
    Figure,
    as_json,
    latencies,
    number,
    quantile,
    rate,
    show,
    single,
)
from tools.benchmarks.waiting import until
from tools.benchmarks.world import BookMessages, OddsMessages, make_world

TINY: dict[str, Callable[[], list[Figure]]] = {
    "path": lambda: path.run(path.Plan(markets=10, frames=10, rare_frames=1, load_per_s=1_000)),
    "journal": lambda: journal.run(
        journal.Plan(markets=10, wishes=5, appends=10, load_per_s=1_000, records=20_000)
    ),
    "books": lambda: books.run(books.Plan(markets=10, messages=100, through_actors=100)),
    "odds": lambda: odds.run(odds.Plan(quotes=400, games=8)),
    "replay": lambda: replay.run(replay.Plan(markets=10, messages=400, densities=(2,))),
    "actors": lambda: actors.run(
        actors.Plan(messages=2_000, waits=3, asks=20, actors=20, restarts=2)
    ),
    "console": lambda: console.run(
        console.Plan(markets=10, many_markets=80, watched_s=0.3, keys=2, rows=3, hours=1)
    ),
    "attached": lambda: attached.run(attached.Plan(markets=10, turns=1, frames=5)),
    # Longer than the engine waits for a client that takes nothing.
    "rude": lambda: rude.run(rude.Plan(markets=10, load_per_s=100, alone_s=0.2, seconds=9.0)),
    "lane": lambda: lane.run(lane.Plan(orders=3)),
    "halt": lambda: halting.run(halting.Plan(orders=5, rounds=1)),
}


@pytest.mark.slow
@pytest.mark.parametrize("topic", TINY)
def test_each_topic_measures_something(topic: str) -> None:
    """Every figure is a finite number above nothing, under its own topic."""
    figures = TINY[topic]()

    assert figures
    for figure in figures:
        assert figure.topic == topic
        assert figure.values
        assert all(math.isfinite(value) and value > 0 for value in figure.values.values())


def test_every_topic_can_be_asked_for() -> None:
    """What is tried here is what the program offers."""
    assert TINY.keys() == main.TOPICS.keys()


def test_the_lane_is_measured_against_requests_or_what_it_stands_on() -> None:
    """The standard library's client stands in for requests where that is not installed."""
    httpx = ["httpx", "httpx/2"]
    assert posting.judged([*httpx, "requests", "http.client"]) == [*httpx, "requests"]
    assert posting.judged([*httpx, "http.client"]) == [*httpx, "http.client"]


@pytest.mark.slow
async def test_each_odds_frame_becomes_one_order(tmp_path: Path) -> None:
    """The engine that is measured trades: as many purchases leave as frames were told."""
    async with open_rig(10, tmp_path) as rig:
        assert rig.sink.exits == 3
        # Those of the start may have come before the first signatures were ready.
        await rig.signatures.prepare()
        late_before = rig.signatures.made_late
        for told in range(1, 6):
            rig.odds_feed.tell(rig.frame(rig.odds_change()))
            with trio.fail_after(5):
                await until(lambda: rig.sink.entries == told and not rig.sink.unanswered)  # noqa: B023

        assert rig.sink.entries == 5
        assert b"KALSHI-ACCESS-SIGNATURE" in rig.sink.last_request
        assert rig.signatures.made_late == late_before
        assert (tmp_path / "journal").read_bytes().count(b'"intent"') >= 5


def test_a_world_has_the_markets_asked_for() -> None:
    """Games are matched, and one market of each asks less than it is worth."""
    world = make_world(20)

    assert len(set(world.tickers)) == 20
    assert len(world.favourites) == 10
    places = [world.tickers.index(ticker) % 2 for ticker in world.favourites]
    assert places == [0, 1] * 5


def test_book_messages_are_in_sequence_and_go_again() -> None:
    """Every second round takes away what the one before it brought."""
    messages = BookMessages(make_world(4))
    snapshots = [parse_frame(raw) for raw in messages.snapshots()][2:]
    deltas = [parse_frame(messages.delta()) for _ in range(8)]

    assert all(isinstance(each, BookSnapshot) for each in snapshots)
    changes = [each for each in deltas if isinstance(each, BookDelta)]
    assert [each.seq for each in changes] == list(range(6, 14))
    came, went = changes[:4], changes[4:]
    assert [(each.price_e4, each.delta_e2) for each in came] == [
        (each.price_e4, -each.delta_e2) for each in went
    ]


def test_odds_messages_never_repeat_a_price() -> None:
    """Each change of a book is another price than its last one."""
    world = make_world(4)
    messages = OddsMessages(world, quiet=1)
    last = {
        (line["id"], line["bookie"]): line["markets"]
        for frame in messages.first(0)
        for line in map(json.loads, frame.splitlines())
    }

    for _ in range(60):
        change = json.loads(messages.change(0))
        key = change["id"], change["bookie"]
        assert last[key] != change["markets"]
        last[key] = change["markets"]
    assert len({event_id for event_id, _ in last}) == 2


def test_a_quantile_is_one_of_the_values() -> None:
    """The middle of three is the second; of none there is no quantile."""
    assert quantile([30, 10, 20], 0.5) == 20
    assert quantile([30, 10, 20], 0.99) == 30
    with pytest.raises(BenchmarkFailed, match="nothing was measured"):
        quantile([], 0.5)


def test_a_figure_knows_whether_it_reaches_its_target() -> None:
    """Durations reach a target from above, rates from below, and some figures have none."""
    took = latencies("t", "waits", [1_000, 2_000, 3_000], {"p50": 2.0, "p99": 2.5})
    fast = rate("t", "messages", 100, 1_000_000_000, 99.0)

    assert took.reached("p50") is True
    assert took.reached("p99") is False
    assert took.reached("p90") is None
    assert fast.values == {"value": 100.0}
    assert fast.reached("value") is True


def test_figures_are_shown_as_a_table_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Both have the value, the unit and the target."""
    figures = [single("one", "start", "s", 0.25, 1.0), latencies("two", "wait", [1_500])]

    show(figures, "a machine")
    shown = capsys.readouterr().out
    read = json.loads(as_json(figures, "a machine"))

    assert "0.25 s" in shown
    assert "≤ 1.00" in shown
    assert "1.50 µs" in shown
    assert read["machine"] == "a machine"
    assert read["figures"][0]["values"] == {"value": 0.25}
    assert read["figures"][0]["reached"] == {"value": True}


@pytest.mark.parametrize(
    ("value", "text"), [(0.1234, "0.12"), (12.34, "12.3"), (123.4, "123"), (12_345.6, "12,346")]
)
def test_numbers_have_about_three_digits(value: float, text: str) -> None:
    """What is beyond the third digit is noise."""
    assert number(value) == text


def test_an_unknown_topic_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong arguments end with exit code 2 and the topics that there are."""
    with pytest.raises(SystemExit) as ended:
        main.main(["nothing"])

    assert ended.value.code == 2
    assert "lane" in capsys.readouterr().err


def test_a_measurement_that_means_nothing_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program says in one line what went wrong, and ends with exit code 1."""

    def broken(_quick: bool) -> list[Figure]:
        raise BenchmarkFailed("no order came")

    monkeypatch.setitem(main.TOPICS, "path", broken)

    assert main.main(["path"]) == 1
    assert "benchmark failed: no order came" in capsys.readouterr().err
