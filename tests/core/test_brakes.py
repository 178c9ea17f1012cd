"""Orders within a second, and refusals one after the other."""

from __future__ import annotations

import pytest

from arb.core.brakes import NS_PER_S, REST_NS, Brakes


def test_a_second_ends_before_the_next_begins() -> None:
    """An order counts for less than a second after it left."""
    brakes = Brakes()
    for at_ns in (0, 1, NS_PER_S - 1):
        brakes.sent(at_ns)

    counted = [brakes.within_a_second(at_ns) for at_ns in (NS_PER_S - 1, NS_PER_S, NS_PER_S + 1)]
    assert counted == [3, 2, 1]
    assert brakes.within_a_second(3 * NS_PER_S) == 0


@pytest.mark.parametrize(
    "code, counted", [("invalid_order", 2), ("trading_is_paused", 1), ("exchange_is_paused", 1)]
)
def test_refusals_in_a_row(code: str, counted: int) -> None:
    """Each counts but those of an exchange at rest, until an entry is taken."""
    brakes = Brakes()
    brakes.refused("any")
    brakes.refused(code)

    assert brakes.refused_in_a_row == counted
    assert repr(brakes) == f"<Brakes 0 sent, {counted} refused in a row>"
    brakes.taken()
    assert brakes.refused_in_a_row == 0


def test_a_rest_lasts_five_seconds_or_until_an_entry_is_taken() -> None:
    """Then one entry asks again whether it is over."""
    brakes = Brakes()
    brakes.rests(NS_PER_S)

    assert brakes.rested_ns_ago(2 * NS_PER_S) == NS_PER_S
    assert brakes.rested_ns_ago(NS_PER_S + REST_NS) is None
    brakes.taken()
    assert brakes.rested_ns_ago(2 * NS_PER_S) is None
