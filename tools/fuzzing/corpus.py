"""What is damaged: whole messages, from the simulated world and, where they are there, recorded.

The simulated world speaks every kind of message; the recorded bytes have what it may not think of.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import orjson

from arb.engine.control_requests import VERBS
from arb.sim.exchange.placing import place
from arb.sim.exchange.values import BookSide, OrderRequest
from arb.sim.odds.stream import Filters, OddsSession
from arb.sim.rest.app import PREFIX, RestApp
from arb.sim.serving.http import make_request
from arb.sim.serving.socket import Outbox
from arb.sim.signatures import KeyRing
from arb.sim.simulation import MEMBER, Simulation, SimulationSettings
from arb.sim.websocket.server import ClientSession
from arb.tape.format import Feed, Record, header_line, record_line
from tools.benchmarks.world import make_world
from tools.fuzzing.endpoints import ENDPOINTS

RECORDED = Path(__file__).resolve().parents[2].parent / "shared" / "data"

# A body of hundreds of rows shows nothing that three of them do not.
ROWS_MAX = 3

EPOCH_MS = 1_795_000_000_000
_STEPS = 400
_TAPE_MARKETS = 4
_STEP_MS = 50

_CHANNELS = (
    "orderbook_delta", "ticker", "trade", "fill", "user_orders", "market_positions",
    "market_lifecycle_v2",
)  # fmt: skip

# Messages of the exchange's own documents that neither the world nor a recording has.
_DOCUMENTED = (
    b'{"id":7,"type":"ok","sid":1,"seq":9,"msg":{"market_tickers":["A","B"]}}',
    b'{"id":7,"type":"error","msg":{"code":25,"msg":"Subscription buffer overflow"}}',
    b'{"type":"unsubscribed","sid":1,"seq":10,"id":3}',
    b'{"type":"event_fee_update","msg":{"event_ticker":"E","fee_multiplier_override":0.5}}',
)

_ORDER = b'{"order_id":"o-1","client_order_id":"c-1","fill_count":"1.00","remaining_count":"9.00"}'
_CANCELED = b'{"order_id":"o-1","client_order_id":"c-1","reduced_by":"9.00"}'
_ERRORS = (
    b'{"error":{"code":"invalid_order","message":"invalid order","details":"post only cross"}}',
    b'{"code":"not_found","message":"not found"}',
    b'{"error":"too many requests"}',
    b"404 page not found\n",
    b"",
)


@attrs.frozen
class Corpus:
    """Whole messages of each kind; ``bodies`` are by the name of what was asked for."""

    frames: tuple[bytes, ...]
    bodies: Mapping[str, tuple[bytes, ...]]
    answers: tuple[bytes, ...]
    odds: tuple[bytes, ...]
    requests: tuple[bytes, ...]
    tape: tuple[bytes, ...]


def make_corpus(recorded: Path = RECORDED) -> Corpus:
    """Return the messages of a simulated world, and the recorded ones where they are there."""
    world = _World()
    frames = [*world.frames(), *_DOCUMENTED, *_recorded_frames(recorded)]
    bodies = {name: [*world.bodies(name), *_recorded_bodies(recorded, name)] for name in ENDPOINTS}
    return Corpus(
        tuple(frames),
        {name: tuple(found) for name, found in bodies.items()},
        (_ORDER, _CANCELED, *_ERRORS, *_recorded_answers(recorded)),
        (*world.odds(), *_recorded_odds(recorded)),
        tuple(_requests()),
        tuple(_tape(frames)),
    )


class _Clock:
    now_ms = EPOCH_MS

    def wall_ms(self) -> int:
        return self.now_ms


class _Admitting(KeyRing):
    """Takes everybody for the member: signatures are tested elsewhere."""

    def account_of(self, *_arguments: object, **_more: object) -> str:
        return MEMBER


class _World:
    """A minute of a small simulated world, and everything it said."""

    def __init__(self) -> None:
        clock = _Clock()
        made = self._simulation = Simulation(SimulationSettings(seed=4, games=2), clock)
        self._session = ClientSession(made.venue, made.member, lambda _session: None)
        made.venue.listeners.append(self._session)
        command = {"id": 1, "cmd": "subscribe", "params": {"channels": _CHANNELS}}
        command["params"] |= {"use_yes_price": True, "market_tickers": list(made.venue.markets)}  # type: ignore[operator]
        self._session.received(orjson.dumps(command).decode())
        self._odds = OddsSession(
            made.desk, Filters(["ML"], [], [], [], ""), lambda _session: None, with_seq=True,
            last_seq=None,
        )  # fmt: skip
        made.desk.listeners.append(self._odds)
        for step in range(_STEPS):
            clock.now_ms += _STEP_MS
            made.step(_STEP_MS / 1_000)
            if step in (20, 40):
                self._trade()

    def __repr__(self) -> str:
        return f"<_World of {self._simulation!r}>"

    def _trade(self) -> None:
        """Buy what is offered, and leave an order that rests."""
        venue = self._simulation.venue
        for market in list(venue.markets.values())[:2]:
            ask_e4 = market.book.best_e4(BookSide.ASK)
            if ask_e4 is None:
                continue
            for price_e4 in (ask_e4, 100):
                wish = OrderRequest(market.ticker, BookSide.BID, 500, price_e4)
                place(venue, self._simulation.member, wish)

    def frames(self) -> Iterator[bytes]:
        """Yield some of each type of frame."""
        seen: dict[str, int] = {}
        for text in drained(self._session.outbox):
            kind = orjson.loads(text)["type"]
            seen[kind] = seen.get(kind, 0) + 1
            if seen[kind] <= ROWS_MAX:
                yield text.strip().encode()

    def odds(self) -> Iterator[bytes]:
        """Yield the first frames of the odds."""
        for text in drained(self._odds.outbox)[:12]:
            yield text.encode()

    def bodies(self, name: str) -> Iterator[bytes]:
        """Yield what the exchange answers when it is asked for this."""
        endpoint = ENDPOINTS[name]
        if endpoint.provider == "odds":
            return
        app = RestApp(self._simulation.venue, _Admitting())
        request = make_request("GET", PREFIX + self._target(endpoint.target), {}, b"")
        answer = app(request)
        if answer.status == 200:  # noqa: PLR2004 - HTTP's own number
            yield _fewer_rows(orjson.loads(answer.body))

    def _target(self, target: str) -> str:
        event = next(iter(self._simulation.venue.markets.values())).event
        return target.format(series=event.series.ticker, event=event.ticker)


def drained(outbox: Outbox) -> list[str]:
    """Return the frames of an outbox, and leave it empty."""
    frames = list(outbox._frames)  # noqa: SLF001 - its own reader waits, and there is no loop here
    outbox._frames.clear()  # noqa: SLF001 - likewise
    return frames


def _fewer_rows(content: Any) -> bytes:
    if isinstance(content, dict):
        for name, value in content.items():
            if isinstance(value, list):
                content[name] = value[:ROWS_MAX]
    return orjson.dumps(content)


def _recorded_frames(recorded: Path) -> Iterator[bytes]:
    for path in sorted((recorded / "kalshi" / "recorded").glob("*/ws_*.jsonl")):
        for line in path.read_bytes().splitlines()[:60]:
            if line.strip():
                content = orjson.loads(line)
                yield orjson.dumps(content.get("frame", content))


def _recorded_bodies(recorded: Path, name: str) -> Iterator[bytes]:
    for pattern in ENDPOINTS[name].recorded:
        for path in sorted((recorded / "kalshi" / "recorded").glob(pattern)):
            content = orjson.loads(path.read_bytes())
            yield _fewer_rows(content.get("payload", content))


def _recorded_answers(recorded: Path) -> Iterator[bytes]:
    for path in sorted((recorded / "kalshi" / "recorded").glob("demo-*/orders__*.json")):
        if not path.name.endswith(".meta.json"):
            yield path.read_bytes()


def _recorded_odds(recorded: Path) -> Iterator[bytes]:
    path = recorded / "odds" / "samples" / "odds_api_io_ws.jsonl"
    if path.is_file():
        yield from (line for line in path.read_bytes().splitlines() if line)


def _tape(frames: Iterable[bytes]) -> Iterator[bytes]:
    yield header_line(make_world(_TAPE_MARKETS).header)
    for raw in frames:
        yield record_line(Record(EPOCH_MS, Feed.BOOKS, "kalshi", raw.decode()))


def _requests() -> Iterator[bytes]:
    rng = random.Random(0)
    for number, (verb, arguments) in enumerate(VERBS.items()):
        given: dict[str, Any] = {"id": number, "do": verb}
        for name, argument in arguments.items():
            text = rng.choice(argument.values) if argument.values else "KXNFLGAME"
            given[name] = text if argument.kind is str else 5
        yield orjson.dumps(given)
