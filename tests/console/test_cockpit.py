"""The cockpit without a terminal: what is on the screen, and what keys do."""

from __future__ import annotations

from typing import Any

import pytest

from arb.console.link import Answer
from tests.console.fake_engine import picture, tickers
from tests.console.fake_shell import Bench

SIZES = [(80, 24), (100, 30), (200, 60), (300, 100), (40, 12), (20, 6), (5, 2), (1, 1)]


@pytest.fixture
def bench() -> Bench:
    """Return a cockpit that shows a running engine of eight markets."""
    made = Bench()
    made.show(picture(8))
    return made


@pytest.mark.parametrize("columns,rows", SIZES)
@pytest.mark.parametrize("screen", ["1", "2", "3", "4", "5"])
def test_every_size_is_filled_exactly(bench: Bench, columns: int, rows: int, screen: str) -> None:
    """No size of the terminal, however odd, leaves the screen torn."""
    bench.press(screen)
    canvas = bench.cockpit.root.render((columns, rows))

    assert (canvas.cols(), canvas.rows()) == (columns, rows)


@pytest.mark.parametrize("columns,rows", [(80, 24), (200, 60)])
def test_the_trading_screen_has_all_its_panels(bench: Bench, columns: int, rows: int) -> None:
    """Mode, money, connections, markets, positions, trades, log and keys are all there."""
    shown = bench.text(columns, rows)

    for part in (
        "SIMULATED WORLD",
        "Balance $1,234.56",
        "$320.00",
        "P&L +$45.23",
        "Kalshi books",
        "Odds",
        "Up",
        "Live Markets",
        "Ticker",
        "Latency",
        "Open Positions",
        "! NO SALE RESTING",
        "Recent Trades",
        "FILLED taker",
        "Engine Log",
        "[q]uit",
    ):
        assert part in shown


def test_a_small_terminal_at_rest() -> None:
    """The whole picture at 80 by 24, to the letter."""
    bench = Bench()
    bench.show(picture(2, log=[], trades=[], positions=[]))

    assert bench.lines()[:11] == [
        "┌─ Kalshi Arb Engine ─  SIMULATED WORLD  ─ ▶ RUNNING ──────── seed-7 · v0.1.0 ─┐",
        "│ Balance $1,234.56 │ Exp $320.00/$500.00 │ P&L +$45.23 │ Fees $1.20 +1        │",
        "│ ● Kalshi books 0.4s │ ● Kalshi orders 0.7s │ ● Odds 1.2s │ Up 2h 14m         │",
        "├─ ▸ Live Markets ─────────────────────── 2 markets, 2 acting, Enter says why ─┤",
        "│ Ticker            Fair   Bid   Ask   Edge Action   Why          Odds Latency │",
        "│▸MLB-NYYBOS-NYY    62.3    58    60  +2.3c MAKER    edge 2.8c …  1.2s    48µs │",
        "│ MLB-NYYBOS-BOS    62.3    58    60  +2.3c MAKER    edge 2.8c …  1.2s    48µs │",
        "│  KXMLBGAME-25AUG231905NYYBOS-NYY MAKER: edge 2.8c reaches the maker threshol…│",
        "├─ Open Positions ─────────────────────────────────────────────────────────────┤",
        "│  nothing held: every position is closed                                      │",
        "├─ Recent Trades ──────────────────────────────────────────────────────────────┤",
    ]


def test_wide_terminals_show_whole_tickers_and_reasons(bench: Bench) -> None:
    """At 200 columns nothing of a market has to be guessed."""
    shown = bench.text(200, 60)

    assert tickers(1)[0] in shown
    assert "edge 2.8c reaches the maker threshold 2c" in shown
    assert "┬─ Recent Trades" in shown
    assert "┴" in shown


def test_the_actors_screen_shows_the_tree(bench: Bench) -> None:
    """The number 2 turns to the tree, 1 turns back."""
    bench.press("2")
    assert "▾ trading" in bench.text()
    assert "! busy 250ms" in bench.text()
    assert "orce close" not in bench.lines()[-1]
    bench.press("1")
    assert "Live Markets" in bench.text()


@pytest.mark.parametrize(
    "key,sent",
    [
        ("p", ("pause", {})),
        ("x", ("reduce", {})),
        ("r", ("resume", {})),
        ("+", ("limit", {"change_cents": 1_000})),
        ("=", ("limit", {"change_cents": 1_000})),
        ("-", ("limit", {"change_cents": -1_000})),
    ],
)
def test_harmless_keys_act_at_once(
    bench: Bench, key: str, sent: tuple[str, dict[str, Any]]
) -> None:
    """Pausing, resuming and the limit need no question."""
    bench.press(key)

    assert bench.shell.sent == [sent]


@pytest.mark.parametrize(
    "key,verb", [("K", "kill"), ("R", "restart"), ("Z", "quarantine"), ("U", "release")]
)
def test_what_destroys_asks_first(bench: Bench, key: str, verb: str) -> None:
    """Enter on the question does nothing; y does it to the market that is selected."""
    bench.press("j", key, "enter")
    assert bench.shell.sent == []
    bench.press(key, "y")
    assert bench.shell.sent == [(verb, {"name": tickers(2)[1]})]


def test_keys_go_to_the_question_while_it_is_open(bench: Bench) -> None:
    """No key reaches what lies under the box."""
    bench.press("K", "p", "2", "q")

    assert bench.shell.sent == []
    assert "Kill" in bench.text()
    bench.press("esc")
    assert "▸ No ◂" not in bench.text()


def test_actors_are_killed_by_their_path(bench: Bench) -> None:
    """In the tree the selected actor is meant, whatever its name."""
    bench.press("2", "down", "K", "y")

    assert bench.shell.sent == [("kill", {"name": "root/control"})]


def test_a_position_can_be_closed_from_markets_and_positions(bench: Bench) -> None:
    """f asks, and names the ticker it closes; positions without a sale come first."""
    bench.press("f")
    assert "Sell 5 contracts" in bench.text()
    bench.press("y", "tab", "f", "y")

    first, second = tickers(2)
    assert bench.shell.sent == [
        ("force_close", {"ticker": first}),
        ("force_close", {"ticker": second}),
    ]


def test_nothing_to_close_is_said(bench: Bench) -> None:
    """A market without a position gets a line, not a question."""
    bench.press("j", "j", "f")

    assert f"no position in {tickers(3)[2]}" in bench.text()
    assert bench.shell.sent == []


def test_from_the_log_the_selected_market_is_meant(bench: Bench) -> None:
    """A log line names no actor, so the market's selection holds."""
    bench.press("j", "shift tab", "K", "y")

    assert bench.shell.sent == [("kill", {"name": tickers(2)[1]})]


def test_without_a_market_there_is_nothing_to_kill() -> None:
    """Keys that need a selection say so."""
    bench = Bench()
    bench.show(picture(2, markets=[], positions=[], trades=[]))
    bench.press("K")
    assert "nothing is selected" in bench.text()
    bench.press("f")
    assert "nothing is selected" in bench.text()
    bench.press("enter")
    assert bench.shell.sent == []


def test_d_opens_what_is_known_of_a_row(bench: Bench) -> None:
    """A market's page, an actor's page, and a trade's market."""
    bench.press("d")
    assert "confirmed books" in bench.text()
    bench.press("esc", "tab", "tab", "d")
    assert "confirmed books" in bench.text()
    bench.press("esc", "2", "d")
    assert "generation" in bench.text()


def test_a_trade_of_a_vanished_market_has_no_page() -> None:
    """What the picture does not hold cannot be opened."""
    bench = Bench()
    document = picture(2)
    bench.show(document | {"markets": []})
    bench.press("tab", "d")

    assert bench.cockpit.root.dialog is None


def test_the_help_shows_every_key(bench: Bench) -> None:
    """The overlay is made from the table of keys, and any closing key closes it."""
    bench.press("?")
    shown = bench.text()
    assert "quit; asks whether the engine goes on" in shown
    bench.press("G", "page down", "page down", "page down")
    assert "draw the whole screen again" in bench.text()
    bench.press("q")
    assert bench.cockpit.root.dialog is None
    assert bench.shell.ends == []


def test_panels_are_reached_by_tab_and_scrolled(bench: Bench) -> None:
    """Arrows move in the active panel alone."""
    bench.press("tab", "tab", "tab", "up", "page up", "g", "G", "k", "page down", "home", "end")

    assert "▸ Engine Log" in bench.text()
    bench.press("tab")
    assert "▸ Live Markets" in bench.text()
    assert "active" in repr(bench.cockpit.root.screen)


def test_quitting_asks_what_becomes_of_the_engine(bench: Bench) -> None:
    """Enter cancels; the other answers leave or stop."""
    bench.press("q", "enter")
    assert bench.shell.ends == []
    bench.press("q", "l", "q", "s")
    assert bench.shell.ends == ["leave", "stop"]


def test_without_an_engine_quitting_asks_nothing(bench: Bench) -> None:
    """There is nothing to leave running or to stop."""
    bench.lose("it has ended")
    bench.press("q")

    assert bench.shell.ends == ["leave"]


def test_answers_appear_and_vanish(bench: Bench) -> None:
    """The engine's line stands in the frame for a while, with a sign for yes or no."""
    bench.cockpit.hear("kill", Answer(ok=True, text="killed"), bench.now_s)
    assert "✓ killed" in bench.lines()[-2]
    bench.cockpit.hear("kill", Answer(ok=False, text=""), bench.now_s)
    assert "✗ kill: refused without a word" in bench.lines()[-2]
    assert not bench.cockpit.refresh(bench.now_s + 7.9)
    assert bench.cockpit.refresh(bench.now_s + 8.0)
    assert "✗" not in bench.lines()[-2]
    bench.cockpit.hear("kill", Answer(ok=True, text=""), bench.now_s)
    assert "kill: done" in bench.lines()[-2]


def test_a_lost_engine_greys_its_last_picture(bench: Bench) -> None:
    """The picture stays, without colours, under a banner with its age."""
    bench.now_s += 5.0
    bench.lose("it does not answer")
    shown = bench.text(120)

    assert "ENGINE LOST: it does not answer · this picture is 5.0s old" in shown
    assert "Balance $1,234.56" in shown
    assert "lost" in bench.tones()
    assert all("alarm" in repr(tone) for tone in bench.tones() - {"lost"})
    bench.press("K")
    assert "kill is not possible" in bench.text()
    bench.show(picture(8))
    assert "lost" not in bench.tones()


def test_before_the_first_picture_the_console_waits() -> None:
    """An engine that is not there yet is waited for, in words."""
    bench = Bench()
    bench.lose("there is no engine at its socket")

    assert "WAITING FOR THE ENGINE" in bench.text()
    assert "no picture of the engine yet" in bench.text()


def test_nothing_new_draws_nothing(bench: Bench) -> None:
    """The same picture again costs no drawing; urwid gets the very same canvas."""
    before = bench.cockpit.root.render((80, 24))

    assert not bench.cockpit.refresh(bench.now_s + 0.1)
    assert not bench.show(picture(8))
    assert bench.cockpit.root.render((80, 24)) is before
    bench.link.picture = None
    bench.press("l")
    assert bench.cockpit.root.render((80, 24)) is not before


def test_a_change_is_drawn(bench: Bench) -> None:
    """A picture that differs anywhere is brought onto the screen."""
    document = picture(8)
    document["markets"][0]["bid_e4"] = 1_100

    assert bench.show(document)
    assert " 11 " in bench.lines()[5]


def test_redraw_is_handed_on(bench: Bench) -> None:
    """Ctrl-L is for terminals that were written over."""
    bench.press("ctrl l")

    assert bench.shell.ends == ["redraw"]


def test_live_things_say_what_they_are(bench: Bench) -> None:
    """The parts of the console have honest names."""
    bench.press("K")

    assert "Question 'Kill'" in repr(bench.cockpit.root)
    assert "up" in repr(bench.cockpit)
