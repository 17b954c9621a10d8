"""A running agent program and what is said to it: started, greeted, asked, listened to, ended. Imports the SDK."""

import asyncio
import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from acp import schema
from acp.connection import Connection
from acp.exceptions import RequestError
from acp.meta import AGENT_METHODS, CLIENT_METHODS, PROTOCOL_VERSION
from pydantic import BaseModel, ValidationError

from api import __version__
from api.agents.acp import failures
from api.agents.acp.failures import AgentFailed
from api.agents.acp.limits import Limits
from api.agents.acp.offering import Offering
from api.agents.acp.program import Program
from api.agents.acp.surroundings import Surroundings
from api.agents.lines import MOST_BYTES, Lines
from api.agents.murmur import Murmur, clean
from api.domain.errors import AppError
from api.workspace import processes
from api.workspace.folder import Folder

log = logging.getLogger(__name__)

_NEEDS_LOGIN = -32000


class Listener(Protocol):
    """Whoever follows a session of the agent during a turn: told what it reports, asked what it wants to know."""

    def hear(self, update: Any) -> None: ...

    async def has_room(self) -> None: ...

    async def answer(self, request: BaseModel) -> dict[str, Any] | None: ...

    def decline_form(self, asked: str) -> None: ...


_REQUESTS: dict[str, type[BaseModel]] = {
    CLIENT_METHODS["session_request_permission"]: schema.RequestPermissionRequest,
    CLIENT_METHODS["fs_read_text_file"]: schema.ReadTextFileRequest,
    CLIENT_METHODS["fs_write_text_file"]: schema.WriteTextFileRequest,
    CLIENT_METHODS["terminal_create"]: schema.CreateTerminalRequest,
    CLIENT_METHODS["terminal_output"]: schema.TerminalOutputRequest,
    CLIENT_METHODS["terminal_wait_for_exit"]: schema.WaitForTerminalExitRequest,
    CLIENT_METHODS["terminal_kill"]: schema.KillTerminalRequest,
    CLIENT_METHODS["terminal_release"]: schema.ReleaseTerminalRequest,
}


class AgentConnection:
    """Made by `connect`. `listeners` are by the agent's own session ids; one that `is_closed` can be asked no more.

    `on_commands` is told the slash commands that it says it has, which is mostly before anybody listens to its session.
    """

    def __init__(
        self,
        program: Program,
        process: processes.Process,
        limits: Limits,
        on_commands: Callable[[list[schema.AvailableCommand]], None],
    ) -> None:
        assert process.stdin is not None
        self.program = program
        self.listeners: dict[str, Listener] = {}
        self.info = schema.InitializeResponse(protocol_version=PROTOCOL_VERSION)
        self._process = process
        self._limits = limits
        self._on_commands = on_commands
        self._murmur = Murmur(program.secrets)
        self._listening = asyncio.create_task(self._listen(process.stderr), name=f"acp.{program.name}.stderr")
        self._lines = Lines(process.stdout, process.stdin, self._room)
        self._peer = Connection(self._handle, self._lines)
        self._is_broken = False
        self._closing: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_closed(self) -> bool:
        has_ended = self._process.returncode is not None or self._lines.has_ended
        return has_ended or self._is_broken or self._closing is not None

    @property
    def capabilities(self) -> schema.AgentCapabilities:
        return self.info.agent_capabilities or schema.AgentCapabilities()

    @property
    def version(self) -> str:
        """What the program says it is, in a few words."""
        told = self.info.agent_info
        return clean(f"{told.title or told.name} {told.version}") if told else ""

    async def greet(self, *, is_workspace: bool) -> None:
        """Exchange what both sides can do. `is_workspace`: files and commands may be asked of us.

        Raises:
            AgentFailed: it ended, said nothing in time, or speaks another protocol.
        """
        has_files = is_workspace and not self.program.has_own_files
        request = schema.InitializeRequest(
            protocol_version=PROTOCOL_VERSION,
            client_capabilities=schema.ClientCapabilities(
                fs=schema.FileSystemCapabilities(read_text_file=has_files, write_text_file=has_files),
                terminal=is_workspace,
            ),
            client_info=schema.Implementation(name="fireside", title="Fireside", version=__version__),
        )
        answer = await self.ask("initialize", request, within_s=self._limits.start_s, starting=True)
        try:
            self.info = schema.InitializeResponse.model_validate(answer)
        except ValidationError as error:
            raise AgentFailed(failures.not_started(self.program, "It does not speak ACP.")) from error
        if self.info.protocol_version != PROTOCOL_VERSION:
            why = f"It speaks version {self.info.protocol_version} of ACP, and Fireside version {PROTOCOL_VERSION}."
            raise AgentFailed(failures.not_started(self.program, why))

    async def ask(
        self, method: str, request: BaseModel, *, within_s: float | None = None, starting: bool = False
    ) -> dict[str, Any]:
        """The answer to a request, an object. `method` by its name in the SDK's table.

        Raises:
            AgentFailed: it refused, ended, or said nothing for `within_s`.
        """
        params = request.model_dump(mode="json", by_alias=True, exclude_none=True)
        try:
            async with asyncio.timeout(within_s):
                answer = await self._peer.send_request(AGENT_METHODS[method], params)
        except TimeoutError as error:
            why = f"It said nothing for {within_s:.0f} seconds."
            raise AgentFailed(failures.not_started(self.program, why)) from error
        except RequestError as error:
            raise AgentFailed(self._refusal(error)) from error
        except (ConnectionError, OSError, RuntimeError) as error:
            raise AgentFailed(await self._ended(starting=starting)) from error
        return answer if isinstance(answer, dict) else {}

    async def tell(self, method: str, request: BaseModel) -> None:
        """Send what needs no answer. One that is gone is not told."""
        try:
            params = request.model_dump(mode="json", by_alias=True, exclude_none=True)
            await self._peer.send_notification(AGENT_METHODS[method], params)
        except (ConnectionError, OSError, RuntimeError) as error:
            log.info("acp.not_told", extra={"agent": self.program.name, "why": type(error).__name__})

    async def close(self) -> None:
        """End the program and all that it started."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(), name=f"acp.{self.program.name}.close")
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        await self._peer.close()
        await self._process.end(self._limits.end_s)
        self._listening.cancel()
        await asyncio.wait([self._listening])
        extra = {"agent": self.program.name, "pid": self.pid, "returncode": self._process.returncode}
        log.info("acp.ended", extra=extra)

    async def _listen(self, stderr: asyncio.StreamReader) -> None:
        while block := await stderr.read(4096):
            self._murmur.add(block)

    async def _room(self) -> None:
        for listener in list(self.listeners.values()):
            await listener.has_room()

    async def _ended(self, *, starting: bool) -> failures.Failure:
        """Why nothing more can be asked of it."""
        self._is_broken = True
        if self._lines.was_too_long:
            return failures.too_much(self.program, f"it sent a message of more than {MOST_BYTES >> 20} MB")
        # What it wrote last may still be on its way.
        await asyncio.wait([self._listening], timeout=0.2)
        words = self._murmur.last_line()
        said = f"Its last words: {words}" if words else ""
        return failures.not_started(self.program, said) if starting else failures.stopped(self.program, said)

    def _refusal(self, error: RequestError) -> failures.Failure:
        if error.code == _NEEDS_LOGIN:
            return failures.needs_login(self.program)
        details = error.data.get("details") if isinstance(error.data, dict) else error.data
        words = details if isinstance(details, str) and details else str(error)
        return failures.refused(self.program, clean(words, self.program.secrets))

    async def _handle(self, method: str, params: Any, is_notification: bool) -> dict[str, Any] | None:
        """For the SDK: what the agent tells or asks. Told updates are taken in before anything is awaited."""
        if is_notification:
            if method == CLIENT_METHODS["session_update"]:
                self._hear(params)
            return None
        if method == CLIENT_METHODS["elicitation_create"]:
            return self._decline(params if isinstance(params, dict) else {})
        model = _REQUESTS.get(method)
        if model is None:
            raise RequestError.method_not_found(str(method))
        try:
            request = model.model_validate(params)
        except ValidationError as error:
            raise RequestError.invalid_params({"details": f"{error.error_count()} fields are wrong"}) from error
        listener = self.listeners.get(getattr(request, "session_id", ""))
        if listener is None:
            raise RequestError.invalid_params({"details": "No turn is in progress in this session."})
        return await listener.answer(request)

    def _decline(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A form is not what we said that we can show; one that asks all the same goes on without."""
        listener, message = self.listeners.get(str(asked.get("sessionId"))), asked.get("message")
        if listener is not None:
            listener.decline_form(message if isinstance(message, str) else "")
        return {"action": "decline"}

    def _hear(self, params: Any) -> None:
        told = params if isinstance(params, dict) else {}
        listener = self.listeners.get(told.get("sessionId", ""))
        if listener is None and not _tells_commands(told):
            return  # A session that is being loaded tells its history again, and nobody asked.
        try:
            update = schema.SessionNotification.model_validate(told).update
        except ValidationError as error:
            log.info("acp.update_dropped", extra={"agent": self.program.name, "errors": error.error_count()})
            return
        if isinstance(update, schema.AvailableCommandsUpdate):
            self._on_commands(update.available_commands)
        elif listener is not None:
            listener.hear(update)


def _tells_commands(told: dict[str, Any]) -> bool:
    update = told.get("update")
    return isinstance(update, dict) and update.get("sessionUpdate") == "available_commands_update"


async def connect(program: Program, folder: Path, around: Surroundings, offering: Offering) -> AgentConnection:
    """Start `program` in `folder` and greet it. What commands it says it has goes to `offering`.

    Raises:
        AgentFailed: it cannot be started, or does not answer as an agent does.
    """
    try:
        env = {**around.env, **dict(program.env)}
        process = await processes.start(program.argv, cwd=folder, env=env, mark=around.mark, wants_stdin=True)
    except processes.CannotStart as error:
        raise AgentFailed(failures.not_started(program, error.message)) from error
    note = functools.partial(offering.note, program, folder)
    connection = AgentConnection(program, process, around.limits, note)
    try:
        await connection.greet(is_workspace=await asyncio.to_thread(_is_workspace, folder, around))
    except BaseException:
        await asyncio.shield(connection.close())
        raise
    log.info("acp.started", extra={"agent": program.name, "pid": connection.pid})
    return connection


def _is_workspace(folder: Path, around: Surroundings) -> bool:
    """Can we read, write and run there for an agent? In others it does what it does by itself."""
    try:
        Folder(folder, around.refused).close()
    except AppError:
        return False
    return True
