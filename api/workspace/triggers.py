"""Which files of a project make programs run something, or tell agents what to do: a change of one needs asking."""

import os
from pathlib import Path

_FOLDERS = frozenset(
    (
        *(".git", ".hg", ".svn", ".jj", ".husky", ".githooks"),  # hooks, and what else is run with each command
        *(".vscode", ".idea", ".zed", ".devcontainer", ".direnv"),
        *(".agents", ".claude", ".codex", ".cursor", ".fireside", ".gemini", ".goose", ".hermes", ".opencode", ".qwen"),
        ".vibe",
    )
)
_FILES = frozenset(
    (
        *(".envrc", ".exrc", ".nvimrc", ".lvimrc", ".pre-commit-config.yaml", ".gitattributes", ".gitmodules"),
        *(".mcp.json", "opencode.json", "opencode.jsonc"),
        *("agents.md", "claude.md", "skill.md"),  # what later answers go by
    )
)


def sets_off(folder: Path, path: str) -> bool:
    """Would a program run something, be let do more or be told to, because of what stands at `path` in `folder`?

    Asked of the name and of what links make of it. Reads the disk.
    """
    whole = os.path.realpath(folder)
    try:
        ways = (os.path.normpath(f"{whole}/{path}" if path[:1] != "/" else path), os.path.realpath(folder / path))
    except ValueError:  # no file can have such a name
        return False
    return any(_is_named(os.path.relpath(way, whole)) for way in ways)


def _is_named(name: str) -> bool:
    *folders, file = name.lower().split("/")  # some disks do not tell capitals apart
    return file in _FILES or not _FOLDERS.isdisjoint([*folders, file])
