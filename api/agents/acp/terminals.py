"""Commands that an agent has us run: held as the built-in agent's are, followed as they speak, ended with the turn."""

import asyncio
import codecs
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from api.workspace.folder import Folder
from api.workspace.processes import Process
from api.workspace.shell import Shell, ended_early

_MOST_BYTES = 1 << 20
_MOST_OPEN = 32


class TooManyTerminals(Exception):
    """The agent left too many open."""


class Terminal:
    """One command. `tell` is given its output as it comes; the last `keep_bytes` of it are kept for the agent.

    It is ended after `within_s`, which its output then says.
    """

    def __init__(self, process: Process, tell: Callable[[str], None], *, keep_bytes: int, within_s: float) -> None:
        self.process = process
        self._tell = tell
        self._keep_bytes = keep_bytes
        self._kept = ""
        self._is_cut = False
        self._following = asyncio.create_task(self._follow())
        self._limiting = asyncio.create_task(self._limit(within_s))

    def output(self) -> dict[str, Any]:
        answer: dict[str, Any] = {"output": self._kept, "truncated": self._is_cut}
        if self.process.returncode is not None:
            answer["exitStatus"] = exit_status(self.process.returncode)
        return answer

    async def wait(self) -> dict[str, Any]:
        code = await self.process.wait()
        await asyncio.wait([self._following], timeout=0.2)
        # One that passed a limit has yet to say so; one that ended by itself has nobody to wait for.
        await asyncio.wait([self._limiting])
        return exit_status(code)

    async def end(self) -> None:
        await self.process.end()
        await asyncio.wait([self._following, self._limiting], timeout=0.2)
        self._following.cancel()
        self._limiting.cancel()

    async def _limit(self, within_s: float) -> None:
        after_s = None
        try:
            async with asyncio.timeout(within_s):
                await self.process.wait()
        except TimeoutError:
            after_s = within_s
            await self.process.end()
        if why := ended_early(after_s, self.process.over_limit):
            self._add(f"\n[{why}]\n")

    async def _follow(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while block := await self.process.stdout.read(1 << 14):
            if text := decoder.decode(block):
                self._add(text)

    def _add(self, text: str) -> None:
        self._kept += text
        held = self._kept.encode()
        if len(held) > self._keep_bytes:
            self._is_cut = True
            # From the beginning, at a character's boundary.
            self._kept = held[len(held) - self._keep_bytes :].decode(errors="ignore")
        self._tell(text)


class Terminals:
    """Those of one turn. `network`: whether commands may reach it; `within_s`: how long each may take."""

    def __init__(self, *, network: bool, within_s: float) -> None:
        self._network = network
        self._within_s = within_s
        self._open: dict[str, Terminal] = {}

    async def create(
        self,
        shell: Shell,
        folder: Folder,
        command: str,
        args: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        keep_bytes: int | None,
        tell: Callable[[str, str], None],
    ) -> str:
        """Start a command, or without `args` a command line; `tell` is given the id of its terminal and its output.

        Returns the id.

        Raises:
            CannotStart: the message says why.
            TooManyTerminals: the agent should release some.
        """
        if len(self._open) >= _MOST_OPEN:
            raise TooManyTerminals("So many terminals cannot be open at once. Release some first.")
        argv = [command, *args] if args else shell.interpreted(command)
        process = await shell.start(argv, folder, cwd=cwd, env=env, network=self._network)
        terminal_id = f"terminal-{secrets.token_hex(6)}"
        keep = min(keep_bytes or _MOST_BYTES, _MOST_BYTES)
        self._open[terminal_id] = Terminal(
            process, lambda text: tell(terminal_id, text), keep_bytes=keep, within_s=self._within_s
        )
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
