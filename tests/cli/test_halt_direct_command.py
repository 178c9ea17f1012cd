"""``arb halt --direct`` with real processes: an engine that is dead, hangs, or never was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import orjson
import pytest
import trio

from arb.cli.app import run as run_command
from arb.engine.halt_file import HaltFile
from arb.io.clock import SystemClock
from arb.io.http import Http
from arb.io.net import SocketNetwork
from arb.journal.reading import read_records
from arb.journal.records import RecordKind
from arb.kalshi.listing import ListedOrder
from arb.kalshi.rest import Rest
from arb.kalshi.sign import load_signer
from arb.kalshi.wire_orders import CREATE_PATH

# Start-up of two Python processes and an RSA key, on a machine that is busy with other tests.
PATIENCE_S = 90.0

ARB = (sys.executable, "-m", "arb")
HALT = ("halt", "--direct", "--mode", "demo", "--reason", "a test")


@attrs.define
class Place:
    """A simulated exchange in a process of its own, and engines that trade there."""

    environment: dict[str, str]
    folder: Path
    said: dict[str, Any]
    processes: list[subprocess.Popen[str]] = attrs.field(factory=list)

    @property
    def directory(self) -> Path:
        """Return the one engine's state."""
        (found,) = (self.folder / "state" / "demo").iterdir()
        return found

    def start(self, *command: str, **more: Any) -> subprocess.Popen[str]:
        """Start a command of ours."""
        process = subprocess.Popen(
            [*ARB, *command],
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **more,
        )
        self.processes.append(process)
        return process

    def engine(self) -> subprocess.Popen[str]:
        """Start an engine, and wait until it trades."""
        process = self.start("run", "--mode", "demo", "--headless")
        until_it_says(process, "positions and cash agree")
        return process

    async def orders(self) -> list[ListedOrder]:
        """Return what rests."""
        async with self._http() as http:
            return await self._rest(http).open_orders()

    async def rests(self, name: str, price: str = "0.0100") -> None:
        """Let an order rest, as another program or a person does."""
        async with self._http() as http:
            rest = self._rest(http)
            events = await rest.events("KXMLBGAME")
            wish = {
                "ticker": events[0].markets[0].ticker,
                "client_order_id": name,
                "side": "bid",
                "count": "1.00",
                "price": price,
                "time_in_force": "good_till_canceled",
                "self_trade_prevention_type": "taker_at_cross",
            }
            await rest.write("POST", CREATE_PATH, wish)

    async def until(self, happened: Callable[[list[ListedOrder]], bool]) -> list[ListedOrder]:
        """Look until the list of orders is as wanted."""
        with trio.fail_after(PATIENCE_S):
            while True:
                found = await self.orders()
                if happened(found):
                    return found
                await trio.sleep(0.1)

    def _http(self) -> Http:
        return Http(SocketNetwork())

    def _rest(self, http: Http) -> Rest:
        signer = load_signer(self.said["key_id"], Path(self.said["private_key_path"]))
        return Rest(http, signer, SystemClock(), self.said["rest"])

    def close(self) -> None:
        """End every process."""
        for process in self.processes:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def until_it_says(process: subprocess.Popen[str], words: str) -> str:
    """Read what a process says until some words are in it."""
    assert process.stdout is not None
    said = ""
    while words not in said:
        line = process.stdout.readline()
        assert line, f"it ended without saying {words!r}: {said}"
        said += line
    return said


@pytest.fixture
def place(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Serve a quick world, and give engines a state directory of their own."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ARB_")}
    environment = {**clean, "PYTHONPATH": str(root)}
    made = Place(environment, tmp_path, {})
    world = made.start("sim", "--json", "--speed", "20", "--state-dir", str(tmp_path / "world"))
    made.said = orjson.loads(until_it_says(world, "\n"))
    more = {
        "ARB_KALSHI__API_BASE": made.said["rest"],
        "ARB_KALSHI__WS_URL": made.said["ws"],
        "ARB_KALSHI__API_KEY": made.said["key_id"],
        "ARB_KALSHI__PRIVATE_KEY_PATH": made.said["private_key_path"],
        "ARB_ODDS_FEED__REST_URL": made.said["odds_rest"],
        "ARB_ODDS_FEED__WS_URL": made.said["odds_ws"],
        "ARB_ODDS_FEED__API_KEY": made.said["odds_key"],
        "ARB_ENGINE__STATE_DIR": str(tmp_path / "state"),
        # Makers alone, who let their orders rest.
        "ARB_STRATEGY__TAKER_EDGE_THRESHOLD": "60",
        "ARB_STRATEGY__MIN_EDGE_AFTER_FEES": "0",
    }
    environment.update(more)
    for key, value in more.items():
        monkeypatch.setenv(key, value)
    monkeypatch.chdir(tmp_path)
    yield made
    made.close()


def ours(orders: list[ListedOrder]) -> list[ListedOrder]:
    """Return those that are an engine's."""
    return [order for order in orders if (order.client_order_id or "").startswith("arb-")]


def entries(orders: list[ListedOrder]) -> list[ListedOrder]:
    """Return an engine's purchases."""
    return [order for order in ours(orders) if order.group_id is not None]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_an_engine_that_is_dead_or_hangs_is_halted_all_the_same(
    number: int, place: Place
) -> None:
    """Its entries go, a person's order stays, and the engine that comes back is halted."""
    engine = await trio.to_thread.run_sync(place.engine)
    await place.rests("by-hand")
    await place.until(lambda orders: bool(entries(orders)))
    engine.send_signal(number)
    halt = place.start(*HALT)
    said, _ = await trio.to_thread.run_sync(halt.communicate)

    assert halt.returncode == 0, said
    assert "left the halt for the engine" in said
    assert "triggered, it takes no entry until arb clear" in said
    assert "no entry of ours rests; exits were kept" in said.splitlines()[-1]
    left = await place.orders()
    assert not entries(left)
    assert "by-hand" in {order.client_order_id for order in left}

    if number == signal.SIGSTOP:
        engine.send_signal(signal.SIGCONT)
        again = engine
    else:
        again = place.start("run", "--mode", "demo", "--headless")
    await trio.to_thread.run_sync(until_it_says, again, "with arb halt --direct: a test")
    await trio.sleep(2)
    assert not entries(await place.orders())
    cleared = place.start("clear", "--reason", "looked")
    said, _ = await trio.to_thread.run_sync(cleared.communicate)
    assert cleared.returncode == 0, said
    assert HaltFile(place.directory / "halt").read() is None
    await place.until(lambda orders: bool(entries(orders)))
    kinds = [record.kind for record in read_records(place.directory / "journal")]
    assert RecordKind.HALT in kinds
    assert RecordKind.CLEAR in kinds


@pytest.mark.slow
async def test_everything_goes_only_where_it_is_meant(place: Place) -> None:
    """The account-wide cancel takes a person's order too, after a phrase or --yes."""
    await place.rests("by-hand")
    refused = place.start(*HALT, "--all")
    said, _ = await trio.to_thread.run_sync(refused.communicate)
    assert refused.returncode == 2
    assert "the phrase was not typed: nothing was done" in said
    assert len(await place.orders()) == 1

    halt = place.start(*HALT, "--all", "--yes")
    said, _ = await trio.to_thread.run_sync(halt.communicate)
    assert halt.returncode == 0
    assert said.splitlines()[-1].endswith("nothing rests in the account")
    assert await place.orders() == []


async def halts_everything(place: Place, reason: str | bytes, stdout: Any) -> None:
    """Let the kill switch take every order of the account, whatever is odd around it."""
    await place.rests(f"by-hand-{len(reason)}")
    command = [*ARB, "halt", "--direct", "--mode", "demo", "--all", "--yes", "--reason", reason]
    with trio.fail_after(PATIENCE_S):
        await trio.run_process(
            command, check=False, stdout=stdout, env=place.environment, cwd=place.folder
        )
    assert await place.orders() == []


@pytest.mark.slow
async def test_a_kill_switch_that_nobody_hears_cancels(place: Place) -> None:
    """Its reader has died before its first line."""
    read, write = os.pipe()
    os.close(read)
    try:
        await halts_everything(place, "a test", write)
    finally:
        os.close(write)


@pytest.mark.slow
async def test_no_reason_and_no_file_keep_a_kill_switch_from_cancelling(place: Place) -> None:
    """A reason from a terminal of another encoding; then nowhere to leave the halt, nor a name."""
    await halts_everything(place, b"caf\xe9 \xff", subprocess.DEVNULL)
    left = HaltFile(place.directory / "halt").read()
    assert left is not None
    assert left.reason == "caf� �"
    (place.directory / "halt").unlink()
    (place.directory / "halt").mkdir()
    place.environment["LOGNAME"] = "b\udce9"
    await halts_everything(place, b"\xff" * 10_000, subprocess.DEVNULL)


@pytest.mark.slow
async def test_a_second_engine_for_one_account_is_refused_wherever_its_files_are(
    place: Place,
) -> None:
    """Two state directories and one key: the second says what to do, and sends nothing."""
    await trio.to_thread.run_sync(place.engine)
    place.environment["ARB_ENGINE__STATE_DIR"] = str(place.folder / "elsewhere")
    second = place.start("run", "--mode", "demo", "--headless")
    said, _ = await trio.to_thread.run_sync(second.communicate)

    assert second.returncode == 1
    assert "another engine on this machine trades this account" in said
    assert "arb stop" in said


@pytest.mark.slow
def test_what_is_wrong_with_the_key_is_one_line(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key that the exchange does not know, no key at all, and no file; none of them hangs."""
    monkeypatch.setenv("ARB_KALSHI__API_KEY", "somebody-elses")
    assert run_command(HALT) == 1
    assert "Kalshi refuses the key, nothing was cancelled" in one_line(capsys)
    monkeypatch.setenv("ARB_KALSHI__PRIVATE_KEY_PATH", "/nonexistent")
    assert run_command(HALT) == 1
    assert "/nonexistent" in one_line(capsys)
    monkeypatch.delenv("ARB_KALSHI__API_KEY")
    assert run_command(HALT) == 2
    assert "ARB_KALSHI__API_KEY" in one_line(capsys)


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """Return what went to standard error, which is one line."""
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--all"], "--all and --yes are for --direct"),
        (["--yes"], "--all and --yes are for --direct"),
        (["--direct", "--world", "w"], "leave --world out"),
        (["--direct", "--yes"], "--yes is for --direct --all"),
        (["--direct", "--mode", "sim"], "in sim no order leaves the machine"),
        (["--direct"], "say whose orders are meant"),
    ],
)
def test_wrong_options_of_a_halt_are_one_line(
    options: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What does not go together is refused before anything is done."""
    monkeypatch.setenv("ARB_ENGINE__STATE_DIR", str(tmp_path))
    assert run_command(["halt", "--reason", "a test", *options]) == 2
    assert words in one_line(capsys)
