"""Reading the whole account at intervals: cash, positions, fills, settlements and what rests."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import trio

from arb.core.events import Settlement
from arb.core.money import CountE2, money_text
from arb.engine.account_reading import Account, HeldPosition, RestingOrder
from arb.engine.messages import ConnectionChanged
from arb.engine.parts import Parts
from arb.io.clock import NS_PER_S
from arb.kalshi.exchange_clock import ExchangeClock
from arb.kalshi.listing import Balance, ListedOrder, ListedPosition
from arb.kalshi.money_moves import DETERMINED, ENDED, FINALIZED, ListedSettlement, MarketEnd
from arb.kalshi.rest import Rest
from arb.kalshi.rest_calls import RestError

# Fills and positions come from two read models, which were seen apart for less than this.
OVERLAP_MS = 60_000

# An order rests for a week at most: what filled in a shorter absence is within this, by whatever
# clock. What may be missing from before it, the ledger tells. A list may have 200,000 rows: more
# are given up, and no reading succeeds (`arb.kalshi.rest_calls.PAGES_MAX`).
FIRST_FILLS_MS = 8 * 86_400_000

# The balance may be read once a second, and has a bucket of its own without any reserve.
READING_GAP_S = 1.0

# A reading that failed is tried again, later each time: until it succeeds nothing may be begun.
RETRY_FIRST_S = 1.0

# A reading may fail now and then; without any for so many intervals nobody knows what is ours.
READINGS_MISSED_MAX = 3

# What reading the account is called where connections are shown, once it may have failed.
READS = "Kalshi reads"

# Markets that ended between yes and no, the newest: their exact value stands with the market.
SCALARS_READ_MAX = 50

# Reads of private data lag by seconds at most. Where the exchange says otherwise, or does not tell
# its time, an account would never be believed.
READS_LAG_MAX_S = 30

MS_PER_S = 1000


class Unreadable(Exception):
    """What was read does not fit together; a later reading may."""


class AccountReader:
    """Reads when asked, and at intervals; ``read`` hears of each reading that succeeded.

    ``maybe_late`` says that an earlier reader may have reported its readings as late. The first
    reading goes back to ``unseen_since_ms`` at least, however long we were away.
    """

    def __init__(
        self,
        rest: Rest,
        parts: Parts,
        prefixes: Callable[[], tuple[str, ...]],
        read: Callable[[Account, int], None],
        report: Callable[[ConnectionChanged], object],
        exchange_clock: ExchangeClock,
        *,
        maybe_late: bool = False,
        unseen_since_ms: int | None = None,
    ) -> None:
        self._exchange_clock = exchange_clock
        self._rest = rest
        self._parts = parts
        self._prefixes = prefixes
        self._read = read
        self._report = report
        self._succeeded_s = trio.current_time()
        # Whoever was told so keeps it, and the reader that said it may be gone with its gateway.
        self._reported_late = maybe_late
        first_ms = parts.clock.wall_ms() - FIRST_FILLS_MS
        self._fills_since_ms = (
            first_ms if unseen_since_ms is None else min(first_ms, unseen_since_ms)
        )
        # How long we were away is not known, and one page holds a thousand: all, the first time.
        self._settlements_since_ms: int | None = None
        self._wake = trio.Event()
        self._wanted = 0
        self._with_moves = False
        self._back_to_ms: int | None = None
        self._retry_s = 0.0

    def want(self, *, with_moves: bool = False, since_ms: int | None = None) -> int:
        """Ask for a reading that begins from now on, and return its number.

        With ``since_ms`` one reading goes back so far.
        """
        self._wanted += 1
        self._with_moves = self._with_moves or with_moves
        if since_ms is not None:
            self._back_to_ms = since_ms
        self._wake.set()
        return self._wanted

    async def run(self) -> None:
        """Read for ever; ``read`` is told which wish each reading has fulfilled."""
        while True:
            await self._until_due()
            self._wake = trio.Event()
            wanted = self._wanted
            account = await self._account()
            if account is None:
                self._failed()
                continue
            self._retry_s = 0.0
            self._succeeded_s = trio.current_time()
            self._read(account, wanted)
            if self._reported_late:
                self._reported_late = False
                self._report(ConnectionChanged(READS, connected=True, detail="account read"))

    def _failed(self) -> None:
        interval_s = self._parts.execution.reconcile_interval_ms / MS_PER_S
        self._retry_s = min(interval_s, max(RETRY_FIRST_S, self._retry_s * 2))
        unread_s = trio.current_time() - self._succeeded_s
        if unread_s >= READINGS_MISSED_MAX * interval_s:
            self._reported_late = True
            detail = "the account cannot be read, see the log"
            self._report(ConnectionChanged(READS, connected=False, detail=detail))

    async def _until_due(self) -> None:
        if self._retry_s:
            await trio.sleep(self._retry_s)
            return
        with trio.move_on_after(self._parts.execution.reconcile_interval_ms / MS_PER_S):
            await self._wake.wait()
        await trio.sleep_until(self._parts.brakes.balance_read_s + READING_GAP_S)

    async def _account(self) -> Account | None:
        # By the exchange's clock: ours may be ahead, and what is asked for from then on is nothing.
        now_ms = self._parts.clock.wall_ms() + (self._exchange_clock.behind_ms or 0)
        with_moves, back_to_ms = self._with_moves, self._back_to_ms
        try:
            account = await self._whole(back_to_ms, with_moves=with_moves)
        except (RestError, Unreadable) as error:
            self._parts.board.say("KALSHI", f"account not read: {error}", level="warning")
            return None
        self._fills_since_ms = self._settlements_since_ms = now_ms - OVERLAP_MS
        self._with_moves = self._with_moves and not with_moves
        if self._back_to_ms == back_to_ms:
            self._back_to_ms = None
        return account

    async def _whole(self, back_to_ms: int | None, *, with_moves: bool) -> Account:
        # How far the reads are comes first: what is read afterwards is at least as new.
        as_of_ns = await self._as_of_ns()
        # What led to the cash is read before the cash: what comes in between is then missing from
        # the books, which the next reading mends, and never counted twice.
        fills = await self._rest.fills(_earlier(self._fills_since_ms, back_to_ms))
        settled_since_ms = _earlier(self._settlements_since_ms, back_to_ms)
        settlements = await self._rest.settlements(settled_since_ms)
        moves = await self._rest.cash_moves() if with_moves else ()
        balance = await self._balance()
        positions = await self._rest.positions()
        orders = await self._rest.open_orders()
        prefixes = self._prefixes()
        held = tuple(each.ticker for each in positions if each.count_e2)
        ends = await self._ends(held, settlements)
        return Account(
            balance.cash_e6,
            tuple(_held(each) for each in positions),
            # The oldest first, as they happened: what a position cost depends on their order.
            tuple(reversed(fills)),
            tuple(_resting(each) for each in orders if _is_ours(each, prefixes)),
            tuple(_resting(each) for each in orders if not _is_ours(each, prefixes)),
            tuple(_settlement(each, ends) for each in settlements),
            tuple(t for t in held if t in ends and ends[t].status in (DETERMINED, FINALIZED)),
            tuple(moves),
            tuple(t for t in held if t in ends and ends[t].status in ENDED),
            balance.by_exchange_index,
            as_of_ns,
        )

    async def _as_of_ns(self) -> int:
        """Return up to which of our moments a reading that begins now is complete at least."""
        clock = self._parts.clock
        longest_ago_ns = clock.monotonic_ns() - READS_LAG_MAX_S * NS_PER_S
        try:
            as_of_ms = await self._rest.user_data_ms()
        except RestError as error:
            self._parts.board.note_bad(
                "exchange", "how far its reads are cannot be read", str(error)
            )
            return longest_ago_ns
        earliest_ns = self._exchange_clock.earliest_ns(as_of_ms)
        if earliest_ns is None:
            return longest_ago_ns
        # No word of the exchange's is about what comes after it.
        return max(longest_ago_ns, min(earliest_ns, clock.monotonic_ns()))

    async def _balance(self) -> Balance:
        try:
            balance = await self._rest.balances()
        finally:
            # Not when the reading began: its first pages may take longer than the gap.
            self._parts.brakes.balance_read_s = trio.current_time()
        shards = balance.by_exchange_index.values()
        if shards and sum(shards) != balance.cash_e6:
            shards_text, all_text = money_text(sum(shards)), money_text(balance.cash_e6)
            raise Unreadable(f"the shards hold ${shards_text} together, the balance ${all_text}")
        return balance

    async def _ends(
        self, held: Sequence[str], settlements: Sequence[ListedSettlement]
    ) -> dict[str, MarketEnd]:
        """Read how far markets are: those held, and those whose value is not whole cents."""
        scalars = [each.ticker for each in settlements if each.is_scalar]
        tickers = sorted({*held, *scalars[:SCALARS_READ_MAX]})
        if not tickers:
            return {}
        return {end.ticker: end for end in await self._rest.market_ends(tickers)}

    def __repr__(self) -> str:
        return f"<AccountReader {self._wanted} wanted>"


def _earlier(since_ms: int | None, back_to_ms: int | None) -> int | None:
    # Since nothing is since ever.
    if since_ms is None or back_to_ms is None:
        return since_ms
    return min(since_ms, back_to_ms)


def _is_ours(order: ListedOrder, prefixes: tuple[str, ...]) -> bool:
    return (order.client_order_id or "").startswith(prefixes)


def _held(position: ListedPosition) -> HeldPosition:
    return HeldPosition(position.ticker, position.count_e2, position.cost_e6, position.fees_e6)


def _resting(order: ListedOrder) -> RestingOrder:
    return RestingOrder(
        order.client_order_id or "",
        order.order_id,
        order.ticker,
        order.side,
        order.price_e4,
        order.remaining_e2,
        order.filled_e2,
    )


def _settlement(listed: ListedSettlement, ends: dict[str, MarketEnd]) -> Settlement:
    value_e4 = listed.value_e4
    end = ends.get(listed.ticker)
    if listed.is_scalar and end is not None and end.value_e4 is not None:
        value_e4 = end.value_e4
    return Settlement(
        listed.ticker,
        CountE2(listed.yes_count_e2 - listed.no_count_e2),
        value_e4,
        listed.revenue_e6,
        listed.fee_e6,
        listed.at_ms,
    )
