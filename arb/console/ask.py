"""One question to an engine's control socket and its answer; for commands, which wait for it."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import orjson

# The engine bounds a command at 10 s itself; this only ends the wait for a dead one.
ANSWER_TIMEOUT_S = 12.0
READ_BYTES = 65_536
# A picture of 5,000 markets and actors is some 4 MB; more than this is no answer.
ANSWER_BYTES_MAX = 32 * 1024 * 1024
QUESTION_ID = 1


class NoAnswer(Exception):
    """The engine did not answer, or refused; the text says why in one line."""


class Refused(NoAnswer):
    """The engine answered, and the answer is no."""


def ask(
    path: Path, verb: str, *, timeout_s: float = ANSWER_TIMEOUT_S, **arguments: Any
) -> dict[str, Any]:
    """Send one request and return the answer's document; raises `NoAnswer`."""
    question = orjson.dumps({"id": QUESTION_ID, "do": verb, **arguments}) + b"\n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        try:
            connection.connect(str(path))
            connection.sendall(question)
            return _answer(connection)
        except TimeoutError:
            raise NoAnswer(
                f"the engine at {path} did not answer {verb} within {timeout_s:.0f} s"
            ) from None
        except OSError as error:
            raise NoAnswer(f"the engine at {path} is lost: {error.strerror or error}") from None


def _answer(connection: socket.socket) -> dict[str, Any]:
    buffer = bytearray()
    while not buffer.endswith(b"\n"):
        piece = connection.recv(READ_BYTES)
        if not piece:
            raise NoAnswer("the engine closed the connection without an answer")
        buffer += piece
        if len(buffer) > ANSWER_BYTES_MAX:
            raise NoAnswer("the engine's answer has no end")
    try:
        document = orjson.loads(bytes(buffer).split(b"\n", 1)[0])
    except orjson.JSONDecodeError:
        raise NoAnswer("the engine's answer is no JSON") from None
    if not isinstance(document, dict):
        raise NoAnswer("the engine's answer is no object")
    if document.get("ok") is False:
        raise Refused(str(document.get("error") or "refused without a word"))
    return document
