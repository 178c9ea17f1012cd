"""What an answer proves."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.kalshi.answers import (
    Accepted,
    Amended,
    Canceled,
    ErrorBody,
    Operation,
    Refused,
    Unknown,
    error_of,
    sort,
)

ACCEPTED = orjson.dumps(
    {
        "order_id": "o-1",
        "client_order_id": "mine",
        "fill_count": "0.00",
        "remaining_count": "10.00",
        "ts_ms": 1715793600123,
    }
)


def test_a_create_with_an_order_in_it_is_accepted() -> None:
    """What filled at once and what rests are told."""
    assert sort(201, ACCEPTED) == Accepted("o-1", "mine", 0, 1000)  # type: ignore[arg-type]


def test_averages_are_there_when_something_filled() -> None:
    """The recorded answer of a taker."""
    body = (
        b'{"average_fee_paid":"0.0175","average_fill_price":"0.5200","client_order_id":"mine",'
        b'"fill_count":"1.00","order_id":"o-1","remaining_count":"0.00","ts_ms":1781159370164}'
    )

    assert sort(201, body) == Accepted("o-1", "mine", 100, 0, 520_000, 17_500)  # type: ignore[arg-type]


def test_cancels_amends_and_decreases_have_answers_of_their_own() -> None:
    """Each is read by what was asked."""
    canceled = b'{"order_id":"o-1","reduced_by":"1.00","ts_ms":1}'
    amended = b'{"order_id":"o-1","remaining_count":"3.00","fill_count":"2.00"}'
    decreased = b'{"order_id":"o-1","remaining_count":"3.00"}'

    assert sort(200, canceled, Operation.CANCEL) == Canceled("o-1", None, 100)  # type: ignore[arg-type]
    assert sort(200, amended, Operation.AMEND) == Amended("o-1", None, 300, 200)  # type: ignore[arg-type]
    assert sort(200, decreased, Operation.DECREASE) == Amended("o-1", None, 300)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"<html>",
        b'{"order_id":""}',
        b'{"order_id":"o","fill_count":1,"remaining_count":"0.00"}',
    ],
)
def test_a_success_without_an_order_is_unknown(body: bytes) -> None:
    """A 2xx proves nothing unless it names the order and its counts."""
    for status in (200, 201, 204):
        for operation in Operation:
            assert isinstance(sort(status, body, operation), Unknown)


def test_a_create_or_cancel_without_its_counts_is_unknown() -> None:
    """An order's id alone does not say what rests."""
    body = b'{"order_id":"o","fill_count":"1.00"}'

    assert isinstance(sort(201, body), Unknown)
    assert isinstance(sort(200, body, Operation.CANCEL), Unknown)


def test_an_amend_need_not_say_what_rests() -> None:
    """The exchange's contract leaves both counts of an amend out where it likes."""
    assert sort(200, b'{"order_id":"o"}', Operation.AMEND) == Amended("o", None, None)


@pytest.mark.parametrize(
    "status, body, verdict",
    [
        (
            400,
            b'{"error":{"code":"invalid_order","message":"invalid","details":"post only cross"}}',
            Refused("invalid_order", "invalid: post only cross", 400),
        ),
        (
            400,
            b'{"code":"bad_request","message":"bad request","details":"json: cannot unmarshal"}',
            Refused("bad_request", "bad request: json: cannot unmarshal", 400),
        ),
        (
            400,
            b'{"msg":"Parameter validation failed"}',
            Refused("http_400", "Parameter validation failed", 400),
        ),
        (
            429,
            b'{"error":"too many requests"}',
            Refused("too_many_requests", "too many requests", 429),
        ),
        (
            401,
            b'{"error":{"code":"authentication_error","message":"authentication_error"}}',
            Refused("authentication_error", "authentication_error", 401),
        ),
        (403, b"", Refused("http_403", "no text", 403)),
        (
            404,
            b'{"error":{"code":"market_not_found","message":"m"}}',
            Refused("market_not_found", "m", 404),
        ),
        (
            410,
            b'{"error":{"code":"deprecated_v1_order_endpoint"}}',
            Refused("deprecated_v1_order_endpoint", "no text", 410),
        ),
        (
            409,
            b'{"error":{"code":"trading_is_paused","message":"trading is paused"}}',
            Refused("trading_is_paused", "trading is paused", 409),
        ),
        (
            409,
            b'{"error":{"code":"fill_or_kill_insufficient_resting_volume"}}',
            Refused("fill_or_kill_insufficient_resting_volume", "no text", 409),
        ),
    ],
)
def test_refusals_are_certain(status: int, body: bytes, verdict: Refused) -> None:
    """All shapes of error are understood, and say that nothing was done."""
    assert sort(status, body) == verdict
    assert verdict.is_rate_limit == (status == 429)


@pytest.mark.parametrize("status", [100, 301, 302, 408, 425, 499, 500, 502, 503, 504, 599])
def test_what_is_neither_yes_nor_no_is_unknown(status: int) -> None:
    """Servers in trouble, redirects and time-outs leave the order in the dark."""
    assert isinstance(sort(status, b'{"error":{"code":"x"}}'), Unknown)


def test_our_own_id_taken_already_means_look_it_up() -> None:
    """An earlier try of the same order may be alive."""
    verdict = sort(409, b'{"error":{"code":"order_already_exists","message":"m"}}')

    assert isinstance(verdict, Unknown)
    assert "look it up" in verdict.why


@pytest.mark.parametrize("status", [400, 409])
@pytest.mark.parametrize("shout", [False, True])
def test_an_order_group_that_takes_none_is_a_certain_refusal(status: int, shout: bool) -> None:
    """Hit or gone: whatever the case of the code, nothing of the order exists."""
    for code in ("exceeded_order_group_risk_limit", "order_group_not_found"):
        body = orjson.dumps({"error": {"code": code.upper() if shout else code}})
        verdict = sort(status, body)
        assert isinstance(verdict, Refused)
        assert verdict.is_group_hit == (code == "exceeded_order_group_risk_limit")
        assert verdict.is_group_gone != verdict.is_group_hit
        assert not verdict.is_rate_limit


def test_a_conflict_of_another_kind_is_unknown() -> None:
    """A code that nobody has seen is not taken for a no."""
    assert isinstance(sort(409, b'{"error":{"code":"something_new"}}'), Unknown)


@pytest.mark.parametrize("operation", [Operation.CANCEL, Operation.AMEND, Operation.DECREASE])
def test_a_404_on_a_known_order_never_proves_that_it_did_not_fill(operation: Operation) -> None:
    """The same 404 comes for cancelled, filled, unknown and wrongly routed orders."""
    verdict = sort(404, b'{"error":{"code":"not_found","message":"not found"}}', operation)

    assert verdict == Unknown("404 not_found: the order may have filled")


def test_a_cancel_refused_in_a_pause_leaves_the_order() -> None:
    """A refused cancel is certain: nothing has changed."""
    body = b'{"error":{"code":"exchange_is_paused","message":"exchange is paused"}}'

    assert isinstance(sort(409, body, Operation.CANCEL), Refused)


def test_no_answer_is_unknown_with_its_reason() -> None:
    """A broken lane says why; without a reason it is said that none came."""
    assert sort(None, b"", why="the connection broke") == Unknown("the connection broke")
    assert sort(None, b"") == Unknown("no answer")


def test_an_error_text_is_one_bounded_line() -> None:
    """Whatever a proxy sends in its place."""
    error = error_of(502, b"<html>\n<body>" + b"x" * 1000)

    assert len(error.text) <= 200
    assert "\n" not in error.text
    assert error_of(400, b"[1]") == ErrorBody("http_400", "[1]")
    assert error_of(400, b'{"error":{"code":5,"message":6}}') == ErrorBody("http_400", "no text")


@given(
    st.integers(100, 599),
    st.binary(max_size=40) | st.sampled_from([ACCEPTED, b"{}"]),
    st.sampled_from(Operation),
)
def test_any_answer_is_sorted(status: int, body: bytes, operation: Operation) -> None:
    """Nothing raises, and only a success can be a yes."""
    verdict = sort(status, body, operation)

    if isinstance(verdict, Accepted | Amended | Canceled):
        assert 200 <= status < 300


def test_every_recorded_answer_is_sorted(shared_data: Path) -> None:
    """Recorded creates and cancels of the demo exchange give what they were."""
    folder = shared_data / "kalshi" / "recorded" / "demo-2026-06"
    verdicts = {}
    for meta_path in sorted(folder.glob("orders__*.meta.json")):
        meta = orjson.loads(meta_path.read_bytes())
        if "/events/orders" not in meta["path"]:
            continue
        operation = Operation.CANCEL if meta["method"] == "DELETE" else Operation.CREATE
        name = meta_path.name.removeprefix("orders__").removesuffix(".meta.json")
        body = (folder / f"orders__{name}.json").read_bytes()
        verdicts[name] = type(sort(meta["status"], body, operation))

    assert verdicts == {
        "cancel_already_canceled": Unknown,
        "cancel_executed": Unknown,
        "cancel_unknown_id": Unknown,
        "cancel_v2": Canceled,
        "create_v2_maker": Accepted,
        "create_v2_taker_ioc": Accepted,
        "duplicate_client_order_id": Unknown,
        "insufficient_balance": Refused,
        "invalid_price_structure": Refused,
        "numeric_field_types": Refused,
        "post_only_cross": Refused,
        "reuse_canceled_client_id": Unknown,
        "settlement_seed": Accepted,
        "stp_self_cross": Accepted,
        "stp_setup": Accepted,
    }
