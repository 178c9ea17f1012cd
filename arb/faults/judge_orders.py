"""The judge of what leaves the engine: every create, amendment and cancel, in the turn it leaves.

What an order is held against: the journal's bytes, the exchange's own ledger, and what had been
handed to the engine over its other connections. The engine's own books are not asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import attrs

from arb.faults.clock import true_s
from arb.faults.judge_books import SeenBooks, SeenOdds
from arb.faults.judge_journal import Intent, JournalJudge
from arb.faults.judge_limits import APPROVAL_S, AtRisk, LimitsJudge, game_loss_e6
from arb.faults.requests import SeenRequest
from arb.faults.second_engine import is_second_engines
from arb.faults.trace import Trace
from arb.faults.wire_connection import WiredConnection
from arb.settings import Settings
from arb.sim.exchange.values import BookSide, Order, OrderStatus
from arb.sim.simulation import Simulation
from arb.sim.world.games import Game

CREATE = "/portfolio/events/orders"

# A connection is pinged every second and given up two seconds after a ping: with the waits in
# between nothing that is trusted can have been silent for longer than this.
SILENCE_MAX_S = 3.5

# An approval is valid for 50 ms, and its record is written in the turn in which it is redeemed.
RECORD_AGE_MAX_MS = 50

# What befalls in one moment of virtual time may be seen in either order.
SAME_MOMENT_S = 1e-9

ONE_DOLLAR_E4 = 10_000

# Money that somebody takes away is missed at the next reading.
MONEY_MOVES = "money-moves@account"

# A request that was sent so long ago and never came is lost: its connection has been given up.
IN_FLIGHT_S = 6.0


@attrs.define
class Created:
    """An order that left the engine, and when."""

    intent: Intent
    at_s: float
    connection: WiredConnection
    answered: bool = False


@attrs.define
class Stops:
    """What a person or a failure has forbidden, as the judge knows it."""

    paused_s: float | None = None
    halted_s: float | None = None
    stopping_s: float | None = None

    def forbids(self, now_s: float) -> str | None:
        """Return what forbids a new entry now."""
        for name in ("paused_s", "halted_s", "stopping_s"):
            since_s = getattr(self, name)
            if since_s is not None and now_s - since_s > SAME_MOMENT_S:
                return f"{name.removesuffix('_s').replace('_', ' ')} since {since_s:.3f} s"
        return None


@attrs.define
class OrderJudge:
    """Checks each request that changes orders at the moment its bytes leave."""

    simulation: Simulation
    settings: Settings
    journal: JournalJudge
    trace: Trace
    books: SeenBooks = attrs.field(factory=SeenBooks)
    odds: SeenOdds = attrs.field(factory=SeenOdds)
    account_stream: WiredConnection | None = None
    account_since_s: float = -1.0
    account_read_s: float = -1.0
    stops: Stops = attrs.field(factory=Stops)
    created: dict[str, Created] = attrs.field(factory=dict)
    cancels: set[str] = attrs.field(factory=set)
    exposure_max_e6: int = 0
    stood_still_s: float = -1.0
    limits: LimitsJudge = attrs.field(init=False)
    _games: dict[str, str] = attrs.field(factory=dict)
    _homes: dict[str, str] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        """Know the games that the world begins with."""
        for fixture in self.simulation.world.fixtures.values():
            self.listed(fixture.game)
        self.limits = LimitsJudge(self.settings, self.trace, self.books)
        self.journal.on_record = self._recorded
        self.journal.on_loss = self.limits.found_after_loss

    def listed(self, game: Game) -> None:
        """Note which markets belong to one of the provider's games, and which is the home's."""
        for ticker in (game.home_ticker, game.away_ticker):
            self._games[ticker] = str(game.game_id)
            self._homes[ticker] = game.home_ticker

    def request(
        self, connection: WiredConnection, request: SeenRequest, engine_wall_ms: int
    ) -> None:
        """Look at one request that is about to leave."""
        path = request.path.partition("?")[0]
        if request.method == "POST" and path.endswith(CREATE):
            self._create(connection, request.body, engine_wall_ms)
        elif request.method == "POST" and path.endswith("/amend"):
            self._amend(path, request.body, engine_wall_ms)
        elif request.method == "DELETE":
            listed = (request.body or {}).get("orders", [])
            for order_id in [each["order_id"] for each in listed] or [path.rpartition("/")[2]]:
                self._cancel(order_id)

    def _recorded(self, record: dict[str, Any]) -> None:
        """Heed a halt that the engine has written down, whoever brought it about."""
        if record["k"] == "clear":
            self.stops.halted_s = None
        elif record["k"] == "halt" and self.stops.halted_s is None:
            self.stops.halted_s = true_s() + APPROVAL_S
        self.limits.record(record)

    def _cancel(self, order_id: str) -> None:
        order = self.simulation.member.order(order_id)
        self.cancels.add(order_id)
        self.trace.note("cancel", order.client_order_id if order is not None else order_id)

    def answered(self, connection: WiredConnection) -> None:
        """Note that a lane has brought an answer; it has one request in flight at a time."""
        for one in self.created.values():
            if one.connection is connection:
                one.answered = True

    def _create(self, connection: WiredConnection, body: dict[str, Any], wall_ms: int) -> None:
        name = body["client_order_id"]
        now_s = true_s()
        side, price, count = body["side"], body["price"], body["count"]
        self.trace.note("create", f"{name} {side} {body['ticker']} {count} at {price}")
        self.trace.check("I1", name not in self.created, f"{name} was sent twice")
        intent = self.journal.intents.get(name)
        if intent is None:
            self.trace.violation("I2", f"{name} left before the journal had it")
            return
        self._check_body(name, body, intent, wall_ms)
        if intent.purpose == "entry":
            self.limits.pace(name, (each.at_s for each in self.created.values()), now_s)
        self.created[name] = Created(intent, now_s, connection)
        if intent.purpose == "entry":
            self._check_permission(name, now_s)
            self._check_freshness(name, intent, now_s, wall_ms)
        self._check_caps(name, intent, now_s)

    def _check_body(self, name: str, body: dict[str, Any], intent: Intent, wall_ms: int) -> None:
        told = (body["ticker"], body["side"], _e4(body["price"]), _e2(body["count"]))
        meant = (intent.ticker, intent.side, intent.price_e4, intent.count_e2)
        self.trace.check("I10", told == meant, f"{name} sent as {told}, approved as {meant}")
        age_ms = abs(wall_ms - intent.at_ms)
        stale = f"{name} left {age_ms} ms after it was approved"
        self.trace.check("I10", age_ms <= RECORD_AGE_MAX_MS, stale)
        rests = body["time_in_force"] == "good_till_canceled"
        ends = not rests or body.get("expiration_time")
        self.trace.check("I12", ends, f"{name} may rest for ever")
        if rests and intent.purpose == "exit":
            self._check_life(name, body, wall_ms)

    def _check_life(self, name: str, body: dict[str, Any], wall_ms: int) -> None:
        """Check that an exit is given its whole life, at its first moment and at each move."""
        life_s = int(body.get("expiration_time", 0)) - wall_ms // 1000
        whole_s = self.settings.execution.exit_expiry_s
        text = f"exit {name} is given {life_s} s of {whole_s} s to live"
        # What was wished before a machine stood still leaves in the moment in which it wakes up.
        woke = true_s() - self.stood_still_s <= SAME_MOMENT_S
        self.trace.check("I12", woke or abs(life_s - whole_s) <= 1, text)

    def _check_permission(self, name: str, now_s: float) -> None:
        forbidden = self.stops.forbids(now_s)
        self.trace.check("I9", forbidden is None, f"entry {name} left although {forbidden}")
        for what, standing, since_s in (
            ("books", self.books.standing, self.books.standing_since_s),
            ("account stream", self.account_stream, self.account_since_s),
            ("odds stream", self.odds.standing, self.odds.standing_since_s),
        ):
            gone = standing is None and now_s - since_s > SAME_MOMENT_S
            self.trace.check("I9", not gone, f"entry {name} left without the {what}")
        same_moment = now_s - self.account_since_s <= SAME_MOMENT_S
        read = same_moment or self.account_read_s >= self.account_since_s
        self.trace.check("I9", read, f"entry {name} left before the account was read")

    def _check_freshness(self, name: str, intent: Intent, now_s: float, wall_ms: int) -> None:
        book = self.books.books[intent.ticker]
        broken = book.was_broken_before(now_s)
        self.trace.check("I8", not broken, f"entry {name} left on a book with a gap")
        left = self.books.subscription.was_left_before(intent.ticker, now_s)
        frozen = f"entry {name} left on a book whose changes are not subscribed to"
        self.trace.check("I8", not left, frozen)
        silent_s = now_s - self.books.last_byte_s
        quiet = f"entry {name} left on books that were silent for {silent_s:.3f} s"
        self.trace.check("I8", silent_s <= SILENCE_MAX_S, quiet)
        if intent.fields["liquidity"] == "taker":
            best_e4 = book.best_now_e4(buying=intent.side == "bid")
            met = best_e4 <= intent.price_e4 if intent.side == "bid" else best_e4 >= intent.price_e4
            phantom = f"entry {name} takes at {intent.price_e4}, the book has {best_e4}"
            self.trace.check("I8", met, phantom)
        age_ms = wall_ms - self.odds.newest_ms(self._games[intent.ticker])
        most_ms = self.settings.execution.stale_odds_threshold_ms
        old = f"entry {name} left on odds that changed {age_ms} ms ago, of {most_ms}"
        self.trace.check("I8", 0 <= age_ms <= most_ms, old)
        confirm_ms, least = (
            self.settings.execution.book_confirm_ms,
            self.settings.strategy.min_books,
        )
        heard = self.odds.books_heard(self._games[intent.ticker], wall_ms - confirm_ms)
        few = f"entry {name} left on {heard} books that were heard within {confirm_ms} ms"
        self.trace.check("I8", heard >= least, few)

    def _check_caps(self, name: str, intent: Intent, now_s: float) -> None:
        if intent.purpose != "entry":
            return
        risk = self.settings.risk
        exposed_e6 = self.check_exposure(f"with {name}", now_s)
        self.exposure_max_e6 = max(self.exposure_max_e6, exposed_e6)
        limit_e6 = risk.max_total_exposure_e6
        count_e2 = self._committed_e2(intent.ticker, now_s)
        most_e2 = risk.max_contracts_per_market_e2
        many = f"with {name} {count_e2} of {most_e2} may be held in {intent.ticker}"
        self.trace.check("I3", count_e2 <= most_e2, many)
        self._check_cash(name, intent.ticker, now_s)
        if 10 * exposed_e6 >= 8 * limit_e6 or count_e2 >= most_e2:
            self.trace.sometimes["a cap nearly reached"] += 1

    def _check_cash(self, name: str, ticker: str, now_s: float) -> None:
        """Check that its shard holds what all entries there cost, fees apart."""
        if MONEY_MOVES in self.trace.cells:
            return
        markets = self.simulation.venue.markets
        shard = markets[ticker].exchange_index
        claimed_e6 = sum(
            each.cost_e6
            for each in self._entries_out(now_s)
            if markets[each.ticker].exchange_index == shard
        )
        held_e6 = self.simulation.member.cash_e6[shard]
        text = f"with {name} entries cost {claimed_e6} on shard {shard}, which holds {held_e6}"
        self.trace.check("I3", claimed_e6 <= held_e6, text)

    def check_exposure(self, when: str, now_s: float, *, adrift: bool = True) -> int:
        """Check that no game and not all together may lose too much; returns what all may.

        Without ``adrift`` what the orders of that word may lose is left out.
        """
        risk, games = self.settings.risk, self._game_losses_e6(now_s, adrift=adrift)
        for home, loss_e6 in games.items():
            text = f"{when} the game of {home} may lose {loss_e6} of {risk.max_game_exposure_e6}"
            self.trace.check("I3", loss_e6 <= risk.max_game_exposure_e6, text)
        exposed_e6 = sum(games.values())
        over = f"{when} the exposure is {exposed_e6} of {risk.max_total_exposure_e6}"
        self.trace.check("I3", exposed_e6 <= risk.max_total_exposure_e6, over)
        return exposed_e6

    def exposure_e6(self, now_s: float, left_out: Collection[str] = ()) -> int:
        """Return what can be lost as the exchange's ledger and the wire have it, fees apart.

        The games of markets that are ``left_out`` do not count.
        """
        apart = {self._homes.get(ticker, ticker) for ticker in left_out}
        losses_e6 = self._game_losses_e6(now_s)
        return sum(loss_e6 for home, loss_e6 in losses_e6.items() if home not in apart)

    def worst_game_e6(self, now_s: float) -> int:
        """Return what the game that may lose most can lose."""
        return max(self._game_losses_e6(now_s).values(), default=0)

    def _game_losses_e6(self, now_s: float, *, adrift: bool = True) -> dict[str, int]:
        games: dict[str, list[AtRisk]] = {}
        for each in self._at_risk(now_s, adrift=adrift):
            games.setdefault(self._homes.get(each.ticker, each.ticker), []).append(each)
        return {home: game_loss_e6(home, items) for home, items in games.items()}

    def _at_risk(self, now_s: float, *, adrift: bool = True) -> Iterator[AtRisk]:
        """Yield what is held, and what rests or is on its way to be bought: NO where it is sold."""
        account = self.simulation.member
        for held in account.positions.values():
            count_e2 = held.count_e2 if adrift else self.journal.adrift.others_e2(held)
            if count_e2:
                cost_e6 = held.cost_e6 * count_e2 // held.count_e2
                yield AtRisk(held.ticker, count_e2, cost_e6)
        yield from self._entries_out(now_s, adrift=adrift)

    def _entries_out(self, now_s: float, *, adrift: bool = True) -> Iterator[AtRisk]:
        """Yield our entries that rest or are on their way to the exchange."""
        left_out = set() if adrift else self.journal.adrift.names
        for order in self.simulation.member.resting.values():
            if self.is_our_entry(order) and order.client_order_id not in left_out:
                yield AtRisk.of_entry(
                    order.ticker,
                    order.price_e4,
                    order.remaining_e2,
                    buys_yes=order.side is BookSide.BID,
                )
        for one in self._in_flight(now_s):
            yield AtRisk.of_entry(
                one.ticker, one.price_e4, one.count_e2, buys_yes=one.side == "bid"
            )

    def is_entry(self, order: Order) -> bool:
        """Tell whether an order was written down as one that opens a position.

        On either side of the book: a sale with nothing held buys NO.
        """
        intent = self.journal.intents.get(order.client_order_id)
        return order.side is BookSide.BID if intent is None else intent.purpose == "entry"

    def is_our_entry(self, order: Order) -> bool:
        """Tell whether an order opens a position and is not the other engine's."""
        return self.is_entry(order) and not is_second_engines(order.client_order_id)

    def _committed_e2(self, ticker: str, now_s: float) -> int:
        account = self.simulation.member
        resting_e2 = sum(
            order.remaining_e2 for order in account.resting_in(ticker) if self.is_our_entry(order)
        )
        flying_e2 = sum(one.count_e2 for one in self._in_flight(now_s) if one.ticker == ticker)
        return abs(account.position(ticker).count_e2) + resting_e2 + flying_e2

    def _in_flight(self, now_s: float) -> list[Intent]:
        """Return the entries that have left and may still arrive at the exchange."""
        known = self.simulation.member.client_order_ids
        return [
            one.intent
            for name, one in self.created.items()
            if name not in known
            and not one.answered
            and one.intent.purpose == "entry"
            and now_s - one.at_s <= IN_FLIGHT_S
            and not one.connection.closed
        ]

    def _amend(self, path: str, body: dict[str, Any], wall_ms: int) -> None:
        order_id = path.split("/")[-2]
        self.trace.note("amend", f"{order_id} {body['count']} at {body['price']}")
        order = self.simulation.member.order(order_id)
        if order is None:
            self.trace.violation("I10", f"an amendment of {order_id}, which is no order")
            return
        written = self.journal.amends.get(order.client_order_id, [])
        told = (_e4(body["price"]), _e2(body["count"]))
        meant = [(each["price_e4"], each["total_e2"]) for each in written[-1:]]
        text = f"{order.client_order_id} amended to {told}, written {meant}"
        self.trace.check("I2", told in meant, text)
        self._check_life(order.client_order_id, body, wall_ms)
        if order.status is OrderStatus.RESTING:
            moves = not self.is_entry(order)
            self.trace.check("I9", moves, f"{order_id} is an entry that moves")


def _e4(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole) * 10_000 + int(part.ljust(4, "0")[:4])


def _e2(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0")[:2])
