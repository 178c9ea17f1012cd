"""One market's order book."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.book import Book, BookBroken, BookFault, BookTop
from arb.core.events import Side
from arb.core.grid import WHOLE_CENTS
from arb.core.money import CountE2, PriceE4, count_from_text, price_from_text

BID, ASK = Side.BID, Side.ASK
Rows = list[tuple[PriceE4, CountE2]]


def rows(*levels: tuple[int, int]) -> Rows:
    """Make levels of whole numbers: price and size."""
    return [(PriceE4(price), CountE2(size)) for price, size in levels]


def own(*levels: tuple[int, int]) -> dict[PriceE4, CountE2]:
    """Make our own resting quantity of whole numbers: price and size."""
    return dict(rows(*levels))


def book(*, bids: Rows | None = None, asks: Rows | None = None, grid: bool = False) -> Book:
    """Make a book, 56/58 unless told otherwise."""
    made = Book("KX-A", WHOLE_CENTS if grid else None)
    made.apply_snapshot(
        rows((5500, 300), (5600, 100)) if bids is None else bids,
        rows((5800, 200), (5900, 400)) if asks is None else asks,
    )
    return made


def prices(top: BookTop) -> tuple[int | None, int | None]:
    """Return bid and ask of a top."""
    return top.bid_e4, top.ask_e4


def test_a_snapshot_gives_the_top() -> None:
    """The highest bid and the lowest ask, with what rests there."""
    assert book().top() == BookTop(PriceE4(5600), CountE2(100), PriceE4(5800), CountE2(200))


def test_an_empty_book_has_no_top() -> None:
    """A side without levels has no price and no size."""
    assert book(bids=[], asks=[]).top() == BookTop(None, CountE2(0), None, CountE2(0))


def test_a_snapshot_replaces_everything() -> None:
    """Levels of before are gone, and a broken book is whole again."""
    kept = book()
    kept.distrust(BookFault.GAP)
    kept.apply_snapshot(rows((1000, 1)), [])

    assert kept.fault is None
    assert kept.levels(BID) == ((1000, 1),)
    assert kept.levels(ASK) == ()


def test_deltas_are_relative() -> None:
    """A change is added to what rests; a level at nothing is gone."""
    kept = book()

    assert kept.apply_delta(BID, PriceE4(5600), 50)
    assert kept.size_e2(BID, PriceE4(5600)) == 150
    kept.apply_delta(BID, PriceE4(5600), -150)
    assert kept.size_e2(BID, PriceE4(5600)) == 0
    assert prices(kept.top()) == (5500, 5800)


def test_a_better_level_becomes_the_top() -> None:
    """New levels inside the spread are the new best, deeper ones are not."""
    kept = book()
    kept.apply_delta(BID, PriceE4(5700), 10)
    kept.apply_delta(BID, PriceE4(100), 10)
    kept.apply_delta(ASK, PriceE4(9900), 10)

    assert prices(kept.top()) == (5700, 5800)
    kept.apply_delta(BID, PriceE4(5700), -10)
    kept.apply_delta(ASK, PriceE4(5700), 10)
    assert prices(kept.top()) == (5600, 5700)


def test_the_last_level_of_a_side_can_go() -> None:
    """A side that empties has no best, and its next level is the best again."""
    kept = book(bids=rows((5600, 1)), asks=rows((5800, 1)))
    kept.apply_delta(BID, PriceE4(5600), -1)
    kept.apply_delta(ASK, PriceE4(5800), -1)
    assert prices(kept.top()) == (None, None)

    kept.apply_delta(BID, PriceE4(2000), 1)
    kept.apply_delta(ASK, PriceE4(3000), 1)
    assert prices(kept.top()) == (2000, 3000)


def test_a_deeper_level_can_go() -> None:
    """What goes behind the best changes nothing at the top."""
    kept = book()
    kept.apply_delta(BID, PriceE4(5500), -300)
    kept.apply_delta(ASK, PriceE4(5900), -400)

    assert prices(kept.top()) == (5600, 5800)
    assert kept.levels(BID) == ((5600, 100),)


def test_a_change_by_nothing_makes_no_level() -> None:
    """A delta of 0 where nothing rests leaves nothing."""
    kept = book()

    assert kept.apply_delta(BID, PriceE4(5700), 0)
    assert prices(kept.top()) == (5600, 5800)
    assert kept.levels(BID) == ((5600, 100), (5500, 300))


def test_a_book_without_a_snapshot_takes_no_delta() -> None:
    """Changes relative to nothing mean nothing."""
    empty = Book("KX-A")

    with pytest.raises(BookBroken) as broken:
        empty.apply_delta(BID, PriceE4(5600), 10)

    assert broken.value.fault is BookFault.NO_SNAPSHOT
    assert str(broken.value) == "no snapshot yet: KX-A"


def test_a_level_below_nothing_breaks_the_book() -> None:
    """Somewhere a message was lost: the book takes no more changes."""
    kept = book()

    with pytest.raises(BookBroken, match=r"a level fell below nothing: KX-A bid 56 at -0\.5"):
        kept.apply_delta(BID, PriceE4(5600), -150)
    with pytest.raises(BookBroken):
        kept.apply_delta(BID, PriceE4(5600), 10)
    assert kept.fault is BookFault.NEGATIVE_LEVEL


def test_a_new_level_below_nothing_breaks_the_book() -> None:
    """Taking away where nothing rests is the same fault."""
    with pytest.raises(BookBroken):
        book().apply_delta(ASK, PriceE4(6000), -1)


@pytest.mark.parametrize("side,price_e4", [(BID, 5900), (ASK, 5500)])
def test_a_crossed_book_is_broken(side: Side, price_e4: int) -> None:
    """A bid above an ask would have traded: the book is not the exchange's."""
    kept = book()

    with pytest.raises(BookBroken) as broken:
        kept.apply_delta(side, PriceE4(price_e4), 10)

    assert broken.value.fault is kept.fault is BookFault.CROSSED


def test_a_crossed_snapshot_is_broken() -> None:
    """A snapshot is held to the same rule, and its top can still be looked at."""
    kept = Book("KX-A")

    with pytest.raises(BookBroken, match="the best bid is above the best ask: KX-A 60/50"):
        kept.apply_snapshot(rows((6000, 1)), rows((5000, 1)))

    assert kept.fault is BookFault.CROSSED
    assert prices(kept.top()) == (6000, 5000)


def test_a_locked_book_is_taken_as_it_is() -> None:
    """What to do about a bid equal to the ask is for the decision."""
    kept = book()
    kept.apply_delta(BID, PriceE4(5800), 10)

    assert kept.fault is None
    assert prices(kept.top()) == (5800, 5800)


@pytest.mark.parametrize(
    "asks,fault",
    [
        (rows((5800, 1), (5800, 2)), BookFault.REPEATED_LEVEL),
        (rows((5800, -1)), BookFault.NEGATIVE_LEVEL),
    ],
)
def test_a_damaged_snapshot_changes_no_level(asks: Rows, fault: BookFault) -> None:
    """A level twice or below nothing breaks the book; what was there stays to be looked at."""
    kept = book()

    with pytest.raises(BookBroken):
        kept.apply_snapshot(rows((100, 1)), asks)

    assert kept.fault is fault
    assert prices(kept.top()) == (5600, 5800)


def test_an_empty_level_of_a_snapshot_is_none() -> None:
    """A level of nothing in a snapshot is left out without complaint."""
    kept = book(bids=rows((5600, 0), (5500, 1)))

    assert prices(kept.top()) == (5500, 5800)


def test_a_price_off_the_grid_is_left_out_and_reported() -> None:
    """It is bad input to be counted, and disturbs nothing else."""
    kept = Book("KX-A", WHOLE_CENTS)

    assert kept.apply_snapshot(rows((5650, 7), (5600, 1)), rows((5799, 7), (5900, 1))) == (
        5650,
        5799,
    )
    assert not kept.apply_delta(BID, PriceE4(5701), 10)
    assert kept.apply_delta(BID, PriceE4(5700), 10)
    assert kept.fault is None
    assert kept.levels(BID) == ((5700, 10), (5600, 1))


@pytest.mark.parametrize("price_e4", [0, -100, 10_000, 10_100])
def test_without_a_grid_only_impossible_prices_are_left_out(price_e4: int) -> None:
    """Nothing rests at nothing or at a dollar."""
    kept = book()

    assert not kept.apply_delta(BID, PriceE4(price_e4), 10)
    assert kept.apply_delta(BID, PriceE4(5651), 10)


def test_our_own_quantity_is_taken_out() -> None:
    """What of a level is ours is no one else's offer."""
    top = book().top(own((5600, 40)), own((5800, 150)))

    assert top == BookTop(PriceE4(5600), CountE2(60), PriceE4(5800), CountE2(50))


def test_levels_that_are_ours_alone_are_passed_over() -> None:
    """The best of others lies behind them."""
    kept = book(
        bids=rows((100, 9), (5500, 300), (5600, 100), (5700, 5)),
        asks=rows((5800, 200), (5900, 400), (9900, 9)),
    )

    top = kept.top(own((5600, 100), (5700, 5), (5500, 1)), own((5800, 200)))

    assert top == BookTop(PriceE4(5500), CountE2(299), PriceE4(5900), CountE2(400))


def test_a_side_that_is_ours_alone_is_empty() -> None:
    """Where nobody else rests there is no best, even if we count more than the book shows."""
    kept = book(bids=rows((5600, 100)), asks=rows((5800, 200)))

    assert prices(kept.top(own((5600, 100)), own((5800, 900)))) == (None, None)


def test_shows_itself_honestly() -> None:
    """The top and the depth, and what is wrong."""
    kept = book()
    assert repr(kept) == "<Book KX-A 56/58, 2 bids, 2 asks>"

    kept.distrust(BookFault.GAP)
    assert repr(kept) == "<Book KX-A 56/58, 2 bids, 2 asks, broken: a message is missing>"
    assert repr(Book("KX-B")) == "<Book KX-B none/none, 0 bids, 0 asks, broken: no snapshot yet>"


SIDES = st.sampled_from([BID, ASK])
# Bids up to 50 and asks from 50 on can lock and cannot cross.
DELTAS = st.lists(st.tuples(SIDES, st.integers(1, 6), st.integers(-3, 4)), min_size=1, max_size=60)
OWN = st.dictionaries(st.integers(40, 60).map(lambda c: PriceE4(c * 100)), st.just(CountE2(2)))


@given(DELTAS, OWN, OWN)
def test_equals_a_naive_model(
    deltas: list[tuple[Side, int, int]],
    own_bids: dict[PriceE4, CountE2],
    own_asks: dict[PriceE4, CountE2],
) -> None:
    """After any changes the book is what adding them up level by level gives."""
    kept = book(bids=[], asks=[], grid=True)
    model: dict[Side, dict[int, int]] = {BID: {}, ASK: {}}
    for side, offset, delta in deltas:
        price = (51 - offset if side is BID else 49 + offset) * 100
        size = model[side].get(price, 0) + delta
        if size < 0:
            continue
        model[side][price] = size
        kept.apply_delta(side, PriceE4(price), delta)
        bids, asks = ({p: n for p, n in model[side].items() if n} for side in (BID, ASK))
        others_bid = {p: n - own_bids.get(PriceE4(p), 0) for p, n in bids.items()}
        others_ask = {p: n - own_asks.get(PriceE4(p), 0) for p, n in asks.items()}
        bid = max((p for p, n in others_bid.items() if n > 0), default=None)
        ask = min((p for p, n in others_ask.items() if n > 0), default=None)

        assert dict(kept.levels(BID)) == bids
        assert dict(kept.levels(ASK)) == asks
        assert prices(kept.top()) == (max(bids, default=None), min(asks, default=None))
        assert kept.top(own_bids, own_asks) == BookTop(
            None if bid is None else PriceE4(bid),
            CountE2(0 if bid is None else others_bid[bid]),
            None if ask is None else PriceE4(ask),
            CountE2(0 if ask is None else others_ask[ask]),
        )


def levels_of(message: dict[str, Any], key: str, *, no: bool) -> Rows:
    """Read recorded levels; these were sent with NO prices on the NO scale."""
    found = []
    for price, size in message.get(key, []):
        price_e4 = price_from_text(price)
        found.append((PriceE4(10_000 - price_e4) if no else price_e4, count_from_text(size)))
    return found


def test_a_recorded_stream_never_breaks_a_book(shared_data: Path) -> None:
    """Twelve markets through all recorded changes: never negative, never crossed, on the grid."""
    recorded = shared_data / "kalshi" / "recorded" / "prod-2026-08" / "ws_orderbook_stream.jsonl"
    frames = [json.loads(line)["frame"] for line in recorded.read_text().splitlines()]
    books: dict[str, Book] = {}
    deltas = 0
    for frame in frames:
        message = frame.get("msg")
        if frame["type"] == "orderbook_snapshot":
            kept = books.setdefault(
                message["market_ticker"], Book(message["market_ticker"], WHOLE_CENTS)
            )
            bids = levels_of(message, "yes_dollars_fp", no=False)
            assert kept.apply_snapshot(bids, levels_of(message, "no_dollars_fp", no=True)) == ()
        elif frame["type"] == "orderbook_delta":
            price_e4 = price_from_text(message["price_dollars"])
            side = BID if message["side"] == "yes" else ASK
            price_e4 = price_e4 if side is BID else PriceE4(10_000 - price_e4)
            delta_e2 = count_from_text(message["delta_fp"])
            assert books[message["market_ticker"]].apply_delta(side, price_e4, delta_e2)
            deltas += 1

    assert len(books) == 12
    assert deltas > 100
    for kept in books.values():
        top = kept.top()
        assert top.bid_e4 is not None
        assert top.ask_e4 is not None
        assert top.bid_e4 < top.ask_e4
