"""The simulated world, stepped: everything that moves prices, from one seed.

It owns no clock. Each step is told the wall-clock moment, for stamps and for what happens on the
calendar, and how much world time passed, which the speed has scaled.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from statistics import median
from typing import Protocol

import attrs

from arb.sim.exchange.lifecycle import postpone
from arb.sim.exchange.venue import Venue
from arb.sim.world.chance import HomeChance
from arb.sim.world.games import Game
from arb.sim.world.listing import list_game
from arb.sim.world.makers import Maker
from arb.sim.world.referee import Referee
from arb.sim.world.sportsbooks import BOOKMAKERS, Bookmaker, Follower
from arb.sim.world.takers import NoiseTraders

# Somewhere in the world a chance jumps about this often at speed 1; with eight games that gives
# a taker with a threshold of five cents several real edges a minute.
JUMP_EVERY_MS = 8_000.0


class OddsListener(Protocol):
    """Somebody who is told of the sportsbooks' new lines."""

    def line_changed(self, game: Game, follower: Follower) -> None:
        """A book put up a new line."""

    def game_over(self, game: Game) -> None:
        """A game ended; the books take it down."""


@attrs.define
class Fixture:
    """One game with everybody who has an opinion on it."""

    game: Game
    chance: HomeChance
    followers: list[Follower]
    maker: Maker
    over: bool = False
    postponed_ms: int = 0

    @property
    def ends_ms(self) -> int:
        """Return the moment of the final whistle."""
        return self.game.end_ms + self.postponed_ms

    @property
    def consensus(self) -> float:
        """Return the median of what the books believe, which the maker looks at."""
        return median(follower.belief for follower in self.followers)


class World:
    """All games and the traders in them; every draw comes from the one random source."""

    def __init__(
        self,
        venue: Venue,
        games: Sequence[Game],
        rng: random.Random,
        wall_ms: int,
        *,
        bookmakers: Sequence[Bookmaker] = BOOKMAKERS,
        settle_scale: float = 1.0,
    ) -> None:
        self.venue = venue
        self.listeners: list[OddsListener] = []
        self.moment_ms = 0.0
        self._rng = rng
        self._bookmakers = bookmakers
        self._jump_at_ms = rng.expovariate(1 / JUMP_EVERY_MS)
        self._noise = NoiseTraders(venue.open_account("noise", {}, bottomless=True))
        self.referee = Referee(venue, settle_scale)
        self.fixtures: dict[int, Fixture] = {}
        for game in games:
            self.add(game, wall_ms)

    def __repr__(self) -> str:
        return f"World({len(self.fixtures)} games, moment_ms={self.moment_ms:.0f})"

    def step(self, wall_ms: int, elapsed_ms: float) -> None:
        """Let so much world time pass."""
        self.moment_ms += elapsed_ms
        playing = [fixture for fixture in self.fixtures.values() if not fixture.over]
        self._move_chances(playing, elapsed_ms)
        for fixture in playing:
            self._follow(fixture, wall_ms)
            fixture.maker.step(self.venue, fixture.consensus, self.moment_ms, elapsed_ms, self._rng)
            self._make_noise(fixture, elapsed_ms)
        for fixture in playing:
            if wall_ms >= fixture.ends_ms:
                self._end(fixture, wall_ms)
        self.referee.step(wall_ms)

    def add(self, game: Game, wall_ms: int) -> Fixture:
        """List a game; everybody has an opinion on it from then on."""
        self.fixtures[game.game_id] = self._fixture(game, self._bookmakers, wall_ms)
        return self.fixtures[game.game_id]

    def jump(self, game_id: int, home_chance: float) -> None:
        """Set a game's true chance by hand, as a test or a person may want to."""
        self.fixtures[game_id].chance.value = home_chance

    def postpone(self, game_id: int, by_ms: int) -> None:
        """Let a game begin and end so much later than it was listed."""
        fixture = self.fixtures[game_id]
        fixture.postponed_ms += by_ms
        postpone(self.venue, self.venue.events[fixture.game.event_ticker], by_ms)

    def call_off(self, game_id: int, wall_ms: int) -> None:
        """Let a game not be played at all; its markets pay their fair market price."""
        fixture = self.fixtures[game_id]
        fixture.over = True
        self.referee.call_off(fixture.game, wall_ms)
        for listener in self.listeners:
            listener.game_over(fixture.game)

    def ends_first(self) -> Fixture | None:
        """Return the game that ends before all others, None where every one is over."""
        playing = (fixture for fixture in self.fixtures.values() if not fixture.over)
        return min(playing, key=lambda fixture: fixture.ends_ms, default=None)

    def end_first(self, wall_ms: int) -> None:
        """Blow the final whistle of that game now, whether or not it has begun."""
        fixture = self.ends_first()
        if fixture is not None:
            self._end(fixture, wall_ms)

    def _fixture(self, game: Game, bookmakers: Sequence[Bookmaker], wall_ms: int) -> Fixture:
        chance = HomeChance.drawn(self._rng)
        followers = [
            Follower.opened(bookmaker, chance.value, self._rng, wall_ms) for bookmaker in bookmakers
        ]
        home, away = list_game(self.venue, game, wall_ms)
        account = self.venue.open_account(f"maker-{game.game_id}", {}, bottomless=True)
        maker = Maker(account, home, away, chance.value)
        maker.quote(self.venue, self._rng)
        return Fixture(game, chance, followers, maker)

    def _move_chances(self, playing: list[Fixture], elapsed_ms: float) -> None:
        for fixture in playing:
            fixture.chance.drift(self._rng, elapsed_ms)
        while playing and self.moment_ms >= self._jump_at_ms:
            self._rng.choice(playing).chance.jump(self._rng)
            self._jump_at_ms += self._rng.expovariate(1 / JUMP_EVERY_MS)

    def _follow(self, fixture: Fixture, wall_ms: int) -> None:
        for follower in fixture.followers:
            if follower.step(fixture.chance.value, self.moment_ms, self._rng, wall_ms):
                for listener in self.listeners:
                    listener.line_changed(fixture.game, follower)

    def _make_noise(self, fixture: Fixture, elapsed_ms: float) -> None:
        home = fixture.chance.value
        for market, chance in ((fixture.maker.home, home), (fixture.maker.away, 1 - home)):
            self._noise.step(self.venue, market, chance, elapsed_ms, self._rng)

    def _end(self, fixture: Fixture, wall_ms: int) -> None:
        fixture.over = True
        tie = fixture.game.league.ties and self._rng.random() < self.referee.tie_share
        home_wins = self._rng.random() < fixture.chance.value
        tie = tie or self.venue.conditions.force_ties
        self.referee.whistle(fixture.game, wall_ms, home_wins=None if tie else home_wins)
        for listener in self.listeners:
            listener.game_over(fixture.game)
