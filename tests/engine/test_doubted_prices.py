"""Prices that a market does not believe: no order, one line, one count."""

# flake8: noqa: ASYNC124 - the bench is opened with async with, and what is told is handled at once

from __future__ import annotations

from arb.core.decide import Reason
from arb.core.evaluate import Gate
from arb.core.orders import OrderState
from tests.core.order_factory import NYY
from tests.engine.market_bench import Bench, open_bench, open_order

# Away wins with 1 - 1/home: 2.5 makes 60 %.
SIXTY = 2.5
FIFTY = 2.0


def doubts(bench: Bench) -> list[str]:
    """Return the lines that were logged of prices."""
    return [line.text for line in bench.parts.board.log if line.tag == "ODDS"]


async def test_an_edge_beyond_belief_is_logged_and_counted_once(autojump_clock: object) -> None:
    """However often it is evaluated; when it has gone and comes back, it is told again."""
    async with open_bench() as bench:
        await bench.ready(0.75)
        for ask in (5_800, 5_700, 5_600):
            bench.top(ask - 300, ask)
            bench.quote(4.0 - ask / 100_000, "a")
        row = bench.parts.board.markets[NYY]
        assert (row.action, row.reason) == ("SKIP", Reason.TOO_GOOD)
        assert bench.wishes() == []
        assert bench.parts.board.refusals == {Reason.TOO_GOOD: 1}
        assert [line.startswith(f"{NYY}: {Reason.TOO_GOOD}") for line in doubts(bench)] == [True]
        assert doubts(bench)[0].endswith("c, bid 55 ask 58")

        bench.top(7_200, 7_400)
        bench.top(5_500, 5_800)
        assert bench.parts.board.refusals == {Reason.TOO_GOOD: 2}


async def test_an_inverted_market_is_quarantined_until_it_fits_again(
    autojump_clock: object,
) -> None:
    """Its price is the other team's: an edge of nine cents is none, and the row says why."""
    async with open_bench() as bench:
        await bench.ready(0.55)
        bench.top(4_400, 4_600)
        bench.quote(1 / 0.449, "a")
        bench.quote(1 / 0.448, "b")
        row = bench.parts.board.markets[NYY]
        assert (row.action, row.reason) == ("WAIT", Gate.INVERTED)
        assert bench.wishes() == []
        assert bench.parts.board.refusals == {Gate.INVERTED: 1}
        assert len(doubts(bench)) == 1
        assert [type(reason) for reason in bench.parts.board.refusals] == [str]

        bench.top(4_900, 5_000)
        bench.quote(FIFTY, "a", "b", "c")
        assert bench.parts.board.markets[NYY].reason == Gate.INVERTED

        bench.quote(SIXTY, "a", "b", "c")
        bench.top(5_600, 5_700)
        assert bench.parts.board.markets[NYY].reason != Gate.INVERTED


async def test_what_rests_in_an_inverted_market_is_cancelled(
    autojump_clock: object,
) -> None:
    """An entry made for the wrong team must not wait for its fill."""
    async with open_bench() as bench:
        await bench.ready(0.60)
        bench.hold(0, open_order(price=3_900, state=OrderState.RESTING))
        bench.top(3_900, 4_100)

        (cancel,) = bench.cancels()
        assert cancel.why == "the market looks inverted"
