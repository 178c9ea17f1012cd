"""Order groups: the exchange's own brake on how much a set of orders may fill in 15 seconds.

A group that is hit or triggered has its orders cancelled and takes none until it is reset. Each
belongs to one shard.
"""

from __future__ import annotations

from urllib.parse import quote

import attrs

from arb.core.money import ONE_CONTRACT_E2, CountE2
from arb.kalshi.fields import Fields, Malformed, as_object, count, list_of, optional_whole, text_of
from arb.kalshi.rest import Rest
from arb.kalshi.rest_calls import RestError

GROUPS_PATH = "/portfolio/order_groups"
CREATE_GROUP_PATH = f"{GROUPS_PATH}/create"


@attrs.frozen
class ListedGroup:
    """One order group as the exchange lists it."""

    group_id: str
    exchange_index: int
    limit_e2: CountE2 | None


class OrderGroupClient:
    """Makes, lists and switches order groups; raises `RestError` throughout."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def create(self, exchange_index: int, contracts: int) -> str:
        """Make a group that lets ``contracts`` fill within 15 s; return its id."""
        content = {"contracts_limit": contracts, "exchange_index": exchange_index}
        answer = await self._rest.write("POST", CREATE_GROUP_PATH, content)
        try:
            return text_of(answer, "order_group_id")
        except (KeyError, Malformed) as error:
            raise RestError(f"POST {CREATE_GROUP_PATH}: no group in the answer: {error}") from None

    async def listed(self) -> list[ListedGroup]:
        """Return the account's groups, other programs' too."""
        return await self._rest.one(
            GROUPS_PATH,
            lambda all_: [
                _group_of(as_object(row, "order group")) for row in list_of(all_, "order_groups")
            ],
        )

    async def limit(self, group: ListedGroup, contracts: int) -> None:
        """Change what a group lets fill; lowered below what has filled, it is triggered."""
        content = {"contracts_limit": contracts}
        await self._put(group.group_id, group.exchange_index, "limit", content)

    async def reset(self, group_id: str, exchange_index: int) -> None:
        """Let a group take orders again, nothing counted."""
        await self._put(group_id, exchange_index, "reset", {})

    def pay_for_trigger(self, group_id: str) -> float:
        """Pay for a trigger before the cancels beside it do; return in how many seconds it may."""
        return self._rest.pay_ahead("PUT", f"{_path(group_id)}/trigger")

    async def trigger(self, group_id: str, exchange_index: int, *, paid: bool = False) -> None:
        """Cancel all orders of a group, and have it take none until it is reset."""
        await self._put(group_id, exchange_index, "trigger", {}, paid=paid)

    async def delete(self, group_id: str, exchange_index: int) -> None:
        """Remove a group for ever; its orders are cancelled."""
        params = [("exchange_index", str(exchange_index))]
        await self._rest.write("DELETE", _path(group_id), params=params)

    async def _put(
        self,
        group_id: str,
        exchange_index: int,
        verb: str,
        content: object,
        *,
        paid: bool = False,
    ) -> None:
        params = [("exchange_index", str(exchange_index))]
        await self._rest.write("PUT", f"{_path(group_id)}/{verb}", content, params, paid=paid)

    def __repr__(self) -> str:
        return f"<OrderGroupClient {self._rest!r}>"


def contracts_e2(contracts: int) -> CountE2:
    """Return whole contracts as a count."""
    return CountE2(contracts * ONE_CONTRACT_E2)


def _path(group_id: str) -> str:
    return f"{GROUPS_PATH}/{quote(group_id, safe='')}"


def _group_of(fields: Fields) -> ListedGroup:
    limit = fields.get("contracts_limit_fp")
    return ListedGroup(
        text_of(fields, "id"),
        # Before the exchange was split there was only the first shard.
        optional_whole(fields, "exchange_index") or 0,
        None if limit is None else count(limit),
    )
