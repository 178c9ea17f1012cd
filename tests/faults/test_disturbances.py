"""The plan of a faulty proxy: all of it from the seed."""

from __future__ import annotations

from arb.faults.disturbances import STRENGTHS, Line, Trouble, proxy_plan

LONG_S = 600.0


def test_a_seed_gives_the_same_plan_each_time() -> None:
    """Another one gives another."""
    assert proxy_plan(7, 30.0) == proxy_plan(7, 30.0)
    assert proxy_plan(7, 30.0) != proxy_plan(8, 30.0)


def test_everything_happens_within_the_time() -> None:
    """Troubles begin after a calm moment and end before the run does."""
    for seed in range(50):
        plan = proxy_plan(seed, 12.0)
        assert plan.disturbances
        for each in plan.disturbances:
            assert each.at_s > 0.5
            assert each.for_s > 0
            assert each.at_s + each.for_s <= 12.0
            assert each.strength in STRENGTHS.get(each.trouble, (0.0,))


def test_some_seeds_do_what_others_leave_out() -> None:
    """Over many seeds every trouble comes, on both lines; over one, not every one."""
    plans = [proxy_plan(seed, LONG_S) for seed in range(30)]
    seen = {each.trouble for plan in plans for each in plan.disturbances}
    assert seen == set(Trouble)
    assert {each.line for plan in plans for each in plan.disturbances} == set(Line)
    assert any({each.trouble for each in plan.disturbances} < seen for plan in plans)


def test_the_rates_are_told() -> None:
    """In a minute, and only of what happens; a run too short for anything says none."""
    plan = proxy_plan(1, LONG_S)
    first = plan.disturbances[0].trouble
    count = sum(each.trouble is first for each in plan.disturbances)
    assert f"{first} {count / 10:.1f}" in plan.words
    assert plan.words.endswith(" a minute")
    assert proxy_plan(1, 0.1).words == "none a minute"
    assert str(plan.disturbances[0]).startswith(f"{plan.disturbances[0].at_s:.2f} s: ")
