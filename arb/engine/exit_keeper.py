"""A market's exits: kept in step with what is held and worth, renewed, and closed on request."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from arb.core.closing import Closing
from arb.core.commands import AmendIntent, OrderIntent
from arb.core.evaluate import Evaluation
from arb.core.events import Liquidity, Side, Top
from arb.core.exit_policy import (
    NO_FLOOR,
    break_even_e4,
    floors,
    is_doubtful_fall,
    own_fair,
    why_close,
)
from arb.core.exits import ExitView, Holding, OpenOrder, plan_exits
from arb.core.listing import Listing
from arb.core.money import ONE_DOLLAR_E4, CountE2, PriceE4, contracts
from arb.core.orders import TERMINAL, OrderState
from arb.core.risk import RefusalCode
from arb.engine.parts import Parts
from arb.engine.sale_tries import EXIT_RETRY_S, NEVER_LEFT, SaleTries

# Sales that a person has had cancelled are asked about seldom: only a person brings them back, and
# then every market is told.
EXITS_WITHDRAWN_RETRY_S = 5.0

# How often one exit moves at most: an amendment costs as much of the rate budget as an order.
EXIT_MOVE_EVERY_NS = 250_000_000

# A rule that has found nobody to sell to rests an exit, and looks again after this.
CLOSE_AGAIN_NS = 60_000_000_000


@attrs.frozen
class ExitHands:
    """What keeping exits may do: wish, cancel, come back later, and end a person's closing."""

    wish: Callable[[OrderIntent | AmendIntent], None]
    cancel: Callable[[OpenOrder, str], None]
    retry_in: Callable[[float], object]
    give_up: Callable[[str], None]


@attrs.frozen
class Stand:
    """How a market stands when its exits are looked at."""

    listing: Listing
    holding: Holding
    top: Top | None
    trigger_ns: int


def last_fair(parts: Parts, holding: Holding) -> float | None:
    """Return the last fair value that may move a market's exit: as shown, rested at or bought on.

    What rests outlives an engine, and with it the fair value that it was last moved to. Where none
    is known and none will be, a position is worth what pays for it.
    """
    row, bought = parts.board.markets.get(holding.ticker), holding.bought
    if row is not None and row.gated_fair is not None:
        return row.gated_fair
    for order in holding.closing:
        if order.state is OrderState.RESTING:
            return order.price_e4 / ONE_DOLLAR_E4
    listing = parts.listing(holding.ticker)
    if bought is None or bought.fair is not None or listing is None or listing.left_out is None:
        return bought.fair if bought is not None else None
    pays_e4 = break_even_e4(bought, listing.fees, Liquidity.MAKER)
    return own_fair(pays_e4 / ONE_DOLLAR_E4, bought.count_e2)


def exit_view(parts: Parts, stand: Stand, fair: float) -> ExitView:
    """Return what exits are planned on, under the settings in force."""
    bought, now_s = stand.holding.bought, parts.clock.wall_ms() // 1000
    life_s = parts.execution.exit_expiry_s
    listing = stand.listing
    return ExitView(
        stand.holding,
        fair,
        listing.grid,
        stand.top,
        listing.game.game_id,
        stand.trigger_ns,
        now_s + life_s,
        now_s + life_s // 2,
        floors(bought, listing.fees, parts.exits) if bought is not None else NO_FLOOR,
    )


def moves_without_market(
    parts: Parts, holding: Holding, met_e4: PriceE4 | None = None
) -> list[OrderIntent | AmendIntent]:
    """Return what keeps the exits of an absent market in step, at its last trusted fair value.

    What rests is renewed and not moved: without its market nobody looks at its book. All that is
    known of it is ``met_e4``, the price at which an exit was refused because somebody pays it.
    """
    listing, fair = parts.listing(holding.ticker), last_fair(parts, holding)
    if listing is None or fair is None:
        return []
    stand = Stand(listing, holding, None, parts.clock.monotonic_ns())
    moves = plan_exits(exit_view(parts, stand, fair))
    if met_e4 is None:
        return moves
    met = attrs.evolve(stand, top=_meeting(holding, met_e4))
    renewals = [move for move in moves if isinstance(move, AmendIntent)]
    new = [m for m in plan_exits(exit_view(parts, met, fair)) if isinstance(m, OrderIntent)]
    return [*new, *renewals]


def _meeting(holding: Holding, price_e4: PriceE4) -> Top:
    none, is_ask = CountE2(0), holding.closing_side is Side.ASK
    bid_e4, ask_e4 = (price_e4, None) if is_ask else (None, price_e4)
    return Top(holding.ticker, bid_e4, none, ask_e4, none, usable=True, at_ms=0, received_ns=0)


class ExitKeeper:
    """Wishes what brings a market's exits in step, no oftener than it may."""

    def __init__(self, parts: Parts, hands: ExitHands, ticker: str) -> None:
        self._parts = parts
        self._hands = hands
        self._tries = SaleTries()
        self._moved_ns: dict[str, int] = {}
        self._waits = False
        self._close_again_ns = 0
        self.closing: Closing | None = None
        row = parts.board.markets.get(ticker)
        self.fair = row.gated_fair if row is not None else None

    def take(self, evaluation: Evaluation, stand: Stand) -> bool:
        """Take a fair value that passed an entry's gates, and tell whether it may move an exit.

        What an entry must pass beyond those (a limit, a used signal, play that has begun) is no
        word about fair value; a match that is doubted, and a fall far below the book, are. While
        the set of books is unsettled a jump upwards is taken all the same.
        """
        fair = evaluation.gated_fair
        if fair is None:
            fair = self._jump(evaluation.unsettled_fair, stand.holding)
        if fair is None or stand.listing.left_out is not None:
            return False
        top, ours_e2 = stand.top, stand.holding.ours_e2
        if top is not None and ours_e2:
            most_e4 = self._parts.strategy.max_edge_e4
            if is_doubtful_fall(fair, ours_e2, top.bid_e4, top.ask_e4, most_e4):
                return False
        self.fair = fair
        return True

    def _fair_of(self, holding: Holding) -> float | None:
        return self.fair if self.fair is not None else last_fair(self._parts, holding)

    def _jump(self, fair: float | None, holding: Holding) -> float | None:
        """Return a fair value at which engines like this one would buy what rests, else None.

        A jump is what changes the set of books: who follows first is an outlier to the others. A
        sale that waits until they have settled is bought by whoever is quicker, and one that asks
        too much for a moment sells nothing at worst.
        """
        before = self._fair_of(holding)
        if fair is None or before is None or not holding.ours_e2:
            return None
        more = own_fair(fair, holding.ours_e2) - own_fair(before, holding.ours_e2)
        return fair if more * ONE_DOLLAR_E4 >= self._parts.strategy.taker_edge_e4 else None

    def keep(self, stand: Stand) -> None:
        """Wish what is missing or stands elsewhere; the holding must show all wished before."""
        holding = stand.holding
        for gone in self._moved_ns.keys() - {each.client_order_id for each in holding.exits}:
            del self._moved_ns[gone]
        if not holding.ours_e2:
            self.closing = None
            return
        # Whatever is sent to a market that is shut is refused; its listing brings us back here.
        if self._waits or stand.listing.shut(self._parts.clock.wall_ms()) is not None:
            return
        fair = self._fair_of(holding)
        closing = self._closing_now(holding, fair)
        if closing is not None:
            self._close(stand, closing)
        elif fair is not None:
            self._rest(stand, fair)

    def close(self, by: str) -> None:
        """Give the position up at once, because a person wants it."""
        self.closing = Closing(f"by {by}", asked=True)
        self._waits = False

    def refused(self, code: RefusalCode) -> None:
        """Wait with the next exit after one was refused."""
        if code in NEVER_LEFT:
            self._tries.not_sent()
        withdrawn = code is RefusalCode.NOT_RUNNING
        self._wait(EXITS_WITHDRAWN_RETRY_S if withdrawn else EXIT_RETRY_S)

    def at_once(self) -> None:
        """Wait no longer, and for nothing that was refused before: what kept sales back is over."""
        self._waits = False
        self._tries = SaleTries()

    def retry(self) -> None:
        """Note that the wait is over."""
        self._waits = False

    def _rest(self, stand: Stand, fair: float) -> None:
        for move in plan_exits(exit_view(self._parts, stand, fair)):
            if isinstance(move, OrderIntent):
                may = self._may_sell(stand.holding)
            else:
                may = self._may_move(move.client_order_id)
            if may:
                self._hands.wish(move)

    def _wait(self, retry_s: float) -> None:
        if not self._waits:
            self._waits = True
            self._hands.retry_in(retry_s)

    def _may_sell(self, holding: Holding) -> bool:
        """Tell whether a new sale may be tried, and if so, note that it is.

        One that the exchange has just refused would only be refused again.
        """
        now_ns = self._parts.clock.monotonic_ns()
        left_s = self._tries.left_s(holding, now_ns)
        if left_s > 0:
            self._wait(left_s)
            return False
        self._tries.tried(holding, now_ns)
        return True

    def _may_move(self, client_order_id: str) -> bool:
        """Tell whether an exit may move again, and if so, note that it does."""
        now_ns = self._parts.clock.monotonic_ns()
        last_ns = self._moved_ns.get(client_order_id)
        if last_ns is not None and now_ns - last_ns < EXIT_MOVE_EVERY_NS:
            self._wait(EXIT_RETRY_S)
            return False
        self._moved_ns[client_order_id] = now_ns
        return True

    def _closing_now(self, holding: Holding, fair: float | None) -> Closing | None:
        """Return the closing under way: a person's, or one that a rule wants as things stand."""
        if self.closing is not None and self.closing.asked:
            return self.closing
        why = None
        if holding.bought is not None and self._parts.clock.monotonic_ns() >= self._close_again_ns:
            now_ms = self._parts.clock.wall_ms()
            why = why_close(holding.bought, fair, now_ms, self._parts.exits)
        if why is None:
            self.closing = None
        elif self.closing is None:
            self.closing = Closing(why, asked=False)
            self._parts.board.say("TRADE", f"{holding.ticker} is closed: {why}")
        return self.closing

    def _close(self, stand: Stand, closing: Closing) -> None:
        """Take the next step, once no exit stands in the way."""
        holding = stand.holding
        for order in holding.exits:
            # What never rests ends by itself; the others make room for what does not.
            if order.expires_s is not None and order.state not in TERMINAL:
                self._hands.cancel(order, "force close")
        if holding.exits:
            closing.waits_for = "the end of what rests"
            return
        closing.look(holding)
        if closing.is_hopeless:
            self._give_up(holding, closing)
            return
        self._wait(EXIT_RETRY_S)
        now_ns = self._parts.clock.monotonic_ns()
        if self._tries.left_s(holding, now_ns) > 0:
            return
        step_e4 = self._parts.exits.flatten_step_e4
        game_id = stand.listing.game.game_id
        step = closing.step(holding, stand.top, step_e4, game_id, stand.trigger_ns)
        if step is not None:
            self._tries.tried(holding, now_ns)
            self._hands.wish(step)

    def _give_up(self, holding: Holding, closing: Closing) -> None:
        left, board = contracts(abs(holding.ours_e2)), self._parts.board
        text = f"closing {holding.ticker} is given up with {left} left: {closing.text}"
        board.say("RISK", text, level="error")
        board.counts["closings_given_up"] += 1
        self.closing = None
        self._close_again_ns = self._parts.clock.monotonic_ns() + CLOSE_AGAIN_NS
        if closing.asked:
            self._hands.give_up(text)
        # What is left rests again; whoever wants more closes again.
        self._wait(EXIT_RETRY_S)

    def __repr__(self) -> str:
        return f"<ExitKeeper fair={self.fair} closing={self.closing}>"
