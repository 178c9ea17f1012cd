"""``arb fair``: one book's odds to fair chances, step by step."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import attrs
from cyclopts import Parameter
from rich.table import Table

from arb.cli.common import Json, print_json, terminal
from arb.cli.errors import UsageError
from arb.core.devig import METHODS, Devig, overround
from arb.core.odds import (
    BadOdds,
    american_from_text,
    american_to_decimal,
    decimal_from_text,
    decimal_to_american,
    implied,
)
from arb.core.parameters import Strategy

# A game has two outcomes, or three where it may end in a draw.
OUTCOMES = (2, 3)

# Sums of chances differ from 1 by binary error alone, except for the worst case.
SUM_TOLERANCE = 1e-9


class OddsFormat(StrEnum):
    """How odds are written."""

    AMERICAN = "american"
    DECIMAL = "decimal"


@attrs.frozen
class FairOdds:
    """Every step from a book's odds to fair chances."""

    format: OddsFormat
    method: str
    odds: tuple[str, ...]
    decimal: tuple[float, ...]
    implied: tuple[float, ...]
    overround: float
    margin: float
    probabilities: tuple[float, ...]


def fair(
    *odds: Annotated[str, Parameter(help="The odds of every outcome of one game, from one book.")],
    format: Annotated[  # noqa: A002 - the option's name
        OddsFormat | None, Parameter(help="Without it, odds with a point are decimal.")
    ] = None,
    method: Annotated[
        str, Parameter(help=f"How the margin is taken out: {', '.join(METHODS)}.")
    ] = Strategy().devig_method,
    json: Json = False,
) -> None:
    """Take the margin out of one book's odds, step by step."""
    if method not in METHODS:
        raise UsageError(f"no method {method!r}; there are {', '.join(METHODS)}")
    if len(odds) not in OUTCOMES:
        raise UsageError(f"{len(odds)} odds given; a game has two or three outcomes")
    steps = calculate(odds, format or guess_format(odds), method)
    if json:
        print_json(attrs.asdict(steps))
    else:
        _show(steps)


def guess_format(odds: tuple[str, ...]) -> OddsFormat:
    """Return decimal where any of the odds has a point: American odds never do."""
    return OddsFormat.DECIMAL if any("." in each for each in odds) else OddsFormat.AMERICAN


def calculate(odds: tuple[str, ...], odds_format: OddsFormat, method: str) -> FairOdds:
    """Return all steps of the calculation; raises `UsageError` for odds that no book can mean."""
    decimal = tuple(_read(each, odds_format) for each in odds)
    total = overround(decimal)
    return FairOdds(
        format=odds_format,
        method=method,
        odds=odds,
        decimal=decimal,
        implied=tuple(map(implied, decimal)),
        overround=total,
        margin=total - 1.0,
        probabilities=METHODS[method](decimal),
    )


def _read(text: str, odds_format: OddsFormat) -> float:
    try:
        if odds_format is OddsFormat.DECIMAL:
            return decimal_from_text(text)
        return american_to_decimal(american_from_text(text))
    except BadOdds as error:
        raise UsageError(f"{error}, read as {odds_format}; --format says otherwise") from None


def _show(steps: FairOdds) -> None:
    table = Table(title=f"Fair value, {steps.method}", title_justify="left")
    for heading in ("odds", "decimal", "implied = 1 / decimal", "fair", "cents", "fair odds"):
        table.add_column(heading, justify="right")
    rows = zip(steps.odds, steps.decimal, steps.implied, steps.probabilities, strict=True)
    for text, decimal, chance, fair_chance in rows:
        table.add_row(
            text,
            f"{decimal:.4f}",
            f"{chance:.4%}",
            f"{fair_chance:.4%}",
            f"{fair_chance * 100:.2f}",
            _fair_odds(fair_chance),
        )
    terminal().print(table)
    terminal().print(
        f"The implied chances sum to {steps.overround:.4%}: margin {steps.margin:.4%}."
    )
    terminal().print(f"{steps.method}: {_first_line(METHODS[steps.method])}")
    total = sum(steps.probabilities)
    if abs(total - 1.0) > SUM_TOLERANCE:
        terminal().print(f"Each is a bound by itself; together they make {total:.4%}.")
    if steps.margin <= 0:
        terminal().print("No book sells below cost: these odds are damaged or not one book's.")


def _first_line(method: Devig) -> str:
    return (method.__doc__ or "").partition("\n")[0]


def _fair_odds(chance: float) -> str:
    # What is next to certain or next to impossible has no odds that a book could write.
    try:
        return f"{decimal_to_american(1.0 / chance):+d}"
    except (BadOdds, ZeroDivisionError):
        return "-"
