"""The kill switch without an engine: what is ours is cancelled at the exchange, until it is gone.

With the account's key alone, and nothing of a running engine: which orders are ours is told by
their ids, which order groups by those orders and by the journals of this machine. A cancel may be
forbidden, lost or refused for coming too often, so that everything is done again each second until
the exchange has shown twice that nothing of ours rests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs
import trio

from arb.core.events import Side
from arb.core.money import CountE2, cents, contracts
from arb.core.risk import EVERY_ORDER_PREFIX
from arb.io.clock import Clock
from arb.kalshi.fields import Malformed, as_object, list_of
from arb.kalshi.listing import ListedOrder
from arb.kalshi.order_groups import ListedGroup, OrderGroupClient
from arb.kalshi.rate import CANCELS_PER_BATCH_MAX, RateBudget
from arb.kalshi.rest import Rest
from arb.kalshi.rest_calls import RestError
from arb.kalshi.wire_orders import BATCH_PATH, cancel_path

# Between two rounds: the list of orders lags a cancel by 0.4 s, and a hung engine may have used up
# the account's tokens, which come back within a second.
ROUND_S = 1.0

# An order that was cancelled and is listed for longer than this was not cancelled.
LISTED_AFTER_MS = 2_000

# Positions were seen to lag fills by a second.
POSITIONS_LAG_MS = 1_500

# So many looks in a row, a round apart, must find nothing.
LOOKS = 2

# Groups are known by the orders that went to them lately; a group of ours that nothing went to for
# longer has no engine that trades.
ORDERS_BACK_MS = 24 * 3_600_000

_NO_ACCESS = frozenset({401, 403})
_NOT_FOUND = 404


class KeyRefused(Exception):
    """The exchange does not take the key; says so in one line."""


@attrs.frozen
class DirectWish:
    """What is to go: our entries, our exits too, or everything in the account."""

    cancel_exits: bool = False
    everything: bool = False


@attrs.frozen
class DirectReach:
    """What a direct halt works with."""

    rest: Rest
    groups: OrderGroupClient
    budget: RateBudget
    clock: Clock
    say: Callable[[str], None]


@attrs.define
class _Progress:
    """What has been done; ``swept`` says that everything was cancelled once."""

    triggered: set[str] = attrs.field(factory=set)
    left_alone: set[str] = attrs.field(factory=set)
    seen_ms: dict[str, int] = attrs.field(factory=dict)
    canceled_ms: dict[str, int] = attrs.field(factory=dict)
    cancels: int = 0
    swept: bool = False
    together: bool = True
    trouble: str = ""


class DirectHalt:
    """Cancels and triggers until nothing that is meant rests; ``ours`` are known group ids."""

    def __init__(self, reach: DirectReach, wish: DirectWish, ours: frozenset[str]) -> None:
        self._reach = reach
        self._wish = wish
        self._ours = set(ours)
        self._done = _Progress()

    async def run(self) -> None:
        """Go on until it is done; raises `KeyRefused` where the key is refused at the very first.

        Later refusals of the key are errors like any other: it was right a moment ago.
        """
        try:
            await self._reach.rest.open_orders()
        except RestError as error:
            if error.status in _NO_ACCESS:
                raise KeyRefused(str(error)) from None
        clean = 0
        while clean < LOOKS:
            clean = clean + 1 if await self._round() else 0
            if clean < LOOKS:
                await trio.sleep(ROUND_S)
        what = "nothing rests in the account" if self._wish.everything else self._kept()
        self._reach.say(f"done: {self._done.cancels} cancelled, {what}")

    def _kept(self) -> str:
        if self._wish.cancel_exits:
            return "nothing of ours rests"
        return "no entry of ours rests; exits were kept"

    async def _round(self) -> bool:
        """Do all that is due once; say whether nothing was left to do."""
        try:
            left = await self._once()
        except RestError as error:
            self._trouble(str(error))
            return False
        self._done.trouble = ""
        return left == 0

    async def _once(self) -> int:
        """Return how much was left when it began."""
        failed = await self._sweep() if self._wish.everything else []
        resting = await self._reach.rest.open_orders()
        self._learn(resting)
        meant = await self._meant(resting, failed)
        if meant:
            # The brake first: one request a shard, however many rest, and nothing new is taken.
            failed += await self._trigger_groups()
        failed += await self._cancel(meant)
        if not self._wish.everything:
            since_ms = self._reach.clock.wall_ms() - ORDERS_BACK_MS
            self._learn(await self._reach.rest.orders([("min_ts", str(since_ms // 1000))]))
        failed += await self._trigger_groups()
        if failed:
            raise RestError(failed[0])
        return len(meant)

    def _trouble(self, text: str) -> None:
        # Once a second the same line would hide the others.
        if text != self._done.trouble:
            self._done.trouble = text
            self._reach.say(f"not done yet, tried again each second: {text}")

    # What is ours.

    def _learn(self, orders: Sequence[ListedOrder]) -> None:
        self._ours |= {each.group_id for each in orders if each.group_id and _is_ours(each)}

    async def _meant(
        self, resting: Sequence[ListedOrder], failed: list[str]
    ) -> Sequence[ListedOrder]:
        if self._wish.everything:
            return resting
        ours = [order for order in resting if _is_ours(order)]
        if not ours or self._wish.cancel_exits:
            return ours
        try:
            positions = await self._reach.rest.positions()
        except RestError as error:
            # What is in a group is an entry, whatever is held; the others wait for the next round.
            failed.append(str(error))
            return [order for order in ours if order.group_id is not None]
        held = {each.ticker: each.count_e2 for each in positions}
        entries = [order for order in ours if not is_exit(order, held)]
        doubtful = [order for order in entries if self._may_be_exit(order)]
        failed += [f"{_named(each)}: whether it is a sale is not sure yet" for each in doubtful]
        return [order for order in entries if order not in doubtful]

    def _may_be_exit(self, order: ListedOrder) -> bool:
        # A sale may rest before what it sells is among the positions.
        now_ms = self._reach.clock.wall_ms()
        seen_ms = self._done.seen_ms.setdefault(order.order_id, now_ms)
        return order.group_id is None and now_ms - seen_ms < POSITIONS_LAG_MS

    # What is done.

    async def _sweep(self) -> list[str]:
        """Cancel everything in one request, once; return what failed."""
        if self._done.swept:
            return []
        try:
            await self._reach.rest.cancel_all()
        except RestError as error:
            return [str(error)]
        self._done.swept = True
        self._reach.say("cancelled everything in the account, and what comes within a minute")
        return []

    async def _trigger_groups(self) -> list[str]:
        """Trigger what is not yet; return what failed."""
        failed = []
        try:
            listed = await self._reach.groups.listed()
        except RestError as error:
            # The cancels do not wait for the brake.
            return [str(error)]
        for group in listed:
            if group.group_id in self._done.triggered:
                continue
            if self._wish.everything or group.group_id in self._ours:
                failed += await self._trigger(group)
            elif group.group_id not in self._done.left_alone:
                self._done.left_alone.add(group.group_id)
                name = f"order group {group.group_id} of shard {group.exchange_index}"
                self._reach.say(f"{name}: no order of ours went there lately, left alone")
        return failed

    async def _trigger(self, group: ListedGroup) -> list[str]:
        name = f"order group {group.group_id} of shard {group.exchange_index}"
        try:
            await self._reach.groups.trigger(group.group_id, group.exchange_index)
        except RestError as error:
            if error.status == _NOT_FOUND:
                return []
            return [f"{name}: {error}"]
        self._done.triggered.add(group.group_id)
        self._reach.say(f"{name}: triggered, it takes no entry until arb clear")
        return []

    async def _cancel(self, orders: Sequence[ListedOrder]) -> list[str]:
        """Cancel what has not just been; return what failed."""
        now_ms = self._reach.clock.wall_ms()
        due = [
            order
            for order in orders
            if now_ms - self._done.canceled_ms.get(order.order_id, 0) >= LISTED_AFTER_MS
        ]
        failed: list[str] = []
        for start in range(0, len(due), CANCELS_PER_BATCH_MAX):
            many = due[start : start + CANCELS_PER_BATCH_MAX]
            if self._done.together and len(many) > 1:
                failed += await self._cancel_together(many)
            else:
                failed += [why for order in many for why in await self._cancel_one(order)]
        return failed

    async def _cancel_together(self, many: Sequence[ListedOrder]) -> list[str]:
        wishes = [{"order_id": one.order_id, "market_ticker": one.ticker} for one in many]
        for _ in many[1:]:
            # A batch costs as much as its cancels one by one; the last of them is paid by `write`.
            await self._reach.budget.write("DELETE", BATCH_PATH)
        try:
            answer = await self._reach.rest.write("DELETE", BATCH_PATH, {"orders": wishes})
        except RestError as error:
            if error.status is not None and error.status not in _NO_ACCESS:
                # How a batch is refused was never recorded: one by one they must get through.
                self._done.together = False
            return [str(error)]
        try:
            rows = [as_object(row, "order") for row in list_of(answer, "orders")]
        except (KeyError, Malformed):
            return ["a batch of cancels was answered without its orders"]
        said = {row.get("order_id"): row.get("error") for row in rows}
        return [why for order in many for why in self._concluded(order, said.get(order.order_id))]

    async def _cancel_one(self, order: ListedOrder) -> list[str]:
        path = cancel_path(order.order_id, order.ticker)
        try:
            await self._reach.rest.write("DELETE", path)
        except RestError as error:
            if error.status != _NOT_FOUND:
                return [f"{_named(order)}: {error}"]
        return self._concluded(order, None)

    def _concluded(self, order: ListedOrder, error: object) -> list[str]:
        code = error.get("code") if isinstance(error, Mapping) else error
        if code is not None and code != "not_found":
            return [f"{_named(order)}: {code}"]
        self._done.canceled_ms[order.order_id] = self._reach.clock.wall_ms()
        # What was gone already may have filled, or fallen to its group; the next look shows.
        self._done.cancels += code is None
        self._reach.say(f"{_named(order)}: {'cancelled' if code is None else 'gone already'}")
        return []

    def __repr__(self) -> str:
        return f"<DirectHalt {self._done.cancels} cancelled, trouble {self._done.trouble!r}>"


def is_exit(order: ListedOrder, held_e2: Mapping[str, CountE2]) -> bool:
    """Tell whether an order lessens what is held; exits of ours are in no order group."""
    if order.group_id is not None:
        return False
    count_e2 = held_e2.get(order.ticker, CountE2(0))
    return count_e2 > 0 if order.side is Side.ASK else count_e2 < 0


def _is_ours(order: ListedOrder) -> bool:
    return (order.client_order_id or "").startswith(EVERY_ORDER_PREFIX)


def _named(order: ListedOrder) -> str:
    name = order.client_order_id or order.order_id
    count, price = contracts(order.remaining_e2), cents(order.price_e4)
    return f"{name} ({order.side} {count} {order.ticker} at {price}c)"
