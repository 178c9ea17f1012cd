"""What must be true between the core's books and its exchange: at any moment, and at rest."""

from __future__ import annotations

import attrs

from arb.core.commands import OrderIntent, Purpose
from arb.core.events import Liquidity, Side
from arb.core.exposure import Exposures, total_exposure_e6
from arb.core.fees import FeeSchedule
from arb.core.ledger import Ledger
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.core.orders import OrderState
from arb.core.parameters import Risk
from arb.faults.core_exchange import CoreExchange, Standing
from arb.faults.judge_limits import AtRisk, game_loss_e6

# Two games of two markets each; the game is the first letter.
GAMES = ("a", "b")
MARKETS = ("a1", "a2", "b1", "b2")

# So tight that every history comes to the end of each.
LIMITS = Risk(
    max_contracts_per_market=8,
    max_total_exposure_cents=800,
    max_game_exposure_cents=600,
    max_concurrent_markets=2,
    price_collar=99,
)

_FEES = FeeSchedule("quadratic_with_maker_fees")


class HistoryWrong(AssertionError):
    """Something that must always be true was not."""


def must(holds: bool, text: str) -> None:  # noqa: FBT001 - reads as a sentence
    """Raise `HistoryWrong` unless something holds."""
    if not holds:
        raise HistoryWrong(text)


def fee_of(_ticker: str, price: PriceE4, count: CountE2, liquidity: Liquidity) -> MoneyE6:
    """Charge what most series do."""
    return _FEES.fee_e6(price, count, liquidity)


def rival_of(ticker: str) -> str | None:
    """Return the other market of the game."""
    return ticker[0] + ("2" if ticker[1] == "1" else "1")


@attrs.frozen
class Both:
    """Our books with the exposure that is kept beside them, and the exchange's own."""

    ledger: Ledger
    exposures: Exposures
    exchange: CoreExchange

    def check_order_by_order(self) -> None:
        """Check that we reckon with all that may happen, order by order and market by market."""
        kept_e6 = self.exposures.total_e6()
        counted_e6 = total_exposure_e6(self.ledger, fee_of, rival_of)
        must(kept_e6 == counted_e6, f"exposure is kept as {kept_e6}, and is {counted_e6}")
        self._check_sums()
        booked_e2 = self._booked_e2()
        for name, truth in self.exchange.orders.items():
            order = self.ledger.orders[name]
            filled_e2 = max(order.filled_e2, booked_e2.get(truth.order_id, 0))
            most_e2, true_e2 = filled_e2 + order.at_stake_e2, truth.filled_e2 + truth.remaining_e2
            must(true_e2 <= most_e2, f"{name} may fill {true_e2}, we reckon with {most_e2}")
        for ticker in MARKETS:
            self._check_exits(ticker)

    def _check_sums(self) -> None:
        """Check what the ledger keeps as it goes against all positions."""
        ledger, positions = self.ledger, self.ledger.positions
        held = [positions[ticker] for ticker in sorted(positions) if positions[ticker].count_e2]
        must(ledger.held() == held, f"{ledger.held()} is kept as held, and {held} is")
        gained_e6 = sum(position.realised_e6 for position in positions.values())
        text = f"gains are kept as {ledger.realised_e6}, and are {gained_e6}"
        must(ledger.realised_e6 == gained_e6, text)
        fees_e6 = sum(position.fees_e6 for position in positions.values())
        must(ledger.fees_e6 == fees_e6, f"fees are kept as {ledger.fees_e6}, and are {fees_e6}")

    def _booked_e2(self) -> dict[str, int]:
        booked_e2: dict[str, int] = {}
        for each in self.exchange.trades:
            if each.trade_id in self.ledger.trade_ids:
                booked_e2[each.order_id] = booked_e2.get(each.order_id, 0) + each.count_e2
        return booked_e2

    def _check_exits(self, ticker: str) -> None:
        held_e2 = self.exchange.counts_e2[ticker]
        for side, closable_e2 in ((Side.ASK, held_e2), (Side.BID, -held_e2)):
            offered_e2 = sum(
                order.remaining_e2
                for order in self.exchange.resting()
                if (order.wish.ticker, order.wish.side) == (ticker, side)
                and order.wish.purpose is Purpose.EXIT
            )
            text = f"{offered_e2} offered on the {side} of {ticker}, {held_e2} held"
            must(offered_e2 <= max(0, closable_e2), text)

    def check_limits(self, wish: OrderIntent) -> None:
        """Check the limits by the exchange's own list of orders, after an entry has left."""
        entries = [o for o in self.exchange.resting() if o.wish.purpose is Purpose.ENTRY]
        same_game = [o.name for o in entries if o.wish.game_id == wish.game_id]
        must(len(same_game) <= 1, f"{same_game} rest in one game")
        here_e2 = sum(o.remaining_e2 for o in entries if o.wish.ticker == wish.ticker)
        count_e2 = abs(self.ledger.position(wish.ticker).count_e2) + here_e2
        must(count_e2 <= LIMITS.max_contracts_per_market_e2, f"{count_e2} in {wish.ticker}")
        self._check_losses(entries)

    def _check_losses(self, entries: list[Standing]) -> None:
        positions = self.ledger.positions.items()
        at_risk = [AtRisk(t, held.count_e2, held.cost_e6) for t, held in positions if held.count_e2]
        at_risk += [
            AtRisk.of_entry(
                each.wish.ticker,
                each.price_e4,
                each.remaining_e2,
                buys_yes=each.wish.side is Side.BID,
            )
            for each in entries
        ]
        total_e6 = 0
        for game in GAMES:
            risks = [each for each in at_risk if each.ticker.startswith(game)]
            loss_e6 = game_loss_e6(f"{game}1", risks)
            must(loss_e6 <= LIMITS.max_game_exposure_e6, f"game {game} may lose {loss_e6}")
            total_e6 += loss_e6
        must(total_e6 <= LIMITS.max_total_exposure_e6, f"all may lose {total_e6}")

    def check_agreement(self) -> None:
        """Check that at rest, when everything has been heard, both sides say the same."""
        ledger, exchange = self.ledger, self.exchange
        must(not ledger.stray_fills, f"{ledger.stray_fills} fills are nobody's")
        cash = f"cash {ledger.cash_e6}, the exchange has {exchange.cash_e6}"
        must(ledger.cash_e6 == exchange.cash_e6, cash)
        ours = {
            order.client_order_id: (order.state, order.price_e4, order.at_stake_e2)
            for order in ledger.all_at_stake()
        }
        theirs = {
            order.name: (OrderState.RESTING, order.price_e4, order.remaining_e2)
            for order in exchange.resting()
        }
        must(ours == theirs, f"at stake {ours}, the exchange has {theirs}")
        for ticker in MARKETS:
            held_e2, true_e2 = ledger.position(ticker).count_e2, exchange.counts_e2[ticker]
            must(held_e2 == true_e2, f"{ticker}: {held_e2} held, the exchange has {true_e2}")
