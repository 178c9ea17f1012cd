"""The control socket, served to real clients over a real Unix socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import trio

from arb.engine import control
from arb.engine.control import ControlServer
from arb.engine.control_requests import SteeringError
from arb.engine.control_socket import ControlError
from tests.console.fake_engine import FakeEngine
from tests.console.fake_shell import until


class Client:
    """One connection that sends what a test wants and reads lines."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self._buffer = b""

    async def send(self, **document: Any) -> None:
        """Send a request."""
        await self.stream.send_all(orjson.dumps(document) + b"\n")

    async def read(self) -> dict[str, Any] | None:
        """Return the next answer, or nothing where the connection has ended."""
        while b"\n" not in self._buffer:
            try:
                piece = await self.stream.receive_some(65_536)
            except trio.BrokenResourceError:
                return None
            if not piece:
                return None
            self._buffer += piece
        line, self._buffer = self._buffer.split(b"\n", 1)
        document: dict[str, Any] = orjson.loads(line)
        return document

    async def ask(self, **document: Any) -> dict[str, Any]:
        """Send a request and return the next answer."""
        await self.send(**document)
        answer = await self.read()
        assert answer is not None
        return answer


class SlowEngine(FakeEngine):
    """An engine whose commands hang until a test lets them go, and fail as it is told."""

    def __init__(self) -> None:
        super().__init__(2)
        self.go = trio.Event()
        self.finished = 0
        self.fail: Exception | None = None

    async def steer(self, verb: str, arguments: dict[str, Any]) -> str:
        """Wait, then do as told."""
        self.commands.append((verb, arguments))
        if self.fail is not None:
            raise self.fail
        await self.go.wait()
        self.finished += 1
        return "done"

    def snapshot(self) -> dict[str, Any]:
        """Return a picture, or fail as told."""
        if self.fail is not None:
            raise self.fail
        return super().snapshot()


class Venue:
    """A running control server and the clients that come to it."""

    def __init__(self, engine: FakeEngine, path: Path, nursery: trio.Nursery) -> None:
        self.engine = engine
        self.path = path
        self.nursery = nursery
        self.server = ControlServer(engine, path)
        self.server.open()
        self.clients: list[Client] = []
        nursery.start_soon(self.server.serve)

    async def client(self) -> Client:
        """Return a new connection."""
        client = Client(await trio.open_unix_socket(str(self.path)))
        self.clients.append(client)
        return client

    def close(self) -> None:
        """Close what the clients left open."""
        for client in self.clients:
            client.stream.socket.close()


@pytest.fixture
async def venue(tmp_path: Path, nursery: trio.Nursery) -> AsyncIterator[Venue]:
    """Serve a fake engine."""
    made = Venue(FakeEngine(2), tmp_path / "c.sock", nursery)
    yield made
    made.close()


@pytest.fixture
async def slow(tmp_path: Path, nursery: trio.Nursery) -> AsyncIterator[Venue]:
    """Serve an engine whose commands hang."""
    made = Venue(SlowEngine(), tmp_path / "c.sock", nursery)
    yield made
    made.close()


def slow_engine(venue: Venue) -> SlowEngine:
    """Return the engine that hangs."""
    assert isinstance(venue.engine, SlowEngine)
    return venue.engine


async def test_status_is_one_picture(venue: Venue) -> None:
    """The answer carries the id and the engine's picture."""
    client = await venue.client()
    answer = await client.ask(id=7, do="status")

    assert answer["id"] == 7
    assert answer["snapshot"]["mode"] == "sim"
    assert "1 clients" in repr(venue.server)


async def test_watching_streams_pictures(venue: Venue) -> None:
    """Pictures come until the client goes, beside answers to commands."""
    client = await venue.client()
    first = await client.ask(id=2, do="watch", every_ms=1)
    await client.send(id=3, do="pause")
    answers = [await client.read() for _ in range(3)]

    assert first["snapshot"]["seq"] == 2
    assert {"id": 3, "ok": True, "text": "pause done"} in answers
    assert [each["snapshot"]["seq"] for each in answers if each and "snapshot" in each] == [3, 4]


async def test_a_connection_watches_once(venue: Venue) -> None:
    """A second watch on the same connection is refused."""
    client = await venue.client()
    await client.ask(id=1, do="watch", every_ms=60_000)
    answer = await client.ask(id=2, do="watch")

    assert answer == {"id": 2, "ok": False, "error": "this connection watches already"}


async def test_commands_reach_the_engine(venue: Venue) -> None:
    """Verb and arguments arrive as they were sent, and the engine's line comes back."""
    client = await venue.client()
    answer = await client.ask(id=3, do="kill", name="KXA")

    assert answer == {"id": 3, "ok": True, "text": "kill KXA done"}
    assert venue.engine.commands == [("kill", {"name": "KXA"})]


async def test_the_engines_no_is_an_answer(venue: Venue) -> None:
    """What cannot be done comes back as one line."""
    client = await venue.client()
    answer = await client.ask(id=3, do="kill", name="nobody")

    assert answer == {"id": 3, "ok": False, "error": "no actor nobody: nearest is risk"}


async def test_rubbish_is_answered_counted_and_in_the_end_dropped(venue: Venue) -> None:
    """Each bad line gets an error; whoever sends nothing else is dropped."""
    client = await venue.client()
    for _ in range(control.MALFORMED_MAX):
        await client.stream.send_all(b"\n\xff rubbish\n")
        answer = await client.read()
        assert answer is not None
        assert "no JSON" in answer["error"]

    assert await client.read() is None
    assert venue.server.counts.malformed == control.MALFORMED_MAX
    assert venue.server.counts.dropped_rude == 1
    assert "rubbish" in venue.server.counts.last_malformed
    other = await venue.client()
    assert (await other.ask(id=1, do="status"))["id"] == 1


async def test_a_bad_argument_keeps_the_id(venue: Venue) -> None:
    """The sender learns which of its commands was wrong."""
    client = await venue.client()
    answer = await client.ask(id=9, do="halt")

    assert answer == {"id": 9, "ok": False, "error": "halt needs 'reason'"}
    assert venue.engine.commands == []


async def test_a_line_without_an_end_is_dropped(venue: Venue) -> None:
    """A client cannot fill the engine's memory."""
    client = await venue.client()
    await client.stream.send_all(b"x" * (control.REQUEST_BYTES_MAX + 1))
    answer = await client.read()

    assert answer is not None
    assert "at most" in answer["error"]
    assert await client.read() is None
    assert venue.server.counts.dropped_rude == 1


async def test_a_client_that_takes_nothing_is_dropped(venue: Venue, autojump_clock: Any) -> None:
    """The engine waits five seconds for a stalled console, and others see nothing of it."""
    venue.engine.document["version"] = "v" * 400_000
    stalled, healthy = await venue.client(), await venue.client()
    await stalled.send(id=1, do="watch", every_ms=100)
    await healthy.send(id=1, do="watch", every_ms=100)
    started_s = trio.current_time()
    while venue.server.counts.dropped_slow == 0:
        assert await healthy.read() is not None

    assert trio.current_time() - started_s < control.SEND_TIMEOUT_S + 1
    assert await healthy.read() is not None


async def test_clients_share_a_picture(venue: Venue, autojump_clock: Any) -> None:
    """Three consoles at once cost the engine one picture."""
    for _ in range(3):
        client = await venue.client()
        await client.ask(id=1, do="status")

    assert venue.engine.pictures <= 2


async def test_too_many_clients_are_refused_in_words(venue: Venue) -> None:
    """The one too many is told so; when one goes there is room again."""
    clients = [await venue.client() for _ in range(control.CLIENTS_MAX)]
    for client in clients:
        await client.ask(id=1, do="status")
    late = await venue.client()
    answer = await late.read()

    assert answer is not None
    assert "clients are connected already" in answer["error"]
    assert await late.read() is None
    assert venue.server.counts.refused == 1
    await clients[0].stream.aclose()
    await until(lambda: f"{control.CLIENTS_MAX - 1} clients" in repr(venue.server))
    again = await venue.client()
    assert (await again.ask(id=1, do="status"))["id"] == 1


async def test_a_client_that_goes_does_not_take_its_command_back(slow: Venue) -> None:
    """A console that dies after asking for something has asked for it."""
    client = await slow.client()
    await client.send(id=1, do="stop")
    await until(lambda: slow.engine.commands == [("stop", {})])
    await client.stream.aclose()
    slow_engine(slow).go.set()
    await until(lambda: slow_engine(slow).finished == 1)
    await until(lambda: "0 clients" in repr(slow.server))


async def test_a_client_that_only_sends_is_answered(slow: Venue) -> None:
    """Who closes its sending side still gets the answer, as netcat does."""
    client = await slow.client()
    await client.send(id=1, do="pause")
    await client.stream.send_eof()
    slow_engine(slow).go.set()

    assert await client.read() == {"id": 1, "ok": True, "text": "done"}
    assert await client.read() is None


async def test_commands_under_way_are_bounded(slow: Venue) -> None:
    """One client cannot heap up commands in the engine."""
    client = await slow.client()
    for number in range(control.PENDING_MAX):
        await client.send(id=number, do="pause")
    answer = await client.ask(id=99, do="pause")

    assert answer["id"] == 99
    assert "commands are under way" in answer["error"]


async def test_a_command_that_hangs_is_cut_off(slow: Venue, autojump_clock: Any) -> None:
    """Nobody waits for ever, and it is counted."""
    client = await slow.client()
    answer = await client.ask(id=1, do="pause")

    assert "was not done within 10 s" in answer["error"]
    assert slow.server.counts.failed == 1


async def test_an_engine_that_fails_keeps_its_control(slow: Venue) -> None:
    """An error in a command or a picture is an answer; the socket goes on."""
    slow_engine(slow).fail = KeyError("price")
    client = await slow.client()
    steered = await client.ask(id=1, do="pause")
    pictured = await client.ask(id=2, do="status")
    slow_engine(slow).fail = None

    assert steered["error"] == "pause failed in the engine: KeyError: 'price'"
    assert pictured["error"] == "no picture: KeyError: 'price'"
    assert slow.server.counts.failed == 2
    assert "snapshot" in await client.ask(id=3, do="status")


async def test_the_engines_own_no_is_not_counted_as_a_failure(slow: Venue) -> None:
    """A refusal is the engine at work."""
    slow_engine(slow).fail = SteeringError("not now")
    client = await slow.client()

    assert (await client.ask(id=1, do="pause"))["error"] == "not now"
    assert slow.server.counts.failed == 0


async def test_the_file_goes_with_the_server(tmp_path: Path) -> None:
    """After an orderly end nothing is left that looks like an engine; clients are let go."""
    path = tmp_path / "c.sock"
    async with trio.open_nursery() as nursery:
        venue = Venue(FakeEngine(2), path, nursery)
        client = await venue.client()
        await client.ask(id=1, do="watch")
        nursery.cancel_scope.cancel()
    venue.close()

    assert not path.exists()
    assert "closed" in repr(venue.server)
    venue.server.close()


async def test_serving_needs_an_open_socket(tmp_path: Path) -> None:
    """A server that was not opened says so."""
    with pytest.raises(ControlError, match="not open"):
        await ControlServer(FakeEngine(2), tmp_path / "c.sock").serve()


async def test_consoles_are_counted_until_they_leave_or_disappear(venue: Venue) -> None:
    """One that says so leaves; one whose connection ends has disappeared; a command is neither."""
    attendance = venue.server.attendance
    first, second, script = [await venue.client() for _ in range(3)]
    for _ in range(2):
        assert (await first.ask(id=1, do="attend"))["ok"] is True
    assert (await second.ask(id=1, do="attend"))["ok"] is True
    await script.ask(id=1, do="status")
    assert attendance.consoles == 2
    await script.stream.aclose()
    assert (await first.ask(id=2, do="leave"))["text"] == "the engine goes on"
    await first.stream.aclose()
    assert (attendance.consoles, attendance.is_missed) == (1, False)
    await second.stream.aclose()
    await until(lambda: attendance.is_missed)
    assert attendance.consoles == 0
