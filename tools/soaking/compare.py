"""The engine's books and ledger beside the exchange's: every difference, to the last unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from actors import System
from arb.core.events import Side
from arb.core.ledger import Ledger
from arb.engine.names import BOOK_FEED, RISK
from arb.faults.judge_account import account_differences

# A person reads the first few; whatever broke one thing broke the others.
SHOWN_MAX = 10


def instance_of(system: System, name: str) -> Any:
    """Return an actor's instance of the moment."""
    cell: Any = system.cell_of(system.address(name))
    return cell._receive.__self__  # noqa: SLF001 - what it holds is compared, and nothing offers it


def book_differences(system: System, truth: Mapping[str, Any]) -> list[str]:
    """Return where the book feed's levels are not the exchange's, ours included."""
    return list(_book_differences(instance_of(system, BOOK_FEED), truth["books"]))


def levels_compared(truth: Mapping[str, Any]) -> int:
    """Return how many levels there are to be equal."""
    return sum(len(side) for book in truth["books"].values() for side in book.values())


def ledger_differences(system: System, truth: Mapping[str, Any]) -> list[str]:
    """Return where cash, positions, fees, gains and resting orders are not the exchange's."""
    ledger: Ledger = instance_of(system, RISK)._books.ledger  # noqa: SLF001 - as above
    return account_differences(ledger, truth)


def _book_differences(feed: Any, truth: Mapping[str, Any]) -> Iterator[str]:
    books = feed._books._books  # noqa: SLF001 - as above
    for ticker in sorted(books.keys() ^ truth.keys()):
        yield f"{ticker} is on one side only"
    for ticker in sorted(books.keys() & truth.keys()):
        book = books[ticker]
        if book.fault is not None:
            yield f"{ticker} is broken: {book.fault}"
            continue
        for side in Side:
            ours = {str(price_e4): count_e2 for price_e4, count_e2 in book.levels(side)}
            theirs = truth[ticker][side.value]
            for price in sorted(ours.keys() | theirs.keys()):
                if ours.get(price) != theirs.get(price):
                    yield f"{ticker} {side} {price}: {ours.get(price)} here, {theirs.get(price)}"
