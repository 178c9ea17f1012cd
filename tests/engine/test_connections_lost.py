"""Stale odds and lost connections: no new entry while anything it rests on is in doubt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import attrs
import orjson
import pytest
import trio

from arb.core.commands import Purpose
from arb.core.events import Side
from arb.core.permission import Permission
from arb.core.risk import RefusalCode
from arb.engine.board import Board
from arb.engine.connections import STILL_MAX_NS, Connections
from arb.engine.messages import HaltTrading
from arb.faults.engine import EXCHANGE, ODDS
from arb.sim.exchange.values import BookSide, Change
from arb.sim.websocket.subscriptions import Channel
from tests.core.order_factory import ENTRY
from tests.engine.conftest import SLOW_MAKER, Rig
from tests.engine.market_bench import StillClock

OpenRig = Callable[..., Any]


def bought(rig: Rig) -> int:
    """Count the entries that ever reached the exchange."""
    return len(rig.entries())


async def test_frozen_odds_stop_entries(open_rig: OpenRig, autojump_clock: object) -> None:
    """Nothing is bought once the last change of a price is five seconds old."""
    async with open_rig() as rig:
        await rig.until(lambda: bought(rig) >= 2)
        # A reading would bring news that is as fresh as the stream's.
        rig.simulation.odds_conditions.freeze = True
        rig.simulation.odds_conditions.rest_status = 503
        await trio.sleep(5.1)
        before = bought(rig)
        await trio.sleep(40)
        assert bought(rig) == before

        rig.heal()
        await rig.until(lambda: bought(rig) > before, 60)


async def test_lost_odds_pause_trading_and_say_why(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """While the odds are away nothing is bought; afterwards trading goes on by itself."""
    async with open_rig() as rig:
        await rig.until(lambda: bought(rig) >= 1)
        rig.network.deafen(*ODDS)
        rig.simulation.odds.cut_connections()
        await trio.sleep(0.2)
        before = bought(rig)
        assert rig.state == "paused"
        assert "Odds is down" in rig.reasons
        await trio.sleep(20)
        assert bought(rig) == before

        rig.network.listen(*ODDS, rig.simulation.odds.serve_stream)
        await rig.until_running()
        await rig.until(lambda: bought(rig) > before)
        assert all(node.restarts == 0 for node in rig.system.snapshot())


async def test_a_lost_connection_cancels_what_rests_to_be_bought(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A buy that rests is cancelled at once when the odds go away; sales stay."""
    async with open_rig(settings=SLOW_MAKER) as rig:
        await rig.until(lambda: bool(rig.resting_entries()))
        (entry,) = rig.resting_entries()
        rig.simulation.odds.cut_connections()
        await trio.sleep(0.02)

        assert entry.change is Change.CANCEL
        assert rig.resting_entries() == []


@pytest.mark.parametrize(
    "channel, name", [(Channel.BOOK, "Kalshi books"), (Channel.FILL, "Kalshi account")]
)
async def test_each_socket_of_the_exchange_counts(
    channel: Channel, name: str, open_rig: OpenRig, autojump_clock: object
) -> None:
    """Losing the books or the private channel pauses trading, and names it, until it is back."""
    async with open_rig() as rig:
        await rig.until(lambda: bought(rig) >= 1)
        rig.simulation.exchange_conditions.refuse_upgrades = 503
        rig.session(channel).outbox.close(1001, "going away")
        await trio.sleep(0.3)
        before = bought(rig)
        assert rig.state == "paused"
        assert f"{name} is down" in rig.reasons
        await trio.sleep(15)
        assert bought(rig) == before
        assert "HTTP 503" in rig.reasons

        rig.heal()
        await rig.until_running()


async def test_while_nobody_looks_after_a_connection_nothing_is_bought(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A machine that wakes up buys nothing before it has given up what its sleep went over."""
    async with open_rig() as rig:
        await rig.until(lambda: bought(rig) >= 1)
        board, since_ns = rig.parts.board, rig.parts.clock.monotonic_ns()
        # A beat that does not come, as none does between waking up and the next timer.
        board.beats_ns["beatless"] = since_ns - STILL_MAX_NS - 1
        before, refused = bought(rig), board.refusals["not running"]
        await rig.until(lambda: board.refusals["not running"] > refused, 60)
        assert bought(rig) == before
        assert rig.state == "running"

        board.ended("beatless")
        await rig.until(lambda: bought(rig) > before, 60)


def test_a_standstill_keeps_nobody_from_selling() -> None:
    """An exit lessens what may be lost; and connections that beat are proven."""
    clock = StillClock()
    board = Board(clock)
    nobody = cast("Any", None)
    connections = Connections(board, Permission(), nobody, nobody, nobody, nobody)
    assert connections.unproven(ENTRY) is None
    board.beats_ns["Odds"] = -STILL_MAX_NS
    assert connections.unproven(ENTRY) is None

    board.beats_ns["Kalshi books"] = -40_000_000_000
    refusal = connections.unproven(ENTRY)
    assert refusal is not None
    assert refusal.code is RefusalCode.NOT_RUNNING
    assert refusal.text == "this machine stood still for 40.0 s: all connections are old"
    assert connections.unproven(attrs.evolve(ENTRY, purpose=Purpose.EXIT)) is None


async def test_without_an_order_lane_nothing_is_begun(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """With the exchange's port closed and everything cut, trading waits, and then resumes."""
    async with open_rig() as rig:
        await rig.until(lambda: bought(rig) >= 1)
        rig.network.deafen(*EXCHANGE)
        rig.network.cut()
        await trio.sleep(0.3)
        before = bought(rig)
        for name in ("Kalshi orders", "Kalshi books", "Kalshi account"):
            assert f"{name} is down" in rig.reasons
        answer = await rig.steering.steer("resume", {})
        assert answer.startswith("resumed, but nothing is bought yet: ")
        await trio.sleep(10)
        assert bought(rig) == before

        rig.network.listen(*EXCHANGE, rig.simulation.exchange.serve_stream)
        await rig.until_running()
        await rig.until(lambda: bought(rig) > before)
        await trio.sleep(1)
        rig.assert_books_equal()


async def test_what_was_missed_is_read_before_trading_goes_on(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Fills during a loss of the private channel are booked before entries are allowed again."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        rig.simulation.exchange_conditions.refuse_upgrades = 503
        rig.session(Channel.FILL).outbox.close(1001, "going away")
        await trio.sleep(0.2)
        for fixture in rig.simulation.world.fixtures.values():
            rig.simulation.world.jump(fixture.game.game_id, 0.5)
        filled = len(rig.account.fills)
        await rig.until(lambda: len(rig.account.fills) > filled)
        rig.heal()
        await rig.until(lambda: rig.state == "running", 60)

        booked = rig.risk._books.ledger.trade_ids
        assert {fill.trade_id for fill in rig.account.fills} <= booked
        rig.assert_books_equal()


async def test_a_gap_stops_every_market_of_the_subscription_until_its_snapshot(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """After a missing number no book is trusted before it has been asked for anew."""
    async with open_rig() as rig:
        await rig.until_running()
        await trio.sleep(2)
        books = rig.instance("books")._books
        gaps: list[tuple[str, ...]] = []
        take = books.take

        def watched(frame: object) -> tuple[str, ...]:
            changed: tuple[str, ...] = take(frame)
            gaps.append(books.broken())
            return changed

        books.take = watched
        rig.simulation.exchange_conditions.skip_sequences = 2
        await rig.until(lambda: ("Kalshi books", "gap in the sequence") in rig.board.bad)

        assert any(len(broken) == len(rig.markets()) for broken in gaps)
        await rig.until(lambda: books.broken() == (), 5)
        assert rig.board.bad["Kalshi books", "gap in the sequence"].count == 1
        for ticker, book in books._books.items():
            market = rig.simulation.venue.market(ticker)
            for side in BookSide:
                ours = dict(book.levels(Side(side.value)))
                assert ours == dict(market.book.levels(side))


async def test_a_broken_book_is_asked_for_even_when_nothing_is_heard(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """In a world that stands still, a gap is mended a second later all the same."""
    async with open_rig() as rig:
        await rig.until_running()
        books = rig.instance("books")._books
        session = rig.session(Channel.BOOK)
        rig.simulation.world.fixtures.clear()
        await trio.sleep(3)
        sid = session.subscription(Channel.BOOK).sid
        frame = {"type": "ok", "sid": sid, "seq": 999_999, "msg": {}}
        session.outbox.put(orjson.dumps(frame).decode())
        session.subscription(Channel.BOOK).seq = 999_999
        await trio.sleep(0.01)
        session.outbox.put(orjson.dumps({**frame, "seq": 5}).decode())
        await trio.sleep(0.05)
        assert books.broken() != ()

        await rig.until(lambda: books.broken() == (), 10)


async def test_a_lost_subscription_is_made_anew(open_rig: OpenRig, autojump_clock: object) -> None:
    """When the exchange drops a subscription, the connection is given up and opened again."""
    async with open_rig() as rig:
        await rig.until_running()
        for channel, name in ((Channel.BOOK, "Kalshi books"), (Channel.FILL, "Kalshi account")):
            session = rig.session(channel)
            session._overflow(session.subscription(channel))
            await rig.until(lambda name=name: f"{name} is down: error 25" in rig.reasons, 5)
            await rig.until_running()
            assert rig.session(channel) is not session
            assert rig.board.bad[name, "error 25"].count == 1


async def test_silence_on_a_living_connection_is_no_loss(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A quiet book is normal: what proves it live is the connection."""
    async with open_rig() as rig:
        await rig.until_running()
        rig.simulation.world.fixtures.clear()
        await trio.sleep(30)

        assert rig.state == "running"
        ages = [c["age_ms"] for c in rig.steering.snapshot()["connections"]]
        assert max(ages) < 2_500


async def test_a_halt_is_not_called_a_standstill(open_rig: OpenRig, autojump_clock: object) -> None:
    """Order groups that a halt has triggered are looked after, though they are not ready."""
    async with open_rig() as rig:
        await rig.until_running()
        await rig.ask(HaltTrading("a test", "me"))
        await trio.sleep(60)
        assert rig.parts.board.still_ns < STILL_MAX_NS
