"""The tools of the built-in agent, called as a model calls them."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.domain.errors import BadRequest
from api.tools.arguments import parsed
from api.tools.base import Context, Tool
from api.tools.table import all_tools
from api.workspace.checkpoints import Checkpoints
from api.workspace.environment import for_tools
from api.workspace.fetch import Fetcher, Page
from api.workspace.folder import Folder
from api.workspace.processes import mark_of
from api.workspace.sandbox import Sandbox
from api.workspace.shell import Shell
from tests import pictures
from tests.workspace.test_checkpoints import Shelf

pytestmark = pytest.mark.anyio

TOOLS = {tool.name: tool for tool in all_tools()}
GOOD: dict[str, dict[str, Any]] = {
    "read_file": {"path": "a"},
    "list_folder": {"path": ""},
    "search_files": {"pattern": "one"},
    "write_file": {"path": "new", "content": "x"},
    "edit_file": {"path": "a", "old_text": "one", "new_text": "two"},
    "run_command": {"command": "true"},
    "fetch_url": {"url": "http://pages.test/"},
}


class Pages(Fetcher):
    """An internet of one page, of ten letters."""

    async def fetch(self, url: str) -> Page:
        return Page(url, 200 if url.endswith("/") else 404, "text/plain", "0123456789", 10)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "ws").mkdir()
    (tmp_path / "ws/a").write_text("one\ntwo\nthree\n")
    return tmp_path / "ws"


@pytest.fixture
def checkpoints() -> Checkpoints:
    return Checkpoints(Shelf())


@pytest.fixture
def context(place: Path, tmp_path: Path, checkpoints: Checkpoints) -> Iterator[Context]:
    mark = mark_of(tmp_path / "state")
    shell = Shell(Sandbox(kind="none", home=tmp_path), env=for_tools({"PATH": os.environ["PATH"]}), mark=mark)
    with Folder(place) as folder:
        yield Context(
            mark=mark, folder=folder, shell=shell, fetcher=Pages(mark=mark), undo=checkpoints.turn("turn", folder)
        )


async def call(context: Context, tool: str, **arguments: Any) -> str:
    """What a call says that goes well."""
    result = await TOOLS[tool].run(arguments, context)
    assert not result.is_error, result.output
    return result.output


async def refused(context: Context, tool: str, **arguments: Any) -> str:
    result = await TOOLS[tool].run(arguments, context)
    assert result.is_error
    assert not result.diff
    return result.output


@pytest.mark.parametrize("tool", TOOLS.values(), ids=list(TOOLS))
async def test_a_tool_describes_its_arguments_strictly_and_takes_them(tool: Tool, context: Context) -> None:
    assert tool.schema["type"] == "object"
    assert tool.schema["additionalProperties"] is False
    assert {*tool.schema["required"]} <= {*GOOD[tool.name]} <= {*tool.schema["properties"]}
    assert len(tool.description) > 40
    assert len(tool.title(GOOD[tool.name])) > len(tool.name) - 5
    assert not (await tool.run(GOOD[tool.name], context)).is_error


# Bad input 88
@pytest.mark.parametrize("name", TOOLS)
async def test_arguments_that_do_not_fit_are_an_answer_and_do_nothing(name: str, context: Context, place: Path) -> None:
    good = GOOD[name]
    first = next(iter(good))
    wrong: list[dict[str, Any]] = [
        {**good, "more": 1},
        {**good, first: 5},
        {**good, first: None},
        {**good, first: ["x"]},
        {**good, first: "x" * 5_000_000},
        {**good, first: "\ud83d"},
        {**good, first: {"a": 1}},
        *({key: value for key, value in good.items() if key != name_} for name_ in TOOLS[name].schema["required"]),
    ]

    for arguments in wrong:
        result = await TOOLS[name].run(arguments, context)
        assert result.is_error and result.output.endswith(".")
        assert len(result.output) < 1000
        assert await TOOLS[name].preview(arguments, context) == ""
        assert TOOLS[name].title(arguments) == name

    assert os.listdir(place) == ["a"]  # noqa: PTH208


# Bad input 88
@pytest.mark.parametrize(
    "raw",
    [
        "{",
        "[1]",
        "null",
        '"x"',
        "5",
        "NaN",
        '{"path": "a"} x',
        "[" * 100_000,
        '{"path": "\\ud83d"}',
        "{}" + " " * 5_000_000,
    ],
)
def test_what_is_no_json_object_is_refused_with_its_reason(raw: str) -> None:
    with pytest.raises(BadRequest, match="arguments"):
        parsed(raw)


def test_no_arguments_at_all_are_none() -> None:
    assert parsed("") == parsed("{}") == {}


@pytest.mark.parametrize("name", [name for name in TOOLS if name != "fetch_url"])
async def test_without_a_workspace_a_tool_says_so(name: str) -> None:
    assert "no folder" in await refused(Context(mark="m"), name, **GOOD[name])


async def test_a_file_is_read_with_its_line_numbers(context: Context, place: Path) -> None:
    (place / "long").write_text("x" * 5000 + "\n" + "y\n" * 9)

    assert await call(context, "read_file", path="a", first_line=2) == "2\ttwo\n3\tthree\n"
    assert await call(context, "read_file", path=str(place / "a"), lines=1) == (
        "1\tone\n[3 lines in all; go on with first_line=2.]"
    )
    assert "3,000 characters of this line are not shown" in await call(context, "read_file", path="long", lines=1)
    assert "has only 3 lines" in await call(context, "read_file", path="a", first_line=9)
    assert "There is no 'gone'" in await refused(context, "read_file", path="gone")
    assert "outside the workspace" in await refused(context, "read_file", path="/etc/passwd")


async def test_a_picture_is_shown_and_what_only_begins_like_one_is_not(context: Context, place: Path) -> None:
    (place / "p.txt").write_bytes(pictures.png(30, 20))
    (place / "q.png").write_bytes(pictures.png(30, 20)[:20])
    (place / "r.png").write_bytes(pictures.png(1, 1, told=(60_000, 60_000)))

    result = await TOOLS["read_file"].run({"path": "p.txt"}, context)

    assert result.output == "[p.txt is a picture: image/png, 30 x 20 pixels.]"
    assert [one.data for one in result.pictures] == [(place / "p.txt").read_bytes()]
    assert "no text" in await refused(context, "read_file", path="q.png")
    assert "no text" in await refused(context, "read_file", path="r.png")


async def test_a_change_is_shown_before_it_is_made_and_can_be_undone(
    context: Context, place: Path, checkpoints: Checkpoints
) -> None:
    edit = {"path": "a", "old_text": "two", "new_text": "2"}
    write = {"path": "src/b", "content": "new\n"}
    await call(context, "read_file", path="a")

    previews = [await TOOLS["edit_file"].preview(edit, context), await TOOLS["write_file"].preview(write, context)]
    assert (place / "a").read_text() == "one\ntwo\nthree\n" and not (place / "src").exists()
    results = [await TOOLS["edit_file"].run(edit, context), await TOOLS["write_file"].run(write, context)]

    assert [result.diff for result in results] == previews
    assert "-two\n+2\n" in previews[0] and "+new\n" in previews[1]
    assert (place / "a").read_text() == "one\n2\nthree\n"
    await call(context, "write_file", path="a", content="all new\n")
    assert context.folder
    checkpoints.restore("turn", context.folder)
    assert (place / "a").read_text() == "one\ntwo\nthree\n"
    assert not (place / "src/b").exists()


# Bad input 102
async def test_a_file_is_not_changed_behind_the_back_of_whoever_changed_it(context: Context, place: Path) -> None:
    assert "has not been read" in await refused(context, "write_file", path="a", content="x")
    await call(context, "read_file", path="a")
    (place / "a").write_text("by hand two\n")

    assert "changed since it was read" in await refused(context, "write_file", path="a", content="x")
    assert "changed since it was read" in await refused(context, **{"tool": "edit_file", **GOOD["edit_file"]})

    assert (place / "a").read_text() == "by hand two\n"


async def test_files_and_lines_are_found(context: Context) -> None:
    await call(context, "write_file", path="src/b.py", content="import os\n")

    assert await call(context, "search_files", glob="*.py") == "src/b.py"
    assert await call(context, "search_files", pattern="^t") == "a:2: two\na:3: three"
    assert await call(context, "search_files", pattern="nowhere") == "[Nothing was found.]"
    assert await call(context, "list_folder") == "a (14 bytes)\nsrc/"
    assert "no regular expression" in await refused(context, "search_files", pattern="(")
    assert "Give a pattern" in await refused(context, "search_files")


async def test_a_command_is_followed_and_what_it_changed_is_undone(
    context: Context, place: Path, checkpoints: Checkpoints
) -> None:
    shown: list[str] = []
    context.emit = shown.append

    result = await TOOLS["run_command"].run({"command": "echo hello; sed -i s/two/2/ a; rm -f b; exit 3"}, context)

    assert result.output == "hello\n[It ended with exit code 3.]"
    assert result.is_error
    assert "".join(shown) == "hello\n"
    assert "-two\n+2\n" in result.diff
    assert context.folder
    checkpoints.restore("turn", context.folder)
    assert (place / "a").read_text() == "one\ntwo\nthree\n"


async def test_what_a_cancelled_command_had_changed_is_undone_too(
    context: Context, place: Path, checkpoints: Checkpoints
) -> None:
    running = asyncio.Event()
    context.emit = lambda _: running.set()

    task = asyncio.ensure_future(TOOLS["run_command"].run({"command": "rm a; echo gone; sleep 1000"}, context))
    await asyncio.wait_for(running.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert [(one.name, one.what) for one in checkpoints.changes("turn")] == [("a", "deleted")]


async def test_a_page_is_given_in_parts_with_what_it_is(context: Context) -> None:
    page = await call(context, "fetch_url", url="http://pages.test/", first_char=2, chars=3)

    assert page.endswith("]\n234") and "status 200" in page and "first_char=5" in page
    assert "status 404" in await refused(context, "fetch_url", url="http://pages.test/gone")
    assert "on this machine" in await refused(Context(), "fetch_url", url="http://127.0.0.1:8080/")
