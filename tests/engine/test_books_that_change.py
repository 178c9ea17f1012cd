"""The books of one subscription when the catalogue changes, and beside another subscription."""

from __future__ import annotations

import random
from typing import Any

import attrs
import orjson

from actors import ActorSpec, Strategy, SupervisorSpec, open_system
from arb.core.events import Side, Top
from arb.core.grid import PriceGrid
from arb.core.listing import Catalogue
from arb.core.money import CountE2, PriceE4
from arb.engine.book_feed import BookFeed
from arb.engine.messages import Frame, OwnResting, Relisted
from arb.engine.names import BOOK_FEED
from arb.engine.subscribed_books import SubscribedBooks
from arb.kalshi.wire import BookDelta, BookSnapshot
from tests.core.order_factory import BOS, NYY, listing
from tests.engine.market_bench import Note, bench_parts

FINE = PriceGrid(((0, 10_000, 10),))


def snapshot(seq: int, ticker: str = NYY) -> BookSnapshot:
    """Make a book with one bid."""
    return BookSnapshot(1, seq, ticker, ((PriceE4(4_000), CountE2(500)),), ())


def books() -> tuple[SubscribedBooks, list[str]]:
    """Make the books of two markets, both whole, and where bad input is noted."""
    bad: list[str] = []
    made = SubscribedBooks([listing(NYY), listing(BOS)], lambda *what: bad.append(what[1]))
    made.take(snapshot(1))
    made.take(snapshot(2, BOS))
    assert made.broken_count == 0
    return made, bad


def test_a_book_of_another_grid_is_not_trusted() -> None:
    """Levels that the old grid did not have were left out: only a snapshot makes it whole."""
    made, _ = books()
    changed = made.take_up([attrs.evolve(listing(NYY), grid=FINE), listing(BOS)])

    assert changed == made.broken() == (NYY,)
    assert made.top(NYY)[1] is False
    fine = BookDelta(1, 3, NYY, Side.BID, PriceE4(4_010), CountE2(100))
    made.take(fine)
    assert made.top(NYY)[1] is False
    made.take(snapshot(4))
    made.take(attrs.evolve(fine, seq=5))
    top, usable = made.top(NYY)
    assert (top.bid_e4, usable) == (4_010, True)


def test_markets_come_and_go_and_the_others_keep_their_books() -> None:
    """A market that went is not asked for, one that came is, and nothing of ours is remembered."""
    made, _ = books()
    made.own(OwnResting(NYY, {PriceE4(4_000): CountE2(500)}, {}))
    made.take_up([listing(BOS)])
    assert (made.tickers, made.broken()) == ((BOS,), ())
    assert made.top(BOS)[1] is True
    assert made.take(snapshot(3)) == ()

    made.take_up([listing(BOS), listing(NYY)])
    assert made.broken() == (NYY,)
    made.take_up([listing(BOS)])
    assert made.broken_count == 0
    made.take_up([listing(NYY)])
    made.take(snapshot(4))
    assert made.top(NYY)[0].bid_e4 == 4_000


async def test_numbers_of_the_markets_lives_are_not_the_books(autojump_clock: object) -> None:
    """Each subscription of the connection counts for itself, its replies included."""
    parts = bench_parts()
    heard: list[Any] = []
    tree = SupervisorSpec(
        "root",
        strategy=Strategy.ONE_FOR_ONE,
        children=(
            ActorSpec(NYY, lambda ctx: Note(ctx, heard), direct=True),
            ActorSpec(BOS, lambda ctx: Note(ctx, []), direct=True),
            ActorSpec(BOOK_FEED, lambda ctx: BookFeed(ctx, parts), direct=True),
        ),
    )
    level = {"market_ticker": NYY, "yes_dollars_fp": [["0.4000", "5.00"]]}
    life = {"market_ticker": NYY, "event_type": "metadata_updated"}
    frames: list[dict[str, object]] = [
        {"type": "subscribed", "id": 1, "msg": {"channel": "market_lifecycle_v2", "sid": 1}},
        {"type": "subscribed", "id": 2, "msg": {"channel": "orderbook_delta", "sid": 2}},
        {"type": "market_lifecycle_v2", "sid": 1, "seq": 1, "msg": life},
        {"type": "orderbook_snapshot", "sid": 2, "seq": 1, "msg": level},
        {"type": "ok", "sid": 1, "seq": 2, "id": 3, "msg": {}},
        {"type": "ok", "sid": 2, "seq": 2, "id": 4, "msg": {"market_tickers": [NYY]}},
        {"type": "event_lifecycle", "sid": 1, "seq": 3, "msg": EVENT},
        {"type": "orderbook_snapshot", "sid": 2, "seq": 3, "msg": level},
    ]
    async with open_system(tree, rng=random.Random(1)) as system:
        for frame in frames:
            system.address(BOOK_FEED).tell(Frame(orjson.dumps(frame).decode(), 0, 0))

        assert parts.board.bad == {}
        (top,) = heard
        assert isinstance(top, Top)
        assert top.usable


async def test_the_board_has_the_last_top_that_could_be_believed(autojump_clock: object) -> None:
    """A book that breaks leaves it as it was, a new feed too; a market that goes takes it along."""
    parts = bench_parts()
    tops = parts.board.tops
    tree = SupervisorSpec(
        "root",
        strategy=Strategy.ONE_FOR_ONE,
        children=(
            ActorSpec(NYY, lambda ctx: Note(ctx, []), direct=True),
            ActorSpec(BOS, lambda ctx: Note(ctx, []), direct=True),
            ActorSpec(BOOK_FEED, lambda ctx: BookFeed(ctx, parts), direct=True),
        ),
    )

    def level(ticker: str, price: str) -> dict[str, object]:
        return {"market_ticker": ticker, "yes_dollars_fp": [[price, "5.00"]]}

    async with open_system(tree, rng=random.Random(1)) as system:

        def tell(seq: int, kind: str, body: dict[str, object]) -> None:
            frame = {"type": kind, "sid": 2, "seq": seq, "msg": body}
            system.address(BOOK_FEED).tell(Frame(orjson.dumps(frame).decode(), 0, 0))

        def bids() -> dict[str, int | None]:
            return {ticker: top.bid_e4 for ticker, top in tops.items()}

        tell(1, "orderbook_snapshot", level(NYY, "0.4000"))
        tell(2, "orderbook_snapshot", level(BOS, "0.5000"))
        assert bids() == {NYY: 4_000, BOS: 5_000}
        change = {"market_ticker": NYY, "side": "yes"}
        tell(3, "orderbook_delta", {**change, "price_dollars": "0.3000", "delta_fp": "1.00"})
        tell(4, "orderbook_delta", {**change, "price_dollars": "0.4000", "delta_fp": "-5.00"})
        assert bids() == {NYY: 3_000, BOS: 5_000}
        tell(5, "orderbook_delta", {**change, "price_dollars": "0.3000", "delta_fp": "-9.00"})
        tell(7, "orderbook_snapshot", level(BOS, "0.6000"))
        await system.kill(BOOK_FEED)
        assert bids() == {NYY: 3_000, BOS: 5_000}
        tell(1, "orderbook_snapshot", level(NYY, "0.2000"))
        assert bids() == {NYY: 2_000, BOS: 5_000}
        parts.relist(None, Catalogue(()))
        system.address(BOOK_FEED).tell(Relisted())
        assert bids() == {}


EVENT = {"event_ticker": "KXMLBGAME-26NOV22NYYBOS", "series_ticker": "KXMLBGAME"}
