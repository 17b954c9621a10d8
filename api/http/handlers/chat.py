"""Chat: a message in, a run out."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import Header, Query, Response

from api.domain.errors import NotFound
from api.domain.events import Event, RunEnded
from api.domain.ids import RunId
from api.http import sse
from api.http.bodies import Again, Cancel, ChatEdit, ChatStart, Id, Prepare
from api.http.merging import merged
from api.http.rooms import House, Owner, Rooms, reply
from api.runs.turns import NewTurn
from api.runs.viewing import Bye, Resync

MOST_RUNS = 100
RUN = r"[A-Za-z0-9_-]{1,128}:[0-9]{1,15}"
RUNS = rf"^{RUN}(,{RUN}){{0,{MOST_RUNS - 1}}}$"


async def prepare(body: Prepare, house: House) -> Response:
    """Someone begins to type: load what an answer will need, so that the first turn does not wait for it."""
    house.agents.prepare(body.model)
    return reply({"ok": True})


async def start(body: ChatStart, house: House, owner: Owner) -> Response:
    """Send a message. Answered once it is durable; the answer to it comes through the stream."""
    turn = NewTurn(
        text=body.message,
        message_id=body.message_id,
        model=body.model,
        agent=body.agent,
        workspace=await house.folder_chosen(body.workspace, field="workspace"),
        attachments=body.attachments,
    )
    started = await house.conversing.start(body.session_id, turn, owner=owner)
    await house.forget_draft(started.session_id, body.message, body.attachments)
    await house.queueing.forget(started.session_id, started.message_id, owner=owner)
    return reply(started)


async def retry(body: Again, house: House, owner: Owner) -> Response:
    """Answer the last message anew. The answer it had is kept aside in the document."""
    return reply(await house.conversing.retry(body.session_id, **_meant(body), owner=owner))


async def resume(body: Again, house: House, owner: Owner) -> Response:
    """Go on with an answer that was cut off."""
    return reply(await house.conversing.resume(body.session_id, **_meant(body), owner=owner))


async def edit(body: ChatEdit, house: House, owner: Owner) -> Response:
    """Put another message in the place of one of yours, and answer that. What was there is kept aside."""
    turn = NewTurn(
        text=body.message,
        message_id=body.new_message_id,
        model=body.model,
        agent=body.agent,
        attachments=body.attachments,
    )
    return reply(
        await house.conversing.edit(body.session_id, body.message_id, turn, revision=body.revision, owner=owner)
    )


def _meant(body: Again) -> dict[str, Any]:
    return {"message_id": body.message_id, "model": body.model, "revision": body.revision}


async def cancel(body: Cancel, house: House, owner: Owner) -> Response:
    """Stop a run. What was shown is kept."""
    return reply({"ok": True, "cancelled": await house.viewing.cancel(body.stream_id, owner=owner)})


async def status(stream_id: Id, house: House, owner: Owner) -> Response:
    """How far a run is."""
    return reply(await house.viewing.status(stream_id, owner=owner))


async def stream(
    stream_id: Id,
    house: House,
    owner: Owner,
    after_seq: Annotated[int, Query(ge=0, le=2**53)] = 0,
    last_event_id: Annotated[str | None, Header(max_length=300)] = None,
) -> Response:
    """A run's events above a number, then as they come, to the end."""
    await house.viewing.status(stream_id, owner=owner)
    after = after_seq if last_event_id is None else _number(last_event_id, stream_id)
    return sse.EventStream(_frames(house, owner, stream_id, after))


async def streams(
    runs: Annotated[str, Query(pattern=RUNS, max_length=20_000, description="`<stream_id>:<after_seq>`, by commas.")],
    house: House,
    owner: Owner,
) -> Response:
    """The events of several runs through one connection, each after its own number. A browser has six for all tabs."""
    wanted = dict(one.split(":") for one in runs.split(","))
    each = [_marked_frames(house, owner, stream_id, int(after)) for stream_id, after in wanted.items()]
    return sse.EventStream(_together(house, each))


async def _together(house: Rooms, each: list[AsyncGenerator[bytes, None]]) -> AsyncGenerator[bytes, None]:
    async with aclosing(merged(each)) as frames:
        async for frame in frames:
            yield frame
    if house.engine.is_closing:
        yield sse.BYE


async def _marked_frames(house: Rooms, owner: str, stream_id: str, after: int) -> AsyncGenerator[bytes, None]:
    """The frames of one run among others: an event without a number has the run alone for its id."""
    try:
        async for batch in house.viewing.follow(stream_id, after, owner=owner):
            match batch:
                case Resync():
                    yield sse.frame("resync", {}, stream_id)
                case [] if not house.engine.is_closing:
                    yield sse.PING
                case [_, *_] as events:
                    yield await _encoded(house, owner, stream_id, events, mark=stream_id)
    except NotFound as error:
        yield sse.frame("gone", {"error": error.message, "code": error.code}, stream_id)


async def _frames(house: Rooms, owner: str, stream_id: str, after: int | None) -> AsyncGenerator[bytes, None]:
    if after is None:
        yield sse.RESYNC
        return
    async for batch in house.viewing.follow(stream_id, after, owner=owner):
        match batch:
            case Resync():
                yield sse.RESYNC
            case Bye():
                yield sse.BYE
            case []:
                yield sse.PING
            case [*events]:
                yield await _encoded(house, owner, stream_id, events)


async def _encoded(house: Rooms, owner: str, stream_id: str, events: list[Event], *, mark: str | None = None) -> bytes:
    run_id = RunId(stream_id)
    if not isinstance(events[-1], RunEnded):
        return sse.encode(run_id, events)
    done = sse.frame("done", await _done(house, owner, stream_id), mark)
    return sse.encode(run_id, events[:-1]) + done + sse.encode(run_id, events[-1:])


async def _done(house: Rooms, owner: str, stream_id: str) -> dict[str, Any]:
    """What the run left in its session, so that no client has to fetch the transcript again."""
    try:
        session, messages = await house.viewing.said(stream_id, owner=owner)
    except NotFound:
        session, messages = None, []  # asked aside, and dropped before its ending was told
    row = await asyncio.to_thread(session.row) if session else None
    usage = messages[-1].get("usage") if messages else None
    return {"session": row, "messages": messages, "usage": usage}


def _number(last_event_id: str, stream_id: str) -> int | None:
    """The number in a `Last-Event-ID`, or None when it is not one of this run's."""
    run_id, _, number = last_event_id.rpartition(":")
    is_number = number.isascii() and number.isdigit() and len(number) < 16
    return int(number) if run_id == stream_id and is_number else None
