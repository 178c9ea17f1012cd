"""Markets whose addition to the books' subscription is refused, lost, or confirmed late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from arb.engine.live_book_feed import LEFT_OUT, NOT_ANSWERED
from arb.engine.subscribed_books import NOT_FOLLOWED
from arb.engine.subscription import ANSWERED_WITHIN_S, ASKED_AGAIN_AFTER_S
from arb.kalshi import wire_commands
from arb.sim.conditions import LOST
from arb.sim.websocket import commands as sim_commands
from arb.sim.websocket.session import Session
from arb.sim.websocket.subscriptions import Channel
from tests.engine.books_bench import assert_books_are_the_exchanges, commands
from tests.engine.conftest import Rig
from tests.engine.listing_bench import books_subscription, is_up, new_game, subscribed

OpenRig = Callable[..., Any]

BOOKS = "Kalshi books"


def details(rig: Rig) -> list[str]:
    """Return what a person reads of the connections."""
    return [each["detail"] for each in rig.steering.snapshot()["connections"]]


def additions(heard: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the commands that add markets."""
    return [each for each in heard if each["params"].get("action") == "add_markets"]


def usable(rig: Rig, ticker: str) -> bool:
    """Tell whether a market may trade on its book."""
    found: bool = rig.instance("books")._books.top(ticker)[1]
    return found


@pytest.mark.parametrize(
    ("code", "noted"),
    [(18, "error 18"), (26, "error 26"), (27, "error 27"), (LOST, NOT_ANSWERED)],
)
async def test_a_market_that_is_not_added_is_not_traded_on(
    code: int,
    noted: str,
    open_rig: OpenRig,
    autojump_clock: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No snapshot of it is asked for, people see that it is missing, and it is added later."""
    async with open_rig() as rig:
        await rig.until_running()
        heard = commands(rig, monkeypatch)
        rig.simulation.exchange_conditions.refuse_additions = code
        game = new_game(rig)
        tickers = {game.home_ticker, game.away_ticker}
        await rig.until(lambda: (BOOKS, noted) in rig.board.bad, 60)
        await trio.sleep(1)
        assert [each["params"]["action"] for each in heard] == ["add_markets"]
        assert not any(usable(rig, ticker) for ticker in tickers)
        assert rig.instance("books")._books.shown(game.home_ticker)["fault"] == NOT_FOLLOWED
        assert "4 of 6 books" in details(rig)
        assert rig.state == "running"

        rig.simulation.exchange_conditions.refuse_additions = None
        again_s = ANSWERED_WITHIN_S + ASKED_AGAIN_AFTER_S
        await rig.until(lambda: tickers <= subscribed(rig), again_s)
        await rig.until(lambda: is_up(rig, game.home_ticker), 10)
        assert len(additions(heard)) == 2
        assert "6 of 6 books" in details(rig)
        assert_books_are_the_exchanges(rig)


async def test_what_is_refused_again_and_again_is_asked_for_now_and_then(
    open_rig: OpenRig, autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pause is kept each time, and the other books are none the worse for it."""
    async with open_rig() as rig:
        await rig.until_running()
        heard = commands(rig, monkeypatch)
        rig.simulation.exchange_conditions.refuse_additions = 26
        new_game(rig)
        await rig.until(lambda: len(additions(heard)) == 1, 60)
        await trio.sleep(30)
        assert 30 / (ASKED_AGAIN_AFTER_S + 1) <= len(additions(heard)) <= 7
        assert len(rig.instance("books")._books.broken()) == 2
        assert rig.state == "running"


async def test_a_snapshot_that_is_quicker_than_the_confirmation_is_kept(
    open_rig: OpenRig, autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is usable as soon as the answer is there, and nothing is asked for twice."""
    async with open_rig() as rig:
        await rig.until_running()
        real = sim_commands._extend

        def extend(session: Session, one: Any, tickers: Any, command_id: int) -> None:
            messages: list[dict[str, Any]] = []
            with monkeypatch.context() as patch:
                patch.setattr(
                    session, "send", lambda message, _delay_s=0.0: messages.append(message)
                )
                real(session, one, tickers, command_id)
            first, *snapshots = messages
            for seq, message in enumerate([*snapshots, first], start=first["seq"]):
                session.send({**message, "seq": seq}, 0.5 if message is first else 0.0)
            # Else a change would overtake the answer that is held back.
            rig.simulation.stands_still = True

        monkeypatch.setattr(sim_commands, "_extend", extend)
        game = new_game(rig)
        books = rig.instance("books")._books
        await rig.until(lambda: game.home_ticker in books.tickers and books.broken() == (), 60)
        assert not usable(rig, game.home_ticker)
        heard = commands(rig, monkeypatch)
        await rig.until(lambda: usable(rig, game.home_ticker), 0.6)
        rig.simulation.stands_still = False
        await trio.sleep(2)
        assert heard == []
        assert rig.board.bad == {}
        assert_books_are_the_exchanges(rig)


async def test_a_market_that_the_exchange_does_not_list_any_more_is_added_again(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Its answer lists all markets of the subscription: what is not there is not told of."""
    async with open_rig() as rig:
        await rig.until_running()
        await trio.sleep(3)
        one = books_subscription(rig)
        lost = min(subscribed(rig))
        one.remove([lost])
        message = {"id": 900, "sid": one.sid, "seq": one.next_seq(), "type": "ok"}
        listed = {"market_tickers": sorted(subscribed(rig))}
        rig.session(Channel.BOOK).send({**message, "msg": listed})
        await rig.until(lambda: (BOOKS, LEFT_OUT) in rig.board.bad, 1)
        assert not usable(rig, lost)
        assert rig.board.bad[BOOKS, LEFT_OUT].example == lost

        await rig.until(lambda: lost in subscribed(rig), ASKED_AGAIN_AFTER_S + 2)
        await rig.until(lambda: usable(rig, lost), 1)
        assert_books_are_the_exchanges(rig)


async def test_of_a_subscription_in_several_commands_the_refused_ones_are_asked_for_again(
    open_rig: OpenRig, autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The markets of the first command trade meanwhile; so it is on each new connection."""
    monkeypatch.setattr(wire_commands, "TICKERS_PER_COMMAND", 3)
    async with open_rig(games=5) as rig:
        await rig.until_running()
        rig.simulation.exchange_conditions.refuse_additions = 27
        rig.session(Channel.BOOK).outbox.close(1001, "going away")
        await rig.until(lambda: "3 of 10 books" in details(rig), 10)
        await trio.sleep(1)
        assert rig.board.bad[BOOKS, "error 27"].count == 3
        first = subscribed(rig)
        assert {each for each in rig.markets() if usable(rig, each)} == first

        rig.simulation.exchange_conditions.refuse_additions = None
        await rig.until(lambda: "10 of 10 books" in details(rig), ASKED_AGAIN_AFTER_S + 2)
        assert_books_are_the_exchanges(rig)


async def test_a_market_that_went_and_comes_back_is_added_like_a_new_one(
    open_rig: OpenRig, autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That it was subscribed to once is no confirmation."""
    async with open_rig() as rig:
        await rig.until_running()
        await trio.sleep(3)
        feed, listings = rig.instance("books"), rig.parts.catalogue.listings
        gone = listings[0].ticker
        feed._books.take_up(listings[1:])
        feed._stirred.set()
        await rig.until(lambda: gone not in subscribed(rig), 1)
        rig.simulation.exchange_conditions.refuse_additions = 27
        heard = commands(rig, monkeypatch)
        feed._books.take_up(listings)
        feed._stirred.set()
        await rig.until(lambda: (BOOKS, "error 27") in rig.board.bad, 1)
        await trio.sleep(2)
        assert [each["params"]["action"] for each in heard] == ["add_markets"]
        assert feed._books.usable_count == 3
        assert gone in feed._books._unfollowed

        rig.simulation.exchange_conditions.refuse_additions = None
        await rig.until(lambda: usable(rig, gone), ASKED_AGAIN_AFTER_S + 2)
        assert_books_are_the_exchanges(rig)
