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
IN_A_FOLDER = (".agents/skills", ".claude/skills", ".fireside/skills", ".opencode/skills", ".codex/skills")
"""Where a project or a home folder has its skills, for whichever agent they were written."""

MOST_SKILLS = 100
MOST_BYTES = 100_000
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


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
            raise NotFound(f"There is no skill called {wanted.name!r}. There are: {', '.join(s.name for s in every)}.")
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
    """The skills in `roots`; none that a link has put there from outside `below`."""
    for root in roots:
        try:
            folders = sorted(one for one in root.iterdir() if one.is_dir())
        except OSError:
            continue
        for folder in folders:
            is_outside = below is not None and not (folder / FILE).resolve().is_relative_to(below.resolve())
            if not is_outside and (skill := _skill(folder)):
                yield skill


def _skill(folder: Path) -> Skill | None:
    try:
        with (folder / FILE).open("rb") as file:
            text = file.read(MOST_BYTES).decode(errors="replace")
    except OSError:
        return None
    head = re.match(r"\A---\s*\n(.*?)\n---\s*\n", text, re.DOTALL)
    fields = dict(re.findall(r"^(name|description):\s*(.+?)\s*$", head[1], re.MULTILINE)) if head else {}
    name, description = (fields.get(field, "").strip("'\"") for field in ("name", "description"))
    return Skill(name, description[:500], folder) if _NAME.fullmatch(name) and description else None
