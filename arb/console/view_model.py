"""From the engine's picture to everything the screens show: pure, with no terminal in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo

import attrs

from arb.console.actor_view import actors_table
from arb.console.cells import Line
from arb.console.header_view import (
    LinkView,
    Title,
    banners,
    connection_line,
    money_line,
    title,
)
from arb.console.log_view import log_table
from arb.console.market_view import markets_table
from arb.console.money_view import positions_table, trades_table
from arb.console.snapshot import ActorEntry, LogLine, Market, Position, Snapshot, Trade
from arb.console.table_view import TableView


@attrs.frozen
class HeaderView:
    """The top of every screen; its lines depend on the width they get."""

    picture: Snapshot | None
    link: LinkView

    @property
    def title(self) -> Title:
        """Return what the frame's first line says."""
        return title(self.picture)

    def lines(self, width: int) -> tuple[Line, ...]:
        """Return the lines below the frame's first one."""
        stand = banners(self.picture, self.link, width)
        if self.picture is None:
            return stand
        return (money_line(self.picture, width), connection_line(self.picture, width), *stand)


@attrs.frozen
class View:
    """Everything the console shows of one picture."""

    header: HeaderView
    markets: TableView[Market]
    positions: TableView[Position]
    trades: TableView[Trade]
    log: TableView[LogLine]
    actors: TableView[ActorEntry]


def make_view(
    picture: Snapshot | None,
    link: LinkView,
    rates: Mapping[str, float],
    zone: tzinfo | None = None,
) -> View:
    """Return what to show of ``picture``; without one, panels say what they wait for."""
    return View(
        header=HeaderView(picture, link),
        markets=markets_table(picture),
        positions=positions_table(picture),
        trades=trades_table(picture, zone),
        log=log_table(picture, zone),
        actors=actors_table(picture, rates),
    )
