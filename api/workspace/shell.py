"""One command line, run in a workspace: held, limited, followed while it runs, and ended with all that it started."""

import asyncio
import shutil
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from api.domain.errors import BadRequest
from api.workspace.folder import Folder
from api.workspace.processes import Limits, Process, start
from api.workspace.sandbox import Sandbox
from api.workspace.screen import Screen

MOST_S = 600
_LONGEST_COMMAND = 100_000
_HEAD, _TAIL = 60_000, 140_000
"""Characters of the output that are kept from its start and from its end."""
_MOST_SHOWN = 200_000
"""Characters that are shown while it runs."""
_MOST_READ = 16_000_000
"""Bytes that are looked at one by one; of what comes after only the end is."""
_MOST_KEPT = 50_000_000
_GATHER_S = 0.1
_LINE_S = 1.0
"""How long a line that does not end is waited for before it is shown as it is."""
_LINGER_S = 0.2
"""How long output is waited for once the command itself has ended."""

LIMITS = Limits(processes=512, memory_bytes=4 << 30, file_bytes=2 << 30, cpu_s=3600, open_files=4096)


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What a command came to. `output` is its end and its beginning, when it was long, with what is left out told.

    `code` is negative when a signal ended it. `over_limit` names the limit that it was ended for.
    """

    code: int
    output: str
    bytes_written: int
    seconds: float
    is_timed_out: bool = False
    over_limit: str = ""

    @property
    def ending(self) -> str:
        """How it ended, in a sentence; empty when it ended well."""
        if early := ended_early(self.seconds if self.is_timed_out else None, self.over_limit):
            return early
        if self.code < 0:
            return f"It was ended by the signal {signal_name(-self.code)}."
        return f"It ended with exit code {self.code}." if self.code else ""


def ended_early(after_s: float | None, over_limit: str) -> str:
    """Why a command was ended by us, in a sentence; empty when it was not. `after_s`: it had run for so long."""
    if after_s is not None:
        return f"It was ended after {after_s:.0f} seconds, with all that it had started."
    return f"It was ended because it used more {over_limit} than it may." if over_limit else ""


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


class Shell:
    """Runs commands. `env` is all they know of ours, `mark` is by what they are found (see `processes`)."""

    def __init__(self, sandbox: Sandbox, *, env: Mapping[str, str], mark: str, limits: Limits = LIMITS) -> None:
        self.sandbox = sandbox
        self._env = dict(env)
        self._mark = mark
        self._limits = limits

    async def run(
        self,
        command: str,
        folder: Folder,
        *,
        within_s: float = 120,
        network: bool = False,
        on_output: Callable[[str], None] | None = None,
        keep: BinaryIO | None = None,
    ) -> Ran:
        """Run `command` by `bash`, or `sh` where there is none, to its end or until `within_s` is over.

        `on_output` is given what is to be shown meanwhile, plain text gathered for a moment; `keep` the bytes as they
        are, up to 50 MB. Cancelling ends everything that the command started.

        Raises:
            BadRequest: it is no command.
            CannotStart: it could not be started.
        """
        if not command.strip() or "\0" in command or len(command) > _LONGEST_COMMAND:
            raise BadRequest("A command is needed, of at most 100,000 characters and without a NUL.")
        began = time.monotonic()
        process = await self.start(self.interpreted(command), folder, network=network)
        output = _Output(on_output, keep)
        reading = asyncio.get_running_loop().create_task(output.take_from(process))
        try:
            is_timed_out = not await _ended(process, min(within_s, MOST_S))
            if not is_timed_out:
                await asyncio.wait([reading], timeout=_LINGER_S)
        finally:
            await _all_ended(process, reading)
        return Ran(
            code=await process.wait(),
            output=output.text(),
            bytes_written=output.total,
            seconds=time.monotonic() - began,
            is_timed_out=is_timed_out,
            over_limit=process.over_limit,
        )

    def interpreted(self, command: str) -> list[str]:
        """The words that run `command` as a command line."""
        return [shutil.which("bash", path=self._env.get("PATH")) or "/bin/sh", "-c", command]

    async def start(
        self,
        argv: Sequence[str],
        folder: Folder,
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        network: bool = False,
    ) -> Process:
        """Start `argv`, held and limited; whoever does follows it and calls `end`. Errors come among its output.

        It begins in `cwd`, which lies in `folder`, else in `folder` itself. `env` is set for it beside the usual.

        Raises:
            CannotStart: it could not be started.
        """
        confined = self.sandbox.confined(argv, folder.path, cwd=cwd, env=env, network=network)
        return await start(
            confined.argv,
            cwd=cwd or folder.path,
            env={**self._env, **confined.env},
            mark=self._mark,
            limits=self._limits,
            landlock=confined.landlock,
            joins_errors=True,
        )


async def _ended(process: Process, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            await process.wait()
    except TimeoutError:
        return False
    return True


async def _all_ended(process: Process, reading: asyncio.Task[None]) -> None:
    await process.end()
    await asyncio.wait([reading])


class _Output:
    """What a command writes: shown as it comes, kept in a bounded room."""

    def __init__(self, on_output: Callable[[str], None] | None, keep: BinaryIO | None) -> None:
        self.total = 0
        self._show = on_output
        self._keep = keep
        self._screen = Screen()
        self._shown = 0
        self._waiting: list[str] = []
        self._partly = ""
        self._head = ""
        self._tail: deque[str] = deque()
        self._tail_length = 0
        self._left_out = 0
        self._unread: deque[bytes] = deque()
        self._unread_length = 0

    async def take_from(self, process: Process) -> None:
        showing = asyncio.get_running_loop().create_task(self._show_now_and_then())
        try:
            while data := await process.stdout.read(65536):
                self._take(data)
        finally:
            showing.cancel()
            self._finish()

    def _take(self, data: bytes) -> None:
        if self._keep is not None and self.total < _MOST_KEPT:
            self._keep.write(data[: _MOST_KEPT - self.total])
        self.total += len(data)
        if self.total <= _MOST_READ:
            self._add(self._screen.feed(data))
            return
        self._unread.append(data)
        self._unread_length += len(data)
        while self._unread_length - len(self._unread[0]) > 4 * _TAIL:
            self._unread_length -= len(self._unread[0])
            self._left_out += len(self._unread.popleft())

    def _add(self, text: str) -> None:
        if not text:
            return
        self._waiting.append(text)
        room = _HEAD - len(self._head)
        self._head += text[:room] if room > 0 else ""
        text = text[max(room, 0) :]
        self._tail.append(text)
        self._tail_length += len(text)
        while self._tail_length - len(self._tail[0]) > _TAIL:
            self._tail_length -= len(self._tail[0])
            self._left_out += len(self._tail.popleft())

    def _finish(self) -> None:
        for data in self._unread:
            self._add(self._screen.feed(data))
        self._add(self._screen.feed(b"", is_last=True))
        self._show_waiting()

    def text(self) -> str:
        tail = "".join(self._tail)
        left_out = self._left_out + max(0, len(tail) - _TAIL)
        if not left_out:
            return self._head + tail
        return f"{self._head}\n… {left_out:,} characters are left out here …\n{tail[-_TAIL:]}"

    async def _show_now_and_then(self) -> None:
        line, since = "", time.monotonic()
        while True:
            await asyncio.sleep(_GATHER_S)
            if self._screen.line != line:
                line, since = self._screen.line, time.monotonic()
            self._show_waiting(with_line=time.monotonic() - since >= _LINE_S)

    def _show_waiting(self, *, with_line: bool = False) -> None:
        """Show what has come, and with `with_line` also the line that has not ended, whose rest comes later."""
        text, self._waiting = "".join(self._waiting), []
        if text and self._partly:
            text = text.removeprefix(self._partly) if text.startswith(self._partly) else "\n" + text
            self._partly = ""
        if with_line and self._screen.line != self._partly:
            line = self._screen.line
            text += line.removeprefix(self._partly) if line.startswith(self._partly) else "\n" + line
            self._partly = line
        if not text or self._show is None or self._shown >= _MOST_SHOWN:
            return
        text = text[: _MOST_SHOWN - self._shown]
        self._shown += len(text)
        if self._shown >= _MOST_SHOWN:
            text += "\n… the rest is not shown while it runs …\n"
        self._show(text)
