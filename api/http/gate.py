"""The gate every request passes before any route: is it meant for us, from whom, and what leaves with the answer.

Works on the raw header list, since frameworks differ in which of two headers they believe.
"""

import re
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from api.access.hosts import Hosts, bearer_token
from api.access.tokens import Tokens
from api.domain.errors import AppError, BadRequest, Forbidden, NotSignedIn, WrongHost
from api.domain.ids import OWNER_LOCAL
from api.http.errors import error_body

OPEN_ROUTES = frozenset({"/health", "/api/auth/exchange", "/api/auth/login", "/api/auth/status"})

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; "
    "form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types svelte-trusted-html fireside-worker fireside-shell dompurify"
)
"""`trusted-types` names all that may turn text into HTML or the address of a script, each once: what draws the page
from its own templates, the page's two workers, and what sanitises where the browser does not do so by itself."""
HEADERS = [
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    (b"cache-control", b"no-store"),
]
"""What every answer leaves with that does not say otherwise itself, as the files of the page do on caching."""

_BAD_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class Gate:
    """ASGI middleware around the whole application. `cookie` is the name of the cookie that holds a browser's login."""

    def __init__(self, app: Any, *, hosts: Hosts, tokens: Tokens, cookie: str) -> None:
        self._app = app
        self._hosts = hosts
        self._tokens = tokens
        self._cookie = cookie

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = _with_headers(send)
        try:
            self._check(scope)
        except AppError as error:
            await _refuse(error, send)
            return
        await self._app(scope, receive, send)

    def _check(self, scope: Any) -> None:
        headers, path = scope["headers"], scope["path"]
        if not self._hosts.is_ours(headers, scope.get("server")):
            raise WrongHost("This server does not go by that name.")
        _check_query(scope["query_string"])
        if not self._hosts.may_change(scope["method"], headers):
            raise Forbidden("This request came from another site, or from nowhere we can tell.", code="wrong_origin")
        if not _is_api(path):
            return
        if not self._hosts.may_read(headers):
            raise Forbidden("This request came from another site.", code="wrong_origin")
        scope["state"]["owner"] = OWNER_LOCAL
        scope["state"]["is_signed_in"] = self.is_signed_in(headers)
        if path not in OPEN_ROUTES and not scope["state"]["is_signed_in"]:
            raise NotSignedIn("Sign in first: open the link that Fireside printed at start, or paste its token.")

    def is_signed_in(self, headers: list[tuple[bytes, bytes]]) -> bool:
        token = bearer_token(headers)
        if token is not None:
            return self._tokens.is_token(token)
        secret = cookie_value(headers, self._cookie)
        return secret is not None and self._tokens.is_login(secret)


def cookie_value(headers: list[tuple[bytes, bytes]], name: str) -> str | None:
    """The value of the cookie `name`; None when it is absent or there twice."""
    pairs = [
        pair.strip().partition("=")
        for key, value in headers
        if key == b"cookie"
        for pair in value.decode("latin-1").split(";")
    ]
    values = [value for key, _, value in pairs if key == name]
    return values[0] if len(values) == 1 else None


def _is_api(path: str) -> bool:
    return path == "/api" or path.startswith("/api/")


def _check_query(query: bytes) -> None:
    if not query:
        return
    if _BAD_PERCENT.search(query):
        raise BadRequest("The address has a percent sign that stands for nothing.")
    names = [name for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True)]
    if len(set(names)) != len(names):
        raise BadRequest("The address gives one parameter twice.")


def _with_headers(send: Any) -> Any:
    async def wrapped(message: Any) -> None:
        if message["type"] == "http.response.start":
            present = {name for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *(one for one in HEADERS if one[0] not in present)]
        await send(message)

    return wrapped


async def _refuse(error: AppError, send: Any) -> None:
    body = msgspec.json.encode(error_body(error))
    # Closed, for the body of a request that was refused unread may be anything.
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
