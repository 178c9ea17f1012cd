"""Damaged WebSocket frames."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.kalshi import wire
from arb.kalshi.wire import (
    Fault,
    Malformed,
    parse_frame,
)
from tests.kalshi.wire_samples import DELTA, FILL, SNAPSHOT, TICKER, changed, parsed


@pytest.mark.parametrize(
    "frame, fault",
    [
        (changed(DELTA, "price_dollars", 0.48), Fault.WRONG_TYPE),
        (changed(DELTA, "price_dollars", None), Fault.WRONG_TYPE),
        (changed(DELTA, "price_dollars", ["0.48"]), Fault.WRONG_TYPE),
        (changed(DELTA, "price_dollars", "1.0000"), Fault.OFF_SCALE),
        (changed(DELTA, "price_dollars", "0.48001"), Fault.TOO_FINE),
        (changed(DELTA, "price_dollars", "NaN"), Fault.BAD_NUMBER),
        (changed(DELTA, "price_dollars", ...), Fault.MISSING_FIELD),
        (changed(DELTA, "delta_fp", 100), Fault.WRONG_TYPE),
        (changed(DELTA, "delta_fp", "many"), Fault.BAD_NUMBER),
        (changed(DELTA, "delta_fp", ...), Fault.MISSING_FIELD),
        (changed(DELTA, "side", "bid"), Fault.UNKNOWN_SIDE),
        (changed(DELTA, "side", 1), Fault.UNKNOWN_SIDE),
        (changed(DELTA, "side", ["yes"]), Fault.WRONG_TYPE),
        (changed(DELTA, "side", ...), Fault.MISSING_FIELD),
        (changed(DELTA, "market_ticker", 5), Fault.WRONG_TYPE),
        (changed(DELTA, "market_ticker", ...), Fault.MISSING_FIELD),
        (changed(DELTA, "ts_ms", "soon"), Fault.WRONG_TYPE),
        (changed(DELTA, "client_order_id", 7), Fault.WRONG_TYPE),
        ({**DELTA, "seq": "1"}, Fault.WRONG_TYPE),
        ({**DELTA, "seq": True}, Fault.WRONG_TYPE),
        ({**DELTA, "seq": 1.5}, Fault.WRONG_TYPE),
        ({**DELTA, "sid": None}, Fault.WRONG_TYPE),
        ({**DELTA, "msg": []}, Fault.WRONG_TYPE),
        ({**DELTA, "msg": "x"}, Fault.WRONG_TYPE),
        ({**DELTA, "msg": None}, Fault.WRONG_TYPE),
        ({"type": "orderbook_delta", "sid": 1, "seq": 1}, Fault.MISSING_FIELD),
        (changed(SNAPSHOT, "yes_dollars_fp", {}), Fault.WRONG_TYPE),
        (changed(SNAPSHOT, "yes_dollars_fp", [["0.08"]]), Fault.WRONG_TYPE),
        (changed(SNAPSHOT, "yes_dollars_fp", [["0.08", "1", "2"]]), Fault.WRONG_TYPE),
        (changed(SNAPSHOT, "yes_dollars_fp", [[8, 300]]), Fault.WRONG_TYPE),
        (changed(SNAPSHOT, "yes_dollars_fp", [7]), Fault.WRONG_TYPE),
        (changed(SNAPSHOT, "no_dollars_fp", [["0.08", "-1.00"]]), Fault.NEGATIVE),
        (changed(SNAPSHOT, "no_dollars_fp", [["0.0000", "1.00"]]), Fault.OFF_SCALE),
        ({"type": "market_lifecycle_v2", "msg": {"market_ticker": "T"}}, Fault.MISSING_FIELD),
        (
            {
                "type": "market_lifecycle_v2",
                "msg": {"market_ticker": "T", "event_type": "x", "price_ranges": []},
            },
            Fault.BAD_GRID,
        ),
        ({"type": "fill", "msg": {**FILL, "is_taker": "yes"}}, Fault.WRONG_TYPE),
        ({"type": "fill", "msg": {**FILL, "trade_id": None}}, Fault.WRONG_TYPE),
        ({"type": "fill", "msg": {**FILL, "count_fp": "0.00"}}, Fault.NOTHING),
        ({"type": "fill", "msg": {**FILL, "count_fp": "-1.00"}}, Fault.NEGATIVE),
        ({"type": "fill", "msg": {**FILL, "yes_price_dollars": "1.0000"}}, Fault.OFF_SCALE),
        ({"type": "fill", "msg": {**FILL, "yes_price_dollars": "0.0000"}}, Fault.OFF_SCALE),
        ({"type": "fill", "msg": {**FILL, "yes_price_dollars": "-0.5000"}}, Fault.OFF_SCALE),
        ({"type": "error", "msg": {"code": "7"}}, Fault.WRONG_TYPE),
        ({"type": 5}, Fault.WRONG_TYPE),
        ({"type": ["x"]}, Fault.WRONG_TYPE),
        ({"sid": 1}, Fault.MISSING_FIELD),
        ([], Fault.WRONG_TYPE),
        ("text", Fault.WRONG_TYPE),
        (7, Fault.WRONG_TYPE),
        (None, Fault.WRONG_TYPE),
    ],
)
def test_damage_is_named_and_shown(frame: object, fault: Fault) -> None:
    """Every kind of damage is refused with its own word and a bounded example."""
    with pytest.raises(Malformed) as caught:
        parsed(frame)

    assert caught.value.reason is fault
    assert 0 < len(caught.value.text) <= 200


@pytest.mark.parametrize("raw", ["", "{", b"\xff", '{"type":NaN}', "{}{}", '{"type":"ok"'])
def test_what_is_no_json_is_refused(raw: str | bytes) -> None:
    """Cut frames and several objects in one are not JSON."""
    with pytest.raises(Malformed) as caught:
        parse_frame(raw)

    assert caught.value.reason is Fault.NOT_JSON


def test_the_shape_before_march_2026_is_not_taken_for_an_empty_book() -> None:
    """Integer cents under the old names are refused where a price must be."""
    old = {"market_ticker": TICKER, "price": 96, "delta": -54, "side": "yes"}

    with pytest.raises(Malformed) as caught:
        parsed({"type": "orderbook_delta", "sid": 1, "seq": 1, "msg": old})
    assert caught.value.reason is Fault.MISSING_FIELD


def read_or_refused(raw: str | bytes) -> None:
    """Parse, and let nothing but Malformed pass."""
    with suppress(Malformed):
        parse_frame(raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@given(st.sampled_from(["msg", "sid", "seq", "type", "id"]), JSON)
def test_any_value_in_any_place_is_a_value_or_malformed(name: str, value: object) -> None:
    """Nothing else than Malformed comes out, whatever stands where."""
    for frame in (DELTA, SNAPSHOT):
        read_or_refused(json.dumps({**frame, name: value}))


@given(st.sampled_from([*sorted(DELTA["msg"]), "client_order_id", "clock"]), JSON)
def test_any_value_in_a_message_is_a_value_or_malformed(name: str, value: object) -> None:
    """Fields of the message are read as strictly."""
    for kind in wire._PARSERS:
        message = {**DELTA["msg"], name: value}
        read_or_refused(json.dumps({"type": kind, "sid": 1, "seq": 1, "msg": message}))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_malformed(raw: bytes) -> None:
    """Noise never raises anything else."""
    read_or_refused(raw)
