"""Orders, fills and markets as the tests of the order side need them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import attrs

from arb.core.commands import OrderIntent, Purpose, TimeInForce
from arb.core.events import (
    Fill,
    Liquidity,
    OrderAccepted,
    OrderAmended,
    OrderClosed,
    OrderEvent,
    OrderKept,
    OrderRefused,
    OrderUnknown,
    Settlement,
    Side,
    Top,
)
from arb.core.fees import FeeSchedule
from arb.core.games import Game
from arb.core.grid import WHOLE_CENTS
from arb.core.ledger import Ledger, Position
from arb.core.listing import Listing
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.core.orders import Order, OrderState
from arb.core.teams import Team

NYY = "KXMLBGAME-26NOV22NYYBOS-NYY"
BOS = "KXMLBGAME-26NOV22NYYBOS-BOS"
CASH = MoneyE6(1_000_000_000)
PLAIN = FeeSchedule("quadratic_with_maker_fees")

ENTRY = OrderIntent(
    ticker=NYY,
    game_id="g1",
    purpose=Purpose.ENTRY,
    side=Side.BID,
    price_e4=PriceE4(5_000),
    count_e2=CountE2(500),
    liquidity=Liquidity.MAKER,
    time_in_force=TimeInForce.GOOD_TILL_CANCELED,
    post_only=True,
    trigger_ns=1,
    fair=0.55,
)
EXIT = attrs.evolve(ENTRY, purpose=Purpose.EXIT, side=Side.ASK, price_e4=PriceE4(5_500))


def intent(**changes: Any) -> OrderIntent:
    """Wish for the usual entry with some things different."""
    return attrs.evolve(ENTRY, **changes)


def order(name: str = "o1", wish: OrderIntent = ENTRY, **changes: Any) -> Order:
    """Make an order that was just approved."""
    wish = attrs.evolve(wish, **changes)
    return Order(name, wish, wish.price_e4, wish.count_e2, created_ms=1_000)


def fill(trade: str = "t1", **changes: Any) -> Fill:
    """Make a fill of the usual entry, two contracts at its price and without a fee."""
    made = Fill(
        trade_id=trade,
        order_id="x-o1",
        client_order_id="o1",
        ticker=NYY,
        side=Side.BID,
        price_e4=PriceE4(5_000),
        count_e2=CountE2(200),
        fee_e6=MoneyE6(0),
        liquidity=Liquidity.MAKER,
        at_ms=2_000,
    )
    return attrs.evolve(made, **changes)


def accepted(name: str = "o1", filled: int = 0, remaining: int = 500) -> OrderAccepted:
    """Let the exchange take an order."""
    return OrderAccepted(name, f"x-{name}", CountE2(filled), CountE2(remaining))


def refused(name: str = "o1") -> OrderRefused:
    """Let the exchange refuse an order."""
    return OrderRefused(name, "invalid_order", "post only cross")


def unknown(name: str = "o1") -> OrderUnknown:
    """Let a request go without an answer."""
    return OrderUnknown(name, "no answer")


def amended(name: str = "o1", price: int = 5_600, remaining: int = 500) -> OrderAmended:
    """Let the exchange move an order."""
    return OrderAmended(name, PriceE4(price), CountE2(remaining))


def kept(name: str = "o1") -> OrderKept:
    """Let the exchange refuse to move or to cancel an order."""
    return OrderKept(name, "not_found", "nothing rests")


def closed(name: str = "o1", filled: int | None = 0, why: str = "canceled: test") -> OrderClosed:
    """Let an order end."""
    return OrderClosed(name, None if filled is None else CountE2(filled), why)


# Ways from approval into each state, and one report of each kind.
WAYS: dict[OrderState, tuple[OrderEvent, ...]] = {
    OrderState.PENDING: (),
    OrderState.RESTING: (accepted(),),
    OrderState.UNKNOWN: (unknown(),),
    OrderState.CLOSED: (accepted(), closed()),
    OrderState.REFUSED: (refused(),),
}
REPORTS: tuple[OrderEvent, ...] = (
    accepted(),
    refused(),
    unknown(),
    amended(),
    kept(),
    closed(),
)


def order_in(state: OrderState, name: str = "o1", **changes: Any) -> Order:
    """Make an order that has come to a state in the usual way."""
    made = order(name, **changes)
    for event in WAYS[state]:
        made.apply(attrs.evolve(event, client_order_id=name))
    return made


def ledger_with(*orders: Order, cash: int = CASH) -> Ledger:
    """Make a ledger that knows some orders, as they stand."""
    ledger = Ledger(MoneyE6(cash))
    for each in orders:
        ledger.open_order(each)
        ledger._index(each)
    return ledger


def hold(ledger: Ledger, count_e2: int, price_e4: int = 5_000, ticker: str = NYY) -> None:
    """Let a ledger hold a position that is ours and that no order it knows has bought."""
    stray = fill(
        f"held-{ticker}-{count_e2}",
        client_order_id=None,
        order_id="by hand",
        ticker=ticker,
        side=Side.BID if count_e2 > 0 else Side.ASK,
        price_e4=PriceE4(price_e4),
        count_e2=CountE2(abs(count_e2)),
    )
    ledger.book(stray)
    ledger.positions[ticker].own_e2 = CountE2(ledger.positions[ticker].own_e2 + count_e2)


class Unwalkable(dict[str, Position]):
    """Positions to be asked for one by one: whoever walks through all that ever were is told."""

    def __iter__(self) -> Iterator[str]:
        """Refuse."""
        raise AssertionError("all positions ever are walked through")

    items = values = keys = __iter__  # type: ignore[assignment]


def settlement(count_e2: int, value_e4: int, ticker: str = NYY, **changes: Any) -> Settlement:
    """Let a market end with a count held and YES worth something."""
    own_e4 = value_e4 if count_e2 > 0 else 10_000 - value_e4
    made = Settlement(
        ticker,
        CountE2(count_e2),
        PriceE4(value_e4),
        revenue_e6=MoneyE6(abs(count_e2) * own_e4 // 10_000 * 10_000),
        fee_e6=MoneyE6(0),
        at_ms=9_000,
    )
    return attrs.evolve(made, **changes)


def no_fee(_ticker: str, _price: PriceE4, _count: CountE2, _liquidity: Liquidity) -> MoneyE6:
    """Charge nothing."""
    return MoneyE6(0)


def plain_fee(_ticker: str, price: PriceE4, count: CountE2, liquidity: Liquidity) -> MoneyE6:
    """Charge what most series do."""
    return PLAIN.fee_e6(price, count, liquidity)


def top(
    bid: int | None = 5_000, ask: int | None = 5_700, *, ticker: str = NYY, usable: bool = True
) -> Top:
    """Show a book's top with a hundred contracts on each side."""
    return Top(
        ticker,
        None if bid is None else PriceE4(bid),
        CountE2(10_000 if bid is not None else 0),
        None if ask is None else PriceE4(ask),
        CountE2(10_000 if ask is not None else 0),
        usable,
        at_ms=1_000,
        received_ns=1,
    )


def team(code: str, name: str) -> Team:
    """Make a team."""
    return Team("mlb", name, name, name, (code,), name)


GAME = Game(
    game_id="g1",
    league="mlb",
    date=date(2026, 11, 22),
    home=team("BOS", "Red Sox"),
    away=team("NYY", "Yankees"),
    start_ms=2_000_000_000_000,
    event_ticker="KXMLBGAME-26NOV22NYYBOS",
    home_ticker=BOS,
    away_ticker=NYY,
    odds=(),
)


def listing(ticker: str = NYY, game: Game = GAME) -> Listing:
    """List one of the game's markets, on whole cents."""
    return Listing(ticker, game, WHOLE_CENTS, PLAIN, exchange_index=0)
