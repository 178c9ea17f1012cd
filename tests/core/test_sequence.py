"""Whether each message of a subscription follows the one before."""

from __future__ import annotations

import json
from pathlib import Path

from arb.core.sequence import SequenceGuard


def test_counts_from_one() -> None:
    """The first message of a subscription is number 1."""
    guard = SequenceGuard()

    assert [guard.next(seq) for seq in (1, 2, 3)] == [True, True, True]
    assert repr(guard) == "<SequenceGuard: next 4>"


def test_a_subscription_that_does_not_begin_at_one_has_a_gap() -> None:
    """Without its first message the books cannot be right."""
    assert not SequenceGuard().next(2)


def test_a_gap_lasts_until_reset() -> None:
    """After a gap no message follows, not even the one that was missing."""
    guard = SequenceGuard()
    guard.next(1)

    assert [guard.next(seq) for seq in (3, 2, 4)] == [False, False, False]
    assert guard.gap == (2, 3)
    assert guard.gaps == 1
    assert repr(guard) == "<SequenceGuard: broken, expected 2 and got 3>"


def test_a_repeated_number_is_a_gap() -> None:
    """A number that came before is as wrong as one that is missing."""
    guard = SequenceGuard()
    guard.next(1)

    assert not guard.next(1)
    assert guard.gap == (2, 1)


def test_reset_begins_anew() -> None:
    """A new subscription counts from 1 again; the gaps stay counted."""
    guard = SequenceGuard()
    guard.next(7)
    guard.reset()

    assert guard.next(1)
    assert guard.gap is None
    assert guard.gaps == 1


def test_reset_can_go_on_from_a_number() -> None:
    """A subscription that lives on is watched from the message after the gap."""
    guard = SequenceGuard()
    guard.next(7)
    guard.reset(8)

    assert not guard.next(9)
    guard.reset(10)
    assert guard.next(10)
    assert guard.gaps == 2


def test_a_recorded_stream_has_no_gap(shared_data: Path) -> None:
    """Twelve markets share one count, and the replies use numbers up as well."""
    recorded = shared_data / "kalshi" / "recorded" / "prod-2026-08" / "ws_orderbook_stream.jsonl"
    frames = [json.loads(line)["frame"] for line in recorded.read_text().splitlines()]
    guard = SequenceGuard()
    numbered = [frame for frame in frames if "seq" in frame]

    assert {frame["type"] for frame in numbered} == {
        "ok",
        "orderbook_snapshot",
        "orderbook_delta",
    }
    assert all(guard.next(frame["seq"]) for frame in numbered)


def test_leaving_out_the_replies_would_break_a_recorded_stream(shared_data: Path) -> None:
    """The test above can fail: without the replies there are gaps."""
    recorded = shared_data / "kalshi" / "recorded" / "prod-2026-08" / "ws_orderbook_stream.jsonl"
    frames = [json.loads(line)["frame"] for line in recorded.read_text().splitlines()]
    guard = SequenceGuard()

    assert not all(
        guard.next(frame["seq"]) for frame in frames if "seq" in frame and frame["type"] != "ok"
    )
