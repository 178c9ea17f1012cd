"""The session recorded on the demo exchange, replayed request by request against ours.

It is one history: what rests, fills and is cancelled early in it decides the answers later. So
the requests go out in their recorded order, at their recorded moments, over one exchange whose
books, cash and earlier fills are those that the recorded answers tell of.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import attrs
import orjson
import trio

from arb.sim.conditions import ExchangeConditions
from arb.sim.exchange.account import Account
from arb.sim.exchange.fees import FeeSchedule
from arb.sim.exchange.lifecycle import announce, close, determine, settle
from arb.sim.exchange.markets import Event, Market, MarketStatus, Series
from arb.sim.exchange.placing import place
from arb.sim.exchange.resting import cancel
from arb.sim.exchange.values import BookSide, Lifetime, Order, OrderRequest
from arb.sim.exchange.venue import Venue
from arb.sim.signatures import KeyRing
from arb.sim.timing import MS_PER_DAY, wall_ms_from_iso
from arb.sim.websocket.server import ExchangeServer
from tests.sim.sim_client import Answer, HandClock, Json, Member

TICKER = "KXWTACHALLENGERMATCH-26JUN11JIMLEP-LEP"
TRADED_TICKER = "KXPGATOUR-USO26-JDAY"
MARKET_ID = "f5ed38e2-0991-4c8f-817e-08c4fd9cbfdb"
BEGAN_MS = 1_781_159_000_000
DOLLAR_E6 = 1_000_000
BID, ASK = BookSide.BID, BookSide.ASK


@attrs.frozen
class Recorded:
    """One recorded request and its answer."""

    name: str
    meta: Json
    body: Any

    @classmethod
    def read(cls, folder: Path, name: str) -> Recorded:
        meta = orjson.loads((folder / f"{name}.meta.json").read_bytes())
        path = folder / f"{name}.json"
        if path.exists():
            return cls(name, meta, orjson.loads(path.read_bytes()))
        lines = (folder / f"{name}.jsonl").read_bytes().splitlines()
        return cls(name, meta, [orjson.loads(line) for line in lines if line.strip()])

    @property
    def status(self) -> int:
        return int(self.meta["status"] if "status" in self.meta else self.meta["http_status"])

    @property
    def sent_ms(self) -> int:
        if "captured_at" in self.meta:
            return wall_ms_from_iso(self.meta["captured_at"])
        return int(self.meta["recorded_at_epoch_ms"])

    @property
    def taken_ms(self) -> int:
        """Return the exchange's moment where its answer tells it, else that of the request."""
        told = self.body.get("ts_ms") if isinstance(self.body, dict) else None
        return self.sent_ms if told is None else int(told)


@attrs.define
class DemoExchange:
    """An exchange in the state that the recorded session found."""

    clock: HandClock
    venue: Venue
    member: Account
    maker: Account
    market: Market
    replaced: dict[str, str] = attrs.field(factory=dict)

    @classmethod
    def build(cls) -> DemoExchange:
        clock = HandClock(BEGAN_MS)
        venue = Venue(clock, random.Random("demo"), ExchangeConditions())
        # Ten thousand cents on the default shard alone, as the recorded balance of 98.0186
        # dollars after two fills at 99 cents says.
        member = venue.open_account("member", {0: 100 * DOLLAR_E6})
        maker = venue.open_account("maker", {0: 10_000 * DOLLAR_E6})
        market = _list(venue, TICKER, MARKET_ID)
        built = cls(clock, venue, member, maker, market)
        built._begin()
        return built

    def quote(self, side: BookSide, price_e4: int, count_e2: int, ticker: str = TICKER) -> Order:
        request = OrderRequest(ticker, side, count_e2, price_e4)
        return place(self.venue, self.maker, request).order

    def _begin(self) -> None:
        for _ in range(2):
            self.quote(ASK, 9_900, 100)
            taking = OrderRequest(TICKER, BID, 100, 9_900, Lifetime.IMMEDIATE_OR_CANCEL)
            place(self.venue, self.member, taking)
        self.quote(BID, 4_700, 300)
        self.quote(ASK, 5_200, 300)
        # More than a page of each status, so that every recorded cursor has one to match.
        for index in range(210):
            _list(self.venue, f"KXOPEN-26JUN11-{index}", str(index))
        for index in range(12):
            ended = _list(self.venue, f"KXENDED-26JUN11-{index}", f"e{index}")
            close(self.venue, ended)
            determine(self.venue, ended, 10_000, "Somebody")
            if index % 2:
                settle(self.venue, ended)
        _list(self.venue, TRADED_TICKER, "golf")
        other = self.venue.open_account("other", {0: 10_000 * DOLLAR_E6})
        for _ in range(13):
            self.quote(ASK, 300, 777, TRADED_TICKER)
            place(self.venue, other, OrderRequest(TRADED_TICKER, BID, 777, 300))


def _list(venue: Venue, ticker: str, market_id: str) -> Market:
    now_ms = venue.clock.wall_ms()
    event_ticker = ticker.rpartition("-")[0]
    series = Series(
        ticker=ticker.partition("-")[0],
        title="Demo",
        tag="Tennis",
        competition="Demo",
        fees=FeeSchedule(),
        exchange_index=0,
        timer_s=60,
        target_field="tennis_competitor",
        milestone_type="tennis_match",
    )
    event = venue.events.get(event_ticker) or Event(
        event_ticker, series, "Demo", "Demo", now_ms, now_ms, "milestone", "home", "away"
    )
    close_ms = now_ms + 14 * MS_PER_DAY
    market = Market(ticker, event, "Player", "target", market_id, now_ms, close_ms, now_ms)
    announce(venue, market)
    assert market.status is MarketStatus.ACTIVE
    return market


@attrs.define
class Replay:
    """Sends the recorded requests and keeps what comes back."""

    exchange: DemoExchange
    member: Member
    answers: dict[str, Any] = attrs.field(factory=dict)

    async def send(self, recorded: Recorded) -> None:
        self.exchange.clock.now_ms = recorded.taken_ms
        if "subscribe_cmd" in recorded.meta:
            self.answers[recorded.name] = await self._listen(recorded)
            return
        answer = await self._request(recorded)
        self.answers[recorded.name] = answer
        self._learn(recorded.body, answer)

    async def _request(self, recorded: Recorded) -> Answer:
        meta, path = recorded.meta, self._translated(recorded.meta["path"])
        body = b"" if meta["auth"].startswith("NONE") else orjson.dumps(meta["request_body"])
        if body == b"null":
            body = b""
        headers = self._headers(recorded, path)
        answer = await self.member.http.send(meta["method"], path, headers, body)
        assert answer is not None
        return answer

    def _headers(self, recorded: Recorded, path: str) -> list[tuple[str, str]]:
        kind = recorded.meta["auth"]
        if kind == "unauthenticated" or kind.startswith("NONE"):
            return []
        clock = self.exchange.clock
        moved_ms = _skew_ms(recorded.name)
        clock.now_ms += moved_ms
        headers = dict(self.member.headers(recorded.meta["method"], path))
        clock.now_ms -= moved_ms
        if kind == "missing-signature-header":
            del headers["KALSHI-ACCESS-SIGNATURE"]
        elif kind == "bad-signature":
            headers["KALSHI-ACCESS-SIGNATURE"] = dict(self.member.headers("GET", "/other"))[
                "KALSHI-ACCESS-SIGNATURE"
            ]
        elif kind == "unknown-key-id":
            headers["KALSHI-ACCESS-KEY"] = "00000000-0000-0000-0000-000000000000"
        return list(headers.items())

    async def _listen(self, recorded: Recorded) -> list[Json]:
        async with self.member.socket() as socket:
            await socket.connection.send_message(
                orjson.dumps(recorded.meta["subscribe_cmd"]).decode()
            )
            frames = await socket.frames(3)
            for wanted in recorded.body[3:]:
                self._move(wanted["msg"], yes_scale=recorded.meta["subscribe_cmd"]["params"])
                frames.append(await socket.frame())
        return frames

    def _move(self, delta: Json, *, yes_scale: Json) -> None:
        """Let the maker do what the recorded delta tells of."""
        side = BID if delta["side"] == "yes" else ASK
        price_e4 = round(float(delta["price_dollars"]) * 10_000)
        if side is ASK and not yes_scale["use_yes_price"]:
            price_e4 = 10_000 - price_e4
        count_e2 = round(float(delta["delta_fp"]) * 100)
        self.exchange.clock.now_ms = delta["ts_ms"]
        if count_e2 > 0:
            self.exchange.quote(side, price_e4, count_e2)
            return
        for order in list(self.exchange.maker.resting_in(TICKER)):
            if (order.side, order.price_e4) == (side, price_e4):
                cancel(self.exchange.venue, self.exchange.maker, order.order_id, 0)
                return

    def _translated(self, path: str) -> str:
        for theirs, ours in self.exchange.replaced.items():
            path = path.replace(theirs, ours)
        return path

    def _learn(self, theirs: Any, answer: Answer) -> None:
        """Remember which of our ids and cursors stands for which recorded one."""
        ours = orjson.loads(answer.body)
        if not isinstance(theirs, dict) or not isinstance(ours, dict):
            return
        for name in ("order_id", "cursor"):
            if theirs.get(name) and ours.get(name):
                self.exchange.replaced[theirs[name]] = ours[name]


def _skew_ms(name: str) -> int:
    """Return how far the name of a recording says that the signer's clock was off."""
    words = name.partition("auth__skew_")[2]
    if not words:
        return 0
    sign = -1 if words.startswith("minus") else 1
    amount = words.removeprefix("minus").removeprefix("plus")
    unit_ms = 60_000 if amount.endswith("min") else 1_000
    return sign * int(amount.removesuffix("min").removesuffix("s")) * unit_ms


def replay(folder: Path, names: list[str]) -> Replay:
    """Replay the recordings of a folder in the order in which they were made."""
    recorded = sorted((Recorded.read(folder, name) for name in names), key=lambda one: one.sent_ms)
    return trio.run(_replay, recorded)


async def _replay(recorded: list[Recorded]) -> Replay:
    exchange = DemoExchange.build()
    async with trio.open_nursery() as nursery:
        server = ExchangeServer(exchange.venue, KeyRing())
        run = Replay(exchange, Member(server, nursery))
        for one in recorded:
            await run.send(one)
        nursery.cancel_scope.cancel()
    return run
