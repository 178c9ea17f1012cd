"""Title, money, connections and banners."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from arb.console.cells import Line, Tone
from arb.console.header_view import LinkView, banners, connection_line, money_line, title
from arb.console.snapshot import read_snapshot
from tests.console.fake_engine import START_MS, picture

UP = LinkView(connected=True)


def text(line: Line) -> str:
    """Return a line's text."""
    return "".join(cell.text for cell in line)


def tone_of(line: Line, part: str) -> Tone:
    """Return the tone of the cell that holds ``part``."""
    return next(cell.tone for cell in line if part in cell.text)


def state(name: str, *reasons: str) -> Any:
    """Return a picture with this trading state."""
    return read_snapshot(picture(2, trading={"state": name, "reasons": list(reasons)}))


@pytest.mark.parametrize(
    "mode,words,tone",
    [
        ("sim", "SIMULATED WORLD", Tone.SAFE_MODE),
        ("demo", "Kalshi demo", Tone.DEMO_MODE),
        ("live", "real money", Tone.LIVE_MODE),
        ("other", "", Tone.LIVE_MODE),
    ],
)
def test_the_mode_is_there_in_words(mode: str, words: str, tone: Tone) -> None:
    """The mode stands in the first line; one that nobody knows looks like real money."""
    shown = title(read_snapshot(picture(2, mode=mode, mode_words=words))).left

    assert (words or mode).upper() in text(shown)
    assert tone_of(shown, (words or mode).upper()) is tone


def test_the_title_tells_state_world_and_version() -> None:
    """The trading state has a sign and a word; world and version stand at the right."""
    shown = title(state("running"))

    assert "▶ RUNNING" in text(shown.left)
    assert text(shown.right) == "seed-7 · v0.1.0"
    assert "■ HALTED" in text(title(state("halted")).left)
    assert "? CONFUSED" in text(title(state("confused")).left)
    assert text(title(None).left) == "Kalshi Arb Engine"
    assert "RUNNING" not in text(title(state("running"), connected=False).left)
    assert "✗ LOST" in text(title(state("running"), connected=False).left)


def test_money_is_told_in_full_where_there_is_room() -> None:
    """Balance, exposure against its limit, gain, fees and what was ordered."""
    assert text(money_line(state("running"), 200)) == (
        "Balance $1,234.56 │ Exposure $320.00 of $500.00 (64%) │ "
        "P&L +$45.23 (+$40.00 closed, +$5.23 open) │ Fees $1.20 │ 41 orders, 37 fills, 2 refused"
    )


def test_money_is_told_in_short_on_a_narrow_terminal() -> None:
    """At 80 columns balance, exposure and gain are there; what is left out is counted."""
    line = text(money_line(state("running"), 76))

    assert len(line) <= 76
    for part in ("$1,234.56", "$320.00/$500.00", "+$45.23"):
        assert part in line
    assert line.endswith("+1")


def test_today_is_told_with_the_loss_that_halts() -> None:
    """The day's loss carries a minus, and beside it stands how far it may go."""
    document = picture(2)
    document["account"] |= {"day_e6": -1_200_000, "day_loss_max_e6": 100_000_000}
    line = money_line(read_snapshot(document), 200)

    assert "Today -$1.20 (halts at -$100.00)" in text(line)
    assert tone_of(line, "-$1.20") is Tone.BAD


def test_a_loss_and_a_full_limit_stand_out() -> None:
    """A loss carries a minus, an exposure near its limit an exclamation mark."""
    document = picture(2)
    document["account"] |= {"exposure_e6": 460_000_000, "realised_e6": -90_000_000}
    line = money_line(read_snapshot(document), 200)

    assert "(92%!)" in text(line)
    assert tone_of(line, "(92%!)") is Tone.WARN
    assert tone_of(line, "-$84.77") is Tone.BAD


def test_nothing_exposed_is_no_warning_even_without_a_limit() -> None:
    """An engine that has just begun is not near any limit."""
    line = money_line(read_snapshot({"v": 1}), 200)

    assert "$0.00 of $0.00 (--)" in text(line)
    assert "!" not in text(line)


def test_connections_show_their_age() -> None:
    """A connection that is up says so with its last sign of life."""
    line = connection_line(state("running"), 200)

    assert "● Kalshi books CONNECTED 0.4s" in text(line)
    assert "Uptime 2h 14m" in text(line)


def test_a_connection_that_is_down_comes_first_and_says_since_when() -> None:
    """Down is a word, with its age and its reason."""
    document = picture(2)
    document["connections"][2] |= {
        "connected": False,
        "since_ms": START_MS - 12_000,
        "detail": "refused",
    }
    read = read_snapshot(document)

    assert text(connection_line(read, 200)).startswith("✗ Odds DOWN 12s refused │")
    assert "✗ Odds DOWN 12s" in text(connection_line(read, 40))
    assert tone_of(connection_line(read, 200), "DOWN") is Tone.BAD


def test_a_quiet_connection_looks_old() -> None:
    """A connection without a sign of life for long is called quiet."""
    document = picture(2)
    document["connections"][0]["age_ms"] = 6_000
    document["connections"][1]["age_ms"] = None
    line = text(connection_line(read_snapshot(document), 200))

    assert "○ Kalshi books QUIET 6.0s" in line
    assert "● Kalshi orders CONNECTED │" in line


def test_on_a_narrow_terminal_no_connection_is_left_out() -> None:
    """Four connections and the uptime fit into 80 columns, their names in short."""
    document = picture(2)
    document["connections"].append({"name": "Kalshi account", "connected": True, "age_ms": 900})
    line = text(connection_line(read_snapshot(document), 76))

    assert len(line) <= 76
    for part in ("books 0.4s", "orders 0.7s", "Odds 1.2s", "account 0.9s", "Up 2h 14m"):
        assert part in line


def test_no_connection_at_all_is_said() -> None:
    """An engine without connections does not look connected."""
    read = read_snapshot(picture(2, connections=[]))

    assert "no connection yet" in text(connection_line(read, 80))


def test_a_running_engine_needs_no_banner() -> None:
    """Nothing stands in the way, so nothing is said."""
    assert banners(state("running"), UP, 80) == ()


@pytest.mark.parametrize(
    "name,hint",
    [
        ("paused", "ends by itself"),
        ("halted", "press C to clear"),
        ("reducing", "only closed"),
        ("starting", ""),
    ],
)
def test_a_banner_says_why_and_what_to_do(name: str, hint: str) -> None:
    """Every state but running shows its reasons and the way out."""
    shown = banners(state(name, "daily loss", "stale odds"), UP, 120)

    assert "daily loss; stale odds" in text(shown[0])
    assert hint in "".join(map(text, shown))
    assert name.upper() in text(shown[0])


def test_books_that_differ_name_their_own_way_out() -> None:
    """To resume would not help: the command that does stands on a line of its own, uncut."""
    reason = "not reconciled: cash is $10.00 more at Kalshi ($1,010.00 there, $1,000.00 here)"
    shown = banners(state("paused", reason), UP, 80)

    assert "arb reconcile --accept" in text(shown[1])
    assert len(text(shown[1])) <= 80
    assert "press r" not in "".join(map(text, shown))


def test_r_is_offered_where_it_helps() -> None:
    """A person's pause ends with r; one that a lost connection causes ends when it is back."""
    person = "paused by a person (end it with: arb resume)"
    lost = "Odds is down: HTTP 503: unavailable"

    assert "press r" in text(banners(state("paused", person, lost), UP, 120)[0])
    assert "press r" not in text(banners(state("paused", lost), UP, 120)[0])


def test_a_key_stands_in_for_the_way_out_of_a_shell() -> None:
    """What a reason says of commands is left out, wherever in it; nothing else is."""
    halted = "halted by a person: test (end it with: arb clear --reason ...)"
    groups = "order groups: shard 0: hit; end it with: arb clear --reason ...; shard 3: hit"
    shown = text(banners(state("halted", halted, groups), UP, 160)[0])

    assert "arb" not in shown
    assert "halted by a person: test; order groups: shard 0: hit; shard 3: hit" in shown


def test_a_long_banner_takes_a_second_line_for_its_hint() -> None:
    """The way out is never cut off by a long reason."""
    shown = banners(state("halted", "x" * 70), UP, 80)

    assert len(shown) == 2
    assert "press C" in text(shown[1])
    assert {line[0].tone for line in shown} == {Tone.ALARM}


def test_reasons_that_do_not_fit_one_line_get_one_each() -> None:
    """No reason is cut off by another; beyond three they are counted."""
    reasons = [f"{word} " + "x" * 40 for word in ("first", "second", "third", "fourth")]
    shown = [text(line) for line in banners(state("paused", *reasons), UP, 80)]

    assert shown[0].startswith("‖ PAUSED: first")
    assert shown[1].startswith("  and:    second")
    assert "third" in shown[2]
    assert "(+1 more)" in shown[2]
    assert "ends by itself" in shown[2] + shown[3]
    assert len(banners(state("paused", *reasons[:2]), UP, 80)) == 2


def test_reasons_are_shown_even_while_running() -> None:
    """An engine that gives a reason has something to say; none given is said too."""
    assert "slow disk" in text(banners(state("running", "slow disk"), UP, 80)[0])
    assert "no reason given" in text(banners(state("paused"), UP, 80)[0])


def test_a_broken_invariant_is_an_alarm() -> None:
    """Nothing else may hide it."""
    document = picture(2)
    document["counts"]["invariant_violations"] = 2
    shown = banners(read_snapshot(document), UP, 100)

    assert "2 INVARIANT VIOLATIONS" in text(shown[0])
    assert shown[0][0].tone is Tone.ALARM


def test_a_lost_engine_stands_above_all() -> None:
    """The banner tells why, how old the picture is, and that it tries again."""
    lost = LinkView(connected=False, lost_ms=12_000, attempts=4, why="it has ended")
    shown = banners(state("paused", "by a person"), lost, 120)

    assert text(shown[0]).startswith("✗ ENGINE LOST: it has ended · this picture is 12s old")
    assert "attempt 4" in text(shown[0])
    narrow = banners(state("running"), attrs.evolve(lost, why="its socket has gone" * 2), 80)
    assert "this picture is 12s old · reconnecting, attempt 4" in text(narrow[1])
    assert "PAUSED" in text(shown[1])


def test_an_engine_that_was_never_there_is_waited_for() -> None:
    """Before the first picture there is nothing to call lost."""
    waiting = LinkView(connected=False, attempts=2, why="no socket", ever=False)

    assert "WAITING FOR THE ENGINE: no socket" in text(banners(None, waiting, 120)[0])


def test_a_missing_exit_stands_over_everything() -> None:
    """The first alarm is told with its reason, and how many there are beside it."""
    alarms = [{"name": name, "since_ms": 1, "text": "no exit rests"} for name in ("A", "B")]
    one = read_snapshot(picture(2, trading={"state": "running"}, alarms=alarms[:1]))
    two = read_snapshot(picture(2, trading={"state": "running"}, alarms=alarms))

    assert [text(line) for line in banners(one, UP, 80)] == ["‼ A: no exit rests"]
    assert [text(line) for line in banners(two, UP, 80)] == ["‼ A: no exit rests (+1 more)"]
    assert tone_of(banners(one, UP, 80)[0], "A") is Tone.ALARM
