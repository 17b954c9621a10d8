"""An MCP server at work and what is said to it: greeted, listed, called, ended. Imports the SDK."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import mcp_types as types
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher
from pydantic import ValidationError

from api import __version__
from api.agents.limits import Limits as HttpLimits
from api.agents.mcp import failures, pipes
from api.agents.mcp.limits import Limits
from api.agents.mcp.listing import MOST_TOOLS, is_usable, listed
from api.agents.mcp.results import content_of
from api.agents.mcp.server import Listed, Server
from api.agents.murmur import clean
from api.agents.transport import new_client
from api.tools.base import Result
from api.workspace.processes import CannotStart

log = logging.getLogger(__name__)

_MOST_PAGES = 50
_LARGEST_EVENT = 16 << 20
_BREAKING = frozenset((types.CONNECTION_CLOSED, types.INTERNAL_ERROR, types.INVALID_REQUEST, types.PARSE_ERROR))
"""After these an address is connected to anew: the SDK reports by them what happened below the protocol."""


class ServerConnection:
    """Made by `connect`. `version` is what the server says it is, `tools` what it has."""

    def __init__(
        self, server: Server, streams: "pipes.Pipes | AbstractAsyncContextManager[Any]", limits: Limits
    ) -> None:
        self.server = server
        self.version = ""
        self.tools: list[Listed] = []
        self._streams = streams
        self._limits = limits
        self._session: ClientSession | None = None
        self._error: BaseException | None = None
        self._is_ready = asyncio.Event()
        self._is_closing = asyncio.Event()
        self._is_broken = False
        # The SDK wants to be left by the task that entered it.
        self._living = asyncio.create_task(self._live(), name=f"mcp.{server.name}")

    @property
    def is_closed(self) -> bool:
        has_ended = isinstance(self._streams, pipes.Pipes) and self._streams.has_ended
        return has_ended or self._is_broken or self._is_closing.is_set() or self._living.done()

    @property
    def pid(self) -> int | None:
        return self._streams.pid if isinstance(self._streams, pipes.Pipes) else None

    async def greet(self) -> None:
        """Agree on a version of the protocol, and ask for the tools.

        Raises:
            ServerFailed: it ended, said nothing in time, or speaks something else.
        """
        try:
            async with asyncio.timeout(self._limits.start_s):
                await self._is_ready.wait()
        except TimeoutError as error:
            raise self._not_there(f"It did not answer within {self._limits.start_s:.0f} seconds.") from error
        if self._session is None:
            raise self._not_there(await self._why()) from self._error

    async def list_again(self) -> None:
        """Ask for the tools once more. Raises `ServerFailed`."""
        try:
            async with asyncio.timeout(self._limits.start_s):
                self.tools = await _tools_of(self._working(), self.server.name)
        except TimeoutError as error:
            self._is_broken = True
            raise failures.silent(self.server.name, self._limits.start_s) from error
        except (MCPError, ValidationError, RuntimeError) as error:
            raise await self._failure(error) from error

    async def call(self, name: str, arguments: dict[str, Any], tell: Callable[[str], None]) -> Result:
        """What the tool came to; `tell` is told how far it is. Raises `ServerFailed`."""

        async def on_progress(progress: float, total: float | None, message: str | None) -> None:
            words = clean(message or "", self.server.secrets) or (f"{progress:g} of {total:g}" if total else "")
            if words:
                tell(f"{words}\n")

        params = types.CallToolRequestParams(name=name, arguments=arguments)
        try:
            async with asyncio.timeout(self._limits.call_s):
                # Not `call_tool`, which would hold the answer against a schema of the server's own making.
                answer = await self._working().send_request(
                    types.CallToolRequest(params=params), types.CallToolResult, progress_callback=on_progress
                )
        except TimeoutError as error:
            self._is_broken = True
            raise failures.silent(self.server.name, self._limits.call_s) from error
        except (MCPError, ValidationError, RuntimeError) as error:
            raise await self._failure(error) from error
        most = self._limits.result_characters
        text, pictures = await asyncio.to_thread(content_of, answer, name, self.server.secrets, most)
        return Result(text, is_error=answer.is_error, pictures=pictures)

    async def close(self) -> None:
        """End it, and with it all that the program started."""
        self._is_closing.set()
        if self._is_ready.is_set() and self.server.kind == "http":
            # It is told; whether it takes notice is its own affair.
            await asyncio.wait([self._living], timeout=self._limits.end_s)
        if not self._is_ready.is_set() or self.server.kind == "http":
            self._living.cancel()
        await asyncio.wait([self._living])

    def _working(self) -> ClientSession:
        if self._session is None:
            raise MCPError(types.CONNECTION_CLOSED, "Connection closed")
        return self._session

    async def _live(self) -> None:
        try:
            async with self._streams as (received, sent):
                # Ended by whoever ends the streams, and asks why they ended.
                dispatcher = _Lenient(received, sent)
                told = types.Implementation(name="fireside", title="Fireside", version=__version__)
                async with ClientSession(dispatcher=dispatcher, client_info=told) as session:
                    await self._open(session)
                    self._session = session
                    self._is_ready.set()
                    await self._is_closing.wait()
        except Exception as error:  # of a library, in groups; whoever waits is told in a sentence
            self._error = error
            log.info("mcp.broken", extra={"server": self.server.name, "error": type(error).__name__})
        finally:
            self._is_broken = True
            self._is_ready.set()
            log.info("mcp.ended", extra={"server": self.server.name})

    async def _open(self, session: ClientSession) -> None:
        try:
            await session.discover()
        except (MCPError, ValidationError, RuntimeError):
            await _initialize(session)
        told = session.server_info
        self.version = clean(f"{told.title or told.name} {told.version}") if told else ""
        self.tools = await _tools_of(session, self.server.name)

    async def _failure(self, error: Exception) -> failures.ServerFailed:
        """What to say of what the SDK raised."""
        name = self.server.name
        if not isinstance(error, MCPError):
            return failures.nonsense(name)
        if self._is_closing.is_set():
            return failures.gone(name)
        if self.is_closed or error.code == types.CONNECTION_CLOSED:
            self._is_broken = True
            return failures.stopped(name, await self._last_words())
        if self.server.kind == "http" and error.code in _BREAKING:
            self._is_broken = True
        return failures.refused(name, clean(error.message, self.server.secrets))

    async def _why(self) -> str:
        """Why there is no session, as far as that is known."""
        error = _innermost(self._error)
        if isinstance(error, MCPError) and error.code != types.CONNECTION_CLOSED:
            return f"It answered: {clean(error.message, self.server.secrets)}"
        if isinstance(error, ValidationError | RuntimeError):
            return "It does not speak MCP."
        if self.server.kind == "http":
            return "Nobody answers at its address as an MCP server does."
        return await self._last_words() or "It ended without a word."

    async def _last_words(self) -> str:
        return await self._streams.last_words() if isinstance(self._streams, pipes.Pipes) else ""

    def _not_there(self, why: str) -> failures.ServerFailed:
        about = failures.not_reached if self.server.kind == "http" else failures.not_started
        return about(self.server.name, why)


class _Lenient(JSONRPCDispatcher[Any]):
    """One tool that is none does not make all the others unusable."""

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: Any = None, **others: Any
    ) -> dict[str, Any]:
        answer = await super().send_raw_request(method, params, opts, **others)
        if method == "tools/list" and isinstance(answer.get("tools"), list):
            answer = {**answer, "tools": [tool for tool in answer["tools"] if is_usable(tool)]}
        return answer


async def connect(server: Server, *, folder: Path, env: dict[str, str], mark: str, limits: Limits) -> ServerConnection:
    """Start `server`, or reach it, and greet it.

    Raises:
        ServerFailed: that was not possible.
    """
    if server.kind == "http":
        connection = ServerConnection(server, _reached(server, limits), limits)
    else:
        try:
            streams = await pipes.start(server, folder=folder, env=env, mark=mark, limits=limits)
        except CannotStart as error:
            raise failures.not_started(server.name, error.message) from error
        connection = ServerConnection(server, streams, limits)
    try:
        await connection.greet()
    except BaseException:
        await asyncio.shield(asyncio.create_task(connection.close()))
        raise
    log.info("mcp.started", extra={"server": server.name, "kind": server.kind, "tools": len(connection.tools)})
    return connection


@asynccontextmanager
async def _reached(server: Server, limits: Limits) -> AsyncIterator[Any]:
    """The streams of a server at an address. The SDK stays with one host, whoever redirects it."""
    bounds = HttpLimits(silence_s=limits.call_s, line_bytes=_LARGEST_EVENT)
    async with (
        new_client(bounds, headers=dict(server.headers)) as client,
        streamable_http_client(server.url, http_client=client, max_sse_event_size=_LARGEST_EVENT) as streams,
    ):
        yield streams


async def _initialize(session: ClientSession) -> None:
    """The greeting of older servers."""
    try:
        await session.initialize()
    except MCPError as error:
        if error.code != types.UNSUPPORTED_PROTOCOL_VERSION:
            raise
        # It was slow to answer the first greeting, and holds to it.
        await session.discover()


async def _tools_of(session: ClientSession, name: str) -> list[Listed]:
    """All pages of them."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = await session.list_tools(params=types.PaginatedRequestParams(cursor=cursor) if cursor else None)
        found += [tool.model_dump(by_alias=True, mode="json", exclude_none=True) for tool in page.tools]
        cursor = page.next_cursor
        if not cursor or len(found) >= MOST_TOOLS:
            break
    return await asyncio.to_thread(listed, name, found)


def _innermost(error: BaseException | None) -> BaseException | None:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
