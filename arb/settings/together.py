"""Settings that are each allowed and yet make no sense together."""

from __future__ import annotations

from arb.settings.errors import SettingsError
from arb.settings.settings import Settings


def check_together(settings: Settings) -> None:
    """Raise `SettingsError` for the first pair of settings that contradict each other."""
    strategy, risk, execution = settings.strategy, settings.risk, settings.execution
    _at_most(
        settings,
        ("strategy.maker_edge_threshold", strategy.maker_edge_threshold),
        ("strategy.taker_edge_threshold", strategy.taker_edge_threshold),
        "or no edge would ever rest",
    )
    _at_most(
        settings,
        ("execution.contracts_per_order", execution.contracts_per_order),
        ("risk.max_contracts_per_market", risk.max_contracts_per_market),
        "or every entry would be refused",
    )
    if execution.order_group_contracts:
        _at_most(
            settings,
            ("execution.contracts_per_order", execution.contracts_per_order),
            ("execution.order_group_contracts", execution.order_group_contracts),
            "or the exchange would stop trading at the first fill",
        )
    _at_most(
        settings,
        ("odds_feed.poll_interval_ms", settings.odds_feed.poll_interval_ms),
        ("execution.book_confirm_ms", execution.book_confirm_ms),
        "or no quiet book would ever be confirmed",
    )


def _at_most(settings: Settings, low: tuple[str, int], high: tuple[str, int], why: str) -> None:
    if low[1] > high[1]:
        source = max(settings.source(low[0]), settings.source(high[0]), key=lambda one: one.kind)
        raise SettingsError(
            f"{source}: {low[0]} = {low[1]} must be at most {high[0]} = {high[1]}, {why}"
        )
