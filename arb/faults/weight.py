"""What objects hold in memory, by the attribute that holds it.

Only what the engine's own attributes lead to is weighed: what the harness, the simulated world and
Trio keep is theirs, and what a running handler has in hand is gone in a moment.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from types import (
    BuiltinFunctionType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
    ModuleType,
)
from typing import Any

import attrs

_OURS = ("arb.", "actors.")
_NOT_FOLLOWED = ("arb.faults", "arb.sim", "trio", "weakref", "_weakref", "contextvars")
_CODE = (
    type,
    ModuleType,
    FunctionType,
    BuiltinFunctionType,
    CodeType,
    FrameType,
    CoroutineType,
    GeneratorType,
)


@attrs.frozen
class Weight:
    """The bytes of some objects; ``rings`` are in queues that drop their oldest when they are full.

    ``by_place`` has all others, by class and attribute.
    """

    by_place: Counter[str]
    rings: int

    @property
    def rest(self) -> int:
        """Return the bytes that are in no ring."""
        return sum(self.by_place.values())


def weigh(roots: Iterable[object], seen: set[int]) -> Weight:
    """Weigh what some objects lead to, each object once; ``seen`` has the ids of all so far."""
    by_place: Counter[str] = Counter()
    rings = 0
    left = [(root, type(root).__name__, False) for root in roots]
    while left:
        each, place, in_ring = left.pop()
        if id(each) in seen or not _is_weighed(each):
            continue
        seen.add(id(each))
        in_ring = in_ring or (isinstance(each, deque) and each.maxlen is not None)
        if in_ring:
            rings += _bytes_of(each)
        else:
            by_place[place] += _bytes_of(each)
        left += ((inner, where or place, in_ring) for where, inner in _held_by(each))
    return Weight(by_place, rings)


def _is_weighed(each: object) -> bool:
    return not isinstance(each, _CODE) and not type(each).__module__.startswith(_NOT_FOLLOWED)


def _is_ours(each: object) -> bool:
    return type(each).__module__.startswith(_OURS)


def _bytes_of(each: object) -> int:
    own = getattr(each, "__dict__", None) if _is_ours(each) else None
    return sys.getsizeof(each) + (sys.getsizeof(own) if own is not None else 0)


def _held_by(each: Any) -> Iterator[tuple[str | None, object]]:
    """Yield what an object holds, with the attribute where it is one of ours."""
    if _is_ours(each) and not isinstance(each, tuple):
        yield from _attributes(each)
    elif isinstance(each, MethodType):
        yield None, each.__self__
    else:
        # Of what holds nothing, a number or a text, these are none.
        yield from ((None, inner) for inner in gc.get_referents(each))


def _attributes(each: Any) -> Iterator[tuple[str, object]]:
    name = type(each).__name__
    for attribute, inner in getattr(each, "__dict__", {}).items():
        yield f"{name}.{attribute}", inner
    for owner in type(each).__mro__:
        slots = owner.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            if slot not in ("__weakref__", "__dict__") and hasattr(each, slot):
                yield f"{name}.{slot}", getattr(each, slot)
