"""Every fault that a person can switch on and off in a running simulated world, as one table.

A row says which conditions of the servers it sets, and what is done once when it is switched on.
Names are those of `arb faults` where the same thing has one there.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import attrs

from arb.sim.conditions import LOST, OrderAnswer


class Server(StrEnum):
    """Whose conditions a fault sets."""

    EXCHANGE = "exchange"
    ODDS = "odds"


class Pick(StrEnum):
    """What a condition that names things is set to: the world alone knows their names."""

    GAME = "the markets of the game that ends first"
    HALF_OF_BOOKS = "every second sportsbook"


class Act(StrEnum):
    """What is done once, when a fault is switched on."""

    CUT = "break all connections of the server"
    END_GAME = "end the game that would end first"
    SEND_GARBAGE = "send frames that are cut in half"


@attrs.frozen
class SwitchableFault:
    """One fault: its name, where it is felt, what it does in one line, and how.

    One that is ``passing`` happens to what comes next and is over by itself.
    """

    name: str
    where: str
    does: str
    sets: tuple[tuple[str, Any], ...] = ()
    server: Server = Server.EXCHANGE
    act: Act | None = None
    passing: bool = False


def _answered(kind: str, name: str, answer: OrderAnswer, does: str) -> SwitchableFault:
    return SwitchableFault(name, f"{kind}s", does, ((f"{kind}_answer", answer),))


def _set(
    where: str, name: str, condition: str, value: Any, does: str, *, act: Act | None = None
) -> SwitchableFault:
    return SwitchableFault(name, where, does, ((condition, value),), act=act)


def _next(where: str, name: str, condition: str, value: Any, does: str) -> SwitchableFault:
    return SwitchableFault(name, where, does, ((condition, value),), passing=True)


def _odds(
    name: str, condition: str, value: Any, does: str, *, act: Act | None = None
) -> SwitchableFault:
    return SwitchableFault(name, "odds", does, ((condition, value),), Server.ODDS, act)


# What most conditions are set to.
_YES = True

_ORDERS = (
    _answered(
        "order", "order-refused", OrderAnswer.REFUSE, "each order is answered 409, not taken"
    ),
    _answered("order", "answered-429", OrderAnswer.TOO_MANY, "each order is one too many: 429"),
    _answered("order", "error-before-taking", OrderAnswer.ERROR_BEFORE, "503, and not taken"),
    _answered("order", "error-after-taking", OrderAnswer.ERROR_AFTER, "503, and taken"),
    _answered("order", "page-after-taking", OrderAnswer.HTML_AFTER, "a proxy's page, and taken"),
    _answered(
        "order", "success-without-order", OrderAnswer.EMPTY_SUCCESS, "201 without an order in it"
    ),
    _answered("order", "request-lost", OrderAnswer.DROP_REQUEST, "hung up on, not taken"),
    _answered("order", "answer-lost", OrderAnswer.DROP_ACK, "taken, then hung up on"),
    _answered("order", "no-answer-not-taken", OrderAnswer.TIMEOUT_BEFORE, "no answer, not taken"),
    _answered("order", "no-answer-taken", OrderAnswer.TIMEOUT_AFTER, "no answer, and taken"),
    _answered("order", "answered-twice", OrderAnswer.ACK_TWICE, "each answer comes two times"),
    _set("orders", "slow-answer", "order_delay_s", 4.0, "taken at once, answered after 4 s"),
    _set("orders", "request-lags", "order_lag_s", 3.0, "orders arrive 3 s late"),
    _set("orders", "partial-fill", "pull_beyond_e2", 100, "only one contract is left to be met"),
    _answered("cancel", "cancel-refused", OrderAnswer.REFUSE, "each cancel is answered 409"),
    _answered("cancel", "cancel-unanswered", OrderAnswer.TIMEOUT_AFTER, "done, without an answer"),
    _set("cancels", "cancel-lags", "cancel_lag_s", 3.0, "cancels arrive 3 s late"),
    _answered("amend", "amend-refused", OrderAnswer.REFUSE, "each amendment is answered 409"),
)

_REST = (
    _set("REST", "server-error", "rest_status", 503, "every request is answered 503"),
    _set("REST", "html-page", "rest_status", 200, "every request is answered by a page, with 200"),
    _set("REST", "key-refused", "rest_status", 401, "the key is refused"),
    _set("REST", "too-many-requests", "answer_429", _YES, "the rate limit is used up"),
    _set("REST", "slow-reads", "rest_delay_s", 4.0, "every answer takes 4 s more"),
    _set("REST", "lagging-lists", "read_lag_ms", 3_000, "orders and fills are listed 3 s late"),
    _set("REST", "stale-balance", "stale_balance_ms", 3_000, "the cash is that of 3 s ago"),
    _set("REST", "stale-positions", "stale_position_ms", 5_000, "positions are those of 5 s ago"),
    _set("REST", "balance-wrong", "balance_error_e6", 1_000_000, "the cash is a dollar too much"),
    _set("REST", "clock-ahead", "clock_ahead_ms", 60_000, "its clock is a minute ahead of ours"),
)

_SOCKETS = (
    SwitchableFault(
        "connections-cut", "sockets", "all connections break, once", act=Act.CUT, passing=True
    ),
    _set("sockets", "frozen-sockets", "freeze_sockets", _YES, "open, and nothing comes or goes"),
    _set("sockets", "sockets-stall", "stall_sockets", _YES, "pings are answered, no frame comes"),
    _set(
        "sockets", "upgrade-refused", "refuse_upgrades", 503, "cut, and not let in again: 503",
        act=Act.CUT,
    ),
    _set(
        "sockets", "short-lives", "socket_life_s", 5.0, "each is reset after some 5 s",
        act=Act.CUT,
    ),
)  # fmt: skip

_BOOKS = (
    _next("books", "sequence-gap", "skip_sequences", 7, "the next frame leaves out 7 numbers"),
    _next("books", "cut-frames", "garble_frames", 5, "the next 5 frames are cut in half"),
    _next("books", "crossed-book", "cross_books", 3, "the next 3 changes cross the book"),
    _next("books", "negative-level", "negative_books", 3, "the next 3 take more than is there"),
    _next("books", "flood", "flood_frames", 2_000, "2,000 frames come at once"),
    _next("books", "subscription-ended", "end_subscription", 25, "it is ended with an error"),
    _set(
        "books", "subscription-refused", "refuse_subscriptions", 8, "cut, and not given again",
        act=Act.CUT,
    ),
    _set("books", "additions-refused", "refuse_additions", 27, "no market is added to it: 27"),
    _set("books", "additions-lost", "refuse_additions", LOST, "no addition to it is answered"),
    _set("books", "books-repeated", "duplicate_books", _YES, "each frame comes two times"),
    _set("books", "books-reordered", "reorder_books", _YES, "each second frame overtakes one"),
    _set("books", "market-silent", "silent_markets", Pick.GAME, "nothing is said of one game"),
)  # fmt: skip

_PRIVATE = (
    _set("private", "private-lost", "drop_private", _YES, "no private message comes"),
    _set("private", "fills-lost", "drop_fills", _YES, "no fill is told"),
    _set("private", "fill-repeated", "duplicate_fills", _YES, "each fill is told two times"),
    _set("private", "order-repeated", "duplicate_orders", _YES, "each order is told two times"),
    _set("private", "late-private", "private_delay_s", 2.0, "private messages come 2 s late"),
    _set("private", "private-reordered", "reorder_private", _YES, "each second overtakes one"),
)

_TRADING = (
    _set("trading", "trading-pause", "trading_paused", _YES, "no trading; cancels are taken"),
    _set("trading", "exchange-pause", "exchange_paused", _YES, "no trading and no cancels"),
    _set("trading", "market-pause", "paused_markets", Pick.GAME, "one game does not trade"),
    SwitchableFault(
        "settlement", "trading", "a game ends, is determined and paid", act=Act.END_GAME,
        passing=True,
    ),
    _set("trading", "tie", "force_ties", _YES, "games end in a tie, which pays 50 cents"),
    _set("trading", "settlements-held", "hold_settlements", _YES, "what is determined waits"),
)  # fmt: skip

_ODDS = (
    _odds("frozen", "freeze", _YES, "no price moves, the connection lives"),
    _odds("lagging", "lag_ms", 6_000, "changes come 6 s late"),
    _odds("wrong-prices", "shift", 0.08, "every home team is 8 points too good"),
    _odds("swapped-sides", "swap_sides", _YES, "home and away are exchanged"),
    _odds("book-vanishes", "absent_books", Pick.HALF_OF_BOOKS, "every second book is gone"),
    _odds("message-repeated", "duplicate", _YES, "each change comes two times"),
    SwitchableFault(
        "garbage", "odds", "5 frames that cannot be read", (), Server.ODDS, Act.SEND_GARBAGE,
        passing=True,
    ),
    _odds("odds-error", "rest_status", 503, "every request is answered 503"),
    _odds("odds-key-refused", "rest_status", 401, "the key is refused"),
    _odds(
        "odds-upgrade-refused", "refuse_upgrades", 503, "cut, and not let in again: 503",
        act=Act.CUT,
    ),
    SwitchableFault(
        "odds-cut", "odds", "all connections break, once", (), Server.ODDS, Act.CUT, passing=True
    ),
)  # fmt: skip

FAULTS = (*_ORDERS, *_REST, *_SOCKETS, *_BOOKS, *_PRIVATE, *_TRADING, *_ODDS)
BY_NAME = {fault.name: fault for fault in FAULTS}
