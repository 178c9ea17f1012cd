"""The tables: markets, positions, trades, log and actors."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from arb.console.actor_view import Rates, actor_detail, actor_facts, actors_table
from arb.console.cells import Cell, Line, Tone
from arb.console.header_view import LinkView
from arb.console.history import History
from arb.console.log_view import log_table
from arb.console.market_view import market_detail, market_facts, markets_table
from arb.console.money_view import positions_table, trades_table
from arb.console.snapshot import read_snapshot
from arb.console.table_view import TableView
from arb.console.view_model import HeaderView
from tests.console.fake_engine import actor, market, picture, tickers


def text(line: Line) -> str:
    """Return a line's text."""
    return "".join(cell.text for cell in line)


def cells(view: TableView[Any], index: int = 0, width: int = 40) -> dict[str, Cell]:
    """Return the cells of one row by their column's title."""
    row = view.rows[index]
    return {column.title: column.cell(row, width) for column in view.columns}


def one_market(**changes: Any) -> dict[str, Cell]:
    """Return the cells of a market."""
    document = picture(2, markets=[market(tickers(1)[0], **changes)])
    return cells(markets_table(read_snapshot(document)))


def test_a_market_shows_what_it_sees_and_does() -> None:
    """Fair value, prices, edge, action, reason, age and latency, each in its unit."""
    shown = {title: cell.text for title, cell in one_market(position_e2=500).items()}

    assert shown == {
        "Ticker": tickers(1)[0],
        "Fair": "62.3",
        "Bid": "58",
        "Size": "46",
        "Ask": "60",
        "Edge": "+2.3c",
        "Net": "+1.1c",
        "Action": "MAKER",
        "Why": "edge 2.8c reaches the maker threshold 2c",
        "Odds": "1.2s",
        "Latency": "48µs",
        "Bks": "5",
        "Held": "5",
    }


def test_what_a_market_does_not_know_is_a_dash() -> None:
    """Nothing is made up where there is no price, no odds, no edge."""
    nothing = dict.fromkeys(("fair", "bid_e4", "ask_e4", "edge_e4", "net_e4", "odds_age_ms"))
    shown = one_market(**nothing, latency_us=None, ask_size_e2=0)

    for title in ("Fair", "Bid", "Ask", "Size", "Edge", "Net", "Odds", "Latency", "Held"):
        assert shown[title].text == "--"


def test_an_actor_in_trouble_shows_instead_of_the_action() -> None:
    """A market whose actor is away does nothing, whatever it did last."""
    shown = one_market(actor="backoff")

    assert shown["Action"] == Cell("!BACKOFF", Tone.BAD)
    assert one_market(actor="running", action="ODD")["Action"] == Cell("ODD", Tone.PLAIN)


def test_edges_are_told_by_sign_and_old_odds_are_dim() -> None:
    """Colour doubles the sign; it says nothing of its own."""
    assert one_market(edge_e4=230)["Edge"].tone is Tone.GOOD
    assert one_market(edge_e4=5)["Edge"].tone is Tone.DIM
    assert one_market(edge_e4=-230)["Edge"] == Cell("-2.3c", Tone.DIM)
    assert one_market(odds_age_ms=61_000)["Odds"].tone is Tone.DIM
    assert one_market(odds_age_ms=500)["Odds"].tone is Tone.PLAIN


def test_the_detail_line_says_why_in_full() -> None:
    """Ticker, action and reason are whole; a market without a reason says so."""
    read = read_snapshot(picture(2))
    line = text(market_detail(read.markets[0]))

    assert line.startswith(f"{tickers(1)[0]} MAKER: edge 2.8c reaches")
    assert "New York Yankees" in line
    silent = read_snapshot({"v": 1, "markets": [{"ticker": "A"}]}).markets[0]
    assert text(market_detail(silent)) == "A WAIT: no reason given"


def test_the_facts_of_a_market_are_complete() -> None:
    """The page of a market has everything, the position's count from the ledger."""
    read = read_snapshot(picture(2))
    facts = dict(market_facts(read.markets[0], read))

    assert facts["bid"] == "58c x 120"
    assert facts["position"] == "5 contracts"
    assert facts["edge"] == "+2.3c (+1.1c after fees)"
    bare = read_snapshot({"v": 1, "markets": [{"ticker": "A"}]})
    assert dict(market_facts(bare.markets[0], bare))["starts"] == "unknown"


@pytest.mark.parametrize(
    "changes,words",
    [
        ({"connections": [{"name": "Odds"}]}, "Odds is not connected"),
        ({"trading": {"state": "starting"}, "connections": []}, "starting"),
        ({"connections": []}, "no game of the followed sports"),
    ],
)
def test_an_empty_market_table_says_why(changes: dict[str, Any], words: str) -> None:
    """The likeliest cause is named."""
    read = read_snapshot(picture(2, markets=[], **changes))

    assert words in markets_table(read).empty
    assert markets_table(read).note == ""


def test_the_note_counts_markets_that_act() -> None:
    """Markets that only wait or skip are not counted as acting."""
    markets = [market("A", action="SKIP"), market("B"), market("C", action="WAIT")]

    note = markets_table(read_snapshot(picture(2, markets=markets))).note
    assert note == "3 markets, 1 acting, Enter says why"


def test_a_position_shows_its_exit() -> None:
    """Entry, resting sale and open result."""
    view = positions_table(read_snapshot(picture(2)))
    shown = {title: cell.text for title, cell in cells(view, 1).items()}

    assert shown["Bought"] == "Bought 5 @ 60c"
    assert shown["Exit"] == "Sell resting @ 62c"
    assert shown["P&L"] == "+$0.10"
    assert shown["Closed"] == "+$0.09 closed"


def test_a_position_without_a_whole_exit_is_an_alarm_and_comes_first() -> None:
    """No sale, or one for a part only, is what a person has to see to."""
    document = picture(2)
    view = positions_table(read_snapshot(document))
    assert cells(view)["Exit"] == Cell("! NO SALE RESTING", Tone.BAD)

    document["positions"][0] |= {"exit_remaining_e2": 300, "realised_e6": 0, "count_e2": 500}
    partly = cells(positions_table(read_snapshot(document)))
    assert partly["Exit"] == Cell("! Sell 3 of 5 resting @ 62c", Tone.BAD)
    assert partly["Closed"].text == ""


@pytest.mark.parametrize("count, by_hand, shown", [
    (500, 500, "by hand, yours to sell"),
    (500, 200, "Sell resting @ 62c"),
    (-300, 0, "Buy @ 62c = NO @ 38c"),
])  # fmt: skip
def test_what_a_person_bought_needs_no_exit_of_ours(count: int, by_hand: int, shown: str) -> None:
    """An exit is whole when it covers what is ours, on either side."""
    document = picture(2)
    document["positions"] = [
        document["positions"][0]
        | {"count_e2": count, "by_hand_e2": by_hand, "exit_remaining_e2": 300, "exit_e4": 6_200}
    ]

    assert cells(positions_table(read_snapshot(document)))["Exit"].text == shown


def test_a_position_of_no_is_bought_and_bid_for() -> None:
    """What one NO cost, and the bid that rests to buy YES back, for all of it or for a part."""
    document = picture(2)
    for count, exit_text, tone in (
        (-500, "Buy @ 62c = NO @ 38c", Tone.WARN),
        (-700, "! Buy 5 of 7 resting @ 62c", Tone.BAD),
    ):
        document["positions"][0] |= {"count_e2": count, "exit_e4": 6_200, "exit_remaining_e2": 500}
        view = positions_table(read_snapshot(document))
        rows = [cells(view, index) for index in range(2)]
        found = {row["Bought"].text: row["Exit"] for row in rows}
        assert found[f"Bought {-count // 100} NO @ 60c"] == Cell(exit_text, tone)
    document["positions"][0]["exit_e4"] = None
    assert cells(positions_table(read_snapshot(document)))["Exit"].text == "! NO BID RESTING"


def test_trades_say_what_became_of_them() -> None:
    """Time, side, count, price, result; refused and unknown carry a sign."""
    view = trades_table(read_snapshot(picture(2)), UTC)
    first = {title: cell.text for title, cell in cells(view).items()}
    whats = [cells(view, index)["What"].text for index in range(5)]

    assert first["Time"] == "23:00:00"
    assert first["Count"] == "5x"
    assert first["Price"] == "@ 60c"
    assert first["P&L"] == "+$0.09 net"
    assert first["Took"] == "2.4ms"
    assert whats == [
        "FILLED taker",
        "RESTING maker",
        "CANCELED taker",
        "!REFUSED maker",
        "?UNKNOWN taker",
    ]
    assert cells(view, 1)["P&L"].text == ""
    assert len({view.key(row) for row in view.rows}) == 20


def test_empty_money_panels_say_why() -> None:
    """Nothing held is not the same before the first fill as after the last exit."""
    bare = read_snapshot({"v": 1})
    done = read_snapshot(picture(2, positions=[], trades=[]))

    assert "no order has been filled" in positions_table(bare).empty
    assert "every position is closed" in positions_table(done).empty
    assert "trading is starting" in trades_table(bare, UTC).empty
    assert "enough edge" in trades_table(done, UTC).empty


def test_before_the_first_picture_every_panel_says_so() -> None:
    """No panel is empty without a word."""
    tables = (
        markets_table(None),
        positions_table(None),
        trades_table(None, UTC),
        log_table(None, UTC),
        actors_table(None, {}, History()),
    )

    assert {table.empty for table in tables} == {"no picture of the engine yet"}
    assert len(HeaderView(None, LinkView(connected=False)).lines(80)) == 1


def test_the_log_has_milliseconds_and_signs() -> None:
    """Warnings and errors carry a sign beside their colour; text cannot move the cursor."""
    document = picture(2)
    document["log"][0] |= {"level": "strange", "text": "a\x1b[2Jb"}
    view = log_table(read_snapshot(document), UTC)

    assert cells(view, 3)["Time"].text == "22:59:21.200"
    assert [view.columns[1].cell(view.rows[index], 1).text for index in (0, 1, 3, 4)] == [
        "?",
        " ",
        "!",
        "✗",
    ]
    assert cells(view, 0)["Text"].text == "a [2Jb"
    assert cells(view, 3)["Tag"] == Cell("[RISK]", Tone.WARN)
    assert log_table(read_snapshot({"v": 1}), UTC).empty == "nothing logged yet"
    assert view.newest_last


def one_actor(rates: dict[str, float] | None = None, **changes: Any) -> dict[str, Cell]:
    """Return the cells of an actor."""
    document = picture(2, actors=[actor("root/risk", 1, **changes)])
    return cells(actors_table(read_snapshot(document), rates or {}, History()))


def test_an_actor_shows_its_state_and_load() -> None:
    """State with a sign, restarts of their limit, mailbox of its capacity, rate and age."""
    shown = {title: cell.text for title, cell in one_actor({"root/risk": 12.4}).items()}

    assert shown["Actor"] == "  risk"
    assert shown["State"] == "● running"
    assert shown["Restarts"] == "0/5"
    assert shown["Mailbox"] == "0/1024"
    assert shown["Msg/s"] == "12"
    assert shown["Busy"] == "--"
    assert shown["Up"] == "2h"


def test_an_actor_in_trouble_stands_out() -> None:
    """A full mailbox, a long handler, drops and restarts are marked."""
    shown = one_actor(
        mailbox_length=820, handling_for_ms=250, dropped=3, restarts=2, last_error="Boom: x"
    )

    assert shown["Mailbox"] == Cell("!820/1024", Tone.BAD)
    assert shown["State"] == Cell("! busy 250ms", Tone.BAD)
    assert shown["Busy"] == Cell("!250ms", Tone.BAD)
    assert shown["Drop"].tone is Tone.WARN
    assert shown["Restarts"].tone is Tone.WARN
    assert shown["Last error"] == Cell("Boom: x", Tone.BAD)
    assert shown["Msg/s"].text == "--"


def test_states_that_nobody_knows_look_bad() -> None:
    """A new word for a state is not taken for health; a short handler is no trouble."""
    assert one_actor(state="stuck")["State"] == Cell("✗ stuck", Tone.BAD)
    assert one_actor(handling_for_ms=3)["Busy"] == Cell("3.0ms", Tone.PLAIN)
    assert one_actor(mailbox_capacity=None, restart_limit=None)["Mailbox"].text == "0"


def test_the_tree_is_drawn_by_depth_with_short_names() -> None:
    """Supervisors have a mark, children an indent, markets their short names."""
    view = actors_table(read_snapshot(picture(2)), {}, History())

    assert cells(view, 2)["Actor"].text == "  ▾ trading"
    assert cells(view, 8, 22)["Actor"].text == "      MLB-NYYBOS-NYY"
    assert view.note == "10 actors, all running"
    assert (
        actors_table(read_snapshot({"v": 1}), {}, History()).empty == "the engine shows no actors"
    )


def test_actors_that_are_down_are_counted() -> None:
    """The title tells how many are not running."""
    actors = [actor("a", 0), actor("b", 0, state="quarantined")]

    assert actors_table(read_snapshot(picture(2, actors=actors)), {}, History()).note == (
        "2 actors, 1 not running"
    )


def test_the_details_of_an_actor() -> None:
    """The line has path and error, the page everything."""
    read = read_snapshot(picture(2))

    assert text(actor_detail(read.actors[6])) == (
        "root/trading/feeds/odds generation 3, last error: Closed: 1006"
    )
    assert text(actor_detail(read.actors[0])).endswith("no error")
    assert dict(actor_facts(read.actors[4]))["handling"] == "for 250 ms"
    bare = read_snapshot({"v": 1, "actors": [{"name": "a", "path": "a"}]}).actors[0]
    assert dict(actor_facts(bare))["mailbox"] == "0 of no limit, at most 0"


def test_rates_come_from_pictures_a_second_apart() -> None:
    """A rate is messages over time; one whose count fell has none until it is known again."""
    rates = Rates()

    def look(at_ms: int, handled: int) -> dict[str, float]:
        actors = [actor("a", 0, handled=handled)]
        return dict(rates.observe(read_snapshot(picture(2, at_ms=at_ms, actors=actors))))

    assert look(1_000, 100) == {}
    assert look(1_500, 150) == {}
    assert look(3_000, 300) == {"a": 100.0}
    assert look(3_200, 900) == {"a": 100.0}
    assert look(4_000, 10) == {}
    assert look(5_000, 30) == {"a": 20.0}
    assert look(500, 0) == {}
    assert "Rates of 0" in repr(rates)


def test_equal_pictures_make_equal_views() -> None:
    """What did not change compares equal, so that it need not be drawn again."""
    pictures = [read_snapshot(picture(4)) for _ in range(2)]
    trees = [actors_table(each, {"a": 1.0}, History()) for each in pictures]

    assert trees[0] == trees[1]
    assert trees[0] != actors_table(pictures[0], {"a": 2.0}, History())
    assert markets_table(pictures[0]) == markets_table(pictures[1])
