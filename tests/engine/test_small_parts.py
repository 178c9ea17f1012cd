"""The engine's smaller parts by themselves: gateway, feeds, tree, log file."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import orjson
import pytest
import trio

from actors import ActorSpec, Context, MailboxFull, State, Strategy, SupervisorSpec, open_system
from arb.core.commands import Amendment
from arb.core.events import OrderKept, OrderRefused, Top
from arb.core.money import MoneyE6
from arb.core.orders import OrderState
from arb.core.parameters import Risk
from arb.core.risk import Approvals
from arb.engine import log_file as log_module
from arb.engine.board import Board
from arb.engine.book_feed import BookFeed
from arb.engine.gateway import Gateway
from arb.engine.log_file import LogFile
from arb.engine.messages import (
    Frame,
    OwnResting,
    PolledQuotes,
    Reported,
    Session,
)
from arb.engine.names import BOOK_FEED, GATEWAY, ODDS_FEED, RISK, TAPE, ticker_of
from arb.engine.odds_feed import OddsFeedActor
from arb.engine.offload import IN_PLACE, IN_THREADS
from arb.engine.risk import RiskManager
from arb.engine.switches import Switches
from arb.engine.tree import engine_tree
from arb.engine.tree_watch import RELEASED_AFTER_S, TreeWatch
from arb.feeds.odds_api_wire import PROVIDER, parse_frame
from arb.io.clock import VirtualClock
from tests.core.order_factory import (
    BOS,
    ENTRY,
    NYY,
    accepted,
    order_in,
)
from tests.engine.market_bench import Note, StillClock, bench_parts


def test_a_lowered_limit_replaces_the_files() -> None:
    """Without a person's limit the file's is in force."""
    assert Switches().limits(Risk()) is not None
    assert Switches().limits(Risk()).max_total_exposure_e6 == 500_000_000
    assert Switches(limit_e6=MoneyE6(3_000_000)).limits(Risk()).max_total_exposure_cents == 300


async def test_the_log_file_is_lines_of_json(tmp_path: Path) -> None:
    """Lines of the wanted level are on disk half a second later, with time, level and tag."""
    path = tmp_path / "arb.log"
    log = LogFile(path, "info")
    board = Board(VirtualClock(5_000), log.write)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(log.run)
        board.say("RISK", "first", level="warning")
        board.say("RISK", "too fine", level="debug")
        await trio.sleep(log_module.FLUSH_EVERY_S + 0.1)
        (line,) = path.read_text().splitlines()
        board.say("ODDS", "last")
        assert "1 pending" in repr(log)
        nursery.cancel_scope.cancel()
    log.close()
    first, last = (orjson.loads(each) for each in path.read_text().splitlines())
    assert orjson.loads(line) == first
    assert (first["event"], first["level"], first["tag"]) == ("first", "warning", "RISK")
    assert last["event"] == "last"


def test_a_log_that_talks_too_much_is_cut_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond its bound lines are left out, and how many is the last line."""
    monkeypatch.setattr(log_module, "PENDING_MAX", 3)
    log = LogFile(tmp_path / "arb.log", "debug")
    board = Board(StillClock(), log.write)
    for number in range(8):
        board.say("ENGINE", str(number))
    log.close()
    lines = [orjson.loads(each) for each in (tmp_path / "arb.log").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["0", "1", "2", "lines left out"]
    assert lines[-1]["count"] == 5


def test_a_log_on_a_full_disk_is_counted_and_ends_in_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is lost is said once there is room again; until then nothing is raised or shouted."""
    path = tmp_path / "arb.log"
    path.symlink_to("/dev/full")
    log = LogFile(path, "debug")
    board = Board(StillClock(), log.write_now)
    board.say("ENGINE", "lost")
    board.say("ENGINE", "lost as well")
    log.close()

    assert capsys.readouterr() == ("", "")
    assert board.bad == {}
    assert log._left_out == 2


@pytest.mark.parametrize("offloads", [IN_PLACE, IN_THREADS])
async def test_slow_calls_are_made_once_and_raise_what_they_raise(offloads: Any) -> None:
    """In a thread or in place: the call is made, and its error is the caller's."""
    made: list[int] = []
    await offloads.call(lambda: made.append(1))
    assert made == [1]

    def fail() -> None:
        raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        await offloads.call(fail)


def one_for_one(*children: ActorSpec) -> SupervisorSpec:
    """Put some actors beside each other."""
    return SupervisorSpec("root", strategy=Strategy.ONE_FOR_ONE, children=children)


class Sender(Gateway):
    """A gateway that sends into a list."""

    def __init__(self, ctx: Context, parts: Any, sent: list[Any]) -> None:
        super().__init__(ctx, parts)
        self.sent = sent

    def place(self, client_order_id: str, intent: Any) -> None:
        """Note it."""
        self.sent.append(client_order_id)


async def test_a_gateway_sends_only_what_is_approved_for_its_session(
    autojump_clock: object,
) -> None:
    """Before its session, for another one, twice, or late: nothing is sent, and risk is told."""
    parts = bench_parts()
    told: list[Any] = []
    sent: list[str] = []
    tree = one_for_one(
        ActorSpec(RISK, lambda ctx: Note(ctx, told), direct=True),
        ActorSpec(GATEWAY, lambda ctx: Sender(ctx, parts, sent), direct=True),
    )
    async with open_system(tree, rng=random.Random(1)) as system:
        gateway = system.address(GATEWAY)
        desk = Approvals("test")
        gateway.tell(desk.approve(ENTRY, now_ns=0))
        desk.new_session()
        gateway.tell(Session(desk.session))
        good = desk.approve(ENTRY, now_ns=0)
        gateway.tell(good)
        gateway.tell(good)
        old = Approvals("test", 9)
        gateway.tell(old.approve(ENTRY, now_ns=0))
        await trio.sleep(0.06)
        gateway.tell(desk.approve(ENTRY, now_ns=0))
        gateway.tell("nonsense")
        await trio.sleep(0.01)

        assert sent == [good.client_order_id]
        refused = [each.event for each in told if isinstance(each, Reported)]
        assert len(refused) == 4
        assert {type(each) for each in refused} == {OrderRefused}
        assert {each.code for each in refused if isinstance(each, OrderRefused)} == {"not sent"}
        intents = [r for r in parts.journal.records() if r.kind == "intent"]
        assert [r.data["id"] for r in intents] == sent
        letters = system.snapshot().dead_letters
        assert [each.reason for each in letters] == ["not for the gateway"]


class FullGateway:
    """A gateway that takes no more."""

    def tell(self, message: object) -> None:
        """Refuse."""
        raise MailboxFull("gateway", 1)


async def test_a_full_gateway_is_an_order_that_was_not_sent(autojump_clock: object) -> None:
    """When the gateway takes no more, an order is refused and an amendment leaves it standing."""
    parts = bench_parts()
    tree = one_for_one(
        ActorSpec(GATEWAY, lambda ctx: Note(ctx, []), direct=True),
        ActorSpec(BOOK_FEED, lambda ctx: Note(ctx, []), direct=True),
        ActorSpec(NYY, lambda ctx: Note(ctx, []), direct=True),
        ActorSpec(BOS, lambda ctx: Note(ctx, []), direct=True),
        ActorSpec(RISK, lambda ctx: RiskManager(ctx, parts), direct=True),
    )
    async with open_system(tree, rng=random.Random(1)) as system:
        cell: Any = system.cell_of(system.address(RISK))
        risk = cell._receive.__self__

        risk._gateway = FullGateway()
        order = order_in(OrderState.RESTING)
        risk._books.ledger.open_order(order)
        order.amending = True
        desk = Approvals("test")
        move = Amendment("o1", "x", NYY, order.side, order.price_e4, order.count_e2, 0)
        risk._send(desk.approve_amend(move, now_ns=0), order)
        assert (order.state, order.amending) == (OrderState.RESTING, False)
        entry = order_in(OrderState.PENDING, "o2")
        risk._books.ledger.open_order(entry)
        risk._send(desk.approve(ENTRY, now_ns=0), entry)
        assert entry.state is OrderState.REFUSED
        assert risk._books.ledger.illegal_reports == 0


class TestFeeds:
    """What the two feeds do with messages that are not for them, and with what they are told."""

    async def test_they_count_what_is_not_for_them(self, autojump_clock: object) -> None:
        """Nonsense is a dead letter of each feed."""
        parts = bench_parts()
        tree = one_for_one(
            ActorSpec(NYY, lambda ctx: Note(ctx, []), direct=True),
            ActorSpec(BOS, lambda ctx: Note(ctx, []), direct=True),
            ActorSpec(BOOK_FEED, lambda ctx: BookFeed(ctx, parts), direct=True),
            ActorSpec(
                ODDS_FEED, lambda ctx: OddsFeedActor(ctx, parts, PROVIDER, parse_frame), direct=True
            ),
        )
        async with open_system(tree, rng=random.Random(1)) as system:
            for name in (BOOK_FEED, ODDS_FEED):
                system.address(name).tell("nonsense")
            system.address(ODDS_FEED).tell(PolledQuotes((), 0))
            system.address(BOOK_FEED).tell(OwnResting("KXNONE", {}, {}))
            reasons = {each.reason for each in system.snapshot().dead_letters}
            assert reasons == {"not for the book feed", "not for the odds feed"}
            assert ticker_of(system.address(NYY)) == NYY

    async def test_a_book_is_told_of_once(self, autojump_clock: object) -> None:
        """Both markets hear of a top when it changes, and not when it does not."""
        parts = bench_parts()
        heard: list[Any] = []
        tree = one_for_one(
            ActorSpec(NYY, lambda ctx: Note(ctx, heard), direct=True),
            ActorSpec(BOS, lambda ctx: Note(ctx, []), direct=True),
            ActorSpec(BOOK_FEED, lambda ctx: BookFeed(ctx, parts), direct=True),
        )
        body = {"market_ticker": NYY, "yes_dollars_fp": [["0.4000", "5.00"]]}
        async with open_system(tree, rng=random.Random(1)) as system:
            for seq in (1, 2):
                frame = {"type": "orderbook_snapshot", "sid": 1, "seq": seq, "msg": body}
                system.address(BOOK_FEED).tell(Frame(orjson.dumps(frame).decode(), 0, 0))
            (top,) = heard
            assert isinstance(top, Top)
            assert (top.ticker, top.bid_e4, top.ask_e4, top.usable) == (NYY, 4_000, None, True)


async def test_the_tree_has_control_and_tape_beside_trading(autojump_clock: object) -> None:
    """They stand before trading and outside of it; without them trading stands alone."""
    parts = bench_parts()

    def note(ctx: Context) -> Note:
        return Note(ctx, [])

    common: dict[str, Any] = dict.fromkeys(("journal", "gateway", "book_feed"), note)
    common["odds_feeds"] = {ODDS_FEED: note}
    alone = engine_tree(parts, **common)
    beside = engine_tree(parts, control=note, tape=note, **common)

    assert [child.name for child in alone.children] == ["trading"]
    apart, trading = beside.children
    assert isinstance(apart, SupervisorSpec)
    assert [child.name for child in apart.children] == ["control", TAPE]
    assert trading.name == "trading"
    async with open_system(beside, rng=random.Random(1)) as system:
        assert len(list(system.snapshot())) == 14


@pytest.mark.parametrize("name", ["control", TAPE])
async def test_what_stands_beside_trading_never_takes_it_down(
    name: str, autojump_clock: object
) -> None:
    """One that fails at each start is set apart, and tried again by whoever watches the tree."""
    parts = bench_parts()
    watch = TreeWatch(parts.board)
    starts: list[float] = []

    def note(ctx: Context) -> Note:
        return Note(ctx, [])

    def fails(_ctx: Context) -> Note:
        starts.append(trio.current_time())
        raise OSError("no space left on device")

    common: dict[str, Any] = dict.fromkeys(("journal", "gateway", "book_feed"), note)
    both = {"control": note, "tape": note} | {name: fails}
    tree = engine_tree(parts, odds_feeds={ODDS_FEED: note}, **common, **both)
    async with (
        open_system(tree, rng=random.Random(1), on_event=watch.hear) as system,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(watch.run, system)
        await trio.sleep(50)
        assert system.find(name).state is State.QUARANTINED
        assert system.find("trading").state is State.RUNNING
        assert len(starts) == 4
        await trio.sleep(RELEASED_AFTER_S)
        assert system.find("trading").generation == 1
        # Four starts each time: of control ten times, as nobody can release anything without it.
        assert len(starts) == (44 if name == "control" else 8)
        nursery.cancel_scope.cancel()


def test_parts_of_an_unknown_market_cost_nothing() -> None:
    """A market that is not traded has no listing and no fee."""
    parts = bench_parts()
    assert parts.listing("KXNONE") is None
    assert parts.fee_e6("KXNONE", ENTRY.price_e4, ENTRY.count_e2, ENTRY.liquidity) == 0
    assert "2 markets" in repr(parts)


def test_a_kept_order_is_what_an_unsent_amendment_leaves() -> None:
    """The report that ends an amendment which never left is no refusal of the order."""
    order = order_in(OrderState.RESTING)
    order.apply(OrderKept("o1", "not sent", "a test"))
    order.apply(accepted())
    assert order.state is OrderState.RESTING
