"""Requests at the control socket, one line each."""

from __future__ import annotations

import contextlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.engine.control_requests import (
    ERROR_LENGTH_MAX,
    VERBS,
    BadRequest,
    Request,
    parse_request,
    refusal,
)


@pytest.mark.parametrize(
    "text,expected",
    [
        (b'{"id":1,"do":"status"}', Request(1, "status", {})),
        (b'{"do":"pause"}', Request(None, "pause", {})),
        (b'{"id":"a","do":"watch","every_ms":200}', Request("a", "watch", {"every_ms": 200})),
        (b'{"id":3,"do":"kill","name":"KX"}', Request(3, "kill", {"name": "KX"})),
        (b'{"id":4,"do":"stop","exits":"keep"}', Request(4, "stop", {"exits": "keep"})),
        (b'{"id":6,"do":"reconcile"}', Request(6, "reconcile", {})),
        (b'{"id":7,"do":"accept","by":"kim"}', Request(7, "accept", {"by": "kim"})),
        (b'{"id":5,"do":"limit","change_cents":-5}', Request(5, "limit", {"change_cents": -5})),
    ],
)
def test_good_requests_are_read(text: bytes, expected: Request) -> None:
    """Id, verb and arguments come out as they went in."""
    assert parse_request(text) == expected


@pytest.mark.parametrize(
    "text,number,words",
    [
        (b"rubbish", None, "no JSON"),
        (b"[1]", None, "object"),
        (b'{"id":1.5,"do":"status"}', None, "an id is"),
        (b'{"id":true,"do":"status"}', None, "an id is"),
        (b'{"id":1}', 1, "None is no verb"),
        (b'{"id":1,"do":"kil"}', 1, "'kil' is no verb"),
        (b'{"id":1,"do":["kill"]}', 1, "is no verb"),
        (b'{"id":2,"do":"kill"}', 2, "kill needs 'name'"),
        (b'{"id":2,"do":"kill","name":7}', 2, "as a text"),
        (b'{"id":2,"do":"kill","name":" "}', 2, "not to be empty"),
        (b'{"id":2,"do":"kill","name":"a","force":1}', 2, "takes no 'force'"),
        (b'{"id":2,"do":"limit","change_cents":1.5}', 2, "as a whole number"),
        (b'{"id":2,"do":"limit","change_cents":true}', 2, "as a whole number"),
        (b'{"id":2,"do":"stop","exits":"some"}', 2, "one of keep, cancel"),
        (b'{"id":2,"do":"watch","every_ms":"x"}', 2, "as a whole number"),
    ],
)
def test_bad_requests_say_what_is_wrong(text: bytes, number: object, words: str) -> None:
    """The line names the fault and keeps the id, so that the sender knows what it was about."""
    with pytest.raises(BadRequest, match=words) as caught:
        parse_request(text)

    assert caught.value.number == number


@given(st.binary(max_size=200))
def test_rubbish_raises_nothing_else(text: bytes) -> None:
    """Whatever comes, it is a request or a bad one."""
    with contextlib.suppress(BadRequest):
        assert parse_request(text).verb in VERBS


@given(
    st.dictionaries(
        st.sampled_from(["id", "do", "name", "reason", "exits", "x"]),
        st.one_of(st.none(), st.integers(-9, 9), st.text(max_size=4), st.sampled_from([*VERBS])),
    )
)
def test_objects_are_requests_only_if_complete(document: dict[str, object]) -> None:
    """A request that is taken has its verb's arguments and no others."""
    try:
        request = parse_request(orjson.dumps(document))
    except BadRequest:
        return
    assert set(request.arguments) <= set(VERBS[request.verb])


def test_a_refusal_is_one_bounded_line() -> None:
    """Line breaks go, and so does what nobody would read."""
    answer = refusal("a\nb" + "x" * 2_000)

    assert answer["ok"] is False
    assert answer["error"].startswith("a bxx")
    assert len(answer["error"]) == ERROR_LENGTH_MAX
