"""``arb sim`` as a process: what it prints, how it ends, what it refuses."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import attrs
import httpx
import orjson
import pytest
import trio
import trio.testing

from arb.cli.errors import CommandFailed, UsageError
from arb.cli.sim import Ready, serve, sim
from arb.sim.simulation import SimulationSettings

PROGRAM = "import cyclopts; from arb.cli.sim import sim; cyclopts.run(sim)"
READY_S = 20


@contextmanager
def started(*arguments: str, stdin: int | None = None) -> Iterator[subprocess.Popen[str]]:
    """Run the command in a process of its own, which is gone afterwards whatever happens."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdin=stdin if stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def first_line(process: subprocess.Popen[str]) -> dict[str, object]:
    assert process.stdout is not None
    line: dict[str, object] = orjson.loads(process.stdout.readline())
    return line


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_where_it_is_and_ends_when_told(number: signal.Signals) -> None:
    """One JSON line, a served exchange, exit code 0, no word on stderr, no file left."""
    with started("--json", "--games", "2", "--seed", "9") as process:
        line = first_line(process)
        assert set(line) == {
            "rest",
            "ws",
            "odds_rest",
            "odds_ws",
            "opticodds",
            "the_odds_api",
            "unabated_rest",
            "unabated_ws",
            "key_id",
            "private_key_path",
            "odds_key",
            "seed",
            "world",
        }
        assert line["seed"] == 9
        key = Path(str(line["private_key_path"]))
        assert key.stat().st_mode & 0o777 == 0o600
        answer = httpx.get(f"{line['rest']}/exchange/status", trust_env=False)
        assert answer.json()["exchange_active"] is True
        process.send_signal(number)
        assert process.wait(5) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert not key.parent.exists()


@pytest.mark.slow
def test_an_embedded_world_ends_with_its_parent() -> None:
    """It leaves Ctrl-C to the parent, does what it asks, and ends when its input closes."""
    read, write = os.pipe()
    with started("--json", "--games", "1", "--until-stdin-closes", stdin=read) as process:
        os.close(read)
        first_line(process)
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        os.write(write, b'{"id":1,"do":"switch","name":"late-private","on":true}\n')
        assert first_line(process)["text"] == "late-private: private messages come 2 s late"
        os.close(write)
        assert process.wait(5) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


@pytest.mark.slow
def test_people_get_lines_they_can_read(tmp_path: Path) -> None:
    """Without --json the same is told in words; --tls adds the authority, --state-dir stays."""
    folder = tmp_path / "state"
    with started("--games", "1", "--tls", "--state-dir", str(folder)) as process:
        assert process.stdout is not None
        fields = len(attrs.fields(Ready))
        lines = [process.stdout.readline() for _ in range(fields + 1)]
        assert lines[0] == "The simulated world is up; Ctrl-C stops it.\n"
        assert any("https://127.0.0.1" in line for line in lines)
        assert any(line.split() == ["ca", "path", str(folder / "ca.pem")] for line in lines)
        process.terminate()
        assert process.wait(5) == 0
    assert (folder / "member.pem").exists()


def test_a_taken_port_fails_in_one_line(tmp_path: Path) -> None:
    """The command says which port and what to do instead."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CommandFailed, match=r"in use; choose another with --port") as caught:
            sim(port=port, games=1, state_dir=tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("option", "value"),
    [("port", -1), ("odds_port", 65_536), ("games", 0), ("speed", 0.0), ("cash", 0)],
)
def test_bad_options_are_refused_before_anything_starts(option: str, value: float) -> None:
    """Each is named with its value and what is allowed."""
    name = option.replace("_", "-")
    with pytest.raises(UsageError, match=f"--{name} {value:g} must be"):
        sim(**{option: value})  # type: ignore[arg-type]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file in the place of the folder is said to be in the way."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(CommandFailed, match=f"cannot use --state-dir {blocked}"):
        sim(state_dir=blocked)


@pytest.mark.parametrize("options", [{"json": True}, {"json": True, "tls": True}, {}])
async def test_it_serves_until_a_signal_comes(
    options: dict[str, bool], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line is out as soon as both ports listen; the signal ends it without a word."""
    said = ""
    async with trio.open_nursery() as nursery:
        settings = SimulationSettings(games=1)
        nursery.start_soon(partial(serve, settings, tmp_path, **options))
        while not said:
            await trio.lowlevel.checkpoint()
            said = capsys.readouterr().out
        assert ("ca.pem" in said) is options.get("tls", False)
        assert said.startswith("{" if options.get("json") else "The simulated world is up")
        os.kill(os.getpid(), signal.SIGTERM)


async def test_embedded_it_ends_when_its_input_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something on standard input is ignored, its end is the end; a Ctrl-C is the parent's."""
    read, write = os.pipe()
    monkeypatch.setattr("arb.cli.sim._STDIN", read)
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            settings = SimulationSettings(games=1)
            nursery.start_soon(partial(serve, settings, tmp_path, embedded=True, json=True))
            await trio.testing.wait_all_tasks_blocked()
            os.kill(os.getpid(), signal.SIGINT)
            os.write(write, b"x")
            os.close(write)
    os.close(read)


def test_the_folder_of_a_run_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --state-dir the keys live in a folder of the run's own."""
    folders: list[Path] = []

    async def write_keys(_settings: object, folder: Path, **_options: object) -> None:
        await trio.lowlevel.checkpoint()
        folders.append(folder)
        (folder / "member.pem").write_text("key")

    monkeypatch.setattr("arb.cli.sim.serve", write_keys)
    sim(start_in=5.0, length=1.0)
    assert not folders[0].exists()
