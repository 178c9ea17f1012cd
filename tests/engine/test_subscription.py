"""What a subscription follows, by the exchange's word alone, and what is asked for when."""

from __future__ import annotations

from arb.engine.subscription import ANSWERED_WITHIN_S, ASKED_AGAIN_AFTER_S, Subscription

ONE, TWO, THREE = "ONE", "TWO", "THREE"


def test_what_is_asked_for_is_followed_once_it_is_confirmed() -> None:
    """Until then it is neither followed nor asked for a second time."""
    one = Subscription()
    assert one.due([ONE, TWO], 0.0) == [ONE, TWO]
    one.asked(7, [ONE, TWO], 0.0)
    assert not one.followed
    assert one.due([ONE, TWO, THREE], 1.0) == [THREE]
    assert one.confirmed(7, None, 1.0) == ()
    assert one.followed == {ONE, TWO}
    assert one.due([ONE, TWO], 1.0) == []


def test_the_exchanges_list_is_what_is_followed() -> None:
    """Whoever is not in it is not followed, were he confirmed before or asked for just now."""
    one = Subscription(frozenset({ONE}))
    one.asked(7, [TWO], 0.0)
    one.asked(8, [THREE], 0.0)
    assert one.confirmed(7, frozenset({TWO}), 1.0) == (ONE,)
    assert one.confirmed(8, frozenset({TWO}), 1.0) == (THREE,)
    assert one.followed == {TWO}
    assert one.due([ONE, TWO, THREE], 1.0) == []
    assert one.due([ONE, TWO, THREE], 1.0 + ASKED_AGAIN_AFTER_S) == [ONE, THREE]


def test_what_was_refused_is_asked_for_again_after_a_while() -> None:
    """Not at once, which would be one more of too many requests."""
    one = Subscription()
    one.asked(7, [ONE], 0.0)
    assert one.refused(9, 1.0) == one.refused(None, 1.0) == ()
    assert one.refused(7, 1.0) == (ONE,)
    assert one.due([ONE], 0.9 + ASKED_AGAIN_AFTER_S) == []
    assert one.due([ONE], 1.0 + ASKED_AGAIN_AFTER_S) == [ONE]


def test_a_command_without_an_answer_is_given_up() -> None:
    """Its markets are asked for again; a list that comes late all the same is believed."""
    one = Subscription()
    one.asked(7, [ONE], 0.0)
    one.asked(8, [TWO], 1.0)
    assert one.unanswered(ANSWERED_WITHIN_S - 0.1) == ()
    assert one.unanswered(ANSWERED_WITHIN_S) == (ONE,)
    assert "1 commands out" in repr(one)
    assert one.confirmed(7, None, 6.0) == ()
    assert one.followed == frozenset()
    assert one.confirmed(7, frozenset({ONE}), 6.0) == ()
    assert one.followed == {ONE}


def test_a_refusal_takes_nothing_from_what_is_followed() -> None:
    """Another command's answer has listed the market meanwhile: its changes are told."""
    one = Subscription()
    one.asked(7, [ONE, TWO], 0.0)
    one.confirmed(None, frozenset({ONE}), 1.0)
    assert one.refused(7, 1.0) == (TWO,)
    assert one.followed == {ONE}


def test_a_market_that_is_left_is_not_followed() -> None:
    """Whatever the exchange says to it; taken up again, it is asked for at once."""
    one = Subscription(frozenset({ONE, TWO}))
    one.left([ONE])
    assert one.followed == {TWO}
    assert one.due([ONE, TWO], 0.0) == [ONE]
