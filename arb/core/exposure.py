"""The most that can be lost, whichever way each game ends and whichever orders fill.

For every way a game may end, each position and each entry at stake (pending, resting or unknown)
counts what it loses then, or nothing where it gains. An entry may fill or not, and a position that
gains may have been sold at what it cost before the end came, because everything held is on sale;
so no gain pays for another's loss. All of them are free of each other, which makes the sum the
worst over every subset of them, exactly. Exits lessen a position and add nothing, save beside a
person's own order, which may close what they were to close.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import attrs

from arb.core.commands import OrderIntent
from arb.core.events import Liquidity, Side
from arb.core.ledger import HandOrder, Ledger, Position
from arb.core.money import ONE_DOLLAR_E4, CountE2, MoneyE6, PriceE4, cost_e6
from arb.core.orders import Order

# The fee of a market, as money, from price, count and liquidity: each market brings its own.
FeeOf = Callable[[str, PriceE4, CountE2, Liquidity], MoneyE6]

# The other market of the same game, None where a market stands for itself.
RivalOf = Callable[[str], str | None]

# A game that is not played pays each market's fair price, which the exchange sets for each by
# itself. Nothing promises that the two make a dollar; books as wide as this are believed by nobody.
VOID_APART_E4 = 1_000

# What one YES may be worth in the corners below: nothing, a void's excess, a void's rest, a dollar.
_WORTHS_E4 = (0, VOID_APART_E4, ONE_DOLLAR_E4 - VOID_APART_E4, ONE_DOLLAR_E4)
_NONE, _EXCESS, _REST, _ALL = range(4)

# How a game may end, as what YES of either market is then worth: one side wins, and the corners of
# what a void may pay. A loss is convex in the two worths, so that whatever lies between corners (a
# tie at 0.50 each, a void at any other prices) is never worse than the worst of them.
_ENDS = (
    (_ALL, _NONE),
    (_NONE, _ALL),
    (_ALL, _EXCESS),
    (_EXCESS, _ALL),
    (_REST, _NONE),
    (_NONE, _REST),
)

# What is lost in one market, for each of the four worths.
Losses = tuple[int, int, int, int]
NOTHING: Losses = (0, 0, 0, 0)


def no_rival(_ticker: str) -> str | None:
    """Take every market for a game of its own, which can only overstate a loss."""
    return None


def entry_cost_e6(
    ticker: str, side: Side, price_e4: PriceE4, count_e2: CountE2, fee_of: FeeOf
) -> MoneyE6:
    """Return what an entry costs if all of it fills, with the dearer of the two fees."""
    own_price_e4 = price_e4 if side is Side.BID else PriceE4(ONE_DOLLAR_E4 - price_e4)
    fee_e6 = fee_of(ticker, price_e4, count_e2, Liquidity.TAKER)
    return MoneyE6(cost_e6(own_price_e4, count_e2) + fee_e6)


def order_cost_e6(order: Order, fee_of: FeeOf) -> MoneyE6:
    """Return the cash that the unfilled part of an order may take; 0 for exits."""
    if not order.is_entry or not order.at_stake_e2:
        return MoneyE6(0)
    return entry_cost_e6(order.intent.ticker, order.side, order.price_e4, order.at_stake_e2, fee_of)


def claims(ledger: Ledger, fee_of: FeeOf) -> Iterator[tuple[str, MoneyE6]]:
    """Yield the market and the cash of each order at stake that may still take some.

    A person's own orders take what they cost beyond closing what is held, and beside them exits.
    """
    for order in ledger.all_at_stake():
        yield order.intent.ticker, order_cost_e6(order, fee_of)
    for ticker in dict.fromkeys(hand.ticker for hand in ledger.by_hand):
        for side, price_e4, count_e2 in _opening(ledger, ticker):
            yield ticker, entry_cost_e6(ticker, side, price_e4, count_e2, fee_of)


def market_losses(ledger: Ledger, ticker: str, fee_of: FeeOf) -> Losses:
    """Return what may be lost in one market for each worth of YES, orders at stake included."""
    return _added(_each_loss(ledger, ticker, fee_of))


def worst_e6(one: Losses, other: Losses = NOTHING) -> MoneyE6:
    """Return the largest loss over all ends of a game, from what its two markets lose."""
    return MoneyE6(max(one[first] + other[second] for first, second in _ENDS))


def total_exposure_e6(ledger: Ledger, fee_of: FeeOf, rival_of: RivalOf = no_rival) -> MoneyE6:
    """Return the worst loss over all games, counted from nothing."""
    losses = {ticker: market_losses(ledger, ticker, fee_of) for ticker in _markets_at_stake(ledger)}
    games = {_game(ticker, rival_of): ticker for ticker in losses}
    return MoneyE6(
        sum(
            worst_e6(losses[ticker], losses.get(rival_of(ticker) or "", NOTHING))
            for ticker in games.values()
        )
    )


@attrs.frozen
class Worst:
    """The most that one game, and all games together, may lose."""

    game_e6: MoneyE6
    total_e6: MoneyE6


@attrs.define
class Exposures:
    """What may be lost, game by game, counted anew only where the ledger was touched.

    It is asked on the way to every order. Fees and games are taken as they were when it was made.
    """

    ledger: Ledger
    fee_of: FeeOf
    rival_of: RivalOf = no_rival
    _losses: dict[str, Losses] = attrs.field(factory=dict, init=False)
    _games: dict[str, MoneyE6] = attrs.field(factory=dict, init=False)
    _by_hand: tuple[HandOrder, ...] = attrs.field(default=(), init=False)
    _total_e6: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        """Begin with everything that is at stake."""
        self.ledger.touched.update(_markets_at_stake(self.ledger))

    def total_e6(self) -> MoneyE6:
        """Return the worst loss over all games."""
        self._catch_up()
        return MoneyE6(self._total_e6)

    def with_entry(self, intent: OrderIntent) -> Worst:
        """Return the worst loss were an entry at stake as well."""
        self._catch_up()
        ticker = intent.ticker
        more = _bought(ticker, intent.side, intent.price_e4, intent.count_e2, self.fee_of)
        with_it = _added((self._losses.get(ticker, NOTHING), more))
        game_e6 = worst_e6(with_it, self._losses.get(self.rival_of(ticker) or "", NOTHING))
        before_e6 = self._games.get(_game(ticker, self.rival_of), 0)
        return Worst(game_e6, MoneyE6(self._total_e6 - before_e6 + game_e6))

    def _catch_up(self) -> None:
        ledger = self.ledger
        if ledger.by_hand is not self._by_hand:
            ledger.touched.update(order.ticker for order in self._by_hand + ledger.by_hand)
            self._by_hand = ledger.by_hand
        if ledger.touched:
            for ticker in ledger.touched:
                self._count(ticker)
            ledger.touched.clear()

    def _count(self, ticker: str) -> None:
        losses = market_losses(self.ledger, ticker, self.fee_of)
        if losses == NOTHING:
            self._losses.pop(ticker, None)
        else:
            self._losses[ticker] = losses
        game = _game(ticker, self.rival_of)
        now_e6 = worst_e6(losses, self._losses.get(self.rival_of(ticker) or "", NOTHING))
        self._total_e6 += now_e6 - self._games.pop(game, 0)
        if now_e6:
            self._games[game] = now_e6

    def __repr__(self) -> str:
        return f"<Exposures {self._total_e6} e-6 in {len(self._games)} games>"


def _markets_at_stake(ledger: Ledger) -> Iterator[str]:
    yield from dict.fromkeys((*ledger.active_tickers(), *(each.ticker for each in ledger.by_hand)))


def _game(ticker: str, rival_of: RivalOf) -> str:
    """Return the name that both markets of a game share."""
    return min(ticker, rival_of(ticker) or ticker)


def _each_loss(ledger: Ledger, ticker: str, fee_of: FeeOf) -> Iterator[Losses]:
    position = ledger.positions.get(ticker)
    if position is not None and position.count_e2:
        yield _held(position)
    for order in ledger.at_stake(ticker):
        if order.is_entry and order.at_stake_e2:
            yield _bought(ticker, order.side, order.price_e4, order.at_stake_e2, fee_of)
    for side, price_e4, count_e2 in _opening(ledger, ticker):
        yield _bought(ticker, side, price_e4, count_e2, fee_of)


def _opening(ledger: Ledger, ticker: str) -> Iterator[tuple[Side, PriceE4, CountE2]]:
    """Yield what may be opened in a market by a person's orders, and by exits beside them.

    What is held is closed once. The cheapest may come first, so that the dearest open.
    """
    hands = [hand for hand in ledger.by_hand if hand.ticker == ticker]
    for side in {hand.side: None for hand in hands}:
        sized = [(hand.price_e4, hand.remaining_e2) for hand in hands if hand.side is side]
        exits = (order for order in ledger.at_stake(ticker) if not order.is_entry)
        sized += [(order.price_e4, order.at_stake_e2) for order in exits if order.side is side]
        held_e2 = ledger.position(ticker).count_e2
        closable_e2 = max(0, -held_e2 if side is Side.BID else held_e2)
        left_e2 = sum(count_e2 for _, count_e2 in sized) - closable_e2
        for price_e4, count_e2 in sorted(sized, reverse=side is Side.BID):
            opening_e2 = min(left_e2, count_e2)
            if opening_e2 > 0:
                yield side, price_e4, CountE2(opening_e2)
            left_e2 -= count_e2


def _held(position: Position) -> Losses:
    # NO is a dollar for certain, less YES: so both sides are lost and won by what YES is worth.
    sure_e6 = cost_e6(ONE_DOLLAR_E4, max(0, -position.count_e2))
    return _losses(position.count_e2, position.cost_e6 - sure_e6)


def _bought(ticker: str, side: Side, price_e4: PriceE4, count_e2: CountE2, fee_of: FeeOf) -> Losses:
    sign = 1 if side is Side.BID else -1
    fee_e6 = fee_of(ticker, price_e4, count_e2, Liquidity.TAKER)
    return _losses(sign * count_e2, sign * cost_e6(price_e4, count_e2) + fee_e6)


def _losses(yes_e2: int, paid_e6: int) -> Losses:
    """Return what is lost of so many YES, negative is NO, that so much was paid for; or 0."""
    none, excess, rest, whole = _WORTHS_E4
    return (
        max(0, paid_e6 - yes_e2 * none),
        max(0, paid_e6 - yes_e2 * excess),
        max(0, paid_e6 - yes_e2 * rest),
        max(0, paid_e6 - yes_e2 * whole),
    )


def _added(many: Iterable[Losses]) -> Losses:
    none = excess = rest = whole = 0
    for each in many:
        none += each[_NONE]
        excess += each[_EXCESS]
        rest += each[_REST]
        whole += each[_ALL]
    return none, excess, rest, whole
