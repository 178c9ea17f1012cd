"""Tests of the settings that decide what is traded."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from arb.core.parameters import Execution, Risk, Strategy
from arb.core.voices import Combining


def test_the_defaults_are_those_that_were_agreed() -> None:
    """The thresholds and limits start at the figures of the design."""
    strategy, risk, execution = Strategy(), Risk(), Execution()

    assert strategy.taker_edge_threshold == 5
    assert strategy.maker_edge_threshold == 2
    assert strategy.min_edge_after_fees == 1
    assert strategy.max_edge_threshold == 15
    assert strategy.min_books == 3
    assert risk.max_contracts_per_market == 10
    assert risk.max_total_exposure_cents == 50_000
    assert risk.max_game_exposure_cents == 1_000
    assert risk.max_concurrent_markets == 5
    assert risk.max_daily_loss_cents == 10_000
    assert risk.max_orders_per_second == 10
    assert risk.max_consecutive_refusals == 10
    assert risk.price_collar == 25
    assert execution.maker_timeout_ms == 500
    assert execution.stale_odds_threshold_ms == 5_000
    assert execution.book_confirm_ms == 60_000


def test_thresholds_come_in_the_units_the_code_counts_in() -> None:
    """Cents in the file are prices, money and counts in the code, exactly."""
    strategy = Strategy(taker_edge_threshold=7, maker_edge_threshold=3, min_edge_after_fees=2)
    risk = Risk(max_contracts_per_market=4, max_total_exposure_cents=12_345)

    assert (strategy.taker_edge_e4, strategy.maker_edge_e4, strategy.min_net_e4) == (700, 300, 200)
    assert Strategy(max_edge_threshold=20).max_edge_e4 == 2_000
    assert risk.max_contracts_per_market_e2 == 400
    assert risk.max_total_exposure_e6 == 123_450_000
    assert Risk(max_game_exposure_cents=7).max_game_exposure_e6 == 70_000
    assert Risk(max_daily_loss_cents=9).max_daily_loss_e6 == 90_000
    assert Execution(contracts_per_order=3).contracts_per_order_e2 == 300


@pytest.mark.parametrize("section", [Strategy, Risk, Execution])
def test_sections_cannot_be_changed(section: type[Strategy | Risk | Execution]) -> None:
    """What is in force stays in force for the whole run."""
    field = attrs.fields(section)[0].name

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(section(), field, 1)


def test_how_the_books_become_one_is_read_from_the_settings() -> None:
    """The rule, the weights and the families are those that the settings name."""
    strategy = Strategy(
        consensus="weighted", book_weights=("Pinnacle=0.9",), book_families=("A+B",)
    )

    assert strategy.pooling.combining is Combining.WEIGHTED
    assert strategy.pooling.weights["pinnacle"] == 0.9
    assert strategy.pooling.family_of == {"a": "A+B", "b": "A+B"}
    assert Strategy().pooling.combining is Combining.MEDIAN


@pytest.mark.parametrize(
    "wrong", [{"book_weights": ("Pinnacle",)}, {"book_families": ("Pinnacle",)}]
)
def test_weights_and_families_that_cannot_be_read_are_refused(wrong: dict[str, Any]) -> None:
    """A section with them is never made."""
    with pytest.raises(ValueError, match="must "):
        Strategy(**wrong)
