"""Money that a member moves: between shards, and between its subaccounts.

Each is refused when its client's id was used before, and nothing is ever moved twice.
"""

from __future__ import annotations

from arb.sim.exchange.account import Account, Payment, Transfer
from arb.sim.exchange.refusals import nested
from arb.sim.exchange.venue import Venue

# Numbered subaccounts that an account can have, by the exchange's contract.
SUBACCOUNTS_MAX = 63


def create_subaccount(account: Account) -> int:
    """Open the next numbered subaccount, without money, and return its number."""
    number = len(account.subaccounts_e6) + 1
    if number > SUBACCOUNTS_MAX:
        raise nested(400, "invalid_parameters", "too many subaccounts")
    account.subaccounts_e6[number] = {}
    return number


def deposit(venue: Venue, account: Account, amount_e6: int, shard: int = 0) -> Payment:
    """Let money come from outside, or with a negative amount leave the exchange."""
    now_ms = venue.clock.wall_ms()
    account.pay(shard, amount_e6, now_ms)
    account.updated_ms = now_ms
    made = Payment(venue.new_id(), amount_e6, now_ms)
    account.payments.append(made)
    return made


def move(
    venue: Venue,
    account: Account,
    amount_e6: int,
    source: tuple[int, int],
    destination: tuple[int, int],
    client_transfer_id: str = "",
) -> Transfer:
    """Move money; both ends are a subaccount, 0 for the primary one, and a shard."""
    if client_transfer_id and client_transfer_id in account.transfers:
        raise nested(409, "transfer_already_exists")
    if amount_e6 <= 0 or source == destination:
        raise nested(400, "invalid_parameters", "nothing to transfer")
    if _purse_e6(account, source).get(source[1], 0) < amount_e6:
        raise nested(400, "insufficient_balance")
    _purse_e6(account, destination)
    now_ms = venue.clock.wall_ms()
    _pay(account, source, -amount_e6, now_ms)
    _pay(account, destination, amount_e6, now_ms)
    account.updated_ms = now_ms
    made = Transfer(venue.new_id(), client_transfer_id, amount_e6, source, destination, now_ms)
    account.transfers[client_transfer_id or made.transfer_id] = made
    return made


def _purse_e6(account: Account, place: tuple[int, int]) -> dict[int, int]:
    number = place[0]
    if number == 0:
        return account.cash_e6
    if number not in account.subaccounts_e6:
        raise nested(400, "invalid_parameters", "no such subaccount")
    return account.subaccounts_e6[number]


def _pay(account: Account, place: tuple[int, int], amount_e6: int, now_ms: int) -> None:
    number, shard = place
    if number == 0:
        account.pay(shard, amount_e6, now_ms)
    else:
        purse = account.subaccounts_e6[number]
        purse[shard] = purse.get(shard, 0) + amount_e6
