"""Entry, exit, pause and halt, each with every outcome of its calls: one table, one row a case.

What rests, what is held and what the market's row says are looked at twice: while the outcome
lasts, and when all is well again, where books and exchange must be equal to the last unit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
import trio

from arb.core.orders import Order
from arb.core.parameters import Execution, Risk
from arb.settings import Settings
from arb.sim.conditions import OrderAnswer
from arb.sim.exchange.lifecycle import close, pause_market, resume_market, sweep_closed
from arb.sim.exchange.placing import place
from arb.sim.exchange.values import BookSide, Change, Lifetime, OrderRequest
from tests.engine.conftest import SLOW_MAKER, Rig

pytestmark = pytest.mark.slow

OpenRig = Callable[..., Any]

ONE_E2 = 100

# While an outcome lasts: longer than a request may be out, shorter than a maker waits.
MEANWHILE_S = 3.0

# Over a market whose position is not on sale stands that, and why.
MISSING = "NO EXIT: no exit rests for 10 of 10 YES"

# An order that was never taken is believed not to be 30 s later, twice, and is then made anew.
AFTERWARDS_S = 75.0

# One entry fills a market, so that one sale is of all that is held.
ONE_ENTRY = Settings(
    execution=Execution(contracts_per_order=10), risk=Risk(max_contracts_per_market=10)
)

ACCEPTED = "accepted"
REFUSED = "refused"
TIMED_OUT_BEFORE = "timed out before the exchange took it"
TIMED_OUT_AFTER = "timed out after the exchange took it"
PARTLY_FILLED = "partly filled"
FILLED_FIRST = "filled before the answer"
CANCELED = "canceled by the exchange"
MARKET_PAUSED = "market paused"
MARKET_CLOSED = "market closed"

ANSWERS = {
    REFUSED: OrderAnswer.REFUSE,
    TIMED_OUT_BEFORE: OrderAnswer.TIMEOUT_BEFORE,
    TIMED_OUT_AFTER: OrderAnswer.TIMEOUT_AFTER,
}


@attrs.frozen
class Shown:
    """What is so: what of the order rests, what is held and on sale, how the order stands.

    Both are above 0 where they are of the outcome that the order is about.
    """

    rests_e2: int
    held_e2: int
    on_sale_e2: int
    state: str
    row: str


class Case:
    """One call and one outcome of it, in one engine."""

    def __init__(self, rig: Rig, outcome: str) -> None:
        self.rig = rig
        self.outcome = outcome
        self.name = ""

    @property
    def order(self) -> Order:
        """Return the order as the engine has it."""
        return self.rig.risk._books.ledger.orders[self.name]

    @property
    def ticker(self) -> str:
        """Return its market."""
        return self.order.intent.ticker

    @property
    def count_e2(self) -> int:
        """Return how much it wished."""
        return self.order.intent.count_e2

    @property
    def way(self) -> int:
        """Return the sign of what it opens or closes: YES is above 0, and NO below."""
        is_bid = self.order.side.value == BookSide.BID.value
        return 1 if is_bid == self.order.is_entry else -1

    def shown(self) -> Shown:
        """Look at everything that counts."""
        own = [one for one in self.rig.resting(self.ticker) if one.client_order_id == self.name]
        # What a row says of an order shows at the market's next evaluation, which a quote or a
        # change of the book brings, and a world that stands still does not.
        if self.outcome != REFUSED:
            market = self.rig.instance(self.ticker)
            market._step(market._trigger_ns, count=False)
        return Shown(
            sum(one.remaining_e2 for one in own),
            self.way * self.rig.held_e2.get(self.ticker, 0),
            self.way * self.rig.on_sale_e2.get(self.ticker, 0),
            str(self.order.state),
            self.row,
        )

    @property
    def row(self) -> str:
        """Return what a person reads in the market's row."""
        markets = self.rig.steering.snapshot()["markets"]
        row = next(each for each in markets if each["ticker"] == self.ticker)
        return f"{row['action']}: {row['reason']}"

    # What happens to the call.

    def spoil(self, kind: str) -> None:
        """Let the next requests of a kind meet the outcome, where it is one of requests."""
        conditions = self.rig.simulation.exchange_conditions
        if self.outcome in ANSWERS:
            setattr(conditions, f"{kind}_answer", ANSWERS[self.outcome])
        if self.outcome == CANCELED and kind == "cancel":
            conditions.cancel_lag_s = 0.5
        if self.outcome in (PARTLY_FILLED, FILLED_FIRST):
            # A new order is taken at once and answered late; a cancel arrives late.
            setattr(conditions, "order_delay_s" if kind == "order" else "cancel_lag_s", 0.5)

    def befall(self) -> None:
        """Let the outcome come over the order itself, where it is one of the exchange's."""
        venue = self.rig.simulation.venue
        found = [one for one in self.rig.orders() if one.client_order_id == self.name]
        if self.outcome == PARTLY_FILLED:
            self._meet(ONE_E2)
        elif self.outcome == FILLED_FIRST:
            self._meet(self.order.at_stake_e2)
        elif self.outcome == CANCELED:
            venue.take_off_book(found[0], Change.CANCEL)
        elif self.outcome == MARKET_PAUSED:
            pause_market(venue, venue.markets[self.ticker])
        elif self.outcome == MARKET_CLOSED:
            close(venue, venue.markets[self.ticker])
            sweep_closed(venue)

    def _meet(self, count_e2: int) -> None:
        """Let others trade with the order, and with nothing that stands before it."""
        venue = self.rig.simulation.venue
        (order,) = [one for one in self.rig.resting() if one.client_order_id == self.name]
        other = BookSide.ASK if order.side is BookSide.BID else BookSide.BID
        for standing in list(venue.markets[self.ticker].book.orders()):
            if standing.side is order.side and standing is not order:
                venue.take_off_book(standing, Change.CANCEL)
        wish = OrderRequest(
            self.ticker, other, count_e2, order.price_e4, Lifetime.IMMEDIATE_OR_CANCEL
        )
        place(venue, venue.accounts["crowd"], wish)

    # What must be so in the end.

    async def ends_well(self) -> None:
        """End the outcome, and find books and exchange equal, and nothing that nobody owns."""
        venue = self.rig.simulation.venue
        self.rig.heal()
        self.freeze()
        if self.outcome == MARKET_PAUSED:
            resume_market(venue, venue.markets[self.ticker])
        await trio.sleep(AFTERWARDS_S)
        self.rig.assert_books_equal()
        self.rig.assert_no_orphan()
        assert self.rig.risk._books.ledger.illegal_reports == 0
        if self.outcome != MARKET_CLOSED:
            shown = self.shown()
            assert shown.on_sale_e2 == shown.held_e2

    def freeze(self) -> None:
        """Let nothing new be begun, so that what is looked at stands still."""
        self.rig.simulation.odds_conditions.freeze = True
        self.rig.simulation.world.fixtures.clear()


async def next_order(case: Case, *, entry: bool) -> None:
    """Wait for the next order of a kind that leaves, and freeze the world in that moment."""
    ledger = case.rig.risk._books.ledger
    before = set(ledger.orders)

    def fresh() -> list[str]:
        return [n for n, o in ledger.orders.items() if n not in before and o.is_entry is entry]

    with trio.fail_after(300):
        while not fresh():  # noqa: ASYNC110 - what happens in a world is looked at
            await trio.sleep(0.001)
    case.name = fresh()[0]
    case.freeze()
    # A turn of the exchange, and of the order's way to it.
    await trio.sleep(0.002)


def sells_all(rig: Rig, sale: Any) -> bool:
    """Tell whether one sale is of all that is held in its market."""
    return bool(sale.remaining_e2 == abs(rig.held_e2[sale.ticker]))


@pytest.mark.parametrize(
    ("outcome", "rests", "held", "state", "row"),
    [
        (ACCEPTED, "all", "none", "resting", "RESTING"),
        (REFUSED, "none", "none", "refused", "REFUSED: not taken: trading_is_paused"),
        (TIMED_OUT_BEFORE, "none", "none", "unknown", "RESTING"),
        (TIMED_OUT_AFTER, "all", "none", "resting", "RESTING"),
        (PARTLY_FILLED, "all but one", "one", "resting", "RESTING"),
        (FILLED_FIRST, "none", "all", "closed", "EXITING"),
        (CANCELED, "none", "none", "closed", "SKIP: this price change"),
        (MARKET_PAUSED, "none", "none", "closed", "WAIT: Kalshi has paused the market"),
        (MARKET_CLOSED, "none", "none", "closed", "WAIT: the market is closed"),
    ],
)
async def test_an_entry(
    outcome: str,
    rests: str,
    held: str,
    state: str,
    row: str,
    open_rig: OpenRig,
    autojump_clock: object,
) -> None:
    """What is bought is on sale at once, and what is not bought leaves nothing behind."""
    async with open_rig(settings=SLOW_MAKER) as rig:
        await rig.until_running()
        case = Case(rig, outcome)
        case.spoil("order")
        await next_order(case, entry=True)
        case.befall()
        if outcome == REFUSED:
            assert row in case.row
        await trio.sleep(MEANWHILE_S)
        shown = case.shown()
        amounts = {"none": 0, "one": ONE_E2, "all": case.count_e2}
        amounts["all but one"] = case.count_e2 - ONE_E2
        assert (shown.rests_e2, shown.held_e2) == (amounts[rests], amounts[held])
        assert shown.on_sale_e2 == shown.held_e2
        assert shown.state == state
        assert outcome == REFUSED or shown.row.startswith(row), shown.row
        await case.ends_well()


@pytest.mark.parametrize(
    ("outcome", "on_sale", "held", "row"),
    [
        (ACCEPTED, "all", "all", "EXITING"),
        (REFUSED, "none", "all", f"{MISSING}: not taken: trading_is_paused"),
        (TIMED_OUT_BEFORE, "none", "all", f"{MISSING}: whether its exit rests is unknown"),
        (TIMED_OUT_AFTER, "all", "all", "EXITING"),
        (PARTLY_FILLED, "all but one", "all but one", "EXITING"),
        (FILLED_FIRST, "none", "none", "SKIP"),
        (CANCELED, "all", "all", "EXITING"),
        (MARKET_PAUSED, "none", "all", f"{MISSING}: Kalshi has paused the market"),
        (MARKET_CLOSED, "none", "all", f"{MISSING}: the market is closed"),
    ],
)
async def test_an_exit(
    outcome: str,
    on_sale: str,
    held: str,
    row: str,
    open_rig: OpenRig,
    autojump_clock: object,
) -> None:
    """Never more on sale than is held, and all of it as soon as the exchange takes it."""
    async with open_rig(settings=ONE_ENTRY) as rig:
        case = Case(rig, outcome)
        await rig.until(lambda: bool(rig.resting_exits()))
        case.freeze()
        # Entries that rest have timed out by then.
        await trio.sleep(10)
        sale = next(one for one in rig.resting_exits() if sells_all(rig, one))
        had_e2 = abs(rig.held_e2[sale.ticker])
        case.spoil("order")
        rig.simulation.venue.take_off_book(sale, Change.CANCEL)
        await next_order(case, entry=False)
        assert case.ticker == sale.ticker
        case.befall()
        await trio.sleep(MEANWHILE_S)
        shown = case.shown()
        amounts = {"none": 0, "all": had_e2, "all but one": had_e2 - ONE_E2}
        assert (shown.on_sale_e2, shown.held_e2) == (amounts[on_sale], amounts[held])
        assert shown.row.startswith(row), shown.row
        await case.ends_well()


@pytest.mark.parametrize("verb", ["pause", "halt"])
@pytest.mark.parametrize(
    ("outcome", "rests", "held"),
    [
        (ACCEPTED, False, "none"),
        (REFUSED, True, "none"),
        (TIMED_OUT_BEFORE, True, "none"),
        (TIMED_OUT_AFTER, False, "none"),
        (PARTLY_FILLED, False, "one"),
        (FILLED_FIRST, False, "all"),
        (CANCELED, False, "none"),
        (MARKET_PAUSED, False, "none"),
        (MARKET_CLOSED, False, "none"),
    ],
)
async def test_a_pause_and_a_halt(
    verb: str,
    outcome: str,
    rests: bool,
    held: str,
    open_rig: OpenRig,
    autojump_clock: object,
) -> None:
    """The entry goes, at once or when it can; a halt has the group beside the cancel."""
    async with open_rig(settings=SLOW_MAKER) as rig:
        await rig.until_running()
        case = Case(rig, outcome)
        await next_order(case, entry=True)
        await trio.sleep(0.5)
        case.spoil("cancel")
        if outcome in (PARTLY_FILLED, FILLED_FIRST, CANCELED) and verb == "halt":
            # The group is as quick as what it is to race with.
            for group in list(rig.simulation.venue.groups):
                del rig.simulation.venue.groups[group]
        await rig.steering.steer(verb, {"reason": "a test"} if verb == "halt" else {})
        case.befall()
        await trio.sleep(MEANWHILE_S)
        shown = case.shown()
        assert bool(shown.rests_e2) is (rests and verb == "pause")
        amounts = {"none": 0, "one": ONE_E2, "all": case.count_e2}
        assert shown.held_e2 == amounts[held]
        assert rig.state == f"{verb}ed".replace("pauseed", "paused")
        assert ("arb resume" if verb == "pause" else "arb clear") in rig.reasons
        before = len(rig.entries())
        await case.ends_well()
        assert case.shown().rests_e2 == 0
        assert len(rig.entries()) == before
