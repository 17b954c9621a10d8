"""Programs that are started so that each can be ended with all that it started.

Each runs below a guard of its own (`guard.py`), which ends everything when it is told to, or when this process is gone.
Everything carries a mark in its environment, by which it is found again should the guard itself be killed.
"""

import asyncio
import contextlib
import errno
import functools
import json
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from api.domain.errors import Unavailable

log = logging.getLogger(__name__)

_GUARD = Path(__file__).with_name("guard.py")
_MARK = "FIRESIDE_MARK"
_GUARD_S = 5.0
"""How long the guard may take to end everything, beyond the grace it was asked to give."""
_START_S = 20.0
_PIECES_OF_PIPE = 16
"""A pipe holds at most a megabyte, unless someone goes on filling it."""


class CannotStart(Unavailable):
    """The program was not started. The message is a sentence that says why."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a program and all that it starts may use; 0 is no limit.

    `processes` and `memory_bytes` count the whole family, and when one is passed the family is ended. Each process by
    itself is held to `memory_bytes`, `file_bytes` (the size of a file it writes), `cpu_s` and `open_files`.
    """

    processes: int = 0
    memory_bytes: int = 0
    file_bytes: int = 0
    cpu_s: int = 0
    open_files: int = 0


class Landlock(msgspec.Struct, frozen=True, kw_only=True):
    """The only places that a program may reach: `read` to read and execute, `write` for anything."""

    read: tuple[str, ...]
    write: tuple[str, ...]
    tcp: bool = False


class _Fact(msgspec.Struct):
    """What a guard says; one field at a time."""

    pid: int = 0
    over: str = ""
    ended: int | None = None
    gone: bool = False


def mark_of(state_folder: Path) -> str:
    """The mark of all programs that the server with this state folder starts."""
    return sha256(os.fsencode(state_folder.resolve())).hexdigest()[:16]


class Process:
    """A running program. Whoever started it calls `end`, also when it has ended by itself.

    `pid` is the program's own. `stdin` is None unless it was wanted. `over_limit` is `processes` or `memory` once
    everything was ended for it.
    """

    def __init__(self, channel: "_Channel", pid: int, streams: "_Streams") -> None:
        self.pid = pid
        self.over_limit = ""
        self.stdin = streams.stdin
        self.stdout = streams.stdout
        self.stderr = streams.stderr
        self._streams = streams
        self._channel = channel
        loop = asyncio.get_running_loop()
        self._returncode: asyncio.Future[int] = loop.create_future()
        self._following = loop.create_task(self._follow())
        self._ending: asyncio.Task[None] | None = None

    @property
    def returncode(self) -> int | None:
        """None while the program runs; negative when a signal ended it."""
        return self._returncode.result() if self._returncode.done() else None

    async def wait(self) -> int:
        """The `returncode`, once the program has ended; what it left running goes on until `end`."""
        return await asyncio.shield(self._returncode)

    async def end(self, grace_s: float = 0.5) -> None:
        """End the program and all that it started; return when nothing of it is left.

        It is asked to (SIGTERM), and made to after `grace_s`. What it had written can still be read, as far as it was
        held or arrives within a moment.
        """
        if self._ending is None:
            self._ending = asyncio.get_running_loop().create_task(self._end(grace_s))
        await asyncio.shield(self._ending)

    async def _end(self, grace_s: float) -> None:
        self._channel.guard.send_signal(signal.SIGCONT)  # should the program have stopped it
        self._channel.say(b"end %f\n" % grace_s)
        await asyncio.wait([self._following], timeout=grace_s + _GUARD_S)
        if not self._following.done():
            self._channel.guard.kill()
        await self._following
        await self._streams.close()

    async def _follow(self) -> None:
        """Take in what the guard says, until all is gone."""
        is_gone = False
        while fact := await self._channel.hear():
            self.over_limit = fact.over or self.over_limit
            is_gone = is_gone or fact.gone
            if fact.ended is not None:
                self._returncode.set_result(fact.ended)
        if not is_gone:
            log.warning("process.guard_killed", extra={"pid": self.pid})
        await self._channel.close(is_gone=is_gone)
        if not self._returncode.done():
            self._returncode.set_result(-signal.SIGKILL)


async def start(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    mark: str,
    wants_stdin: bool = False,
    joins_errors: bool = False,
    limits: Limits | None = None,
    landlock: Landlock | None = None,
    line_bytes: int = 1 << 16,
) -> Process:
    """Start `argv` in the folder `cwd` with exactly the environment `env`, beside the mark.

    `mark`: see `mark_of`. `joins_errors`: what it writes as errors comes among its output, in order. `line_bytes`: the
    longest line that `readline` of its output takes; twice that is held.

    Raises:
        CannotStart: there is no such program, it may not be executed, the folder is gone.
    """
    if not argv or any("\0" in word for word in (*argv, str(cwd), *env, *env.values())):
        raise CannotStart("A command is needed, and no part of it may hold a NUL character.")
    own_mark = f"{mark}-{secrets.token_hex(8)}"
    spec: dict[str, Any] = {
        "argv": list(argv),
        "env": {**env, _MARK: own_mark},
        "cwd": str(cwd),
        "limits": msgspec.to_builtins(limits or Limits()),
        "landlock": msgspec.to_builtins(landlock),
    }
    opening = functools.partial(_spawn, own_mark, wants_stdin=wants_stdin, joins_errors=joins_errors)
    starting = asyncio.get_running_loop().create_task(_started(spec, cwd, line_bytes, opening))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.shield(_end_once_started(starting))
        raise


async def _started(
    spec: dict[str, Any], cwd: Path, line_bytes: int, opening: "Callable[[], tuple[_Channel, _Streams]]"
) -> Process:
    try:
        channel, streams = opening()
    except OSError as error:
        raise CannotStart(_why("guard", error.errno or 0, spec["argv"][0], cwd)) from error
    fact, failure = None, b"guard 0"
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_START_S):
            await streams.connect(line_bytes)
            await channel.connect()
            # Names of files that are no UTF-8 hold lone surrogates, which go through the escapes of ASCII.
            channel.say(json.dumps(spec).encode() + b"\n")
            fact = await channel.hear()
            failure = await streams.failing.read() or (b"" if fact is not None else failure)
    if fact is None or failure:
        await channel.close(is_gone=False)
        await streams.close()
        stage, _, number = failure.decode().partition(" ")
        raise CannotStart(_why(stage, int(number), spec["argv"][0], cwd))
    return Process(channel, fact.pid, streams)


async def _end_once_started(starting: asyncio.Task[Process]) -> None:
    with contextlib.suppress(CannotStart):
        process = await starting
        await process.end(grace_s=0)


def _why(stage: str, number: int, program: str, cwd: Path) -> str:
    if stage == "cwd":
        known = {errno.ENOENT: "is gone", errno.ENOTDIR: "is not a folder", errno.EACCES: "may not be entered"}
        return f"The folder {str(cwd)!r} {known.get(number, 'cannot be entered')}, so nothing was started in it."
    if stage == "argv":
        known = {
            errno.ENOENT: "was not found, or the program that its first line names was not",
            errno.EACCES: "may not be executed",
            errno.ENOEXEC: "is no program that this system can run",
            errno.E2BIG: "was given more text than a command may have",
        }
        return f"{program!r} was not started: it {known.get(number, os.strerror(number).lower())}."
    why = f": {os.strerror(number).lower()}" if number else ""
    return f"{program!r} was not started, because what should hold it ({stage}) could not be set up{why}."


def _spawn(mark: str, *, wants_stdin: bool, joins_errors: bool) -> tuple["_Channel", "_Streams"]:
    ours, theirs = socket.socketpair()
    out, err, failing = os.pipe(), os.pipe(), os.pipe()
    into = os.pipe() if wants_stdin else None
    handed_over = [out[1], err[1], failing[1], *(into[:1] if into else ())]
    passed = [theirs.fileno(), failing[1]]
    try:
        guard = subprocess.Popen(
            [sys.executable, "-I", "-S", "-X", "utf8", str(_GUARD), *map(str, passed)],
            env={_MARK: mark},
            cwd="/",
            start_new_session=True,
            pass_fds=passed,
            stdin=into[0] if into else subprocess.DEVNULL,
            stdout=out[1],
            stderr=out[1] if joins_errors else err[1],
        )
    except BaseException:
        ours.close()
        for descriptor in (out[0], err[0], failing[0], *(into[1:] if into else ())):
            os.close(descriptor)
        raise
    finally:
        theirs.close()
        for descriptor in handed_over:
            os.close(descriptor)
    return _Channel(ours, guard, mark), _Streams(out[0], err[0], failing[0], into[1] if into else None)


class _Channel:
    """Our end of what is said to a guard and by it."""

    def __init__(self, sock: socket.socket, guard: subprocess.Popen[bytes], mark: str) -> None:
        self.guard = guard
        self._sock = sock
        self._mark = mark
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def connect(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(sock=self._sock)

    def say(self, line: bytes) -> None:
        assert self._writer is not None
        if not self._writer.is_closing():
            self._writer.write(line)

    async def hear(self) -> _Fact | None:
        """The next thing the guard says; None when it has gone."""
        assert self._reader is not None
        try:
            line = await self._reader.readline()
            return msgspec.json.decode(line, type=_Fact) if line else None
        except (OSError, ValueError):  # it died in the middle of a word
            return None

    async def close(self, *, is_gone: bool) -> None:
        """Hang up, at which the guard ends all there is; unless `is_gone`, look for what it may have missed."""
        if self._writer is not None:
            self._writer.close()
        self._sock.close()
        await asyncio.to_thread(self._see_off, is_gone)

    def _see_off(self, is_gone: bool) -> None:
        try:
            self.guard.wait(_GUARD_S)
        except subprocess.TimeoutExpired:
            self.guard.kill()
            self.guard.wait()
            is_gone = False
        if not is_gone and (left := end_marked(self._mark)):
            log.error("process.survived", extra={"left": left})


class _Streams:
    """Our ends of a program's standard streams, and of what says why there is none."""

    stdout: asyncio.StreamReader
    stderr: asyncio.StreamReader
    failing: asyncio.StreamReader
    stdin: asyncio.StreamWriter | None = None

    def __init__(self, stdout: int, stderr: int, failing: int, stdin: int | None) -> None:
        self._readable = [os.fdopen(descriptor, "rb", buffering=0) for descriptor in (stdout, stderr, failing)]
        self._writable = None if stdin is None else os.fdopen(stdin, "wb", buffering=0)
        self._protocols: list[_Readable] = []
        self._transports: list[asyncio.BaseTransport] = []

    async def connect(self, line_bytes: int) -> None:
        readers = [await self._connect_readable(file, line_bytes) for file in self._readable]
        self.stdout, self.stderr, self.failing = readers
        if self._writable is not None:
            loop = asyncio.get_running_loop()
            protocol = asyncio.StreamReaderProtocol(asyncio.StreamReader())
            transport, _ = await loop.connect_write_pipe(lambda: protocol, self._writable)
            self.stdin = asyncio.StreamWriter(transport, protocol, None, loop)

    async def _connect_readable(self, file: BinaryIO, line_bytes: int) -> asyncio.StreamReader:
        reader = asyncio.StreamReader(limit=line_bytes)
        protocol = _Readable(reader)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, file)
        self._transports.append(transport)
        self._protocols.append(protocol)
        return reader

    async def close(self) -> None:
        """Take what is still on its way, so that a reader who is behind finds all of it, and wait for nobody.

        Who is left may hold a pipe from elsewhere; of the program nobody is.
        """
        for file, protocol, transport in zip(self._readable, self._protocols, self._transports, strict=False):
            if not (protocol.has_ended or file.closed):
                _take_the_rest(file.fileno(), protocol.reader)
            transport.close()
        if self.stdin is not None and not self.stdin.is_closing():
            self.stdin.transport.abort()


class _Readable(asyncio.StreamReaderProtocol):
    def __init__(self, reader: asyncio.StreamReader) -> None:
        super().__init__(reader)
        self.reader = reader
        self.has_ended = False

    def eof_received(self) -> bool | None:
        self.has_ended = True
        return super().eof_received()


def _take_the_rest(descriptor: int, reader: asyncio.StreamReader) -> None:
    for _ in range(_PIECES_OF_PIPE):
        try:
            data = os.read(descriptor, 1 << 16)
        except BlockingIOError:
            return
        if not data:
            return
        reader.feed_data(data)


def end_marked(mark: str, *, within_s: float = 3.0) -> list[int]:
    """End every process that carries `mark` or one that begins with it; returns those that would not go. Blocks.

    At a server's start, with `mark_of` its state folder: what an earlier life of it left behind.
    """
    until = time.monotonic() + within_s
    while True:
        left = []
        for pid in _marked(mark):  # first nobody may start another
            left.append(pid)
            _send(pid, signal.SIGSTOP)
        for pid in left:
            _send(pid, signal.SIGKILL)
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.01)


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _marked(mark: str) -> Iterator[int]:
    wanted = f"{_MARK}={mark}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        # Another's process may not be looked into, and one that is ending has no environment any more.
        with contextlib.suppress(OSError):
            if wanted in (folder / "environ").read_bytes() and int(folder.name) != os.getpid():
                yield int(folder.name)
