"""What each shard of the exchange holds of the account's cash, and what of it is free.

An order is paid from the balance of its market's own shard. Where that has too little the exchange
answers 400 `insufficient_balance`, and 404 `user_not_found` where it never had any, however much
lies on another shard (observed since the exchange was split in August 2026).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import attrs

from arb.core.commands import OrderIntent, Purpose
from arb.core.exposure import FeeOf, claims, entry_cost_e6
from arb.core.ledger import Ledger
from arb.core.money import MoneyE6, dollars
from arb.core.risk import Refusal, RefusalCode

NO_COLLATERAL: Mapping[str, MoneyE6] = MappingProxyType({})

# The shard of a market, None where the market is not listed here.
ShardOf = Callable[[str], int | None]


@attrs.define
class Shards:
    """The cash of each shard: as of the last reading that agreed with the ledger, and since.

    Nothing is known before such a reading, nor of an account that is not split: then nothing is
    refused here, and the cash of the whole account is the limit. What a market that is not listed
    takes may be on any shard, and is taken from each until the next reading.
    """

    ledger: Ledger
    fee_of: FeeOf
    shard_of: ShardOf
    _cash_e6: dict[int, int] = attrs.field(factory=dict, init=False)

    def agreed(
        self, cash_e6: Mapping[int, MoneyE6], returned_e6: Mapping[str, MoneyE6] = NO_COLLATERAL
    ) -> None:
        """Take what the exchange says each shard holds, in a moment when all cash agrees.

        ``returned_e6`` is collateral of markets within that cash: their exits need it back.
        """
        self._cash_e6 = dict(cash_e6)
        for ticker, each_e6 in returned_e6.items():
            self.changed(ticker, -each_e6)

    def changed(self, ticker: str, change_e6: int) -> None:
        """Note that a trade in a market, or its end, brought cash or took it."""
        shard = self.shard_of(ticker)
        if shard is not None and self._cash_e6:
            self._cash_e6[shard] = self._cash_e6.get(shard, 0) + change_e6
        elif change_e6 < 0:
            for each, cash_e6 in self._cash_e6.items():
                self._cash_e6[each] = cash_e6 + change_e6

    def why_not(self, intent: OrderIntent) -> Refusal | None:
        """Return why a market's shard cannot pay for an entry, or None if it can."""
        shard = self.shard_of(intent.ticker)
        if intent.purpose is Purpose.EXIT or shard is None or not self._cash_e6:
            return None
        count_e2, price_e4 = intent.count_e2, intent.price_e4
        cost_e6 = entry_cost_e6(intent.ticker, intent.side, price_e4, count_e2, self.fee_of)
        free_e6 = self._free_e6(shard)
        if cost_e6 <= free_e6:
            return None
        text = f"{dollars(cost_e6)} needed, {dollars(free_e6)} free on shard {shard}"
        return Refusal(intent.ticker, intent.purpose, RefusalCode.SHARD_BALANCE, text)

    def _free_e6(self, shard: int) -> MoneyE6:
        claimed_e6 = sum(
            cash_e6
            for ticker, cash_e6 in claims(self.ledger, self.fee_of)
            if self.shard_of(ticker) in (shard, None)
        )
        return MoneyE6(self._cash_e6.get(shard, 0) - claimed_e6)

    def __repr__(self) -> str:
        held = ", ".join(f"{shard}: {dollars(cash)}" for shard, cash in self._cash_e6.items())
        return f"<Shards {held or 'not known'}>"
