"""Agents from the command line: which there are, and installing one with its progress."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from api import models
from api.agents.acp.installing import Progress
from api.equipment import Equipment, equip
from api.running_server import NotRunning, RunningServer
from api.sessions.disk.files import make_folder
from api.settings import Settings

_LOOK_S = 0.2

Held = Callable[[Settings], AbstractContextManager[None]]
"""Holds the state folder for this process alone."""


def show(settings: Settings) -> int:
    """Say which agents are found here, and which can be installed. Returns the exit code."""
    equipment = equip(settings, models.store)
    programs = equipment.acp.programs.all()
    for program in programs:
        print(f"{program.name:12} {program.title:18} {' '.join(program.argv)}")
    if not programs:
        print("No agent was found on PATH, in the config file or among those that were added.")
    for one in equipment.installer.all():
        if one.phase != "installed":
            what = f"{one.package} from PyPI, {one.size_mb} MB"
            print(f"\n{one.title} can be installed: `./run agents install {one.name}` ({what}).")
    return 0


def install(settings: Settings, name: str, held: Held) -> int:
    """Install a known agent, by the server where one runs, and say how it goes on. Returns the exit code.

    Raises:
        AppError: nobody knows how that is installed.
        Refused: the server does not do it.
    """
    server = RunningServer(settings)
    try:
        server.post("/api/agents/install", name=name)
    except NotRunning:
        make_folder(settings.state_dir)
        with held(settings):
            return asyncio.run(_install_here(equip(settings, models.store), name))
    return asyncio.run(_follow(lambda: _told_by(server, name)))


async def _install_here(equipment: Equipment, name: str) -> int:
    installer = equipment.installer
    begun = installer.begin(name)
    print(f"Installing {begun.package} ({begun.size_mb} MB).", flush=True)
    try:
        return await _follow(lambda: next(one for one in installer.all() if one.name == name))
    finally:
        await installer.close()


def _told_by(server: RunningServer, name: str) -> Progress:
    told: list[dict[str, Any]] = server.get("/api/agents")["installable"]
    return next(Progress(**one) for one in told if one["name"] == name)


async def _follow(look: Callable[[], Progress]) -> int:
    """Print each new line of an installation until it is over."""
    said = ""
    while (progress := look()).phase == "installing":
        if progress.line not in ("", said):
            said = progress.line
            print(f"  {said}", flush=True)
        await asyncio.sleep(_LOOK_S)
    if progress.phase != "installed":
        print(f"{progress.title} could not be installed: {progress.line}")
        return 1
    print(f"{progress.title} is installed. Choose it in the page like a model.")
    return 0
