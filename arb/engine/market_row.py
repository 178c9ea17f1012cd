"""What is shown and kept of one evaluation: the market's row, and what a purchase rests on."""

from __future__ import annotations

from typing import Any

import attrs

from arb.core.evaluate import Evaluation, Inputs
from arb.engine.board import MarketRow
from arb.engine.decision_log import quotes_seen
from arb.engine.game_odds import GameOdds


@attrs.frozen
class Shown:
    """What a row says beside the evaluation: what the market does, why, and its exits' price."""

    action: str
    reason: str
    gated_fair: float | None


def row_of(evaluation: Evaluation, inputs: Inputs, shown: Shown) -> MarketRow:
    """Describe a market as it was last evaluated."""
    top, decision = inputs.top, evaluation.decision
    return MarketRow(
        ticker=inputs.listing.ticker,
        at_ms=inputs.now_ms,
        fair=evaluation.fair,
        bid_e4=top.bid_e4 if top is not None else None,
        bid_size_e2=top.bid_size_e2 if top is not None else 0,
        ask_e4=top.ask_e4 if top is not None else None,
        ask_size_e2=top.ask_size_e2 if top is not None else 0,
        edge_e4=decision.edge_e4 if decision is not None else None,
        net_e4=decision.net_e4 if decision is not None else None,
        action=shown.action,
        reason=shown.reason,
        quote_changed_ms=evaluation.signal.changed_ms if evaluation.signal else None,
        books=evaluation.books,
        buys=decision.outcome.value if decision is not None else "",
        gated_fair=shown.gated_fair,
        left_out=tuple([f"{each.book} {each.reason}" for each in evaluation.left_out]),
    )


def purchase_of(
    evaluation: Evaluation, inputs: Inputs, odds: GameOdds, trigger_ns: int
) -> dict[str, Any] | None:
    """Describe what a wished purchase rests on, None where nothing is wished."""
    wished, sibling = evaluation.wished, inputs.sibling_top
    if wished is None:
        return None
    return {
        "trigger_ns": trigger_ns,
        "is_home": inputs.listing.is_home,
        "buys": wished.outcome.value,
        "price_e4": wished.price_e4,
        "count_e2": wished.count_e2,
        "exit_e4": wished.exit_e4,
        "changed_book": evaluation.signal.book if evaluation.signal else None,
        "sibling_bid_e4": sibling.bid_e4 if sibling is not None else None,
        "sibling_ask_e4": sibling.ask_e4 if sibling is not None else None,
        "quotes": quotes_seen(odds.quotes.quotes()),
    }
