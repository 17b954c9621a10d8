"""Signing in and out."""

from fastapi import Request, Response

from api.domain.errors import Forbidden, NotSignedIn, TooMany
from api.http.bodies import CodeExchange, Login
from api.http.bodies import Request as Empty
from api.http.gate import cookie_value
from api.http.rooms import House, Rooms, reply

COOKIE_AGE_S = 30 * 24 * 3600


async def exchange(body: CodeExchange, request: Request, house: House) -> Response:
    """Sign this browser in with the code of a printed link, once."""
    _slow_down(request, house)
    if not house.tokens.use_code(body.code):
        raise NotSignedIn("This link was used already or is too old. `./run link` prints a new one.", code="bad_code")
    return _signed_in(house, request)


async def login(body: Login, request: Request, house: House) -> Response:
    """Sign this browser in with the token."""
    _slow_down(request, house)
    if not house.tokens.is_token(body.token.strip()):
        raise NotSignedIn("That is not the token of this server.", code="bad_token")
    return _signed_in(house, request)


async def logout(body: Empty, request: Request, house: House) -> Response:
    """Sign this browser out."""
    secret = cookie_value(request.scope["headers"], house.cookie)
    if secret is not None:
        house.tokens.end_login(secret)
    response = reply({"ok": True})
    response.delete_cookie(house.cookie, path="/", httponly=True, samesite="strict")
    return response


async def status(request: Request, house: House) -> Response:
    """Is this client signed in?"""
    return reply({"signed_in": request.state.is_signed_in})


async def link(body: Empty, house: House) -> Response:
    """Make a link that signs one more browser in."""
    return reply({"path": f"/#code={house.tokens.new_code()}"})


def ask_again(given: str, request: Request, house: Rooms) -> None:
    """Who is asking, once more, before a program is run: `given` is the token, or a new link that was printed.

    Raises:
        Forbidden: it is neither.
        TooMany: it was tried too often.
    """
    if not given.strip():
        message = "Adding this runs a program, so the token of this server is needed, or a link of `./run link`."
        raise Forbidden(message, code="login_again", field="token")
    _slow_down(request, house)
    code = given.strip().rpartition("#code=")[2]
    if not house.tokens.is_token(given.strip()) and not house.tokens.use_code(code):
        message = "That is neither the token of this server nor a link that still works. `./run link` prints a new one."
        raise Forbidden(message, code="login_again", field="token")


def _signed_in(house: Rooms, request: Request) -> Response:
    response = reply({"ok": True})
    response.set_cookie(
        house.cookie,
        house.tokens.new_login(),
        max_age=COOKIE_AGE_S,
        path="/",
        httponly=True,
        secure=request.headers.get("origin", "").startswith("https://"),
        samesite="strict",
    )
    return response


def _slow_down(request: Request, house: Rooms) -> None:
    wait = house.login_tries.take(request.client.host if request.client else "")
    if wait > 0:
        raise TooMany(f"Too many tries. Try again in {wait:.0f} seconds.", retry_after_s=round(wait, 1))
