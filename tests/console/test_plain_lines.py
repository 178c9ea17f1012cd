"""A picture as plain lines."""

from __future__ import annotations

from arb.console.plain import plain_lines
from arb.console.snapshot import read_snapshot
from tests.console.fake_engine import START_MS, picture


def test_every_fact_has_a_line_of_its_own() -> None:
    """Mode, state, money, connections, positions and markets, without any drawing."""
    document = picture(2, trading={"state": "halted", "reasons": ["daily loss"]})
    document["connections"][0] |= {
        "connected": False,
        "since_ms": START_MS - 12_000,
        "detail": "refused",
    }
    document["account"] |= {"day_e6": -1_200_000, "day_loss_max_e6": 100_000_000}
    document["alarms"] = [{"name": "discovery", "since_ms": 1, "text": "quarantined"}]
    document["bad_input"] = [{"source": "odds", "reason": "price", "count": 3, "example": "x"}]
    lines = list(plain_lines(read_snapshot(document)))

    for line in (
        "mode: SIMULATED WORLD",
        "trading: halted: daily loss",
        "alarm discovery: quarantined",
        "exposure: $320.00 of $500.00",
        "profit and loss: +$40.00 closed, +$5.23 open, fees $1.20",
        "today: -$1.20, halts at a loss of $100.00",
        "connection Kalshi books: down for 12s, refused",
        "connection Odds: connected, last sign of life 1.2s ago",
        "refused post_only_cross: 2",
        "bad input odds, price: 3",
        "position KXMLBGAME-25AUG231905NYYBOS-BOS: 3 at 41c, ! NO SALE RESTING, open -$0.12",
    ):
        assert line in lines
    assert lines[-1].startswith("market KXMLBGAME-25AUG231905NYYBOS-BOS: fair 62.3c, bid 58c")
    assert all(line.isprintable() for line in lines)


def test_a_brief_picture_leaves_the_tables_out() -> None:
    """Where tables follow, their rows are not said twice."""
    lines = list(plain_lines(read_snapshot(picture(2)), brief=True))

    assert not [line for line in lines if line.startswith(("market", "position"))]
    assert "trading: running" in lines
