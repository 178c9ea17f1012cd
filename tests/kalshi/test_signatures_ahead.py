"""Signatures made before they are needed."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from arb.io.clock import VirtualClock
from arb.kalshi.sign import Signer, load_signer
from arb.kalshi.signatures_ahead import AHEAD_S, SignaturesAhead, in_place, in_thread
from tests.kalshi.keys import rsa_key, verify_rsa, write_key

CREATE = ("POST", "/trade-api/v2/portfolio/events/orders")
EPOCH_MS = 1_700_000_000_000


class Counting:
    """Counts the signatures it makes."""

    def __init__(self) -> None:
        self.signed: list[bytes] = []

    def __call__(self, text: bytes) -> bytes:
        """Sign."""
        self.signed.append(text)
        return b"signature"


async def test_a_ready_signature_costs_no_signing(autojump_clock: object) -> None:
    """An order takes the one of the second that has begun, minute after minute."""
    counting = Counting()
    ahead = SignaturesAhead(
        Signer("id", "rsa", counting), VirtualClock(EPOCH_MS), (CREATE,), off_loop=in_place
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ahead.run)
        await trio.sleep(60.4)
        made = len(counting.signed)
        headers = dict(ahead.headers(*CREATE, EPOCH_MS + 60_400))

        assert headers["KALSHI-ACCESS-TIMESTAMP"] == str(EPOCH_MS + 60_000)
        assert len(counting.signed) == made
        assert ahead.made_late == 0
        assert made <= 60 + AHEAD_S + 2
        assert repr(ahead) == f"<SignaturesAhead {AHEAD_S + 1} ready, 0 made late>"
        nursery.cancel_scope.cancel()


def test_what_is_not_ready_is_signed_on_the_spot() -> None:
    """Another path is signed exactly, and a missing prepared one is counted."""
    ahead = SignaturesAhead(
        Signer("id", "rsa", Counting()), VirtualClock(EPOCH_MS), (CREATE,), off_loop=in_place
    )
    cancel = dict(ahead.headers("DELETE", "/x", EPOCH_MS + 123))
    assert (cancel["KALSHI-ACCESS-TIMESTAMP"], ahead.made_late) == (str(EPOCH_MS + 123), 0)

    create = dict(ahead.headers(*CREATE, EPOCH_MS + 123))
    assert (create["KALSHI-ACCESS-TIMESTAMP"], ahead.made_late) == (str(EPOCH_MS + 123), 1)


async def test_a_quick_key_prepares_nothing(autojump_clock: object) -> None:
    """Ed25519 signs in line, with the very millisecond."""
    counting = Counting()
    ahead = SignaturesAhead(
        Signer("id", "ed25519", counting), VirtualClock(EPOCH_MS), (CREATE,), off_loop=in_place
    )
    await ahead.prepare()
    assert counting.signed == []

    assert dict(ahead.headers(*CREATE, 5))["KALSHI-ACCESS-TIMESTAMP"] == "5"
    assert ahead.made_late == 0


@pytest.mark.parametrize("off_loop", [in_thread, in_place])
async def test_prepared_signatures_are_true_ones(tmp_path: Path, off_loop: object) -> None:
    """Made in a thread or in place, the exchange accepts them."""
    signer = load_signer("id", write_key(tmp_path / "key", rsa_key()))
    clock = VirtualClock(EPOCH_MS)
    ahead = SignaturesAhead(signer, clock, (CREATE,), off_loop=off_loop)  # type: ignore[arg-type]
    await ahead.prepare()
    headers = dict(ahead.headers(*CREATE, clock.wall_ms()))

    stamp = headers["KALSHI-ACCESS-TIMESTAMP"]
    assert stamp.endswith("000")
    verify_rsa(rsa_key(), headers["KALSHI-ACCESS-SIGNATURE"], f"{stamp}POST{CREATE[1]}")
