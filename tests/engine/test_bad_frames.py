"""Bad input: counted with its reason and last example, and nothing else disturbed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
import trio

from arb.sim.websocket.subscriptions import Channel

OpenRig = Callable[..., Any]

BAD_FRAMES = [
    ("no json {", "not JSON"),
    ("[1, 2]", "a field has the wrong type"),
    ("{}", "a field is missing"),
    ('{"type": 5}', "a field has the wrong type"),
    ('{"type": "orderbook_delta", "sid": 1}', "a field is missing"),
    ('{"type": "fill", "msg": {"trade_id": 7}}', None),
    ('{"type": "a_new_type", "msg": {}}', "unknown type a_new_type"),
]


@pytest.mark.parametrize("channel", [Channel.BOOK, Channel.FILL])
@pytest.mark.parametrize("frame, reason", BAD_FRAMES)
async def test_a_bad_frame_of_the_exchange_is_counted(
    frame: str, reason: str | None, channel: Channel, open_rig: OpenRig, autojump_clock: object
) -> None:
    """Whatever is sent, on either socket: it is counted twice, shown, and trading goes on."""
    source = "Kalshi books" if channel is Channel.BOOK else "Kalshi account"
    async with open_rig(games=2) as rig:
        await rig.until_running()
        for _ in range(2):
            rig.session(channel).outbox.put(frame)
        await trio.sleep(0.1)

        (bad,) = rig.board.bad.values()
        assert (bad.source, bad.count) == (source, 2)
        assert bad.example[:40] in frame
        if reason is not None:
            assert bad.reason.lower() == reason.lower()
        assert rig.state == "running"
        assert all(node.generation == 1 for node in rig.system.snapshot())
        shown = rig.steering.snapshot()
        assert shown["counts"]["bad_input"] == {bad.reason: 2}
        assert shown["bad_input"][0]["source"] == source


async def test_a_price_off_the_grid_is_left_out(open_rig: OpenRig, autojump_clock: object) -> None:
    """A level between two cents is counted, and the book goes on without it."""
    async with open_rig(games=2) as rig:
        await rig.until_running()
        session = rig.session(Channel.BOOK)
        one = session.subscription(Channel.BOOK)
        ticker = rig.markets()[0]
        body = {
            "market_ticker": ticker,
            "market_id": "x",
            "price_dollars": "0.5055",
            "delta_fp": "10.00",
            "side": "yes",
        }
        session.emit(one, "orderbook_delta", body)
        await trio.sleep(0.05)

        assert rig.board.bad["Kalshi books", "price off the grid"].count == 1
        books = rig.instance("books")._books
        assert books.broken() == ()


async def test_a_negative_level_breaks_one_book_which_is_asked_for_anew(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A delta that takes away more than there is breaks its own book until the next snapshot."""
    async with open_rig(games=2) as rig:
        await rig.until_running()
        await trio.sleep(2)
        session = rig.session(Channel.BOOK)
        one = session.subscription(Channel.BOOK)
        ticker = rig.markets()[0]
        body = {
            "market_ticker": ticker,
            "market_id": "x",
            "price_dollars": "0.0100",
            "delta_fp": "-999999.00",
            "side": "yes",
        }
        books = rig.instance("books")._books
        broken: list[tuple[str, ...]] = []
        take = books.take

        def watched(frame: object) -> tuple[str, ...]:
            changed: tuple[str, ...] = take(frame)
            broken.append(books.broken())
            return changed

        books.take = watched
        session.emit(one, "orderbook_delta", body)
        await trio.sleep(2)

        assert (ticker,) in broken
        assert books.broken() == ()
        assert sum(bad.count for bad in rig.board.bad.values()) == 1


ODDS_FRAMES = [
    "no json {",
    '{"type": "updated"}',
    '{"type": "something_new", "id": "1"}',
    "[]",
]


@pytest.mark.parametrize("frame", ODDS_FRAMES)
async def test_a_bad_frame_of_the_odds_is_counted(
    frame: str, open_rig: OpenRig, autojump_clock: object
) -> None:
    """The odds stream may say anything: it is counted and shown, and quotes go on."""
    async with open_rig(games=2) as rig:
        await rig.until_running()
        rig.simulation.odds.inject_frame(frame)
        await trio.sleep(0.1)

        (bad,) = rig.board.bad.values()
        assert (bad.source, bad.count) == ("Odds", 1)
        before = rig.board.counts["quotes"]
        await rig.until(lambda: rig.board.counts["quotes"] > before, 60)
        assert all(node.generation == 1 for node in rig.system.snapshot())


@pytest.mark.parametrize("odds", ["1.00", "NaN", "-2", "abc", 0, True])
async def test_odds_that_cannot_be_are_no_quotes(
    odds: object, open_rig: OpenRig, autojump_clock: object
) -> None:
    """Decimal odds of one and less, or no number at all, are counted and price nothing."""
    async with open_rig(games=2) as rig:
        await rig.until_running()
        game_id = str(next(iter(rig.simulation.world.fixtures)))
        frames: list[str] = []
        real = rig.simulation.odds.sessions[0].outbox.put

        def put(text: str) -> None:
            frames.append(text)
            real(text)

        rig.simulation.odds.sessions[0].outbox.put = put
        await rig.until(lambda: any(game_id in text and "updated" in text for text in frames), 60)
        text = next(text for text in frames if game_id in text and "updated" in text)
        message = orjson.loads(text.strip().splitlines()[0])
        for market in message["markets"]:
            for row in market["odds"]:
                row["home"] = odds
        quotes = rig.board.counts["quotes"]
        real(orjson.dumps(message).decode() + "\n")
        await trio.sleep(0.01)

        assert sum(bad.count for bad in rig.board.bad.values()) >= 1
        assert rig.board.counts["quotes"] <= quotes + 1
        assert rig.state == "running"


async def test_games_that_are_not_traded_are_counted_apart(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A quote of a game that is not on the list is no bad input, and goes nowhere."""
    async with open_rig(games=2) as rig:
        await rig.until_running()
        feed = rig.instance("odds")
        feed._routes.clear()
        await rig.until(lambda: rig.board.counts["quotes of other games"] >= 1, 60)

        assert rig.board.bad == {}


async def test_swapped_and_shifted_odds_never_cost_more_than_the_limits(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Wrong odds from every book are traded on, but the caps hold and the books stay right."""
    async with open_rig() as rig:
        await rig.until_running()
        rig.simulation.odds_conditions.swap_sides = True
        await trio.sleep(60)

        assert all(p.count_e2 <= 1000 for p in rig.account.positions.values())
        assert len(rig.held_e2) <= 5
        assert rig.board.exposure_max_e6 <= 500_000_000
        assert all(o.filled_e2 <= o.initial_e2 for o in rig.entries())
        rig.assert_books_equal()
