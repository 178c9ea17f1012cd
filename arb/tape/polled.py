"""What was read of a provider on demand, as one text on a tape.

A reading is several answers, some of them in pages, and what the stream's messages mean may rest on
it: so its quotes are kept as they were understood, with what the reader remembers from then on.
"""

from __future__ import annotations

from typing import Any

import attrs
import orjson

from arb.core.events import Quote, QuoteOrigin


@attrs.frozen
class Reading:
    """The quotes of one reading, and its reader's memory as JSON; None where it needs none."""

    quotes: tuple[Quote, ...]
    memory: Any = None


def reading_text(reading: Reading) -> str:
    """Write a reading; the provider is its record's source."""
    rows = [
        (
            each.event_id,
            each.book,
            each.home,
            each.away,
            each.draw,
            each.source_ms,
            each.received_ms,
            each.live,
            each.suspended,
        )
        for each in reading.quotes
    ]
    return orjson.dumps({"quotes": rows, "memory": reading.memory}).decode()


def parse_reading(raw: str, provider: str) -> Reading:
    """Read a reading; raises `ValueError` with what is wrong."""
    try:
        fields = orjson.loads(raw)
        quotes = tuple([_quote(provider, *row) for row in fields["quotes"]])
        return Reading(quotes, fields["memory"])
    except orjson.JSONDecodeError as error:
        raise ValueError(f"a reading is not JSON: {error}") from None
    except (KeyError, TypeError) as error:
        raise ValueError(f"a reading cannot be understood: {error}") from None


def _quote(
    provider: str,
    event_id: str,
    book: str,
    home: float,
    away: float,
    draw: float | None,
    source_ms: int,
    received_ms: int,
    live: bool,  # noqa: FBT001
    suspended: bool,  # noqa: FBT001
) -> Quote:
    texts, numbers = (event_id, book), (home, away, source_ms, received_ms)
    if not all(type(each) is str for each in texts) or not all(
        type(each) in {int, float} for each in numbers
    ):
        raise TypeError(f"{book!r} has texts or numbers in the wrong place")
    return Quote(
        provider,
        event_id,
        book,
        float(home),
        float(away),
        source_ms,
        received_ms,
        QuoteOrigin.POLL,
        draw,
        None,
        live is True,
        suspended is True,
    )
