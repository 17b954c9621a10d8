"""Pages of the internet: what is fetched, and what no address, name or redirect leads to."""

import asyncio
import datetime
import gzip
import ssl
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from api.domain.errors import AppError, BadRequest, Forbidden, TooLarge, Unavailable
from api.workspace.addresses import is_public
from api.workspace.fetch import Fetcher
from api.workspace.html_text import text_of

pytestmark = pytest.mark.anyio


class Site:
    """A server on this machine that answers with bytes by path, and remembers what it was sent."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.heads: list[str] = []
        self.port = 0
        self.names = {"pages.test": ["127.0.0.1"]}

    def page(self, body: bytes, *, kind: str = "text/plain", more: str = "", status: str = "200 OK") -> bytes:
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
        return head.encode() + body

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        writer.write(self.answers[head.split()[1]])
        try:
            await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()

    async def resolve(self, host: str, port: int) -> list[str]:
        if host not in self.names:
            raise OSError(0, "no such name")
        return self.names[host]

    def fetcher(
        self, mark: str, *, is_allowed: Callable[[str], bool] = lambda _: True, **more: ssl.SSLContext
    ) -> Fetcher:
        return Fetcher(mark=mark, resolver=self.resolve, is_allowed=is_allowed, ports={self.port, 80, 443}, **more)

    def url(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://pages.test:{self.port}{path}"


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    server = await asyncio.start_server(site.answer, "127.0.0.1", 0)
    site.port = server.sockets[0].getsockname()[1]
    async with server:
        yield site


async def test_a_page_is_fetched_as_text_with_what_it_is(site: Site, mark: str) -> None:
    html = (
        b"<html><head><title>T</title><script>evil()</script></head><body><h1>Hello</h1><p>a <a href='/b'>b</a></body>"
    )
    site.answers = {"/?q=1": site.page(html, kind="text/html; charset=utf-8")}

    page = await site.fetcher(mark).fetch(site.url("/?q=1#part"))

    assert (page.status, page.kind, page.size) == (200, "text/html; charset=utf-8", len(html))
    assert page.text == "T\n\n# Hello\n\na b (/b)"
    assert f"\r\nHost: pages.test:{site.port}\r\n" in site.heads[0]
    assert not [word for word in ("cookie", "authorization", "referer") if word in site.heads[0].lower()]


# S15
NEVER = [
    "http://169.254.169.254/latest/meta-data",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[::1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fd00::1]/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://2130706433/",
    "http://127.1/",
    "http://0/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://ok@127.0.0.1/",
    "http://127.0.0.1\\@ok.example/",
    "http://127.0.0.1 @ok.example/",
    "http://ok.example\t@127.0.0.1/",
    "http://１２７.０.０.１/",
    "http://10.0.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[ff02::1]/",
    "http://93.184.216.34:22/",
    "http://93.184.216.34:8787/",
    "file:///etc/passwd",
    "ftp://example.com/",
    "gopher://127.0.0.1/",
    "javascript:alert(1)",
    "//example.com/",
    "http://",
    "http:///x",
    "http://[::1",
    "",
    "http://example.com/" + "x" * 5000,
]


@pytest.mark.parametrize("url", NEVER, ids=lambda url: url[:40])
async def test_what_is_near_is_never_fetched(mark: str, url: str) -> None:
    with pytest.raises((Forbidden, BadRequest, Unavailable)) as refusal:
        await Fetcher(mark=mark).fetch(url)

    # Some systems know no such name; but none was connected to.
    assert refusal.value.message.endswith(".") and "cannot be fetched" not in refusal.value.message


# S15
@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("64:ff9b::5db8:d822", True),
        ("2002:5db8:d822::1", False),
        ("::ffff:93.184.216.34", True),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b:1::5db8:d822", False),
        ("2002:a00:1::1", False),
        ("2001:0:1234::1", False),
        ("::5db8:d822", False),
        ("fec0::1", False),
        ("fe80::1%eth0", False),
        ("::", False),
        ("0.0.0.0", False),
        ("192.0.2.1", False),
        ("198.18.0.1", False),
        ("240.0.0.1", False),
        ("no address", False),
    ],
)
async def test_an_address_is_public_only_if_what_is_hidden_in_it_is(address: str, public: bool) -> None:
    assert is_public(address) is public


# S15
@pytest.mark.parametrize("answers", [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::1", "93.184.216.34"], []])
async def test_a_name_with_any_answer_that_is_near_is_refused(site: Site, mark: str, answers: list[str]) -> None:
    site.names["ok.example"] = answers

    with pytest.raises(Forbidden, match=r"ok\.example"):
        await site.fetcher(mark, is_allowed=is_public).fetch("http://ok.example/")


# S15
async def test_a_name_is_looked_up_once_and_no_other_address_is_reached(site: Site, mark: str) -> None:
    site.answers = {"/": site.page(b"hello")}
    asked = []

    async def changing(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.9.9.9"]

    fetcher = Fetcher(mark=mark, resolver=changing, is_allowed=lambda _: True, ports={site.port})

    assert (await fetcher.fetch(site.url("/"))).text == "hello"
    assert asked == ["pages.test"]


async def test_when_one_address_does_not_answer_the_next_is_tried(site: Site, mark: str) -> None:
    site.answers = {"/": site.page(b"hello")}
    site.names["pages.test"] = ["127.0.0.2", "127.0.0.1"]

    assert (await site.fetcher(mark).fetch(site.url("/"))).text == "hello"


def moved(site: Site, to: str, status: str = "302 Found") -> bytes:
    return site.page(b"", status=status, more=f"Location: {to}\r\n")


async def test_redirects_are_followed_as_far_as_is_usual(site: Site, mark: str) -> None:
    site.answers = {"/a": moved(site, "b?x=1"), "/b?x=1": moved(site, site.url("/c"), "308 Permanent Redirect")}
    site.answers |= {"/c": site.page(b"here"), "/loop": moved(site, "/loop")}

    page = await site.fetcher(mark).fetch(site.url("/a"))

    assert (page.text, page.url) == ("here", site.url("/c"))
    with pytest.raises(Unavailable, match="more than 5 times"):
        await site.fetcher(mark).fetch(site.url("/loop"))


# S15
@pytest.mark.parametrize("to", ["http://near.test:PORT/secret", "file:///etc/passwd", "//near.test:PORT/secret"])
async def test_a_redirect_to_something_near_is_refused(site: Site, mark: str, to: str) -> None:
    site.names["near.test"] = ["10.0.0.1"]
    site.answers = {"/": moved(site, to.replace("PORT", str(site.port)))}

    with pytest.raises((Forbidden, BadRequest)):
        await site.fetcher(mark, is_allowed=lambda address: address == "127.0.0.1").fetch(site.url("/"))

    assert len(site.heads) == 1


# S15
async def test_no_proxy_of_the_environment_is_used(site: Site, mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    site.answers = {"/": site.page(b"hello")}

    assert (await site.fetcher(mark).fetch(site.url("/"))).text == "hello"


async def test_what_is_packed_is_unpacked_within_bounds(site: Site, mark: str) -> None:
    packed = "Content-Encoding: gzip\r\n"
    site.answers = {
        "/good": site.page(gzip.compress(b"hello"), more=packed),
        "/bomb": site.page(gzip.compress(bytes(300_000_000), 9), more=packed),
        "/bad": site.page(b"no gzip", more=packed),
        "/other": site.page(b"x", more="Content-Encoding: br\r\n"),
        "/big": site.page(b"x" * 6_000_000),
    }
    fetcher = site.fetcher(mark)

    assert (await fetcher.fetch(site.url("/good"))).text == "hello"
    for path, reason in [("/bomb", TooLarge), ("/big", TooLarge), ("/bad", Unavailable), ("/other", Unavailable)]:
        with pytest.raises(reason):
            await fetcher.fetch(site.url(path))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "cannot be fetched"),
        (b"nonsense\r\n\r\n", "cannot be fetched"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "cannot be fetched"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nshort", "cannot be fetched"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000, "cannot be fetched"),
    ],
    ids=["nothing", "nonsense", "cut", "negative", "endless head"],
)
async def test_a_server_that_makes_no_sense_is_told(site: Site, mark: str, answer: bytes, reason: str) -> None:
    site.answers = {"/": answer}

    with pytest.raises(AppError, match=reason):
        await site.fetcher(mark).fetch(site.url("/"))


async def test_a_name_that_is_not_there_and_a_port_where_nobody_is_are_told(site: Site, mark: str) -> None:
    with pytest.raises(Unavailable, match=r"There is no gone\.test"):
        await site.fetcher(mark).fetch("http://gone.test/")
    with pytest.raises(Unavailable, match="cannot be fetched"):
        await site.fetcher(mark).fetch("http://pages.test:80/")


async def test_what_is_no_text_is_said_and_not_given(site: Site, mark: str) -> None:
    site.answers = {
        "/": site.page(b"\x89PNG\0", kind="image/png"),
        "/l": site.page(b"caf\xe9", kind="text/plain;charset=latin1"),
    }

    picture = await site.fetcher(mark).fetch(site.url("/"))

    assert (picture.kind, picture.text, picture.size) == ("image/png", "", 5)
    assert (await site.fetcher(mark).fetch(site.url("/l"))).text == "café"


# S25
async def test_a_page_made_to_take_for_ever_does_not(site: Site, mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.workspace.fetch._TO_TEXT_S", 1.0)
    site.answers = {"/": site.page(b"<!" * 500_000 + b"<a " * 500_000, kind="text/html")}

    began = time.monotonic()
    try:
        await site.fetcher(mark).fetch(site.url("/"))
    except Unavailable as error:
        assert "reasonable time" in error.message

    assert time.monotonic() - began < 5


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for `name`, signed by itself, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(
        subject, subject, key.public_key(), x509.random_serial_number(), now - day, now + day
    )
    signed = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False).sign(
        key, hashes.SHA256()
    )
    (folder / "cert.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8
    plain = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, private, plain))
    return folder / "cert.pem", folder / "key.pem"


@pytest.mark.parametrize("name", ["pages.test", "other.test"])
async def test_a_certificate_has_to_be_for_the_name_though_an_address_is_connected_to(
    tmp_path: Path, mark: str, name: str
) -> None:
    cert, key = certificate(tmp_path, name)
    site = Site()
    site.answers = {"/": site.page(b"safe")}
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(cert, key)
    server = await asyncio.start_server(site.answer, "127.0.0.1", 0, ssl=serving)
    site.port = server.sockets[0].getsockname()[1]
    fetcher = site.fetcher(mark, tls=ssl.create_default_context(cafile=str(cert)))

    async with server:
        if name == "pages.test":
            assert (await fetcher.fetch(site.url("/", "https"))).text == "safe"
        else:
            with pytest.raises(Unavailable, match="cannot be fetched"):
                await fetcher.fetch(site.url("/", "https"))


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<ul><li>a<li>b</ul>", "- a\n- b"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<p>a\n   b&amp;c<br>d", "a b&c\nd"),
        ("<style>x</style><svg><text>y</text></svg>seen<noscript>n</noscript>", "seen"),
        ("<table><tr><td>1<td>2</table>", "| 1 | 2"),
        ("<a href='javascript:x'>a</a><img alt=A src=x>", "a[image: A]"),
        ("<script>never ends", ""),
        ("no page at all", "no page at all"),
    ],
)
async def test_a_page_becomes_text_to_read(page: str, text: str) -> None:
    assert text_of(page) == text
