"""The order groups of one account: one a shard, for entries alone.

A group is the brake that works when this process does not: it stops entries at the exchange once
more has filled within 15 s than any sane run of ours could want. Without one no entry leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import attrs
import trio

from arb.engine.board import Board
from arb.kalshi.order_groups import ListedGroup, OrderGroupClient, contracts_e2
from arb.kalshi.rest_calls import RestError

# Between two tries at a request that failed: often enough that trading begins soon after the
# exchange is back, and seldom beside the write budget of the lowest tier.
RETRY_S = 2.0

_NOT_FOUND = 404


class GroupState(Enum):
    """Where a group stands, or what is to be done to it next."""

    WANTED = "not made yet"
    READY = "ready"
    HIT = "hit its limit or was triggered; end it with: arb clear --reason ..."
    TO_RESET = "being reset"
    TO_TRIGGER = "being triggered"


_DUE = frozenset({GroupState.WANTED, GroupState.TO_RESET, GroupState.TO_TRIGGER})


@attrs.define
class _Group:
    """One shard's group; a trigger that is paid for leaves at ``paid_s`` by Trio's clock."""

    state: GroupState = GroupState.WANTED
    group_id: str | None = None
    trouble: str = ""
    paid_s: float | None = None


class OrderGroups:
    """Keeps a group for every shard that entries go to.

    ``changed`` hears whether entries may leave, and if not why; ``made`` hears of each new group,
    so that a later run finds it again.
    """

    def __init__(
        self,
        client: OrderGroupClient,
        board: Board,
        contracts: int,
        remembered: dict[int, str],
        *,
        changed: Callable[[bool, str], object],
        made: Callable[[int, str], None],
    ) -> None:
        self._client = client
        self._board = board
        self._contracts = contracts
        self._remembered = dict(remembered)
        self._changed = changed
        self._made = made
        self._groups: dict[int, _Group] = {}
        self._wake = trio.Event()

    @property
    def wanted(self) -> bool:
        """Say whether entries need a group at all; a limit of 0 is a person's word that not."""
        return self._contracts > 0

    @property
    def ready(self) -> bool:
        """Say whether every shard that was wanted has a group that takes orders."""
        return all(group.state is GroupState.READY for group in self._groups.values())

    def id_for(self, exchange_index: int | None) -> str | None:
        """Return the group of a shard, None where it takes no orders now; it is made then."""
        group = self._groups.get(exchange_index or 0)
        if group is None:
            self.want(exchange_index or 0)
            return None
        return group.group_id if group.state is GroupState.READY else None

    def want(self, exchange_index: int) -> None:
        """Have a group for a shard."""
        if self.wanted and exchange_index not in self._groups:
            self._groups[exchange_index] = _Group()
            self._go_on()

    def lost(self, exchange_index: int | None) -> None:
        """Make a new group: the exchange does not know the one we have."""
        index = exchange_index or 0
        self._remembered.pop(index, None)
        self._groups[index] = _Group()
        self._go_on()

    def hit(self, exchange_index: int | None) -> bool:
        """Note that a group takes no more orders; say whether that is news."""
        group = self._groups.get(exchange_index or 0)
        if group is None or group.state is not GroupState.READY:
            return False
        group.state = GroupState.HIT
        self._tell()
        return True

    def reset(self) -> None:
        """Have every group take orders again: a person has looked."""
        self._switch(GroupState.TO_RESET)

    def trigger(self) -> None:
        """Cancel all entries at the exchange and have it take none until the reset."""
        for group in self._groups.values():
            if group.group_id is not None and group.paid_s is None:
                # The cancels of a halt spend all there is: the brake must not wait behind them.
                wait_s = self._client.pay_for_trigger(group.group_id)
                group.paid_s = trio.current_time() + wait_s
        self._switch(GroupState.TO_TRIGGER)

    def _switch(self, state: GroupState) -> None:
        for group in self._groups.values():
            group.state = state
        self._go_on()

    def _go_on(self) -> None:
        self._tell()
        self._wake.set()

    def _tell(self) -> None:
        waiting = [
            f"shard {index}: {group.trouble or group.state.value}"
            for index, group in sorted(self._groups.items())
            if group.state is not GroupState.READY
        ]
        count = len(self._groups)
        self._changed(self.ready, "; ".join(waiting) or f"{count} of {self._contracts} contracts")

    async def run(self) -> None:
        """Do what is due, for ever."""
        while True:
            self._wake = trio.Event()
            failed: list[int] = []
            # One beside the other: no shard's brake waits for the answer of another's.
            async with trio.open_nursery() as nursery:
                for index, group in self._groups.items():
                    if group.state in _DUE:
                        nursery.start_soon(self._try, index, group, failed)
            if failed:
                await trio.sleep(RETRY_S)
            else:
                await self._wake.wait()

    async def _try(self, index: int, group: _Group, failed: list[int]) -> None:
        """Do what is due for one group; one whose turn failed is added to ``failed``."""
        state = group.state
        try:
            await self._do(index, group)
        except RestError as error:
            if error.status == _NOT_FOUND:
                # Somebody has removed it; the next try makes another one.
                self._remembered.pop(index, None)
                group.group_id = None
            group.trouble = f"{state.value}: {error}"
            self._board.say(
                "KALSHI", f"order group of shard {index} {group.trouble}", level="error"
            )
            self._tell()
            failed.append(index)
            return
        group.trouble = ""
        if group.state is state:
            group.state = GroupState.HIT if state is GroupState.TO_TRIGGER else GroupState.READY
        self._tell()

    async def _do(self, index: int, group: _Group) -> None:
        if group.group_id is None:
            group.group_id = await self._found(index)
        found = group.group_id
        if group.state is GroupState.TO_TRIGGER:
            if found is not None:
                paid_s, group.paid_s = group.paid_s, None
                if paid_s is not None:
                    await trio.sleep_until(paid_s)
                await self._client.trigger(found, index, paid=paid_s is not None)
        elif found is None:
            group.group_id = await self._create(index)
        elif group.state is GroupState.TO_RESET:
            await self._client.reset(found, index)

    async def _found(self, index: int) -> str | None:
        """Return the group that an earlier run made, its limit brought up to date."""
        remembered = self._remembered.get(index)
        if remembered is None:
            return None
        mine = ListedGroup(remembered, index, contracts_e2(self._contracts))
        for group in await self._client.listed():
            if (group.group_id, group.exchange_index) == (remembered, index):
                if group != mine:
                    await self._client.limit(group, self._contracts)
                return remembered
        return None

    async def _create(self, index: int) -> str:
        group_id = await self._client.create(index, self._contracts)
        self._made(index, group_id)
        return group_id

    def __repr__(self) -> str:
        states = " ".join(f"{index}={each.state.name}" for index, each in self._groups.items())
        return f"<OrderGroups {states or 'none'}>"
