"""A run's events on the wire: one encoder over the domain's union, and the response that streams it.

Each event keeps its number: `id: <stream_id>:<seq>`. `done`, which tells what the document now holds, has no id, so
that a client that misses the very last event is sent both again.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Any

import msgspec
from fastapi import Response

from api.domain import events as ev
from api.domain.ids import RunId

PING = b": ping\n\n"
RESYNC = b"event: resync\ndata: {}\n\n"
BYE = b"retry: 300\nevent: bye\ndata: {}\n\n"
MAX_WRITE_BYTES = 256 * 1024

NAMES: dict[type, str] = {
    ev.StepStarted: "step",
    ev.TextDelta: "token",
    ev.ThinkingDelta: "reasoning",
    ev.PictureShown: "picture",
    ev.ToolStarted: "tool",
    ev.ToolArguments: "tool_arguments",
    ev.ToolOutput: "tool_output",
    ev.ToolEnded: "tool_complete",
    ev.ApprovalRequested: "approval",
    ev.ApprovalResolved: "approval_resolved",
    ev.QuestionAsked: "clarify",
    ev.QuestionAnswered: "clarify_answered",
    ev.PlanUpdated: "plan",
    ev.Steered: "steer",
    ev.UsageUpdated: "metering",
    ev.TitleChanged: "title",
    ev.Notice: "warning",
}
ENDINGS: dict[str, str] = {
    "done": "stream_end",
    "interrupted": "stream_end",
    "cancelled": "cancel",
    "failed": "apperror",
}


def frame(name: str, data: Any, id: str | None = None) -> bytes:
    """One server-sent event. JSON has no raw newline, so one `data:` line holds it."""
    head = f"id: {id}\nevent: {name}\ndata: " if id else f"event: {name}\ndata: "
    return head.encode() + msgspec.json.encode(data) + b"\n\n"


def name_and_data(event: ev.Event) -> tuple[str, dict[str, Any]]:
    """What an event is called on the wire, and its fields there."""
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    if not isinstance(event, ev.RunEnded):
        return NAMES[type(event)], fields
    failure = fields.pop("failure")
    if failure is not None:
        fields |= msgspec.structs.asdict(failure)
    return ENDINGS[event.outcome], fields


def encode(run_id: RunId, events: Iterable[ev.Event]) -> bytes:
    """Events as they are sent, in one write."""
    return b"".join(frame(*name_and_data(event), f"{run_id}:{event.seq}") for event in events)


class EventStream(Response):
    """Sends what an iterator yields until it ends or the client goes.

    Each write waits until the client has taken the one before, up to a buffer; one that stops reading is dropped by
    `protocol`, so that a tab that was suspended costs nothing. It comes back with the last number it saw.
    """

    media_type = "text/event-stream"

    def __init__(self, chunks: AsyncGenerator[bytes, None]) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._chunks = chunks

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        pump = asyncio.create_task(self._pump(send))
        gone = asyncio.create_task(_until_gone(receive))
        try:
            await asyncio.wait({pump, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            pump.cancel()
            gone.cancel()
            results = await asyncio.gather(pump, gone, return_exceptions=True)
        if isinstance(results[0], Exception):
            raise results[0]

    async def _pump(self, send: Any) -> None:
        async with aclosing(self._chunks) as chunks:
            async for chunk in chunks:
                for start in range(0, len(chunk), MAX_WRITE_BYTES):
                    body = chunk[start : start + MAX_WRITE_BYTES]
                    await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
