"""What tests of several commands need."""

from __future__ import annotations

import pytest

from arb.engine.gateway import Gateway


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no approval be used up, so that orders leave that nobody wrote down."""

    def careless(self: Gateway, approved: object) -> None:
        self.place(approved.client_order_id, approved.intent)  # type: ignore[attr-defined]

    monkeypatch.setattr(Gateway, "_on_approved", careless)
