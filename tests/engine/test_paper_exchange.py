"""The exchange made of the books alone, and an engine that trades on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
import trio

from arb.core.commands import Amendment, Purpose, TimeInForce
from arb.core.events import (
    Fill,
    Liquidity,
    OrderAccepted,
    OrderAmended,
    OrderClosed,
    OrderKept,
    OrderRefused,
    Side,
    Top,
)
from arb.core.ledger import Ledger
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.engine.messages import ClearHalt, HaltTrading, LookUp
from arb.engine.paper_exchange import PaperExchange
from arb.settings import Mode
from tests.core.order_factory import ENTRY, EXIT, NYY, PLAIN
from tests.engine.market_bench import StillClock

OpenRig = Callable[..., Any]

TAKER = attrs.evolve(
    ENTRY,
    post_only=False,
    time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
    liquidity=Liquidity.TAKER,
    price_e4=PriceE4(5_200),
)
MAKER = attrs.evolve(ENTRY, price_e4=PriceE4(5_000))
SALE = attrs.evolve(EXIT, price_e4=PriceE4(5_500))


def top(bid: int | None = 5_000, ask: int | None = 5_200, size: int = 300, **more: Any) -> Top:
    """Make a top of the book."""
    made = Top(
        NYY,
        None if bid is None else PriceE4(bid),
        CountE2(size),
        None if ask is None else PriceE4(ask),
        CountE2(size),
        usable=True,
        at_ms=1,
        received_ns=1,
    )
    return attrs.evolve(made, **more)


@pytest.fixture
def exchange() -> PaperExchange:
    """Return an exchange with a thousand dollars and nothing else."""
    return PaperExchange(Ledger(MoneyE6(1_000_000_000)), StillClock())


def test_a_taker_buys_what_is_shown_and_only_once(exchange: PaperExchange) -> None:
    """Three are shown: of five wished three are bought, and a second order gets none."""
    exchange.see(top())
    fill, accepted = exchange.place("o1", TAKER, PLAIN)
    again = exchange.place("o2", TAKER, PLAIN)

    assert isinstance(fill, Fill)
    assert (fill.price_e4, fill.count_e2, fill.liquidity) == (5_200, 300, Liquidity.TAKER)
    assert accepted == OrderAccepted("o1", fill.order_id, CountE2(300), CountE2(0))
    assert again == [OrderAccepted("o2", "paper-order-2", CountE2(0), CountE2(0))]
    assert exchange.account.position(NYY).count_e2 == 300
    assert exchange.account.cash_e6 == 1_000_000_000 - 300 * 5_200 - fill.fee_e6


def test_what_was_taken_comes_back_only_with_a_new_ask(exchange: PaperExchange) -> None:
    """The same top seen again still shows nothing more; another size does."""
    exchange.see(top())
    exchange.place("o1", TAKER, PLAIN)
    exchange.see(top())
    exchange.see(top(bid=4_900))
    assert len(exchange.place("o2", TAKER, PLAIN)) == 1
    exchange.see(top(size=400))

    assert len(exchange.place("o3", TAKER, PLAIN)) == 2


@pytest.mark.parametrize("seen", [None, top(usable=False)])
def test_without_a_usable_book_nothing_is_taken(seen: Top | None, exchange: PaperExchange) -> None:
    """An order without a book to fill against is refused."""
    if seen is not None:
        exchange.see(seen)

    (refused,) = exchange.place("o1", TAKER, PLAIN)
    assert isinstance(refused, OrderRefused)


@pytest.mark.parametrize("ask", [None, 5_300])
def test_an_ask_above_the_limit_is_not_paid(ask: int | None, exchange: PaperExchange) -> None:
    """A taker whose price the book does not show buys nothing, and nothing rests."""
    exchange.see(top(ask=ask))

    assert exchange.place("o1", TAKER, PLAIN) == [
        OrderAccepted("o1", "paper-order-1", CountE2(0), CountE2(0))
    ]
    assert exchange.resting == ()


def test_a_maker_fills_only_when_the_other_side_goes_through(exchange: PaperExchange) -> None:
    """At its own price nothing happens, however often; one tick through, all of it fills there."""
    exchange.see(top())
    (accepted,) = exchange.place("o1", MAKER, PLAIN)
    assert accepted == OrderAccepted("o1", "paper-order-1", CountE2(0), CountE2(500))
    assert exchange.see(top(bid=4_900, ask=5_000)) == []
    assert exchange.see(top(bid=4_900, ask=4_900, usable=False)) == []
    (fill,) = exchange.see(top(bid=4_800, ask=4_900, size=500))

    assert isinstance(fill, Fill)
    assert (fill.price_e4, fill.count_e2, fill.liquidity) == (5_000, 500, Liquidity.MAKER)
    assert exchange.resting == ()


def test_a_sale_fills_when_the_bid_goes_through(exchange: PaperExchange) -> None:
    """The mirror of a purchase: a bid strictly above a resting sale fills it."""
    exchange.see(top(size=500))
    exchange.place("o1", TAKER, PLAIN)
    exchange.place("s1", SALE, PLAIN)
    assert exchange.see(top(bid=5_500, ask=5_700)) == []
    (fill,) = exchange.see(top(bid=5_600, ask=5_700, size=500))

    assert isinstance(fill, Fill)
    assert (fill.side, fill.price_e4) == (Side.ASK, 5_500)
    assert exchange.account.position(NYY).count_e2 == 0


def test_a_post_only_order_that_would_cross_is_refused(exchange: PaperExchange) -> None:
    """What should rest and would trade instead is refused."""
    exchange.see(top(ask=5_000))

    (refused,) = exchange.place("o1", MAKER, PLAIN)
    assert refused == OrderRefused("o1", "invalid_order", "post only cross")


def test_orders_move_and_go(exchange: PaperExchange) -> None:
    """A resting order can be moved unless it would cross, found, and cancelled once."""
    exchange.see(top())
    exchange.place("s1", SALE, PLAIN)

    def move(price: int, name: str = "s1") -> Any:
        (outcome,) = exchange.amend(
            Amendment(name, "x", NYY, Side.ASK, PriceE4(price), CountE2(500), 0)
        )
        return outcome

    assert move(5_600) == OrderAmended("s1", PriceE4(5_600), CountE2(500))
    assert isinstance(move(5_000), OrderKept)
    assert isinstance(move(5_600, "s2"), OrderKept)
    assert exchange.resting[0].price_e4 == 5_600
    assert exchange.find("s1") == [OrderAccepted("s1", "paper-order-1", CountE2(0), CountE2(500))]
    assert exchange.cancel("s1", "a test") == [OrderClosed("s1", CountE2(0), "canceled: a test")]
    assert exchange.cancel("s1", "a test") == []
    assert isinstance(exchange.find("s1")[0], OrderClosed)
    assert "0 resting" in repr(exchange)


async def test_a_paper_engine_sends_no_order_off_the_machine(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """On real data it finds edges and fills them by itself; the exchange never hears of it."""
    async with open_rig(mode=Mode.PAPER) as rig:
        await rig.until(lambda: rig.board.counts["exits"] >= 2)
        await trio.sleep(20)

        assert rig.orders() == []
        assert rig.board.counts["fills"] >= 2
        assert rig.board.counts["invariant_violations"] == 0
        ledger = rig.risk._books.ledger
        exchange = rig.gateway._exchange
        assert ledger.cash_e6 == exchange.account.cash_e6
        for ticker, position in exchange.account.positions.items():
            assert ledger.position(ticker).count_e2 == position.count_e2
        intents = [o.intent for o in ledger.orders.values()]
        assert any(intent.purpose is Purpose.EXIT for intent in intents)


async def test_a_paper_gateway_that_comes_back_knows_its_account(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """After a kill its positions are the journal's, its orders are gone, and trading goes on."""
    async with open_rig(mode=Mode.PAPER) as rig:
        await rig.until(lambda: rig.board.counts["exits"] >= 1)
        await rig.system.kill("gateway")
        await rig.until_running()
        await trio.sleep(0.5)
        held = {t: h.count_e2 for t, h in rig.board.holdings.items() if h.count_e2}
        account = rig.gateway._exchange.account
        assert held == {t: p.count_e2 for t, p in account.positions.items() if p.count_e2}
        assert "PaperExchange" in repr(rig.gateway)
        rig.system.address("gateway").tell(LookUp("nobody's", "x", 0))

        before = rig.board.counts["fills"]
        await rig.until(lambda: rig.board.counts["fills"] > before)
        assert rig.board.counts["invariant_violations"] == 0


async def test_a_halt_in_paper_mode_is_cleared_without_a_group(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """There is no order group to reset, and trading goes on."""
    async with open_rig(mode=Mode.PAPER) as rig:
        await rig.until_running()
        await rig.ask(HaltTrading("a test", "me"))
        assert rig.state == "halted"
        assert await rig.ask(ClearHalt("looked", "me"))
        await trio.sleep(0.1)
        assert rig.state == "running"
        reasons = {each.reason for each in rig.system.snapshot().dead_letters}
        assert "not for the gateway" not in reasons
