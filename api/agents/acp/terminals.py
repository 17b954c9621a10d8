"""Commands that an agent has us run: started in the session's folder, followed as they speak, ended with the turn."""

import asyncio
import codecs
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from api.workspace import processes

_MOST_BYTES = 1 << 20
_MOST_OPEN = 32
_LIMITS = processes.Limits(processes=512, open_files=4096)


class TooManyTerminals(Exception):
    """The agent left too many open."""


class Terminal:
    """One command. `tell` is given its output as it comes; the last `keep_bytes` of it are kept for the agent."""

    def __init__(self, process: processes.Process, tell: Callable[[str], None], keep_bytes: int) -> None:
        self.process = process
        self._tell = tell
        self._keep_bytes = keep_bytes
        self._kept = ""
        self._is_cut = False
        self._following = [asyncio.create_task(self._follow(stream)) for stream in (process.stdout, process.stderr)]

    def output(self) -> dict[str, Any]:
        answer: dict[str, Any] = {"output": self._kept, "truncated": self._is_cut}
        if self.process.returncode is not None:
            answer["exitStatus"] = exit_status(self.process.returncode)
        return answer

    async def wait(self) -> dict[str, Any]:
        code = await self.process.wait()
        await asyncio.wait(self._following, timeout=0.2)
        return exit_status(code)

    async def end(self) -> None:
        await self.process.end()
        await asyncio.wait(self._following, timeout=0.2)
        for task in self._following:
            task.cancel()

    async def _follow(self, stream: asyncio.StreamReader) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while block := await stream.read(1 << 14):
            if text := decoder.decode(block):
                self._keep(text)
                self._tell(text)

    def _keep(self, text: str) -> None:
        self._kept += text
        held = self._kept.encode()
        if len(held) > self._keep_bytes:
            self._is_cut = True
            # From the beginning, at a character's boundary.
            self._kept = held[len(held) - self._keep_bytes :].decode(errors="ignore")


class Terminals:
    """Those of one turn."""

    def __init__(self, *, env: dict[str, str], mark: str) -> None:
        self._env = env
        self._mark = mark
        self._open: dict[str, Terminal] = {}

    async def create(
        self,
        argv: list[str],
        *,
        cwd: Path,
        env: dict[str, str],
        keep_bytes: int | None,
        tell: Callable[[str, str], None],
    ) -> str:
        """Start a command; `tell` is given the id of its terminal and its output as it comes. Returns the id.

        Raises:
            CannotStart: the message says why.
            TooManyTerminals: the agent should release some.
        """
        if len(self._open) >= _MOST_OPEN:
            raise TooManyTerminals
        process = await processes.start(argv, cwd=cwd, env={**self._env, **env}, mark=self._mark, limits=_LIMITS)
        terminal_id = f"terminal-{secrets.token_hex(6)}"
        keep = min(keep_bytes or _MOST_BYTES, _MOST_BYTES)
        self._open[terminal_id] = Terminal(process, lambda text: tell(terminal_id, text), keep)
        return terminal_id

    def find(self, terminal_id: str) -> Terminal | None:
        return self._open.get(terminal_id)

    async def release(self, terminal_id: str) -> None:
        """End what runs in it, and forget it."""
        if (terminal := self._open.pop(terminal_id, None)) is not None:
            await terminal.end()

    async def close(self) -> None:
        await asyncio.gather(*(self.release(terminal_id) for terminal_id in list(self._open)))


def exit_status(code: int) -> dict[str, Any]:
    return {"exitCode": code} if code >= 0 else {"signal": str(-code)}
