"""Signatures made before they are needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from arb.io.clock import VirtualClock
from arb.kalshi.sign import Headers, Signer, load_signer
from arb.kalshi.signatures_ahead import (
    AHEAD_S,
    ORDERS_MAX,
    STAMP_OFF_MS,
    SignaturesAhead,
    in_place,
    in_thread,
)
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


CANCEL = ("DELETE", "/portfolio/events/orders/o-1?market_ticker=T")
AMEND = ("POST", "/portfolio/events/orders/o-1/amend")
ROOT = "/trade-api/v2"


def stamp_of(ahead: SignaturesAhead, request: tuple[str, str], wall_ms: int) -> int:
    """Return what stamp a request is given."""
    method, path = request
    headers = dict(ahead.headers(method, ROOT + path, wall_ms))
    return int(headers["KALSHI-ACCESS-TIMESTAMP"])


async def test_a_resting_orders_requests_cost_no_signing(autojump_clock: object) -> None:
    """From the moment it is known to its end, with stamps that the exchange takes for certain."""
    counting = Counting()
    clock = VirtualClock(EPOCH_MS)
    ahead = SignaturesAhead(Signer("id", "rsa", counting), clock, (), root=ROOT, off_loop=in_place)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ahead.run)
        await trio.sleep(0.2)
        ahead.watch("mine", (CANCEL, AMEND))
        ahead.watch("mine", (CANCEL, AMEND))
        await trio.testing.wait_all_tasks_blocked()
        assert len(counting.signed) == 2
        made = 0
        for _ in range(300):
            await trio.sleep(0.1)
            made, now_ms = len(counting.signed), clock.wall_ms()
            for request in (CANCEL, AMEND):
                assert abs(stamp_of(ahead, request, now_ms) - now_ms) <= STAMP_OFF_MS
            assert len(counting.signed) == made
        assert made <= 2 * (30 / 2.5 + 2)
        assert ahead.made_late == 0
        signed = {text[len(str(EPOCH_MS)) :] for text in counting.signed}
        assert signed == {
            b"DELETE/trade-api/v2/portfolio/events/orders/o-1",
            b"POST/trade-api/v2/portfolio/events/orders/o-1/amend",
        }

        ahead.forget("mine")
        ahead.forget("mine")
        await trio.sleep(10)
        assert len(counting.signed) == made
        assert stamp_of(ahead, CANCEL, clock.wall_ms()) == clock.wall_ms()
        nursery.cancel_scope.cancel()


async def test_a_signature_out_of_its_time_is_not_used(autojump_clock: object) -> None:
    """Where making them has fallen behind, or the clock was set, it is signed on the spot."""
    clock = VirtualClock(EPOCH_MS)
    ahead = SignaturesAhead(
        Signer("id", "rsa", Counting()), clock, (), root=ROOT, off_loop=in_place
    )
    ahead.watch("mine", (CANCEL,))
    await ahead.prepare()

    assert stamp_of(ahead, CANCEL, EPOCH_MS) == EPOCH_MS + STAMP_OFF_MS
    assert stamp_of(ahead, CANCEL, EPOCH_MS + 2 * STAMP_OFF_MS) == EPOCH_MS + STAMP_OFF_MS
    for wrong_ms in (EPOCH_MS - 1, EPOCH_MS + 2 * STAMP_OFF_MS + 1):
        assert stamp_of(ahead, CANCEL, wrong_ms) == wrong_ms
    assert ahead.made_late == 2


async def test_an_order_that_ends_while_it_is_signed_leaves_nothing(
    autojump_clock: object,
) -> None:
    """Its signature would stay for ever."""
    clock = VirtualClock(EPOCH_MS)

    async def slowly(make: Callable[[], Headers]) -> Headers:
        await trio.sleep(0.1)
        return make()

    ahead = SignaturesAhead(Signer("id", "rsa", Counting()), clock, (), off_loop=slowly)
    ahead.watch("mine", (CANCEL,))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ahead.prepare)
        await trio.testing.wait_all_tasks_blocked()
        ahead.forget("mine")
    assert repr(ahead) == "<SignaturesAhead 0 ready, 0 made late>"


async def test_only_so_many_orders_are_signed_ahead(autojump_clock: object) -> None:
    """The others are signed on the spot; a quick key signs all of them so."""
    counting = Counting()
    clock = VirtualClock(EPOCH_MS)
    ahead = SignaturesAhead(Signer("id", "rsa", counting), clock, (), off_loop=in_place)
    quick = SignaturesAhead(Signer("id", "ed25519", counting), clock, (), off_loop=in_place)
    for number in range(ORDERS_MAX + 5):
        for each in (ahead, quick):
            each.watch(str(number), (("DELETE", f"/{number}"),))
    await ahead.prepare()
    await quick.prepare()

    assert len(counting.signed) == ORDERS_MAX
