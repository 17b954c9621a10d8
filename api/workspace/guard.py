"""The guard of one program: starts it, holds it to its limits, and ends it with all that it started. Run as a script.

Whoever is orphaned falls to the guard (child subreaper), so nothing gets away by forking twice or by `setsid`. It is
told what to do through a socket, and when that closes, for whatever reason, it ends everything: a killed server leaves
no program behind.

The server writes one JSON line: `argv`, `env`, `cwd`, `limits` (see `processes.Limits`), `landlock` (see `_confine`).
Later it may write `end <seconds>`. The guard answers in JSON lines: `{"pid": 7}`, then `{"over": "memory"}` when a
limit was passed, `{"ended": -9}` (negative: by that signal), and last, once nothing is left, `{"gone": true}`. A second
pipe is closed when the program has started, or says why it has not: `argv 2`, the stage and the `errno`.

It imports nothing but the standard library, and not even `site`: it is started for every command.
"""

import ctypes
import errno
import json
import os
import resource
import select
import signal
import struct
import sys
import time
from collections.abc import Iterator
from typing import Any, NoReturn

_LIBC = ctypes.CDLL(None, use_errno=True)
_IS_LINUX = sys.platform == "linux"
_SET_NO_NEW_PRIVS, _SET_CHILD_SUBREAPER = 38, 36
_DROP_POWER = 24
_KEPT_POWERS = (0, 1, 3, 4)  # CHOWN, DAC_OVERRIDE, FOWNER, FSETID
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_LOOK_S = 0.2
"""How often the limits of the whole family are looked at."""
_PAGE = resource.getpagesize()


def main() -> None:
    channel, failing = int(sys.argv[1]), int(sys.argv[2])
    for ours in (channel, failing):
        os.set_inheritable(ours, False)
    spec, rest = _first_line(channel)
    for quiet in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(quiet, signal.SIG_IGN)
    if _IS_LINUX:
        _LIBC.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        _go_first()
    temp = _own_temp(spec) if spec["landlock"] else ""
    try:
        child = _start(spec, channel, failing)
        Guard(channel, child, spec["limits"]).watch(rest)
    finally:
        if temp:
            _remove(temp)


def _first_line(channel: int) -> tuple[dict[str, Any], bytes]:
    data = b""
    while b"\n" not in data:
        chunk = os.read(channel, 1 << 20)
        if not chunk:
            sys.exit(1)
        data += chunk
    line, _, rest = data.partition(b"\n")
    return json.loads(line), rest


def say(channel: int, **fact: object) -> None:
    try:
        os.write(channel, json.dumps(fact).encode() + b"\n")
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ECONNRESET):  # the server has gone; what it started goes too
            raise


def _own_temp(spec: dict[str, Any]) -> str:
    """A folder for what the program would put into `/tmp`, where it may not look for what others have put there."""
    temp = f"/tmp/fireside-{os.urandom(8).hex()}"
    os.mkdir(temp, 0o700)
    spec["landlock"]["write"].append(temp)
    spec["env"]["TMPDIR"] = temp
    return temp


def _remove(temp: str) -> None:
    import shutil

    shutil.rmtree(temp, ignore_errors=True)


def _go_first() -> None:
    """No kernel counts the processes of root; there only one who always gets the processor wins against a flood."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except PermissionError:
        return  # nobody's flood either: the kernel holds it back


def _start(spec: dict[str, Any], channel: int, failing: int) -> int:
    """The program, about to run. What keeps it from doing so is said into `failing`, which a good start closes."""
    waiting, go = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(go)
            # It may do to its guard whatever it likes, but only once the server knows of it.
            if os.read(waiting, 1):
                _become(spec, failing)
        finally:
            os._exit(127)
    # Else a reader would never see the end of what the program writes.
    null = os.open(os.devnull, os.O_RDONLY)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    for descriptor in (waiting, failing):
        os.close(descriptor)
    say(channel, pid=child)
    os.write(go, b"!")
    os.close(go)
    return child


def _become(spec: dict[str, Any], failing: int) -> NoReturn:
    """Be the program, or say what went wrong and end."""
    stage = "argv"
    try:
        os.setsid()
        for usual in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(usual, signal.SIG_DFL)
        stage = "cwd"
        os.chdir(spec["cwd"])
        stage = "limits"
        _limit(spec["limits"])
        if _IS_LINUX:
            _LIBC.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            _be_taken_first()
        if spec["landlock"]:
            stage = "landlock"
            _drop_powers()
            _confine(**spec["landlock"])
        stage = "argv"
        os.execvpe(spec["argv"][0], spec["argv"], spec["env"])
    except OSError as error:
        os.write(failing, f"{stage} {error.errno or 0}".encode())
    os._exit(127)


def _limit(limits: dict[str, float]) -> None:
    """What the kernel holds each process to. The whole family is counted by `Guard`."""
    _lower(resource.RLIMIT_CORE, 0)
    if seconds := int(limits["cpu_s"]):
        _lower(resource.RLIMIT_CPU, seconds)
    if size := int(limits["file_bytes"]):
        _lower(resource.RLIMIT_FSIZE, size)
    if files := int(limits["open_files"]):
        _lower(resource.RLIMIT_NOFILE, files)
    if memory := int(limits["memory_bytes"]):
        # Not the address space, of which many a runtime reserves far more than it ever touches.
        _lower(resource.RLIMIT_DATA, memory)
    if _IS_LINUX and os.getuid() and (processes := int(limits["processes"])):
        # The kernel counts whatever the person runs, threads too: a dam against the flood between two looks.
        _lower(resource.RLIMIT_NPROC, _threads_of_this_user() + 2 * processes)
    if any(limits.values()):
        os.nice(10)


def _be_taken_first() -> None:
    """Should memory run out, the kernel takes the program and not the server."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("800")
    except OSError as error:
        if error.errno != errno.EROFS:  # as some containers have it
            raise


def _lower(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))


def _threads_of_this_user() -> int:
    count = 0
    for pid in _all_pids():
        try:
            if os.stat(f"/proc/{pid}").st_uid == os.getuid():
                count += len(os.listdir(f"/proc/{pid}/task"))
        except OSError:
            continue
    return count


def _drop_powers() -> None:
    """Root keeps its rights over files and no other: some would see into the memory of what is outside."""
    for power in range(64):
        if power not in _KEPT_POWERS:
            _LIBC.prctl(_DROP_POWER, power, 0, 0, 0)  # refused to all but root, who alone has any


def _confine(*, read: list[str], write: list[str], tcp: bool) -> None:
    """Let this process and its children reach only what lies below `read` and `write`; a missing path is left out.

    Raises:
        OSError: the kernel has no Landlock.
    """
    abi = _call(_CREATE_RULESET, None, 0, 1)
    full = (1 << (13 + (abi >= 2) + (abi >= 3) + (abi >= 5))) - 1
    of_files = full & (1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15)
    reading = 1 << 0 | 1 << 2 | 1 << 3  # execute, read a file, list a folder
    net = 0b11 if abi >= 4 and not tcp else 0  # bind, connect
    scope = 0b11 if abi >= 6 else 0  # abstract sockets and signals stay among themselves
    attributes = struct.pack("QQQ", full, net, scope)[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    rules = _call(_CREATE_RULESET, attributes, len(attributes), 0)
    for paths, rights in ((read, reading), (write, full)):
        for path in paths:
            try:
                place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            mask = rights if os.path.isdir(path) else rights & of_files
            _call(_ADD_RULE, rules, 1, struct.pack("=Qi", mask, place), 0)
            os.close(place)
    _call(_RESTRICT_SELF, rules, 0)
    os.close(rules)


def _call(number: int, *arguments: object) -> int:
    answer = _LIBC.syscall(number, *arguments)
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer


class Guard:
    def __init__(self, channel: int, child: int, limits: dict[str, float]) -> None:
        self._channel = channel
        self._child: int | None = child
        self._most_processes = int(limits["processes"])
        self._most_memory = int(limits["memory_bytes"])
        self._counts = bool(self._most_processes or self._most_memory)

    def watch(self, said: bytes) -> None:
        """Until the server wants an end, or is gone, or nothing is left to guard."""
        waking, wake = os.pipe()
        os.set_blocking(waking, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        poll.register(waking, select.POLLIN)
        while self._reap():
            if b"\n" in said:
                return self._end(float(said.split()[1]))
            ready = dict(poll.poll(_LOOK_S * 1000 if self._counts else None))
            if waking in ready:
                os.read(waking, 4096)
            if self._channel in ready:
                heard = self._hear()
                if not heard:
                    return self._end(0)
                said += heard
            if self._counts and (over := self._passed()):
                say(self._channel, over=over)
                return self._end(0)
        return say(self._channel, gone=True)

    def _hear(self) -> bytes:
        try:
            return os.read(self._channel, 4096)
        except ConnectionResetError:
            return b""

    def _reap(self) -> bool:
        """Take the dead; False once there is nobody left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._child:
                self._child = None
                say(self._channel, ended=os.waitstatus_to_exitcode(status))

    def _passed(self) -> str:
        """The limit that the whole family has passed, or nothing."""
        family = list(_family())
        if self._most_processes and len(family) > self._most_processes:
            return "processes"
        if self._most_memory and sum(map(_own_memory, family)) > self._most_memory:
            return "memory"
        return ""

    def _end(self, grace_s: float) -> None:
        if grace_s > 0:
            for pid in _family():
                _send(pid, signal.SIGTERM)
                _send(pid, signal.SIGCONT)
            until = time.monotonic() + grace_s
            while self._reap() and time.monotonic() < until:
                time.sleep(0.01)
        while self._reap():
            self._kill()
            time.sleep(0.002)
        say(self._channel, gone=True)

    def _kill(self) -> None:
        # First nobody may fork any more: killed one by one, a fork bomb grows faster than it dies.
        stopped: set[int] = set()
        is_growing = True
        while is_growing:
            is_growing = False
            for pid in _family():
                if pid not in stopped:
                    _send(pid, signal.SIGSTOP)
                    stopped.add(pid)
                    is_growing = True
        for pid in stopped:
            _send(pid, signal.SIGKILL)


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _family() -> Iterator[int]:
    """Everyone who descends from this process. Who forks meanwhile may be missed; so look again."""
    waiting = [os.getpid()]
    by_parent = None if os.path.exists("/proc/thread-self/children") else _by_parent()
    while waiting:
        parent = waiting.pop()
        found = _children(parent) if by_parent is None else by_parent.get(parent, [])
        yield from found
        waiting += found


def _children(pid: int) -> list[int]:
    children: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                children += map(int, file.read().split())
    except (FileNotFoundError, ProcessLookupError):
        return children
    return children


def _by_parent() -> dict[int, list[int]]:
    """The children of everyone, for a kernel that keeps no list of them."""
    found: dict[int, list[int]] = {}
    with os.popen("ps -A -o pid= -o ppid=") as listing:
        for line in listing:
            pid, parent = map(int, line.split())
            found.setdefault(parent, []).append(pid)
    return found


def _all_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _own_memory(pid: int) -> int:
    """Bytes in memory that are not a file's, nor shared."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            _, resident, shared, *_ = map(int, file.read().split())
    except (OSError, ValueError):
        return 0
    return (resident - shared) * _PAGE


if __name__ == "__main__":
    main()
    os._exit(0)  # without the tidying up of Python, which has nothing to tidy
