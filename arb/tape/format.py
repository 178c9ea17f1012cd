"""What a tape is: a text file, one JSON object a line, the header first and then the frames.

A frame's text is kept exactly as the feed sent it, so that a replay goes through the same parser
as live trading does. The header holds what the feeds do not say: which games and markets there
are, their price grids and fees, and what about them was assumed.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

import attrs
import cattrs
import orjson
from cattrs.preconf.orjson import make_converter

from arb.core.grid import PriceGrid
from arb.core.matching import KalshiGame, OddsEvent
from arb.core.money import CountE2

FORMAT = "arb-tape"

# Raised when a reader of the version before could no longer understand a tape.
VERSION = 3

# The first version knew no listings after the header, and nothing that changes in them; the second
# did not keep what was read of a provider beside its stream.
VERSIONS_READ = (1, 2, VERSION)

# A tape whose name ends so is compressed.
GZIP_SUFFIX = ".gz"


class TapeError(Exception):
    """A tape that cannot be read or written; the message is one line with file and line number."""


class Feed(StrEnum):
    """Which kind of feed a frame came from, and so which parser reads it.

    A listing is what both sides list from then on, as a header of its own. What was polled is a
    provider's reading, as `arb.tape.polled` writes it.
    """

    BOOKS = "books"
    ODDS = "odds"
    POLLED = "polled"
    LISTING = "listing"


@attrs.frozen
class Record:
    """One frame: when it was in hand (Unix milliseconds), where it came from, and its text.

    ``source`` names the connection among those of its feed (``kalshi``, ``odds-api-io``): each
    has sequence numbers or event ids of its own.
    """

    at_ms: int
    feed: Feed
    source: str
    raw: str


@attrs.frozen
class TapeSeries:
    """The fees of one of Kalshi's series; the multiplier times 10**4."""

    ticker: str
    fee_type: str
    fee_multiplier_e4: int


@attrs.frozen
class TapeFeeChange:
    """Fees that a series has from a moment on, Unix milliseconds."""

    series_ticker: str
    fee_type: str
    fee_multiplier_e4: int
    at_ms: int


@attrs.frozen
class TapeMarket:
    """One market and the prices that it trades at; ``status`` is the payload's word."""

    ticker: str
    grid: PriceGrid
    exchange_index: int = 0
    status: str = "active"
    close_ms: int | None = None


@attrs.frozen
class TapeEvent:
    """One game as Kalshi listed it; ``start_ms`` is its milestone's, Unix milliseconds.

    Its fees are its series' unless it has some of its own.
    """

    event_ticker: str
    series_ticker: str
    markets: tuple[TapeMarket, ...]
    start_ms: int | None = None
    fee_type: str | None = None
    fee_multiplier_e4: int | None = None


@attrs.frozen
class TapeHeader:
    """What a tape holds and where it is from, times in Unix milliseconds.

    ``assumptions`` are sentences on what the source did not say. ``level_size_e2`` is the size of
    every level where sizes are assumed, else None.
    """

    source: str
    begins_ms: int
    series: tuple[TapeSeries, ...]
    events: tuple[TapeEvent, ...]
    odds_events: tuple[OddsEvent, ...]
    assumptions: tuple[str, ...] = ()
    level_size_e2: CountE2 | None = None
    fee_changes: tuple[TapeFeeChange, ...] = ()

    def kalshi_games(self) -> tuple[KalshiGame, ...]:
        """Return the listings as the matcher takes them."""
        return tuple(
            KalshiGame(
                event_ticker=event.event_ticker,
                market_tickers=tuple(market.ticker for market in event.markets),
                start_ms=event.start_ms,
            )
            for event in self.events
        )


def is_compressed(path: Path) -> bool:
    """Tell by a tape's name whether it is compressed."""
    return path.suffix == GZIP_SUFFIX


def header_line(header: TapeHeader) -> bytes:
    """Return the first line of a tape."""
    first = {"format": FORMAT, "version": VERSION}
    return orjson.dumps(first | _CONVERTER.unstructure(header), option=orjson.OPT_APPEND_NEWLINE)


def record_line(record: Record) -> bytes:
    """Return the line of one frame; raises `TapeError` for a text that is no Unicode."""
    line = {
        "at_ms": record.at_ms,
        "feed": record.feed,
        "source": record.source,
        "raw": record.raw,
    }
    try:
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError as error:
        raise TapeError(f"a frame of {record.source} cannot be kept: {error}") from None


def parse_header(line: bytes) -> TapeHeader:
    """Read the first line of a tape; raises `ValueError` with what is wrong."""
    try:
        return _header(_object(line))
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def _header(fields: dict[str, Any]) -> TapeHeader:
    if fields.pop("format", None) != FORMAT:
        raise ValueError("this is no tape: its first line does not say so")
    version = fields.pop("version", None)
    if version not in VERSIONS_READ:
        raise ValueError(f"tape of version {version!r}, understood is version {VERSION}")
    try:
        return _CONVERTER.structure(fields, TapeHeader)
    except (cattrs.BaseValidationError, TypeError, ValueError) as error:
        faults = cattrs.transform_error(error, path="header")
        raise ValueError(faults[0]) from None


def parse_record(line: bytes) -> Record:
    """Read the line of one frame; raises `ValueError` with what is wrong."""
    try:
        return _record(_object(line))
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


# JSON of a thousand brackets can be parsed, and Python cannot write it down again.
_TOO_DEEP = "nested too deeply"


def _record(fields: dict[str, Any]) -> Record:
    try:
        at_ms, feed = fields["at_ms"], fields["feed"]
        source, raw = fields["source"], fields["raw"]
    except KeyError as missing:
        raise ValueError(f"{missing} is missing") from None
    if type(at_ms) is not int or at_ms < 0:
        raise ValueError(f"at_ms is {at_ms!r}, not a time in milliseconds")
    if type(source) is not str or type(raw) is not str:
        raise ValueError("source or raw is not a text")
    known = _FEEDS.get(feed) if type(feed) is str else None
    if known is None:
        raise ValueError(f"feed is {feed!r}, not one of {', '.join(_FEEDS)}")
    return Record(at_ms, known, source, raw)


_FEEDS = {feed.value: feed for feed in Feed}


def _object(line: bytes) -> dict[str, Any]:
    if not line:
        raise ValueError("the tape is empty")
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - the line is wrong, not the call
    return fields


def _strictly(value: object, kind: type) -> Any:
    # The converter's own reading of int takes "12" and 1.5: a damaged header would pass for one.
    if type(value) is not kind:
        raise ValueError(f"{value!r} is not of type {kind.__name__}")
    return value


_CONVERTER = make_converter(forbid_extra_keys=True)
_CONVERTER.register_structure_hook(int, _strictly)
_CONVERTER.register_structure_hook(str, _strictly)
