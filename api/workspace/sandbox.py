"""What holds a program of an agent: bubblewrap, else Landlock, else nothing, which is told and never hidden."""

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from api.workspace.processes import CannotStart, Landlock, start

log = logging.getLogger(__name__)

_TRY_S = 5.0

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix", "/snap")
"""What programs need to run. None of it is written."""
_NAMES = ("/run/systemd/resolve", "/run/resolvconf")
"""Where the system's `/etc/resolv.conf` may lead."""
_TOOLCHAINS = (
    *(".pyenv", ".nvm", ".volta", ".bun", ".deno", ".rbenv", ".asdf", ".sdkman", ".ghcup", ".rustup", "go"),
    *(".cargo/bin", ".cargo/registry", ".cargo/git", ".local/bin", ".local/lib"),
    *(".local/share/uv", ".local/share/mise", ".local/share/pnpm"),
)
"""Below the home folder, what programs are run from; the rest of it cannot be seen."""
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/shm")
"""No terminals: with Landlock they would be those of the person."""


class Confined(msgspec.Struct, frozen=True):
    """How to start a program so that it is held: what to give to `processes.start`; `env` beside the usual."""

    argv: list[str]
    landlock: Landlock | None = None
    env: Mapping[str, str] = {}


class Sandbox(msgspec.Struct, frozen=True, kw_only=True):
    """What a program may reach. `kind` `none` has to be shown to whoever relies on it; `why` says what was missing.

    `hidden`: folders that are not to be seen, wherever they lie. `home`: of it only what programs are run from is seen.
    """

    kind: Literal["bubblewrap", "landlock", "none"]
    why: str = ""
    bubblewrap: str = ""
    home: Path
    hidden: tuple[Path, ...] = ()

    def confined(
        self,
        argv: Sequence[str],
        folder: Path,
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        network: bool = False,
    ) -> Confined:
        """`argv` so that it can change what is below `folder` and nothing else.

        It begins in `cwd`, else in `folder`. `env` is what somebody wants set for it whom nobody need trust.
        """
        env = env or {}
        match self.kind:
            case "bubblewrap":
                # Not for bubblewrap itself, which is held by nothing: what it is told to load would be neither.
                setting = [word for name, value in env.items() for word in ("--setenv", name, value)]
                return Confined([*self._bubblewrapped(folder, cwd or folder, setting, network=network), *argv])
            case "landlock":
                seen = [place for path in self._seen() for place in _without(path, self.hidden)]
                read = (*map(str, seen), "/proc")
                return Confined(list(argv), Landlock(read=read, write=(str(folder), *_DEVICES), tcp=network), env)
        return Confined(list(argv), env=env)

    def _seen(self) -> list[Path]:
        return [Path(one) for one in (*_SYSTEM, *_NAMES)] + [self.home / one for one in _TOOLCHAINS]

    def _bubblewrapped(self, folder: Path, cwd: Path, setting: Sequence[str], *, network: bool) -> list[str]:
        unshared = ["user", "pid", "ipc", "uts", *([] if network else ["net"])]
        words = [self.bubblewrap, "--die-with-parent", *(f"--unshare-{one}" for one in unshared), "--cap-drop", "ALL"]
        words += ["--tmpfs", "/tmp", "--tmpfs", str(self.home)]
        for path in self._seen():
            words += ["--symlink", str(path.readlink()), str(path)] if path.is_symlink() else _bound(path)
        words += ["--proc", "/proc", "--dev", "/dev"]
        for path in self.hidden:
            if any(path.is_relative_to(one) for one in self._seen()):
                words += ["--tmpfs", str(path)]
        return [*words, "--bind", str(folder), str(folder), "--chdir", str(cwd), *setting, "--"]


def _bound(path: Path) -> list[str]:
    return ["--ro-bind-try", str(path), str(path)]


def _without(path: Path, hidden: Iterable[Path]) -> list[Path]:
    """`path`, or what is in it and holds nothing of `hidden`: a right cannot be taken back further down."""
    path = path.resolve()
    if any(path.is_relative_to(one) for one in hidden):
        return []
    if not any(one.is_relative_to(path) for one in hidden):
        return [path]
    with contextlib.suppress(OSError):
        return [place for inner in path.iterdir() for place in _without(inner, hidden)]
    return []


async def find_sandbox(*, mark: str, path: str, home: Path, hidden: Iterable[Path]) -> Sandbox:
    """The best there is here, found by trying it. `path`: where programs are looked for. `mark`: see `processes`."""
    home, hidden = await asyncio.to_thread(lambda: (home.resolve(), tuple(one.resolve() for one in hidden)))
    lacks = []
    if bubblewrap := shutil.which("bwrap", path=path):
        sandbox = Sandbox(kind="bubblewrap", bubblewrap=bubblewrap, home=home, hidden=hidden)
        if not (why := await _failure(sandbox, mark, path)):
            return sandbox
        lacks.append(f"bubblewrap does not work here ({why})")
    else:
        lacks.append("bubblewrap is not installed")
    sandbox = Sandbox(kind="landlock", why="; ".join(lacks), home=home, hidden=hidden)
    if not (why := await _failure(sandbox, mark, path)):
        return sandbox
    lacks.append(f"Landlock does not work here ({why})")
    log.warning("sandbox.none", extra={"why": "; ".join(lacks)})
    return Sandbox(kind="none", why="; ".join(lacks), home=home, hidden=hidden)


async def _failure(sandbox: Sandbox, mark: str, path: str) -> str:
    """Why it does not hold a program here, empty when it does."""
    confined = sandbox.confined(["/bin/sh", "-c", ":"], Path("/usr"))
    try:
        process = await start(
            confined.argv, cwd=Path("/usr"), env={"PATH": path}, mark=mark, landlock=confined.landlock
        )
    except CannotStart as error:
        return error.message
    try:
        async with asyncio.timeout(_TRY_S):
            said = await process.stderr.read()
            code = await process.wait()
        return "" if code == 0 else said.decode(errors="replace").strip()[:200] or f"exit code {code}"
    except TimeoutError:
        return "no answer"
    finally:
        await process.end(grace_s=0)
