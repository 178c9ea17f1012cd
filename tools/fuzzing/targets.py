"""What is fuzzed: each parser with what it may give back, and what must never come of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import attrs
import orjson
import trio

from arb.engine.control_requests import BadRequest, parse_request, refusal
from arb.feeds.base import FeedError
from arb.feeds.odds_api_io import OddsApiIo
from arb.feeds.odds_api_wire import parse_frame as parse_odds
from arb.io.http import Http, HttpAnswer
from arb.io.net import Network
from arb.io.text import one_line
from arb.journal.frames import JournalDamaged, frame, scan
from arb.journal.records import NotARecord, decode
from arb.journal.recovery import recover
from arb.kalshi.answers import (
    Accepted,
    Amended,
    Canceled,
    Operation,
    Refused,
    Unknown,
    sort,
)
from arb.kalshi.rest import Rest
from arb.kalshi.rest_calls import RestError
from arb.kalshi.sign import RequestSigner
from arb.kalshi.wire import Ignored, Malformed, parse_frame
from arb.tape.format import parse_header, parse_record
from tools.fuzzing import books
from tools.fuzzing.corpus import EPOCH_MS, Corpus
from tools.fuzzing.endpoints import ENDPOINTS
from tools.fuzzing.findings import Tally, Wrong
from tools.fuzzing.mutate import damaged
from tools.fuzzing.records import RECORDS
from tools.fuzzing.values import check, check_line

# One case: make a message with the generator, put it in the list, try it, and count it.
Case = Callable[[random.Random, Corpus, Tally, list[bytes]], None]


def try_frame(raw: bytes) -> str | None:
    """Parse one frame of the exchange; returns why it was refused."""
    try:
        value = parse_frame(raw)
    except Malformed as malformed:
        check_line(malformed.text, "the example")
        return str(malformed.reason)
    check(value)
    return "ignored" if isinstance(value, Ignored) else None


def try_body(name: str, raw: bytes) -> tuple[str | None, int]:
    """Read one answer of REST; returns why it was refused, and how many rows were counted bad."""
    endpoint = ENDPOINTS[name]
    if endpoint.provider == "odds":
        return _try_odds_body(name, raw)
    http = cast("Http", _OneBody(raw, endpoint.rows))
    rest = Rest(http, cast("RequestSigner", _Unsigned()), _Clock(), "https://x")
    try:
        value = trio.run(endpoint.read, rest)
    except RestError as error:
        check_line(str(error), "the error")
        return "unusable", sum(rest.bad.values())
    check(value)
    bad = sum(rest.bad.values())
    if endpoint.rows is not None:
        rows = orjson.loads(raw)[endpoint.rows]
        if len(rows) != len(value) + bad or (bad and not endpoint.tolerant):
            raise Wrong(f"{len(rows)} rows gave {len(value)} values and {bad} bad ones")
    return ("bad rows" if bad else None), bad


def _try_odds_body(name: str, raw: bytes) -> tuple[str | None, int]:
    http = cast("Http", _OneBody(raw, None))
    feed = OddsApiIo(http, cast("Network", None), _Clock(), "https://x", "wss://x", "key")
    try:
        value = trio.run(ENDPOINTS[name].read, feed)
    except FeedError as error:
        check_line(str(error), "the error")
        return "unusable", 0
    check(value)
    bad = sum(feed.bad.values())
    return ("bad rows" if bad else None), bad


STATUSES = (200, 201, 204, 400, 401, 403, 404, 409, 410, 429, 500, 502, 503, 504, 302, 100, 999)
_DONE: Mapping[Operation, type] = {
    Operation.CREATE: Accepted,
    Operation.CANCEL: Canceled,
    Operation.AMEND: Amended,
    Operation.DECREASE: Amended,
}


def try_answer(operation: Operation, status: int, raw: bytes) -> str | None:
    """Sort one answer to an order; returns the verdict if it is not that the order was taken."""
    verdict = sort(status, raw, operation)
    check(verdict)
    if isinstance(verdict, Refused):
        check_line(f"{verdict.code} {verdict.text}", "the refusal")
        if not 400 <= status < 500:  # noqa: PLR2004 - HTTP's own numbers
            raise Wrong(f"HTTP {status} passes for a refusal")
        return "refused"
    if isinstance(verdict, Unknown):
        check_line(verdict.why, "why it is unknown")
        return "unknown"
    if not 200 <= status < 300 or not isinstance(verdict, _DONE[operation]):  # noqa: PLR2004
        raise Wrong(f"HTTP {status} to {operation} passes for {verdict!r}")
    if orjson.loads(raw)["order_id"] != verdict.order_id:
        raise Wrong(f"{verdict!r} is not the order of the answer")
    return None


def try_odds(raw: bytes) -> str | None:
    """Parse one frame of the odds: every line of it is a quote, a notice or bad.

    A bad price takes the one before it away as well, by a quote that is suspended.
    """
    parsed = parse_odds(raw, EPOCH_MS)
    lines = sum(1 for line in raw.split(b"\n") if line.strip())
    pieces = len(parsed.quotes) + len(parsed.bad) + len(parsed.notices)
    taken_away = sum(1 for quote in parsed.quotes if quote.suspended)
    if not lines <= pieces <= lines + min(taken_away, len(parsed.bad)):
        raise Wrong(f"{lines} lines gave {pieces} pieces")
    check(parsed)
    for quote in parsed.quotes:
        if not (quote.home > 1 and quote.away > 1):
            raise Wrong(f"odds that cannot be: {quote!r}")
    for bad in parsed.bad:
        check_line(f"{bad.reason} {bad.example}", "the example")
    return str(parsed.bad[0].reason) if parsed.bad else None


def try_request(raw: bytes) -> str | None:
    """Read one line of the control socket."""
    try:
        parse_request(raw)
    except BadRequest as bad:
        check_line(refusal(str(bad))["error"][:200], "the refusal")
        return "bad request"
    return None


def try_journal(raw: bytes) -> str | None:
    """Read a journal back, record by record."""
    try:
        recover(decode(payload) for payload in scan(raw).payloads)
    except JournalDamaged:
        return "damaged"
    except NotARecord:
        return "no record"
    return None


def try_tape(raw: bytes) -> str | None:
    """Read one line of a tape as its first line and as any other."""
    why = []
    for read in (parse_header, parse_record):
        try:
            read(raw)
        except ValueError as error:
            check_line(one_line(error), "what is wrong")
            why.append(str(error).partition(":")[0][:40])
    return why[-1] if len(why) > 1 else None


# How each case is made.


def _frames(rng: random.Random, corpus: Corpus, tally: Tally, sent: list[bytes]) -> None:
    sent.append(damaged(rng, rng.choice(corpus.frames), corpus.frames))
    _note(tally, try_frame(sent[-1]))


def _books(rng: random.Random, corpus: Corpus, tally: Tally, sent: list[bytes]) -> None:
    books.play(rng, corpus.frames, tally, sent)


def _bodies(rng: random.Random, corpus: Corpus, tally: Tally, sent: list[bytes]) -> None:
    name = rng.choice(list(ENDPOINTS))
    whole = corpus.bodies[name] or rng.choice([found for found in corpus.bodies.values() if found])
    sent.append(damaged(rng, rng.choice(whole), whole))
    reason, bad = try_body(name, sent[-1])
    tally.add(None if reason is None else f"{name}: {reason}")
    tally.counted += reason is not None
    tally.notes["bad rows"] += bad


def _answers(rng: random.Random, corpus: Corpus, tally: Tally, sent: list[bytes]) -> None:
    sent.append(damaged(rng, rng.choice(corpus.answers), corpus.answers))
    _note(tally, try_answer(rng.choice(list(Operation)), rng.choice(STATUSES), sent[-1]))


def _odds(rng: random.Random, corpus: Corpus, tally: Tally, sent: list[bytes]) -> None:
    sent.append(damaged(rng, rng.choice(corpus.odds), corpus.odds))
    _note(tally, try_odds(sent[-1]))


def _requests(rng: random.Random, corpus: Corpus, tally: Tally, sent: list[bytes]) -> None:
    sent.append(damaged(rng, rng.choice(corpus.requests), corpus.requests))
    _note(tally, try_request(sent[-1]))


def _journal(rng: random.Random, _corpus: Corpus, tally: Tally, sent: list[bytes]) -> None:
    # Half the time the damage is within a payload whose checksum fits: only its words are wrong.
    payloads = list(RECORDS)
    if rng.random() < 0.5:  # noqa: PLR2004 - half of all
        place = rng.randrange(len(payloads))
        payloads[place] = damaged(rng, payloads[place], payloads)[:10_000] or b"0"
        sent.append(b"".join(frame(payload) for payload in payloads))
    else:
        sent.append(damaged(rng, b"".join(frame(payload) for payload in payloads), payloads))
    _note(tally, try_journal(sent[-1]))


def _tape(rng: random.Random, corpus: Corpus, tally: Tally, sent: list[bytes]) -> None:
    sent.append(damaged(rng, rng.choice(corpus.tape), corpus.frames))
    _note(tally, try_tape(sent[-1]))


def _note(tally: Tally, reason: str | None) -> None:
    tally.add(reason)
    # These say no by what they return or raise, and whoever asked counts it.
    tally.counted += reason is not None


# Targets that take nothing but bytes.
PLAIN: Mapping[str, Callable[[bytes], str | None]] = {
    "frames": try_frame,
    "odds": try_odds,
    "requests": try_request,
    "journal": try_journal,
    "tape": try_tape,
}


@attrs.frozen
class Target:
    """One parser: how a case is made, and its share of all mutations."""

    case: Case
    share: float


TARGETS: Mapping[str, Target] = {
    "books": Target(_books, 0.40),
    "frames": Target(_frames, 0.18),
    "bodies": Target(_bodies, 0.12),
    "answers": Target(_answers, 0.10),
    "odds": Target(_odds, 0.10),
    "requests": Target(_requests, 0.04),
    "journal": Target(_journal, 0.03),
    "tape": Target(_tape, 0.03),
}


class _Clock:
    def wall_ms(self) -> int:
        return EPOCH_MS

    def monotonic_ns(self) -> int:
        return 0


class _Unsigned:
    """Signs nothing: nobody looks at it."""

    def headers(self, _method: str, _path: str, _wall_ms: int) -> Sequence[tuple[str, str]]:
        return ()


class _OneBody:
    """Answers the first request with a body, and all others with an empty last page."""

    def __init__(self, body: bytes, rows: str | None) -> None:
        self._body = body
        self._last = orjson.dumps({} if rows is None else {rows: [], "cursor": ""})

    async def request(self, *_arguments: Any, **_more: Any) -> HttpAnswer:
        await trio.lowlevel.checkpoint()
        body, self._body = self._body, self._last
        return HttpAnswer(200, {}, body)
