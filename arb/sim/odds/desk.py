"""What the odds provider knows: each book's line of each game, and what changed since."""

from __future__ import annotations

import random
from collections import deque
from typing import Protocol

import attrs

from arb.sim.conditions import OddsConditions
from arb.sim.timing import WallClock
from arb.sim.world.games import Game
from arb.sim.world.sportsbooks import Follower, Line

# A book takes a game off the board about this often, somewhere, and for about that long.
_SUSPENSION_EVERY_MS = 45_000.0
_SUSPENDED_LOWEST_MS = 2_000.0
_SUSPENDED_HIGHEST_MS = 8_000.0


@attrs.frozen
class Change:
    """One thing that happened to one book's line: what is sent to whoever listens.

    ``kind`` is the message type: created, updated, no_markets or deleted.
    """

    kind: str
    game: Game
    book: str
    line: Line
    seq: int
    at_ms: int


class ChangeListener(Protocol):
    """A connection that is told of changes, all of one moment together."""

    def changed(self, changes: list[Change]) -> None:
        """Take the changes of one moment."""


@attrs.define
class _Quote:
    """A book's line as the provider has it; ``back_at_ms`` is world time, set while suspended."""

    game: Game
    line: Line
    seq: int
    back_at_ms: float | None = None


class OddsDesk:
    """Listens to the world and keeps what the provider would tell.

    ``moment_ms`` of its step is world time, which the speed has scaled.
    """

    def __init__(
        self,
        games: list[Game],
        clock: WallClock,
        rng: random.Random,
        conditions: OddsConditions,
        *,
        suspensions: bool = True,
    ) -> None:
        self.games = {game.game_id: game for game in games}
        self.books: list[str] = []
        self.listeners: list[ChangeListener] = []
        self.clock = clock
        self.rng = rng
        self.conditions = conditions
        self.seq = rng.randrange(400_000, 500_000)
        self._quotes: dict[tuple[int, str], _Quote] = {}
        self._pending: dict[tuple[int, str], Change] = {}
        self._late: deque[tuple[int, list[Change]]] = deque()
        self._suspends = suspensions
        self._next_suspension_ms = rng.expovariate(1 / _SUSPENSION_EVERY_MS)

    def __repr__(self) -> str:
        return f"OddsDesk({len(self._quotes)} lines, seq={self.seq}, {len(self.listeners)} sockets)"

    def opened(self, game: Game, follower: Follower) -> None:
        """Take a book's first line of a game that is new; no message tells of it."""
        self.games[game.game_id] = game
        book = follower.bookmaker.name
        if book not in self.books:
            self.books.append(book)
        self._quotes[game.game_id, book] = _Quote(game, follower.line, self._next_seq())

    def line_changed(self, game: Game, follower: Follower) -> None:
        """Take a book's new line; a suspended game is back with it only when its time has come."""
        if follower.bookmaker.name in self.conditions.frozen_books:
            return
        quote = self._quotes[game.game_id, follower.bookmaker.name]
        quote.line = follower.line
        if quote.back_at_ms is None:
            self._note("updated", quote, follower.bookmaker.name)

    def game_over(self, game: Game) -> None:
        """Take a finished game down at every book."""
        for book in self.books:
            quote = self._quotes.pop((game.game_id, book), None)
            if quote is not None:
                self._note("deleted", quote, book)

    def suspend(self, game_id: int, book: str, back_at_ms: float) -> None:
        """Take one game off one book's board until a moment of world time."""
        quote = self._quotes[game_id, book]
        quote.back_at_ms = back_at_ms
        self._note("no_markets", quote, book)

    def step(self, moment_ms: float) -> None:
        """End and begin suspensions, then tell the listeners what changed."""
        for (_, book), quote in self._quotes.items():
            if quote.back_at_ms is not None and moment_ms >= quote.back_at_ms:
                quote.back_at_ms = None
                self._note("created", quote, book)
        if self._suspends and self._quotes and moment_ms >= self._next_suspension_ms:
            self._next_suspension_ms = moment_ms + self.rng.expovariate(1 / _SUSPENSION_EVERY_MS)
            game_id, book = self.rng.choice(list(self._quotes))
            length_ms = self.rng.uniform(_SUSPENDED_LOWEST_MS, _SUSPENDED_HIGHEST_MS)
            if self._quotes[game_id, book].back_at_ms is None:
                self.suspend(game_id, book, moment_ms + length_ms)
        self._tell()

    def lines(self, game_id: int) -> dict[str, Line]:
        """Return the lines that stand for a game, by book, as conditions let them be seen."""
        return {
            book: self.seen(quote.game, book, quote.line)
            for (known, book), quote in self._quotes.items()
            if known == game_id
            and quote.back_at_ms is None
            and book not in self.conditions.absent_books
        }

    def since(self, seq: int) -> list[Change]:
        """Return the newest state of every line that changed after a sequence number."""
        if self.conditions.forget_resume:
            return []
        changes = [
            Change(
                "updated",
                quote.game,
                book,
                self.seen(quote.game, book, quote.line),
                quote.seq,
                quote.line.made_ms,
            )
            for (_, book), quote in self._quotes.items()
            if quote.seq > seq and quote.back_at_ms is None
        ]
        return sorted(changes, key=lambda change: change.seq)

    def swap_starts(self, one_id: int, other_id: int) -> None:
        """Let the provider tell each of two games' starts as the other's."""
        one, other = self.games[one_id], self.games[other_id]
        self.games[one_id] = attrs.evolve(one, start_ms=other.start_ms)
        self.games[other_id] = attrs.evolve(other, start_ms=one.start_ms)

    def seen(self, game: Game, book: str, line: Line) -> Line:
        """Return a line as the conditions show it: dearer, shifted, or with its sides swapped."""
        shift = self.conditions.shift
        if book in self.conditions.greedy_books:
            home, away = 1 / float(line.home), 1 / float(line.away)
            total = home + away
            dearer = (2 * total - 1) / total
            line = Line(f"{1 / (home * dearer):.3f}", f"{1 / (away * dearer):.3f}", line.made_ms)
        if shift:
            self.conditions.struck("shift")
            home, away = 1 / float(line.home), 1 / float(line.away)
            line = Line(f"{1 / (home + shift):.2f}", f"{1 / (away - shift):.2f}", line.made_ms)
        if self.conditions.holds("swap_sides") or game.game_id in self.conditions.swapped_games:
            line = Line(line.away, line.home, line.made_ms)
        return line

    def _note(self, kind: str, quote: _Quote, book: str) -> None:
        quote.seq = self._next_seq()
        now_ms = self.clock.wall_ms()
        line = self.seen(quote.game, book, quote.line)
        change = Change(kind, quote.game, book, line, quote.seq, now_ms)
        self._pending[quote.game.game_id, book] = change

    def _tell(self) -> None:
        if self.conditions.freeze:
            return
        now_ms = self.clock.wall_ms()
        if self._pending:
            self._late.append((now_ms, self._taken()))
        while self._late and now_ms - self._late[0][0] >= self.conditions.lag_ms:
            _, changes = self._late.popleft()
            for listener in list(self.listeners):
                listener.changed(changes)

    def _taken(self) -> list[Change]:
        """Take what has changed since the last time."""
        absent = self.conditions.absent_books
        changes = [change for change in self._pending.values() if change.book not in absent]
        if len(changes) < len(self._pending):
            self.conditions.struck("absent_books")
        self._pending.clear()
        if self.conditions.duplicate:
            changes = [change for change in changes for _ in range(2)]
        return changes

    def _next_seq(self) -> int:
        self.seq += 1
        return self.seq
