"""The pipe to the process of an embedded simulated world: requests to the world itself.

Nothing of trading goes this way, and nothing of it is on a socket: only the process that started
a world can switch its faults.
"""

from __future__ import annotations

from typing import Any

import orjson
import trio

# The world answers in its next turn; one that does not is stopped or hangs.
ANSWER_S = 3.0

# The ledger of a long run is some 200 bytes an order; more than this is no answer.
ANSWER_BYTES_MAX = 64 * 1024 * 1024


class WorldRefused(Exception):
    """The world said no, or nothing; the text is one line."""


class WorldHand:
    """Asks one world, one request after the other."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process
        self._lock = trio.Lock()
        self._buffer = b""
        self._number = 0

    def __repr__(self) -> str:
        return f"<WorldHand of process {self._process.pid} [{self._number} requests]>"

    async def ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """Return the world's answer; raises `WorldRefused`."""
        try:
            with trio.fail_after(ANSWER_S):
                async with self._lock:
                    answer = await self._exchange(verb, arguments)
        except trio.TooSlowError:
            raise WorldRefused(
                f"the simulated world did not answer within {ANSWER_S:.0f} s"
            ) from None
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise WorldRefused("the simulated world has ended: start again") from None
        if answer.get("ok") is not True:
            raise WorldRefused(str(answer.get("error") or "the world refused without a word"))
        return answer

    async def _exchange(self, verb: str, arguments: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        number = self._number
        request = orjson.dumps({"id": number, "do": verb, **arguments}) + b"\n"
        if self._process.stdin is None:
            raise trio.ClosedResourceError
        await self._process.stdin.send_all(request)
        while True:
            document = orjson.loads(await self._line())
            # An answer to what nobody waited for any more is only late.
            if isinstance(document, dict) and document.get("id") == number:
                return document

    async def _line(self) -> bytes:
        while b"\n" not in self._buffer:
            if self._process.stdout is None or len(self._buffer) > ANSWER_BYTES_MAX:
                raise trio.BrokenResourceError
            piece = bytes(await self._process.stdout.receive_some())
            if not piece:
                raise trio.BrokenResourceError
            self._buffer += piece
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line
