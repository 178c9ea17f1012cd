"""An odds provider that a test moves by hand."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import trio
import trio.testing

from arb.sim.conditions import OddsConditions
from arb.sim.odds.desk import OddsDesk
from arb.sim.odds.server import OddsServer
from arb.sim.world.games import Game
from arb.sim.world.leagues import MLB, NFL
from arb.sim.world.sportsbooks import BOOKMAKERS, Follower, Line
from tests.sim.sim_client import (
    Answer,
    HandClock,
    HttpConnection,
    Socket,
    connect,
    game_of,
    open_socket,
)

KEY = "odds-key"


@attrs.define
class Provider:
    """An odds provider with two games and three books, moved by hand."""

    nursery: trio.Nursery
    clock: HandClock = attrs.field(factory=HandClock)
    conditions: OddsConditions = attrs.field(factory=OddsConditions)
    followers: dict[tuple[int, str], Follower] = attrs.field(factory=dict)
    games: list[Game] = attrs.field(factory=lambda: [game_of(NFL, 11), game_of(MLB, 12)])
    desk: OddsDesk = attrs.field(init=False)
    server: OddsServer = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        rng = random.Random("provider")
        self.desk = OddsDesk(self.games, self.clock, rng, self.conditions, suspensions=False)
        for game in self.games:
            for bookmaker in BOOKMAKERS[:3]:
                follower = Follower.opened(bookmaker, 0.5, rng, self.clock.now_ms)
                follower.line = Line("1.90", "1.90", self.clock.now_ms)
                self.followers[game.game_id, bookmaker.name] = follower
                self.desk.opened(game, follower)
        self.server = OddsServer(self.desk, KEY)

    def move(self, game_id: int, book: str, home: str, away: str) -> None:
        """Let a book put up a new line; it goes out with the next `tell`."""
        follower = self.followers[game_id, book]
        follower.line = Line(home, away, self.clock.now_ms)
        game = next(one for one in self.games if one.game_id == game_id)
        self.desk.line_changed(game, follower)

    def tell(self, moment_ms: float = 0.0) -> None:
        self.desk.step(moment_ms)

    async def get(self, path: str, key: str = KEY) -> Answer:
        joint = "&" if "?" in path else "?"
        http = HttpConnection(connect(self.nursery, self.server.serve_stream))
        answer = await http.send("GET", f"/v3{path}{joint}apiKey={key}", [])
        assert answer is not None
        return answer

    async def json(self, path: str) -> Any:
        answer = await self.get(path)
        assert answer.status == 200, answer.body
        return answer.json

    @asynccontextmanager
    async def stream(self, query: str = "markets=ML") -> AsyncIterator[Socket]:
        stream = connect(self.nursery, self.server.serve_stream)
        async with open_socket(stream, f"/v3/ws?apiKey={KEY}&{query}", []) as socket:
            welcome = await socket.frame()
            assert welcome["type"] == "welcome"
            yield socket
