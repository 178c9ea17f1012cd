"""Finding things: filter, order, palette, mouse, and the way in and back."""

from __future__ import annotations

import pytest

from arb.console.closeups import Look, Wish, read_closeup
from arb.console.keys import Screen
from tests.console.fake_closeups import closeup
from tests.console.fake_engine import picture, tickers
from tests.console.fake_shell import Bench


@pytest.fixture
def bench() -> Bench:
    """Return a cockpit that shows a running engine of eight markets."""
    made = Bench()
    made.show(picture(8))
    return made


def chosen(bench: Bench) -> str:
    """Return the ticker of the selected row."""
    return str(getattr(bench.cockpit.panels.active.selected, "ticker", ""))


def see(bench: Bench) -> None:
    """Answer what the screen wishes to see, as an engine would."""
    wish = bench.cockpit.wish
    assert wish is not None
    bench.cockpit.see(Look(wish, read_closeup(wish.what, closeup(wish.what, wish.name))))
    bench.cockpit.refresh(bench.now_s)


def test_a_filter_shows_only_what_has_its_words(bench: Bench) -> None:
    """It works while it is typed; Enter keeps it, Esc shows all again."""
    bench.press("/", *"lad")
    assert "/lad▏" in bench.lines(120)[-2]
    assert "/lad 2 of 8" in bench.text(120)
    bench.press("enter", "K", "y")
    assert bench.shell.sent == [("kill", {"name": tickers(4)[2]})]
    bench.press("esc")
    assert "/lad" not in bench.text(120)


def test_a_filter_that_finds_nothing_says_so(bench: Bench) -> None:
    """Letters are no keys while a filter is typed, and an empty panel says why it is empty."""
    bench.press("/", *"qqp", "backspace")
    assert "nothing here has /qq in it: Esc shows all again" in bench.text()
    assert bench.shell.sent == []
    bench.press("down", "esc")
    assert "▸MLB-NYYBOS-NYY" in bench.text()


def test_rows_are_sorted_column_by_column(bench: Bench) -> None:
    """Numbers fall, what is not known comes last, and after the last column the order is back."""
    document = picture(8)
    document["markets"][5]["fair"] = 0.9
    document["markets"][0]["fair"] = None
    bench.show(document)
    bench.press("s", "g")
    assert "by Fair" in bench.text(120)
    assert chosen(bench) == tickers(8)[5]
    bench.press("G")
    assert chosen(bench) == tickers(8)[0]
    while "by " in bench.lines(120)[3]:
        bench.press("s")
    bench.press("g")
    assert chosen(bench) == tickers(8)[0]


def test_the_palette_does_what_it_finds(bench: Bench) -> None:
    """A command by part of its words, a market by part of its ticker."""
    bench.press(":", *"pause tr")
    assert "▸pause" in bench.text()
    bench.press("enter")
    assert bench.shell.sent == [("pause", {})]
    bench.press(":", *"ladsfg-sfg", "enter")
    assert bench.cockpit.panels.screen is Screen.MARKET
    assert bench.cockpit.wish == Wish("market", tickers(4)[3])
    bench.press(":", *"nothing at all", "enter")
    assert "no command and no market" in bench.text()
    bench.press("esc", ":", "down", "enter")
    assert "1-22 of" in bench.text()


def test_enter_goes_in_and_esc_comes_back(bench: Bench) -> None:
    """A market's own screen shows its decision, its book and every sportsbook."""
    bench.press("j", "enter")
    assert "asking the engine" in bench.text()
    see(bench)
    shown = bench.text(160, 50)
    for part in (
        tickers(2)[1],
        "2 books count, 2 are needed",
        "the books are within 1.6c",
        "a maker needs 2c, a taker 5c",
        "FanDuel",
        "suspended",
        "─ 2c ─",
        "*5",
        "entry BUY",
    ):
        assert part in shown
    bench.press("K", "y", "f", "y")
    assert bench.shell.sent == [
        ("kill", {"name": tickers(2)[1]}),
        ("force_close", {"ticker": tickers(2)[1]}),
    ]
    bench.press("esc")
    assert bench.cockpit.panels.screen is Screen.TRADING


def test_the_market_screen_has_a_market_from_anywhere(bench: Bench) -> None:
    """From a market's actor it is that market, from elsewhere the one marked last."""
    bench.press("2", "3")
    assert bench.cockpit.scene.ticker == tickers(1)[0]
    bench.press("2", "G", "3")
    assert bench.cockpit.scene.ticker == tickers(8)[7]
    bare = Bench()
    bare.show(picture(2, markets=[]))
    bare.press("3")
    assert "choose a market on the trading screen" in bare.text()
    assert bare.cockpit.wish is None


def test_an_actor_is_shown_with_its_failures(bench: Bench) -> None:
    """The panel beside the tree has the traceback and whom the actor waits for."""
    bench.press("2", "j")
    bench.cockpit.refresh(bench.now_s)
    see(bench)
    shown = bench.text(160, 50)

    assert 'File "feed.py", line 7' in shown
    assert "root/trading/risk for 0.0s" in shown
    assert "3 not for the odds feed" in shown


def test_a_game_says_why_it_is_left_out(bench: Bench) -> None:
    """The matching names the reason, and Enter the whole of it."""
    bench.press("4")
    see(bench)
    assert "unknown team or league" in bench.text()
    assert "SFG: KeyError" in bench.text()
    bench.press("enter")
    assert "might be" in bench.text()
    bench.press("esc", "tab", "d")
    assert "as Kalshi has them" in bench.text()


def test_latencies_have_percentiles_and_rates(bench: Bench) -> None:
    """Two looks make a rate; the histogram is of the selected step."""
    bench.press("5")
    see(bench)
    later = closeup("latency", "") | {"at_ms": 1_755_990_002_000, "counts": {"odds_frames": 12_100}}
    bench.cockpit.see(Look(Wish("latency"), read_closeup("latency", later)))
    bench.cockpit.refresh(bench.now_s)
    assert "50/s" in bench.text(160)
    assert "█████" in bench.text(160)
    bench.press("j")
    bench.cockpit.refresh(bench.now_s)
    assert "nothing was measured" in bench.text(160)


def test_why_nothing_is_seen_is_said(bench: Bench) -> None:
    """An engine that refuses to show something is quoted."""
    bench.press("4")
    bench.cockpit.see(Look(Wish("matching"), why="'show' is no verb"))
    bench.cockpit.refresh(bench.now_s)

    assert "'show' is no verb" in bench.text()


def test_the_mouse_selects_scrolls_and_presses(bench: Bench) -> None:
    """A click selects a row and its panel, the wheel scrolls, the last line's words are keys."""
    bench.text()

    def point(button: int, column: int, row: int) -> None:
        root = bench.cockpit.root
        assert root.mouse_event((80, 24), "mouse press", button, column, row, focus=True)
        bench.text()

    point(1, 10, 6)
    assert chosen(bench) == tickers(2)[1]
    point(5, 10, 6)
    assert chosen(bench) == tickers(5)[4]
    point(1, 10, 12)
    assert "Open Positions" in repr(bench.cockpit.panels)
    point(1, bench.lines()[-1].index("[p]") + 1, 23)
    assert bench.shell.sent == [("pause", {})]
    bench.press("?")
    point(1, bench.lines()[-1].index("[") + 1, 23)
    assert not bench.cockpit.root.mouse_event((80, 24), "mouse release", 0, 1, 1, focus=True)
    assert len(bench.shell.sent) == 1


def test_an_old_look_says_its_age(bench: Bench) -> None:
    """What the engine has not shown again for seconds is not taken for the present."""
    bench.press("enter")
    see(bench)
    assert "seen" not in bench.lines(120)[3]
    bench.now_s += 4.0
    bench.show(picture(8, seq=2))
    assert "! seen 4s ago" in bench.lines(120)[3]
