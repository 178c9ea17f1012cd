"""The fuzzer: that it finds nothing, that it would find something, and what it has found."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arb.core.book import Book
from arb.core.sequence import SequenceGuard
from arb.engine.board import OTHER_REASONS, REASON_LENGTH_MAX, REASONS_MAX, Board
from arb.io.clock import SystemClock
from arb.journal.frames import frame
from arb.kalshi import answers
from arb.kalshi.answers import Operation, Refused
from tools.fuzzing import main as program
from tools.fuzzing.corpus import Corpus, make_corpus
from tools.fuzzing.endpoints import ENDPOINTS
from tools.fuzzing.findings import Tally
from tools.fuzzing.guided import MISSING
from tools.fuzzing.mutate import DEPTHS, VALUES, damaged
from tools.fuzzing.targets import (
    PLAIN,
    TARGETS,
    try_answer,
    try_body,
    try_frame,
    try_journal,
    try_tape,
)

# A hundredth of what tools/fuzz throws unasked.
COUNT = program.COUNT // 100


@pytest.fixture(scope="module", name="corpus")
def corpus_fixture() -> Corpus:
    """Return the messages to damage."""
    return make_corpus()


@pytest.mark.slow
def test_nothing_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    """No crash, no wrong book, every message accepted or rejected, every rejected one counted."""
    assert program.main(["--count", str(COUNT), "--seed", "7"]) == 0

    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is True
    assert report["mutations"] >= COUNT
    assert report["rejected"] == report["counted"] > COUNT / 3
    for name, tally in report["targets"].items():
        assert tally["accepted"] + tally["rejected"] == tally["mutations"] > 0, name
    assert report["targets"]["books"]["notes"]["books equal"] > COUNT


def test_the_same_seed_makes_the_same_damage(corpus: Corpus) -> None:
    """A finding can be made again from its seed and its number."""
    first, second, other = (
        [damaged(random.Random(f"{seed}/{n}"), raw, corpus.frames) for n in range(50)]
        for seed in (1, 1, 2)
        for raw in corpus.frames[:1]
    )
    assert first == second
    assert first != other


def _never_a_gap(self: SequenceGuard, seq: int) -> bool:
    self.expected = seq + 1
    return True


def _never_told(self: Board, source: str, reason: str, example: str) -> None:
    """Count nothing."""


def _never_crossed(self: Book) -> None:
    """Look at nothing."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "owner, name, broken, what",
    [
        (SequenceGuard, "next", _never_a_gap, "cannot be known"),
        (Board, "note_bad", _never_told, "not counted"),
        (Book, "_check_crossed", _never_crossed, "cannot be known"),
    ],
)
def test_a_defect_would_be_found(
    owner: type,
    name: str,
    broken: Callable[..., object],
    what: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With one rule broken the books are found wrong, and the line says how to see it again."""
    monkeypatch.setattr(owner, name, broken)

    assert program.main(["--count", "3000", "books"]) == 1

    captured = capsys.readouterr()
    assert what in captured.err
    assert "tools/fuzz --seed 1 --case" in captured.err
    assert json.loads(captured.out)["findings"]


def test_an_answer_taken_for_what_it_is_not_would_be_found(
    monkeypatch: pytest.MonkeyPatch, corpus: Corpus
) -> None:
    """A 502 that passed for a refusal would lose an order."""
    monkeypatch.setattr(answers, "_CERTAIN_REFUSALS", answers._CERTAIN_REFUSALS | {502})
    assert isinstance(answers.sort(502, b""), Refused)
    with pytest.raises(Exception, match="passes for a refusal"):
        try_answer(Operation.CREATE, 502, b"")


# What fuzzing has found.

DEEP = [(left, right, depth) for depth in DEPTHS for left, right in (("[", "]"), ('{"a":', "}"))]


@pytest.mark.parametrize("left, right, depth", DEEP)
def test_brackets_by_the_thousand_are_refused(left: str, right: str, depth: int) -> None:
    """They were parsed, could not be written into the refusal, and killed whoever read them."""
    nested = f"{left * depth}1{right * depth}"
    delta = f'{{"type":"orderbook_delta","sid":{nested},"seq":1,"msg":{{}}}}'
    assert try_frame(delta.encode()) is not None
    assert try_frame(f'{{"type":{nested}}}'.encode()) is not None
    for name, endpoint in ENDPOINTS.items():
        body = nested if endpoint.rows is None else f'{{"{endpoint.rows}":[{nested}]}}'
        assert try_body(name, body.encode())[0] is not None, name
    assert try_answer(Operation.CREATE, 201, f'{{"order_id":{nested}}}'.encode()) == "unknown"
    assert try_answer(Operation.CREATE, 400, f'{{"error":[{nested}]}}'.encode()) == "refused"
    odds = '{"type":"updated","id":"1","bookie":"B","markets":[{"name":"ML","odds":'
    assert PLAIN["odds"](f'{odds}[{{"home":{nested},"away":2}}]}}]}}'.encode()) is not None
    assert PLAIN["requests"](f'{{"id":1,"do":{nested}}}'.encode()) == "bad request"
    assert try_tape(f'{{"at_ms":{nested},"feed":1,"source":1,"raw":1}}'.encode()) is not None
    assert try_tape(f'{{"format":"arb-tape","version":{nested}}}'.encode()) is not None
    payload = f'{{"n":1,"k":{nested},"t":1,"d":{{}}}}'.encode()
    assert try_journal(frame(payload)) == "no record"
    payload = f'{{"n":1,"k":"report","t":1,"d":{{"type":{nested}}}}}'.encode()
    assert try_journal(frame(payload)) == "no record"


def test_a_change_of_no_market_is_malformed() -> None:
    """An empty ticker passed for one that is not ours."""
    delta = b'{"type":"orderbook_delta","sid":1,"seq":1,"msg":{"market_ticker":"",'
    delta += b'"side":"yes","price_dollars":"0.5000","delta_fp":"1.00"}}'
    assert try_frame(delta) == "a field has the wrong type"


def test_reasons_are_bounded() -> None:
    """A sender that invents types fills neither memory nor screen: what is more is one kind."""
    board = Board(SystemClock())
    for number in range(REASONS_MAX + 50):
        board.note_bad("S", f"unknown type {number} {'x' * 500}", "example")

    assert len(board.bad) == REASONS_MAX + 1
    assert board.bad["S", OTHER_REASONS].count == 50
    assert all(len(reason) <= REASON_LENGTH_MAX for _, reason in board.bad)


# The same targets with damage of hypothesis' own, which it makes smaller when it finds something.

JSON = st.recursive(
    st.sampled_from(VALUES) | st.text(max_size=8) | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@settings(max_examples=COUNT // 2)
@given(st.data())
def test_no_message_raises_anything_else(corpus: Corpus, data: st.DataObject) -> None:
    """Each parser gives a value or its own refusal, whatever is put into a whole message."""
    messages = {
        "frames": corpus.frames,
        "odds": corpus.odds,
        "requests": corpus.requests,
        "tape": corpus.tape,
    }
    name = data.draw(st.sampled_from(list(messages)))
    document = json.loads(data.draw(st.sampled_from(messages[name])).split(b"\n")[0])
    holder = document
    while isinstance(holder, dict) and holder:
        key = data.draw(st.sampled_from(sorted(holder)))
        if data.draw(st.booleans()) or not isinstance(holder[key], dict):
            holder[key] = data.draw(JSON)
            break
        holder = holder[key]
    PLAIN[name](json.dumps(document).encode("utf-8", "surrogatepass"))


@settings(max_examples=COUNT // 2)
@given(st.sampled_from(sorted(PLAIN)), st.binary(max_size=200))
def test_no_bytes_raise_anything_else(name: str, raw: bytes) -> None:
    """Noise is refused."""
    PLAIN[name](raw)


# The program.


def test_atheris_is_optional(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without it one line says so."""
    monkeypatch.setitem(__import__("sys").modules, "atheris", None)

    assert program.main(["--atheris"]) == 1
    assert capsys.readouterr().err.strip() == MISSING


@pytest.mark.parametrize("arguments", [["nothing"], ["--count", "0"]])
def test_wrong_usage_is_said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What is no target and no count ends with 2."""
    with pytest.raises(SystemExit) as ended:
        program.main(arguments)
    assert ended.value.code == 2


def test_every_target_has_its_share(corpus: Corpus) -> None:
    """The shares are of one whole, and a case of each target counts what it throws."""
    assert sum(target.share for target in TARGETS.values()) == pytest.approx(1.0)
    for name, target in TARGETS.items():
        tally = Tally()
        for case in range(4):
            target.case(random.Random(case), corpus, tally, [])
        assert tally.mutations > 0, name
