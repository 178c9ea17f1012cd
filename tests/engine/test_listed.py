"""What both sides list, and the catalogue that follows: fees at their moment, terms as told."""

from __future__ import annotations

import attrs
import pytest

from arb.core.events import Liquidity
from arb.core.fees import RATES_E4, FeeSchedule, UnknownFees
from arb.core.games import KalshiGame, OddsEvent, Reason, Source
from arb.core.grid import WHOLE_CENTS, PriceGrid
from arb.core.listing import Catalogue, MarketStatus
from arb.core.money import CountE2
from arb.engine.discovery import header_of, listed_on_tape
from arb.engine.listed import (
    FEES_UNKNOWN,
    NOT_LISTED,
    Found,
    Listed,
    OwnFees,
    Terms,
    keeping,
    with_ours,
)
from arb.io.teams_file import packaged_teams
from arb.kalshi.listing import FeeChange, Series
from arb.kalshi.wire import EventFee, MarketLifecycle
from arb.tape.format import header_line, parse_header

START_MS = 1_795_343_000_000
EVENT = "KXNFLGAME-26NOV22WASCAR"
WAS, CAR = f"{EVENT}-WAS", f"{EVENT}-CAR"
SERIES = Series("KXNFLGAME", "quadratic_with_maker_fees", 10_000)
HALF = FeeChange("KXNFLGAME", "quadratic", 5_000, START_MS + 100)
OFFER = OddsEvent(
    "odds-api-io", "1", "nfl", "Carolina Panthers", "Washington Commanders", START_MS + 3_600_000
)
LISTED = Listed(
    (KalshiGame(EVENT, (WAS, CAR), START_MS + 3_600_000),),
    {WAS: Terms(WHOLE_CENTS, 0), CAR: Terms(WHOLE_CENTS, 0)},
    {"KXNFLGAME": SERIES},
    fee_changes=(HALF,),
)
FINE = PriceGrid(((0, 10_000, 10),))


def found(listed: Listed = LISTED, *offers: OddsEvent) -> Found:
    """Match the usual game."""
    return Found.of(packaged_teams(), listed, offers or (OFFER,))


def multiplier(listed: Listed, now_ms: int) -> tuple[str, int]:
    """Return the fees of the usual game at a moment."""
    fees = listed.fees(EVENT, now_ms)
    return fees.fee_type, fees.multiplier_e4


def test_announced_fees_are_in_force_from_their_moment() -> None:
    """Until then the series' own are; a change of another series changes nothing."""
    other = attrs.evolve(HALF, ticker="KXNBAGAME", at_ms=0)
    listed = attrs.evolve(LISTED, fee_changes=(other, HALF))

    assert multiplier(listed, START_MS + 99) == ("quadratic_with_maker_fees", 10_000)
    assert multiplier(listed, START_MS + 100) == ("quadratic", 5_000)
    assert listed.next_fees_ms(START_MS + 99) == START_MS + 100
    assert listed.next_fees_ms(START_MS + 100) is None


@pytest.mark.parametrize(
    "own, fees",
    [
        (OwnFees(None, 0), ("quadratic_with_maker_fees", 0)),
        (OwnFees("quadratic", None), ("quadratic", 10_000)),
        (OwnFees("quadratic", 2_000), ("quadratic", 2_000)),
    ],
)
def test_an_event_overrides_what_it_names(own: OwnFees, fees: tuple[str, int]) -> None:
    """Type and multiplier are overridden each by itself."""
    assert multiplier(attrs.evolve(LISTED, own_fees={EVENT: own}), START_MS) == fees


def test_fees_of_a_series_nobody_has_read_are_unknown() -> None:
    """A game is never traded under fees that are assumed."""
    listed = attrs.evolve(LISTED, series={})

    with pytest.raises(UnknownFees, match="KXNFLGAME"):
        listed.fees(EVENT, START_MS)
    (left_out,) = found(listed).catalogue(START_MS).unmatched
    assert (left_out.what, left_out.id) == (Source.KALSHI, EVENT)
    assert left_out.reason is Reason.UNKNOWN_FEES
    assert "Panthers" in left_out.text


def test_a_change_that_has_just_come_into_force_outlives_the_cache() -> None:
    """The exchange announces it no longer, and its series may still be served as before."""
    read = attrs.evolve(LISTED, fee_changes=())
    now_ms = HALF.at_ms + 10

    kept = read.with_changes_of(LISTED, HALF.at_ms - 10, now_ms)
    assert multiplier(kept, now_ms) == ("quadratic", 5_000)
    assert read.with_changes_of(LISTED, HALF.at_ms + 1, now_ms).fee_changes == ()
    # One that was announced and is not any more was taken back.
    assert read.with_changes_of(LISTED, 0, HALF.at_ms - 1).fee_changes == ()
    assert LISTED.with_changes_of(LISTED, 0, now_ms).fee_changes == (HALF,)


@pytest.mark.parametrize(
    "word, status",
    [
        ("activated", MarketStatus.ACTIVE),
        ("deactivated", MarketStatus.INACTIVE),
        ("determined", MarketStatus.DETERMINED),
        ("settled", MarketStatus.FINALIZED),
        ("metadata_updated", MarketStatus.INACTIVE),
    ],
)
def test_a_message_changes_the_status_of_its_market(word: str, status: MarketStatus) -> None:
    """One market of the game, and not the other; what says nothing of it leaves it."""
    paused = attrs.evolve(
        LISTED, terms={**LISTED.terms, WAS: Terms(WHOLE_CENTS, 0, MarketStatus.INACTIVE)}
    )
    after = paused.after(MarketLifecycle(WAS, word))

    assert after.terms[WAS].status is status
    assert after.terms[CAR] == LISTED.terms[CAR]


def test_a_message_moves_the_close_and_the_grid() -> None:
    """Each changes only what it carries; of a market that is not listed it changes nothing."""
    moved = LISTED.after(MarketLifecycle(WAS, "close_date_updated", close_ms=7))
    refined = moved.after(MarketLifecycle(WAS, "price_level_structure_updated", price_grid=FINE))

    assert refined.terms[WAS] == Terms(FINE, 0, MarketStatus.ACTIVE, 7)
    assert LISTED.after(MarketLifecycle("KXNFLGAME-X-Y", "settled")) is LISTED
    assert LISTED.after(MarketLifecycle(WAS, "activated")) is LISTED


def test_an_events_own_fees_are_set_and_cleared_by_message() -> None:
    """Both fields empty mean that the series' fees are in force again."""
    own = LISTED.after(EventFee(EVENT, None, 0))

    assert multiplier(own, START_MS) == ("quadratic_with_maker_fees", 0)
    assert own.after(EventFee(EVENT, None, None)).own_fees == {}


def test_a_market_that_is_matched_no_more_stays_and_says_why() -> None:
    """With the terms of the moment, until somebody has looked whether anything is held in it."""
    before = found().catalogue(START_MS)
    paused = LISTED.after(MarketLifecycle(CAR, "deactivated"))
    alone = Found.of(packaged_teams(), paused, ())
    now = keeping(before, alone.catalogue(START_MS), paused)

    assert [each.ticker for each in now.listings] == [each.ticker for each in before.listings]
    assert {each.left_out for each in now.listings} == {
        f"not traded any more: {Reason.NO_COUNTERPART}"
    }
    assert now.by_ticker()[CAR].status is MarketStatus.INACTIVE
    gone = attrs.evolve(LISTED, games=(), terms={})
    empty = keeping(before, Catalogue(()), gone)
    assert {each.left_out for each in empty.listings} == {NOT_LISTED}
    assert keeping(before, before, LISTED) == before


def with_was(listed: Listed) -> Catalogue:
    """Return the catalogue of an engine that holds something in a market and knows no game."""
    return with_ours(Catalogue(()), [WAS], listed, packaged_teams(), START_MS)


def test_what_is_ours_is_listed_by_kalshi_alone() -> None:
    """Both markets of its game as a match would list them, but without odds; then left out."""
    matched, alone = found().catalogue(START_MS), with_was(LISTED)
    (game,) = matched.games
    assert alone.games == (attrs.evolve(game, odds=()),)
    assert [each.ticker for each in alone.listings] == [each.ticker for each in matched.listings]
    assert [each.fees for each in alone.listings] == [each.fees for each in matched.listings]

    assert keeping(alone, matched, LISTED) == matched
    unmatched = Found.of(packaged_teams(), LISTED, ())
    left_out = keeping(alone, unmatched.catalogue(START_MS), LISTED)
    assert {each.left_out for each in left_out.listings} == {
        f"not traded any more: {Reason.NO_COUNTERPART}"
    }


def test_what_is_listed_already_is_not_listed_twice() -> None:
    """Nor is anything listed that Kalshi does not list, or whose ticker names no game."""
    matched = found().catalogue(START_MS)
    assert with_ours(matched, [WAS], LISTED, packaged_teams(), START_MS) == matched
    assert with_was(attrs.evolve(LISTED, games=())) == Catalogue(())
    half = attrs.evolve(LISTED, games=(KalshiGame(EVENT, (WAS,), START_MS),))
    assert with_was(half) == Catalogue(())


def test_what_is_ours_is_sold_under_fees_that_nobody_knows() -> None:
    """They are taken for the dearest that are known."""
    listings = with_was(attrs.evolve(LISTED, series={})).listings

    assert {each.fees for each in listings} == {FEES_UNKNOWN}
    fees = [FeeSchedule(each) for each in RATES_E4]
    for liquidity in Liquidity:
        asked = [each.fee_e6(5_000, CountE2(100), liquidity) for each in fees]
        assert max(asked) == FEES_UNKNOWN.fee_e6(5_000, CountE2(100), liquidity)


def test_what_is_over_is_matched_no_more() -> None:
    """So that no later message brings it back."""
    assert found().without({EVENT}).catalogue(START_MS) == Catalogue(())
    assert found().without({EVENT}).listed.games == ()
    assert found().without({"other"}) == found()


def test_games_are_matched_anew_only_when_they_have_changed() -> None:
    """The same games keep their identity, whatever else was read."""
    first = found()
    paused = LISTED.after(MarketLifecycle(WAS, "deactivated"))
    again = Found.of(packaged_teams(), paused, (OFFER,), first)
    other = Found.of(packaged_teams(), paused, (attrs.evolve(OFFER, event_id="2"),), first)

    assert again.matches is first.matches
    assert other.matches != first.matches


def test_a_tape_says_all_that_is_listed() -> None:
    """Written as a header and read again: terms, fees, what was announced, and both sides."""
    listed = attrs.evolve(
        LISTED,
        terms={WAS: Terms(FINE, 3, MarketStatus.INACTIVE, 9), CAR: Terms(WHOLE_CENTS, 3)},
        own_fees={EVENT: OwnFees("quadratic", None)},
    )
    header = parse_header(header_line(header_of(found(listed), 5)))

    assert header.begins_ms == 5
    assert Found.of(packaged_teams(), listed_on_tape(header), header.odds_events) == found(listed)
