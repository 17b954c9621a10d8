"""Folders with a SKILL.md: where they lie, and what each says of itself. Reads the disk, and fails for none of them.

The format is that of agentskills.io: a head between lines of `---` with a `name` and a `description`, then the text.
"""

import os
import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Literal

import msgspec

from api.domain.errors import AppError, Forbidden, TooLarge
from api.workspace.folder import Folder

FILE = "SKILL.md"
MOST_BYTES = 100_000
"""Of a SKILL.md: a model is given the whole of it."""
MOST_FOLDERS = 1000
"""So many folders are looked into in one search, and so many entries of one folder: anyone may have written them."""
MOST_ENTRIES = 20_000
"""So many entries of all folders are looked at in one search: what is no skill takes time too, before each answer."""

Origin = Literal["own", "folder", "home"]
"""Where a skill is from: our own place in the data folder, the folder of a session, or the home folder."""
Problem = Literal[
    "unreadable", "outside", "too_large", "no_head", "no_description", "no_name", "name_taken", "too_many"
]
"""Why a skill is not offered. The last two are about those before it, the others about itself."""

_AT_HOME_AND_HERE = {
    ".agents/skills": "",
    ".claude/skills": "Claude Code",
    ".fireside/skills": "Fireside",
    ".opencode/skills": "OpenCode",
    ".opencode/skill": "OpenCode",
    ".codex/skills": "Codex",
    ".gemini/skills": "Gemini CLI",
    ".qwen/skills": "Qwen Code",
    ".goose/skills": "Goose",
    ".vibe/skills": "Mistral Vibe",
    ".cursor/skills": "Cursor",
    ".github/skills": "GitHub Copilot",
}
"""Where a project or a home folder has its skills, and for which agent; without a name for any."""
_AT_HOME = _AT_HOME_AND_HERE | {
    ".config/agents/skills": "",
    ".config/opencode/skills": "OpenCode",
    ".config/opencode/skill": "OpenCode",
    ".config/goose/skills": "Goose",
    ".copilot/skills": "GitHub Copilot",
    ".hermes/skills": "Hermes",
}

# One way to match only: what anyone may have written must not be able to keep it busy.
_HEAD = re.compile(r"---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"^(name|description):[ \t]*(.*(?:\n[ \t]+.*)*)", re.MULTILINE)
_BLOCK = re.compile(r"[>|][-+0-9]*\s")
"""How YAML begins a text that goes on in the next lines."""


class Root(msgspec.Struct, frozen=True):
    """A folder that has skills in it. `whose`: the agent for which it is meant, empty for any."""

    path: Path
    origin: Origin
    whose: str = ""


class Skill(msgspec.Struct, frozen=True, kw_only=True):
    """`folder` is its true name, and `problem` why it is not offered, if it is not.

    `id` is made of the true name of its folder. A name would not do: whoever writes a project chooses what its skills
    are called, and one that is switched off must not take that of another project with it. Nor would the text: a skill
    that is switched off stays so when it is changed. By its true name it is one skill, however many links lead to it.
    """

    id: str
    name: str
    description: str = ""
    folder: Path
    root: Root
    problem: Problem | None = None
    is_on: bool = True

    @property
    def is_offered(self) -> bool:
        return self.is_on and self.problem is None

    @property
    def path(self) -> str:
        """Where its SKILL.md lies, to be shown."""
        return shown(self.folder / FILE)


class Search:
    """One look through `roots`. `is_cut` once it ended, if there was more than is looked at.

    `within`: the folder of a session, by its true name; a skill that a link leads to from there has a problem.
    """

    def __init__(self, roots: Iterable[Root], within: Path | None = None) -> None:
        self.is_cut = False
        self._roots = roots
        self._within = within
        self._entries_left = MOST_ENTRIES

    def __iter__(self) -> Iterator[Skill]:
        """Those that there are, usable or not, as they come; which are switched off is not known here."""
        looked_into = self._looked_into()
        for root, folder in islice(looked_into, MOST_FOLDERS):
            if _has_skill(folder):
                yield self._read(root, folder)
        self.is_cut = next(looked_into, None) is not None or self._entries_left == 0

    def _looked_into(self) -> Iterator[tuple[Root, Path]]:
        """Each folder of a root, and where that is no skill, those in it: it sorts them."""
        for root in self._roots:
            for folder in self._folders_in(root.path):
                yield root, folder
                if not _has_skill(folder):
                    yield from ((root, inner) for inner in self._folders_in(folder))

    def _folders_in(self, folder: Path) -> list[Path]:
        try:
            with os.scandir(folder) as entries:
                found = list(islice(entries, min(MOST_FOLDERS, self._entries_left)))
        except OSError:
            return []
        self._entries_left -= len(found)
        return sorted(folder / one.name for one in found if _is_folder(one))

    def _read(self, root: Root, folder: Path) -> Skill:
        name = plain(folder.name)
        found = Skill(id=_id(folder), name=name or shown(Path(folder.name)), folder=folder, root=root)
        try:
            # The same way by which its text is read later: what is offered can be read.
            with Folder(folder) as opened:
                found = msgspec.structs.replace(found, id=_id(opened.path), folder=opened.path)
                if self._within is not None and not opened.path.is_relative_to(self._within):
                    return _not(found, "outside")
                text = opened.read(FILE, MOST_BYTES).data.decode(errors="replace")
        except TooLarge:
            return _not(found, "too_large")
        except Forbidden:
            is_link = _is_link(folder) or _is_link(found.folder / FILE)
            return _not(found, "outside" if is_link else "unreadable")
        except (AppError, OSError, RuntimeError):  # the last is what pathlib says of links in circles
            return _not(found, "unreadable")
        return _described(found, text, name)


def in_folder(workspace: Path) -> list[Root]:
    return [Root(workspace / place, "folder", whose) for place, whose in _AT_HOME_AND_HERE.items()]


def in_home(home: Path) -> list[Root]:
    return [Root(home / place, "home", whose) for place, whose in _AT_HOME.items()]


def plain(name: str) -> str:
    """A name as a model can call it; empty where there is nothing to make one of."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:64]


def shown(path: Path) -> str:
    """A path as text, also where it is none."""
    return os.fsencode(path).decode(errors="replace")


def _described(found: Skill, text: str, name: str) -> Skill:
    head = _HEAD.match(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    fields = {field: _one_line(value) for field, value in _FIELD.findall(head[1])} if head else {}
    name = plain(fields.get("name", "")) or name
    description = fields.get("description", "")[:500]
    found = msgspec.structs.replace(found, name=name or found.name, description=description)
    if head is None:
        return _not(found, "no_head")
    if not description:
        return _not(found, "no_description")
    return found if name else _not(found, "no_name")


def _not(found: Skill, problem: Problem) -> Skill:
    return msgspec.structs.replace(found, problem=problem)


def _one_line(value: str) -> str:
    """A text of YAML, which may go on over several lines, without what cannot be seen."""
    begun = _BLOCK.match(f"{value}\n")
    text = " ".join(value[begun.end() if begun else 0 :].split())
    return "".join(one if one.isprintable() else " " for one in text).strip("'\" ")


def _id(folder: Path) -> str:
    return sha256(os.fsencode(folder)).hexdigest()[:32]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in circles, or into what may not be looked at
        return False


def _is_link(path: Path) -> bool:
    try:
        return path.is_symlink()
    except OSError:
        return False


def _has_skill(folder: Path) -> bool:
    """Also where that cannot be found out, so that it is told."""
    try:
        os.lstat(folder / FILE)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
