"""A recovered state as JSON and back, by the types of its fields: nothing is named here twice.

Fields that are added later are kept as well; one of a kind that has no way here raises, and then
no snapshot is made. An order stands once, in `Ledger.orders`; whatever else holds it, holds it by
its id, so that what was one object is one object again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs

from arb.core.ledger import Ledger
from arb.core.orders import Order
from arb.journal.recovery import Recovered

Orders = dict[str, Order]
Write = Callable[[Any], Any]
Read = Callable[[Any, Orders], Any]

_PLAIN = frozenset({int, str, float, bool, NoneType})

T = TypeVar("T")


@attrs.frozen
class _Way:
    """How a value of one type is written, and read again."""

    write: Write
    read: Read


def state_to_json(state: Recovered) -> Any:
    """Return what orjson can write; raises `TypeError` for a field of a kind unknown here."""
    return _fields_way(Recovered).write(state)


def state_from_json(raw: Any) -> Recovered:
    """Return the state that was written; raises `KeyError`, `TypeError` or `ValueError`."""
    state: Recovered = _fields_way(Recovered).read(raw, {})
    return state


def _way(hint: Any) -> _Way | None:
    """Return how a type is written and read; None where JSON has it as it is."""
    if isinstance(hint, NewType):
        return _way(hint.__supertype__)
    if hint in _PLAIN:
        return None
    if hint is Order:
        return _Way(attrgetter("client_order_id"), lambda name, orders: orders[name])
    if isinstance(hint, type) and issubclass(hint, Enum):
        words = {each.value: each for each in hint}
        return _Way(attrgetter("value"), lambda word, _orders: words[word])
    if isinstance(hint, type) and attrs.has(hint):
        return _fields_way(hint)
    return _container_way(hint, get_origin(hint), get_args(hint))


def _container_way(hint: Any, origin: Any, kinds: tuple[Any, ...]) -> _Way | None:
    if origin in (Union, UnionType):
        return _optional_way(hint, kinds)
    if origin is dict and kinds[0] is str:
        return _dict_way(_way(kinds[1]))
    if origin is dict and kinds == (int, str):
        # Every key of JSON is a text.
        return _Way(
            lambda values: {str(key): value for key, value in values.items()},
            lambda raw, _orders: {int(key): value for key, value in raw.items()},
        )
    if origin is tuple and kinds[-1] is not Ellipsis:
        return _tuple_way([_way(each) for each in kinds])
    if origin in (list, set, tuple):
        return _many_way(origin, _way(kinds[0]))
    raise TypeError(f"no way to keep a {hint}")


def _optional_way(hint: Any, kinds: tuple[Any, ...]) -> _Way | None:
    ways = [way for each in kinds if (way := _way(each)) is not None]
    if not ways:
        return None
    if len(kinds) > len((None, "the other")) or NoneType not in kinds:
        raise TypeError(f"no way to keep a {hint}")
    way = ways[0]
    return _Way(
        lambda value: None if value is None else way.write(value),
        lambda raw, orders: None if raw is None else way.read(raw, orders),
    )


def _dict_way(way: _Way | None) -> _Way:
    if way is None:
        return _Way(dict, lambda raw, _orders: dict(raw))
    write, read = way.write, way.read
    return _Way(
        lambda values: {key: write(value) for key, value in values.items()},
        lambda raw, orders: {key: read(value, orders) for key, value in raw.items()},
    )


def _tuple_way(ways: list[_Way | None]) -> _Way:
    """Return the way of a tuple in which each place has a type of its own."""

    def write(values: Any) -> list[Any]:
        each = zip(values, ways, strict=True)
        return [value if way is None else way.write(value) for value, way in each]

    def read(row: Any, orders: Orders) -> Any:
        each = zip(row, ways, strict=True)
        return tuple(raw if way is None else way.read(raw, orders) for raw, way in each)

    return _Way(write, read)


def _many_way(origin: Callable[[Iterable[Any]], Any], way: _Way | None) -> _Way:
    # A set has no order of its own: sorted, one state is one text.
    put: Callable[[Iterable[Any]], list[Any]] = sorted if origin is set else list
    if way is None:
        return _Way(put, lambda raw, _orders: origin(raw))
    write, read = way.write, way.read
    return _Way(
        lambda values: [write(value) for value in put(values)],
        lambda raw, orders: origin(read(each, orders) for each in raw),
    )


@cache
def _fields_way(kind: type[Any]) -> _Way:
    """Return the way of an attrs class: a row of all its fields in their order."""
    hints = get_type_hints(kind)
    names = tuple(field.name for field in attrs.fields(kind))
    ways = [_orders_way() if _is_orders(kind, name) else _way(hints[name]) for name in names]
    get: Callable[[Any], Any] = attrgetter(*names)
    others = [(at, way.write) for at, way in enumerate(ways) if way is not None]
    readers = [
        (name, None if way is None else way.read) for name, way in zip(names, ways, strict=True)
    ]
    make: Callable[[Any], Any] = object.__new__
    set_field = object.__setattr__

    def write(value: Any) -> list[Any]:
        row = list(get(value))
        for at, put in others:
            row[at] = put(row[at])
        return row

    def read(row: Any, orders: Orders) -> Any:
        # Past the constructor: it would begin what an order remembers anew.
        value = make(kind)
        for (name, take), raw in zip(readers, row, strict=True):
            set_field(value, name, raw if take is None else take(raw, orders))
        return value

    return _Way(write, read)


def _is_orders(kind: type[Any], name: str) -> bool:
    return kind is Ledger and name == "orders"


def _orders_way() -> _Way:
    """Return the way of the one place where orders stand themselves."""
    way = _fields_way(Order)

    def read(rows: Any, orders: Orders) -> Orders:
        for row in rows:
            order = way.read(row, orders)
            orders[order.client_order_id] = order
        return orders

    return _Way(lambda held: [way.write(order) for order in held.values()], read)
