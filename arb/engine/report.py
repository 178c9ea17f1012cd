"""What a run came to, as the JSON object that ends it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from arb.engine.board import Board
from arb.engine.parts import Parts
from arb.engine.snapshot import counts, mark_of, unrealised_e6

NS_PER_US = 1000


def trading_report(parts: Parts) -> dict[str, Any]:
    """Return counts, money and positions as they stand."""
    board = parts.board
    account = board.account
    realised_e6 = account.realised_e6 if account is not None else 0
    fees_e6 = account.fees_e6 if account is not None else 0
    return {
        **counts(board),
        "cash_e6": account.cash_e6 if account is not None else 0,
        "positions": _positions(board),
        "realised_e6": realised_e6,
        "fees_e6": fees_e6,
        "pnl_e6": realised_e6 - fees_e6 + unrealised_e6(board),
        "exposure_max_e6": board.exposure_max_e6,
        "latency_us": latency_us(board),
    }


def latency_us(board: Board) -> dict[str, float] | None:
    """Return percentiles from the trigger in hand to the order handed over, None without orders."""
    latencies_ns = sorted(board.latencies_ns)
    if not latencies_ns:
        return None
    return {
        "p50": _percentile(latencies_ns, 50) / NS_PER_US,
        "p99": _percentile(latencies_ns, 99) / NS_PER_US,
    }


def _percentile(ordered: Sequence[int], percent: int) -> int:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def _positions(board: Board) -> dict[str, dict[str, int | None]]:
    return {
        ticker: {
            "count_e2": holding.count_e2,
            "entry_e4": holding.entry_e4,
            "mark_e4": mark_of(board, holding),
        }
        for ticker, holding in sorted(board.holdings.items())
        if holding.count_e2
    }
