"""Fetching a page of the internet, and of nothing nearer: no model may reach this machine or its house by it.

An address is parsed once, its name resolved once, every answer checked, and one of those very addresses connected to.
`httpx2` is imported when the first page is fetched.
"""

import asyncio
import contextlib
import functools
import re
import socket
import sys
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from api.domain.errors import BadRequest, Forbidden, TooLarge, Unavailable
from api.workspace.addresses import is_public
from api.workspace.processes import Limits, start

if TYPE_CHECKING:
    import ssl

    from httpcore2 import AsyncConnectionPool, Response
    from httpx2 import URL

Resolver = Callable[[str, int], Awaitable[list[str]]]

PORTS = frozenset({80, 443, 8080, 8443})
_MOST_REDIRECTS = 5
_MOST_BYTES = 5_000_000
_MOST_TRIED = 3
_WITHIN_S = 30.0
_CONNECT_S = 10.0
_LONGEST_URL = 4000
_TO_TEXT = Path(__file__).with_name("html_text.py")
_TO_TEXT_S = 10.0
_TEXTS = re.compile(r"text/|application/(?:[\w.+-]+\+)?(?:json|xml|yaml|toml|javascript|x-sh|sql)\b|image/svg")
_HEADERS = [
    (b"User-Agent", b"Fireside"),
    (b"Accept", b"text/html, text/markdown, text/plain, application/json;q=0.9, */*;q=0.5"),
    (b"Accept-Encoding", b"gzip, identity"),
]


class Page(msgspec.Struct, frozen=True):
    """What was at an address. `url` is where it came from in the end, `kind` its type as the server says.

    `text` is empty for what is no text; `size` in bytes, unpacked.
    """

    url: str
    status: int
    kind: str
    text: str
    size: int


async def resolve(host: str, port: int) -> list[str]:
    """All addresses that the system has for a name."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class Fetcher:
    """Fetches pages. What is given beside `mark` (see `processes`) is for tests: nothing that can be set reaches it."""

    def __init__(
        self,
        *,
        mark: str,
        resolver: Resolver = resolve,
        is_allowed: Callable[[str], bool] = is_public,
        ports: Collection[int] = PORTS,
        tls: "ssl.SSLContext | None" = None,
    ) -> None:
        self._mark = mark
        self._resolver = resolver
        self._is_allowed = is_allowed
        self._ports = ports
        self._tls = tls

    async def fetch(self, url: str) -> Page:
        """The page at `url`, redirects followed and each checked anew.

        Raises:
            BadRequest: it is no address that can be fetched.
            Forbidden: it leads to this machine, or to a network that is not the internet.
            TooLarge, Unavailable: the server sends too much; it is not there, too slow, or makes no sense.
        """
        if self._tls is None:
            self._tls = await asyncio.to_thread(_usual_tls)
        import httpcore2
        import httpx2

        try:
            async with asyncio.timeout(_WITHIN_S):
                return await self._follow(_parsed(url))
        except TimeoutError:
            raise Unavailable(f"{url} did not answer in full within {_WITHIN_S:.0f} seconds.") from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException, OSError) as error:
            raise Unavailable(f"{url} cannot be fetched: {str(error) or type(error).__name__}.") from error
        except (httpx2.InvalidURL, httpcore2.UnsupportedProtocol, UnicodeError) as error:
            raise BadRequest(f"{url!r} is no address of a page: {error}.") from error

    async def _follow(self, url: "URL") -> Page:
        for _ in range(_MOST_REDIRECTS + 1):
            async with self._asked(url) as response:
                headers = {name.lower().decode("latin-1"): value.decode("latin-1") for name, value in response.headers}
                if response.status not in (301, 302, 303, 307, 308) or "location" not in headers:
                    return await self._page(url, response, headers)
            url = _parsed(headers["location"], url)
        raise Unavailable(f"{url} leads from one address to another, more than {_MOST_REDIRECTS} times.")

    @contextlib.asynccontextmanager
    async def _asked(self, url: "URL") -> "AsyncIterator[Response]":
        import httpcore2

        port = url.port or (443 if url.scheme == "https" else 80)
        if port not in self._ports:
            raise Forbidden(f"Pages are fetched from the ports {', '.join(map(str, sorted(self._ports)))} alone.")
        addresses = await self._addresses(url.raw_host.decode("ascii"), port)
        async with httpcore2.AsyncConnectionPool(ssl_context=self._tls) as pool:
            response = await self._first_answer(pool, url, port, addresses)
            try:
                yield response
            finally:
                with contextlib.suppress(httpcore2.NetworkError, httpcore2.ProtocolError):
                    await response.aclose()

    async def _addresses(self, host: str, port: int) -> list[str]:
        try:
            addresses = await self._resolver(host, port)
        except OSError as error:
            raise Unavailable(f"There is no {host}: {error.strerror or 'the name was not found'}.") from error
        if not addresses or not all(map(self._is_allowed, addresses)):
            raise Forbidden(f"{host} is on this machine or in a network of its own, where no pages are fetched from.")
        return addresses

    async def _first_answer(
        self, pool: "AsyncConnectionPool", url: "URL", port: int, addresses: list[str]
    ) -> "Response":
        import httpcore2

        extensions: dict[str, Any] = {
            "timeout": {"connect": _CONNECT_S, "read": _WITHIN_S, "write": _WITHIN_S, "pool": _WITHIN_S},
            # The certificate has to be for the name, though what is connected to is its address.
            "sni_hostname": url.raw_host.decode("ascii"),
        }
        headers = [(b"Host", url.netloc), *_HEADERS]
        tried = addresses[:_MOST_TRIED]
        for address in tried:
            target = httpcore2.URL(scheme=url.raw_scheme, host=address.encode(), port=port, target=url.raw_path)
            request = httpcore2.Request("GET", target, headers=headers, extensions=extensions)
            try:
                return await pool.handle_async_request(request)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if address == tried[-1]:
                    raise
        raise AssertionError("there is always one to try")

    async def _page(self, url: "URL", response: "Response", headers: dict[str, str]) -> Page:
        kind = headers.get("content-type", "").strip()
        data = await _body(response, headers.get("content-encoding", "").strip().lower())
        text = ""
        if _TEXTS.match(kind) or (not kind and b"\0" not in data):
            text = _decoded(data, kind)
            if "html" in kind:
                text = await self._readable(text)
        return Page(str(url), response.status, kind, text, len(data))

    async def _readable(self, page: str) -> str:
        process = await start(
            [sys.executable, "-I", "-S", str(_TO_TEXT)],
            cwd=Path("/"),
            env={},
            mark=self._mark,
            wants_stdin=True,
            limits=Limits(memory_bytes=1 << 30, processes=2),
        )
        assert process.stdin is not None
        try:
            async with asyncio.timeout(_TO_TEXT_S):
                reading = asyncio.ensure_future(process.stdout.read())
                process.stdin.write(page.encode(errors="replace"))
                process.stdin.close()
                return (await reading).decode(errors="replace")
        except TimeoutError:
            raise Unavailable("The page is made so that it cannot be read as text in reasonable time.") from None
        finally:
            await process.end(grace_s=0)


@functools.cache
def _usual_tls() -> "ssl.SSLContext":
    """Made once, and off the event loop: it reads all certificates, after loading the library."""
    import httpx2

    return httpx2.create_ssl_context(trust_env=False)


def _parsed(text: str, base: "URL | None" = None) -> "URL":
    """The one parsing that everything else goes by."""
    import httpx2

    if len(text) > _LONGEST_URL:
        raise BadRequest(f"An address of {len(text):,} characters is too long.")
    # What one reader takes for the end of a host, another does not.
    if any(letter.isspace() or not letter.isprintable() for letter in text) or "\\" in text:
        raise BadRequest(f"{text!r} is no address of a page: it holds white space, a control character or a backslash.")
    url = httpx2.URL(text) if base is None else base.join(text)
    if url.scheme not in ("http", "https") or not url.raw_host:
        raise BadRequest(f"{text!r} is no address of a page: it has to begin with http:// or https:// and name a host.")
    if url.userinfo:
        raise BadRequest(f"{text!r} holds a user name or password, which are not sent.")
    return url.copy_with(fragment=None)


async def _body(response: "Response", coding: str) -> bytes:
    """All that was sent, unpacked, bounded either way."""
    if coding not in ("", "identity", "gzip", "x-gzip"):
        raise Unavailable(f"The server packed the page as {coding!r}, which was not asked for.")
    unpacking = zlib.decompressobj(31) if coding.endswith("gzip") else None
    received, body = 0, bytearray()
    async for chunk in response.aiter_stream():
        received += len(chunk)
        try:
            body += chunk if unpacking is None else unpacking.decompress(chunk, _MOST_BYTES + 1 - len(body))
        except zlib.error as error:
            raise Unavailable("The server sent a page that cannot be unpacked.") from error
        if max(received, len(body)) > _MOST_BYTES:
            raise TooLarge(f"The page is larger than {_MOST_BYTES:,} bytes, so it was not read.")
    return bytes(body)


def _decoded(data: bytes, kind: str) -> str:
    named = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", kind) or re.search(
        r"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w.:-]+)", data[:2048].decode("latin-1"), re.IGNORECASE
    )
    try:
        return data.decode(named[1] if named else "utf-8", errors="replace")
    except LookupError:
        return data.decode(errors="replace")
