"""The page: a fixed set of files, the same for everyone, and nothing beside them."""

import gzip
from collections.abc import Iterator

import httpx2
import pytest

from api import app
from api.http.gate import CSP
from tests.http.conftest import LocalServer
from tests.http.wire import Answer, exchange, host_of

INDEX = b"<!doctype html><title>Fireside</title>" + b" " * 500
SCRIPT = b"export const one = 1;" + b" " * 500


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A browser without a login, before a server with a small page."""
    folder = tmp_path_factory.mktemp("page")
    static = folder / "static"
    (static / "assets").mkdir(parents=True)
    (folder / "secret.txt").write_text("secret")
    (static / "index.html").write_bytes(INDEX)
    (static / "assets/app-1a2b3c.js").write_bytes(SCRIPT)
    (static / "assets/app-1a2b3c.js.gz").write_bytes(gzip.compress(SCRIPT))
    (static / "manifest.webmanifest").write_text("{}")
    (static / "diagram").mkdir()
    (static / "diagram/frame.html").write_bytes(INDEX)
    (static / ".hidden").write_text("secret")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "PAGE", static)
        with LocalServer(folder / "state") as local, httpx2.Client(base_url=local.address, trust_env=False) as browser:
            yield browser


@pytest.mark.parametrize("path", ["/", "/settings", "/s/0123456789abcdef", "/index.html", "/?utm=1", "/s/a?b=c"])
def test_the_page_is_given_to_anyone_at_each_of_its_addresses(path: str, page: httpx2.Client) -> None:
    answer = page.get(path)

    assert (answer.status_code, answer.content) == (200, INDEX)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == CSP
    assert answer.headers["cache-control"] == "no-cache"
    assert "set-cookie" not in answer.headers


def test_a_file_with_its_digest_in_its_name_is_kept_for_ever(page: httpx2.Client) -> None:
    answer = page.get("/assets/app-1a2b3c.js")

    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert page.get("/manifest.webmanifest").headers["content-type"] == "application/manifest+json"


def test_the_frame_for_diagrams_has_no_origin_and_may_ask_nobody(page: httpx2.Client) -> None:
    answer = page.get("/diagram/frame.html")

    policy = answer.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "sandbox allow-scripts", "frame-ancestors 'self'"} <= set(policy)
    assert not [rule for rule in policy if rule.startswith("connect-src")]
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert page.get("/").headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("accepts", "encoding"),
    [
        ("gzip", "gzip"),
        ("br, gzip, deflate", "gzip"),
        ("identity", None),
        ("gzip;q=0", None),
        ("notgzip", None),
        ("", None),
    ],
)
def test_a_file_is_sent_compressed_to_who_takes_it_so(accepts: str, encoding: str | None, page: httpx2.Client) -> None:
    answer = page.get("/assets/app-1a2b3c.js", headers={"Accept-Encoding": accepts})

    assert answer.headers.get("content-encoding") == encoding
    assert int(answer.headers["content-length"]) < len(SCRIPT) or encoding is None
    assert answer.headers["vary"] == "accept-encoding"
    assert answer.content == SCRIPT


def test_what_a_browser_has_is_not_sent_again(page: httpx2.Client) -> None:
    etag = page.get("/").headers["etag"]

    for known in (etag, f'"other", {etag}', f"{etag},x"):
        answer = page.get("/", headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
        assert answer.headers["content-security-policy"] == CSP


# Bad input 46
@pytest.mark.parametrize("known", ['"other"', "garbage", "", '"', "W/", "\xff", '""', "x" * 8000])
def test_an_etag_that_is_not_ours_is_no_reason_to_hold_back(known: str, page: httpx2.Client) -> None:
    headers = {"If-None-Match": known.encode("latin-1"), "If-Match": b"garbage", "If-Modified-Since": b"yesterday"}

    assert page.get("/", headers=headers).status_code == 200


def test_a_head_is_what_the_file_would_come_with(page: httpx2.Client) -> None:
    answer = page.head("/")

    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) == len(INDEX)


ASTRAY = [
    *("/nowhere", "/s/", "/s/a/b", "/s", "/settings/", "/assets", "/assets/", "/assets/nowhere.js", "/favicon.png"),
    *("/../secret.txt", "/assets/../../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/..%5csecret.txt"),
    *("/assets/..%2f..%2fsecret.txt", "/..%c0%afsecret.txt", "/%252e%252e%252fsecret.txt", "//secret.txt"),
    *("/.hidden", "/assets/app-1a2b3c.js.gz", "/index.html%00.js", "/index.html;x=1", "/index.html%3Fx", "/INDEX.HTML"),
    *("/etc/passwd", "//etc/passwd", "/assets//app-1a2b3c.js", "/./index.html", "/index.html/", "/%s%s%s", "/\\\\x\\y"),
    "/" + "a" * 5000,
]


# Bad input 41
@pytest.mark.parametrize("path", ASTRAY)
def test_what_is_no_file_of_the_page_is_not_there(path: str, page: httpx2.Client) -> None:
    answer = _get(page, path)

    assert (answer.status, answer.error["code"]) == (404, "not_found")
    assert answer.headers["content-security-policy"] == CSP
    assert b"secret" not in answer.body


@pytest.mark.parametrize("path", ["/health", "/api/auth/status", "/api/sessions", "/api/nowhere"])
def test_what_the_api_says_is_kept_nowhere(path: str, page: httpx2.Client) -> None:
    answer = page.get(path)

    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"


def _get(page: httpx2.Client, path: str) -> Answer:
    """Ask for exactly this path: a client would tidy it up first."""
    address = str(page.base_url).rstrip("/")
    request = f"GET {path} HTTP/1.1\r\nHost: {host_of(address)}\r\nConnection: close\r\n\r\n"
    return exchange(address, request.encode())[0]
