"""From the table of routes to an ASGI application."""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from api.access.hosts import Hosts
from api.http import errors
from api.http.answers import Error
from api.http.compression import Compressing
from api.http.gate import Gate
from api.http.page import Page
from api.http.requests import Remembered, StrictRoute
from api.http.rooms import Rooms

STREAM: Final = "stream"


class Route(NamedTuple):
    """`answer` is the shape of the response: a model, `STREAM` for server-sent events, None for a file."""

    method: str
    path: str
    handler: Callable[..., Any]
    answer: type[BaseModel] | str | None


def build(routes: Sequence[Route], rooms: Rooms, page: Page, lifespan: Any = None) -> FastAPI:
    """The application that answers for `rooms`, to be put behind the gate."""
    app = _application(lifespan)
    app.state.rooms = rooms
    app.state.routes = routes
    app.state.remembered = Remembered()
    for route in routes:
        # Without the shapes of answers: handlers send ready bytes, and building a validator for each would take a
        # good part of the start.
        app.add_api_route(route.path, route.handler, methods=[route.method], response_model=None)
    _answer_the_rest(app, page)
    return app


def describable(routes: Sequence[Route]) -> FastAPI:
    """The same routes with the shapes of their answers, to be described and never asked."""
    app = _application()
    for route in routes:
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
            response_class=app.router.default_response_class if is_model else Response,
            responses=responses,
        )
    return app


def _application(lifespan: Any = None) -> FastAPI:
    app = FastAPI(openapi_url=None, lifespan=lifespan, redirect_slashes=False)
    app.router.route_class = StrictRoute
    errors.install(app)
    return app


def guarded(app: FastAPI, rooms: Rooms, hosts: Hosts) -> Gate:
    """The application as it may be put on a socket."""
    return Gate(Compressing(app), hosts=hosts, tokens=rooms.tokens, cookie=rooms.cookie)


def _answer_the_rest(app: FastAPI, page: Page) -> None:
    """What no route answers is the page or a part of it, or not there."""

    async def rest(scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        response = page.answer(request)
        if response is None:
            raise HTTPException(404)
        await response(scope, receive, send)

    app.router.default = rest
