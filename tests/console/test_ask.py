"""One question to an engine's socket."""

from __future__ import annotations

import socket
from pathlib import Path
from threading import Thread

import pytest

from arb.console.ask import NoAnswer, Refused, ask


def serve(path: Path, *pieces: bytes, hold: bool = False) -> Thread:
    """Serve one client these bytes from a thread, and hold the connection open if told to."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen(1)

    def run() -> None:
        with listening:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4_096)
                for piece in pieces:
                    connection.sendall(piece)
                if hold:
                    connection.recv(1)

    thread = Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize(
    "pieces,error,words",
    [
        ((b'{"id":1,"ok":false,"error":"no actor x"}\n',), Refused, "no actor x"),
        ((b'{"id":1,"ok":false}\n',), Refused, "without a word"),
        ((b"rubbish\n",), NoAnswer, "no JSON"),
        ((b"7\n",), NoAnswer, "no object"),
        ((), NoAnswer, "closed the connection"),
    ],
)
def test_what_is_no_answer_is_said(
    tmp_path: Path, pieces: tuple[bytes, ...], error: type[NoAnswer], words: str
) -> None:
    """A refusal is told from a fault, each in one line."""
    thread = serve(tmp_path / "c.sock", *pieces)
    with pytest.raises(error, match=words):
        ask(tmp_path / "c.sock", "kill", name="x")
    thread.join()


def test_an_answer_may_come_in_pieces(tmp_path: Path) -> None:
    """The line is put together."""
    thread = serve(tmp_path / "c.sock", b'{"id":1,"ok":', b'true,"text":"done"}\n')

    assert ask(tmp_path / "c.sock", "pause")["text"] == "done"
    thread.join()


def test_a_silent_engine_is_not_waited_for(tmp_path: Path) -> None:
    """The wait has an end, and the line names the command."""
    thread = serve(tmp_path / "c.sock", hold=True)
    with pytest.raises(NoAnswer, match="did not answer pause within"):
        ask(tmp_path / "c.sock", "pause", timeout_s=0.05)
    thread.join()


def test_an_answer_without_an_end_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wild engine cannot fill the memory of a command."""
    monkeypatch.setattr("arb.console.ask.ANSWER_BYTES_MAX", 10)
    thread = serve(tmp_path / "c.sock", b"x" * 20)
    with pytest.raises(NoAnswer, match="has no end"):
        ask(tmp_path / "c.sock", "status")
    thread.join()


def test_no_engine_is_said(tmp_path: Path) -> None:
    """Nothing at the socket is one line with its path."""
    with pytest.raises(NoAnswer, match="is lost: No such file"):
        ask(tmp_path / "c.sock", "status")
