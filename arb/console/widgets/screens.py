"""The screens: which panels each has, and where they stand at which size of the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from arb.console.actor_view import actor_panel, actors_table
from arb.console.closeup_view import (
    LadderRow,
    OwnRow,
    decision_table,
    ladder_table,
    own_table,
    quotes_table,
    seen_market,
)
from arb.console.closeups import BookQuote, MatchedGame, Step, UnmatchedGame, Wish, WorldFault
from arb.console.fact_view import Fact
from arb.console.fault_view import faults_table, seen_faults
from arb.console.keys import Screen
from arb.console.latency_view import (
    BarRow,
    histogram_table,
    rates_table,
    seen_latencies,
    steps_table,
)
from arb.console.layout import Want
from arb.console.log_view import log_table
from arb.console.market_view import markets_table
from arb.console.matching_view import (
    matched_table,
    quarantined_table,
    seen_matching,
    unmatched_table,
)
from arb.console.money_view import positions_table, trades_table
from arb.console.snapshot import ActorEntry, LogLine, Market, Position, Trade
from arb.console.table_view import TableView
from arb.console.view_model import Scene
from arb.console.widgets.header import Foot, Header
from arb.console.widgets.panels import Band, Panels, rows_of
from arb.console.widgets.table import Table

# From here on positions and trades both fit beside each other with all their columns.
SIDE_BY_SIDE_COLUMNS = 150
# A tree with its most important columns, and beside it a panel with a traceback.
SIDE_PANEL_COLUMNS = 120
# Below this two panels beside each other show nothing of use.
PAIR_COLUMNS = 70
# Title, heading and detail line of a table beside its rows.
FULL_TABLE_EXTRA = 3


def log_of(scene: Scene) -> TableView[LogLine]:
    """Return the log as a person has chosen to see it."""
    return log_table(scene.picture, scene.zone, scene.log_lines, scene.log_choice)


class TradingScreen(Panels):
    """Markets over positions and trades over the log."""

    def __init__(self, header: Header, foot: Foot, scene: Scene) -> None:
        self.markets: Table[Market] = Table(markets_table(scene.picture), lasting=True)
        self.positions: Table[Position] = Table(positions_table(scene.picture))
        self.trades: Table[Trade] = Table(trades_table(scene.picture, scene.zone))
        self.log: Table[LogLine] = Table(log_of(scene))
        tables = (self.markets, self.positions, self.trades, self.log)
        super().__init__(Screen.TRADING, header, foot, tables)

    def show(self, scene: Scene) -> bool:
        """Show a new picture; returns whether anything of it differs from the last."""
        changes = (
            self.markets.show(markets_table(scene.picture)),
            self.positions.show(positions_table(scene.picture)),
            self.trades.show(trades_table(scene.picture, scene.zone)),
            self.log.show(log_of(scene)),
        )
        return any(changes)

    def bands(self, columns: int) -> Sequence[Band]:
        """Return the panels from top to bottom as they stand at this width."""
        markets = Want(4, FULL_TABLE_EXTRA + rows_of(self.markets), 6, 0)
        # Two positions are always seen: those without a resting sale are the first.
        positions = Want(1 + min(2, rows_of(self.positions)), 1 + rows_of(self.positions), 2, 2)
        trades = Want(2, 1 + rows_of(self.trades), 2, 3)
        log = Want(2, 1 + rows_of(self.log), 3, 1)
        if columns < SIDE_BY_SIDE_COLUMNS:
            return (
                Band((self.markets,), markets),
                Band((self.positions,), positions),
                Band((self.trades,), trades),
                Band((self.log,), log),
            )
        pair = Want(2, max(positions.most, trades.most), 3, 2)
        return (
            Band((self.markets,), markets),
            Band((self.positions, self.trades), pair, left=9),
            Band((self.log,), log),
        )


class ActorsScreen(Panels):
    """The supervision tree, beside it all of the selected actor, under them the log."""

    def __init__(self, header: Header, foot: Foot, scene: Scene) -> None:
        tree = actors_table(scene.picture, scene.rates, scene.history)
        self.actors: Table[ActorEntry] = Table(tree, lasting=True)
        self.chosen: Table[Fact] = Table(actor_panel(None, None, ""))
        self.log: Table[LogLine] = Table(log_of(scene))
        super().__init__(Screen.ACTORS, header, foot, (self.actors, self.chosen, self.log))

    def wish(self, scene: Scene) -> Wish | None:
        """Return a wish for the selected actor."""
        del scene
        chosen = self.actors.selected
        return None if chosen is None else Wish("actor", chosen.path)

    def show(self, scene: Scene) -> bool:
        """Show a new picture; returns whether anything of it differs from the last."""
        tree = self.actors.show(actors_table(scene.picture, scene.rates, scene.history))
        wish = self.wish(scene) or Wish("actor")
        panel = actor_panel(self.actors.selected, scene.look_at(wish), scene.why_nothing(wish))
        changes = (
            tree,
            self.chosen.show(scene.aged(panel)),
            self.log.show(log_of(scene)),
        )
        return any(changes)

    def bands(self, columns: int) -> Sequence[Band]:
        """Return the panels from top to bottom as they stand at this width."""
        actors = Want(5, FULL_TABLE_EXTRA + rows_of(self.actors), 4, 0)
        log = Want(2, 1 + rows_of(self.log), 1, 2)
        if columns >= SIDE_PANEL_COLUMNS:
            most = max(actors.most, 2 + rows_of(self.chosen))
            pair = Want(5, most, 4, 0)
            return (Band((self.actors, self.chosen), pair, left=13), Band((self.log,), log))
        chosen = Want(4, 2 + rows_of(self.chosen), 2, 1)
        return (
            Band((self.actors,), actors),
            Band((self.chosen,), chosen),
            Band((self.log,), log),
        )


class MarketScreen(Panels):
    """One market: why it does what it does, its book, the sportsbooks, and what is ours."""

    def __init__(self, header: Header, foot: Foot, scene: Scene) -> None:
        self.decision: Table[Fact] = Table(decision_table(None, None, None, (), ""))
        self.ladder: Table[LadderRow] = Table(ladder_table(None, ""))
        self.quotes: Table[BookQuote] = Table(quotes_table(None, ""))
        self.own: Table[OwnRow] = Table(own_table("", None, None, scene.zone))
        tables = (self.decision, self.ladder, self.quotes, self.own)
        super().__init__(Screen.MARKET, header, foot, tables)

    def wish(self, scene: Scene) -> Wish | None:
        """Return a wish for the market that a person has chosen."""
        return Wish("market", scene.ticker) if scene.ticker else None

    def show(self, scene: Scene) -> bool:
        """Show a new picture; returns whether anything of it differs from the last."""
        wish = Wish("market", scene.ticker)
        seen, why = seen_market(scene.ticker, scene.look_at(wish)), scene.why_nothing(wish)
        market = None if scene.picture is None else scene.picture.market(scene.ticker)
        nothing = why
        if scene.picture is not None and market is None:
            nothing = "choose a market on the trading screen (1), or find one with :"
            why = "no market is chosen" if not scene.ticker else why
        points = scene.history.points(scene.ticker)
        changes = (
            self.decision.show(
                scene.aged(decision_table(market, seen, scene.picture, points, nothing))
            ),
            self.ladder.show(ladder_table(seen, why)),
            self.quotes.show(quotes_table(seen, why)),
            self.own.show(own_table(scene.ticker, seen, scene.picture, scene.zone)),
        )
        return any(changes)

    def bands(self, columns: int) -> Sequence[Band]:
        """Return the panels from top to bottom as they stand at this width."""
        decision = Want(8, 2 + rows_of(self.decision), 8, 0)
        ladder = Want(5, 2 + rows_of(self.ladder), 4, 1)
        quotes = Want(4, 2 + rows_of(self.quotes), 3, 2)
        own = Want(2, 1 + rows_of(self.own), 2, 3)
        if columns < PAIR_COLUMNS:
            return (
                Band((self.decision,), decision),
                Band((self.ladder,), ladder),
                Band((self.quotes,), quotes),
                Band((self.own,), own),
            )
        if columns < SIDE_BY_SIDE_COLUMNS:
            books = Want(5, max(ladder.most, quotes.most), 4, 1)
            return (
                Band((self.decision,), decision),
                Band((self.ladder, self.quotes), books, left=9),
                Band((self.own,), own),
            )
        upper = Want(8, max(decision.most, ladder.most), 5, 0)
        lower = Want(4, max(quotes.most, own.most), 3, 1)
        return (
            Band((self.decision, self.ladder), upper, left=13),
            Band((self.quotes, self.own), lower, left=13),
        )


class MatchingScreen(Panels):
    """What is left out over what is matched over what is set apart."""

    def __init__(self, header: Header, foot: Foot, scene: Scene) -> None:
        self.unmatched: Table[UnmatchedGame] = Table(unmatched_table(None, ""))
        self.matched: Table[MatchedGame] = Table(matched_table(None, "", scene.zone))
        self.quarantined: Table[MatchedGame] = Table(quarantined_table(None, ""))
        tables = (self.unmatched, self.matched, self.quarantined)
        super().__init__(Screen.MATCHING, header, foot, tables)

    def wish(self, scene: Scene) -> Wish | None:
        """Return a wish for the matching."""
        del scene
        return Wish("matching")

    def show(self, scene: Scene) -> bool:
        """Show a new picture; returns whether anything of it differs from the last."""
        wish = Wish("matching")
        seen, why = seen_matching(scene.look_at(wish)), scene.why_nothing(wish)
        changes = (
            self.unmatched.show(scene.aged(unmatched_table(seen, why))),
            self.matched.show(matched_table(seen, why, scene.zone)),
            self.quarantined.show(quarantined_table(seen, why)),
        )
        return any(changes)

    def bands(self, columns: int) -> Sequence[Band]:
        """Return the panels from top to bottom as they stand at this width."""
        del columns
        return (
            Band((self.unmatched,), Want(4, FULL_TABLE_EXTRA + rows_of(self.unmatched), 3, 0)),
            Band((self.matched,), Want(3, 2 + rows_of(self.matched), 3, 1)),
            Band((self.quarantined,), Want(2, 1 + rows_of(self.quarantined), 1, 2)),
        )


class LatencyScreen(Panels):
    """Every step's percentiles, the histogram of the selected one, the loop and the rates."""

    def __init__(self, header: Header, foot: Foot, scene: Scene) -> None:
        del scene
        self.steps: Table[Step] = Table(steps_table(None, ""), lasting=True)
        self.histogram: Table[BarRow] = Table(histogram_table(None))
        self.rates: Table[Fact] = Table(rates_table(None, {}, ""))
        super().__init__(Screen.LATENCY, header, foot, (self.steps, self.histogram, self.rates))

    def wish(self, scene: Scene) -> Wish | None:
        """Return a wish for the latencies."""
        del scene
        return Wish("latency")

    def show(self, scene: Scene) -> bool:
        """Show a new picture; returns whether anything of it differs from the last."""
        wish = Wish("latency")
        seen, why = seen_latencies(scene.look_at(wish)), scene.why_nothing(wish)
        changes = (
            self.steps.show(scene.aged(steps_table(seen, why))),
            self.histogram.show(histogram_table(self.steps.selected)),
            self.rates.show(rates_table(seen, scene.count_rates, why)),
        )
        return any(changes)

    def bands(self, columns: int) -> Sequence[Band]:
        """Return the panels from top to bottom as they stand at this width."""
        steps = Want(4, 2 + rows_of(self.steps), 2, 0)
        histogram = Want(3, 1 + rows_of(self.histogram), 3, 1)
        rates = Want(3, 2 + rows_of(self.rates), 3, 2)
        if columns < SIDE_PANEL_COLUMNS:
            return (
                Band((self.steps,), steps),
                Band((self.histogram,), histogram),
                Band((self.rates,), rates),
            )
        pair = Want(4, max(histogram.most, rates.most), 4, 1)
        return (Band((self.steps,), steps), Band((self.histogram, self.rates), pair, left=12))


class FaultsScreen(Panels):
    """What the simulated world is put under, over the log of what the engine makes of it."""

    def __init__(self, header: Header, foot: Foot, scene: Scene) -> None:
        self.faults: Table[WorldFault] = Table(faults_table(None, "", scene.zone), lasting=True)
        self.log: Table[LogLine] = Table(log_table(scene.picture, scene.zone))
        super().__init__(Screen.FAULTS, header, foot, (self.faults, self.log))

    def wish(self, scene: Scene) -> Wish | None:
        """Return a wish for the faults."""
        del scene
        return Wish("faults")

    def show(self, scene: Scene) -> bool:
        """Show a new picture; returns whether anything of it differs from the last."""
        wish = Wish("faults")
        seen, why = seen_faults(scene.look_at(wish)), scene.why_nothing(wish)
        changes = (
            self.faults.show(scene.aged(faults_table(seen, why, scene.zone))),
            self.log.show(log_table(scene.picture, scene.zone)),
        )
        return any(changes)

    def bands(self, columns: int) -> Sequence[Band]:
        """Return the panels from top to bottom as they stand at this width."""
        del columns
        return (
            Band((self.faults,), Want(5, FULL_TABLE_EXTRA + rows_of(self.faults), 5, 0)),
            Band((self.log,), Want(3, 1 + rows_of(self.log), 2, 1)),
        )
