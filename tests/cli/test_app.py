"""Tests of the command line itself: help, exit codes, one-line errors."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from arb.cli import app
from arb.cli.commands import COMMANDS, Command, interrupted
from arb.cli.errors import CommandFailed
from arb.version import VERSION

START = "from arb.cli import main; main()"


def failing() -> None:
    """Be a command that cannot do its work."""
    raise CommandFailed("the engine does not answer:\n start it with arb run")


def stopping() -> None:
    """Be a command that a person stops."""
    raise KeyboardInterrupt


def ending() -> int:
    """Be a command that names its own exit code."""
    return 7


@pytest.fixture
def act(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[Command, ...]:
    """Return a table of commands whose one command is a function of this file."""
    function = request.param
    monkeypatch.setitem(sys.modules, "acting", sys.modules[function.__module__])
    return (Command("act", f"acting:{function.__name__}", "Act.", "arb act"),)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command.name))
def test_every_command_is_where_the_table_says(command: Command) -> None:
    """The module and the function exist, and the example is one of that command."""
    module, _, function = command.target.partition(":")

    assert callable(getattr(importlib.import_module(module), function))
    assert command.example.startswith(f"arb {command.name}")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command.name))
def test_every_command_has_help_with_an_example(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    """--help says what the command does and shows how it is typed."""
    assert app.run([command.name, "--help"]) == 0

    shown = " ".join(capsys.readouterr().out.split())
    assert command.help in shown
    assert f"Example: {command.example}" in shown


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """A newcomer finds everything from here."""
    assert app.run(["--help"]) == 0

    shown = capsys.readouterr().out
    assert [command.name for command in COMMANDS if command.help not in shown] == []


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """--version prints the version and nothing else."""
    assert app.run(["--version"]) == 0
    assert capsys.readouterr().out.strip() == VERSION


@pytest.mark.parametrize(
    ("tokens", "about"),
    [
        (["fear"], 'Unknown command "fear". Did you mean "fair"?'),
        (["fair", "--nothing"], "--nothing"),
        (["fee", "--series", "KXMLBGAME"], "--price"),
        (["settings", "--mode", "real"], "real"),
    ],
)
def test_bad_usage_is_one_line_and_ends_with_2(
    tokens: list[str], about: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was wrong and where the help is, on standard error alone."""
    assert app.run(tokens) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("arb: ")
    assert captured.err.count("\n") == 1
    assert about in captured.err
    assert captured.err.rstrip().endswith("--help)")


@pytest.mark.parametrize("act", [failing], indirect=True)
def test_a_command_that_fails_says_why_and_ends_with_1(
    act: tuple[Command, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """The reason is one line, however it was written."""
    assert app.run(["act"], act) == 1
    assert capsys.readouterr().err == ("arb: the engine does not answer: start it with arb run\n")


@pytest.mark.parametrize("act", [ending], indirect=True)
def test_a_command_may_name_its_exit_code(act: tuple[Command, ...]) -> None:
    """What a command returns is how the process ends."""
    assert app.run(["act"], act) == 7


@pytest.mark.parametrize("act", [stopping], indirect=True)
def test_an_interrupted_command_shows_no_traceback(
    act: tuple[Command, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C ends a command quietly."""
    assert app.run(["act"], act) == 130
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("tokens", "code"), [(["run", "--headless"], 0), (["sim"], 0), (["status"], 130), ([], 130)]
)
def test_what_runs_until_it_is_stopped_ends_well_then(tokens: list[str], code: int) -> None:
    """Stopping the engine is no failure, however early; breaking off a question is."""
    assert interrupted(tokens) == code


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_start_may_be_stopped_before_it_has_begun(number: signal.Signals) -> None:
    """While the program is still being imported a signal ends it quietly, and with 0."""
    # The import that takes longest sends the signal, as a person would at that moment.
    script = (
        "import os, sys\n"
        "class Stop:\n"
        "    def find_spec(self, name, path, target=None):\n"
        f"        if name == 'cyclopts': os.kill(os.getpid(), {int(number)})\n"
        "sys.meta_path.insert(0, Stop())\n"
        "sys.argv = ['arb', 'run', '--headless']\n" + START
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_was_held_back_is_not_lost(number: signal.Signals) -> None:
    """Who starts the program may block signals until it can end in good order."""
    script = (
        "import os, signal, sys\n"
        f"signal.pthread_sigmask(signal.SIG_BLOCK, [{int(number)}])\n"
        f"os.kill(os.getpid(), {int(number)})\n"
        "sys.argv = ['arb', 'run', '--headless']\n" + START
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_main_ends_the_process_with_the_code() -> None:
    """The console script's entry exits with what the command came to."""
    with pytest.raises(SystemExit) as ended:
        app.main(["--version"])

    assert ended.value.code == 0


@pytest.mark.slow
def test_help_imports_no_command(root: Path) -> None:
    """`arb --help` is quick because it reads the table alone."""
    script = (
        "import sys; from arb.cli.app import run; run(['--help']);"
        " print(sorted(n for n in sys.modules if n.startswith('arb.cli.')), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    )

    assert done.stderr.strip() == "['arb.cli.app', 'arb.cli.commands', 'arb.cli.errors']"


@pytest.mark.slow
def test_bad_settings_end_the_process_with_2(tmp_path: Path) -> None:
    """A real process: one line on standard error, nothing on standard output."""
    (tmp_path / "settings.toml").write_text("[risk]\nmax_concurrent_market = 5\n")
    done = subprocess.run(
        [sys.executable, "-c", START, "settings"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "the nearest is risk.max_concurrent_markets" in done.stderr


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    """`arb settings | head -1` ends quietly."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", START, "settings", "--defaults"],
        cwd=tmp_path,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)

    assert (done.returncode, done.stderr) == (1, "")
