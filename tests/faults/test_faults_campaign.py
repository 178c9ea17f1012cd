"""Campaigns: summed up, gone on with, the same in every process, and a thousand seeds of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import attrs
import orjson
import pytest

from arb.cli.app import run
from arb.faults.campaign import Summary, outcomes_of, run_campaign, run_chunk
from arb.faults.determinism import digests
from arb.faults.plan import Plan, plan_of
from arb.faults.revision import revision
from arb.faults.session import Outcome, simulate
from arb.faults.sometimes import REQUIRED, missing
from arb.faults.trace import Violation

ROOT = Path(__file__).resolve().parents[2]

# A thousand whole-stack seeds in each full check: two to three minutes on two cores.
CHECKED_SEEDS = 1_000


def command(*arguments: str, state: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the program in a process of its own, where nothing measures coverage."""
    return subprocess.run(
        [sys.executable, "-m", "arb", "faults", *arguments],
        cwd=ROOT,
        env={**os.environ, "ARB_ENGINE__STATE_DIR": str(state)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def one() -> Outcome:
    """Return a good outcome."""
    return simulate(plan_of(3).keep(()))


def test_a_summary_counts_and_is_kept(one: Outcome, tmp_path: Path) -> None:
    """What has been run is not run again, and what was seen is not forgotten."""
    bad = attrs.evolve(one, seed=4, violated=2, violations=(Violation("I1", 1.0, "twice"),))
    summary = Summary.begun(3)
    summary.add(one)
    assert summary.good
    summary.add(bad)
    path = tmp_path / "deep" / "campaign.json"
    summary.save(path)
    again = Summary.load(path)

    assert again == summary
    assert (again.seeds, again.next_seed, again.violations, again.failed) == (2, 5, 2, [4])
    assert not again.good
    document = again.document()
    assert document["sometimes"] == dict(sorted(summary.sometimes.items()))
    assert document["strikes"] == len(summary.strikes)
    assert orjson.loads(orjson.dumps(document)) == document


def test_a_campaign_that_saw_too_little_fails() -> None:
    """Few seeds are not asked what they saw; many must have seen everything."""
    assert missing({}, 10) == ()
    assert missing({}, 1_000) == REQUIRED
    summary = Summary(1, 1001, seeds=1_000, sometimes=Counter(dict.fromkeys(REQUIRED, 1)))
    assert summary.good
    del summary.sometimes[REQUIRED[0]]
    assert summary.missing == (REQUIRED[0],)
    assert not summary.good


def test_a_run_that_breaks_off_ends_no_campaign(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a violation of its seed, in one line; the seeds after it are run."""
    good = Outcome(0, (), 0)

    def run_or_break(plan: Plan) -> Outcome:
        if plan.seed == 3:
            raise ExceptionGroup("outer", [KeyError("no such market")])
        return attrs.evolve(good, seed=plan.seed)

    monkeypatch.setattr("arb.faults.campaign.simulate", run_or_break)
    broken, whole = run_chunk([3, 4])

    assert [str(each) for each in broken.violations] == [
        "harness at 0.000 s: the run broke off: KeyError: 'no such market'"
    ]
    assert broken.failed
    assert not whole.failed


def test_a_campaign_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """Stopped after two seeds, the second half begins with the third."""
    path = tmp_path / "kept.json"
    seen: list[int] = []

    def tell(outcome: Outcome, _summary: Summary) -> bool:
        seen.append(outcome.seed)
        return outcome.seed != 2

    first = run_campaign(Summary.begun(1), 5, 1, tell=tell, now_s=lambda: 0.0, keep=path)
    assert (first.next_seed, seen) == (3, [1, 2])
    run_campaign(Summary.load(path), 5, 1, tell=tell, now_s=lambda: 0.0, keep=path)

    assert seen == [1, 2, 3, 4]
    assert Summary.load(path).seeds == 4


@pytest.mark.slow
def test_every_process_gives_the_same_outcomes() -> None:
    """Two processes give what one gives, in the same order."""
    assert list(outcomes_of(1, 12, 2)) == list(outcomes_of(1, 12, 1))


def test_a_line_a_seed_says_what_happened_in_it() -> None:
    """The hash of the events is what two processes are compared by."""
    (line,) = digests(3, 1)
    outcome = simulate(plan_of(3))

    assert line == f"3 {outcome.digest} {outcome.events}"


def test_a_run_names_its_version() -> None:
    """A seed means something together with the code it ran on."""
    assert revision().startswith("0.")


@pytest.mark.slow
def test_two_hash_seeds_give_the_same_events(capsys: pytest.CaptureFixture[str]) -> None:
    """Twenty seeds in two processes whose sets of texts are ordered differently."""
    assert run(["faults", "equal", "--seeds", "20", "--first", "100"]) == 0
    assert "20 of 20 seeds are equal" in capsys.readouterr().out


@pytest.mark.slow
def test_a_thousand_seeds_hold(tmp_path: Path) -> None:
    """No rule is violated, and everything that must be seen sometimes is seen."""
    jobs = str(os.cpu_count() or 1)
    done = command(
        "campaign", "--seeds", str(CHECKED_SEEDS), "--jobs", jobs, "--json", state=tmp_path
    )
    summary = orjson.loads(done.stdout.splitlines()[-1])

    assert summary["seeds"] == CHECKED_SEEDS
    assert (summary["violations"], summary["missing"]) == (0, []), done.stderr[-4_000:]
    assert done.returncode == 0


@pytest.mark.slow
def test_a_killed_engine_leaves_a_journal_that_can_be_gone_on_with(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Real processes, real sockets, ``kill -9``: a tenth of what is run before a release."""
    code = run(["faults", "kill9", "--cycles", "10", "--json"])
    said = capsys.readouterr()

    assert code == 0, said.out + said.err
    report = orjson.loads(said.out.splitlines()[-1])
    assert (report["cycles"], report["violations"]) == (10, 0)
    assert report["orders"] > 0
