"""The whole way of the book feed under damage: parser, sequence, books, and what markets are told.

An exchange of a few markets says what happens on its books; on the way its messages are damaged,
lost, repeated and exchanged. After each the feed's books are compared with the reference's.
"""

from __future__ import annotations

import random
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import attrs
import orjson

from actors import Context, UnknownActor
from arb.core.events import Side, Top
from arb.core.grid import WHOLE_CENTS
from arb.engine.board import Board
from arb.engine.book_feed import BookFeed
from arb.engine.messages import Frame
from arb.engine.names import DISCOVERY
from arb.engine.parts import Parts
from arb.kalshi.wire import TERMINAL_CODES, Ignored, Malformed, WireError, parse_frame
from tools.fuzzing.corpus import EPOCH_MS
from tools.fuzzing.findings import Tally, Wrong
from tools.fuzzing.mutate import damaged
from tools.fuzzing.reference import ReferenceBooks

EVENT = "KXNFLGAME-26SEP14DENKC"
TICKERS = (f"{EVENT}-DEN", f"{EVENT}-KC", "KXMLBGAME-26SEP091940PITCWS-PIT")
FRAMES = 60

# Of a session's messages, so many are damaged or otherwise disturbed; of one that is left alone
# the books must be right all the time, in others they must recover.
DISTURBED = (0.0, 0.1, 0.2, 0.2, 0.4, 0.6)
_WINDOW = 3
_SIZES_E2 = (1, 100, 333, 12_345, 1_000_000)


class _Clock:
    def wall_ms(self) -> int:
        return EPOCH_MS

    def monotonic_ns(self) -> int:
        return 0


class _Market:
    """A market's address: keeps the last top that it was told."""

    def __init__(self, tops: dict[str, Top], name: str) -> None:
        self._tops = tops
        self._name = name

    def tell(self, message: Top) -> None:
        if self._name.endswith(message.ticker):
            self._tops[message.ticker] = message


def _count(count_e2: int) -> str:
    return f"{'-' if count_e2 < 0 else ''}{abs(count_e2) // 100}.{abs(count_e2) % 100:02d}"


@attrs.define
class Exchange:
    """Says what happens on some books, as their exchange would: never crossed, never negative."""

    rng: random.Random
    sides: dict[tuple[str, str], dict[int, int]] = attrs.field(factory=dict)
    seq: int = 0

    def snapshot(self, ticker: str) -> bytes:
        """Return a market's whole book."""
        msg: dict[str, Any] = {"market_ticker": ticker, "market_id": "9b0f6b43"}
        for side in ("yes", "no"):
            levels = self.sides.setdefault((ticker, side), {})
            if levels:
                rows = [[f"0.{cents:02d}00", _count(size)] for cents, size in levels.items()]
                msg[f"{side}_dollars_fp"] = rows
        return self._message("orderbook_snapshot", msg)

    def delta(self) -> bytes:
        """Return one change."""
        ticker, side = self.rng.choice(TICKERS), self.rng.choice(("yes", "no"))
        levels = self.sides.setdefault((ticker, side), {})
        # YES rests below, NO above fifty cents on the YES scale: so the two never cross.
        cents = self.rng.randint(1, 50) if side == "yes" else self.rng.randint(50, 99)
        held = levels.get(cents, 0)
        change = self.rng.choice(_SIZES_E2)
        if held and self.rng.random() < 0.5:  # noqa: PLR2004 - as often taken away as added
            change = -self.rng.choice((held, min(held, change)))
        levels[cents] = held + change
        if not levels[cents]:
            del levels[cents]
        msg = {
            "market_ticker": ticker,
            "market_id": "5dab3432",
            "price_dollars": f"0.{cents:02d}00",
            "delta_fp": _count(change),
            "side": side,
            "ts": "2026-08-07T06:47:24.258595Z",
            "ts_ms": EPOCH_MS,
        }
        return self._message("orderbook_delta", msg)

    def reply(self) -> bytes:
        """Return an answer to a command, which uses up a number."""
        return self._message("ok", {"market_tickers": list(TICKERS)}, id=self.seq)

    def _message(self, kind: str, msg: dict[str, Any], **more: int) -> bytes:
        self.seq += 1
        return orjson.dumps({"type": kind, "sid": 1, "seq": self.seq, **more, "msg": msg})


class Session:
    """One connection of the book feed, and the reference beside it."""

    def __init__(self, tally: Tally) -> None:
        self.board = Board(_Clock())
        self.tops: dict[str, Top] = {}
        self.reference = ReferenceBooks(TICKERS)
        self.over = False
        self._tally = tally
        listings = [SimpleNamespace(ticker=t, sibling=t, grid=WHOLE_CENTS) for t in TICKERS]
        parts = SimpleNamespace(
            catalogue=SimpleNamespace(listings=listings), board=self.board, clock=_Clock()
        )
        context = SimpleNamespace(find=self._find)
        self.feed = BookFeed(cast("Context", context), cast("Parts", parts))

    def _find(self, name: str) -> _Market:
        if name == DISCOVERY:
            raise UnknownActor(name)
        return _Market(self.tops, name)

    def take(self, raw: bytes, *, mutated: bool) -> None:
        """Hand over one message; raises `Wrong` where the books are not the reference's."""
        text = raw.decode("utf-8", "replace")
        before = self.bad()
        reason = self._reason(text)
        self.feed.take(Frame(text, EPOCH_MS, 0))
        self.reference.take(text)
        counted = self.bad() - before
        if reason is not None and not counted:
            raise Wrong(f"a message was rejected ({reason}) and not counted")
        if mutated:
            self._tally.add(reason)
            self._tally.counted += reason is not None and counted >= 1
        self._compare()

    def bad(self) -> int:
        """Return how many bad messages the engine has counted."""
        return sum(each.count for each in self.board.bad.values())

    @property
    def broken(self) -> tuple[str, ...]:
        """Return the markets whose book the feed would ask for anew."""
        return self.feed._books.broken()  # noqa: SLF001 - what it does next depends on it

    def _reason(self, text: str) -> str | None:
        try:
            parsed = parse_frame(text)
        except Malformed as malformed:
            return str(malformed.reason)
        if isinstance(parsed, WireError):
            # The feed leaves its connection, and with it all books.
            self.over = parsed.code in TERMINAL_CODES
            return f"error {parsed.code}"[:40]
        return f"unknown type {parsed.type}"[:40] if isinstance(parsed, Ignored) else None

    def _compare(self) -> None:
        for ticker in TICKERS:
            book = self.feed._books._books[ticker]  # noqa: SLF001 - every level is compared
            told = self.tops.get(ticker)
            top, usable = self.feed._books.top(ticker)  # noqa: SLF001 - likewise
            if told is not None and told.usable != usable:
                raise Wrong(f"{ticker} was told usable={told.usable} and is {usable}")
            reference = self.reference.books[ticker]
            if not usable:
                self._tally.notes["books broken"] += 1
                continue
            self._tally.notes["books equal"] += 1
            if reference is None:
                raise Wrong(f"{ticker} passes for right and cannot be known: {book!r}")
            for side, levels in zip((Side.BID, Side.ASK), reference, strict=True):
                held = {Decimal(p) / 10_000: Decimal(c) / 100 for p, c in book.levels(side)}
                if held != levels:
                    raise Wrong(f"{ticker} {side} has {_first_difference(held, levels)}")
            if told is not None and (told.bid_e4, told.ask_e4) != (top.bid_e4, top.ask_e4):
                raise Wrong(f"{ticker} was told {told} and stands at {top}")
            best = [max(reference[0], default=None), min(reference[1], default=None)]
            if [_decimal(top.bid_e4), _decimal(top.ask_e4)] != best:
                raise Wrong(f"{ticker} shows {top}, right is {best}")


def _decimal(price_e4: int | None) -> Decimal | None:
    return None if price_e4 is None else Decimal(price_e4) / 10_000


def _first_difference(held: dict[Decimal, Decimal], right: dict[Decimal, Decimal]) -> str:
    price = min(key for key in held.keys() | right.keys() if held.get(key) != right.get(key))
    return f"{held.get(price)} at {price}, right is {right.get(price)}"


def play(rng: random.Random, others: tuple[bytes, ...], tally: Tally, sent: list[bytes]) -> None:
    """Play one session of damage; ``sent`` collects its messages, for whoever wants to look."""
    exchange, session = Exchange(rng), Session(tally)
    waiting: list[tuple[bytes, bool]] = [(exchange.snapshot(ticker), False) for ticker in TICKERS]
    disturbed = rng.choice(DISTURBED)
    for _ in range(FRAMES):
        if len(waiting) < _WINDOW:
            waiting += _said(rng, exchange, session)
        raw, mutated = waiting.pop(0)
        if rng.random() < disturbed:
            mutated = True
            kind = rng.randrange(10)
            if kind == 0:
                continue
            if kind == 1:
                waiting.insert(0, (raw, True))
            elif kind == 2 and waiting:  # noqa: PLR2004 - one of ten
                waiting.append((raw, True))
                raw, _ = waiting.pop(0)
            elif kind == 3:  # noqa: PLR2004 - one of ten
                waiting.insert(0, (raw, False))
                raw = rng.choice(sent or [raw])
            elif kind == 4:  # noqa: PLR2004 - one of ten
                waiting.insert(0, (raw, False))
                raw = rng.choice(others)
            else:
                raw = damaged(rng, raw, others)
        sent.append(raw)
        session.take(raw, mutated=mutated)
        if session.over:
            return
    if not disturbed and (session.broken or session.bad()):
        raise Wrong(f"undisturbed books broke: {session.board.bad}")


def _said(rng: random.Random, exchange: Exchange, session: Session) -> list[tuple[bytes, bool]]:
    if session.broken and rng.random() < 0.5:  # noqa: PLR2004 - some broken books wait
        return [(exchange.reply(), False)] + [
            (exchange.snapshot(ticker), False) for ticker in session.broken
        ]
    return [(exchange.delta(), False) for _ in range(_WINDOW)]
