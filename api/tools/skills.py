"""Skills: what tells an agent how something is done here, which of them are switched off, and the tool that reads one.

A model is told the names and descriptions, and asks for a text when it needs it.
"""

import threading
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec

from api.domain.errors import NotFound
from api.tools.base import Context, Result
from api.tools.checked import CheckedTool, in_thread
from api.tools.memory import Record
from api.tools.skill_folders import FILE, MOST_BYTES, Root, Search, Skill, in_folder, in_home
from api.workspace.folder import Folder

MOST_SKILLS = 100
"""So many are offered: what is told of them goes with every request to a model."""
_MOST_NAMED = 100
"""So many of the other files of a skill are named."""


class Listing(NamedTuple):
    """`is_cut`: there is more than is looked at."""

    skills: list[Skill]
    is_cut: bool


class Switches:
    """Which skills a person switched off. Reads its file when first asked and then holds it: nobody else writes it."""

    def __init__(self, record: Record) -> None:
        """`record` is `{off: {id: path}}`; the path is for who reads the file."""
        self._record = record
        self._off: dict[str, str] | None = None
        self._changing = threading.Lock()

    def off(self) -> frozenset[str]:
        """The ids of those that are off."""
        return frozenset(self._loaded())

    def turn(self, skill: Skill, *, on: bool) -> None:
        """Switch one on or off, durably. Blocks for a write."""
        with self._changing:
            off = {skill_id: path for skill_id, path in self._loaded().items() if skill_id != skill.id}
            if not on:
                off[skill.id] = skill.path
            if off != self._loaded():
                self._record.write({**self._record.read(), "off": off})
                self._off = off

    def _loaded(self) -> dict[str, str]:
        if self._off is None:
            kept = self._record.read().get("off")
            self._off = {skill_id: str(path) for skill_id, path in kept.items()} if isinstance(kept, dict) else {}
        return self._off


class Skills:
    """`own` is our place for those of all sessions; `home` may have more, and so may a session's own folder."""

    def __init__(self, own: Path, home: Path, switches: Switches) -> None:
        self.own = own
        self._everywhere = [Root(own, "own"), *in_home(home)]
        self._switches = switches

    def of(self, workspace: Path | None) -> list[Skill]:
        """All that are offered in a session, those of its own folder first; of two alike the first. Reads the disk."""
        offered = (skill for skill in self._judged(self._searches(workspace)) if skill.is_offered)
        return list(islice(offered, MOST_SKILLS))

    def all(self, workspace: Path | None) -> Listing:
        """All that are found, in the same order, each with what speaks against it. Reads the disk."""
        searches = self._searches(workspace)
        return Listing(list(self._judged(searches)), any(one.is_cut for one in searches))

    def read(self, skill_id: str, workspace: Path | None) -> str:
        """The text of one that is found, offered or not. Reads the disk.

        Raises:
            NotFound: it is not there any more.
            AppError: it cannot be read, or is too large.
        """
        return _text(self._find(skill_id, workspace).folder, FILE)

    def switch(self, skill_id: str, workspace: Path | None, *, on: bool) -> None:
        """Have one that is found be offered, or not, from the next turn on. Blocks for a write.

        Raises:
            NotFound: it is not there any more.
        """
        self._switches.turn(self._find(skill_id, workspace), on=on)

    def _find(self, skill_id: str, workspace: Path | None) -> Skill:
        skills = self.all(workspace).skills
        skill = next((one for one in skills if one.id == skill_id), None)
        if skill is None:
            raise NotFound("This skill is not there any more. Look again.", code="skill_not_found")
        return skill

    def _searches(self, workspace: Path | None) -> list[Search]:
        # Apart from each other: a folder that holds too much hides nothing of the person's own.
        here = [Search(in_folder(workspace), within=workspace.resolve())] if workspace else []
        return [*here, Search(self._everywhere)]

    def _judged(self, searches: Iterable[Search]) -> Iterator[Skill]:
        """Each once, by whatever links it is reached, with what is switched off and what others leave to it."""
        off = self._switches.off()
        seen: set[str] = set()
        names: set[str] = set()
        for skill in (skill for search in searches for skill in search):
            if skill.id in seen:
                continue
            seen.add(skill.id)
            # One that is off leaves its name to the next.
            if skill.id in off:
                yield msgspec.structs.replace(skill, is_on=False)
            elif skill.problem:
                yield skill
            elif skill.name in names:
                yield msgspec.structs.replace(skill, problem="name_taken")
            elif len(names) == MOST_SKILLS:
                yield msgspec.structs.replace(skill, problem="too_many")
            else:
                names.add(skill.name)
                yield skill


class Arguments(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    file: Annotated[str, msgspec.Meta(description="Another file of the skill, that its text speaks of.")] = FILE


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
        text = _text(skill.folder, wanted.file)
        others = _others(skill.folder) if wanted.file == FILE else []
        return f"{text}\n\nOther files of this skill: {', '.join(others)}" if others else text


def told_of(skills: Iterable[Skill]) -> str:
    """What a model is told of skills before it asks for one."""
    lines = [f"- {skill.name}: {skill.description}" for skill in skills]
    return "\n".join(["There are skills. Load one before you do what it is for:", *lines]) if lines else ""


def _text(folder: Path, file: str) -> str:
    with Folder(folder) as opened:
        return opened.read(file, MOST_BYTES).data.decode(errors="replace")


def _others(folder: Path) -> list[str]:
    with Folder(folder) as opened:
        others = (entry.name for entry in opened.walk() if entry.kind == "file" and entry.name != FILE)
        return list(islice(others, _MOST_NAMED))
