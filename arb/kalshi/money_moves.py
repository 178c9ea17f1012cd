"""How money comes and goes without a trade: decided markets, deposits, withdrawals, transfers."""

from __future__ import annotations

import attrs

from arb.core.events import CashMove
from arb.core.money import ONE_DOLLAR_E4, CountE2, MoneyE6, PriceE4
from arb.kalshi.fields import (
    Fault,
    Fields,
    Malformed,
    count,
    money,
    optional_text,
    optional_time_ms,
    optional_whole,
    scaled,
    text_of,
    time_ms_of,
    whole_of,
)

_E6_PER_CENT = 10_000
_E4_PER_CENT = 100
_CENTS_PER_DOLLAR = 100
_MS_PER_S = 1000
_PRICE_PLACES = 4

# The payload's words for a market whose result is known; paid it has only in the second.
DETERMINED = "determined"
FINALIZED = "finalized"

# Trading is over, and the result is not known, or is not believed.
ENDED = ("closed", "disputed", "amended")

_PRIMARY_SUBACCOUNT = 0
_TRADING_FUNDS = "event_contract"


@attrs.frozen
class ListedSettlement:
    """A market that was decided: what it paid us, in whole cents, and what was held in it.

    ``value_e4`` is what one YES was worth, exactly where the result is yes or no, else cut to
    whole cents.
    """

    ticker: str
    result: str
    value_e4: PriceE4
    revenue_e6: MoneyE6
    fee_e6: MoneyE6
    yes_count_e2: CountE2
    no_count_e2: CountE2
    at_ms: int

    @property
    def is_scalar(self) -> bool:
        """Tell whether YES was worth something between nothing and a dollar."""
        return self.result == "scalar"


@attrs.frozen
class MarketEnd:
    """How far a market is, in the payload's word, and what YES was worth once that is known."""

    ticker: str
    status: str
    value_e4: PriceE4 | None
    settled_ms: int | None


def settlement_of(fields: Fields) -> ListedSettlement:
    """Read a settlement; raises `Malformed`."""
    return ListedSettlement(
        text_of(fields, "ticker"),
        text_of(fields, "market_result"),
        _value_e4(fields),
        MoneyE6(whole_of(fields, "revenue") * _E6_PER_CENT),
        money(fields["fee_cost"]),
        count(fields["yes_count_fp"]),
        count(fields["no_count_fp"]),
        time_ms_of(fields, "settled_time"),
    )


def _value_e4(fields: Fields) -> PriceE4:
    known = {"yes": ONE_DOLLAR_E4, "no": 0}.get(text_of(fields, "market_result"))
    if known is not None:
        return PriceE4(known)
    value_cents = optional_whole(fields, "value")
    if value_cents is None:
        raise Malformed(Fault.MISSING_FIELD, f"value in {dict(fields)}")
    if not 0 <= value_cents <= _CENTS_PER_DOLLAR:
        raise Malformed(Fault.OFF_SCALE, f"value {value_cents}")
    return PriceE4(value_cents * _E4_PER_CENT)


def market_end_of(fields: Fields) -> MarketEnd:
    """Read what of a market tells its end; raises `Malformed`."""
    value = optional_text(fields, "settlement_value_dollars")
    return MarketEnd(
        text_of(fields, "ticker"),
        text_of(fields, "status"),
        None if not value else _worth_e4(value),
        optional_time_ms(fields, "settlement_ts"),
    )


def _worth_e4(text: str) -> PriceE4:
    # No price, which is never 0 or 1, but what a contract turned out to be worth.
    worth_e4 = scaled(text, _PRICE_PLACES)
    if not 0 <= worth_e4 <= ONE_DOLLAR_E4:
        raise Malformed(Fault.OFF_SCALE, text)
    return PriceE4(worth_e4)


def deposit_of(fields: Fields) -> CashMove | None:
    """Read a deposit, None for one that has not been credited; raises `Malformed`."""
    return _applied(fields, "deposit", 1)


def withdrawal_of(fields: Fields) -> CashMove | None:
    """Read a withdrawal, None for one that has not been taken; raises `Malformed`."""
    return _applied(fields, "withdrawal", -1)


def _applied(fields: Fields, kind: str, sign: int) -> CashMove | None:
    if text_of(fields, "status") != "applied":
        return None
    finalized_s = optional_whole(fields, "finalized_ts")
    at_s = whole_of(fields, "created_ts") if finalized_s is None else finalized_s
    amount_e6 = sign * whole_of(fields, "amount_cents") * _E6_PER_CENT
    fee_e6 = whole_of(fields, "fee_cents") * _E6_PER_CENT
    move_id = f"{kind} {text_of(fields, 'id')}"
    return CashMove(move_id, kind, MoneyE6(amount_e6), _end_ms(at_s), MoneyE6(fee_e6))


def subaccount_transfer_of(fields: Fields) -> CashMove | None:
    """Read a transfer between subaccounts, None where the primary has no part in it."""
    source, target = whole_of(fields, "from_subaccount"), whole_of(fields, "to_subaccount")
    sign = (target == _PRIMARY_SUBACCOUNT) - (source == _PRIMARY_SUBACCOUNT)
    if not sign:
        return None
    amount_e6 = sign * whole_of(fields, "amount_cents") * _E6_PER_CENT
    return _transfer(fields, amount_e6)


def shard_transfer_of(fields: Fields) -> CashMove | None:
    """Read a transfer between parts of the exchange, None where all of it stays for trading.

    From one shard to another it changes no sum of ours.
    """
    source, target = text_of(fields, "source"), text_of(fields, "destination")
    if source == target or text_of(fields, "status") != "complete":
        return None
    amount_e6 = money(fields["amount"]) * (1 if target == _TRADING_FUNDS else -1)
    return _transfer(fields, amount_e6)


def _transfer(fields: Fields, amount_e6: int) -> CashMove:
    move_id = f"transfer {text_of(fields, 'transfer_id')}"
    at_ms = _end_ms(whole_of(fields, "created_ts"))
    return CashMove(move_id, "transfer", MoneyE6(amount_e6), at_ms)


def _end_ms(at_s: int) -> int:
    # The second is cut: counted from its end, nothing of it is taken for older than it is.
    return at_s * _MS_PER_S + _MS_PER_S - 1
