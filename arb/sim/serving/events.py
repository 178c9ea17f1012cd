"""Server-sent events to one client: the answer of an HTTP request that does not end."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import h11
import trio

from arb.sim.serving.http import Response
from arb.sim.serving.socket import Agent

_RECEIVE_BYTES = 4_096


@attrs.frozen
class EventAnswer(Response):
    """An answer that goes on with what ``agent`` has to say until one side ends it.

    ``idle`` is what is sent after ``idle_s`` without anything else.
    """

    agent: Agent = attrs.field(kw_only=True)
    idle: Callable[[], str] = attrs.field(kw_only=True)
    idle_s: float = 5.0


async def serve_events(
    stream: trio.abc.Stream, connection: h11.Connection, answer: EventAnswer
) -> None:
    """Send events until the client leaves or the agent closes its outbox."""
    head = h11.Response(
        status_code=answer.status,
        headers=[*answer.headers, ("content-type", "text/event-stream")],
    )
    try:
        await stream.send_all(connection.send(head) or b"")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_until_client_leaves, stream, nursery.cancel_scope)
            nursery.start_soon(_write, stream, connection, answer, nursery.cancel_scope)
    except* (trio.BrokenResourceError, trio.ClosedResourceError):
        pass  # the client is gone: this answer is over, nothing else is
    finally:
        answer.agent.ended()


async def _until_client_leaves(stream: trio.abc.Stream, scope: trio.CancelScope) -> None:
    while await stream.receive_some(_RECEIVE_BYTES):
        pass
    scope.cancel()


async def _write(
    stream: trio.abc.Stream,
    connection: h11.Connection,
    answer: EventAnswer,
    scope: trio.CancelScope,
) -> None:
    while True:
        text: str | None = ""
        with trio.move_on_after(answer.idle_s):
            text = await answer.agent.outbox.take()
        if text is None:
            break
        data = text or answer.idle()
        if data:
            await stream.send_all(connection.send(h11.Data(data=data.encode())) or b"")
    await stream.send_all(connection.send(h11.EndOfMessage()) or b"")
    scope.cancel()
