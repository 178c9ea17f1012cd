"""The tape: every raw frame of the two feeds, kept as it came, for replay."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import trio

from actors import Actor, Context
from arb.core.games import OddsEvent
from arb.engine.discovery import Listed
from arb.tape.format import Record, TapeEvent, TapeHeader, TapeMarket, TapeSeries
from arb.tape.writer import TapeWriter

# What a crash of the whole process may cost of the tape; the journal loses nothing.
FLUSH_EVERY_S = 1.0


class Tape(Actor):
    """Appends what it is told; it stands beside trading and can fail without it."""

    def __init__(self, ctx: Context, path: Path, header: TapeHeader) -> None:
        super().__init__(ctx)
        self._path = path.with_stem(f"{path.stem}-{ctx.generation}")
        self._header = header
        self._writer: TapeWriter | None = None

    async def start(self) -> None:
        """Begin a tape of its own, so that no earlier one is touched; raises `TapeError`."""
        self._writer = TapeWriter(self._path, self._header)

    def receive(self, message: object) -> None:
        """Append one frame; raises `TapeError`."""
        if isinstance(message, Record) and self._writer is not None:
            self._writer.append(message)
        else:
            self.ctx.dead_letter(message, "not for the tape")

    async def run(self) -> None:
        """Hand what was kept to the kernel now and then."""
        try:
            while True:
                await trio.sleep(FLUSH_EVERY_S)
                if self._writer is not None:
                    self._writer.flush()
        finally:
            if self._writer is not None:
                self._writer.close()

    def __repr__(self) -> str:
        return f"<Tape {self._writer or self._path}>"


def header_of(listed: Listed, offered: Sequence[OddsEvent], begins_ms: int) -> TapeHeader:
    """Describe what both sides listed, so that a replay finds the same markets by itself."""
    series: dict[str, TapeSeries] = {}
    events = []
    for game in listed.games:
        # A series' name is what stands before the first dash of its events'.
        name = game.event_ticker.partition("-")[0]
        markets = []
        for ticker in game.market_tickers:
            terms = listed.terms[ticker]
            fees = terms.fees
            series.setdefault(name, TapeSeries(name, fees.fee_type, fees.multiplier_e4))
            markets.append(TapeMarket(ticker, terms.grid, terms.exchange_index))
        events.append(TapeEvent(game.event_ticker, name, tuple(markets), game.start_ms))
    return TapeHeader(
        source="recorded by arb",
        begins_ms=begins_ms,
        series=tuple(series.values()),
        events=tuple(events),
        odds_events=tuple(offered),
    )
