"""The console's link: pictures, commands, and an engine that comes and goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import trio

from arb.console.closeups import MarketCloseup, Wish, read_closeup
from arb.console.link import Answer, Link, LinkState, _reason
from arb.console.snapshot import Unreadable
from arb.engine.control import ControlServer
from tests.console.fake_engine import FakeEngine, picture
from tests.console.fake_shell import until

Script = Callable[[trio.SocketStream], Awaitable[None]]


def serve_engine(nursery: trio.Nursery, path: Path) -> tuple[FakeEngine, trio.CancelScope]:
    """Serve a fake engine and return it with what ends it."""
    engine = FakeEngine(2)
    server = ControlServer(engine, path)
    server.open()
    scope = trio.CancelScope()

    async def run() -> None:
        with scope:
            await server.serve()

    nursery.start_soon(run)
    return engine, scope


async def serve_script(nursery: trio.Nursery, path: Path, script: Script) -> None:
    """Serve a socket whose every client gets what ``script`` does."""
    listening = trio.socket.socket(trio.socket.AF_UNIX)
    await listening.bind(str(path))
    listening.listen()
    nursery.start_soon(trio.serve_listeners, script, [trio.SocketListener(listening)])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the engine's socket is."""
    return tmp_path / "c.sock"


async def test_pictures_come_by_themselves(path: Path, nursery: trio.Nursery) -> None:
    """Once connected, the link holds the newest picture and the moment it came."""
    serve_engine(nursery, path)
    link = Link(path)
    nursery.start_soon(link.run)
    await until(lambda: link.is_up)

    assert link.picture is not None
    assert link.picture.mode == "sim"
    assert link.picture_at_s == pytest.approx(trio.current_time(), abs=10)
    assert "up" in repr(link)
    assert not link.has_ended


async def test_commands_get_their_own_answers(path: Path, nursery: trio.Nursery) -> None:
    """Yes and no come back to whoever asked, among the pictures."""
    engine, _ = serve_engine(nursery, path)
    link = Link(path)
    nursery.start_soon(link.run)
    await until(lambda: link.is_up)

    assert await link.command("kill", name="KXA") == Answer(ok=True, text="kill KXA done")
    assert await link.command("kill", name="nobody") == Answer(
        ok=False, text="no actor nobody: nearest is risk"
    )
    assert engine.commands[0] == ("kill", {"name": "KXA"})


async def test_a_wrong_command_does_not_lose_the_engine(path: Path, nursery: trio.Nursery) -> None:
    """An answer to a bad request goes to its sender; the pictures go on."""
    serve_engine(nursery, path)
    link = Link(path)
    nursery.start_soon(link.run)
    await until(lambda: link.is_up)
    answer = await link.command("halt")

    assert answer == Answer(ok=False, text="halt needs 'reason'")
    assert link.is_up


async def test_an_engine_that_ends_is_lost_and_found_again(
    path: Path, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last picture stays while the link tries again, and a new engine is taken up."""
    monkeypatch.setattr("arb.console.link.RECONNECT_S", (0.02,))
    _, scope = serve_engine(nursery, path)
    link = Link(path)
    nursery.start_soon(link.run)
    await until(lambda: link.is_up)
    scope.cancel()
    await until(lambda: link.state is LinkState.LOST)
    assert link.picture is not None
    assert await link.command("pause") == Answer(
        ok=False, text="pause was not sent: the engine is not connected"
    )
    await until(lambda: link.why == "there is no engine at its socket")

    serve_engine(nursery, path)
    await until(lambda: link.is_up)
    assert link.why == ""


async def test_an_engine_that_said_it_stops_has_ended(path: Path, nursery: trio.Nursery) -> None:
    """An orderly end is told from a loss."""
    engine, scope = serve_engine(nursery, path)
    engine.document["trading"] = {"state": "stopping", "reasons": []}
    link = Link(path)
    nursery.start_soon(link.run)
    await until(lambda: link.is_up)
    assert not link.has_ended
    scope.cancel()
    await until(lambda: link.state is LinkState.LOST)

    assert link.has_ended
    assert link.why == "it has ended"


async def test_a_dead_engines_socket_is_said(path: Path, nursery: trio.Nursery) -> None:
    """A socket that nobody listens at belongs to an engine that has ended."""
    listening = trio.socket.socket(trio.socket.AF_UNIX)
    await listening.bind(str(path))
    listening.close()
    link = Link(path)
    nursery.start_soon(link.run)
    await until(lambda: link.state is LinkState.LOST)

    assert link.why == "the engine of this socket has ended"


async def forever(_: trio.SocketStream) -> None:
    """Accept and say nothing."""
    await trio.sleep_forever()


async def rubbish(stream: trio.SocketStream) -> None:
    """Answer with what is no JSON."""
    await stream.send_all(b"hello\n")
    await trio.sleep_forever()


async def number(stream: trio.SocketStream) -> None:
    """Answer with JSON that is no object."""
    await stream.send_all(b"7\n")
    await trio.sleep_forever()


async def newer(stream: trio.SocketStream) -> None:
    """Answer as an engine of another version."""
    await stream.send_all(b'{"id":1,"snapshot":{"v":2}}\n')
    await trio.sleep_forever()


async def full(stream: trio.SocketStream) -> None:
    """Refuse as an engine with too many clients."""
    await stream.send_all(b'{"id":null,"ok":false,"error":"16 clients"}\n')
    await trio.sleep_forever()


async def mute(stream: trio.SocketStream) -> None:
    """Refuse without a word."""
    await stream.send_all(b'{"id":1,"ok":false}\n')
    await trio.sleep_forever()


async def leave(stream: trio.SocketStream) -> None:
    """Hear the request and close."""
    await stream.receive_some(1_000)
    await stream.aclose()


@pytest.mark.parametrize(
    "script,words",
    [
        (forever, "it does not answer"),
        (rubbish, "it sends what is no JSON"),
        (number, "it sends what is no answer"),
        (newer, "version 2"),
        (full, "16 clients"),
        (mute, "refuses without a word"),
        (leave, "closed the connection"),
    ],
)
async def test_an_engine_that_misbehaves_is_lost_with_a_reason(
    path: Path, nursery: trio.Nursery, autojump_clock: Any, script: Script, words: str
) -> None:
    """Whatever comes from the socket, the console lives, says why, and tries again."""
    await serve_script(nursery, path, script)
    link = Link(path)
    nursery.start_soon(link.run)
    await until(lambda: words in link.why)
    await until(lambda: link.attempts >= 3)

    assert link.state is LinkState.LOST


async def test_a_line_without_an_end_is_not_kept(
    path: Path, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine gone wild cannot fill the console's memory."""
    monkeypatch.setattr("arb.console.link.LINE_BYTES_MAX", 1_000)

    async def endless(stream: trio.SocketStream) -> None:
        while True:
            try:
                await stream.send_all(b"x" * 1_000)
            except trio.BrokenResourceError:
                return
            await trio.sleep(0.001)

    await serve_script(nursery, path, endless)
    link = Link(path)
    nursery.start_soon(link.run)
    await until(lambda: link.why == "it sent a line without an end")


async def test_a_picture_may_come_in_pieces(path: Path, nursery: trio.Nursery) -> None:
    """Lines are put together, and of several pictures at once the last one counts."""
    first = orjson.dumps({"id": 1, "snapshot": picture(2, seq=5)}) + b"\n"
    second = orjson.dumps({"id": 1, "snapshot": picture(2, seq=6)}) + b"\n"
    late = b'{"id":77,"ok":false,"error":"too late"}\n{"id":"x","ok":true}\n'

    async def pieces(stream: trio.SocketStream) -> None:
        await stream.send_all(first[:100])
        await trio.sleep(0.01)
        await stream.send_all(first[100:] + late + second)
        await trio.sleep_forever()

    await serve_script(nursery, path, pieces)
    link = Link(path)
    nursery.start_soon(link.run)
    await until(lambda: link.is_up)

    assert link.picture is not None
    assert link.picture.seq == 6


async def test_a_command_without_an_answer_ends(
    path: Path, nursery: trio.Nursery, autojump_clock: Any
) -> None:
    """Nobody waits for ever, whether the engine is silent or goes."""

    async def pictures(stream: trio.SocketStream) -> None:
        line = orjson.dumps({"id": 1, "snapshot": picture(2)}) + b"\n"
        for _ in range(200):
            await stream.send_all(line)
            await trio.sleep(0.1)
        await stream.aclose()

    await serve_script(nursery, path, pictures)
    link = Link(path)
    nursery.start_soon(link.run)
    await until(lambda: link.is_up)
    assert (await link.command("pause")).text == "pause: no answer within 12 s"
    assert (await link.command("pause")).text == "pause: the engine was lost before it answered"


@pytest.mark.parametrize(
    "error,words",
    [
        (PermissionError(13, "x"), "belongs to somebody else"),
        (OSError(5, "disk on fire"), "disk on fire"),
        (trio.BrokenResourceError(), "the connection broke"),
    ],
)
def test_reasons_are_in_words(error: Exception, words: str) -> None:
    """A person reads what happened, not an errno."""
    assert words in _reason(error)


async def test_things_are_shown_closely_or_it_is_said_why_not(
    path: Path, nursery: trio.Nursery
) -> None:
    """A look is what the engine shows; without an engine, or damaged, it is a line of words."""
    link = Link(path)
    assert "not connected" in (await link.look(Wish("latency"))).why
    engine, _ = serve_engine(nursery, path)
    nursery.start_soon(link.run)
    await until(lambda: link.is_up)
    seen = (await link.look(Wish("market", "KXA"))).seen

    assert isinstance(seen, MarketCloseup)
    assert seen.ticker == "KXA"
    assert engine.shown == [("market", "KXA")]
    with pytest.raises(Unreadable, match="latency is damaged"):
        read_closeup("latency", {"steps": 7})
