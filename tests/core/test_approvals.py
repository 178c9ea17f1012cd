"""Approvals: made at one desk, good once, briefly, and for one session."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.commands import Amendment
from arb.core.events import Side
from arb.core.money import CountE2, PriceE4
from arb.core.risk import (
    APPROVAL_VALID_NS,
    Approvals,
    ApprovalVoid,
    Approved,
    client_order_prefix,
)
from tests.core.order_factory import (
    ENTRY,
    NYY,
    intent,
)

MOVE = Amendment("o1", "x-o1", NYY, Side.ASK, PriceE4(5_600), CountE2(500), 1)


def test_only_the_desk_makes_approvals() -> None:
    """Nobody else has the seal, and an approval's own seal is broken: it makes no copy."""
    approved = Approvals("i1").approve(ENTRY, now_ns=0)
    for seal in (None, object(), "seal", approved._seal):
        with pytest.raises(ApprovalVoid, match="an approval is made by the risk manager alone"):
            Approved(ENTRY, "arb-i1-00000001", 0, 0, seal)
    with pytest.raises(ApprovalVoid):
        attrs.evolve(approved, intent=intent(count_e2=CountE2(100_000)))


def test_an_approval_is_good_once() -> None:
    """The second use of an approval is refused."""
    approved = Approvals("i1").approve(ENTRY, now_ns=0)
    approved.redeem(session=0, now_ns=0)

    with pytest.raises(ApprovalVoid, match="arb-i1-00000001 has been used"):
        approved.redeem(session=0, now_ns=0)


def test_an_approval_is_good_for_fifty_milliseconds() -> None:
    """At the limit it is still good; a nanosecond later it is not, and stays so."""
    desk = Approvals("i1")
    late, just = desk.approve(ENTRY, now_ns=100), desk.approve(ENTRY, now_ns=100)
    just.redeem(session=0, now_ns=100 + APPROVAL_VALID_NS)

    assert APPROVAL_VALID_NS == 50 * 10**6
    with pytest.raises(ApprovalVoid, match="is too old"):
        late.redeem(session=0, now_ns=101 + APPROVAL_VALID_NS)


def test_an_approval_is_good_for_its_session() -> None:
    """What was approved for an earlier session of the gateway is void in the next one."""
    desk = Approvals("i1")
    first = desk.new_session()
    approved = desk.approve(ENTRY, now_ns=0)
    second = desk.new_session()

    with pytest.raises(ApprovalVoid, match="is of another session"):
        approved.redeem(session=second, now_ns=0)
    approved.redeem(session=first, now_ns=0)
    assert (first, second) == (1, 2)


def test_a_refused_use_does_not_use_an_approval_up() -> None:
    """Being shown to the wrong gateway, or too late, is told by its own reason each time."""
    approved = Approvals("i1").approve(ENTRY, now_ns=0)
    for _ in range(2):
        with pytest.raises(ApprovalVoid, match="is of another session"):
            approved.redeem(session=9, now_ns=0)


def test_an_approval_carries_what_was_approved() -> None:
    """The gateway finds the order and its id in the approval, and no seal to look at."""
    approved = Approvals("i1", next_number=255).approve(ENTRY, now_ns=7)

    assert (approved.intent, approved.client_order_id) == (ENTRY, "arb-i1-000000ff")
    assert (approved.session, approved.approved_ns) == (0, 7)
    assert "seal" not in repr(approved)


def test_an_amendment_keeps_its_orders_id() -> None:
    """Moving an order needs an approval of its own and uses no new id."""
    desk = Approvals("i1", next_number=5)
    approved = desk.approve_amend(MOVE, now_ns=0)

    assert (approved.intent, approved.client_order_id) == (MOVE, "o1")
    assert desk.next_number == 5


@given(st.integers(1, 2**40), st.integers(1, 50))
def test_ids_never_repeat(start: int, count: int) -> None:
    """Every id is new, across sessions too, begins with our prefix and carries its number."""
    desk = Approvals("home", next_number=start)
    made = []
    for _ in range(count):
        desk.new_session()
        made.append(desk.approve(ENTRY, now_ns=0).client_order_id)

    assert len(set(made)) == count
    assert all(each.startswith(client_order_prefix("home")) for each in made)
    assert [int(each.rpartition("-")[2], 16) for each in made] == list(range(start, start + count))


def test_ids_have_no_character_that_the_exchange_refuses() -> None:
    """The exchange takes letters, digits and dashes; a dot would be refused."""
    assert client_order_prefix("abc") == "arb-abc-"
    assert "." not in Approvals("abc").approve(ENTRY, now_ns=0).client_order_id
