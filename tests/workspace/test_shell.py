"""Commands: what holds them, what becomes of their output, and that nothing of them is left."""

import asyncio
import io
import os
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.errors import BadRequest
from api.workspace.environment import for_tools
from api.workspace.folder import Folder
from api.workspace.processes import CannotStart, Limits
from api.workspace.sandbox import Sandbox, find_sandbox
from api.workspace.screen import Screen
from api.workspace.shell import LIMITS, Ran, Shell
from tests.workspace.conftest import running, seen

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]

PATH = os.environ["PATH"]


class House:
    """A home with secrets, programs and a state folder in it, and a workspace beside."""

    def __init__(self, place: Path) -> None:
        self.home = place / "home"
        self.state = self.home / ".local/lib/state"
        self.workspace = place / "ws"
        for folder in (
            self.home / ".ssh",
            self.home / ".local/bin",
            self.state,
            self.workspace,
            self.home / ".local/lib/x",
        ):
            folder.mkdir(parents=True)
        for secret in (self.home / ".ssh/id", self.state / "secrets.json", self.home / "notes"):
            secret.write_text("CANARY")
        (self.home / ".local/bin/tool").write_text("#!/bin/sh\necho made\n")
        (self.home / ".local/bin/tool").chmod(0o755)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def folder(house: House) -> Iterator[Folder]:
    with Folder(house.workspace, refused=[house.state]) as folder:
        yield folder


@pytest.fixture(params=["landlock", "bubblewrap"])
async def sandbox(request: pytest.FixtureRequest, house: House, mark: str, tmp_path: Path) -> Sandbox:
    path = PATH if request.param == "bubblewrap" else str(tmp_path)
    found = await find_sandbox(mark=mark, path=path, home=house.home, hidden=[house.state])
    if found.kind != request.param:
        pytest.skip(found.why)
    return found


def shell_in(sandbox: Sandbox, house: House, mark: str, limits: Limits = LIMITS) -> Shell:
    environ = {"PATH": f"{house.home}/.local/bin:{PATH}", "HOME": str(house.home), "OPENAI_API_KEY": "CANARY"}
    environ |= {"FIRESIDE_TOKEN": "CANARY", "GIT_DIR": "CANARY", "LD_PRELOAD": "CANARY", "LC_ALL": "C.UTF-8"}
    return Shell(sandbox, env=for_tools(environ), mark=mark, limits=limits)


Running = Callable[..., Awaitable[Ran]]


@pytest.fixture
def run(house: House, folder: Folder, mark: str) -> Running:
    """Runs a command that nothing holds."""
    shell = shell_in(Sandbox(kind="none", home=house.home), house, mark)

    async def run(command: str, **more: Any) -> Ran:
        return await shell.run(command, folder, **more)

    return run


# Bad input 100, S19
async def test_a_command_changes_its_workspace_and_sees_no_secret(
    house: House, folder: Folder, sandbox: Sandbox, mark: str
) -> None:
    shell = shell_in(sandbox, house, mark)
    forbidden = [
        f"cat {house.home}/.ssh/id {house.home}/notes",
        f"cat {house.state}/secrets.json",
        f"ls {house.state} | grep secrets",
        f"ln -s {house.home}/notes link && cat link",
        f"tr '\\0' '\\n' < /proc/{os.getpid()}/environ | grep .",
        f"kill -0 {os.getpid()}",
        "echo x > /etc/fireside",
        "env | grep -E 'CANARY|KEY=|GIT_DIR|LD_'",
    ]

    harmless = (
        f"echo x > {house.state}/new; echo x > {house.home}/.local/bin/tool; echo x > {house.workspace.parent}/out"
    )

    worked = await shell.run("echo one > a && mkdir b && mv a b/a && cat b/a && tool && echo $TMPDIR", folder)
    temp = await shell.run('f=$(mktemp) && echo two > "$f" && cat "$f" && pwd', folder)
    await shell.run(harmless, folder)
    tries = [await shell.run(command, folder) for command in forbidden]

    assert worked.output.startswith("one\nmade\n") and worked.code == 0
    assert temp.output == f"two\n{house.workspace}\n"
    assert [(one, ran.output) for one, ran in zip(forbidden, tries, strict=True) if not ran.code] == []
    assert not [one for one, ran in zip(forbidden, tries, strict=True) if "CANARY" in ran.output]
    assert (house.home / ".local/bin/tool").read_text() == "#!/bin/sh\necho made\n"
    assert not (house.workspace.parent / "out").exists()
    assert [path.name for path in house.state.iterdir()] == ["secrets.json"]


# Bad input 100
async def test_a_command_reaches_no_server_unless_it_may(
    house: House, folder: Folder, sandbox: Sandbox, mark: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = f"exec 3<>/dev/tcp/127.0.0.1/{server.getsockname()[1]} && echo reached"

        alone = await shell_in(sandbox, house, mark).run(command, folder)
        allowed = await shell_in(sandbox, house, mark).run(command, folder, network=True)

    assert "reached" not in alone.output
    assert allowed.output == "reached\n"


async def test_a_command_is_given_what_was_set_for_it_and_begins_where_it_was_told_to(
    house: House, folder: Folder, sandbox: Sandbox, mark: str
) -> None:
    (house.workspace / "sub").mkdir()

    process = await shell_in(sandbox, house, mark).start(
        ["sh", "-c", 'echo "$WORDS"; pwd'], folder, cwd=house.workspace / "sub", env={"WORDS": "two words"}
    )
    said = await process.stdout.read()
    await process.end()

    assert said.decode() == f"two words\n{house.workspace}/sub\n"


def test_bubblewrap_itself_is_not_told_what_to_load(house: House) -> None:
    sandbox = Sandbox(kind="bubblewrap", bubblewrap="/usr/bin/bwrap", home=house.home)

    confined = sandbox.confined(["/bin/true"], house.workspace, env={"LD_PRELOAD": "/evil.so"})

    assert confined.env == {}
    assert confined.argv[-5:] == ["--setenv", "LD_PRELOAD", "/evil.so", "--", "/bin/true"]


# Bad input 96
async def test_a_command_writes_to_no_terminal_of_the_person(
    house: House, folder: Folder, sandbox: Sandbox, mark: str
) -> None:
    ours, theirs = os.openpty()
    try:
        ran = await shell_in(sandbox, house, mark).run(f"echo evil > {os.ttyname(theirs)}", folder)

        assert ran.code
        os.set_blocking(ours, False)
        with pytest.raises(BlockingIOError):
            os.read(ours, 100)
    finally:
        os.close(ours)
        os.close(theirs)


# Bad input 100
async def test_a_command_that_deletes_its_workspace_harms_nothing_else(
    house: House, folder: Folder, sandbox: Sandbox, mark: str
) -> None:
    shell = shell_in(sandbox, house, mark)

    await shell.run(f"rm -rf {house.workspace} {house.home} ./* 2>/dev/null", folder)

    assert (house.home / "notes").read_text() == "CANARY"
    assert (house.state / "secrets.json").read_text() == "CANARY"


async def test_a_temporary_folder_of_a_command_goes_with_it(
    house: House, folder: Folder, sandbox: Sandbox, mark: str
) -> None:
    ran = await shell_in(sandbox, house, mark).run("mktemp", folder)

    assert not os.path.lexists(ran.output.strip())  # noqa: ASYNC240


async def test_a_bubblewrap_that_does_not_work_is_told_and_not_used(house: House, mark: str, tmp_path: Path) -> None:
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho 'no namespaces here' >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)

    found = await find_sandbox(mark=mark, path=f"{tmp_path}:{PATH}", home=house.home, hidden=[])

    assert found.kind != "bubblewrap"
    assert "no namespaces here" in found.why


# Bad input 101
@pytest.mark.parametrize(
    ("command", "code", "ending"),
    [
        ("true", 0, ""),
        ("exit 1", 1, "It ended with exit code 1."),
        ("no-such-program", 127, "It ended with exit code 127."),
        ("sh -c 'kill -9 $$'; exit $?", 137, "It ended with exit code 137."),
        ("kill -SEGV $$", -11, "It was ended by the signal SIGSEGV."),
    ],
)
async def test_how_a_command_ended_is_told(run: Running, command: str, code: int, ending: str) -> None:
    ran = await run(command)

    assert (ran.code, ran.ending) == (code, ending)


# Bad input 101
async def test_a_command_whose_folder_is_gone_is_refused(house: House, run: Running) -> None:
    house.workspace.rmdir()

    with pytest.raises(CannotStart, match="is gone"):
        await run("true")


@pytest.mark.parametrize("command", ["", " \n", "echo a\0b", "x" * 100_001])
async def test_what_is_no_command_is_refused(run: Running, command: str) -> None:
    with pytest.raises(BadRequest):
        await run(command)


# Bad input 97
@pytest.mark.parametrize(
    "command",
    ["read line", "cat", "python3", "git init -q . && git commit --allow-empty", "sudo -S true", "less /etc/passwd"],
)
async def test_a_command_that_asks_for_input_ends_by_itself(run: Running, command: str) -> None:
    ran = await run(command, within_s=20)

    assert not ran.is_timed_out


# Bad input 98
async def test_a_command_that_takes_too_long_is_ended_with_all_it_started(run: Running, forever: str) -> None:
    began = time.monotonic()
    ran = await run(f"echo before; setsid -f sleep {forever}; sleep {forever}", within_s=0.3)

    assert time.monotonic() - began < 3
    assert ran.is_timed_out and ran.output == "before\n"
    assert "with all that it had started" in ran.ending
    assert not running(f"sleep\0{forever}")


# Bad input 98
async def test_what_a_command_leaves_running_is_ended_and_does_not_hang_it(run: Running, forever: str) -> None:
    ran = await run(f"sleep {forever} & nohup sleep {forever} & echo done", within_s=20)

    assert (ran.code, ran.is_timed_out) == (0, False)
    assert "done\n" in ran.output
    assert not running(f"sleep\0{forever}")


# Bad input 98
async def test_a_command_that_is_cancelled_is_gone_within_two_seconds(run: Running, forever: str) -> None:
    task = asyncio.ensure_future(run(f"trap '' TERM; setsid -f sleep {forever}; while :; do sleep {forever}; done"))
    await seen(lambda: len(running(f"sleep\0{forever}")) == 2)

    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert time.monotonic() - began < 2
    assert not running(f"sleep\0{forever}")


# Bad input 99
async def test_a_command_that_uses_too_much_is_told_so(house: House, folder: Folder, mark: str) -> None:
    shell = shell_in(Sandbox(kind="none", home=house.home), house, mark, Limits(processes=5))

    ran = await shell.run("for i in 1 2 3 4 5 6 7 8 9; do sleep 60 & done; wait", folder, within_s=20)

    assert ran.ending == "It was ended because it used more processes than it may."


async def test_output_is_shown_while_a_command_runs(run: Running) -> None:
    shown: list[str] = []
    first = asyncio.Event()

    def show(text: str) -> None:
        shown.append(text)
        first.set()

    task = asyncio.ensure_future(
        run("echo one; printf 'half'; while [ ! -e go ]; do sleep 0.01; done; echo", on_output=show)
    )
    await asyncio.wait_for(first.wait(), 10)
    await seen(lambda: "".join(shown) == "one\nhalf")
    await run("touch go")
    ran = await task

    assert "".join(shown) == ran.output == "one\nhalf\n"


# Bad input 95
@pytest.mark.parametrize(
    "command",
    ["yes abcdefgh | head -c 300000000", "head -c 100000000 /dev/zero | tr '\\0' x", "seq 1000000"],
    ids=["many lines", "one line", "a million lines"],
)
async def test_of_endless_output_the_beginning_and_the_end_are_kept(run: Running, command: str) -> None:
    shown: list[str] = []
    kept = io.BytesIO()
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.005)
            longest = max(longest, time.monotonic() - began)

    ticking = asyncio.ensure_future(tick())
    ran = await run(f"echo first; {command}; echo; echo last", on_output=shown.append, keep=kept)
    ticking.cancel()

    assert ran.output.startswith("first\n") and ran.output.endswith("\nlast\n")
    assert "characters are left out here" in ran.output
    assert len(ran.output) < 201_000
    assert sum(map(len, shown)) < 201_000
    assert len(kept.getvalue()) == min(ran.bytes_written, 50_000_000)
    assert longest < 2  # the loop went on


# S18
async def test_a_repository_runs_nothing_when_it_is_looked_at(run: Running, house: House) -> None:
    await run(
        "git init -q . && git -c user.name=a -c user.email=a@b -c core.hooksPath= commit -q --allow-empty -m one"
        " && echo a > a && git add a"
        " && printf '#!/bin/sh\\ntouch %s/canary\\n' $PWD > evil && chmod +x evil"
        " && git config core.fsmonitor $PWD/evil && git config core.pager $PWD/evil"
        " && git config credential.helper $PWD/evil && git config core.sshCommand $PWD/evil"
        " && git config core.editor $PWD/evil"
        " && git config protocol.ext.allow always && git config alias.x '!touch canary'"
        " && for hook in post-index-change post-checkout pre-auto-gc; do cp evil .git/hooks/$hook; done"
    )
    assert (house.workspace / "evil").exists()

    ran = await run("git status; echo b > a; git diff; git log -p; git add a; git stash list; git fetch 'ext::./evil'")

    assert "+b" in ran.output
    assert not (house.workspace / "canary").exists()


# S18
@pytest.mark.parametrize("where", ["the repository", "a file that it includes"])
async def test_what_a_repository_names_to_look_at_or_change_files_is_not_run(
    run: Running, house: House, where: str
) -> None:
    settings = [
        *("diff.external", "diff.kind.textconv", "diff.other.command", "filter.one.clean", "filter.one.smudge"),
        *("filter.two.process", "merge.three.driver", "gpg.program", "core.alternateRefsCommand"),
        *("interactive.diffFilter", "core.fsmonitor", "core.pager", "core.editor", "core.sshCommand"),
    ]
    written = "" if where == "the repository" else "-f included"
    await run(
        "git init -q . && touch a b c d && git add . && git -c user.name=a -c user.email=a@b commit -q -m one"
        " && printf '#!/bin/sh\\ntouch %s/canary\\ncat\\n' $PWD > evil && chmod +x evil"
        " && printf 'a diff=kind\\nb diff=other\\nc filter=one\\nd filter=two\\n' > .gitattributes"
        " && git config include.path $PWD/included && git config log.showSignature true"
        f" && for name in {' '.join(settings)}; do git config {written} $name $PWD/evil; done"
        " && for name in a b c d; do echo new > $name; done"
    )
    configured = await run("git config --get-regexp 'filter|diff' | wc -l")
    assert int(configured.output) >= 7

    ran = await run(
        "git status; git diff a; git diff b; git diff; git log -p; git show; git blame a; git -C . diff;"
        " git stash list; git add c; git add d; cd .git && git --work-tree=.. diff; cd ..;"
        " git checkout c d; git merge master"
    )

    assert "+new" in ran.output
    assert not (house.workspace / "canary").exists()


# Bad input 96
@pytest.mark.parametrize(
    ("written", "seen_as"),
    [
        (b"\x1b[1;31mred\x1b[0m\n", "red\n"),
        (b"\x1b]0;title\x07\x1b]52;c;ZXZpbA==\x07a\n", "a\n"),
        (b"\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\\n", "link\n"),
        (b"\x1b[2J\x1b[H\x1b[?1049htop\x1b(B\x1b=\n", "top\n"),
        (b"\x1bP+q544e\x1b\\x\x1b_evil\x1b\\y\n", "xy\n"),
        (b"10%\r 50%\r100%\ndone\n", "100%\ndone\n"),
        (b"one\r\ntwo\r\n", "one\ntwo\n"),
        (b"ab\b\bc\b\b\b\n", "\n"),
        (b"a\0b\x01\x7fc\td\n", "abc\td\n"),
        (b"caf\xc3\xa9 \xff\xfe\n", "café ��\n"),
        ("\x9b31mx\x85\n".encode(), "31mx\n"),
        (b"no end", "no end"),
        (b"\x1b[31", "31"),
        (b"", ""),
    ],
)
async def test_what_would_paint_or_command_a_terminal_is_taken_out(written: bytes, seen_as: str) -> None:
    assert Screen().feed(written, is_last=True) == seen_as


async def test_a_line_without_an_end_is_not_held_for_ever() -> None:
    screen = Screen()

    lengths = [len(screen.feed(b"x" * 50_000)) for _ in range(20)]

    assert sum(lengths) + len(screen.line) == 1_000_000
    assert len(screen.line) < 120_000


@given(
    st.lists(st.sampled_from([b"a", b"\n", b"\r", b"\b", b"\x1b", b"[31m", b"]0;t\x07", b"\xc3", b"\xa9", b"\0"])),
    st.lists(st.integers(0, 60)),
)
def test_where_output_is_cut_on_its_way_changes_nothing(pieces: list[bytes], cuts: list[int]) -> None:
    data = b"".join(pieces)
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    screen = Screen()

    parts = [screen.feed(data[start:end]) for start, end in pairwise(places)]

    assert "".join(parts) + screen.feed(b"", is_last=True) == Screen().feed(data, is_last=True)
