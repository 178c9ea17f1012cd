"""Style as unit tests: no argument, no reviewer's time."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tools import tidy

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ("actors", "arb")
ALL = (*SHIPPED, "tests", "tools")

# Where a clock or dice may be used directly, and why.
CLOCKS_AND_DICE = {
    "actors/watchdog.py": "a thread that must see time pass while the loop stands still",
    "arb/cli/run_console.py": "a plain command waits for the engine it has started to come up",
    "arb/engine/place.py": "an installation's id, made once, must be unlike any other's",
    "arb/io/clock.py": "the clock that everything else is handed",
}

# Where a program speaks to a person on standard output.
SPEAKING = ("arb/cli/", "tools/")

RUNTIME_OF_ACTORS = frozenset({"actors", "attrs", "outcome", "sniffio", "trio"})
PURE_CORE = frozenset({"arb.core", "attrs"})

PROGRAMS = (
    ".ci/run",
    "tools/bench",
    "tools/check",
    "tools/fuzz",
    "tools/lock",
    "tools/picture",
    "tools/plant",
    "tools/run",
    "tools/soak",
)

Rule = Callable[[str], Iterator[str]]


def files(*folders: str) -> list[Path]:
    """Return the Python files of some folders; tools without an ending are Python too."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    if "tools" in folders:
        found += [ROOT / name for name in PROGRAMS if name.startswith("tools/")]
    return sorted(found)


def offences(rule: Rule, paths: list[Path]) -> list[str]:
    """Return what a rule finds in some files, each with its place."""
    assert paths, "no file was looked at"
    return [
        f"{path.relative_to(ROOT)}:{offence}"
        for path in paths
        for offence in rule(path.read_text())
    ]


def test_no_function_is_longer_than_one_screen() -> None:
    """Functions have at most 70 lines."""
    assert offences(tidy.long_functions, files(*ALL)) == []


def test_no_file_holds_two_concepts() -> None:
    """Files have at most 400 lines, tests too."""
    assert offences(tidy.long_file, files(*ALL)) == []


def test_clock_and_dice_are_handed_in() -> None:
    """Shipped code reads no clock and rolls no dice of its own but in the places named here."""
    found = offences(tidy.own_clock_or_dice, files(*SHIPPED))

    assert [each for each in found if each.partition(":")[0] not in CLOCKS_AND_DICE] == []


def test_every_place_that_may_read_the_clock_needs_to() -> None:
    """The list of exceptions holds nothing that has become needless."""
    found = offences(tidy.own_clock_or_dice, files(*SHIPPED))

    assert set(CLOCKS_AND_DICE) == {each.partition(":")[0] for each in found}


def test_only_the_command_line_prints() -> None:
    """Standard output belongs to the commands."""
    found = offences(tidy.prints, files(*SHIPPED))

    assert [each for each in found if not each.startswith(SPEAKING)] == []


def test_checks_stay_on_in_production() -> None:
    """Shipped code raises; it does not assert, which python -O would take out."""
    assert offences(tidy.assertions, files(*SHIPPED, "tools")) == []


def test_nothing_is_left_for_some_day() -> None:
    """No file carries a note of unfinished work."""
    own = {Path(__file__), ROOT / "tools" / "tidy.py"}

    assert offences(tidy.leftovers, [path for path in files(*ALL) if path not in own]) == []


def test_every_test_says_which_behaviour_it_shows() -> None:
    """Test functions have a docstring."""
    assert offences(tidy.silent_tests, files("tests")) == []


def test_tests_neither_sleep_nor_mock() -> None:
    """Tests use virtual time and fakes that are checked themselves."""
    assert offences(tidy.sleeping_or_mocking, files("tests")) == []


def test_the_core_is_pure() -> None:
    """arb.core imports the standard library, attrs and itself."""
    rule = partial(tidy.foreign_imports, allowed=PURE_CORE)

    assert offences(rule, files("arb/core")) == []


def test_actors_could_be_anyones() -> None:
    """The actors package needs Trio and attrs, and nothing of trading."""
    rule = partial(tidy.foreign_imports, allowed=RUNTIME_OF_ACTORS)

    assert offences(rule, files("actors")) == []


def test_test_files_have_names_of_their_own() -> None:
    """No two test files share a name, so that a failure's place is plain."""
    names = Counter(path.name for path in files("tests") if path.name != "conftest.py")

    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_locks_carry_no_address(name: str) -> None:
    """Locks name versions and hashes; where packages come from is the machine's business."""
    assert list(tidy.addresses((ROOT / name).read_text())) == []


def test_no_tool_says_where_packages_come_from() -> None:
    """Tools, the build script and the configuration name no package registry."""
    configured = [ROOT / "pyproject.toml", ROOT / "settings.toml"]
    programs = [ROOT / name for name in PROGRAMS]
    rules = ROOT / "tools" / "tidy.py"  # it has to name what it forbids
    tools = [path for path in files("tools") if path != rules]

    assert offences(tidy.registries, configured + programs + tools) == []


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_can_be_started(name: str) -> None:
    """What a person starts is executable."""
    assert os.access(ROOT / name, os.X_OK)


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs"])
def test_documents_name_what_is_there(name: str) -> None:
    """Every path of the project that a document names exists."""
    place = ROOT / name
    if not place.exists():
        pytest.skip(f"{name} is not written yet")
    documents = sorted(place.glob("*.md")) if place.is_dir() else [place]

    assert offences(partial(tidy.missing_paths, root=ROOT), documents) == []


BAD: dict[str, tuple[Rule, str, int]] = {
    "long function": (tidy.long_functions, "def f() -> None:\n" + "    x = 1\n" * 70, 1),
    "function of just one screen": (tidy.long_functions, "def f():\n" + "    x = 1\n" * 69, 0),
    "long file": (tidy.long_file, "x = 1\n" * 401, 1),
    "file of just enough": (tidy.long_file, "x = 1\n" * 400, 0),
    "clock": (tidy.own_clock_or_dice, "import time\nt = time.monotonic()\n", 1),
    "clock by another name": (tidy.own_clock_or_dice, "import time as t\nt.time()\n", 1),
    "clock by its name": (tidy.own_clock_or_dice, "from time import time_ns\n", 1),
    "date": (tidy.own_clock_or_dice, "d = datetime.datetime.now(UTC)\n", 1),
    "dice": (tidy.own_clock_or_dice, "import random\nrandom.choice([1])\n", 1),
    "dice without a seed": (tidy.own_clock_or_dice, "import random\nr = random.Random()\n", 1),
    "dice that are handed on": (tidy.own_clock_or_dice, "import random\nrandom.Random(1)\n", 0),
    "identity": (tidy.own_clock_or_dice, "import uuid\nuuid.uuid4()\n", 1),
    "identity of its intent": (tidy.own_clock_or_dice, "import uuid\nuuid.uuid5(A, b)\n", 0),
    "noise": (tidy.own_clock_or_dice, "import os\nos.urandom(8)\n", 1),
    "a folder": (tidy.own_clock_or_dice, "import os\nos.getcwd()\n", 0),
    "print": (tidy.prints, "print(1)\n", 1),
    "assert": (tidy.assertions, "assert x\n", 1),
    "note": (tidy.leftovers, "# TO" + "DO: later\n", 1),
    "silent test": (tidy.silent_tests, "def test_a() -> None:\n    pass\n", 1),
    "mock": (tidy.sleeping_or_mocking, "from unittest.mock import Mock\n", 1),
    "sleep": (tidy.sleeping_or_mocking, "import time\ntime.sleep(1)\n", 1),
    "address": (tidy.addresses, "a==1 # from https://somewhere\n", 1),
    "registry": (tidy.registries, "pip install --index-url x\n", 1),
    "another library": (partial(tidy.foreign_imports, allowed=PURE_CORE), "import trio\n", 1),
    "another layer": (
        partial(tidy.foreign_imports, allowed=PURE_CORE),
        "from arb.io import x\n",
        1,
    ),
    "own layer": (partial(tidy.foreign_imports, allowed=PURE_CORE), "import arb.core.odds\n", 0),
    "lost path": (partial(tidy.missing_paths, root=ROOT), "see `arb/nowhere.py`\n", 1),
    "path": (partial(tidy.missing_paths, root=ROOT), "see `arb/core/money.py` or `arb/core/`\n", 0),
}


@pytest.mark.parametrize("case", BAD)
def test_the_rules_find_what_they_forbid(case: str) -> None:
    """Each rule finds its offence, and leaves alone what only looks like one."""
    rule, source, count = BAD[case]

    assert len(list(rule(source))) == count
