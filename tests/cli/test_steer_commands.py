"""The commands that speak to a running engine, as functions and against a served one."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import orjson
import pytest
import trio

from arb.cli.actors import actors
from arb.cli.change import change
from arb.cli.clear import clear
from arb.cli.console import console
from arb.cli.errors import CommandFailed, UsageError
from arb.cli.flatten import flatten
from arb.cli.halt import halt
from arb.cli.kill import kill
from arb.cli.pause import pause
from arb.cli.quarantine import quarantine
from arb.cli.reconcile import reconcile
from arb.cli.reduce import reduce
from arb.cli.release import release
from arb.cli.restart import restart
from arb.cli.resume import resume
from arb.cli.status import status
from arb.cli.steer import engine_root, find_engine, picture_of
from arb.cli.stop import stop
from arb.console.outcome import ConsoleFailed, Outcome
from arb.engine.control import ControlServer
from arb.io.rendezvous import RunningEngine, engine_directory, remove_card, write_card
from arb.settings import load
from tests.console.fake_engine import FakeEngine, tickers


class ServedEngine:
    """A fake engine in a thread, where a running engine would be."""

    def __init__(self, root: Path, mode: str, world: str) -> None:
        self.engine = FakeEngine(2)
        self.directory = engine_directory(root, mode, world)
        card = RunningEngine(self.directory, os.getpid(), mode, world, "0.1.0", 0)
        write_card(self.directory, card)
        self._token: trio.lowlevel.TrioToken | None = None
        self._scope = trio.CancelScope()
        self._ready = Event()
        self._thread = Thread(target=trio.run, args=(self._serve,))
        self._thread.start()
        self._ready.wait()

    async def _serve(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        server = ControlServer(self.engine, self.directory / "control.sock")
        server.open()
        self._ready.set()
        with self._scope:
            await server.serve()

    def close(self) -> None:
        """End it."""
        if self._token is not None:
            self._token.run_sync_soon(self._scope.cancel)
        self._thread.join()


Serve = Callable[[str, str], ServedEngine]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start fake engines in a state directory that the commands look in."""
    monkeypatch.setenv("ARB_ENGINE__STATE_DIR", str(tmp_path))
    served: list[ServedEngine] = []

    def start(mode: str, world: str) -> ServedEngine:
        served.append(ServedEngine(tmp_path, mode, world))
        return served[-1]

    yield start
    for each in served:
        each.close()


@pytest.fixture
def running(serve: Serve) -> FakeEngine:
    """Return the one engine that runs, in the simulated world."""
    return serve("sim", "seed-7").engine


@pytest.mark.parametrize(
    "call,sent",
    [
        (lambda: kill("KXA"), ("kill", {"name": "KXA"})),
        (lambda: restart("risk"), ("restart", {"name": "risk"})),
        (lambda: quarantine("KXA"), ("quarantine", {"name": "KXA"})),
        (lambda: release("KXA"), ("release", {"name": "KXA"})),
        (pause, ("pause", {})),
        (reduce, ("reduce", {})),
        (resume, ("resume", {})),
        (flatten, ("flatten", {})),
        (lambda: halt(reason="odd"), ("halt", {"reason": "odd"})),
        (lambda: halt(reason="caf\udce9"), ("halt", {"reason": "caf?"})),
        (
            lambda: halt(reason="odd", exits="cancel"),
            ("halt", {"reason": "odd", "exits": "cancel"}),
        ),
        (lambda: clear(reason="fine"), ("clear", {"reason": "fine"})),
        (stop, ("stop", {})),
        (reconcile, ("reconcile", {})),
        (lambda: reconcile(accept=True), ("accept", {"by": getpass.getuser()})),
        (
            lambda: change("strategy.min_edge_after_fees", "2", write=True),
            (
                "set",
                {
                    "key": "strategy.min_edge_after_fees",
                    "value": "2",
                    "by": getpass.getuser(),
                    "write": True,
                },
            ),
        ),
        (lambda: stop(exits="keep"), ("stop", {"exits": "keep"})),
    ],
)
def test_each_command_reaches_the_engine(
    running: FakeEngine,
    capsys: pytest.CaptureFixture[str],
    call: Callable[[], None],
    sent: tuple[str, dict[str, Any]],
) -> None:
    """Verb and arguments arrive, and the engine's one line is printed."""
    call()

    assert running.commands == [sent]
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_person_without_a_name_accepts_all_the_same(
    running: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system knows no name, the engine says that it was a person."""

    def nameless() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nameless)
    reconcile(accept=True)

    assert running.commands == [("accept", {})]


def test_the_engines_no_is_a_failure(running: FakeEngine) -> None:
    """A refused command ends with the engine's own line."""
    with pytest.raises(CommandFailed, match="no actor nobody: nearest is risk"):
        kill("nobody")


def test_without_an_engine_there_is_one_line(serve: Serve, tmp_path: Path) -> None:
    """The line tells where was looked and what to do."""
    with pytest.raises(CommandFailed, match=f"no engine is running .*{tmp_path}.*arb run"):
        pause()
    with pytest.raises(CommandFailed, match="no demo engine of 'x' is running"):
        pause(mode="demo", world="x")


def test_a_wrong_mode_is_bad_usage(serve: Serve) -> None:
    """The modes are named."""
    with pytest.raises(UsageError, match="'real' is no mode"):
        pause(mode="real")


def test_several_engines_need_to_be_told_apart(serve: Serve) -> None:
    """By mode where the modes differ, by world where they do not."""
    first, second = serve("sim", "a"), serve("demo", "b")
    with pytest.raises(UsageError, match=r"2 engines are running .*--mode"):
        pause()
    pause(mode="demo")
    assert second.engine.commands == [("pause", {})]
    third = serve("sim", "c")
    with pytest.raises(UsageError, match=r"sim a, sim c.*--world"):
        pause(mode="sim")
    pause(mode="sim", world="c")
    assert third.engine.commands == [("pause", {})]
    assert first.engine.commands == []


def test_the_state_directory_is_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Engines are looked for where the settings say that they keep their state."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARB_ENGINE__STATE_DIR", str(tmp_path / "other"))
    assert engine_root() == tmp_path / "other"
    file = tmp_path / "mine.toml"
    file.write_text(f'[engine]\nstate_dir = "{tmp_path / "mine"}"\n')
    assert engine_root(load({}, file=file, folder=tmp_path)) == tmp_path / "mine"


def test_status_as_json_is_the_picture(
    running: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script gets everything the engine says, in one line."""
    status(json=True)
    document = orjson.loads(capsys.readouterr().out)

    assert document["mode"] == "sim"
    assert [each["ticker"] for each in document["markets"]] == tickers(2)


def test_status_for_people(running: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    """Facts, then markets and positions as tables."""
    status()
    shown = capsys.readouterr().out

    for part in ("mode: SIMULATED WORLD", "Live Markets", tickers(1)[0], "NO SALE RESTING"):
        assert part in shown


def test_status_of_an_engine_without_markets(
    running: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Empty tables are left out."""
    running.document |= {"markets": [], "positions": []}
    status()

    assert "Live Markets" not in capsys.readouterr().out


def test_status_in_plain_lines(running: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    """One fact a line, nothing drawn."""
    status(plain=True)
    shown = capsys.readouterr().out

    assert "trading: running\n" in shown
    assert shown.isascii()


def test_status_is_one_thing_at_a_time(running: FakeEngine) -> None:
    """JSON and plain lines exclude each other."""
    with pytest.raises(UsageError, match="exclude"):
        status(json=True, plain=True)


def test_the_actor_tree(running: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    """As a table with indents, or as JSON."""
    actors()
    assert "    gateway" in capsys.readouterr().out
    actors(json=True)
    assert orjson.loads(capsys.readouterr().out)["actors"][0]["path"] == "root"


@pytest.mark.parametrize("command", [status, actors])
def test_an_engine_of_another_version_is_said(
    running: FakeEngine, command: Callable[[], None]
) -> None:
    """What cannot be read is not shown half."""
    running.document["v"] = 9
    with pytest.raises(CommandFailed, match="version 9"):
        command()


def test_an_answer_without_a_picture_is_a_failure(
    running: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that answers something else is not trusted."""
    monkeypatch.setattr("arb.cli.steer.ask", lambda *_, **__: {"id": 1})
    with pytest.raises(CommandFailed, match="without a picture"):
        picture_of(None, None)


def test_the_console_needs_a_terminal(running: FakeEngine) -> None:
    """Without one it is bad usage, whatever runs."""
    with pytest.raises(UsageError, match="needs a terminal"):
        console()


def test_the_console_attaches_without_owning(
    running: FakeEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its end is told only where there is something to tell."""
    seen: list[tuple[Path, bool]] = []
    outcomes: list[Outcome | Exception] = [
        Outcome.LEAVE_RUNNING,
        Outcome.LOST,
        ConsoleFailed("it broke"),
    ]

    def run(path: Path, *, owns_engine: bool, **_: object) -> Outcome:
        seen.append((path, owns_engine))
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr("arb.console.app.check_terminal", lambda: None)
    monkeypatch.setattr("arb.console.app.console", run)
    console()
    with pytest.raises(CommandFailed, match="was lost"):
        console()
    with pytest.raises(CommandFailed, match="it broke"):
        console()

    assert seen == [(tmp_path / "sim" / "seed-7" / "control.sock", False)] * 3
    assert find_engine(None, None).world == "seed-7"


@pytest.mark.parametrize("outcome", [Outcome.ENDED, Outcome.LOST])
def test_an_engine_that_ended_in_order_is_not_lost(
    running: FakeEngine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    outcome: Outcome,
) -> None:
    """It has taken its card away, whatever its last picture said."""

    def run(path: Path, **given: Any) -> Outcome:
        assert given["read_only"] is True
        assert dict(given["settings"])["strategy.min_books"].startswith("3 books  ·  ")
        remove_card(path.parent)
        return outcome

    monkeypatch.setattr("arb.console.app.check_terminal", lambda: None)
    monkeypatch.setattr("arb.console.app.console", run)
    console(read_only=True)

    assert capsys.readouterr().out == "the engine has ended\n"
