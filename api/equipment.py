"""What agents work with, built from the settings: tools and folders, programs that are agents or give tools."""

import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from api.agents.acp.agent import AcpAgent
from api.agents.acp.installing import Installer
from api.agents.acp.programs import Programs, program_of
from api.agents.acp.sessions import Memory as AcpMemory
from api.agents.acp.surroundings import Surroundings
from api.agents.mcp.servers import Servers
from api.agents.mcp.tools import McpTools
from api.agents.native.own_tools import OWN_TOOLS
from api.agents.native.toolkit import Toolkit
from api.domain.errors import BadRequest
from api.runs.undoing import Checkpointing
from api.sessions.disk.files import StateFile
from api.sessions.notes import Notes
from api.sessions.shelves import Shelf
from api.sessions.store import SessionStore
from api.settings import Settings, SettingsError, installer_environment, program_environment
from api.tools.memory import Memory, Remember
from api.tools.search_sessions import Found, SearchSessions
from api.tools.skills import LoadSkill, Skills, Switches
from api.tools.table import all_tools
from api.workspace.environment import for_tools
from api.workspace.processes import mark_of
from api.workspace.sandbox import find_sandbox
from api.workspace.shell import Shell


class Equipment(NamedTuple):
    """`shell` runs commands; `on_removed` are called with the id of a session that was removed for good."""

    memory: Memory
    skills: Skills
    checkpointing: Checkpointing
    installer: Installer
    acp: AcpAgent
    mcp: McpTools
    shell: Callable[[], Awaitable[Shell]]
    toolkit: Toolkit
    on_removed: list[Callable[[str], None]]


def equip(settings: Settings, store: SessionStore) -> Equipment:
    """Raises `SettingsError` for an agent of the config file that cannot be."""
    undo = settings.state_dir / "undo"
    notes = Notes(settings.state_dir / "acp")
    memory = Memory(StateFile(settings.state_dir / "memory.json"))
    skills = Skills(settings.state_dir / "skills", Path.home(), Switches(StateFile(settings.state_dir / "skills.json")))
    checkpointing = Checkpointing(lambda session_id: Shelf(undo / session_id))
    mark = mark_of(settings.state_dir)
    shell = _shell(settings, mark)
    around = Surroundings(
        home=settings.workspace,
        env=program_environment(),
        mark=mark,
        shell=shell,
        network=settings.command_network,
        refused=(settings.state_dir,),
        checkpoints=checkpointing.of,
    )
    environments = settings.state_dir / "agents"
    installer = Installer(environments, Notes(environments).of, around, env=installer_environment())
    mcp = _mcp(settings)
    return Equipment(
        memory=memory,
        skills=skills,
        checkpointing=checkpointing,
        installer=installer,
        acp=_acp(settings, notes, around, installer, mcp.servers),
        mcp=mcp,
        shell=shell,
        toolkit=_toolkit(settings, store, memory, skills, checkpointing, mcp, shell),
        on_removed=[notes.remove, lambda session_id: Shelf(undo / session_id).clear()],
    )


def _toolkit(
    settings: Settings,
    store: SessionStore,
    memory: Memory,
    skills: Skills,
    checkpointing: Checkpointing,
    mcp: McpTools,
    shell: Callable[[], Awaitable[Shell]],
) -> Toolkit:
    """What the built-in agent works with. Our own folder is out of its reach, whatever folder a session works in."""
    kept = [SearchSessions(lambda words: _said(store, words)), Remember(memory), LoadSkill(skills)]
    return Toolkit(
        [*all_tools(), *kept, *OWN_TOOLS],
        [settings.state_dir],
        mark=mark_of(settings.state_dir),
        shell=shell,
        network=settings.command_network,
        checkpoints=checkpointing.of,
        memory=memory,
        skills=skills,
        more=mcp.on,
    )


def _shell(settings: Settings, mark: str) -> Callable[[], Awaitable[Shell]]:
    """What runs commands, held by the best sandbox there is here, which is looked for when one is first needed."""
    found: list[Shell] = []

    async def shell() -> Shell:
        if not found:
            env = for_tools(program_environment())
            sandbox = await find_sandbox(mark=mark, path=env["PATH"], home=Path.home(), hidden=[settings.state_dir])
            found.append(Shell(sandbox, env=env, mark=mark))
        return found[0]

    return shell


def _said(store: SessionStore, words: str) -> list[Found]:
    """The sessions in which words were said, for an agent to read."""
    hits = store.search(words, limit=10).results
    return [
        Found(
            hit.session["title"],
            time.strftime("%Y-%m-%d", time.gmtime(hit.session["last_message_at"])),
            ["".join(piece.text for piece in passage.snippet) for passage in hit.passages[:3]],
        )
        for hit in hits
    ]


def _acp(settings: Settings, notes: Notes, around: Surroundings, installer: Installer, servers: Servers) -> AcpAgent:
    """Raises `SettingsError` for an agent of the config file that cannot be."""

    def path() -> str:
        return os.pathsep.join([around.env.get("PATH", ""), installer.path()])

    try:
        configured = [program_of(name, table, source="config") for name, table in settings.acp.items()]
    except BadRequest as error:
        raise SettingsError(f"FIRESIDE_ACP, or `[acp]` in the config file: {error.message}") from error
    programs = Programs(StateFile(settings.state_dir / "agents.json"), configured=configured, path=path)
    return AcpAgent(programs, AcpMemory(notes.of), around, servers=servers.all)


def _mcp(settings: Settings) -> McpTools:
    return McpTools(
        Servers(StateFile(settings.state_dir / "mcp.json")),
        folder=settings.workspace,
        env=program_environment(),
        mark=mark_of(settings.state_dir),
    )
