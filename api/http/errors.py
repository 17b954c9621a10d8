"""The one shape of every error: `{"error": a sentence, "code": snake_case, "field"?: ..., ...}`."""

import errno
import logging
from pathlib import Path
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from api.domain.errors import AppError, BadRequest, NotFound, Unavailable
from api.sessions.disk.files import SENTENCES, explained

log = logging.getLogger(__name__)

INTERNAL = AppError("Something went wrong inside Fireside. Nothing more is known here; the server's log has it.")
OUT_OF_MEMORY = Unavailable(
    "There is not enough memory for this. What was stored before is kept; try it with less.", code="out_of_memory"
)


def error_body(error: AppError) -> dict[str, Any]:
    field = {"field": error.field} if error.field else {}
    return {"error": error.message, "code": error.code} | field | error.fields


def error_response(error: AppError) -> Response:
    # What is left of a body that was refused must not be read as the next request.
    headers = {"connection": "close"} if error.status in (413, 415) else {}
    return Response(msgspec.json.encode(error_body(error)), error.status, headers, "application/json")


def install(app: FastAPI) -> None:
    """Turn every failure of `app` into that shape."""

    @app.exception_handler(AppError)
    async def by_name(_: Request, error: AppError) -> Response:
        if error.status >= 500:
            log.warning("request.failed", extra={"code": error.code})
        return error_response(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        return error_response(_invalid(error))

    @app.exception_handler(HTTPException)
    async def by_status(request: Request, error: HTTPException) -> Response:
        if isinstance(error.__cause__, AppError):
            return error_response(error.__cause__)
        response = error_response(_plain(error.status_code, request))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(OSError)
    async def refused_by_the_system(request: Request, error: OSError) -> Response:
        log.error("request.crashed", extra={"route": request.scope["path"]}, exc_info=error)
        if error.errno != errno.ENOSPC and error.errno not in SENTENCES:
            return error_response(INTERNAL)
        return error_response(explained(error, Path(error.filename or "/").parent))

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, _: ClientDisconnect) -> Response:
        log.info("request.cut_off", extra={"route": request.scope["path"]})
        return Response(status_code=400)  # which nobody is there to read

    @app.exception_handler(MemoryError)
    async def too_much(request: Request, _: MemoryError) -> Response:
        log.error("request.out_of_memory", extra={"route": request.scope["path"]})
        return error_response(OUT_OF_MEMORY)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, _: Exception) -> Response:
        log.error("request.crashed", extra={"route": request.scope["path"]})
        return error_response(INTERNAL)


def _invalid(error: RequestValidationError) -> BadRequest:
    first = error.errors()[0]
    place, *where = map(str, first.get("loc", ()) or ("",))
    where = where if place in ("body", "query", "path") else [place, *where]
    field = ".".join(where) or None
    said = str(first.get("msg", "")).removeprefix("Value error, ").rstrip(".")
    what = f"{field!r}: {said}" if field else said
    return BadRequest(f"The request cannot be understood: {what}.", code="invalid_field", field=field)


def _plain(status: int, request: Request) -> AppError:
    if status == 405:
        error: AppError = AppError(f"{request.method} is not possible here.", code="method_not_allowed")
    elif status == 404:
        error = NotFound("There is nothing at this address.")
    else:
        error = AppError("The request cannot be answered.", code=f"http_{status}")
    error.status = status
    return error
