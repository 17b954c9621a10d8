"""The command line: `serve` unless another command is named."""

import argparse
import contextlib
import json
import logging
import os
import signal
import sys
import time
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from api import __version__
from api.settings import Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from api.sessions.disk.files import FolderLocked

log = logging.getLogger(__name__)


class _Refused(Exception):
    """A command cannot be carried out. The message is a sentence."""


class Arguments(argparse.Namespace):
    """What stands on the command line besides settings."""

    command: str
    path: Path | None
    name: str | None
    fix: bool
    with_secrets: bool
    move_aside: bool


Command = Callable[[Settings, Arguments], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code. What goes wrong is said in one sentence on standard error."""
    # Until the server takes its signals over, Ctrl-C ends the process as SIGTERM does, which every write survives. An
    # exception could get lost: what is raised in a callback, as imports have them, is only printed.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    arguments = _parsed(argv)
    try:
        settings = load_settings(**{name: getattr(arguments, name) for name in _SETTINGS})
        _set_up_logging(settings)
        return COMMANDS[arguments.command](settings, arguments)
    except (SettingsError, _Refused) as error:
        return _cannot(str(error))
    except OSError as error:
        return _cannot(f"{_what(error)} ({error.filename or 'no file'}).")


def _set_up_logging(settings: Settings) -> None:
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(name)s %(message)s")
    # What other libraries log at lower levels holds addresses, and some of it what people wrote.
    for library in ("httpx2", "httpcore2", "openai", "anthropic", "google_genai", "asyncio"):
        logging.getLogger(library).setLevel(logging.WARNING)
    # Its errors quote what a server sent.
    logging.getLogger("mcp").setLevel(logging.CRITICAL)


def serve(settings: Settings, _: Arguments) -> int:
    """Start the server and print a link that signs this browser in (the default)."""
    from api.access.hosts import is_loopback
    from api.sessions.disk.drives import warning_about
    from api.sessions.disk.files import FolderLocked, lock_folder, make_folder
    from api.sessions.keeping.format import NewerFormat, check_format

    if not is_loopback(settings.host) and not settings.token:
        return _cannot(
            f"Fireside will not listen at {settings.host} without a login, because whoever reaches it could use your "
            "machine. Set FIRESIDE_TOKEN to a long secret, or leave the host at 127.0.0.1."
        )
    if settings.state_dir.resolve() in (Path(settings.state_dir.anchor), Path.home().resolve()):
        return _cannot(
            f"Fireside does not keep its data in {settings.state_dir} itself, among everything else that is there. "
            "Name a folder for it with --state-dir."
        )
    try:
        check_format(settings.state_dir)
        make_folder(settings.state_dir)
        lock = lock_folder(settings.state_dir)
    except NewerFormat as error:
        return _cannot(str(error))
    except FolderLocked as error:
        return _cannot(
            f"Fireside already runs with the folder {settings.state_dir} ({_who(error)}). "
            "`./run link` prints a link to it."
        )
    except OSError as error:
        return _cannot(
            f"Fireside cannot keep its data in {settings.state_dir}: {_why_no_folder(error)}. "
            "Name another folder with --state-dir."
        )
    if warning := warning_about(settings.state_dir):
        print(warning, file=sys.stderr)
    try:
        return _serve_locked(settings)
    finally:
        lock.release()


def _serve_locked(settings: Settings) -> int:
    from api.http.server import bind

    if closed := _first_closed(settings.state_dir):
        return _cannot(closed)
    try:
        listener = bind(settings.host, settings.port)
    except OSError as error:
        return _cannot(f"{_why_not_bound(error, settings)}")
    from api.app import House
    from api.http.server import make_server
    from api.sessions.keeping.backup import BackupFailed
    from api.sessions.keeping.format import bring_up_to_date

    try:
        bring_up_to_date(settings.state_dir)
    except BackupFailed as error:
        return _cannot(f"Nothing was changed, because the folder could not be copied first. {error}")
    port = listener.getsockname()[1]
    address = _address(settings.host, port)
    house = House(settings, port)
    _tell_address(settings, address)
    server = make_server(house.asgi, house.begin_closing)
    server.on_started = lambda: _say_hello(settings, f"{address}/#code={house.rooms.tokens.new_code()}")
    server.run(sockets=[listener])
    return 0


def _first_closed(state_dir: Path) -> str | None:
    """Why the data cannot be used: somebody else's rights stand in the way."""
    from api.app import close_secrets
    from api.sessions.disk.rights import first_closed

    if folder := first_closed(state_dir):
        return (
            f"Fireside may not use the folder {folder}, which holds a part of its data. "
            "Give yourself the right to read and write it, then start again."
        )
    try:
        close_secrets(state_dir)
    except PermissionError as error:
        return (
            f"Fireside does not use {error.filename}, because others may read it and it belongs to someone else. "
            "Make it yours or move it away, then start again."
        )
    return None


def _tell_address(settings: Settings, address: str) -> None:
    """Write down where the server is, for `link`. A full disk must not keep it from starting: reading still works."""
    from api.sessions.disk.files import StateFile

    try:
        StateFile(settings.state_dir / "server.json").write({"pid": os.getpid(), "address": address})
    except OSError as error:
        log.warning("server.address_not_written", extra={"why": str(error)})


def link(settings: Settings, _: Arguments) -> int:
    """Print a link to the running server that signs one more browser in."""
    from api.running_server import NotRunning, Refused, RunningServer

    server = RunningServer(settings)
    try:
        print(server.address + server.post("/api/auth/link")["path"])
    except (NotRunning, Refused):
        return _cannot(f"No server runs with the folder {settings.state_dir}. `./run` starts one.")
    return 0


def agents(settings: Settings, arguments: Arguments) -> int:
    """List the agents found here; `agents install NAME` installs one that is known, with its progress."""
    from api import agent_listing
    from api.domain.errors import AppError
    from api.running_server import Refused

    wanted = (str(arguments.path or ""), arguments.name or "")
    try:
        if wanted == ("", ""):
            return agent_listing.show(settings)
        if wanted[0] == "install" and wanted[1]:
            return agent_listing.install(settings, wanted[1], _held)
    except (AppError, Refused) as error:
        return _cannot(str(error))
    return _cannot("Say `./run agents` or `./run agents install NAME`.")


def doctor(settings: Settings, arguments: Arguments) -> int:
    """Check everything in the state folder and change nothing; with --fix, move what is broken aside."""
    from api.runs.doctor import examine, store_of_files
    from api.runs.mending import mend

    if arguments.fix and settings.state_dir.is_dir():
        with _held(settings):
            for line in mend(settings.state_dir, settings.runs_dir):
                print(f"* {line}")
    report = examine(store_of_files(settings.sessions_dir), settings.state_dir, settings.runs_dir)
    for line in report.lines:
        print(line)
    return 1 if report.problems else 0


@contextlib.contextmanager
def _held(settings: Settings) -> Iterator[None]:
    """The state folder for this process alone.

    Raises:
        _Refused: a server uses it, or a newer program wrote it.
    """
    from api.sessions.disk.files import FolderLocked, lock_folder
    from api.sessions.keeping.format import NewerFormat, check_format

    try:
        check_format(settings.state_dir)
        lock = lock_folder(settings.state_dir)
    except NewerFormat as error:
        raise _Refused(str(error)) from error
    except FolderLocked as error:
        raise _Refused(
            f"A server uses the folder {settings.state_dir} ({_who(error)}). Stop it first; nothing was changed."
        ) from error
    try:
        yield
    finally:
        lock.release()


def backup(settings: Settings, arguments: Arguments) -> int:
    """Copy all data into one file, PATH, while the server goes on; keys and tokens only with --with-secrets."""
    from api.sessions.keeping.backup import BackupFailed, write_backup

    name = f"fireside-{time.strftime('%Y-%m-%d-%H%M%S')}.zip"
    target = (arguments.path or Path(name)).expanduser().absolute()
    if target.is_dir():
        target = target / name
    try:
        manifest = write_backup(settings.state_dir, target, with_secrets=arguments.with_secrets)
    except BackupFailed as error:
        return _cannot(str(error))
    except FileExistsError:
        return _cannot(f"{target} is there already and was left as it is. Name another file.")
    print(f"{target} holds {len(manifest.files)} files, read back and compared.")
    for skipped in manifest.skipped:
        print(f"! {skipped} was left out: it is no plain file that can be read.")
    if not arguments.with_secrets:
        print("Keys, tokens and config.toml are not in it; --with-secrets takes them too.")
    return 0


def restore(settings: Settings, arguments: Arguments) -> int:
    """Make the state folder what the backup PATH holds; only an empty one, or with --move-aside any."""
    from api.sessions.keeping.restoring import NotRestored, restore_backup

    if arguments.path is None:
        return _cannot("Say which backup: `./run restore PATH`.")
    is_replacing = arguments.move_aside and settings.state_dir.is_dir()
    source = arguments.path.expanduser().absolute()
    try:
        with _held(settings) if is_replacing else contextlib.nullcontext():
            manifest, aside = restore_backup(source, settings.state_dir, move_aside=arguments.move_aside)
    except NotRestored as error:
        return _cannot(str(error))
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(manifest.made_at))
    print(f"{settings.state_dir} is what it was on {made}: {len(manifest.files)} files, each compared.")
    if aside is not None:
        print(f"What was there before is in {aside}.")
    if not manifest.with_secrets:
        print("The backup holds no keys and tokens: connect your providers again.")
    return 0


def reindex(settings: Settings, _: Arguments) -> int:
    """Build the index of sessions anew from their documents."""
    from api import models

    with _held(settings):
        models.use_folder(settings.sessions_dir)
        models.store.reindex()
        print(f"{models.store.count()} sessions indexed.")
        models.store.close()
    return 0


def openapi(_: Settings, __: Arguments) -> int:
    """Print the description of the HTTP API."""
    from api.app import describe

    json.dump(describe(), sys.stdout, indent=1, sort_keys=True)
    print()
    return 0


COMMANDS: dict[str, Command] = {
    one.__name__: one for one in (serve, link, agents, doctor, backup, restore, reindex, openapi)
}


_SETTINGS = ("host", "port", "state_dir", "browser")
_OPTIONS = {
    "path": ("backup", "restore", "agents"),
    "name": ("agents",),
    "fix": ("doctor",),
    "with_secrets": ("backup",),
    "move_aside": ("restore",),
}
"""Which commands take what."""


def _parsed(argv: Sequence[str] | None) -> Arguments:
    parser = _parser()
    arguments = parser.parse_args(argv, Arguments())
    for name, commands in _OPTIONS.items():
        if getattr(arguments, name) and arguments.command not in commands:
            parser.error(f"{arguments.command} takes no {name.replace('_', '-')}; {' and '.join(commands)} do")
    return arguments


def _parser() -> argparse.ArgumentParser:
    sentences = [f"  {name:9} {(run.__doc__ or '').strip()}" for name, run in COMMANDS.items()]
    parser = argparse.ArgumentParser(
        prog="fireside",
        usage="%(prog)s [command] [PATH] [options]",
        description="A self-hosted home for conversations with AI agents.\n\ncommands:\n" + "\n".join(sentences),
        epilog="Every setting, with its name in the environment and the config file: docs/settings.md",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("command", nargs="?", choices=COMMANDS, default="serve", help=argparse.SUPPRESS)
    parser.add_argument("path", nargs="?", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("name", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("--host", help="address to listen at (127.0.0.1)")
    parser.add_argument("--port", help="port to listen at (8787); 0 takes a free one")
    parser.add_argument("--state-dir", type=Path, help="folder that holds all data")
    parser.add_argument(
        "--no-browser", dest="browser", action="store_false", default=None, help="do not open a browser"
    )
    parser.add_argument("--fix", action="store_true", help="doctor: move aside what is broken, build anew what can be")
    parser.add_argument("--with-secrets", action="store_true", help="backup: keys and tokens too")
    parser.add_argument("--move-aside", action="store_true", help="restore: keep what is in the folder beside it")
    parser.add_argument("--version", action="version", version=__version__)
    return parser


def _who(error: "FolderLocked") -> str:
    since = time.strftime(", since %Y-%m-%d %H:%M", time.localtime(error.since)) if error.since else ""
    return f"process {error.pid}{since}"


def _address(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"


def _say_hello(settings: Settings, address: str) -> None:
    print(f"\n  Fireside is ready. This link signs your browser in, once:\n\n  {address}\n", flush=True)
    print(f"  Data: {settings.state_dir}    Stop: Ctrl-C    Another link: ./run link\n", flush=True)
    if settings.browser and _has_browser():
        webbrowser.open(address)


def _has_browser() -> bool:
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def _why_not_bound(error: OSError, settings: Settings) -> str:
    import errno

    where = f"{settings.host}:{settings.port}"
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {settings.port} is taken by another program. Start with --port 0 to use a free one."
        case errno.EACCES:
            return f"Fireside may not listen at {where}: ports below 1024 are for administrators. Choose another port."
        case errno.EADDRNOTAVAIL:
            return f"The address {settings.host} is not one of this machine. Leave the host at 127.0.0.1."
    return f"Fireside cannot listen at {where}: {error.strerror}."


def _why_no_folder(error: OSError) -> str:
    import errno

    match error.errno:
        case errno.ENOTDIR | errno.EEXIST:
            return "there is a file where the folder should be"
        case errno.EROFS:
            return "the disk is read-only"
        case errno.EACCES | errno.EPERM:
            return "you may not write there"
        case errno.ENOSPC | errno.EDQUOT:
            return "the disk is full"
        case errno.ENOLCK | errno.ENOTSUP:
            return "this disk cannot lock files, as some network drives cannot, and two servers would spoil it"
        case errno.EISDIR:
            return "there is a folder where its lock file should be"
    return (error.strerror or str(error)).lower()


def _what(error: OSError) -> str:
    return f"Fireside cannot go on: {error.strerror or error}"


def _cannot(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2
