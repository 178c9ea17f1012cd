"""``arb fee``: what Kalshi charges for one order, step by step."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated

import attrs
from cyclopts import Parameter
from rich.table import Table

from arb.cli.common import Json, print_json, terminal
from arb.cli.errors import UsageError
from arb.core.events import Liquidity
from arb.core.fees import MULTIPLIER_ONE_E4, RATES_E4, FeeSchedule, UnknownFees
from arb.core.money import (
    ONE_DOLLAR_E4,
    NotExact,
    cost_e6,
    count_from_text,
    count_text,
    money_text,
    price_from_text,
    price_text,
)

FEE_TYPE = "quadratic_with_maker_fees"

# What the exchange said of its series in August 2026. The engine reads every series anew; this
# command answers without a connection, and says so.
HALF_PRICE_SERIES = "KXMLB"
HALF_E4 = MULTIPLIER_ONE_E4 // 2


@attrs.frozen
class FeeSteps:
    """Every step from an order to its fee, each amount an exact decimal text."""

    series: str
    fee_type: str
    multiplier: str
    rate: str
    liquidity: Liquidity
    price_dollars: str
    count: str
    cost_dollars: str
    trade_fee_dollars: str
    rounding_dollars: str
    fee_dollars: str


def fee(
    *,
    series: Annotated[str, Parameter(help="The series, such as KXMLBGAME.")],
    price: Annotated[str, Parameter(help="Dollars, as in 0.52.")],
    count: Annotated[str, Parameter(help="Contracts, as in 10 or 0.27.")],
    liquidity: Annotated[Liquidity, Parameter(help="Whether the order takes or makes.")],
    multiplier: Annotated[
        str | None,
        Parameter(help="The series' multiplier; without it 0.5 for KXMLB..., else 1."),
    ] = None,
    json: Json = False,
) -> None:
    """Compute what Kalshi charges for one order that fills at once, step by step."""
    steps = calculate(series, price, count, liquidity, multiplier)
    if json:
        print_json(attrs.asdict(steps))
    else:
        _show(steps)


def calculate(
    series: str, price: str, count: str, liquidity: Liquidity, multiplier: str | None
) -> FeeSteps:
    """Return all steps of the calculation; raises `UsageError` for what cannot be an order."""
    multiplier_e4 = known_multiplier_e4(series) if multiplier is None else _multiplier(multiplier)
    try:
        schedule = FeeSchedule(FEE_TYPE, multiplier_e4)
        price_e4, count_e2 = price_from_text(price), count_from_text(count)
    except (UnknownFees, NotExact) as error:
        raise UsageError(str(error)) from None
    if not 0 < price_e4 < ONE_DOLLAR_E4:
        raise UsageError(f"price {price} is in dollars, above 0 and below 1: 52 cents are 0.52")
    if count_e2 <= 0:
        raise UsageError(f"count {count} must be above 0")
    trade_fee_e6 = schedule.trade_fee_e6(price_e4, count_e2, liquidity)
    fee_e6 = schedule.fee_e6(price_e4, count_e2, liquidity)
    taker_e4, maker_e4 = RATES_E4[FEE_TYPE]
    return FeeSteps(
        series=series,
        fee_type=FEE_TYPE,
        multiplier=price_text(multiplier_e4),
        rate=price_text(taker_e4 if liquidity is Liquidity.TAKER else maker_e4),
        liquidity=liquidity,
        price_dollars=price_text(price_e4),
        count=count_text(count_e2),
        cost_dollars=money_text(cost_e6(price_e4, count_e2)),
        trade_fee_dollars=money_text(trade_fee_e6),
        rounding_dollars=money_text(fee_e6 - trade_fee_e6),
        fee_dollars=money_text(fee_e6),
    )


def known_multiplier_e4(series: str) -> int:
    """Return the multiplier that the exchange last said of a series."""
    return HALF_E4 if series.upper().startswith(HALF_PRICE_SERIES) else MULTIPLIER_ONE_E4


def _multiplier(text: str) -> int:
    try:
        scaled = Decimal(text) * MULTIPLIER_ONE_E4
        if scaled == int(scaled):
            return int(scaled)
    except (InvalidOperation, ValueError, OverflowError):
        pass
    raise UsageError(f"multiplier {text[:20]!r} must be a number with at most four decimals: 0.5")


def _show(steps: FeeSteps) -> None:
    table = Table(
        title=f"Fee of one {steps.liquidity} order in {steps.series}",
        title_justify="left",
        show_header=False,
    )
    table.add_column()
    table.add_column(justify="right")
    table.add_row("rate x multiplier", f"{steps.rate} x {steps.multiplier}")
    table.add_row("contracts x price", f"{steps.count} x ${steps.price_dollars}")
    table.add_row("cost", f"${steps.cost_dollars}")
    table.add_row(
        "rate x M x C x P x (1 - P), rounded up to $0.0001", f"${steps.trade_fee_dollars}"
    )
    table.add_row("rounding of the balance to $0.0001", f"${steps.rounding_dollars}")
    table.add_row("fee", f"${steps.fee_dollars}")
    terminal().print(table)
    terminal().print(
        f"Fee type {steps.fee_type} is assumed: the engine reads the series from the exchange."
    )
