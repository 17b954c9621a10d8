"""Programs: how they start, and that each ends with all that it started."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from api.workspace.processes import CannotStart, Limits, Process, end_marked, start
from tests.workspace.conftest import PATH, running, seen

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]

Starting = Callable[..., Awaitable[Process]]
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture
async def run(tmp_path: Path, mark: str) -> AsyncIterator[Starting]:
    """Starts a line of shell."""
    started: list[Process] = []

    async def run(line: str, **more: Any) -> Process:
        started.append(await start(["bash", "-c", line], cwd=tmp_path, env=PATH, mark=mark, **more))
        return started[-1]

    yield run
    for process in started:
        await process.end()


# Bad input 101
@pytest.mark.parametrize(
    ("line", "code"), [("true", 0), ("false", 1), ("nosuchthing", 127), ("kill -9 $$", -9), ("kill -PIPE $$", -13)]
)
async def test_the_code_or_the_signal_that_a_program_ended_by_is_told(run: Starting, line: str, code: int) -> None:
    process = await run(line)

    assert await process.wait() == code


async def test_output_and_errors_come_apart_and_whole(run: Starting) -> None:
    process = await run("seq 200000; echo oops >&2", line_bytes=1 << 22)

    output, errors = await asyncio.gather(process.stdout.read(), process.stderr.read())

    assert output == b"".join(b"%d\n" % number for number in range(1, 200001))
    assert errors == b"oops\n"


# Bad input 97
async def test_a_program_finds_its_input_ended_unless_it_was_wanted(run: Starting) -> None:
    reading = await run("read line || echo ended")
    talking = await run("cat", wants_stdin=True)
    assert talking.stdin

    talking.stdin.write(b"hello\n")
    await talking.stdin.drain()

    assert reading.stdin is None
    assert await reading.stdout.read() == b"ended\n"
    assert await talking.stdout.readline() == b"hello\n"
    talking.stdin.close()
    assert await talking.wait() == 0


async def test_a_program_has_its_environment_and_nothing_of_ours(tmp_path: Path, mark: str) -> None:
    env = {**PATH, "NAME": "a\nb\udcff"}
    process = await start(["env", "-0"], cwd=tmp_path, env=env, mark=mark)

    told = dict(entry.split(b"=", 1) for entry in (await process.stdout.read()).split(b"\0") if entry)
    await process.end()

    assert told.pop(b"FIRESIDE_MARK").startswith(mark.encode())
    assert told == {os.fsencode(name): os.fsencode(value) for name, value in env.items()}


# Bad input 101
@pytest.mark.parametrize(
    ("argv", "folder", "sentence"),
    [
        (["no-such-program"], ".", "'no-such-program' was not started: it was not found"),
        (["./notes"], ".", "may not be executed"),
        (["./broken"], ".", "no program that this system can run"),
        (["."], ".", "may not be executed"),
        (["true"], "gone", "is gone, so nothing was started"),
        (["true"], "notes", "is not a folder"),
        (["echo", "a\0b"], ".", "NUL"),
        (["echo", "x" * 3_000_000], ".", "more text than a command may have"),
        ([], ".", "A command is needed"),
    ],
)
async def test_what_cannot_be_started_is_refused_with_its_reason(
    tmp_path: Path, mark: str, argv: list[str], folder: str, sentence: str
) -> None:
    (tmp_path / "notes").write_text("true")
    (tmp_path / "broken").write_bytes(b"\x01\x02")
    (tmp_path / "broken").chmod(0o755)

    with pytest.raises(CannotStart, match=sentence):
        await start(argv, cwd=tmp_path / folder, env=PATH, mark=mark)


# Bad input 101
async def test_a_program_may_have_any_name(tmp_path: Path, mark: str) -> None:
    odd = tmp_path / "-rf\n; touch canary $(id)"
    odd.write_text('#!/bin/sh\necho "$0" "$@"\n')
    odd.chmod(0o755)

    process = await start([str(odd), "--", "$(id)"], cwd=tmp_path, env=PATH, mark=mark)

    assert await process.stdout.read() == f"{odd} -- $(id)\n".encode()
    await process.end()


# Bad input 98, F28
ESCAPES = {
    "child": "sleep {0} & wait",
    "nohup": "nohup sleep {0} >/dev/null 2>&1 & sleep {0}",
    "ignores TERM": "trap '' TERM; sleep {0} & while :; do wait; done",
    "two forks and setsid": "(setsid -f setsid -f sleep {0}); sleep {0}",
    "forgets its mark": "env -i setsid -f sleep {0}; sleep {0}",
    "stopped": "sleep {0} & kill -STOP $!; kill -STOP $$",
    "stops its guard": "sleep {0} & kill -STOP $PPID; wait",
    "kills its guard": "setsid -f sleep {0}; kill -9 $PPID; sleep {0}",
}


@pytest.mark.parametrize("line", ESCAPES.values(), ids=ESCAPES)
async def test_nothing_that_a_program_started_outlives_its_end(run: Starting, line: str, forever: str) -> None:
    process = await run(f"echo {forever} up; {line.format(forever)}")
    await process.stdout.readline()
    await seen(lambda: len(running(forever)) > 1 or process.returncode is not None)

    began = time.monotonic()
    await process.end()

    assert time.monotonic() - began < 2
    assert not running(forever)
    assert process.returncode is not None and process.returncode < 0


async def test_a_program_that_ends_when_asked_may_say_goodbye(run: Starting) -> None:
    process = await run("trap 'echo goodbye; exit 3' TERM; echo up; while :; do sleep 0.01; done")
    await process.stdout.readline()

    await process.end(grace_s=10)

    assert await process.stdout.read() == b"goodbye\n"
    assert process.returncode == 3


async def test_what_a_program_leaves_running_goes_on_until_the_end(run: Starting, forever: str) -> None:
    process = await run(f"setsid -f sleep {forever}; exit 7")

    assert await process.wait() == 7
    await seen(lambda: running(f"sleep\0{forever}"))
    await process.end()

    assert not running(forever)


# Bad input 98
async def test_a_pipe_that_is_held_elsewhere_hangs_nothing(run: Starting) -> None:
    process = await run("echo hello; sleep 1000")
    await process.stdout.readline()

    held = os.open(f"/proc/{process.pid}/fd/1", os.O_WRONLY)
    try:
        await asyncio.wait_for(process.end(), 2)

        assert await asyncio.wait_for(process.stdout.read(), 2) == b""
    finally:
        os.close(held)


async def test_an_end_that_is_cancelled_still_ends_everything(run: Starting, forever: str) -> None:
    process = await run(f"trap '' TERM; echo up; while :; do sleep {forever}; done")
    await process.stdout.readline()

    ending = asyncio.ensure_future(process.end(grace_s=0.2))
    await asyncio.sleep(0)
    ending.cancel()

    await seen(lambda: not running(forever))
    await process.end()


async def test_a_start_that_is_cancelled_leaves_nothing(tmp_path: Path, mark: str, forever: str) -> None:
    for steps in range(12):
        starting = asyncio.ensure_future(start(["sleep", forever], cwd=tmp_path, env=PATH, mark=mark))
        for _ in range(steps):
            await asyncio.sleep(0.002)
        starting.cancel()
        try:
            await (await starting).end()
        except asyncio.CancelledError:
            assert not running(forever)

    assert not end_marked(mark)


SERVER = """
import asyncio, sys
from pathlib import Path
from api.workspace.processes import start

async def serve():
    process = await start(["bash", "-c", sys.argv[2]], cwd=Path("/"), env={"PATH": sys.argv[3]}, mark=sys.argv[1])
    print((await process.stdout.readline()).decode(), flush=True)
    await process.wait()

asyncio.run(serve())
"""


@pytest.mark.parametrize("guard", ["lives", "is killed too"])
async def test_nothing_outlives_a_killed_server(mark: str, forever: str, guard: str) -> None:
    line = f"setsid -f sleep {forever}; echo $PPID; sleep {forever}"
    server = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", SERVER, mark, line, os.environ["PATH"]], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert server.stdout
    guard_pid = int(await asyncio.to_thread(server.stdout.readline))
    assert len(running(forever)) >= 2

    if guard == "is killed too":
        os.kill(guard_pid, signal.SIGSTOP)
        server.kill()
        os.kill(guard_pid, signal.SIGKILL)
        assert running(forever)
        assert end_marked(mark) == []
    else:
        server.kill()

    await seen(lambda: not running(forever))
    server.wait()


# Bad input 99
async def test_a_fork_bomb_ends_at_its_limit_and_the_server_goes_on(run: Starting) -> None:
    # Never as root, whose processes no kernel counts: should this fail, the machine must not.
    bomb = ":(){ :|:& };:; sleep 60"
    if os.getuid() == 0:
        bomb = f"exec setpriv --reuid 65534 --regid 65534 --clear-groups bash -c '{bomb}'"
    process = await run(bomb, limits=Limits(processes=50))

    assert await asyncio.wait_for(process.wait(), 20) == -9

    assert process.over_limit == "processes"
    await process.end()
    assert await asyncio.wait_for((await run("echo well")).stdout.read(), 5) == b"well\n"


# Bad input 99, F29
async def test_memory_is_counted_over_the_whole_family(run: Starting) -> None:
    hog = f"{sys.executable} -S -c 'import time; x = b\"x\" * (40 << 20); time.sleep(60)'"
    process = await run(f"for i in 1 2 3 4; do {hog} & done; wait", limits=Limits(memory_bytes=100 << 20))

    assert await asyncio.wait_for(process.wait(), 20) == -9

    assert process.over_limit == "memory"


LIMITED = [
    (Limits(memory_bytes=100 << 20), f"{sys.executable} -S -c 'bytearray(200 << 20)'", 1, b"MemoryError"),
    (Limits(file_bytes=100_000), "exec head -c 1000000 /dev/zero > big", -signal.SIGXFSZ, b""),
    (Limits(open_files=20), 'for i in {3..40}; do eval "exec $i</dev/null" || exit 9; done', 9, b"Too many open files"),
    (Limits(cpu_s=1), "while :; do :; done", -signal.SIGKILL, b""),
]


# Bad input 99
@pytest.mark.parametrize(("limits", "line", "code", "said"), LIMITED, ids=["memory", "file", "open files", "cpu"])
async def test_each_process_is_held_to_its_limits(
    run: Starting, limits: Limits, line: str, code: int, said: bytes
) -> None:
    process = await run(line, limits=limits)

    errors = await process.stderr.read()

    assert await process.wait() == code
    assert said in errors


# F29
async def test_when_memory_runs_out_the_kernel_takes_the_program_first(run: Starting) -> None:
    process = await run(f"cat /proc/self/oom_score_adj /proc/{os.getpid()}/oom_score_adj")

    its, ours = map(int, (await process.stdout.read()).split())
    assert its > ours


async def test_a_reader_that_is_slow_still_gets_all_that_was_written_before_the_end(run: Starting) -> None:
    process = await run("seq 60000")
    read = await process.stdout.read(10_000)
    ending = asyncio.ensure_future(process.wait())

    while data := await process.stdout.read(10_000):
        read += data
        await asyncio.sleep(0.01)
        if process.returncode is not None and ending.done():
            ending = asyncio.ensure_future(process.end())

    await ending
    assert read == b"".join(b"%d\n" % number for number in range(1, 60001))
