"""The exchange's REST service for everything that is no single order.

Public reads are cached for some 15 s on the exchange's side: good for discovery, never as a
live book.
"""

from __future__ import annotations

from collections.abc import Sequence

from arb.core.events import CashMove, Fill
from arb.core.money import CountE2, MoneyE6
from arb.io.iso import ms_iso
from arb.kalshi.fields import list_of, object_of, time_ms_of
from arb.kalshi.listing import (
    Balance,
    ExchangeStatus,
    FeeChange,
    ListedEvent,
    ListedOrder,
    ListedPosition,
    Milestone,
    Series,
    balance_of,
    costs_of,
    event_of,
    fee_change_of,
    limits_of,
    listed_order_of,
    milestone_of,
    position_of,
    queue_position_of,
    series_of,
    status_of,
)
from arb.kalshi.money_moves import (
    ListedSettlement,
    MarketEnd,
    deposit_of,
    market_end_of,
    settlement_of,
    shard_transfer_of,
    subaccount_transfer_of,
    withdrawal_of,
)
from arb.kalshi.rate import AccountLimits, EndpointCosts
from arb.kalshi.rest_calls import Page, Params, RestCalls, RestError
from arb.kalshi.wire_orders import CREATE_PATH
from arb.kalshi.wire_private import fill_of

# What the exchange allows on one page; larger limits are refused.
EVENTS_PER_PAGE = 200
MILESTONES_PER_PAGE = 500
CASH_ROWS_PER_PAGE = 500

# A URL of some 3 KB; the exchange refused one of about 800 tickers.
TICKERS_PER_URL = 100

_NOT_SHOWN = frozenset({400, 403, 404})

_CASH_LISTS = (
    ("/portfolio/deposits", "deposits", deposit_of),
    ("/portfolio/withdrawals", "withdrawals", withdrawal_of),
    ("/portfolio/subaccounts/transfers", "transfers", subaccount_transfer_of),
    ("/portfolio/intra_exchange_instance_transfers", "transfers", shard_transfer_of),
)

QUEUE_POSITIONS_PATH = "/portfolio/orders/queue_positions"


class Rest(RestCalls):
    """A client for the exchange's lists and the account's state; raises `RestError` throughout.

    What is wrong with single rows of public lists is counted, and the other rows are used; what
    is wrong with the account's own state is an error, because half an account is worse than none.
    """

    async def exchange_status(self) -> ExchangeStatus:
        """Return whether the exchange is up and trades."""
        return await self.one("/exchange/status", status_of)

    async def series(self, ticker: str) -> Series:
        """Return a series with its fees."""
        return await self.one(
            f"/series/{ticker}", lambda all_: series_of(object_of(all_, "series"))
        )

    async def fee_changes(self, series_ticker: str) -> list[FeeChange]:
        """Return the announced fee changes of a series."""
        path = "/series/fee_changes"
        rows = await self.one(
            path,
            lambda all_: list_of(all_, "series_fee_change_arr"),
            [("series_ticker", series_ticker)],
        )
        return [self.read(path, fee_change_of, row) for row in rows]

    async def events(self, series_ticker: str, status: str = "open") -> list[ListedEvent]:
        """Return the events of a series with their markets; ``status`` is the filter's word."""
        page = Page("/events", "events", EVENTS_PER_PAGE)
        params = [
            ("series_ticker", series_ticker),
            ("status", status),
            ("with_nested_markets", "true"),
        ]
        return self.usable(await self.rows(page, params), event_of)

    async def events_named(self, event_tickers: Sequence[str]) -> list[ListedEvent]:
        """Return events by their tickers, whatever their status; one that is unknown is left out.

        A long list goes in several requests: some 800 tickers are too long a URL for the exchange.
        """
        page = Page("/events", "events", EVENTS_PER_PAGE)
        found: list[ListedEvent] = []
        for start in range(0, len(event_tickers), TICKERS_PER_URL):
            tickers = ",".join(event_tickers[start : start + TICKERS_PER_URL])
            params = [("tickers", tickers), ("with_nested_markets", "true")]
            found += self.usable(await self.rows(page, params), event_of)
        return found

    async def milestones(
        self, *, competition: str | None = None, kind: str | None = None, from_ms: int | None = None
    ) -> list[Milestone]:
        """Return scheduled games from a moment on, ours if none is given: half a day ago."""
        start_ms = self._clock.wall_ms() - _HALF_A_DAY_MS if from_ms is None else from_ms
        params = [("category", "Sports"), ("minimum_start_date", ms_iso(start_ms))]
        params += [("competition", competition)] if competition is not None else []
        params += [("type", kind)] if kind is not None else []
        page = Page("/milestones", "milestones", MILESTONES_PER_PAGE)
        return self.usable(await self.rows(page, params), milestone_of)

    async def balance(self) -> MoneyE6:
        """Return the account's cash, exactly."""
        return (await self.balances()).cash_e6

    async def balances(self) -> Balance:
        """Return the account's cash in all and by shard."""
        return await self.one("/portfolio/balance", balance_of)

    async def positions(self) -> list[ListedPosition]:
        """Return every position that is not settled."""
        page = Page("/portfolio/positions", "market_positions")
        return await self.strictly(page, position_of)

    async def open_orders(self) -> list[ListedOrder]:
        """Return the orders that rest."""
        return await self.orders([("status", "resting")])

    async def orders(self, params: Params = ()) -> list[ListedOrder]:
        """Return orders by the exchange's own filters, the newest first."""
        return await self.strictly(Page("/portfolio/orders", "orders"), listed_order_of, params)

    async def order_by_client_id(
        self, client_order_id: str, *, ticker: str | None = None, since_ms: int | None = None
    ) -> ListedOrder | None:
        """Return the order with our id, None where the list does not have it (yet).

        The exchange cannot be asked for it, so the list is read, narrowed where it can be.
        """
        params = [("ticker", ticker)] if ticker is not None else []
        for order in await self.orders([*params, *_since(since_ms)]):
            if order.client_order_id == client_order_id:
                return order
        return None

    async def fills(self, since_ms: int | None = None, *, ticker: str | None = None) -> list[Fill]:
        """Return fills since a moment in Unix milliseconds, the newest first, without our ids."""
        params = [("ticker", ticker)] if ticker is not None else []
        params += _since(since_ms)
        return await self.strictly(Page("/portfolio/fills", "fills"), fill_of, params)

    async def settlements(self, since_ms: int | None = None) -> list[ListedSettlement]:
        """Return settlements since a moment in Unix milliseconds."""
        page = Page("/portfolio/settlements", "settlements")
        return await self.strictly(page, settlement_of, _since(since_ms))

    async def market_ends(self, tickers: Sequence[str]) -> list[MarketEnd]:
        """Return how far some markets are, and what those are worth that are decided."""
        found: list[MarketEnd] = []
        for start in range(0, len(tickers), TICKERS_PER_URL):
            params = [("tickers", ",".join(tickers[start : start + TICKERS_PER_URL]))]
            found += await self.strictly(Page("/markets", "markets"), market_end_of, params)
        return found

    async def cash_moves(self) -> list[CashMove]:
        """Return deposits, withdrawals and transfers that have been carried out.

        A list that a key may not see, or that an exchange does not have, is empty: its moves are
        then differences that only a person can explain.
        """
        found: list[CashMove] = []
        for path, rows, read in _CASH_LISTS:
            try:
                listed = await self.strictly(Page(path, rows, CASH_ROWS_PER_PAGE), read)
            except RestError as error:
                if error.status not in _NOT_SHOWN:
                    raise
            else:
                found += [move for move in listed if move is not None]
        return found

    async def limits(self) -> AccountLimits:
        """Return the account's rate limits."""
        return await self.one("/account/limits", limits_of)

    async def endpoint_costs(self) -> EndpointCosts:
        """Return what requests cost in tokens."""
        return await self.one("/account/endpoint_costs", costs_of)

    async def queue_positions(self, tickers: Sequence[str]) -> dict[str, CountE2]:
        """Return how many contracts stand before each of our resting orders, by order id."""
        path, names = QUEUE_POSITIONS_PATH, [("market_tickers", ",".join(tickers))]
        rows = await self.one(path, lambda all_: list_of(all_, "queue_positions"), names)
        return dict(self.read(path, queue_position_of, row) for row in rows)

    async def cancel_all(self) -> None:
        """Cancel every order of the account on every shard, a person's own ones too.

        What is placed within the next minute may be cancelled as well.
        """
        await self.write("DELETE", CREATE_PATH)

    async def user_data_ms(self) -> int:
        """Return the moment up to which the account's reads are complete, in Unix ms.

        Public reads are kept by a cache for 15 s, which this one's name of its own goes past.
        """
        path, unique = "/exchange/user_data_timestamp", [("t", str(self._clock.monotonic_ns()))]
        return await self.one(path, lambda all_: time_ms_of(all_, "as_of_time"), unique)


_MS_PER_S = 1000
_HALF_A_DAY_MS = 12 * 3600 * _MS_PER_S


def _since(since_ms: int | None) -> list[tuple[str, str]]:
    # The exchange's filter is in whole seconds; cut, so that nothing is missed.
    return [] if since_ms is None else [("min_ts", str(since_ms // _MS_PER_S))]
