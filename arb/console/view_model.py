"""What the screens are drawn from: the header's view, and everything known at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo

import attrs

from arb.console.cells import Line, RowT
from arb.console.closeups import Look, Wish
from arb.console.header_view import (
    LinkView,
    Title,
    banners,
    connection_line,
    money_line,
    title,
)
from arb.console.history import History
from arb.console.log_kept import LogChoice
from arb.console.snapshot import LogLine, Snapshot
from arb.console.table_view import TableView

# A look comes twice a second; one this old means that the engine does not answer.
OLD_LOOK_S = 3


@attrs.frozen
class HeaderView:
    """The top of every screen; its lines depend on the width they get."""

    picture: Snapshot | None
    link: LinkView

    @property
    def title(self) -> Title:
        """Return what the frame's first line says."""
        return title(self.picture, connected=self.link.connected)

    def lines(self, width: int) -> tuple[Line, ...]:
        """Return the lines below the frame's first one."""
        stand = banners(self.picture, self.link, width)
        if self.picture is None:
            return stand
        return (money_line(self.picture, width), connection_line(self.picture, width), *stand)


@attrs.frozen
class Scene:
    """Everything a screen is made from: the picture, what was seen closely, what is remembered.

    ``rates`` are messages a second by actor's path, ``count_rates`` those of the engine's counts;
    ``ticker`` is the market that a person looks at, ``look_age_s`` how long ago the last look was.
    """

    picture: Snapshot | None
    rates: Mapping[str, float] = attrs.Factory(dict)
    history: History = attrs.Factory(History)
    look: Look | None = None
    count_rates: Mapping[str, float] = attrs.Factory(dict)
    ticker: str = ""
    look_age_s: int = 0
    zone: tzinfo | None = None
    log_lines: tuple[LogLine, ...] = ()
    log_choice: LogChoice = attrs.Factory(LogChoice)

    def look_at(self, wish: Wish) -> Look | None:
        """Return what was seen for this wish, None where the last look was for another."""
        return self.look if self.look is not None and self.look.wish == wish else None

    def aged(self, view: TableView[RowT]) -> TableView[RowT]:
        """Return a table of what was seen closely, with its age in the title where that is old."""
        if self.look is None or self.look_age_s < OLD_LOOK_S:
            return view
        return attrs.evolve(view, note=f"! seen {self.look_age_s}s ago")

    def why_nothing(self, wish: Wish) -> str:
        """Say why there is nothing to see for a wish yet."""
        look = self.look_at(wish)
        if self.picture is None:
            return "no picture of the engine yet"
        return look.why if look is not None and look.why else "asking the engine ..."
