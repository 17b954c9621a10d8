"""One turn, as the agent program meets it: what it reports becomes events, what it asks for is decided and done."""

import asyncio
import json
import shlex
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from acp import schema
from acp.exceptions import RequestError
from pydantic import BaseModel

from api.agents.acp import asking
from api.agents.acp.files import Files
from api.agents.acp.pictures import Said, Sent
from api.agents.acp.surroundings import Surroundings
from api.agents.acp.terminals import Terminal, Terminals, TooManyTerminals
from api.agents.acp.updates import Call as Reported
from api.agents.acp.updates import Updates
from api.agents.base import Turn
from api.domain import events as ev
from api.domain.approvals import Call, Decision, ToolKind
from api.domain.errors import AppError, NotFound
from api.domain.messages import line_of
from api.workspace.folder import Folder

_INVALID = -32602
_NOT_FOUND = -32002
"""By this, or by how the sentence begins, an agent knows that it may make a file that is not there."""


class Exchange:
    """Listens to a session for one turn. Events wait in `take`'s queue; `close` ends all that the turn started."""

    def __init__(self, turn: Turn, title: str, folder: Path, around: Surroundings) -> None:
        self.updates = Updates(title, folder, resumes=turn.resumes)
        self.stirred = asyncio.Event()
        self._turn = turn
        self._title = title
        self._folder = folder
        self._terminals = Terminals(network=around.network, within_s=around.limits.command_s)
        self._shell = around.shell
        self._refused = around.refused
        self._limits = around.limits
        self._work_in: Folder | None = None
        self._grants = asking.Grants()
        self._waiting: deque[Said] = deque()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._deciding: set[asyncio.Task[Decision]] = set()
        self._count = 0
        self._own: dict[str, Reported] = {}
        self._is_closed = False

    @property
    def waits_for_person(self) -> bool:
        return bool(self._deciding)

    @property
    def runs_tool(self) -> bool:
        return self.updates.has_open_call

    def take(self) -> Said | None:
        """The next event, oldest first, or None while there is none; `stirred` is set when there is again."""
        if not self._waiting:
            self.stirred.clear()
            return None
        event = self._waiting.popleft()
        if not self._is_full():
            self._has_room.set()
        return event

    def hear(self, update: Any) -> None:
        self.say(self.updates.hear(update))
        self.stirred.set()

    async def has_room(self) -> None:
        await self._has_room.wait()

    def finish(self, *, is_error: bool) -> None:
        """The turn is over: end what the agent left open."""
        self.say(self.updates.close(is_error=is_error))

    def cancel(self) -> None:
        """Nobody listens any more, and nobody is asked."""
        self._is_closed = True
        self._has_room.set()
        for task in self._deciding:
            task.cancel()

    async def close(self) -> None:
        """End what was started for the agent, and let go of its folder."""
        await self._terminals.close()
        if self._work_in is not None:
            self._work_in.close()

    async def answer(self, request: BaseModel) -> dict[str, Any] | None:
        """What the agent is answered. Raises `RequestError` with words for the agent."""
        match request:
            case schema.RequestPermissionRequest():
                return await self._permission(request)
            case schema.ReadTextFileRequest():
                return await self._read(request)
            case schema.WriteTextFileRequest():
                return await self._write(request)
            case schema.CreateTerminalRequest():
                return await self._start(request)
            case schema.TerminalOutputRequest():
                return self._terminal(request.terminal_id).output()
            case schema.WaitForTerminalExitRequest():
                return await self._wait(request.terminal_id)
            case schema.KillTerminalRequest():
                await self._terminal(request.terminal_id).process.end()
                return {}
            case schema.ReleaseTerminalRequest():
                await self._terminals.release(request.terminal_id)
                return {}
        raise RequestError.method_not_found(type(request).__name__)

    def decline_form(self, asked: str) -> None:
        """Tell the person what would have been asked."""
        words = f": “{line_of(asked)}”" if asked else "."
        message = f"{self._title} wanted to ask by a form, which cannot be shown here, so it was declined{words}"
        self.say([ev.Notice(code="form_declined", message=message)])

    def say(self, events: Sequence[Said]) -> None:
        if self._is_closed:
            return
        self._waiting.extend(events)
        if self._is_full():
            self._has_room.clear()
        if events:
            self.stirred.set()

    def _is_full(self) -> bool:
        """A picture may be as large as a line: while one waits, the others do in the pipe."""
        return len(self._waiting) >= self._limits.waiting_events or any(isinstance(one, Sent) for one in self._waiting)

    async def _permission(self, request: schema.RequestPermissionRequest) -> dict[str, Any]:
        reported, about = self.updates.asked(request.tool_call)
        if about.says_nothing:
            words = f"{self._title} asked to do something without saying what, so it was refused."
            self.say([ev.Notice(code="nothing_to_allow", message=words)])
            return asking.outcome_of(Decision("deny"), request.options)
        self.say(self.updates.show(reported))
        call = asking.call_to_ask_about(about, self._folder)
        decision = await self._decision(call)
        if decision is None:
            return asking.CANCELLED
        if decision.allows:
            self._grants.add(about)
        return asking.outcome_of(decision, request.options)

    async def _decision(self, call: Call) -> Decision | None:
        """A person's word, or None when the turn is over before there is one."""
        if self._is_closed:
            return None
        task = asyncio.create_task(asking.decide(self._turn.permissions, call, lambda event: self.say([event])))
        self._deciding.add(task)
        try:
            await asyncio.wait([task])
            return None if task.cancelled() else task.result()
        finally:
            task.cancel()
            self._deciding.discard(task)
            self.stirred.set()

    async def _is_allowed(self, call: Call) -> bool:
        decision = await self._decision(call)
        return decision is not None and decision.allows

    async def _read(self, request: schema.ReadTextFileRequest) -> dict[str, Any]:
        try:
            return {"content": await self._files().read(request.path, line=request.line, limit=request.limit)}
        except NotFound as error:
            raise _refusal(f"Resource not found: {error.message}", _NOT_FOUND) from error
        except AppError as error:
            raise _refusal(error.message) from error

    async def _write(self, request: schema.WriteTextFileRequest) -> dict[str, Any]:
        try:
            files = self._files()
            edit = await files.plan(request.path, request.content)
            reported, is_own = self._reported("edit", "write_file", edit.name)
            allowed = True
            if not self._grants.take_edit(edit.name, request.content):
                arguments = json.dumps({"path": edit.name, "content": request.content}, ensure_ascii=False)
                kind = asking.kind_of_edit(self._folder, edit.name)
                call = self._call(reported, "write_file", kind, arguments, title=edit.name, diff=edit.diff)
                allowed = await self._is_allowed(call)
            if allowed:
                await files.write(edit)
                reported.diffs[edit.name] = edit.diff
            if is_own:
                self.say(self.updates.end(reported, is_error=not allowed))
        except AppError as error:
            raise _refusal(error.message) from error
        if not allowed:
            raise _refusal("This was not allowed, so nothing was written.")
        return {}

    async def _start(self, request: schema.CreateTerminalRequest) -> dict[str, Any]:
        env = {one.name: one.value for one in request.env or ()}
        command = _shown(request, env)
        folder = self._folder / request.cwd if request.cwd else self._folder
        if not asking.is_inside(self._folder, folder):
            raise _refusal("Commands run in the session's own folder only.")
        reported, is_own = self._reported("execute", "terminal", command)
        if not self._grants.take_command(command):
            call = self._call(reported, "terminal", "execute", command, title=command, folder=folder)
            if not await self._is_allowed(call):
                self._failed(reported, is_own=is_own)
                raise _refusal("This was not allowed, so nothing was started.")
        try:
            terminal_id = await self._terminals.create(
                await self._shell(),
                self._workspace(),
                request.command,
                request.args or (),
                cwd=folder.resolve(),
                env=env,
                keep_bytes=request.output_byte_limit,
                tell=self._told,
            )
        except (AppError, TooManyTerminals) as error:
            self._failed(reported, is_own=is_own)
            raise _refusal(str(error)) from error
        reported.terminals.append(terminal_id)
        if is_own:
            self._own[terminal_id] = reported
        return {"terminalId": terminal_id}

    def _failed(self, reported: Reported, *, is_own: bool) -> None:
        """Nothing was started for a call. One of the agent's own it ends itself."""
        if is_own:
            self.say(self.updates.end(reported, is_error=True))

    async def _wait(self, terminal_id: str) -> dict[str, Any]:
        status = await self._terminal(terminal_id).wait()
        if (reported := self._own.pop(terminal_id, None)) is not None:
            self.say(self.updates.end(reported, is_error=status.get("exitCode") != 0))
        return status

    def _files(self) -> Files:
        return Files(self._workspace())

    def _workspace(self) -> Folder:
        """Raises `AppError` for a folder that is none."""
        if self._work_in is None:
            self._work_in = Folder(self._folder, self._refused)
        return self._work_in

    def _told(self, terminal_id: str, text: str) -> None:
        self.say(self.updates.terminal_output(terminal_id, text))

    def _terminal(self, terminal_id: str) -> Terminal:
        terminal = self._terminals.find(terminal_id)
        if terminal is None:
            raise _refusal("There is no such terminal.")
        return terminal

    def _reported(self, kind: ToolKind, name: str, title: str) -> tuple[Reported, bool]:
        """The call of the agent's that a request belongs to, or else one of our own, and whether it is that."""
        if (reported := self.updates.open_call(kind)) is not None:
            return reported, False
        self._count += 1
        reported = self.updates.call(f"\0{self._count}")
        reported.name, reported.title, reported.kind = name, title[:300], kind
        self.say(self.updates.show(reported))
        return reported, True

    def _call(
        self,
        reported: Reported,
        name: str,
        kind: ToolKind,
        arguments: str,
        *,
        title: str,
        folder: Path | None = None,
        diff: str = "",
    ) -> Call:
        """What the agent asks us to carry out, exactly as it will be."""
        where = str(folder or self._folder)
        return Call(
            call_id=reported.call_id,
            name=name,
            kind=kind,
            arguments=arguments,
            folder=where,
            title=title,
            diff=diff,
            sets_off=kind == "other",  # as `asking.kind_of_edit` says
            runner="fireside" if kind == "execute" else "",
        )


def _refusal(sentence: str, code: int = _INVALID) -> RequestError:
    """Some agents show the message of an error only, others only what it is about."""
    return RequestError(code, sentence, {"details": sentence})


def _shown(request: schema.CreateTerminalRequest, env: dict[str, str]) -> str:
    """A command as one would type it, with all that is set for it."""
    command = shlex.join([request.command, *request.args]) if request.args else request.command
    return " ".join([*(f"{name}={shlex.quote(value)}" for name, value in env.items()), command])
