"""The books' subscription against the simulated exchange: what is asked for, and what mends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
import trio

from arb.engine.messages import Frame
from arb.io.memory import _Pipe
from arb.kalshi import wire_commands
from arb.sim.exchange.values import BookSide, LevelChange
from arb.sim.websocket.session import Session
from arb.sim.websocket.subscriptions import Channel
from tests.engine.books_bench import assert_books_are_the_exchanges, commands
from tests.engine.conftest import Rig
from tests.engine.listing_bench import books_subscription, new_game, subscribed

OpenRig = Callable[..., Any]


def delta(ticker: str, price: str, count: str, side: str = "yes") -> dict[str, object]:
    """Write a change of one level."""
    return {
        "market_ticker": ticker,
        "market_id": "x",
        "price_dollars": price,
        "delta_fp": count,
        "side": side,
    }


async def test_the_scale_is_said_and_lives_are_on_the_same_connection(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Books are on the YES scale because it was asked for, not because it is the default."""
    async with open_rig() as rig:
        await rig.until_running()
        assert books_subscription(rig).use_yes_price
        assert rig.session(Channel.BOOK) is rig.session(Channel.LIFECYCLE)
        assert_books_are_the_exchanges(rig)


async def test_many_markets_are_asked_for_in_several_commands(
    open_rig: OpenRig, autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few tickers fit a command, all books come, and all are mended after a gap."""
    monkeypatch.setattr(wire_commands, "TICKERS_PER_COMMAND", 3)
    async with open_rig(games=5) as rig:
        await rig.until_running()
        assert len(subscribed(rig)) == 10
        heard = commands(rig, monkeypatch)
        await trio.sleep(2)
        rig.simulation.exchange_conditions.skip_sequences = 1
        await rig.until(lambda: ("Kalshi books", "gap in the sequence") in rig.board.bad)
        await rig.until(lambda: rig.instance("books")._books.broken() == (), 5)

        asked = [each["params"] for each in heard if each["cmd"] == "update_subscription"]
        assert {each["action"] for each in asked} == {"get_snapshot"}
        assert max(len(each["market_tickers"]) for each in asked) == 3
        assert_books_are_the_exchanges(rig)


async def test_a_new_market_joins_the_subscription_without_a_gap(
    open_rig: OpenRig, autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reply to the addition uses up a number, and the other books stay as they are."""
    async with open_rig() as rig:
        await rig.until_running()
        heard = commands(rig, monkeypatch)
        game = new_game(rig)
        await rig.until(lambda: game.home_ticker in subscribed(rig), 30)
        await trio.sleep(3)

        (added,) = [each["params"] for each in heard if each["cmd"] == "update_subscription"]
        assert added["action"] == "add_markets"
        assert set(added["market_tickers"]) == {game.home_ticker, game.away_ticker}
        assert rig.board.bad == {}
        assert_books_are_the_exchanges(rig)


async def test_a_second_gap_is_mended_as_quickly_as_the_first(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """What was asked for and has come is asked for again at once, not after a second."""
    async with open_rig() as rig:
        await rig.until_running()
        await trio.sleep(3)
        books = rig.instance("books")._books
        for count in (1, 2):
            rig.simulation.exchange_conditions.skip_sequences = 1
            rig.session(Channel.BOOK).level_changed(change_of(rig))
            await trio.sleep(0.1)
            assert rig.board.bad["Kalshi books", "gap in the sequence"].count == count
            assert books.broken() == ()


def change_of(rig: Rig) -> LevelChange:
    """Return a change of no consequence in some market."""
    return LevelChange(rig.markets()[0], BookSide.BID, 100, 0, 1, 0, ())


async def test_a_crossed_book_is_read_anew(open_rig: OpenRig, autojump_clock: object) -> None:
    """A bid above the ask breaks its own book, which is not traded on until its snapshot."""
    async with open_rig() as rig:
        await rig.until_running()
        await trio.sleep(2)
        ticker = rig.markets()[0]
        session = rig.session(Channel.BOOK)
        session.emit(books_subscription(rig), "orderbook_delta", delta(ticker, "0.9900", "1.00"))
        await rig.until(lambda: ("Kalshi books", CROSSED) in rig.board.bad, 1)
        await trio.sleep(2)

        assert rig.board.bad["Kalshi books", CROSSED].count == 1
        assert_books_are_the_exchanges(rig)


CROSSED = "the best bid is above the best ask"


@pytest.mark.parametrize("code", [10, 25])
async def test_a_terminal_error_leads_to_a_new_subscription(
    code: int, open_rig: OpenRig, autojump_clock: object
) -> None:
    """After a channel error or an overflow, the last word, the books are subscribed to anew."""
    async with open_rig() as rig:
        await rig.until_running()
        session = rig.session(Channel.BOOK)
        books = session.subscription(Channel.BOOK)
        assert books is not None
        session.end_subscription(books, (code, "a test"))
        await rig.until(lambda: f"Kalshi books is down: error {code}" in rig.reasons, 0.2)
        await rig.until_running()
        await trio.sleep(1)

        assert rig.session(Channel.BOOK) is not session
        assert_books_are_the_exchanges(rig)


async def test_an_end_that_is_taken_late_is_heeded_though_nothing_follows(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """The connection waits for its next message by then, and none comes: no book is believed."""
    async with open_rig() as rig:
        await rig.until_running()
        session = rig.session(Channel.BOOK)
        books = session.subscription(Channel.BOOK)
        assert books is not None
        session.subscriptions.clear()
        raw = orjson.dumps(
            {"type": "error", "sid": books.sid, "msg": {"code": 25, "msg": "overflow"}}
        )
        feed = rig.instance("books")
        feed.take(Frame(raw.decode(), rig.parts.clock.wall_ms(), rig.parts.clock.monotonic_ns()))
        assert len(feed._books.broken()) == len(feed._books.tickers)
        await rig.until(lambda: "Kalshi books is down: error 25: overflow" in rig.reasons, 0.2)
        await rig.until_running()
        await trio.sleep(1)

        assert_books_are_the_exchanges(rig)


async def test_books_are_not_believed_while_the_feed_is_being_stopped(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Its mailbox takes no frame any more: the next one that comes says that the books are lost."""
    async with open_rig() as rig:
        await rig.until_running()
        feed = rig.instance("books")

        async def slowly(_reason: str) -> None:
            await trio.sleep(3)

        feed.stop = slowly
        restarted = rig.system.restart("books")
        rig.session(Channel.BOOK).send({"type": "anything", "msg": {}})
        await rig.until(lambda: "Kalshi books is down: it is being stopped" in rig.reasons, 0.1)
        assert len(feed._books.broken()) == len(feed._books.tickers)
        await restarted
        await rig.until_running()


async def test_a_refused_subscription_is_tried_again(
    open_rig: OpenRig, autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection whose first subscription is refused is given up; other errors are counted."""
    async with open_rig() as rig:
        await rig.until_running()
        kind: Any = type(rig.session(Channel.BOOK))
        real = kind.received
        refused: list[str] = []

        def received(session: Session, text: str) -> None:
            command = orjson.loads(text)
            if command["params"]["channels"][0] in REFUSED and len(refused) < 2:
                refused.append(command["params"]["channels"][0])
                error = {"code": 27, "msg": "Too many requests"}
                session.send({"id": command["id"], "type": "error", "msg": error})
                return
            real(session, text)

        monkeypatch.setattr(kind, "received", received)
        rig.session(Channel.BOOK).outbox.close(1001, "going away")
        await trio.sleep(0.5)
        await rig.until_running()

        assert refused == ["market_lifecycle_v2", "orderbook_delta"]
        assert rig.board.bad["Kalshi books", "error 27"].count == 2
        assert rig.said("Kalshi books down: closed") or rig.said("error 27: Too many")


REFUSED = ("market_lifecycle_v2", "orderbook_delta")


async def test_a_subscription_that_nobody_confirms_is_made_anew(
    open_rig: OpenRig, autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the confirmation is lost, a connection that lives is given up all the same."""
    async with open_rig() as rig:
        await rig.until_running()
        kind: Any = type(rig.session(Channel.BOOK))
        real = kind.received

        def received(session: Session, text: str) -> None:
            if "orderbook_delta" not in text:
                real(session, text)

        monkeypatch.setattr(kind, "received", received)
        rig.session(Channel.BOOK).outbox.close(1001, "going away")
        await rig.until(lambda: "not subscribed within 5 s" in rig.reasons, 7)
        monkeypatch.setattr(kind, "received", real)
        await rig.until_running()
        await trio.sleep(1)
        assert_books_are_the_exchanges(rig)


async def test_a_book_that_never_comes_keeps_no_other_waiting(
    open_rig: OpenRig, autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two seconds after the subscription the others are traded; it is asked for again."""
    real = Session.snapshot
    silent: list[str] = []

    def snapshot(session: Session, one: Any, ticker: str, command_id: int | None = None) -> None:
        if not silent or ticker == silent[0]:
            silent.append(ticker)
            return
        real(session, one, ticker, command_id)

    monkeypatch.setattr(Session, "snapshot", snapshot)
    async with open_rig() as rig:
        await rig.until_running()
        details = [each["detail"] for each in rig.steering.snapshot()["connections"]]
        assert "3 of 4 books" in details
        await rig.until(lambda: len(silent) >= 5, 20)
        assert rig.board.markets[silent[0]].reason in {"no order book yet", "order book not live"}

        monkeypatch.setattr(Session, "snapshot", real)
        await rig.until(lambda: rig.instance("books")._books.broken() == (), 5)
        await trio.sleep(1)
        assert "4 of 4 books" in [e["detail"] for e in rig.steering.snapshot()["connections"]]


async def test_an_open_but_dead_connection_stops_trading_within_three_seconds(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """When nothing arrives any more, not even a pong, the books are distrusted and read anew."""
    async with open_rig() as rig:
        await rig.until_running()
        await trio.sleep(5)
        for connection in rig.network.connections:
            connection._incoming = _Pipe(1)
        start_s = trio.current_time()
        await rig.until(lambda: "Kalshi books is down: no pong within 2 s" in rig.reasons, 4)

        assert trio.current_time() - start_s <= 3.1
        books = rig.instance("books")._books
        assert len(books.broken()) == 4
        await rig.until_running()
        await trio.sleep(1)
        assert_books_are_the_exchanges(rig)


async def test_a_frame_of_two_megabytes_is_taken(open_rig: OpenRig, autojump_clock: object) -> None:
    """A reply that lists fifty thousand markets is a message like any other."""
    async with open_rig() as rig:
        await rig.until_running()
        one = books_subscription(rig)
        tickers = [f"KXNFLGAME-26NOV22ABCDEFG-{number:06}" for number in range(50_000)]
        message = {"id": 9, "sid": one.sid, "seq": one.next_seq(), "type": "ok"}
        listed = [*subscribed(rig), *tickers]
        rig.session(Channel.BOOK).send({**message, "msg": {"market_tickers": listed}})
        await trio.sleep(3)

        assert rig.board.bad == {}
        assert_books_are_the_exchanges(rig)
