"""Short names of tickers."""

from __future__ import annotations

from arb.console.tickers import LONGEST_COLUMNS, shorten, ticker_column, ticker_names

NYY = "KXMLBGAME-25AUG231905NYYBOS-NYY"
BOS = "KXMLBGAME-25AUG231905NYYBOS-BOS"
NEXT_DAY = "KXMLBGAME-25AUG241905NYYBOS-NYY"
SAME_DAY = "KXMLBGAME-25AUG232205NYYBOS-NYY"


def test_a_short_name_leaves_out_what_is_the_same_everywhere() -> None:
    """KX, GAME and the date go; teams and side stay."""
    assert shorten(NYY) == "MLB-NYYBOS-NYY"
    assert shorten(NYY, day=True) == "MLB-23NYYBOS-NYY"
    assert shorten("KXNBAGAME-26JAN05LALNYK-LAL") == "NBA-LALNYK-LAL"
    assert shorten("KXMLBGAME-25AUG231905NYYBOSG2-NYY") == "MLB-NYYBOSG2-NYY"


def test_what_is_no_ticker_stays_as_it_is() -> None:
    """Actors that are no markets keep their names."""
    assert shorten("gateway") == "gateway"


def test_games_of_several_days_carry_their_day() -> None:
    """Two games of the same teams are told apart by the day of the month."""
    names = ticker_names((NYY, BOS, NEXT_DAY))

    assert names.fitted(NYY, 16) == "MLB-23NYYBOS-NYY"
    assert names.fitted(NEXT_DAY, 16) == "MLB-24NYYBOS-NYY"
    assert names.fitted(BOS, 16) == "MLB-NYYBOS-BOS"


def test_games_that_no_short_name_tells_apart_keep_the_whole() -> None:
    """Two games of one day keep their full tickers, cut at the beginning where they must be."""
    names = ticker_names((NYY, SAME_DAY))

    assert names.fitted(NYY, 40) == NYY
    assert names.fitted(NYY, 16) == "…31905NYYBOS-NYY"
    assert names.fitted(SAME_DAY, 16) == "…32205NYYBOS-NYY"


def test_the_whole_ticker_is_shown_where_it_fits() -> None:
    """With room enough nothing is left out, and the side is never cut off."""
    names = ticker_names((NYY,))

    assert names.fitted(NYY, 31) == NYY
    assert names.fitted(NYY, 30) == "MLB-NYYBOS-NYY"
    assert names.fitted(NYY, 8) == "…BOS-NYY"
    assert len(names.fitted(NYY, 0)) <= 1


def test_the_column_is_as_wide_as_the_longest_ticker_but_has_a_limit() -> None:
    """A ticker beyond all measure does not take the screen."""
    assert ticker_column(ticker_names((NYY,)), 0).width_max == len(NYY)
    assert ticker_column(ticker_names(("K" * 300,)), 0).width_max == LONGEST_COLUMNS
    assert ticker_column(ticker_names(()), 0).width_max == 16
