"""The first readings of an account: when what they say may be taken for what we hold.

A reading is several requests, and positions lag behind the fills that made them: one that was
taken in the middle of a trade shows half of it for ever. Two that say the same are believed, the
second complete up to the end of the first, with no fill heard of in between.
"""

from __future__ import annotations

import attrs

from arb.core.adoption import AdoptedAccount, AdoptedPosition
from arb.engine.account_reading import Account


@attrs.define
class FirstReadings:
    """Takes readings until one may be adopted; an account that nothing lags behind needs one."""

    _before: Account | None = None
    _before_ns: int = 0
    _trade_ids: dict[str, None] = attrs.field(factory=dict)

    @property
    def awaited_ns(self) -> int:
        """Return the moment of ours up to which the next reading must be complete."""
        return self._before_ns

    def disturbed(self) -> None:
        """Begin again: a fill was heard of, and the last reading may hold half of it."""
        self._before = None

    def take(self, account: Account, now_ns: int) -> AdoptedAccount | None:
        """Return what is to be adopted, None while another reading is needed."""
        # Later readings list fewer trades, and none of the earlier ones may be counted again.
        self._trade_ids |= dict.fromkeys(fill.trade_id for fill in account.fills)
        if not self._is_settled_down(account):
            self._before, self._before_ns = account, now_ns
            return None
        if account.is_behind(self._before_ns):
            return None
        return attrs.evolve(adopted(account), trade_ids=tuple(self._trade_ids))

    def _is_settled_down(self, account: Account) -> bool:
        before = self._before
        if account.as_of_ns is None and not account.fills and not account.settlements:
            return True
        return before is not None and (before.cash_e6, before.positions) == (
            account.cash_e6,
            account.positions,
        )


def adopted(account: Account) -> AdoptedAccount:
    """Return what a reading says, in the terms in which it is adopted."""
    return AdoptedAccount(
        account.cash_e6,
        tuple(
            AdoptedPosition(held.ticker, held.count_e2, held.cost_e6, held.fees_e6)
            for held in account.positions
        ),
        tuple(fill.trade_id for fill in account.fills),
    )
