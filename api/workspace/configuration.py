"""What in a folder decides what a command does there, beside its own text: files of configuration, by what they hold.

A bounded look, not a proof: see `docs/approvals.md`. Looks into nothing but plain files, and blocks on the disk.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

_MOST_BYTES = 1_000_000
_MOST_WORDS = 100
_MOST_FOLDERS = 8
_MOST_FILES = 200

# Programs that do what their arguments say, whatever lies around them.
_SIMPLE = "ls cat head tail wc pwd echo true false date whoami uname which mkdir touch cp mv rm du df stat file"
_READS_NOTHING = frozenset(f"{_SIMPLE} grep cut uniq tr basename dirname diff tree sleep".split())

_OF_GIT = (".gitattributes", ".gitmodules", ".lfsconfig", ".git", ".git/config", ".git/config.worktree")
_HOOKS = (".git/hooks", ".husky")
_NESTED = (".cargo/config.toml", ".cargo/config", ".vscode/settings.json", ".vscode/tasks.json", ".mvn/maven.config")
_NAMES = re.compile(
    r"""
    package\.json | \.npmrc | \.yarnrc(\.yml)? | pnpm-workspace\.yaml | deno\.jsonc? | bunfig\.toml | turbo\.json
    | nx\.json | lerna\.json | [tj]sconfig(\.[\w-]+)?\.json | [\w.-]+\.config\.[cm]?[jt]s
    | \.(eslint|babel|mocha|swc)rc(\.\w+)?
    | (gnu)?makefile | [\w.-]+\.mk | \.?justfile | taskfile\.ya?ml | rakefile | cmakelists\.txt | build\.ninja
    | meson\.build | sconstruct | dockerfile | (docker-)?compose[\w.-]*\.ya?ml
    | pyproject\.toml | setup\.(py|cfg) | tox\.ini | \.?pytest\.ini | conftest\.py | sitecustomize\.py | noxfile\.py
    | tasks\.py | dodo\.py | fabfile\.py | manage\.py | pipfile | uv\.toml | mypy\.ini | \.coveragerc
    | \.pre-commit-config\.yaml
    | cargo\.toml | build\.rs | rust-toolchain(\.toml)? | go\.(mod|work) | gradlew | mvnw | pom\.xml | build\.(xml|sbt)
    | (build|settings)\.gradle(\.kts)? | gradle\.properties | gemfile | composer\.json | mix\.exs | package\.swift
    | directory\.build\.\w+ | \.env(\.[\w.-]+)? | \.envrc | \.tool-versions | \.?mise\.toml
    """,
    re.VERBOSE | re.IGNORECASE,
)

_PARTS = re.compile(r"[;&|\n(){}`]")
_WORDS = re.compile(r"[\w./@+~%-]+")


def decides(command: str, folder: Path) -> dict[str, str]:
    """The files that decide what `command` does in `folder`, by name, each with a hash of what it holds.

    Those of the folder itself and of the folders in it that the command names, and each file of it that it names.
    """
    programs = {_program(part) for part in _PARTS.split(command)} - {""}
    if programs <= _READS_NOTHING:
        return {}
    words = list(dict.fromkeys(_WORDS.findall(command)))[:_MOST_WORDS]
    named = [folder / word for word in words]
    places = [folder, *[path for path in named if _is_below(folder, path) and path.is_dir()][:_MOST_FOLDERS]]
    of_git = [path for place in places for path in _of_git(place)]
    if programs <= _READS_NOTHING | {"git"}:
        return _hashes(folder, of_git)
    configured = (path for place in places for path in _configured(place))
    below = (place / word for place in places for word in words)
    return _hashes(folder, [*of_git, *configured, *below])


def _program(part: str) -> str:
    """The first word of a command, as it is written: one that is quoted or made up of variables is no known program."""
    return (part.split(maxsplit=1) or [""])[0]


def _is_below(folder: Path, path: Path) -> bool:
    return path != folder and Path(os.path.normpath(path)).is_relative_to(folder)


def _configured(place: Path) -> Iterator[Path]:
    yield from (place / name for name in _NESTED)
    yield from (path for path in _in(place) if _NAMES.fullmatch(path.name))


def _of_git(place: Path) -> Iterator[Path]:
    yield from (place / name for name in _OF_GIT)
    yield from (path for hooks in _HOOKS for path in _in(place / hooks) if path.suffix != ".sample")


def _in(place: Path) -> list[Path]:
    try:
        return sorted(place.iterdir())
    except OSError:
        return []


def _hashes(folder: Path, paths: Iterable[Path]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in paths:
        whole = Path(os.path.normpath(path))
        name = str(whole.relative_to(folder)) if _is_below(folder, path) else ""
        if len(found) < _MOST_FILES and name and name not in found and (held := _hash(whole)):
            found[name] = held
    return found


def _hash(path: Path) -> str:
    """What a plain file holds, in short; of a large one when it was last changed. Empty where there is none."""
    try:
        # Never waits for one who would write into a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return ""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        return ""
    with os.fdopen(descriptor, "rb") as file:
        if status.st_size > _MOST_BYTES:
            return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]
