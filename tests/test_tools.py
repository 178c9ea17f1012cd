"""Tests of the tools: setting up, locking, checking."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tools import checks, coverage_goals, interpreter, locks
from tools.environment import Environment, Packages, SetUpFailed

# A build backend of a few lines, so that a set-up can be tried without any package to fetch.
BACKEND = """\
import zipfile
def build_editable(folder, settings=None, metadata=None):
    name = "tiny-1-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        info = "tiny-1.dist-info"
        wheel.writestr("tiny.py", "")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name
"""
PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "tiny"
version = "1"
"""


def pins(root: Path, packages: Packages) -> dict[str, str]:
    """Return the versions that a lock names."""
    text = (root / packages.value).read_text()
    return dict(re.findall(r"^([a-z0-9_.-]+)==([^ ;\\]+)", text, flags=re.MULTILINE))


@pytest.fixture
def project(tmp_path: Path) -> Environment:
    """Return the environment of a tiny project that needs no package."""
    (tmp_path / "backend.py").write_text(BACKEND)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    for packages in Packages:
        (tmp_path / packages.value).write_text("")
    return Environment(tmp_path)


def pretend(environment: Environment, *held: Packages) -> None:
    """Make an environment look as if it had been set up from some locks."""
    environment.bin.mkdir(parents=True, exist_ok=True)
    environment.python.touch()
    digests = {packages.name: environment.digest(packages) for packages in held}
    environment.stamp.write_text(json.dumps(digests))


def test_the_development_lock_contains_the_other(root: Path) -> None:
    """Both locks agree, so that one environment serves both tools."""
    run, develop = pins(root, Packages.RUN), pins(root, Packages.DEVELOP)

    assert len(run) > 20
    assert run.items() <= develop.items()
    assert {"pytest", "mypy", "ruff"} <= develop.keys() - run.keys()


def test_the_lock_holds_all_that_is_needed(root: Path) -> None:
    """Every dependency is locked, and what builds the project without isolation is too."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[<>=]", each)[0] for each in project["dependencies"]}

    assert wanted <= pins(root, Packages.RUN).keys()
    assert {"hatchling", "editables"} <= wanted


@pytest.mark.parametrize("packages", Packages)
def test_every_locked_version_has_hashes(root: Path, packages: Packages) -> None:
    """pip refuses a package without one, and a test says so earlier."""
    entries = re.split(r"^(?=[a-z])", (root / packages.value).read_text(), flags=re.MULTILINE)

    assert [entry for entry in entries if entry.strip() and "--hash=sha256:" not in entry] == []


def test_an_environment_that_is_set_up_is_ready(project: Environment) -> None:
    """A second start only compares digests."""
    assert not project.ready(Packages.RUN)

    pretend(project, Packages.RUN)

    assert project.ready(Packages.RUN)
    assert "[RUN]" in repr(project)


def test_the_development_set_serves_both_tools(project: Environment) -> None:
    """Nothing is installed back and forth; the small set does not do for checking."""
    pretend(project, Packages.DEVELOP)
    assert project.ready(Packages.RUN)
    assert project.ready(Packages.DEVELOP)

    pretend(project, Packages.RUN)
    assert not project.ready(Packages.DEVELOP)


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements.lock"])
def test_what_has_changed_is_set_up_again(project: Environment, name: str) -> None:
    """A new lock or a new project file makes the environment old."""
    pretend(project, Packages.RUN)
    with (project.root / name).open("a") as file:
        file.write("# changed\n")

    assert not project.ready(Packages.RUN)


def test_an_unfinished_set_up_is_not_ready(project: Environment) -> None:
    """The marker of an interrupted set-up outweighs the stamp."""
    pretend(project, Packages.RUN)
    project.marker.touch()

    assert not project.ready(Packages.RUN)
    assert "unfinished" in repr(project)


@pytest.mark.parametrize("stamp", ["", "[]", "{"])
def test_a_damaged_stamp_is_no_stamp(project: Environment, stamp: str) -> None:
    """Whatever stands there instead of a stamp leads to a set-up, not to an error."""
    pretend(project, Packages.RUN)
    project.stamp.write_text(stamp)

    assert not project.ready(Packages.RUN)
    assert "not set up" in repr(project)


def test_an_environment_belongs_to_its_place(project: Environment, tmp_path: Path) -> None:
    """A copy of the folder is not taken for the original, whose paths it still names."""
    pretend(project, Packages.RUN)
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("pyproject.toml", ".venv", *(each.value for each in Packages)):
        (project.root / name).rename(copy / name)

    assert not Environment(copy).ready(Packages.RUN)


def test_a_missing_lock_is_one_line(tmp_path: Path) -> None:
    """Without its files the project cannot be set up, and the file is named."""
    with pytest.raises(SetUpFailed, match=r"pyproject\.toml cannot be read: No such file"):
        Environment(tmp_path).digest(Packages.RUN)


def test_what_a_link_points_to_is_left_alone(project: Environment, tmp_path: Path) -> None:
    """Another's environment is neither emptied nor filled, and the person is told what to do."""
    another = tmp_path / "another"
    another.mkdir()
    (another / "treasure").touch()
    project.path.symlink_to(another)

    with pytest.raises(SetUpFailed, match="is a link: remove it"):
        project.ensure(Packages.RUN)

    assert [each.name for each in another.iterdir()] == ["treasure"]


@pytest.mark.slow
def test_a_set_up_is_made_kept_and_repaired(
    project: Environment, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A fresh one is made; a whole one is left alone; one that was interrupted is made anew."""
    # A person's own pip settings must not decide a test.
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    project.ensure(Packages.RUN)
    assert project.ready(Packages.RUN)
    assert capfd.readouterr().out == ""

    own = project.path / "own"
    own.touch()
    project.ensure(Packages.RUN)
    assert own.exists()

    project.marker.touch()
    project.ensure(Packages.RUN)
    assert project.ready(Packages.RUN)
    assert not own.exists()


@pytest.mark.slow
def test_a_set_up_that_fails_is_one_line(project: Environment) -> None:
    """A lock that cannot be installed ends the set-up; the next start begins afresh."""
    (project.root / "requirements.lock").write_text("no-such-package==1 --hash=sha256:00\n")

    with pytest.raises(SetUpFailed, match=r"pip could not install .*requirements\.lock"):
        project.ensure(Packages.RUN)

    assert project.marker.exists()
    assert not project.ready(Packages.RUN)


def test_a_new_enough_python_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python that runs the tests needs no other."""
    monkeypatch.setenv(interpreter.SEARCHED, "x")

    interpreter.ensure()

    assert interpreter.SEARCHED not in os.environ


def test_a_python_that_is_too_old_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where no newer one is found, one line ends the program."""
    monkeypatch.setattr(interpreter, "OLDEST", (99, 0))
    monkeypatch.setenv(interpreter.SEARCHED, "x")

    with pytest.raises(SystemExit) as ended:
        interpreter.ensure()

    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_newer_python_is_found_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stubs that start nothing and old versions are passed over."""
    for name, code in (("python3.13", 127), ("python3.12", 1), ("python3.11", 0)):
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {code}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert interpreter.find() == str(tmp_path / "python3.11")
    (tmp_path / "python3.11").unlink()
    assert interpreter.find() == ""


def test_an_interpreter_that_cannot_be_started_does_not_suffice(tmp_path: Path) -> None:
    """A file that is no program is no Python."""
    assert interpreter.suffices(sys.executable)
    assert not interpreter.suffices(str(tmp_path))


def test_wrong_arguments_end_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    """The tools say how they are used and do nothing."""
    assert checks.main(["--quick"]) == 2
    assert checks.main(["--help"]) == 0
    assert locks.main(["--all"]) == 2
    assert capsys.readouterr().err.count("usage: ") == 3


def test_a_check_without_any_argument_leaves_nothing_out(root: Path) -> None:
    """Format, lint, asynchronous code, types, layers; tests with coverage, and the slow ones."""
    settings = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["arb"]
    static = [step.name for step in checks.static_steps(settings)]
    full, fast = (checks.test_steps(fast=fast, extra=("-k", "x")) for fast in (False, True))

    assert static == ["format", "lint", "async", "types", "layers"]
    measured, slow = (step.command for step in full if "pytest" in step.command)
    assert "--cov" in measured
    which = [command[command.index("-m") + 1] for command in (measured, slow)]
    assert which == ["not slow", "slow"]
    assert fast[0].command[-4:] == ("-m", "not slow", "-k", "x")


def test_a_failed_check_is_shown_with_its_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What went well takes one line; what did not is shown whole."""
    for name, code in (("good", 0), ("bad", 3)):
        (tmp_path / name).write_text(f"#!/bin/sh\necho said by {name}\nexit {code}\n")
        (tmp_path / name).chmod(0o755)

    results = [checks.run(checks.Step(name, (name,)), tmp_path) for name in ("good", "bad")]

    assert [checks.told(result) for result in results] == [True, False]
    shown = capsys.readouterr().out
    assert "said by good" not in shown
    assert "said by bad" in shown
    assert re.search(r"good +ok +\d+\.\d s", shown)


def test_checks_do_not_see_a_persons_settings() -> None:
    """A key in somebody's environment changes no test."""
    assert checks.clean_environment({"ARB_KALSHI__API_KEY": "k", "PATH": "p"}) == {"PATH": "p"}


def test_the_slowest_checker_reads_only_what_may_wait() -> None:
    """Files without asynchronous code are left out."""
    names = {path.name for path in checks.sources()}

    assert "clock.py" in names
    assert "money.py" not in names


GOALS = {"actors/": 100, "arb/core/": 100, "": 90}


def report(folder: Path, **files: tuple[int, int]) -> Path:
    """Write a coverage report: of each file, lines reached and lines there are."""
    path = folder / "report.json"
    summary = {
        name.replace("__", "/") + ".py": {
            "summary": {
                "covered_lines": reached,
                "covered_branches": 0,
                "num_statements": total,
                "num_branches": 0,
            },
            "missing_lines": [7] if reached < total else [],
        }
        for name, (reached, total) in files.items()
    }
    path.write_text(json.dumps({"files": summary}))
    return path


@pytest.mark.parametrize(
    ("files", "missed"),
    [
        ({"arb__core__money": (10, 10), "arb__io__net": (90, 100)}, []),
        ({"arb__core__money": (99, 100), "arb__io__net": (100, 100)}, ["arb/core/: 99.00 %"]),
        ({"arb__core__money": (1, 1), "arb__io__net": (89, 100)}, ["the rest: 89.00 %"]),
        ({"arb__core__a": (1, 1), "arb__io__net": (80, 100), "arb__cli__app": (100, 100)}, []),
        ({"arb__core__money": (0, 0), "arb__io__net": (0, 0)}, []),
        ({"arb__core__money": (1, 1)}, ["the rest: no file was measured"]),
    ],
)
def test_coverage_is_held_against_its_goals(
    tmp_path: Path, files: dict[str, tuple[int, int]], missed: list[str]
) -> None:
    """Each part has its goal; the longest path that fits a file decides which."""
    lines = [
        line.strip()
        for line in coverage_goals.unmet(report(tmp_path, actors__cell=(3, 3), **files), GOALS)
        if "not reached" not in line
    ]

    assert len(lines) == len(missed)
    assert all(line.startswith(start) for line, start in zip(lines, missed, strict=True))


def test_files_that_miss_a_goal_are_named_with_their_lines(tmp_path: Path) -> None:
    """Who has to write the test sees where."""
    written = report(tmp_path, actors__cell=(3, 3), arb__core__money=(9, 10))

    assert coverage_goals.unmet(written, GOALS)[1].strip() == (
        "arb/core/money.py: 9/10, not reached: lines 7"
    )


def test_no_report_is_no_success(tmp_path: Path) -> None:
    """Tests that broke off before measuring do not pass."""
    assert coverage_goals.unmet(tmp_path / "none.json", GOALS) == ["no coverage was measured"]


def test_the_build_server_runs_what_a_developer_runs(root: Path) -> None:
    """There is one list of checks."""
    assert (root / ".ci" / "run").read_text().rstrip().endswith("exec tools/check")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["check", "lock"])
def test_tools_are_started_from_anywhere(root: Path, tmp_path: Path, name: str) -> None:
    """The folder a tool is started from does not matter."""
    done = subprocess.run(
        [root / "tools" / name, "--nonsense"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: ")
