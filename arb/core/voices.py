"""How much each book's opinion counts, and how opinions become one.

A company that runs several books feeds them one price: its books are one voice, or one opinion
would count several times.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cached_property, lru_cache
from operator import mul

import attrs

# A book that nobody weighed counts as a retail book that copies sharper ones.
WEIGHT_USUAL = 0.25

# Weights only mean something beside each other; a hundred to one is as good as alone.
WEIGHT_MAX = 100.0

# A chance this near to 0 or 1 has the log-odds of this one, so that a mean stays finite.
CHANCE_MIN = 1e-9

FAMILY_SIZE_MIN = 2


class Combining(StrEnum):
    """The ways of making one fair value of several, as the settings call them."""

    MEDIAN = "median"
    WEIGHTED = "weighted"


def key_of(book: str) -> str:
    """Return a book's name without capitals, in which providers spell one book differently."""
    return book.casefold()


@attrs.frozen
class Voice:
    """What one independent opinion says: its fair chance, and the least one of either side.

    ``home_low`` and ``away_low`` are the least chance that any method leaves either side; a price
    without a margin leaves it as it is. The logarithms of all three's odds are worked out once, and
    only where somebody needs them. ``key`` is the book's name for telling books apart.
    """

    book: str
    home: float
    home_low: float = attrs.Factory(lambda self: self.home, takes_self=True)
    away_low: float = attrs.Factory(lambda self: 1.0 - self.home, takes_self=True)
    key: str = attrs.field(
        default=attrs.Factory(lambda self: key_of(self.book), takes_self=True),
        repr=False,
        kw_only=True,
    )

    @cached_property
    def home_log(self) -> float:
        """Return the logarithm of the odds that ``home`` stands for."""
        return log_odds(self.home)

    @cached_property
    def home_low_log(self) -> float:
        """Return that of ``home_low``."""
        return log_odds(self.home_low)

    @cached_property
    def away_low_log(self) -> float:
        """Return that of ``away_low``."""
        return log_odds(self.away_low)


@attrs.frozen
class Pooled:
    """What voices say together; ``effective`` equal ones would weigh as much.

    ``spread`` is the largest of their chances less the smallest.
    """

    home: float
    home_low: float
    away_low: float
    effective: float
    spread: float


@attrs.frozen
class Pooling:
    """How voices become one: by which rule, each with which weight, and who is one family.

    ``family_of`` maps a book to its family's name; ``weights`` holds books and families. Both go by
    `key_of` a book.
    """

    combining: Combining = Combining.MEDIAN
    weights: Mapping[str, float] = attrs.field(factory=dict)
    family_of: Mapping[str, str] = attrs.field(factory=dict)

    def has_relatives(self, names: Sequence[str]) -> bool:
        """Tell whether any two of some books belong to one family."""
        keys = [key_of(name) for name in names]
        families = [self.family_of[key] for key in keys if key in self.family_of]
        return len(set(families)) < len(families)

    def voices(self, books: Sequence[Voice]) -> Sequence[Voice]:
        """Return the independent opinions among those of different books."""
        return [_one_of(family, some) for family, some in self._members(books).items()]

    def shares(self, books: Sequence[Voice]) -> dict[str, float]:
        """Return how much of what `pool` says each of different books says; 1 is all of it.

        Members of a family share what their voice counts for.
        """
        members = self._members(books)
        voices = [_one_of(family, some) for family, some in members.items()]
        shared = zip(members.values(), self._voice_shares(voices), strict=True)
        return {each.book: share / len(some) for some, share in shared for each in some}

    def _members(self, books: Sequence[Voice]) -> dict[str, list[Voice]]:
        members: dict[str, list[Voice]] = {}
        for each in books:
            members.setdefault(self.family_of.get(each.key, each.key), []).append(each)
        return members

    def _voice_shares(self, voices: Sequence[Voice]) -> list[float]:
        if self.combining is Combining.WEIGHTED:
            weights = [self.weights.get(each.key, WEIGHT_USUAL) for each in voices]
            return [weight / sum(weights) for weight in weights]
        shares = [0.0] * len(voices)
        order = sorted(range(len(voices)), key=lambda place: voices[place].home)
        # The median of an odd number of voices is one of them; of an even number, half of two.
        for middle in (len(order) // 2, (len(order) - 1) // 2):
            shares[order[middle]] += 0.5
        return shares

    def pool(self, voices: Sequence[Voice], homes: list[float] | None = None) -> Pooled:
        """Return what all voices say together; ``homes`` are their chances in order, if known."""
        if homes is None:
            homes = sorted([each.home for each in voices])
        spread = homes[-1] - homes[0]
        if self.combining is Combining.MEDIAN:
            home_lows = sorted([each.home_low for each in voices])
            away_lows = sorted([each.away_low for each in voices])
            upper, lower = len(homes) // 2, (len(homes) - 1) // 2
            return Pooled(
                (homes[lower] + homes[upper]) / 2.0,
                (home_lows[lower] + home_lows[upper]) / 2.0,
                (away_lows[lower] + away_lows[upper]) / 2.0,
                float(len(homes)),
                spread,
            )
        weights = [self.weights.get(each.key, WEIGHT_USUAL) for each in voices]
        total = sum(weights)
        return Pooled(
            _chance(sum(map(mul, [each.home_log for each in voices], weights)) / total),
            _chance(sum(map(mul, [each.home_low_log for each in voices], weights)) / total),
            _chance(sum(map(mul, [each.away_low_log for each in voices], weights)) / total),
            total * total / sum(map(mul, weights, weights)),
            spread,
        )


MEDIAN = Pooling()


# One run has one; the few more are those of a check of settings.
@lru_cache(maxsize=8)
def pooling_of(
    combining: str, book_weights: tuple[str, ...], book_families: tuple[str, ...]
) -> Pooling:
    """Read the settings: weights as ``Pinnacle=1.0``, families as ``Caesars+William Hill``.

    A family weighs as much as its weightiest book. Raises `ValueError` in words for a person.
    """
    weights = {key_of(book): weight for book, weight in map(_read_weight, book_weights)}
    if len(weights) < len(book_weights):
        raise ValueError("must weigh no book twice")
    family_of: dict[str, str] = {}
    for text in book_families:
        books = [book.strip() for book in text.split("+")]
        if len(books) < FAMILY_SIZE_MIN or "" in books:
            raise ValueError(f"must name two books or more with + between them, not {text!r}")
        keys = [key_of(book) for book in books]
        for key, book in zip(keys, books, strict=True):
            if family_of.setdefault(key, text) != text or keys.count(key) > 1:
                raise ValueError(f"must name no book twice: {book!r}")
        weights[key_of(text)] = max(weights.get(key, WEIGHT_USUAL) for key in keys)
    return Pooling(Combining(combining), weights, family_of)


def log_odds(chance: float) -> float:
    """Return the logarithm of a chance's odds, finite for whatever has rounded to 0 or 1."""
    if not CHANCE_MIN < chance < 1.0 - CHANCE_MIN:
        chance = CHANCE_MIN if chance <= CHANCE_MIN else 1.0 - CHANCE_MIN
    return math.log(chance / (1.0 - chance))


def weights_problem(texts: tuple[str, ...]) -> str | None:
    """Say why a list of weights cannot be read, None where it can."""
    return _problem(texts, ())


def families_problem(texts: tuple[str, ...]) -> str | None:
    """Say why a list of families cannot be read, None where it can."""
    return _problem((), texts)


def _problem(weights: tuple[str, ...], families: tuple[str, ...]) -> str | None:
    try:
        pooling_of(Combining.MEDIAN, weights, families)
    except ValueError as error:
        return str(error)
    return None


def _read_weight(text: str) -> tuple[str, float]:
    book, equals, weight = text.rpartition("=")
    try:
        number = float(weight)
    except ValueError:
        number = math.nan
    if not (equals and book.strip() and 0.0 < number <= WEIGHT_MAX):
        raise ValueError(f"must be written as Pinnacle=1.0, up to {WEIGHT_MAX:g}, not {text!r}")
    return book.strip(), number


def _one_of(family: str, members: Sequence[Voice]) -> Voice:
    if len(members) == 1:
        return members[0]
    count = len(members)
    return Voice(
        family,
        sum(each.home for each in members) / count,
        sum(each.home_low for each in members) / count,
        sum(each.away_low for each in members) / count,
    )


def _chance(log: float) -> float:
    return 1.0 / (1.0 + math.exp(-log))
