"""Taking a book's margin out of its odds: decimal odds of all outcomes to fair chances.

The chances that odds imply sum to more than 1; the surplus is the book's margin. How a book
spreads it over the outcomes is unknown, so there are several methods, each under its name. All
take two outcomes or more; two, the usual case, have closed forms. Their chances sum to 1 but for
the worst case, which is a bound for each outcome by itself.

Sources: Clarke, Kovalchik and Ingram 2017 (additive, power, odds ratio), Shin 1993, and for the
odds ratio Cheung 2015; checked against the packages shin, penaltyblog and odds-tools.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist
from types import MappingProxyType

Devig = Callable[[Sequence[float]], tuple[float, ...]]

TWO = 2

# Newton's steps towards a power; a book's odds take four, the oddest that can be written 24.
POWER_STEPS_MAX = 60

# After a step this small the next would be beyond the last bit.
POWER_STEP_MIN = 1e-7

# Halving an interval this often comes down to neighbouring floats, whatever it was.
HALVINGS_MAX = 200

# No price lies this many standard deviations from even: odds of 10,001 are less than four.
PROBIT_SHIFT_MAX = 40.0

_NORMAL = NormalDist()


def overround(odds: Sequence[float]) -> float:
    """Return the sum of the chances that decimal odds imply: 1 and the book's margin."""
    if len(odds) == TWO:
        return 1.0 / odds[0] + 1.0 / odds[1]
    return sum(1.0 / price for price in odds)


def multiplicative(odds: Sequence[float]) -> tuple[float, ...]:
    """Scale all implied chances by one factor: the margin falls on each in proportion.

    The default, because no method beat it in every league and for NBA others were worse.
    """
    if len(odds) == TWO:
        first, second = 1.0 / odds[0], 1.0 / odds[1]
        total = first + second
        return first / total, second / total
    total = overround(odds)
    return tuple(1.0 / price / total for price in odds)


def additive(odds: Sequence[float]) -> tuple[float, ...]:
    """Take the same amount off each implied chance: the margin falls on all alike.

    Where a longshot would be left with nothing, the margin is taken in proportion instead.
    """
    if len(odds) == TWO:
        # Odds above 1 imply chances less than 1 apart: nobody is left with nothing.
        lead = (1.0 / odds[0] - 1.0 / odds[1]) / 2.0
        return 0.5 + lead, 0.5 - lead
    share = (overround(odds) - 1.0) / len(odds)
    chances = tuple(1.0 / price - share for price in odds)
    return chances if min(chances) > 0.0 else multiplicative(odds)


def power(odds: Sequence[float]) -> tuple[float, ...]:
    """Raise all implied chances to one power: the margin falls on longshots."""
    if len(odds) == TWO:
        return _power_of_two(odds[0], odds[1])
    logs = [-math.log(price) for price in odds]
    # The sum falls and is convex in the exponent: from where it is at least 1, Newton's steps
    # come closer from one side only, and each has twice the digits of the last.
    exponent = 1.0 if overround(odds) >= 1.0 else 0.0
    step, steps = math.inf, 0
    while abs(step) > POWER_STEP_MIN and steps < POWER_STEPS_MAX:
        steps += 1
        terms = [math.exp(exponent * log) for log in logs]
        slope = sum([term * log for term, log in zip(terms, logs, strict=True)])
        step = (sum(terms) - 1.0) / slope
        exponent -= step
    return _summing_to_one([math.exp(exponent * log) for log in logs])


def _power_of_two(one: float, other: float) -> tuple[float, float]:
    # The same written out: every change of a price takes it on the way to an order.
    one_log, other_log = -math.log(one), -math.log(other)
    exponent = 1.0 if 1.0 / one + 1.0 / other >= 1.0 else 0.0
    step, steps, first, second = math.inf, 0, 1.0, 1.0
    while abs(step) > POWER_STEP_MIN and steps < POWER_STEPS_MAX:
        steps += 1
        first, second = math.exp(exponent * one_log), math.exp(exponent * other_log)
        step = (first + second - 1.0) / (first * one_log + second * other_log)
        exponent -= step
    # The last step is so small that a chance goes along its slope: the rest is below 1e-13.
    first, second = first - step * first * one_log, second - step * second * other_log
    total = first + second
    return first / total, second / total


def shin(odds: Sequence[float]) -> tuple[float, ...]:
    """Take out what a book that fears insiders adds; for two outcomes it is `additive`.

    Without a margin there are no insiders to fear: then it is `multiplicative`.
    """
    if len(odds) == TWO:
        return additive(odds)
    total = overround(odds)
    if total <= 1.0:
        return multiplicative(odds)
    scaled = [1.0 / price / price / total for price in odds]

    def chances(share: float) -> list[float]:
        # Shin's formula without its difference of near equals and its division by 1 - share.
        root = share * share
        rest = 4.0 * (1.0 - share)
        return [2.0 * each / (math.sqrt(root + rest * each) + share) for each in scaled]

    return _summing_to_one(chances(_root(lambda share: sum(chances(share)) - 1.0, 0.0, 1.0)))


def odds_ratio(odds: Sequence[float]) -> tuple[float, ...]:
    """Divide the odds-on of each implied chance by one factor, as a regression on logits would."""
    ratios = [1.0 / (price - 1.0) for price in odds]
    if len(odds) == TWO:
        first, second = math.sqrt(ratios[0]), math.sqrt(ratios[1])
        return first / (first + second), second / (first + second)

    def chances(factor: float) -> list[float]:
        return [ratio / (factor + ratio) for ratio in ratios]

    factor = _root(lambda factor: sum(chances(factor)) - 1.0, 0.0, sum(ratios))
    return _summing_to_one(chances(factor))


def probit(odds: Sequence[float]) -> tuple[float, ...]:
    """Shift the normal quantile of each implied chance by the same amount."""
    quantiles = [_NORMAL.inv_cdf(1.0 / price) for price in odds]
    if len(odds) == TWO:
        middle = (quantiles[0] - quantiles[1]) / 2.0
        return _NORMAL.cdf(middle), _NORMAL.cdf(-middle)

    def chances(shift: float) -> list[float]:
        return [_NORMAL.cdf(quantile - shift) for quantile in quantiles]

    limit = PROBIT_SHIFT_MAX
    return _summing_to_one(chances(_root(lambda shift: sum(chances(shift)) - 1.0, -limit, limit)))


def worst_case(odds: Sequence[float]) -> tuple[float, ...]:
    """Return the least chance that any of three methods leaves each outcome.

    Multiplicative, additive and power take least, more and most from longshots. The chances sum
    to less than 1: each is what a buyer of that outcome may count on.
    """
    if len(odds) == TWO:
        # The three written out: every change of a price takes them on the way to an order.
        one, other = 1.0 / odds[0], 1.0 / odds[1]
        total, lead = one + other, (one - other) / 2.0
        raised_one, raised_other = _power_of_two(odds[0], odds[1])
        return (
            min(one / total, 0.5 + lead, raised_one),
            min(other / total, 0.5 - lead, raised_other),
        )
    return tuple(map(min, multiplicative(odds), additive(odds), power(odds)))


def average(odds: Sequence[float]) -> tuple[float, ...]:
    """Return the mean of the three methods of `worst_case`."""
    three = zip(multiplicative(odds), additive(odds), power(odds), strict=True)
    return _summing_to_one([sum(chances) for chances in three])


def _summing_to_one(chances: Sequence[float]) -> tuple[float, ...]:
    total = sum(chances)
    return tuple(chance / total for chance in chances)


def _root(falling: Callable[[float], float], low: float, high: float) -> float:
    """Return where a falling function is 0, to the last bit; its signs at the ends differ."""
    middle, halvings = (low + high) / 2.0, 0
    while low < middle < high and halvings < HALVINGS_MAX:
        halvings += 1
        if falling(middle) > 0.0:
            low = middle
        else:
            high = middle
        middle = (low + high) / 2.0
    return high


# Methods by the name that settings and the command line give them.
METHODS: Mapping[str, Devig] = MappingProxyType(
    {
        "multiplicative": multiplicative,
        "additive": additive,
        "power": power,
        "shin": shin,
        "odds_ratio": odds_ratio,
        "probit": probit,
        "worst_case": worst_case,
        "average": average,
    }
)
