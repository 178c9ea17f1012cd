"""What is done with order groups, and who hears of it."""

from __future__ import annotations

from arb.sim.exchange.account import Account
from arb.sim.exchange.groups import GROUPS_MAX, GroupEvent, OrderGroup
from arb.sim.exchange.refusals import nested
from arb.sim.exchange.values import Change, Order
from arb.sim.exchange.venue import Venue


def make_group(venue: Venue, account: Account, limit_e2: int, shard: int) -> OrderGroup:
    """Make a group on one shard."""
    if len(groups_of(venue, account)) >= GROUPS_MAX:
        raise nested(400, "invalid_parameters", "too many order groups")
    group = OrderGroup(venue.new_id(), account.name, limit_e2, shard)
    venue.groups[group.group_id] = group
    _tell(venue, group, "created", limit_e2)
    return group


def groups_of(venue: Venue, account: Account) -> list[OrderGroup]:
    """Return an account's groups, oldest first."""
    return [group for group in venue.groups.values() if group.account == account.name]


def orders_of(venue: Venue, group: OrderGroup) -> list[Order]:
    """Return the group's resting orders."""
    resting = venue.accounts[group.account].resting.values()
    return [order for order in resting if order.request.group_id == group.group_id]


def trigger_group(venue: Venue, group: OrderGroup, *, sparing: Order | None = None) -> None:
    """Cancel all orders of a group and refuse new ones until it is reset."""
    if not group.triggered:
        group.triggered = True
        _tell(venue, group, "triggered")
    for order in orders_of(venue, group):
        if order is not sparing:
            venue.take_off_book(order, Change.GROUP)


def limit_group(venue: Venue, group: OrderGroup, limit_e2: int) -> None:
    """Change a group's limit; one that what traded is over already triggers the group at once."""
    group.limit_e2 = limit_e2
    _tell(venue, group, "limit_updated", limit_e2)
    if group.is_over(venue.clock.wall_ms()):
        trigger_group(venue, group)


def reset_group(venue: Venue, group: OrderGroup) -> None:
    """Let a group trade again."""
    group.reset()
    _tell(venue, group, "reset")


def delete_group(venue: Venue, group: OrderGroup) -> None:
    """Remove a group for good; its orders are cancelled."""
    for order in orders_of(venue, group):
        venue.take_off_book(order, Change.GROUP)
    del venue.groups[group.group_id]
    _tell(venue, group, "deleted")


def _tell(venue: Venue, group: OrderGroup, word: str, limit_e2: int | None = None) -> None:
    event = GroupEvent(word, group.group_id, group.account, venue.clock.wall_ms(), limit_e2)
    for listener in list(venue.listeners):
        listener.group_changed(event)
