"""Order groups: made, found again, hit, triggered and reset, at a simulated exchange."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
import trio

from arb.core.events import OrderAccepted, OrderRefused
from arb.core.parameters import Execution
from arb.engine.messages import ConnectionChanged, HaltTrading
from arb.engine.order_desk import GROUPS, NO_GROUP
from arb.engine.order_groups import RETRY_S
from arb.journal.records import RecordKind
from arb.journal.writer import MemoryFile
from arb.sim.exchange.groups import OrderGroup
from tests.core.order_factory import EXIT
from tests.engine.conftest import Member
from tests.engine.desk_bench import DeskBench, open_desk
from tests.journal.journal_history import Unread


def groups(bench: DeskBench) -> dict[int, OrderGroup]:
    """Return the exchange's groups by shard, one a shard."""
    found = {group.exchange_index: group for group in bench.world.venue.groups.values()}
    assert len(found) == len(bench.world.venue.groups)
    return found


def state(bench: DeskBench) -> ConnectionChanged:
    """Return what was last said of the groups."""
    said = [each for each in bench.told if isinstance(each, ConnectionChanged)]
    assert said[-1].name == GROUPS
    return said[-1]


async def test_every_shard_has_a_group_for_entries_alone(
    member: Member, autojump_clock: object
) -> None:
    """Its limit is the setting's; entries carry it, sales do not."""
    async with open_desk(member) as bench:
        assert {shard: each.limit_e2 for shard, each in groups(bench).items()} == {
            0: 10_000,
            3: 10_000,
        }
        assert state(bench) == ConnectionChanged(GROUPS, True, "2 of 100 contracts")
        entry = bench.place(at=bench.on_shard(3))
        sale = bench.place(EXIT, at=bench.on_shard(3), price_e4=9_900)
        await trio.sleep(0.1)
        group_of = {o.client_order_id: o.request.group_id for o in bench.account.resting.values()}
        assert group_of == {entry: groups(bench)[3].group_id, sale: None}
        assert repr(bench.desk.groups) == "<OrderGroups 0=READY 3=READY>"


async def test_a_later_run_finds_the_groups_again(member: Member, autojump_clock: object) -> None:
    """By the journal; with another limit in the settings the groups' limits are changed."""
    file = MemoryFile()
    async with open_desk(member, file=file) as bench:
        made = {shard: each.group_id for shard, each in groups(bench).items()}
        kinds = [record.kind for record in bench.parts.journal.records()]
        assert kinds == [RecordKind.GROUP] * 2
        world = bench.world
    more = Execution(order_group_contracts=250)
    async with open_desk(member, file=file, world=world, execution=more) as bench:
        assert {shard: each.group_id for shard, each in groups(bench).items()} == made
        assert {each.limit_e2 for each in groups(bench).values()} == {25_000}
    gone = dict(world.venue.groups)
    world.venue.groups.clear()
    async with open_desk(member, file=file, world=world) as bench:
        assert len(groups(bench)) == 2
        assert not set(world.venue.groups) & set(gone)


async def test_a_gateway_that_restarts_finds_its_groups_without_reading(
    member: Member, autojump_clock: object
) -> None:
    """Those that were made since the start, too; the journal is not read anew for them."""
    file = Unread()
    async with open_desk(member, file=file) as bench:
        made = {shard: each.group_id for shard, each in groups(bench).items()}
        file.may_be_read = False
        again = bench.desk._order_groups(bench.rest)
        assert again._remembered == made
        again.want(3)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(again.run)
            await trio.sleep(1)
            assert again.id_for(3) == made[3]
            nursery.cancel_scope.cancel()
        assert len(bench.world.venue.groups) == len(made)


async def test_a_person_may_trade_without(member: Member, autojump_clock: object) -> None:
    """A limit of 0 makes no group, and entries leave without one."""
    async with open_desk(member, execution=Execution(order_group_contracts=0)) as bench:
        name = bench.place()
        await trio.sleep(0.1)
        assert isinstance(bench.of(name)[0], OrderAccepted)
        assert not bench.world.venue.groups
        assert not bench.told


async def test_without_a_group_no_entry_leaves_and_sales_do(
    member: Member, autojump_clock: object
) -> None:
    """While it cannot be made that is said, and tried again; then entries leave."""
    async with open_desk(member) as bench:
        bench.desk.groups.lost(0)
        bench.world.exchange_conditions.rest_status = 503
        await trio.sleep(2.5 * RETRY_S)
        bench.world.exchange_conditions.rest_status = None
        assert not state(bench).connected
        assert "shard 0: not made yet: POST" in state(bench).detail
        assert bench.parts.board.log[-1].level == "error"
        entry, sale = bench.place(), bench.place(EXIT, price_e4=9_900)
        (refused,) = bench.of(entry)
        assert isinstance(refused, OrderRefused)
        assert refused.code == NO_GROUP
        await bench.until(lambda: state(bench).connected, 2 * RETRY_S)
        entry = bench.place()
        await trio.sleep(0.1)
        assert bench.resting() == {entry, sale}


async def test_a_new_shard_gets_its_group_when_it_is_asked_for(
    member: Member, autojump_clock: object
) -> None:
    """Its first entry is refused here, and the next one leaves."""
    async with open_desk(member) as bench:
        del bench.desk.groups._groups[3]
        first = bench.place(at=bench.on_shard(3))
        assert isinstance(bench.of(first)[0], OrderRefused)
        await trio.sleep(0.1)
        second = bench.place(at=bench.on_shard(3))
        await trio.sleep(0.1)
        assert bench.resting() == {second}


async def test_a_group_that_is_hit_halts_trading_until_the_reset(
    member: Member, autojump_clock: object
) -> None:
    """The refusal is certain, told once as a halt, and only the shard's entries are held back."""
    async with open_desk(member) as bench:
        groups(bench)[0].triggered = True
        names = [bench.place(at=bench.on_shard(0)) for _ in range(2)]
        await trio.sleep(0.1)
        codes = [
            event.code for n in names for event in bench.of(n) if isinstance(event, OrderRefused)
        ]
        assert codes == ["exceeded_order_group_risk_limit"] * 2
        (halt,) = [each for each in bench.told if isinstance(each, HaltTrading)]
        assert halt.by == "the exchange's order group"
        assert "100 contracts" in halt.reason
        assert not state(bench).connected
        assert "arb clear" in state(bench).detail
        held = bench.place(at=bench.on_shard(0))
        assert isinstance(bench.of(held)[0], OrderRefused)
        other = bench.place(at=bench.on_shard(3))
        await trio.sleep(0.1)
        assert bench.resting() == {other}

        bench.desk.groups.reset()
        await trio.sleep(0.1)
        assert state(bench).connected
        assert not groups(bench)[0].triggered
        again = bench.place(at=bench.on_shard(0))
        await trio.sleep(0.1)
        assert bench.resting() == {other, again}


async def test_a_group_that_is_gone_is_made_anew(member: Member, autojump_clock: object) -> None:
    """An entry finds it out; so does a reset."""
    async with open_desk(member) as bench:
        bench.world.venue.groups.clear()
        name = bench.place(at=bench.on_shard(0))
        await trio.sleep(0.1)
        assert isinstance(bench.of(name)[0], OrderRefused)
        assert list(groups(bench)) == [0]
        bench.desk.groups.reset()
        await bench.until(lambda: len(groups(bench)) == 2, 3 * RETRY_S)
        await bench.until(lambda: state(bench).connected, 3 * RETRY_S)


async def test_the_trigger_takes_entries_away_and_keeps_them_away(
    member: Member, autojump_clock: object
) -> None:
    """At the exchange itself, sales stay; the reset brings the groups back."""
    async with open_desk(member) as bench:
        for shard in (0, 3):
            bench.place(at=bench.on_shard(shard))
        sale = bench.place(EXIT, price_e4=9_900)
        await trio.sleep(0.1)
        bench.desk.groups.trigger()
        await trio.sleep(0.1)
        assert bench.resting() == {sale}
        assert all(group.triggered for group in groups(bench).values())
        assert not state(bench).connected
        bench.desk.groups.reset()
        await trio.sleep(0.1)
        assert state(bench).connected
        assert not any(group.triggered for group in groups(bench).values())


async def test_a_trigger_before_any_group_is_made_is_kept(
    member: Member, autojump_clock: object
) -> None:
    """What is triggered before it exists takes no entry either."""
    async with open_desk(member) as bench:
        bench.desk.groups.lost(0)
        bench.desk.groups.trigger()
        await trio.sleep(0.1)
        assert not bench.desk.groups.ready
        assert len(bench.world.venue.groups) == 2
        bench.desk.groups.reset()
        await trio.sleep(0.1)
        assert bench.desk.groups.ready


@pytest.mark.parametrize("answer", [b"{}", b'{"order_group_id": 5}'])
async def test_an_answer_without_a_group_is_no_group(
    answer: bytes, member: Member, autojump_clock: object
) -> None:
    """It is said and tried again, and no entry leaves meanwhile."""
    async with open_desk(member) as bench:
        serve: Any = bench.world.exchange.rest
        bench.world.exchange.rest = lambda asked: attrs.evolve(  # type: ignore[assignment]
            serve(asked), status=201, body=answer
        )
        bench.desk.groups.lost(0)
        await trio.sleep(0.1)
        assert "no group in the answer" in state(bench).detail
        assert isinstance(bench.of(bench.place())[0], OrderRefused)
