"""A stop that comes to no end."""

from __future__ import annotations

import threading

import pytest

from arb.engine.last_resort import LastResort

PATIENCE_S = 10.0


def test_a_stop_that_does_not_end_is_ended(capsys: pytest.CaptureFixture[str]) -> None:
    """With one line, and the orders were seen to before."""
    ended = threading.Event()
    LastResort(0.0, ended.set).begin()

    assert ended.wait(PATIENCE_S)
    assert "the stop has not ended within 0 s" in capsys.readouterr().err


def test_a_stop_that_ends_calls_it_off() -> None:
    """Nothing is left that could end the process later; one that never began has none, either."""
    ended = threading.Event()
    resort = LastResort(PATIENCE_S, ended.set)
    resort.begin()
    assert "<LastResort counting" in repr(resort)
    resort.call_off()
    resort._timer.join(PATIENCE_S)
    LastResort(0.0, ended.set).call_off()

    assert "not counting" in repr(resort)
    assert not ended.is_set()
