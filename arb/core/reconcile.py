"""Whether the exchange and we agree on positions and cash, to the last unit, and why not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import attrs

from arb.core.events import CashMove
from arb.core.ledger import Ledger
from arb.core.money import (
    ONE_CENT_E6,
    ONE_DOLLAR_E4,
    CountE2,
    MoneyE6,
    contracts,
    dollars,
    money_text,
)
from arb.core.tickers import event_of

# Beyond a few differences a person reads the log, not a line of text.
DIFFERENCES_NAMED_MAX = 4

# A person moves money a few times a day; every set of so many moves is tried in no time.
MOVES_TRIED_MAX = 6

CASH = "cash"


@attrs.frozen
class Difference:
    """One number that the exchange and we do not agree on, in words for a person."""

    what: str
    text: str


def differences(
    ledger: Ledger, cash_e6: int, positions: Mapping[str, CountE2]
) -> tuple[Difference, ...]:
    """Return where cash and positions of the exchange differ from the ledger's, cash first.

    Collateral that the exchange has returned on a game's markets is no difference.
    """
    found = []
    unexplained_e6 = cash_e6 - ledger.cash_e6
    if unexplained_e6 not in (0, returned_e6(positions)):
        found.append(Difference(CASH, _cash_text(cash_e6, ledger.cash_e6)))
    held = {position.ticker for position in ledger.held()}
    for ticker in sorted(positions.keys() | held):
        there_e2, here_e2 = positions.get(ticker, CountE2(0)), ledger.position(ticker).count_e2
        if there_e2 != here_e2:
            found.append(Difference(ticker, _count_text(ticker, there_e2, here_e2)))
    return tuple(found)


def in_one_line(found: Sequence[Difference]) -> str:
    """Say all differences in one line, counting those that do not fit it."""
    texts = [each.text for each in found[:DIFFERENCES_NAMED_MAX]]
    if len(found) > DIFFERENCES_NAMED_MAX:
        texts.append(f"and {len(found) - DIFFERENCES_NAMED_MAX} more")
    return "; ".join(texts)


def returned_e6(positions: Mapping[str, CountE2]) -> MoneyE6:
    """Return the collateral that mutually exclusive markets need not lock.

    At most one market of a game ends as YES, so that NO in all but the largest is sure to pay. An
    exchange that nets hands that out at once (``MECNET``); one that does not keeps it until the
    end. Both are right, so that cash may be either. YES in several markets locks nothing: it is
    paid for in full.
    """
    return MoneyE6(sum(returned_by_market(positions).values()))


def returned_by_market(positions: Mapping[str, CountE2]) -> dict[str, MoneyE6]:
    """Return the collateral of `returned_e6` by the last market of each game that holds NO."""
    no_counts: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for ticker, count_e2 in positions.items():
        if count_e2 < 0:
            no_counts[event_of(ticker)][ticker] = -count_e2
    return {
        list(counts)[-1]: MoneyE6((sum(counts.values()) - max(counts.values())) * ONE_DOLLAR_E4)
        for counts in no_counts.values()
        if len(counts) > 1
    }


def explaining(
    ledger: Ledger, cash_e6: int, positions: Mapping[str, CountE2], moves: Iterable[CashMove]
) -> tuple[CashMove, ...]:
    """Return the moves of money that make cash equal, with what of each to book; else nothing.

    A move explains a difference and never makes one: which moment the exchange credits it, and
    whether its fee is on top, is known only from the cash. Those from before the ledger took its
    cash from the exchange are in that cash.
    """
    fresh = [m for m in moves if m.at_ms >= ledger.adopted_ms and m.move_id not in ledger.move_ids]
    missing_e6 = cash_e6 - ledger.cash_e6
    wanted = {missing_e6, missing_e6 - returned_e6(positions)} - {0}
    fresh = fresh[:MOVES_TRIED_MAX]
    for size in range(len(fresh), 0, -1):
        for chosen in combinations(fresh, size):
            for booked in (chosen, tuple(_less_fee(move) for move in chosen)):
                if sum(move.amount_e6 for move in booked) in wanted:
                    return booked
    return ()


def _less_fee(move: CashMove) -> CashMove:
    return attrs.evolve(move, amount_e6=MoneyE6(move.amount_e6 - move.fee_e6))


def _cash_text(there_e6: int, here_e6: int) -> str:
    more = "more" if there_e6 > here_e6 else "less"
    by, there, here = (exact(each) for each in (abs(there_e6 - here_e6), there_e6, here_e6))
    return f"cash is {by} {more} at Kalshi ({there} there, {here} here)"


def _count_text(ticker: str, there_e2: int, here_e2: int) -> str:
    more = "more" if there_e2 > here_e2 else "fewer"
    by = contracts(abs(there_e2 - here_e2))
    where = f"{contracts(there_e2)} there, {contracts(here_e2)} here"
    return f"{ticker}: {by} {more} at Kalshi ({where})"


def exact(money_e6: int) -> str:
    """Write money for people, to the cent where that is all of it, else with all its digits."""
    if money_e6 % ONE_CENT_E6 == 0:
        return dollars(money_e6)
    return f"-${money_text(-money_e6)}" if money_e6 < 0 else f"${money_text(money_e6)}"
