"""Who gets in, by what, and from where."""

from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from pathlib import Path

import httpx2
import pytest

from api.access.limits import Limit
from api.http.gate import CSP, OPEN_ROUTES
from api.routes import ROUTES
from tests.http.conftest import LocalServer
from tests.http.wire import Answer, exchange, host_of
from tests.serving import TOKEN

BEARER = {"Authorization": f"Bearer {TOKEN}"}
CLOSED_ROUTES = [(route.method, route.path) for route in ROUTES if route.path not in OPEN_ROUTES]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with LocalServer(tmp_path_factory.mktemp("signing-in") / "state") as local:
        local.house.rooms.login_tries._burst = 10_000
        yield local


@pytest.fixture
def browser(local: LocalServer) -> Iterator[httpx2.Client]:
    """A browser with the page open: it has an origin, keeps cookies and shows no token."""
    with httpx2.Client(base_url=local.address, headers={"Origin": local.address}, trust_env=False) as browser:
        yield browser


def _sign_in(browser: httpx2.Client, local: LocalServer) -> httpx2.Response:
    return browser.post("/api/auth/exchange", json={"code": local.house.rooms.tokens.new_code()})


def _is_signed_in(browser: httpx2.Client) -> bool:
    status = browser.get("/api/auth/status").json()["signed_in"]
    assert browser.get("/api/sessions").status_code == (200 if status else 401)
    return status


# Ways in


def test_a_code_signs_a_browser_in_and_no_second_one(local: LocalServer, browser: httpx2.Client) -> None:
    code = local.house.rooms.tokens.new_code()
    assert not _is_signed_in(browser)

    first = browser.post("/api/auth/exchange", json={"code": code})
    assert (first.status_code, first.json()) == (200, {"ok": True})
    assert _is_signed_in(browser)

    browser.cookies.clear()
    second = browser.post("/api/auth/exchange", json={"code": code})
    assert (second.status_code, second.json()["code"]) == (401, "bad_code")
    assert not _is_signed_in(browser)


def test_the_token_signs_a_browser_in_with_blanks_around_it(browser: httpx2.Client) -> None:
    assert browser.post("/api/auth/login", json={"token": f" {TOKEN}\n"}).status_code == 200
    assert _is_signed_in(browser)


def test_the_cookie_is_for_this_server_and_for_no_script_and_no_other_site(
    local: LocalServer, browser: httpx2.Client
) -> None:
    header = _sign_in(browser, local).headers["set-cookie"]

    cookie = SimpleCookie(header)[local.house.rooms.cookie]
    assert cookie["httponly"] is True
    assert cookie["samesite"].lower() == "strict"
    assert cookie["path"] == "/"
    assert cookie["domain"] == ""
    assert cookie["secure"] == ""
    assert int(cookie["max-age"]) == 30 * 24 * 3600
    assert host_of(local.address).rpartition(":")[2] in local.house.rooms.cookie


def test_behind_tls_the_cookie_stays_behind_tls(local: LocalServer, browser: httpx2.Client) -> None:
    browser.headers["Origin"] = local.address.replace("http:", "https:")

    assert "; secure" in _sign_in(browser, local).headers["set-cookie"].lower()


def test_each_login_gives_another_cookie(local: LocalServer, browser: httpx2.Client) -> None:
    first, second = (_sign_in(browser, local).cookies[local.house.rooms.cookie] for _ in range(2))

    assert first != second


def test_signing_out_ends_the_cookie_for_good(local: LocalServer, browser: httpx2.Client) -> None:
    _sign_in(browser, local)
    cookie = browser.cookies[local.house.rooms.cookie]

    assert browser.post("/api/auth/logout", json={}).json() == {"ok": True}
    assert local.house.rooms.cookie not in browser.cookies

    browser.cookies.set(local.house.rooms.cookie, cookie)
    assert not _is_signed_in(browser)


def test_who_is_signed_in_can_let_another_browser_in_by_a_link(local: LocalServer, browser: httpx2.Client) -> None:
    path = httpx2.post(f"{local.address}/api/auth/link", json={}, headers=BEARER).json()["path"]
    before, _, code = path.partition("#code=")

    # After `#`, so that no browser sends it and no log has it.
    assert before == "/"
    assert browser.post("/api/auth/exchange", json={"code": code}).status_code == 200


def test_a_remembered_answer_lets_nobody_else_in(local: LocalServer, browser: httpx2.Client) -> None:
    right = {"token": TOKEN, "request_id": "one"}
    assert httpx2.post(f"{local.address}/api/auth/login", json=right, headers=BEARER).status_code == 200
    assert browser.post("/api/auth/login", json=right).status_code == 200
    browser.cookies.clear()

    answer = browser.post("/api/auth/login", json={"token": "a guess", "request_id": "one"})

    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


# Ways that lead nowhere


def _cookies(name: str, secret: str) -> dict[str, list[tuple[str, str]]]:
    """Headers by what they are, for a browser whose cookie `name` is `secret`."""
    return {
        "no cookie": [],
        "a wrong cookie": [("Cookie", f"{name}=wrong")],
        "an empty cookie": [("Cookie", f"{name}=")],
        "our cookie twice in one header": [("Cookie", f"{name}={secret}; {name}={secret}")],
        "our cookie twice in two headers": [("Cookie", f"{name}={secret}"), ("Cookie", f"{name}={secret}")],
        "a stranger's beside ours": [("Cookie", f"{name}=wrong; {name}={secret}")],
        "the cookie of a server at another port": [("Cookie", f"fireside_1={secret}")],
        "the token as cookie": [("Cookie", f"{name}={TOKEN}")],
        "the cookie as token": [("Authorization", f"Bearer {secret}")],
        "a wrong token beside a good cookie": [("Authorization", "Bearer wrong"), ("Cookie", f"{name}={secret}")],
        "the token twice": [("Authorization", f"Bearer {TOKEN}")] * 2,
        "the token in a header of another name": [("X-Api-Key", TOKEN), ("X-Auth-Token", TOKEN)],
        "a name that a proxy would give": [("X-Forwarded-User", "admin"), ("Remote-User", "local")],
        "rubbish as cookie": [("Cookie", "=;;= ; \xff; a"), ("Cookie", "; " * 500)],
        "a hundred cookies": [("Cookie", "; ".join(f"c{n}={'x' * 70}" for n in range(100)))],
    }


# Bad input 43
def test_nothing_but_one_good_cookie_or_token_is_a_login(local: LocalServer, browser: httpx2.Client) -> None:
    _sign_in(browser, local)
    name, secret = local.house.rooms.cookie, browser.cookies[local.house.rooms.cookie]

    for what, headers in _cookies(name, secret).items():
        answer = _ask(local, "GET", "/api/sessions", headers)
        assert (answer.status, answer.error["code"]) == (401, "not_signed_in"), what
    assert _ask(local, "GET", "/api/sessions", [("Cookie", f"a=b; {name}={secret}; c")]).status == 200
    assert _ask(local, "GET", "/api/sessions", [("Authorization", f"bearer {TOKEN}")]).status == 200


@pytest.mark.parametrize("query", ["token", "access_token", "api_key", "key", "code"])
def test_a_token_in_an_address_is_no_login(query: str, local: LocalServer) -> None:
    assert _ask(local, "GET", f"/api/sessions?{query}={TOKEN}").status == 401


@pytest.mark.parametrize(("method", "path"), CLOSED_ROUTES)
def test_without_a_login_a_route_tells_nothing(method: str, path: str, local: LocalServer) -> None:
    answer = _ask(local, method, path, [("Origin", local.address), ("Content-Type", "application/json")], b"{}")

    assert (answer.status, answer.error["code"]) == (401, "not_signed_in")
    assert answer.headers["cache-control"] == "no-store"


# Bad input 41
@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/nowhere", "/api/../api/sessions", "/%61pi/sessions", "/api/%2e%2e/"]
)
def test_an_address_that_may_be_a_route_tells_nothing_either(path: str, local: LocalServer) -> None:
    assert _ask(local, "GET", path).status == 401


# Bad input 41
@pytest.mark.parametrize(
    "path", ["//api/sessions", "/API/sessions", "/./api/sessions", "/x/../api/sessions", "/%2561pi/sessions"]
)
def test_what_only_looks_like_a_route_is_nothing_even_with_a_login(path: str, local: LocalServer) -> None:
    answer = _ask(local, "GET", path, list(BEARER.items()))

    assert (answer.status, answer.error["code"]) == (404, "not_found")


def test_the_open_routes_are_these_and_no_more(local: LocalServer) -> None:
    assert {"/health", "/api/auth/exchange", "/api/auth/login", "/api/auth/status"} == OPEN_ROUTES
    assert set(httpx2.get(f"{local.address}/health").json()) == {
        "status", "version", "uptime_seconds", "sessions", "active_runs",
    }  # fmt: skip


# From elsewhere

ELSEWHERE = {
    "a page of another site": [("Origin", "https://evil.example")],
    "a page of another port of this machine": [("Origin", "http://127.0.0.1:3000")],
    "our page by another name": [("Origin", "http://localhost:{port}")],
    "a sandboxed frame": [("Origin", "null")],
    "two origins": [("Origin", "{address}"), ("Origin", "{address}")],
    "a browser that hides its origin": [("Sec-Fetch-Site", "cross-site")],
    "nobody": [],
    "a proxy that vouches for it": [("X-Forwarded-Host", "evil.example"), ("Origin", "http://evil.example")],
    "a foreign page with a token": [("Origin", "https://evil.example"), ("Authorization", f"Bearer {TOKEN}")],
    "a foreign page with a token and no origin": [
        ("Sec-Fetch-Site", "cross-site"), ("Authorization", f"Bearer {TOKEN}")
    ],
}  # fmt: skip


# Bad inputs 39, 40
@pytest.mark.parametrize("headers", ELSEWHERE.values(), ids=ELSEWHERE)
def test_no_change_is_made_for(headers: list[tuple[str, str]], local: LocalServer, browser: httpx2.Client) -> None:
    _sign_in(browser, local)
    cookie = f"{local.house.rooms.cookie}={browser.cookies[local.house.rooms.cookie]}"
    port = host_of(local.address).rpartition(":")[2]
    given = [(name, value.format(port=port, address=local.address)) for name, value in headers]

    for path in ("/api/session/new", "/api/auth/login", "/health", "/nowhere"):
        answer = _ask(local, "POST", path, [*given, ("Cookie", cookie), ("Content-Type", "application/json")], b"{}")
        assert (answer.status, answer.error["code"]) == (403, "wrong_origin"), path


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
def test_our_page_may_change_things_under_each_of_our_names(name: str, local: LocalServer) -> None:
    host = f"{name}:{host_of(local.address).rpartition(':')[2]}"
    headers = [("Origin", f"http://{host}"), ("Content-Type", "application/json")]

    answer = _ask(local, "POST", "/api/auth/login", headers, b'{"token": "%s"}' % TOKEN.encode(), host=host)

    assert answer.status == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("path", ["/api/sessions", "/api/events", "/api/auth/status", "/api/openapi.json"])
def test_a_foreign_page_reads_nothing_though_the_cookie_comes_along(
    path: str, site: str, local: LocalServer, browser: httpx2.Client
) -> None:
    _sign_in(browser, local)

    answer = browser.get(path, headers={"Sec-Fetch-Site": site})

    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_origin")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "{address}"])
def test_no_page_is_told_that_it_may_ask_across_origins(origin: str, local: LocalServer) -> None:
    headers = {"Origin": origin.format(address=local.address), "Access-Control-Request-Method": "POST"}

    answers = [
        httpx2.request(method, f"{local.address}/api/sessions", headers=headers) for method in ("OPTIONS", "GET")
    ]

    assert not [name for answer in answers for name in answer.headers if name.startswith("access-control-")]
    assert [answer.status_code for answer in answers] == [401, 401]


METHODS = ("TRACE", "PROPFIND", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


# Bad input 38
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", ["/api/sessions", "/api/events", "/api/session/new", "/health"])
def test_a_method_that_a_route_does_not_know_is_not_allowed(method: str, path: str, local: LocalServer) -> None:
    answer = httpx2.request(method, local.address + path, headers=BEARER | {"X-HTTP-Method-Override": "POST"})

    assert answer.status_code == 405
    assert answer.headers["allow"] in ("GET", "POST")


def test_every_answer_says_what_a_browser_may_do_with_it(local: LocalServer, browser: httpx2.Client) -> None:
    answers = {
        200: browser.get("/health"),
        401: browser.get("/api/sessions"),
        403: httpx2.post(f"{local.address}/api/session/new", json={}),
        404: browser.get("/nowhere"),
        405: browser.put("/api/auth/status"),
        415: browser.post("/api/auth/login", content=b"{}"),
        421: browser.get("/", headers={"Host": "evil.example"}),
    }

    for status, answer in answers.items():
        assert answer.status_code == status
        assert answer.headers["content-security-policy"] == CSP
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "server" not in answer.headers
    assert "unsafe" not in CSP


# Bad inputs 40, 55
def test_tries_to_sign_in_are_slowed_down_whoever_makes_them(tmp_path: Path, serve: Callable[..., LocalServer]) -> None:
    server = serve()
    object.__setattr__(server.house.rooms, "login_tries", Limit(burst=3, every_s=3600))
    with httpx2.Client(base_url=server.address, headers={"Origin": server.address}, trust_env=False) as browser:
        tries = [
            browser.post("/api/auth/login", json={"token": "a guess"}),
            browser.post("/api/auth/exchange", json={"code": "a guess"}),
            browser.post("/api/auth/login", json={"token": "x" * 1000}),
            browser.post("/api/auth/login", json={"token": "a guess"}),
            browser.post("/api/auth/login", json={"token": TOKEN}, headers={"X-Forwarded-For": "203.0.113.9"}),
        ]

    assert [answer.status_code for answer in tries] == [401, 401, 401, 429, 429]
    assert tries[4].json()["retry_after_s"] > 0


# Bad input 55
@pytest.mark.parametrize(
    "token",
    [
        "",
        " ",
        "a\x00",
        "' OR 1=1 --",
        "\ud83d",
        "а-token-for-tests-0123456789",
        TOKEN.upper(),
        TOKEN + "\x00",
        "x" * 1001,
    ],
)
def test_no_odd_token_signs_in_or_breaks_anything(token: str, browser: httpx2.Client) -> None:
    body = b'{"token": "%s"}' % token.encode("ascii", "backslashreplace").replace(b"\\x00", b"\\u0000").replace(
        b"\x00", b"\\u0000"
    )

    answer = browser.post("/api/auth/login", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code in (400, 401)
    assert "set-cookie" not in answer.headers


def _ask(
    local: LocalServer,
    method: str,
    path: str,
    headers: list[tuple[str, str]] | None = None,
    body: bytes = b"",
    host: str | None = None,
) -> Answer:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host or host_of(local.address)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers or []]
    lines += [f"Content-Length: {len(body)}"] if body else []
    return exchange(local.address, ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)[0]
