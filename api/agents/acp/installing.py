"""Installing a known agent into an environment of its own, with its progress for whoever looks."""

import asyncio
import logging
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from api.agents.acp.failures import clean
from api.agents.acp.surroundings import Surroundings
from api.agents.providers import DocumentFile
from api.domain.errors import AppError, Conflict, NotFound
from api.workspace import processes

log = logging.getLogger(__name__)

Phase = Literal["absent", "installing", "installed", "failed"]

_LONGEST_S = 1800.0


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent is installed from: a package of PyPI with its version, for the versions of Python that it takes."""

    name: str
    title: str
    package: str
    python: str
    size_mb: int


RECIPES = (
    Recipe(
        name="hermes",
        title="Hermes Agent",
        package="hermes-agent[acp,mcp,sms]==0.19.0",
        python=">=3.11,<3.14",
        size_mb=150,
    ),
)


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far it is. `line` is the last that the installer said, or why it failed."""

    name: str
    title: str
    package: str
    size_mb: int
    phase: Phase
    line: str = ""


class Installer:
    """`folder` holds an environment for each agent; `stamp_of` gives the file that says that one is whole.

    `env` is set for the installer beside what every program is given: mirrors and the like.
    """

    def __init__(
        self, folder: Path, stamp_of: Callable[[str], DocumentFile], around: Surroundings, *, env: dict[str, str]
    ) -> None:
        self._folder = folder
        self._stamp_of = stamp_of
        self._around = around
        self._env = {**around.env, **env}
        self.on_done: list[Callable[[], None]] = []
        self._progress: dict[str, tuple[Phase, str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def all(self) -> list[Progress]:
        """Every agent that can be installed. Reads the disk."""
        return [self._told(recipe) for recipe in RECIPES]

    def path(self) -> str:
        """The folders with the commands of what is installed, as PATH is written. Reads the disk."""
        whole = (recipe for recipe in RECIPES if self._is_whole(recipe))
        return os.pathsep.join(str(self._folder / recipe.name / "bin") for recipe in whole)

    def begin(self, name: str) -> Progress:
        """Begin to install one, or to install it anew. Returns at once.

        Raises:
            NotFound: nobody knows how that is installed.
            Conflict: it is being installed.
        """
        recipe = next((recipe for recipe in RECIPES if recipe.name == name), None)
        if recipe is None:
            raise NotFound(f"Fireside does not know how to install {name!r}.", code="agent_not_found", name=name)
        if self._progress.get(name, ("absent", ""))[0] == "installing":
            raise Conflict(f"{recipe.title} is being installed already.", code="still_active")
        self._progress[name] = ("installing", "")
        task = asyncio.create_task(self._install(recipe), name=f"install.{name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return self._told(recipe)

    async def close(self) -> None:
        """Give up what is being installed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _install(self, recipe: Recipe) -> None:
        try:
            async with asyncio.timeout(_LONGEST_S):
                await asyncio.to_thread(self._stamp_of(recipe.name).write, {})
                for command in self._commands(recipe):
                    await self._run(recipe, command)
                await asyncio.to_thread(self._stamp_of(recipe.name).write, {"package": recipe.package})
            self._progress[recipe.name] = ("installed", "")
            log.info("agent.installed", extra={"agent": recipe.name})
            for tell in self.on_done:
                tell()
        except (_Failed, AppError, OSError, TimeoutError) as error:
            why = str(error) or "It took too long."
            self._progress[recipe.name] = ("failed", why)
            log.warning("agent.not_installed", extra={"agent": recipe.name, "why": why})

    def _commands(self, recipe: Recipe) -> list[list[str]]:
        """With uv where there is one, which also finds a Python; else with this Python's own means."""
        folder = str(self._folder / recipe.name)
        python = f"{folder}/bin/python"
        brought_along = Path(sys.prefix).parent / ".venv-uv/bin"  # by `./run`
        if uv := shutil.which("uv", path=os.pathsep.join([self._env.get("PATH", ""), str(brought_along)])):
            make = [uv, "venv", "--clear", "--python", recipe.python, folder]
            return [make, [uv, "pip", "install", "--python", python, recipe.package]]
        make = [sys.executable, "-m", "venv", "--clear", folder]
        return [make, [python, "-m", "pip", "install", "--progress-bar", "off", recipe.package]]

    async def _run(self, recipe: Recipe, command: list[str]) -> None:
        around = self._around
        process = await processes.start(command, cwd=around.home, env=self._env, mark=around.mark)
        try:
            following = [asyncio.create_task(self._follow(recipe, one)) for one in (process.stdout, process.stderr)]
            code = await process.wait()
            await asyncio.wait(following, timeout=1)
        finally:
            await asyncio.shield(process.end())
        if code != 0:
            said = self._progress[recipe.name][1]
            raise _Failed(said or f"{Path(command[0]).name} ended with {code}.")

    async def _follow(self, recipe: Recipe, stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            if words := clean(line.decode(errors="replace")):
                self._progress[recipe.name] = ("installing", words)

    def _told(self, recipe: Recipe) -> Progress:
        phase, line = self._progress.get(recipe.name, ("absent", ""))
        if phase == "absent" and self._is_whole(recipe):
            phase = "installed"
        return Progress(
            name=recipe.name,
            title=recipe.title,
            package=recipe.package,
            size_mb=recipe.size_mb,
            phase=phase,
            line=line,
        )

    def _is_whole(self, recipe: Recipe) -> bool:
        return self._stamp_of(recipe.name).read().get("package") is not None


class _Failed(Exception):
    """The text says why."""
