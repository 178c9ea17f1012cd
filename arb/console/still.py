"""One picture as lines of text, as wide as a terminal: for where nobody draws over a screen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any

import attrs
import urwid
from urwid.util import get_encoding

from arb.console.cells import Cell, Tone
from arb.console.header_view import LinkView
from arb.console.log_view import log_table
from arb.console.market_view import markets_table
from arb.console.money_view import positions_table
from arb.console.snapshot import Snapshot
from arb.console.view_model import HeaderView
from arb.console.widgets.frame import rule
from arb.console.widgets.header import BOTTOM, Header
from arb.console.widgets.paint import paint
from arb.console.widgets.table import Table

# The newest lines of the log, and the most rows of a table: with the header they are one screen.
LOG_ROWS = 5
ROWS_MAX = 8


def still(
    picture: Snapshot | None, link: LinkView, width: int, *, ticker: str = "", foot: str = ""
) -> list[str]:
    """Return header, markets, positions if there are any, and the newest lines of the log.

    The market of ``ticker`` is the one whose reason is written out, without one it is the first;
    ``foot`` stands in the last line of the frame. Times of day are UTC.
    """
    header = Header(HeaderView(picture, link))
    canvases = [header.render((width, header.rows_for(width)))]
    if picture is not None:
        canvases += [_markets(picture, width, ticker), *_positions(picture, width)]
        canvases.append(_log(picture, width))
    end = (Cell(foot, Tone.DIM),) if foot else ()
    canvases.append(paint([rule(width, (), end, BOTTOM)], width))
    return [text.decode(get_encoding()) for canvas in canvases for text in _texts(canvas)]


def _markets(picture: Snapshot, width: int, ticker: str) -> urwid.Canvas:
    # Its note names a key, and there is none to press here.
    view = attrs.evolve(markets_table(picture), note="")
    table = Table(view, lasting=True)
    tickers = [market.ticker for market in view.rows]
    if ticker in tickers:
        table.move(tickers.index(ticker))
    # Title, heading and the reason of one market stand beside the rows.
    return table.render((width, 3 + min(ROWS_MAX, len(tickers)) if tickers else 2))


def _positions(picture: Snapshot, width: int) -> list[urwid.Canvas]:
    view = positions_table(picture)
    return [_plain(Table(view), view.rows, ROWS_MAX, width)] if view.rows else []


def _log(picture: Snapshot, width: int) -> urwid.Canvas:
    view = log_table(picture, UTC)
    return _plain(Table(view), view.rows, LOG_ROWS, width)


def _plain(table: Table[Any], rows: Sequence[object], most: int, width: int) -> urwid.Canvas:
    if table.view.newest_last:
        table.move_to_end(last=True)
    return table.render((width, 1 + max(1, min(most, len(rows)))))


def _texts(canvas: urwid.Canvas) -> Sequence[bytes]:
    texts: Sequence[bytes] = canvas.text
    return texts
