"""The engine at one moment, as the JSON that the console and ``arb status`` are shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import trio

from actors import NodeSnapshot, State
from arb.core.events import Liquidity, Top
from arb.core.exits import Holding
from arb.core.listing import Listing
from arb.core.money import ONE_DOLLAR_E4, CountE2, PriceE4
from arb.core.permission import TradingState
from arb.core.ways import Outcome, way_of
from arb.engine.board import Alarm, Board, MarketRow
from arb.engine.names import RISK
from arb.engine.parts import Parts
from arb.engine.standstills import standstills
from arb.settings import Mode
from arb.version import VERSION

FORMAT = 1

MS_PER_S = 1000

# What a row shows instead of the decision while something that is ours is not on sale.
NO_EXIT = "NO EXIT"

# A market's row was measured at 5 µs, an actor's at 7: so many together take no longer than the
# decision that waits for the loop meanwhile.
A_TURN = 20


@attrs.frozen
class _Moment:
    """What markets show of one moment; rows, tops and holdings are replaced, never changed."""

    at_ms: int
    rows: Mapping[str, MarketRow]
    tops: Mapping[str, Top]
    holdings: Mapping[str, Holding]
    latency_us: Mapping[str, int]
    states: Mapping[str, State]
    alarms: Mapping[str, Alarm]


@attrs.define
class Photographer:
    """Makes snapshots of one engine, numbered."""

    parts: Parts
    mode: str
    world: str
    started_ms: int
    _seq: int = 0

    def take(self, nodes: Iterable[NodeSnapshot]) -> dict[str, Any]:
        """Return the engine as it is now, with these actors."""
        tree = tuple(nodes)
        moment = self._moment(tree)
        return {**self._all_but_markets(tree), "markets": list(self._markets(moment))}

    async def take_in_turns(self, nodes: Iterable[NodeSnapshot]) -> dict[str, Any]:
        """Return the same, of the moment of the call, and let others have their turn meanwhile."""
        tree = tuple(nodes)
        moment = self._moment(tree)
        picture = self._all_but_markets(tree)
        markets: list[dict[str, Any]] = []
        picture["markets"] = markets
        for market in self._markets(moment):
            markets.append(market)
            if not len(markets) % A_TURN:
                await trio.lowlevel.checkpoint()
        return picture

    def _all_but_markets(self, tree: Sequence[NodeSnapshot]) -> dict[str, Any]:
        self._seq += 1
        now_ms = self.parts.clock.wall_ms()
        board = self.parts.board
        return {
            "v": FORMAT,
            "seq": self._seq,
            "at_ms": now_ms,
            "mode": self.mode,
            "mode_words": Mode(self.mode).words,
            "version": VERSION,
            "world": self.world,
            "uptime_ms": now_ms - self.started_ms,
            "trading": _trading(board, tree),
            "account": self._account(),
            "connections": [_connection(board, name, now_ms) for name in board.connections],
            "positions": self._positions(),
            "alarms": [
                attrs.asdict(alarm) for alarm in (*board.alarms.values(), *standstills(board, tree))
            ],
            "orders_by_hand": [attrs.asdict(order) for order in board.by_hand],
            "trades": [attrs.asdict(line) for line in board.trades],
            "log": [attrs.asdict(line) for line in board.log],
            "actors": [_actor(node) for node in tree],
            "counts": counts(board),
            "bad_input": [attrs.asdict(bad) for bad in board.bad.values()],
            "unmatched": [each.text for each in self.parts.catalogue.unmatched],
        }

    def _account(self) -> dict[str, Any]:
        account = self.parts.board.account
        if account is None:
            return {}
        return {
            "balance_e6": account.cash_e6,
            "exposure_e6": account.exposure_e6,
            "exposure_limit_e6": account.limit_e6,
            "exposure_limit_max_e6": account.limit_max_e6,
            # After fees, as every gain that people are shown.
            "realised_e6": account.realised_e6 - account.fees_e6,
            "unrealised_e6": unrealised_e6(self.parts.board),
            "fees_e6": account.fees_e6,
            "day_e6": account.day_e6,
            "day_loss_max_e6": account.day_loss_max_e6,
        }

    def _moment(self, tree: Sequence[NodeSnapshot]) -> _Moment:
        board = self.parts.board
        return _Moment(
            self.parts.clock.wall_ms(),
            dict(board.markets),
            dict(board.tops),
            dict(board.holdings),
            dict(board.latency_us),
            {node.name: node.state for node in tree},
            dict(board.alarms),
        )

    def _markets(self, moment: _Moment) -> Iterator[dict[str, Any]]:
        for listing in self.parts.catalogue.listings:
            yield self._market(listing, moment)

    def _market(self, listing: Listing, moment: _Moment) -> dict[str, Any]:
        row = _alarmed(moment.alarms, moment.rows.get(listing.ticker))
        holding = moment.holdings.get(listing.ticker)
        game = listing.game
        return {
            "ticker": listing.ticker,
            "game": f"{game.away.name} at {game.home.name}",
            "team": listing.team,
            "start_ms": game.start_ms,
            "latency_us": moment.latency_us.get(listing.ticker),
            "position_e2": holding.count_e2 if holding is not None else 0,
            "actor": str(moment.states.get(listing.ticker, "absent")),
            **self._ways(listing, moment.tops),
            **_prices(moment.tops.get(listing.ticker)),
            **_row(row, moment.at_ms),
        }

    def _ways(self, listing: Listing, tops: Mapping[str, Top]) -> dict[str, Any]:
        """Price one order of either way to hold this opinion, by the contract, fees included."""
        count_e2 = self.parts.execution.contracts_per_order_e2
        top, sibling = tops.get(listing.ticker), tops.get(listing.sibling)
        yes = no = None
        if top is not None and top.ask_e4 is not None:
            yes = _contract_e4(Outcome.YES, top.ask_e4, count_e2, listing)
        if sibling is not None and sibling.bid_e4 is not None:
            no = _contract_e4(Outcome.NO, sibling.bid_e4, count_e2, listing)
        return {"yes_cost_e4": yes, "no_cost_e4": no}

    def _positions(self) -> list[dict[str, Any]]:
        board = self.parts.board
        shown = []
        for ticker, holding in sorted(board.holdings.items()):
            if not holding.count_e2:
                continue
            exits = holding.closing
            shown.append(
                {
                    "ticker": ticker,
                    "count_e2": holding.count_e2,
                    "by_hand_e2": holding.by_hand_e2,
                    "entry_e4": holding.entry_e4,
                    "exit_e4": exits[0].price_e4 if exits else None,
                    "exit_remaining_e2": sum(order.at_stake_e2 for order in exits),
                    "unrealised_e6": _gain_e6(board, holding),
                    "realised_e6": holding.realised_e6,
                }
            )
        return shown


def _contract_e4(
    outcome: Outcome, price_e4: PriceE4, count_e2: CountE2, listing: Listing
) -> PriceE4:
    # The two markets of a game belong to one series and have its fees.
    return way_of(outcome, price_e4, count_e2, Liquidity.TAKER, listing.fees).contract_e4


def counts(board: Board) -> dict[str, Any]:
    """Return everything that is counted, by name."""
    bad: dict[str, int] = {}
    for entry in board.bad.values():
        bad[entry.reason] = bad.get(entry.reason, 0) + entry.count
    return {
        "orders": board.counts["orders"],
        "fills": board.counts["fills"],
        "exits": board.counts["exits"],
        "exits_missing": board.counts["exits_missing"],
        "reversals": board.counts["reversals"],
        "invariant_checks": board.counts["invariant_checks"],
        "invariant_violations": board.counts["invariant_violations"],
        "decisions": dict(board.decisions),
        "refusals": dict(board.refusals),
        "bad_input": bad,
    }


def mark_of(board: Board, holding: Holding) -> PriceE4 | None:
    """Return what a contract of a position would fetch now, None where nobody would take it.

    YES is sold at the bid; NO, bought back at the ask, fetches a dollar less that.
    """
    top = board.tops.get(holding.ticker)
    if top is None:
        return None
    if holding.count_e2 > 0:
        return top.bid_e4
    return PriceE4(ONE_DOLLAR_E4 - top.ask_e4) if top.ask_e4 is not None else None


def unrealised_e6(board: Board) -> int:
    """Return what all positions would gain if closed now, fees apart."""
    held = (holding for holding in board.holdings.values() if holding.count_e2)
    return sum(_gain_e6(board, holding) for holding in held)


def _gain_e6(board: Board, holding: Holding) -> int:
    mark_e4 = mark_of(board, holding)
    if mark_e4 is None:
        return 0
    return (mark_e4 - holding.entry_e4) * abs(holding.count_e2)


def _trading(board: Board, tree: Sequence[NodeSnapshot]) -> dict[str, Any]:
    if board.account is None:
        return {"state": "starting", "reasons": ["the risk manager is not up yet"]}
    state, reasons = board.account.state, list(board.account.reasons)
    risk = next((node for node in tree if node.name == RISK), None)
    if risk is not None and risk.state is not State.RUNNING:
        # What it said last stands on the board still, and may not be true any more.
        reasons.append(f"the risk manager is {risk.state}: nothing is sent")
        state = TradingState.PAUSED if state is TradingState.RUNNING else state
    return {"state": state, "reasons": reasons}


def _connection(board: Board, name: str, now_ms: int) -> dict[str, Any]:
    line = board.connections[name]
    return {
        "name": line.name,
        "connected": line.connected,
        "since_ms": line.since_ms,
        "age_ms": now_ms - line.alive_ms if line.alive_ms is not None else None,
        "detail": line.detail,
    }


def _alarmed(alarms: Mapping[str, Alarm], row: MarketRow | None) -> MarketRow | None:
    """Return a row that says what is wrong with its market's exits, if anything is."""
    alarm = alarms.get(row.ticker) if row is not None else None
    if row is None or alarm is None:
        return row
    return attrs.evolve(row, action=NO_EXIT, reason=alarm.text)


def _prices(top: Top | None) -> dict[str, Any]:
    """Return what stands in the book, by which positions are marked as well."""
    return {
        "bid_e4": top.bid_e4 if top is not None else None,
        "bid_size_e2": top.bid_size_e2 if top is not None else 0,
        "ask_e4": top.ask_e4 if top is not None else None,
        "ask_size_e2": top.ask_size_e2 if top is not None else 0,
    }


def _row(row: MarketRow | None, now_ms: int) -> dict[str, Any]:
    if row is None:
        nothing: dict[str, Any] = dict.fromkeys(("fair", "edge_e4", "net_e4", "odds_age_ms"))
        return {**nothing, "books": 0, "action": "WAIT", "reason": "nothing heard yet"}
    changed_ms = row.quote_changed_ms
    return {
        "fair": row.fair,
        "edge_e4": row.edge_e4,
        "net_e4": row.net_e4,
        "buys": row.buys,
        "action": row.action,
        "reason": row.reason,
        "odds_age_ms": now_ms - changed_ms if changed_ms is not None else None,
        "books": row.books,
    }


def _actor(node: NodeSnapshot) -> dict[str, Any]:
    box = node.mailbox
    return {
        "name": node.name,
        "path": node.path,
        "depth": node.depth,
        "kind": node.kind,
        "state": node.state,
        "generation": node.generation,
        "restarts": node.restarts,
        "restart_limit": node.restart_limit,
        "mailbox_length": box.length if box is not None else 0,
        "mailbox_capacity": box.capacity if box is not None else 0,
        "mailbox_peak": box.peak if box is not None else 0,
        "dropped": box.dropped if box is not None else 0,
        "handled": node.handled,
        "handling_for_ms": _ms(node.handling_for_s),
        "last_error": str(node.last_error) if node.last_error is not None else None,
        "uptime_ms": _ms(node.uptime_s),
    }


def _ms(seconds: float | None) -> int | None:
    return int(seconds * MS_PER_S) if seconds is not None else None
