"""A second engine on the account halts us; what is ours, or a person's, does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from arb.core.events import OrderClosed
from arb.core.money import CountE2
from arb.core.risk import client_order_prefix
from arb.engine.messages import Reported
from arb.engine.other_engines import OtherEngines, own_prefixes
from arb.engine.place import LOCK_NAME, Place
from arb.faults.matrix import run_cell
from arb.faults.second_engine import CELL
from arb.sim.exchange.placing import place
from arb.sim.exchange.values import BookSide, Lifetime, Order, OrderRequest
from tests.engine.conftest import Rig

OpenRig = Callable[..., Any]

THEIRS = "arb-5ec0de00-00000001"


def other(rig: Rig, name: str | None = THEIRS, *, takes: bool = False) -> Order:
    """Place an order of somebody else on the account."""
    venue = rig.simulation.venue
    ticker = rig.parts.catalogue.listings[0].ticker
    price_e4 = venue.markets[ticker].book.best_e4(BookSide.ASK) if takes else 100
    assert price_e4 is not None
    lifetime = Lifetime.IMMEDIATE_OR_CANCEL if takes else Lifetime.GOOD_TILL_CANCELED
    wish = OrderRequest(
        ticker, BookSide.BID, 100, price_e4, lifetime, client_order_id=name, post_only=False
    )
    return place(venue, rig.account, wish).order


@pytest.mark.parametrize("takes", [False, True])
async def test_an_order_of_another_engine_halts_at_once(
    takes: bool, open_rig: OpenRig, autojump_clock: object
) -> None:
    """Whether it rests or has taken: the line names it and says what to do; it is left alone."""
    async with open_rig() as rig:
        await rig.until_running()
        order = other(rig, takes=takes)
        await rig.until(lambda: rig.state == "halted", 0.5)
        assert f"another engine trades this account: its order {THEIRS}" in rig.reasons
        assert "stop one of them" in rig.reasons
        await trio.sleep(70)
        assert takes or order in rig.resting()


async def test_it_is_noticed_by_the_next_reading_where_nothing_is_told(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Without a word on the private channel, the list of what rests shows it."""
    async with open_rig() as rig:
        await rig.until_running()
        rig.simulation.exchange_conditions.drop_private = True
        other(rig)
        await trio.sleep(0.5)
        rig.heal()
        assert rig.state != "halted"
        await rig.until(lambda: rig.state == "halted", 31)


async def test_what_a_person_has_cleared_does_not_halt_again(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Not at the next reading and not after a restart; an order more does."""
    async with open_rig() as rig:
        await rig.until_running()
        other(rig)
        await rig.until(lambda: rig.state == "halted", 1)
        await rig.steering.steer("clear", {"reason": "the other one is stopped"})
        await rig.until_running()
        await trio.sleep(40)
        assert rig.state == "running"
        await rig.system.kill("risk")
        await rig.until_running()
        await trio.sleep(40)
        assert rig.state == "running"
        other(rig, "arb-5ec0de00-00000002")
        await rig.until(lambda: rig.state == "halted", 1)


@pytest.mark.parametrize("name", [None, "by-hand", "arbitrary", "ARB-5ec0de00-00000001"])
async def test_a_persons_order_is_no_engine(
    name: str | None, open_rig: OpenRig, autojump_clock: object
) -> None:
    """Whatever it is called, as long as it is not as ours are."""
    async with open_rig() as rig:
        await rig.until_running()
        order = other(rig, name)
        await trio.sleep(40)
        assert rig.state == "running"
        assert order in rig.resting()


async def test_an_order_of_our_own_earlier_installation_is_taken_away(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Another key had another directory: what it left is cancelled, and trading goes on."""
    async with open_rig() as rig:
        await rig.until_running()
        rig.parts.earlier = lambda: ("5ec0de00",)
        await rig.system.kill("risk")
        await rig.until_running()
        order = other(rig)
        await rig.until(lambda: order not in rig.resting(), 70)
        await trio.sleep(5)
        assert rig.state == "running"
        assert rig.said("nobody's here")


async def test_an_order_of_ours_that_nobody_knows_stops_entries_at_once(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Its record went with the power while it was on its way: it is counted by no limit."""
    async with open_rig() as rig:
        await rig.until_running()
        name = f"{client_order_prefix(rig.parts.installation)}7fffffff"
        order = other(rig, name)
        await rig.until(lambda: rig.state == "paused", 0.5)
        assert f"nobody here knows order {name}" in rig.reasons
        assert not rig.parts.switches.resting_known
        await rig.until(lambda: order not in rig.resting(), 0.5)
        await rig.until_running()
        assert rig.parts.switches.resting_known


async def test_an_order_of_ours_that_has_ended_stops_nothing(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """It rests no more, and what it may have filled comes as fills."""
    async with open_rig() as rig:
        await rig.until_running()
        name = f"{client_order_prefix(rig.parts.installation)}7fffffff"
        rig.gateway._risk.tell(Reported(OrderClosed(name, CountE2(0), "canceled")))
        await trio.sleep(0.1)
        assert rig.state == "running"


def test_earlier_installations_are_those_whose_engines_do_not_run(tmp_path: Path) -> None:
    """In the directories of the same mode; our own is not among them."""
    with Place(tmp_path / "demo" / "account-1") as one:
        first = one.installation()
    with Place(tmp_path / "live" / "account-1") as other_mode:
        other_mode.installation()
    with Place(tmp_path / "demo" / "account-2") as two:
        two.installation()
        assert two.earlier() == (first,)
        with Place(tmp_path / "demo" / "account-1"):
            assert two.earlier() == ()
        assert two.earlier() == (first,)
        (one.directory / LOCK_NAME).unlink()
        assert two.earlier() == (first,)
        (one.directory / LOCK_NAME).symlink_to(LOCK_NAME)
        assert two.earlier() == (), "in doubt it is not ours"


async def test_an_earlier_installation_whose_engine_runs_again_is_another_engine(
    tmp_path: Path, open_rig: OpenRig, autojump_clock: object
) -> None:
    """Its orders halt us and are left alone; once it has ended, what it left is taken away."""
    first, second = (Place(tmp_path / "demo" / f"account-{each}") for each in (1, 2))
    with second:
        name = f"arb-{second.installation()}-00000001"
    with first:
        async with open_rig() as rig:
            rig.parts.earlier = first.earlier
            await rig.until_running()
            with second:
                order = other(rig, name)
                await rig.until(lambda: rig.state == "halted", 0.5)
                await trio.sleep(70)
                assert order in rig.resting()
            await rig.until(lambda: order not in rig.resting(), 70)
            await rig.steering.steer("clear", {"reason": "the other one is stopped"})
            await rig.until_running()


async def test_prefixes_of_all_our_installations_are_ours(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """The present one first."""
    async with open_rig() as rig:
        rig.parts.earlier = lambda: ("one",)
        assert own_prefixes(rig.parts) == ("arb-test-", "arb-one-")
        assert "0 orders seen" in repr(OtherEngines(rig.parts, print))


@pytest.mark.slow
def test_the_fault_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second engine that nobody notices is a violation; with the watch the cell holds."""
    assert not run_cell(CELL, (1, 2)).failed
    monkeypatch.setattr(OtherEngines, "saw", lambda *_: None)
    assert run_cell(CELL, (1, 2)).rule.startswith("I15")
