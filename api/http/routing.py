"""From the table of routes to an ASGI application."""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from api.access.hosts import Hosts
from api.http import errors
from api.http.gate import Gate
from api.http.page import Page
from api.http.requests import Remembered, StrictRoute
from api.http.rooms import Rooms
from api.http.schemas import Error

STREAM: Final = "stream"


class Route(NamedTuple):
    """`answer` is the shape of the response: a model, `STREAM` for server-sent events, None for a file."""

    method: str
    path: str
    handler: Callable[..., Any]
    answer: type[BaseModel] | str | None


def build(routes: Sequence[Route], rooms: Rooms | None, page: Page | None, lifespan: Any = None) -> FastAPI:
    """The application behind the gate. Without `rooms` it can be described but not asked."""
    app = FastAPI(openapi_url=None, lifespan=lifespan, redirect_slashes=False)
    app.router.route_class = StrictRoute
    app.state.rooms = rooms
    app.state.remembered = Remembered()
    errors.install(app)
    for route in routes:
        _add(app, route)
    _answer_the_rest(app, page)
    return app


def guarded(app: FastAPI, rooms: Rooms, hosts: Hosts) -> Gate:
    """The application as it may be put on a socket."""
    return Gate(app, hosts=hosts, tokens=rooms.tokens, cookie=rooms.cookie)


def _add(app: FastAPI, route: Route) -> None:
    is_model = isinstance(route.answer, type)
    responses: dict[int | str, dict[str, Any]] = {"4XX": {"model": Error}}
    if route.answer == STREAM:
        responses[200] = {"description": "Server-sent events", "content": {"text/event-stream": {}}}
    app.add_api_route(
        route.path,
        route.handler,
        methods=[route.method],
        name=route.path.removeprefix("/api/").strip("/").replace("/", "_").replace(".", "_"),
        response_model=route.answer if is_model else None,
        response_class=Response if not is_model else app.router.default_response_class,
        responses=responses,
    )


def _answer_the_rest(app: FastAPI, page: Page | None) -> None:
    """What no route answers is the page or a part of it, or not there."""

    async def rest(scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        response = page.answer(request) if page is not None else None
        if response is None:
            raise HTTPException(404)
        await response(scope, receive, send)

    app.router.default = rest
