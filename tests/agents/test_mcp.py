"""MCP servers and their tools: with small ones that can also misbehave, and with one that was made with the SDK."""

import asyncio
import base64
import json
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from mcp_types import CallToolResult, ImageContent, TextContent

from api.agents.mcp.failures import ServerFailed
from api.agents.mcp.limits import Limits
from api.agents.mcp.listing import MOST_TOOLS, listed
from api.agents.mcp.results import content_of
from api.agents.mcp.server import Server, checked
from api.agents.mcp.servers import MOST_ON, Servers
from api.agents.mcp.tool import McpTool
from api.agents.mcp.tools import McpTools
from api.domain.errors import BadRequest, Conflict, NotFound
from api.tools.base import Context, Result
from api.tools.pictures import GivenPicture
from tests.agents.conftest import until
from tests.agents.test_embedded import is_alive
from tests.agents.test_providers import MemoryFile

pytestmark = pytest.mark.anyio

FAKE = Path(__file__).parents[1] / "fakes/mcp_server.py"
MADE_WITH_SDK = FAKE.with_name("mcp_sdk_server.py")
QUICK = Limits(end_s=0.3, call_s=20, start_s=20)
DOT = base64.b64decode("R0lGODlhAQABAAAAACwAAAAAAQABAAACADs=")
NONE = "It is no picture of a kind that can be shown."
SECRET = "hush-hush-hush"


def stdio(*options: str, name: str = "fake", **fields: Any) -> Server:
    return Server(name=name, argv=(sys.executable, str(FAKE), *options), **fields)


@asynccontextmanager
async def house(folder: Path, file: MemoryFile | None = None, limits: Limits = QUICK) -> AsyncIterator[McpTools]:
    env = {"PATH": "/usr/bin:/bin"}
    tools = McpTools(Servers(file or MemoryFile()), folder=folder, env=env, mark="test-mcp", limits=limits)
    try:
        yield tools
    finally:
        await tools.close()


async def use(tools: McpTools, name: str, **arguments: Any) -> Result:
    return await the(tools, name).run(arguments, Context())


def the(tools: McpTools, name: str) -> McpTool:
    return next(tool for tool in tools.on() if tool.name == name)


async def test_a_server_gives_its_tools_and_is_started_when_one_is_first_called(tmp_path: Path):
    starts = tmp_path / "starts"
    async with house(tmp_path) as tools:
        added = await tools.add(stdio(f"starts={starts}"))
        names = [tool.name for tool in tools.on()]
        assert not tools.pids()

        said = await use(tools, "fake__echo", text="Grüße")
        again = await use(tools, "fake__echo", text="2")

        assert (added.version, names[:2]) == ("Fake 1.2", ["fake__echo", "fake__look"])
        assert (said, again) == (Result("Grüße"), Result("2"))
        assert (len(tools.pids()), starts.read_text()) == (1, "xx")  # once to be added, once to be used


async def test_a_server_that_nobody_uses_is_ended_with_all_it_started(tmp_path: Path):
    async with house(tmp_path, limits=Limits(idle_s=0, end_s=0.2)) as tools:
        await tools.add(stdio())
        child = int((await use(tools, "fake__fork")).output)

        await until(lambda: not tools.pids() and not is_alive(child))


async def test_whatever_a_tool_answers_is_a_result(tmp_path: Path):
    async with house(tmp_path) as tools:
        await tools.add(stdio(env=(("KEY", SECRET),)))

        said = {name: await use(tools, f"fake__{name}") for name in ("fail", "refuse", "garbage", "picture")}

        assert said == {
            "fail": Result("It broke.", is_error=True),
            "refuse": Result("The MCP server 'fake' reports a problem: Not with [key].", is_error=True),
            "garbage": Result("The answer of the MCP server 'fake' is none that MCP knows.", is_error=True),
            "picture": Result(
                f"[image: image/png, 1 kB]\n[image: image/png, 2 kB, not shown: {NONE}]\n"
                f"[image: image/png, 1 kB, not shown: {NONE}]",
                pictures=(GivenPicture("picture.gif", "image/gif", DOT, 1, 1),),
            ),
        }
        assert await use(tools, "fake__echo", text="still here") == Result("still here")


def test_letters_that_are_none_of_base64_are_no_picture_and_the_rest_of_the_result_stays():
    said = CallToolResult(content=[TextContent(text="Taken."), ImageContent(data="é", mime_type="image/png")])

    assert content_of(said, "camera", (), 1000) == (
        "Taken.\n[image: image/png, 1 kB, not shown: It came damaged.]",
        (),
    )


def test_no_half_of_a_secret_is_left_where_a_result_is_shortened():
    said = CallToolResult(content=[TextContent(text=SECRET * 40)])

    text, _ = content_of(said, "env", (SECRET,), 100)

    assert "hush" not in text and "[key]" in text


async def test_a_result_of_ten_megabytes_is_shortened(tmp_path: Path):
    async with house(tmp_path) as tools:
        await tools.add(stdio())

        said = await use(tools, "fake__big")

        assert len(said.output) < QUICK.result_characters + 100
        assert said.output.startswith("aaa") and said.output.endswith("aend") and "characters left out" in said.output


async def test_what_a_tool_reports_while_it_works_is_shown(tmp_path: Path):
    shown: list[str] = []
    async with house(tmp_path) as tools:
        await tools.add(stdio())

        said = await the(tools, "fake__look").run({}, Context(emit=shown.append))

        assert (said.output, shown) == ("seen", ["Hm\n", "1 of 2\n"])


async def test_a_server_that_dies_in_a_call_says_its_last_words_and_is_started_anew(tmp_path: Path):
    async with house(tmp_path) as tools:
        await tools.add(stdio(env=(("KEY", SECRET),)))

        died = await use(tools, "fake__die")

        assert died.is_error and "Out of luck, with key [key]." in died.output
        assert await use(tools, "fake__echo", text="back") == Result("back")


async def test_a_call_that_hangs_ends_the_server_and_only_it(tmp_path: Path):
    async with house(tmp_path, limits=Limits(call_s=0.3, end_s=0.2)) as tools:
        await tools.add(stdio())
        await tools.add(stdio(name="other"))
        await use(tools, "other__echo", text="")
        before = tools.pids()

        hung = await use(tools, "fake__hang")

        assert hung.is_error and "did not answer" in hung.output
        await until(lambda: tools.pids() == before)


async def test_a_call_that_is_cancelled_is_given_up_at_once(tmp_path: Path):
    async with house(tmp_path) as tools:
        await tools.add(stdio())
        task = asyncio.create_task(use(tools, "fake__hang"))
        await until(lambda: bool(tools.pids()))
        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["crash"], "could not be started. No module named 'anything'."),
        (["mute"], "did not answer within 0 seconds"),
    ],
)
async def test_a_server_that_does_not_come_up_is_not_kept(tmp_path: Path, options: list[str], why: str):
    limits = Limits(start_s=0.4 if "mute" in options else 20, end_s=0.2)
    async with house(tmp_path, limits=limits) as tools:
        with pytest.raises(ServerFailed) as failed:
            await tools.add(stdio(*options))

        assert why in str(failed.value)
        assert not tools.servers.all() and not tools.pids()


async def test_what_a_server_prints_beside_its_messages_is_passed_over(tmp_path: Path):
    async with house(tmp_path) as tools:
        await tools.add(stdio("noise"))

        assert await use(tools, "fake__echo", text="fine") == Result("fine")


async def test_tools_with_odd_names_and_schemas_are_made_fit_or_left_out(tmp_path: Path):
    async with house(tmp_path) as tools:
        added = await tools.add(stdio("odd"))

        assert [tool.name for tool in added.tools] == ["fine", "sla/sh", "sla sh", "x" * 90, "‮evil\x1b[31m"]
        offered = [tool.offered for tool in added.tools]
        assert len(set(offered)) == 5
        assert all(len(name) <= 64 and name.replace("-", "_").isidentifier() and name.isascii() for name in offered)
        assert (added.tools[4].title, added.tools[4].description) == ("a b", "bell  here")
        assert await use(tools, offered[2], text="x") == Result("x")


def test_of_tools_that_are_described_at_endless_length_as_many_are_kept_as_can_be_shown():
    tool = {"description": "x" * 100_000, "inputSchema": {"type": "object"}}

    kept = listed("fake", ({"name": f"t{number}", **tool} for number in range(100_000)))

    assert 100 < len(kept) < MOST_TOOLS
    assert sum(len(one.description) for one in kept) < 2_000_000


async def test_of_very_many_tools_as_many_are_on_as_a_model_can_take(tmp_path: Path):
    async with house(tmp_path) as tools:
        added = await tools.add(stdio("many=500"))
        more = await tools.add(stdio(name="other"))

        assert (len(added.tools), len(tools.on()), any(tool.is_on for tool in more.tools)) == (500, MOST_ON, False)
        with pytest.raises(Conflict):
            tools.servers.switch("other", ["echo"], on=True)
        tools.servers.switch("fake", None, on=False)
        tools.servers.switch("other", ["echo"], on=True)
        assert [tool.name for tool in tools.on()] == ["other__echo"]


async def test_a_tool_that_a_server_brings_later_is_off_until_the_person_says_so(tmp_path: Path):
    file = MemoryFile()
    async with house(tmp_path, file) as tools:
        await tools.add(stdio())
        stored = file.read()
        stored["servers"][0]["tools"] = stored["servers"][0]["tools"][1:]
        file.write(stored)
    async with house(tmp_path, file) as tools:
        looked = await tools.look("fake")

        assert [(tool.name, tool.is_on) for tool in looked.tools[:2]] == [("echo", False), ("look", True)]


async def test_a_tool_counts_as_reading_only_where_server_and_person_say_so(tmp_path: Path):
    async with house(tmp_path) as tools:
        await tools.add(stdio())
        before = the(tools, "fake__look").kind

        tools.servers.believe("fake", only_reads=True)

        assert (before, the(tools, "fake__look").kind, the(tools, "fake__echo").kind) == ("other", "read", "other")


async def test_a_tool_of_a_server_that_was_removed_changed_or_switched_off_is_not_called(tmp_path: Path):
    starts = tmp_path / "starts"
    async with house(tmp_path) as tools:
        await tools.add(stdio(f"starts={starts}"))
        echo, hang = the(tools, "fake__echo"), the(tools, "fake__hang")
        running = asyncio.create_task(hang.run({}, Context()))
        await until(lambda: bool(tools.pids()))
        tools.servers.switch("fake", ["echo"], on=False)
        off = await echo.run({"text": "x"}, Context())

        await tools.remove("fake")
        removed = await running
        gone = await echo.run({"text": "x"}, Context())
        await tools.add(stdio("noise"))
        other = await echo.run({"text": "x"}, Context())

        assert "was switched off" in off.output
        assert all(result.is_error and "was removed or changed" in result.output for result in (removed, gone, other))
        assert not tools.pids() and starts.read_text() == "xx"


async def test_a_server_knows_what_was_set_for_it_and_nothing_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FIRESIDE_TOKEN", "canary-1")
    monkeypatch.setenv("OPENAI_API_KEY", "canary-2")
    async with house(tmp_path) as tools:
        await tools.add(stdio(env=(("MINE", "short"),)))

        env = json.loads((await use(tools, "fake__env")).output)

        assert env["MINE"] == "short" and "canary" not in json.dumps(env)
        assert set(env) <= {"MINE", "PATH", "FIRESIDE_MARK", "LC_CTYPE"}


async def test_no_word_of_a_command_reaches_a_shell(tmp_path: Path):
    words = ("; touch canary", "$(touch canary)", "`touch canary`", "&& touch canary", "| touch canary")
    async with house(tmp_path) as tools:
        await tools.add(stdio(*words))
        await use(tools, "fake__echo", text="; touch canary")

        assert not list(tmp_path.glob("*"))  # noqa: ASYNC240


async def test_a_file_with_a_server_of_a_newer_version_keeps_it(tmp_path: Path):
    stranger = {"name": "later", "kind": "quantum"}
    file = MemoryFile({"servers": [stranger, "?"], "other": 1})
    async with house(tmp_path, file) as tools:
        await tools.add(stdio())
        await tools.remove("fake")

    assert file.read() == {"servers": [stranger, "?"], "other": 1}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": "Big__Name", "argv": ("a",)}, "bad_mcp_name"),
        ({"name": "a" * 25, "argv": ("a",)}, "bad_mcp_name"),
        ({"argv": ()}, "bad_command"),
        ({"argv": ("a", "b\nc")}, "bad_command"),
        ({"argv": ("a",), "url": "http://localhost/mcp"}, "bad_command"),
        ({"argv": ("a",), "env": (("A=B", "c"),)}, "bad_environment"),
        ({"url": "file:///etc/passwd"}, "bad_address"),
        ({"url": "http://169.254.169.254/mcp"}, "bad_address"),
        ({"url": "http://localhost/mcp", "headers": (("Host", "x"),)}, "bad_header"),
        ({"url": "http://localhost/mcp", "headers": (("X-A", "b\r\nc"),)}, "bad_header"),
    ],
)
def test_what_cannot_be_a_server_is_refused(fields: dict[str, Any], code: str):
    with pytest.raises(BadRequest) as refused:
        checked(Server(**{"name": "fake", **fields}))

    assert refused.value.code == code


async def test_looking_at_a_server_that_is_not_there_says_so(tmp_path: Path):
    async with house(tmp_path) as tools:
        with pytest.raises(NotFound):
            await tools.look("fake")


async def test_a_server_made_with_the_sdk_is_spoken_to_in_its_newest_way(tmp_path: Path):
    async with house(tmp_path) as tools:
        added = await tools.add(Server(name="sums", argv=(sys.executable, str(MADE_WITH_SDK))))

        assert (added.version, added.tools[0].description) == ("Sums 7", "The sum of two numbers.")
        assert await use(tools, "sums__add", a=2, b=3) == Result("5")
        broken, wrong = await use(tools, "sums__add", a=-1, b=3), await use(tools, "sums__add", a="x")
        assert broken == Result("Error executing tool add", is_error=True)
        assert wrong.is_error and "valid" in wrong.output


class _Web(BaseHTTPRequestHandler):
    """Passes on what is posted to the fake's own functions, sends it elsewhere, or hangs up."""

    protocol_version = "HTTP/1.1"
    mode = "works"
    seen: ClassVar[list[tuple[str, str]]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.seen.append((self.headers["host"], self.headers.get("authorization", "")))
        match self.mode:
            case "elsewhere":
                self._reply(307, b"", Location=f"http://localhost:{self.server.server_port}/mcp")
            case "drops":
                self.close_connection = True
            case "endless":
                self._reply(200, b"{" + b"a" * (70 << 20), **{"Content-Type": "application/json"})
            case _:
                self._answer(body)

    def do_GET(self) -> None:
        self._reply(405, b"")

    def do_DELETE(self) -> None:
        self._reply(200, b"")

    def _answer(self, body: dict[str, Any]) -> None:
        results = {
            "initialize": {
                "protocolVersion": "2025-06-18",
                "capabilities": {},
                "serverInfo": {"name": "Web", "version": "3"},
            },
            "tools/list": {"tools": [{"name": "hello", "inputSchema": {"type": "object"}}]},
            "tools/call": {"content": [{"type": "text", "text": "Hello."}]},
        }
        if "id" not in body:
            self._reply(202, b"")
        elif body["method"] not in results:
            self._reply(404, b"")
        else:
            answer = {"jsonrpc": "2.0", "id": body["id"], "result": results[body["method"]]}
            said, kind = json.dumps(answer), "application/json"
            if self.mode == "streams":
                said, kind = f": hello\nid: 7\nevent: message\ndata: {said}\n\n", "text/event-stream"
            self._reply(200, said.encode(), **{"Content-Type": kind, "Mcp-Session-Id": "s-1"})

    def _reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """The test says what it saw."""


@pytest.fixture
def web() -> Iterator[type[_Web]]:
    """A server at an address; `port` and `mode` are those of the class."""

    class Handler(_Web):
        seen: ClassVar[list[tuple[str, str]]] = []
        port = 0

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield Handler
    server.shutdown()
    server.server_close()
    thread.join(5)


def at(web: Any, **fields: Any) -> Server:
    headers = (("Authorization", f"Bearer {SECRET}"),)
    return Server(name="web", url=f"http://127.0.0.1:{web.port}/mcp", headers=headers, **fields)


@pytest.mark.parametrize("mode", ["works", "streams"])
async def test_a_server_at_an_address_is_given_its_headers_and_used(
    web: Any, tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    web.mode = mode
    async with house(tmp_path) as tools:
        added = await tools.add(at(web))

        assert await use(tools, "web__hello") == Result("Hello.")
        assert (added.version, {key for _, key in web.seen}) == ("Web 3", {f"Bearer {SECRET}"})


async def test_a_server_at_an_address_leads_nowhere_else_with_its_key(web: Any, tmp_path: Path):
    web.mode = "elsewhere"
    async with house(tmp_path) as tools:
        with pytest.raises(ServerFailed):
            await tools.add(at(web))

    assert {host for host, _ in web.seen} == {f"127.0.0.1:{web.port}"}


@pytest.mark.parametrize("mode", ["drops", "endless"])
async def test_a_server_at_an_address_that_breaks_is_an_error_and_is_reached_again(web: Any, tmp_path: Path, mode: str):
    async with house(tmp_path) as tools:
        await tools.add(at(web))
        await use(tools, "web__hello")
        web.mode = mode

        broken = await use(tools, "web__hello")
        web.mode = "works"

        assert broken.is_error and SECRET not in broken.output
        assert await use(tools, "web__hello") == Result("Hello.")
