"""Which session of the agent program takes a turn: the one it had, one that it takes up again, or a new one."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import msgspec
from acp import schema
from pydantic import ValidationError

from api.agents.acp import failures
from api.agents.acp.connection import AgentConnection
from api.agents.acp.failures import AgentFailed
from api.agents.acp.handing import as_parameters, unreachable
from api.agents.acp.limits import Limits
from api.agents.acp.sessions import Held, Memory, is_own_turn, missed
from api.agents.acp.updates import Updates
from api.agents.base import Turn
from api.domain import events as ev
from api.domain.approvals import Mode
from api.domain.ids import RunId, SessionId
from api.domain.messages import Message

log = logging.getLogger(__name__)

_READING = ("read-only", "readonly", "plan", "ask")
"""What agents call the mode in which they change nothing, the strictest first."""
_ASKING = "default"
"""What Claude Code, Gemini CLI and others call the one in which they ask a person. It need not be their first: in its
`auto`, Claude Code has a model answer instead."""
_OF_CODEX = {"read": "read-only", "ask": "read-only", "edit": "workspace-write"}
"""By the session's mode. In its own first one, `agent`, Codex has a model answer."""
_MOST = 1000


class Session:
    """A session of a running program. `last_run` is the last turn that it was given."""

    def __init__(self, connection: AgentConnection, acp_id: str, modes: schema.SessionModeState | None) -> None:
        self.connection = connection
        self.acp_id = acp_id
        self.last_run = RunId("")
        self.modes = {one.id: one.name for one in modes.available_modes} if modes else {}
        self.mode = self.first_mode = modes.current_mode_id if modes else ""
        self.busy = asyncio.Lock()
        self.cost: float | None = None

    def usage(self, updates: Updates) -> ev.UsageUpdated | None:
        """What the turn has used, as far as the program tells: its costs are those of the session so far."""
        cost = None
        if updates.cost is not None:
            cost = None if self.cost is None else max(0.0, updates.cost - self.cost)
            self.cost = updates.cost
        given, made = updates.tokens
        if not (given or made or cost or updates.context):
            return None
        usage = ev.Usage(input_tokens=given, output_tokens=made, cost=cost)
        return ev.UsageUpdated(usage=usage, context=updates.context)


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """The session for a turn, held until `leave`, and what of the conversation it has not been told."""

    session: Session
    missed: list[Message]
    is_own: bool
    folder: Path
    notices: tuple[ev.Notice, ...] = ()


class Opening:
    """Every turn of a conversation goes to one session of the agent; what is asked beside it goes to one of its own."""

    def __init__(self, memory: Memory, limits: Limits) -> None:
        self._memory = memory
        self._limits = limits
        self._sessions: dict[SessionId, Session] = {}

    async def open(self, connection: AgentConnection, turn: Turn, folder: Path) -> Opened:
        """Raises `AgentFailed` when the program has no session for it."""
        is_own = is_own_turn(turn.messages, turn.run_id, continuing=turn.continuing or turn.resumes is not None)
        session, notices = await self._known(connection, turn, folder) if is_own else (None, ())
        told = None
        if session is not None:
            await session.busy.acquire()
            told = missed(turn.messages, session.last_run)
            if told is None or connection.is_closed:
                session.busy.release()
        if session is None or told is None:
            session = await self._new(connection, folder)
            notices = (*notices, *_without(connection))
            await session.busy.acquire()
        try:
            await self._set_mode(session, turn)
        except BaseException:
            session.busy.release()
            raise
        if is_own:
            self._keep(turn.session_id, session)
        return Opened(session=session, missed=_untold(turn, told), is_own=is_own, folder=folder, notices=notices)

    async def remember(self, turn: Turn, opened: Opened) -> None:
        """The turn was given to the session."""
        session = opened.session
        session.last_run = turn.run_id
        if opened.is_own:
            agent, folder = session.connection.program.name, str(opened.folder)
            held = Held(agent=agent, acp_session_id=session.acp_id, folder=folder, run_id=turn.run_id)
            await asyncio.to_thread(self._memory.remember, turn.session_id, held)

    async def leave(self, turn: Turn, opened: Opened) -> None:
        """The turn is over. A session that was for it alone is closed, where the agent can."""
        session = opened.session
        session.busy.release()
        capabilities = session.connection.capabilities.session_capabilities
        if not opened.is_own and capabilities is not None and capabilities.close is not None:
            request = schema.CloseSessionRequest(session_id=session.acp_id)
            try:
                await session.connection.ask("session_close", request, within_s=self._limits.cancel_s)
            except AgentFailed as error:
                log.info("acp.session_not_closed", extra={"run_id": turn.run_id, "code": error.failure.code})

    def _keep(self, session_id: SessionId, session: Session) -> None:
        if len(self._sessions) >= _MOST:
            self._sessions = {key: one for key, one in self._sessions.items() if not one.connection.is_closed}
        self._sessions[session_id] = session

    async def _known(
        self, connection: AgentConnection, turn: Turn, folder: Path
    ) -> tuple[Session | None, tuple[ev.Notice, ...]]:
        """The session that the conversation had, if it still is or can be taken up again."""
        session = self._sessions.get(turn.session_id)
        if session is not None and session.connection is connection:
            return session, ()
        held = await asyncio.to_thread(self._memory.recall, turn.session_id)
        if held is None or (held.agent, held.folder) != (connection.program.name, str(folder)):
            return None, ()
        if missed(turn.messages, held.run_id) is None:
            return None, ()
        session = await self._take_up(connection, held)
        title = connection.program.title
        message = f"{title} could not take up its former session, so it was told the conversation as text."
        return session, () if session is not None else (ev.Notice(code="agent_told_again", message=message),)

    async def _take_up(self, connection: AgentConnection, held: Held) -> Session | None:
        capabilities = connection.capabilities
        fields = {"cwd": held.folder, "sessionId": held.acp_session_id, "mcpServers": _servers(connection)}
        try:
            if capabilities.session_capabilities is not None and capabilities.session_capabilities.resume is not None:
                request = schema.ResumeSessionRequest.model_validate(fields)
                answer = await connection.ask("session_resume", request, within_s=self._limits.session_s)
            elif capabilities.load_session:
                load = schema.LoadSessionRequest.model_validate(fields)
                answer = await connection.ask("session_load", load, within_s=self._limits.session_s)
            else:
                return None
        except AgentFailed as error:
            if connection.is_closed:
                raise
            log.info("acp.not_taken_up", extra={"agent": held.agent, "code": error.failure.code})
            return None
        session = Session(connection, held.acp_session_id, _modes(answer))
        session.last_run = held.run_id
        return session

    async def _new(self, connection: AgentConnection, folder: Path) -> Session:
        request = schema.NewSessionRequest.model_validate({"cwd": str(folder), "mcpServers": _servers(connection)})
        answer = await connection.ask("session_new", request, within_s=self._limits.session_s)
        acp_id = answer.get("sessionId")
        if not isinstance(acp_id, str) or not acp_id:
            raise AgentFailed(failures.not_started(connection.program, "It began no session."))
        session = Session(connection, acp_id, _modes(answer))
        session.cost = 0.0
        return session

    async def _set_mode(self, session: Session, turn: Turn) -> None:
        """Have the agent itself do unasked what the session lets it, where it has such modes."""
        wanted = _wanted_mode(session, turn.permissions.mode)
        if wanted and wanted != session.mode:
            request = schema.SetSessionModeRequest(session_id=session.acp_id, mode_id=wanted)
            await session.connection.ask("session_set_mode", request, within_s=self._limits.session_s)
            session.mode = wanted


def _wanted_mode(session: Session, mode: Mode) -> str:
    """The agent's own mode for a session's: the one that it was in when it began, where nothing better is known."""
    if mode == "full":
        return session.first_mode
    if session.modes.keys() >= set(_OF_CODEX.values()):
        return _OF_CODEX[mode]
    fitting = _READING if mode == "read" else (_ASKING,)
    return next((one for one in fitting if one in session.modes), session.first_mode)


def _servers(connection: AgentConnection) -> list[dict[str, Any]]:
    return as_parameters(connection.program.servers, http=_reaches_addresses(connection))


def _without(connection: AgentConnection) -> list[ev.Notice]:
    """What a person is told who gave the agent servers that it cannot use."""
    program = connection.program
    missing = unreachable(program.servers, http=_reaches_addresses(connection))
    if not missing:
        return []
    message = (
        f"{program.title} cannot use MCP servers that are reached by HTTP, so it has none of {', '.join(missing)}."
    )
    return [ev.Notice(code="mcp_not_handed_on", message=message)]


def _reaches_addresses(connection: AgentConnection) -> bool:
    capabilities = connection.capabilities.mcp_capabilities
    return capabilities is not None and bool(capabilities.http)


def _untold(turn: Turn, told: list[Message] | None) -> list[Message]:
    """What the agent must be told before the message itself. `told` is None for one that knows nothing."""
    if turn.resumes is not None:
        said: Message = {"role": "assistant", "content": turn.resumes.text}
        return [*turn.messages, said] if told is None else []
    untold = turn.messages if told is None else told
    return untold if turn.continuing else untold[:-1]


def _modes(answer: dict[str, Any]) -> schema.SessionModeState | None:
    try:
        return schema.SessionModeState.model_validate(answer.get("modes"))
    except ValidationError:
        return None
