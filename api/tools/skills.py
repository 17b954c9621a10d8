"""Skills: folders with a SKILL.md, which tells an agent how something is done here.

The format is that of agentskills.io: a head between lines of `---` with a `name` and a `description`, then the text.
A model is told the names and descriptions, and asks for a text when it needs it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated

import msgspec

from api.domain.errors import NotFound
from api.tools.base import Context, Result
from api.tools.checked import CheckedTool, in_thread
from api.workspace.folder import Folder

FILE = "SKILL.md"
IN_A_FOLDER = (
    *(".agents/skills", ".claude/skills", ".fireside/skills", ".opencode/skills", ".opencode/skill", ".codex/skills"),
    *(".gemini/skills", ".qwen/skills", ".goose/skills", ".vibe/skills", ".cursor/skills", ".github/skills"),
)
"""Where a project or a home folder has its skills, for whichever agent they were written."""
IN_HOME = (
    *IN_A_FOLDER,
    *(".config/agents/skills", ".config/opencode/skills", ".config/opencode/skill", ".config/goose/skills"),
    *(".copilot/skills", ".hermes/skills"),
)

MOST_SKILLS = 100
MOST_BYTES = 100_000
_FIELD = re.compile(r"^(name|description):[ \t]*(.*(?:\n[ \t]+.*)*)", re.MULTILINE)
_BLOCK = re.compile(r"[>|][-+0-9]*\s")
"""How YAML begins a text that goes on in the next lines."""


class Skill(msgspec.Struct, frozen=True):
    name: str
    description: str
    folder: Path


class Arguments(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    file: Annotated[str, msgspec.Meta(description="Another file of the skill, that its text speaks of.")] = FILE


class Skills:
    """`roots` are the folders that have skills in them in all sessions; a session's own folder may have more."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = list(roots)

    def of(self, workspace: Path | None) -> list[Skill]:
        """All skills there are for a session, those of its own folder first; of two alike the first. Reads the disk."""
        own = [workspace / place for place in IN_A_FOLDER] if workspace else []
        found: dict[str, Skill] = {}
        for skill in chain(_in(own, below=workspace), _in(self._roots)):
            found.setdefault(skill.name, skill)
            if len(found) == MOST_SKILLS:
                break
        return list(found.values())


class LoadSkill(CheckedTool[Arguments]):
    """Gives a model the text of a skill, or another file beside it."""

    name = "load_skill"
    kind = "read"
    description = "Read a skill, before you do what it is for."
    arguments = Arguments

    def __init__(self, skills: Skills) -> None:
        self._skills = skills

    def name_call(self, arguments: Arguments) -> str:
        return f"Read the skill {arguments.name}"

    async def do(self, arguments: Arguments, context: Context) -> Result:
        return Result(await in_thread(self._read, arguments, context.folder.path if context.folder else None))

    def _read(self, wanted: Arguments, workspace: Path | None) -> str:
        every = self._skills.of(workspace)
        skill = next((one for one in every if one.name == wanted.name), None)
        if skill is None:
            known = ", ".join(one.name for one in every) or "none"
            raise NotFound(f"There is no skill called {wanted.name!r}. There are: {known}.")
        with Folder(skill.folder) as folder:
            text = folder.read(wanted.file, MOST_BYTES).data.decode(errors="replace")
            if wanted.file != FILE:
                return text
            others = [entry.name for entry in folder.walk() if entry.kind == "file" and entry.name != FILE]
        return f"{text}\n\nOther files of this skill: {', '.join(others[:100])}" if others else text


def told_of(skills: Iterable[Skill]) -> str:
    """What a model is told of skills before it asks for one."""
    lines = [f"- {skill.name}: {skill.description}" for skill in skills]
    return "\n".join(["There are skills. Load one before you do what it is for:", *lines]) if lines else ""


def _in(roots: Iterable[Path], below: Path | None = None) -> Iterator[Skill]:
    """The skills in `roots`, or in folders there that sort them; none that a link puts there from outside `below`."""
    for root in roots:
        for folder in _folders_in(root):
            places = [folder] if (folder / FILE).exists() else _folders_in(folder)
            for place in places:
                is_outside = below is not None and not (place / FILE).resolve().is_relative_to(below.resolve())
                if not is_outside and (skill := _skill(place)):
                    yield skill


def _folders_in(folder: Path) -> list[Path]:
    try:
        return sorted(one for one in folder.iterdir() if one.is_dir())
    except OSError:
        return []


def _skill(folder: Path) -> Skill | None:
    try:
        with (folder / FILE).open("rb") as file:
            text = file.read(MOST_BYTES).decode(errors="replace")
    except OSError:
        return None
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    head = re.match(r"\A---\s*\n(.*?)\n---\s*\n", text, re.DOTALL)
    fields = {field: _one_line(value) for field, value in _FIELD.findall(head[1])} if head else {}
    name = _plain(fields.get("name", "")) or _plain(folder.name)
    description = fields.get("description", "")
    return Skill(name, description[:500], folder) if name and description else None


def _one_line(value: str) -> str:
    """A text of YAML, which may go on over several lines."""
    return " ".join(_BLOCK.sub("", f"{value}\n", count=1).split()).strip("'\"")


def _plain(name: str) -> str:
    """A name as a model can call it."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:64]
