"""The whole simulated world in one piece: built from a seed, stepped, served on any stream."""

from __future__ import annotations

import random
import uuid

import attrs
import trio

from arb.sim.conditions import ExchangeConditions, OddsConditions
from arb.sim.exchange.maintenance import keep_window
from arb.sim.exchange.tiers import ADVANCED, Tier
from arb.sim.exchange.venue import Venue
from arb.sim.odds.desk import OddsDesk
from arb.sim.odds.server import OddsServer
from arb.sim.signatures import KeyRing, PublicKey
from arb.sim.timing import WallClock
from arb.sim.websocket.server import ExchangeServer
from arb.sim.websocket.session import OUTBOX_FRAMES_MAX
from arb.sim.world.churn import Churn
from arb.sim.world.games import Calendar, Game, make_games
from arb.sim.world.world import World

# Twenty steps a second: quick beside a bookmaker's delay, cheap beside a core.
STEP_S = 0.05
MEMBER = "member"
_SHARDS = (0, 3)


@attrs.frozen
class SimulationSettings:
    """What kind of world it is; the member's cash is split evenly over the shards in use.

    With ``maintenance`` trading rests on Thursday mornings as it really does; off by default, as
    a world that stands still at night would astonish. ``netting`` returns collateral within a
    game to the member. ``book_changes_per_s`` come on top of what makers and takers do, of real
    time, whatever the speed.
    """

    seed: int = 1
    games: int = 8
    speed: float = 1.0
    cash_e6: int = 10_000_000_000
    calendar: Calendar = attrs.field(factory=Calendar)
    enforce_limits: bool = False
    suspensions: bool = True
    odds_with_seq: bool = True
    outbox_limit: int = OUTBOX_FRAMES_MAX
    maintenance: bool = False
    netting: bool = False
    tier: Tier = ADVANCED
    book_changes_per_s: float = 0.0


class Simulation:
    """The world, the exchange in it and the odds provider beside it.

    Everything random comes from the seed, each part from a source of its own, so that a part that
    draws more often does not change the others.
    """

    def __init__(self, settings: SimulationSettings, clock: WallClock) -> None:
        self.settings = settings
        self.clock = clock
        self.exchange_conditions = ExchangeConditions()
        self.odds_conditions = OddsConditions()
        self.stands_still = False
        self.keys = KeyRing()
        # Two runs of one seed must not hand out the same order and trade ids: a journal may
        # remember those of the run before. In virtual time the moment is the same each time.
        self.world_id = f"{settings.seed}-{clock.wall_ms()}"
        self.venue = Venue(clock, random.Random(f"{self.world_id}/ids"), self.exchange_conditions)
        shares = _shares(settings.cash_e6, _SHARDS)
        self.member = self.venue.open_account(MEMBER, shares)
        self.member.netting = settings.netting
        self.member.tier = settings.tier
        self.key_id = self._uuid("key")
        self.odds_key = self._uuid("odds-key").replace("-", "")
        self.world = self._make_world()
        crowd = self.venue.open_account("crowd", {}, bottomless=True)
        self._churn = Churn(crowd, settings.book_changes_per_s, self._random("churn"))
        self.exchange = ExchangeServer(
            self.venue,
            self.keys,
            enforce_limits=settings.enforce_limits,
            outbox_limit=settings.outbox_limit,
        )
        self.odds = OddsServer(self.desk, self.odds_key, with_seq=settings.odds_with_seq)

    def __repr__(self) -> str:
        return f"Simulation(seed={self.settings.seed}, {self.world!r}, {self.venue!r})"

    def admit(self, key: PublicKey) -> str:
        """Let a key act for the member's account; returns the key's id."""
        self.keys.add(self.key_id, key, MEMBER)
        return self.key_id

    def step(self, elapsed_s: float) -> None:
        """Let so much real time pass in the world, scaled by the speed."""
        if self.settings.maintenance:
            keep_window(self.venue)
        self.world.step(self.clock.wall_ms(), elapsed_s * 1_000 * self.settings.speed)
        self._churn.step(self.venue, elapsed_s * 1_000)
        self.desk.step(self.world.moment_ms)

    def add_game(self, game: Game) -> None:
        """List one more game, on the exchange and with every sportsbook."""
        fixture = self.world.add(game, self.clock.wall_ms())
        for follower in fixture.followers:
            self.desk.opened(game, follower)

    def list_another(self) -> Game:
        """List the game that would have been the next of the world's own, and return it.

        With ``start_in_ms`` it begins so far ahead from now, whatever the stagger.
        """
        calendar = attrs.evolve(self.settings.calendar, stagger_ms=0)
        count = max(self.settings.games, len(self.world.fixtures)) + 1
        *_, game = make_games(self._random("games"), count, self.clock.wall_ms(), calendar)
        self.add_game(game)
        return game

    async def run(self) -> None:
        """Step for ever by Trio's clock, but while the world shall stand still."""
        last = trio.current_time()
        while True:
            await trio.sleep(STEP_S)
            now = trio.current_time()
            if not self.stands_still:
                self.step(now - last)
            last = now

    def _make_world(self) -> World:
        now_ms = self.clock.wall_ms()
        games = make_games(
            self._random("games"), self.settings.games, now_ms, self.settings.calendar
        )
        world = World(
            self.venue,
            games,
            self._random("world"),
            now_ms,
            settle_scale=1 / self.settings.speed,
        )
        self.desk = OddsDesk(
            games,
            self.clock,
            self._random("odds"),
            self.odds_conditions,
            suspensions=self.settings.suspensions,
        )
        for fixture in world.fixtures.values():
            for follower in fixture.followers:
                self.desk.opened(fixture.game, follower)
        world.listeners.append(self.desk)
        return world

    def _random(self, part: str) -> random.Random:
        return random.Random(f"{self.settings.seed}/{part}")

    def _uuid(self, part: str) -> str:
        return str(uuid.UUID(int=self._random(part).getrandbits(128), version=4))


def _shares(cash_e6: int, shards: tuple[int, ...]) -> dict[int, int]:
    share_e6 = cash_e6 // len(shards)
    shares = dict.fromkeys(shards, share_e6)
    shares[shards[0]] += cash_e6 - share_e6 * len(shards)
    return shares
