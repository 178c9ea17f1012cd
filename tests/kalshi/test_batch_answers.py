"""What the answer to a batch proves of each order in it."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.kalshi.answers import Accepted, Canceled, Operation, Refused, Unknown
from arb.kalshi.batch_answers import sort_batch

# As documented, with an item that failed.
CANCELED = orjson.dumps(
    {
        "orders": [
            {
                "order_id": "o-1",
                "client_order_id": "c-1",
                "reduced_by": "10.00",
                "ts_ms": 1715793660456,
                "error": None,
            },
            {
                "order_id": "o-2",
                "reduced_by": "0.00",
                "error": {"code": "not_found", "message": "not found"},
            },
        ]
    }
)


def test_each_cancel_of_a_batch_is_found_by_its_order_id() -> None:
    """In whatever order they are asked for; a 404 proves nothing there either."""
    two, one = sort_batch(200, CANCELED, Operation.CANCEL, ["o-2", "o-1"])

    assert two == Unknown("404 not_found: the order may have filled")
    assert one == Canceled("o-1", "c-1", 1000)  # type: ignore[arg-type]


def test_each_create_of_a_batch_is_found_by_our_own_id() -> None:
    """One is taken, one refused for certain, one was there before, one says nothing known."""
    body = orjson.dumps(
        {
            "orders": [
                {
                    "order_id": "o-1",
                    "client_order_id": "a",
                    "fill_count": "0.00",
                    "remaining_count": "10.00",
                    "average_fill_price": None,
                    "average_fee_paid": None,
                },
                {"client_order_id": "b", "error": {"code": "trading_is_paused"}},
                {"client_order_id": "c", "error": {"code": "order_already_exists"}},
                {"client_order_id": "d", "error": {"code": "something_new"}},
                {"client_order_id": "e", "error": "odd"},
            ]
        }
    )
    a, b, c, d, e = sort_batch(201, body, Operation.CREATE, ["a", "b", "c", "d", "e"])

    assert a == Accepted("o-1", "a", 0, 1000)  # type: ignore[arg-type]
    assert b == Refused("trading_is_paused", "no text", 409)
    assert c == Unknown("409 order_already_exists: look it up by its client order id")
    assert isinstance(d, Unknown)
    assert isinstance(e, Unknown)


def test_what_is_not_in_the_answer_is_unknown() -> None:
    """Its place in the list proves nothing."""
    (found,) = sort_batch(200, CANCELED, Operation.CANCEL, ["o-3"])

    assert found == Unknown("not in the answer to its batch")


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"orders":5}', b'{"orders":[5]}', b"<html>"])
def test_a_success_without_a_batch_leaves_all_unknown(body: bytes) -> None:
    """A 2xx proves nothing by itself."""
    found = sort_batch(200, body, Operation.CANCEL, ["o-1", "o-2"])

    assert [type(each) for each in found] == [Unknown, Unknown]


def test_a_success_that_is_one_orders_answer_leaves_all_unknown() -> None:
    """It is not the answer to what was asked."""
    body = b'{"order_id":"o-1","reduced_by":"1.00"}'

    assert isinstance(sort_batch(200, body, Operation.CANCEL, ["o-1"])[0], Unknown)


def test_a_refused_batch_is_refused_as_a_whole() -> None:
    """Nothing of it was done; without an answer nobody knows."""
    found = sort_batch(429, b'{"error":"too many requests"}', Operation.CANCEL, ["o-1", "o-2"])
    assert found == [Refused("too_many_requests", "too many requests", 429)] * 2
    (unknown,) = sort_batch(None, b"", Operation.CANCEL, ["o-1"], why="the connection broke")
    assert unknown == Unknown("the connection broke")
    (unknown,) = sort_batch(503, b"", Operation.CANCEL, ["o-1"])
    assert isinstance(unknown, Unknown)


@given(st.integers(100, 599), st.binary(max_size=60) | st.just(CANCELED))
def test_any_answer_is_sorted(status: int, body: bytes) -> None:
    """Nothing raises, and every order gets a verdict."""
    found = sort_batch(status, body, Operation.CANCEL, ["o-1", "o-2", "o-3"])

    assert len(found) == 3
    if not 200 <= status < 300:
        assert all(isinstance(each, Refused | Unknown) for each in found)
