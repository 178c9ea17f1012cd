"""A whole engine against the simulated world, in one process and in virtual time."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from cryptography.hazmat.primitives.asymmetric import rsa

from actors import System
from actors.testing import seeded_schedule
from arb.core.commands import Purpose
from arb.core.parameters import Execution, Strategy
from arb.engine.board import Board, LogLine
from arb.engine.halt_file import HaltFile
from arb.engine.kalshi_gateway import KalshiGateway
from arb.engine.messages import StopTrading
from arb.engine.names import GATEWAY, MARKETS, RISK
from arb.engine.parts import Parts
from arb.engine.risk import RiskManager
from arb.engine.steering import EngineSteering
from arb.engine.stopping import StopRequest
from arb.faults.clock import TrueClock
from arb.faults.engine import EXCHANGE, ODDS, Seams, opened_engine, venues_of
from arb.io.clock import VirtualClock
from arb.io.memory import MemoryNetwork
from arb.io.teams_file import packaged_teams
from arb.journal.writer import JournalFile, MemoryFile
from arb.kalshi.sign import Signer, load_signer
from arb.settings import Mode, Settings
from arb.sim.credentials import make_member_key
from arb.sim.exchange.account import Account
from arb.sim.exchange.values import BookSide, Order
from arb.sim.simulation import Simulation, SimulationSettings
from arb.sim.websocket.session import Session
from arb.sim.websocket.subscriptions import Channel
from tests.engine.written_purposes import WrittenPurposes

# A Sunday noon in season, so that the four leagues play.
EPOCH_MS = 1_795_343_226_907


@pytest.fixture(autouse=True)
def _one_schedule() -> Iterator[None]:
    """Let a seed decide in which order tasks run, so that each test is the same every time."""
    with seeded_schedule(1):
        yield


@attrs.define
class Rig:
    """One engine at work in one world, and everything a test may want to look at or break."""

    simulation: Simulation
    network: MemoryNetwork
    parts: Parts
    system: System
    file: JournalFile
    settings: Settings
    steering: EngineSteering
    stop: StopRequest
    purposes: WrittenPurposes = attrs.field(
        init=False, default=attrs.Factory(lambda rig: WrittenPurposes(rig.file), takes_self=True)
    )

    @property
    def board(self) -> Board:
        """Return what the engine shows."""
        return self.parts.board

    @property
    def account(self) -> Account:
        """Return the exchange's own ledger of us."""
        return self.simulation.member

    @property
    def risk(self) -> RiskManager:
        """Return the risk manager's instance of the moment."""
        found: RiskManager = self.instance(RISK)
        return found

    @property
    def gateway(self) -> KalshiGateway:
        """Return the gateway's instance of the moment."""
        found: KalshiGateway = self.instance(GATEWAY)
        return found

    @property
    def state(self) -> str:
        """Return whether the engine trades."""
        return str(self.board.account.state) if self.board.account is not None else "starting"

    @property
    def reasons(self) -> str:
        """Return why the engine does not trade."""
        return "; ".join(self.board.account.reasons) if self.board.account is not None else ""

    @property
    def held_e2(self) -> dict[str, int]:
        """Return the positions that the exchange says we have."""
        return {t: p.count_e2 for t, p in self.account.positions.items() if p.count_e2}

    @property
    def on_sale_e2(self) -> dict[str, int]:
        """Return what rests as exits, signed as `held_e2`: a bid that buys NO back is below 0."""
        on_sale_e2: Counter[str] = Counter()
        for order in self.resting_exits():
            sign = 1 if order.side is BookSide.ASK else -1
            on_sale_e2[order.ticker] += sign * order.remaining_e2
        return dict(on_sale_e2)

    def orders(self, ticker: str | None = None) -> list[Order]:
        """Return every order that ever reached the exchange, oldest first."""
        return [one for one in self.account.history.values() if ticker in (None, one.ticker)]

    def resting(self, ticker: str | None = None) -> list[Order]:
        """Return what rests at the exchange now."""
        return [one for one in self.account.resting.values() if ticker in (None, one.ticker)]

    def entries(self, ticker: str | None = None) -> list[Order]:
        """Return every entry that ever reached the exchange, oldest first."""
        return self._written_for(Purpose.ENTRY, self.orders(ticker))

    def exits(self, ticker: str | None = None) -> list[Order]:
        """Return every exit that ever reached the exchange, oldest first."""
        return self._written_for(Purpose.EXIT, self.orders(ticker))

    def resting_entries(self, ticker: str | None = None) -> list[Order]:
        """Return the entries that rest at the exchange now."""
        return self._written_for(Purpose.ENTRY, self.resting(ticker))

    def resting_exits(self, ticker: str | None = None) -> list[Order]:
        """Return the exits that rest at the exchange now."""
        return self._written_for(Purpose.EXIT, self.resting(ticker))

    def _written_for(self, purpose: Purpose, orders: list[Order]) -> list[Order]:
        return [each for each in orders if self.purposes.of(each.client_order_id) is purpose]

    def session(self, channel: Channel) -> Session:
        """Return the exchange's end of the socket that carries a channel."""
        return next(
            one
            for one in self.simulation.exchange.sessions
            if one.subscription(channel) is not None
        )

    def heal(self) -> None:
        """Switch every fault of the world off."""
        for conditions in (self.simulation.exchange_conditions, self.simulation.odds_conditions):
            fresh = type(conditions)()
            for name in attrs.fields_dict(type(conditions)):
                setattr(conditions, name, getattr(fresh, name))

    def markets(self) -> list[str]:
        """Return the names of the markets' actors."""
        return [n.name for n in self.system.snapshot() if f"/{MARKETS}/" in n.path]

    def said(self, words: str) -> bool:
        """Tell whether the engine's log has these words."""
        return any(words in line.text for line in self.board.log)

    async def ask(self, message: object) -> Any:
        """Ask the risk manager."""
        return await self.system.address(RISK).ask(message, timeout_s=1.0)

    async def until(self, happened: Callable[[], bool], seconds: float = 120.0) -> None:
        """Wait in virtual time until something is so; fails the test if it never is."""
        with trio.fail_after(seconds):
            # What happens in a world cannot be waited for: it is looked at.
            while not happened():  # noqa: ASYNC110
                await trio.sleep(0.01)

    async def withdraw(self, *, cancel_exits: bool) -> None:
        """Stop trading, and wait until nothing rests that must not."""
        with trio.fail_after(60):
            while await self.ask(StopTrading(cancel_exits)):  # noqa: ASYNC110
                await trio.sleep(0.02)

    async def until_running(self) -> None:
        """Wait until the engine may trade."""
        await self.until(lambda: self.state == "running", 60)

    def assert_books_equal(self) -> None:
        """Compare the engine's books with the exchange's, to the last unit."""
        ledger = self.risk._books.ledger
        held = {t: p.count_e2 for t, p in ledger.positions.items() if p.count_e2}
        assert held == self.held_e2
        assert ledger.cash_e6 == self.account.total_cash_e6
        assert self.board.counts["invariant_violations"] == 0, list(self.board.log)

    def assert_no_orphan(self) -> None:
        """Compare what rests with what the engine thinks rests, and look for a second use."""
        ledger = self.risk._books.ledger
        resting = {order.client_order_id for order in self.resting()}
        assert resting == {o.client_order_id for o in ledger.all_at_stake() if o.is_open}
        used = Counter(order.client_order_id for order in self.orders())
        assert set(used.values()) <= {1}

    def instance(self, name: str) -> Any:
        """Return an actor's instance of the moment."""
        cell: Any = self.system.cell_of(self.system.address(name))
        return cell._receive.__self__


@attrs.frozen
class Member:
    """The member's key, made and loaded once: an RSA key costs a tenth of a second."""

    public: rsa.RSAPublicKey
    path: Path
    sign: Callable[[bytes], bytes]


@pytest.fixture(scope="session")
def member(tmp_path_factory: pytest.TempPathFactory) -> Member:
    """Return a key for the simulated exchange."""
    made = make_member_key(tmp_path_factory.mktemp("keys"))
    return Member(made.public, made.path, load_signer("any", made.path)._sign)


# Makers alone: the spread's middle and a little more, which the world offers all the time.
MAKER_ONLY = Settings(strategy=Strategy(taker_edge_threshold=60, min_edge_after_fees=0))
SLOW_MAKER = attrs.evolve(MAKER_ONLY, execution=Execution(maker_timeout_ms=8_000))


def _unheard(_line: LogLine) -> None:
    """Hear no log."""


@pytest.fixture
def open_rig(member: Member) -> Callable[..., object]:
    """Return what opens a rig: ``async with open_rig(seed=..., file=...) as rig``.

    Its machine can `fall_asleep`. Whoever passes a ``simulation`` keeps the world running himself.
    """

    @asynccontextmanager
    async def open_one(
        *,
        seed: int = 1,
        games: int = 2,
        settings: Settings | None = None,
        file: JournalFile | None = None,
        simulation: Simulation | None = None,
        mode: Mode = Mode.SIM,
        tape: Path | None = None,
        halt_file: HaltFile | None = None,
        on_log: Callable[[LogLine], None] = _unheard,
    ) -> AsyncIterator[Rig]:
        clock = TrueClock(EPOCH_MS)
        file = MemoryFile() if file is None else file
        settings = Settings() if settings is None else settings
        world = simulation or Simulation(SimulationSettings(seed=seed, games=games), clock)
        async with trio.open_nursery() as nursery:
            network = MemoryNetwork(nursery)
            network.listen(*EXCHANGE, world.exchange.serve_stream)
            network.listen(*ODDS, world.odds.serve_stream)
            providers = settings.odds_feed.provider
            venues = venues_of(world, world.admit(member.public), member.path, providers)
            if simulation is None:
                nursery.start_soon(world.run)
            signer = Signer(venues.key_id, "rsa", member.sign)
            seams = Seams(
                venues,
                network,
                clock,
                signer,
                settings,
                packaged_teams(),
                file,
                random.Random(1),
                mode,
                on_log,
                tape=tape,
                halt_file=halt_file,
            )
            async with opened_engine(seams) as made:
                yield Rig(
                    world,
                    network,
                    made.parts,
                    made.system,
                    file,
                    settings,
                    made.steering,
                    made.stop,
                )
            nursery.cancel_scope.cancel()

    return open_one


def new_world(seed: int = 1, games: int = 2) -> Simulation:
    """Make a world that outlives an engine; somebody must run it."""
    return Simulation(SimulationSettings(seed=seed, games=games), VirtualClock(EPOCH_MS))
