"""How requests are read: a limited body of strict JSON, and the same answer to the same `request_id`."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from api.domain.errors import AppError, BadRequest, TooLarge, UnsupportedMedia
from api.http import strict_json
from api.http.errors import error_response

MAX_BODY_BYTES = 1024 * 1024
MAX_REMEMBERED = 1000

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRequest(Request):
    """A request whose body is limited and whose JSON has one reading."""

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            self._body = await self._read_limited()
        return self._body

    async def _read_limited(self) -> bytes:
        if int(self.headers.get("content-length", "0")) > MAX_BODY_BYTES:
            raise _too_large()
        received = bytearray()
        async for chunk in self.stream():
            received += chunk
            if len(received) > MAX_BODY_BYTES:
                raise _too_large()
        return bytes(received)

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = strict_json.parse(await self.body())
        return self._json


class StrictRoute(APIRoute):
    """A route that reads strictly and answers a repeated `request_id` with the answer it gave before."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        takes_body = self.body_field is not None

        async def strict(request: Request) -> Response:
            request = StrictRequest(request.scope, request.receive)
            if not takes_body:
                return await handle(request)
            try:
                body = await _json_object(request)
            except AppError as error:
                return error_response(error)
            return await _once(request, body.get("request_id"), handle)

        return strict


async def _json_object(request: Request) -> dict[str, Any]:
    content_type = request.headers.get("content-type", "").lower().replace(" ", "").rstrip(";")
    if content_type not in ("application/json", "application/json;charset=utf-8"):
        raise UnsupportedMedia("Send the body as application/json in UTF-8.")
    body = await request.json() if await request.body() else None
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object.", code="bad_json")
    return body


async def _once(request: Request, request_id: Any, handle: Handler) -> Response:
    # Whoever is not signed in is told nothing that someone else was told, least of all the cookie of a login.
    if request_id is None or not request.state.is_signed_in:
        return await handle(request)
    if not isinstance(request_id, str) or not 0 < len(request_id) <= 128:
        error = BadRequest("A request_id is a text of 1 to 128 characters.", code="invalid_field", field="request_id")
        return error_response(error)
    known: Remembered = request.app.state.remembered
    return await known.answer((request.state.owner, request.url.path, request_id), lambda: handle(request))


class Remembered:
    """The answers to the latest requests that carried a `request_id`, so that a repeat does nothing twice.

    In memory: a message has an id of its own, which its session's document remembers for good.
    """

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[str, str, str], asyncio.Task[Response]] = OrderedDict()

    async def answer(self, key: tuple[str, str, str], work: Callable[[], Coroutine[Any, Any, Response]]) -> Response:
        """The answer first given to `key`, or the one that `work` gives now. Failures are not remembered."""
        task = self._answers.get(key)
        if task is None:
            task = self._answers[key] = asyncio.create_task(work())
            task.add_done_callback(lambda done: self._forget_failure(key, done))
            while len(self._answers) > MAX_REMEMBERED:
                self._answers.popitem(last=False)
        # Shielded: when the first client goes away, the second one still wants the answer.
        return await asyncio.shield(task)

    def _forget_failure(self, key: tuple[str, str, str], done: asyncio.Task[Response]) -> None:
        failed = done.cancelled() or done.exception() is not None or done.result().status_code >= 400
        if failed and self._answers.get(key) is done:
            del self._answers[key]


def _too_large() -> TooLarge:
    return TooLarge("The request is larger than 1 MB. Nothing was stored.", max_bytes=MAX_BODY_BYTES)
