"""Real agents in the page: chosen, at work on a repository, asked by, stopped, and killed in between.

FIRESIDE_REAL_AGENTS=1 ./run test tests/real
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from api.agents.acp.prompting import GO_ON_AFTER
from tests.browser.chromium import chromium, new_context
from tests.browser.tab import Tab
from tests.browser.watch import AWAY, Watch
from tests.fakes.provider import FakeProvider
from tests.real.installing import AGENTS
from tests.serving import ServerProcess

pytestmark = [
    pytest.mark.agents,
    pytest.mark.browser,
    pytest.mark.skipif(os.environ.get("FIRESIDE_REAL_AGENTS") != "1", reason="FIRESIDE_REAL_AGENTS=1 downloads them"),
]

SLOW_MS = 90_000
"""The first start of a real agent takes long on a busy machine."""

OWN_COMMANDS = {"hermes": ("/version", "0.19.0"), "opencode": ("/init", "AGENTS.md")}
"""What each does by itself when it is sent it: Hermes answers, OpenCode gives its model a task, which is said back."""

OLD, NEW = "    return a - b", "    return a + b"


def call(tool: str, arguments: dict[str, Any]) -> str:
    return f"@@tool {tool} {json.dumps(arguments)}"


def reading(name: str, file: Path) -> str:
    tools = {
        "hermes": ("read_file", {"path": str(file)}),
        "opencode": ("read", {"filePath": str(file)}),
        "claude": ("Read", {"file_path": str(file)}),
        "codex": ("exec_command", {"cmd": f"cat {file}"}),
        "gemini": ("read_file", {"file_path": str(file)}),
        "qwen": ("read_file", {"file_path": str(file)}),
    }
    return call(*tools[name])


def editing(name: str, file: Path, old: str, new: str) -> str:
    change = {"file_path": str(file), "old_string": old, "new_string": new}
    patch = f"*** Begin Patch\n*** Update File: {file.name}\n@@\n-{old}\n+{new}\n*** End Patch"
    tools = {
        "hermes": ("patch", {"mode": "replace", "path": str(file), "old_string": old, "new_string": new}),
        "opencode": ("edit", {"filePath": str(file), "oldString": old, "newString": new}),
        "claude": ("Edit", change),
        "codex": ("exec_command", {"cmd": f"apply_patch <<'EOF'\n{patch}\nEOF"}),
        "gemini": ("replace", {**change, "instruction": "Add."}),
        "qwen": ("edit", change),
    }
    return call(*tools[name])


def running(name: str, folder: Path, command: str) -> str:
    """Hermes asks about dangerous commands only, so this one is, and Codex about what its sandbox is not to hold."""
    escalated = {"sandbox_permissions": "require_escalated", "justification": "To see whether it adds."}
    shell = {"command": command, "description": "Run it"}
    tools = {
        "hermes": ("terminal", {"command": f"cd {folder} && rm -rf build && {command}"}),
        "opencode": ("bash", shell),
        "claude": ("Bash", shell),
        "codex": ("exec_command", {"cmd": command, **escalated}),
        "gemini": ("run_shell_command", shell),
        "qwen": ("run_shell_command", {**shell, "is_background": False}),
    }
    return call(*tools[name])


class Place:
    """A server whose one agent is a real one, with a project to work in, and a tab of the page.

    `scripts`: what the model does when it is told something that is no script.
    """

    def __init__(self, name: str, server: ServerProcess, tab: Tab, project: Path, scripts: dict[str, str]) -> None:
        self.name = name
        self.server = server
        self.tab = tab
        self.project = project
        self.scripts = scripts

    def card(self) -> Locator:
        """What the agent asks. Its button takes a word only after a moment."""
        card = self.tab.page.get_by_role("region", name="May it")
        expect(card).to_be_visible(timeout=SLOW_MS)
        return card

    def allow(self) -> None:
        card = self.card()
        button = card.get_by_role("button", name="Allow once", exact=True)
        expect(button).to_be_enabled()
        button.click()
        expect(button).to_have_count(0)

    def picture(self, name: str) -> None:
        """Kept for whoever wants to look, where a folder is named for it."""
        if folder := os.environ.get("FIRESIDE_PICTURES"):
            self.tab.page.screenshot(path=f"{folder}/{self.name}-{name}.png")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(params=["hermes", "opencode", "claude", "codex", "gemini", "qwen"])
def place(request: pytest.FixtureRequest, tmp_path: Path, browser: Browser) -> Iterator[Place]:
    name, project, home, scripts = request.param, tmp_path / "project", tmp_path / "home", {GO_ON_AFTER: ""}
    project.mkdir()
    home.mkdir()
    (project / "sums.py").write_text(f"def add(a, b):\n{OLD}\n")
    (project / "test_sums.py").write_text("from sums import add\n\nassert add(2, 3) == 5\nprint('all is well')\n")
    with FakeProvider(scripts=scripts) as provider:
        program = AGENTS[name](home, provider.url)
        command, *args = program.argv
        table = {"title": program.title, "command": command, "args": args, "env": dict(program.env)}
        acp = json.dumps({name: table})
        with ServerProcess(tmp_path / "state", acp=acp, workspace=str(project)) as server:
            server.port = int(server.address.rpartition(":")[2])
            context = new_context(browser)
            watch = Watch(server.address)
            watch.over(context)
            tab = Tab(context.new_page(), watch)
            tab.go(server.client().post("/api/auth/link")["path"])
            tab.choose_model(program.title)
            yield Place(name, server, tab, project, scripts)
            context.close()
        watch.check()


def test_a_repository_is_repaired_with_leave_then_it_is_stopped_and_goes_on(place: Place) -> None:
    tab, file = place.tab, place.project / "sums.py"
    steps = [
        "@@text I look first.\n" + reading(place.name, file),
        editing(place.name, file, OLD, NEW),
        running(place.name, place.project, "python3 test_sums.py"),
        "@@text It adds now.",
    ]
    tab.send("\n@@next\n".join(steps))

    expect(place.card()).to_contain_text("return a + b")
    place.picture("edit")
    assert OLD in file.read_text()
    place.allow()
    expect(place.card()).to_contain_text("python3 test_sums.py")
    place.picture("command")
    place.allow()
    expect(tab.answer).to_contain_text("It adds now.", timeout=SLOW_MS)
    tab.wait_for_answer(SLOW_MS)
    assert NEW in file.read_text()
    expect(tab.answer.get_by_text("1 file changed")).to_be_visible()
    tab.answer.get_by_text("1 file changed").click()
    place.picture("done")

    tab.send("@@text word\n@@silence")
    expect(tab.answer).to_contain_text("word", timeout=SLOW_MS)
    tab.button("Stop").click()
    expect(tab.button("Send")).to_be_visible(timeout=SLOW_MS)
    tab.send("@@text Still here.")
    expect(tab.answer).to_contain_text("Still here.", timeout=SLOW_MS)
    if place.name not in OWN_COMMANDS:
        return
    tab.composer.press("/")
    expect(tab.page.get_by_role("group", name="own commands").get_by_role("option").first).to_be_attached()
    place.picture("commands")
    command, told = OWN_COMMANDS[place.name]
    tab.send(command)
    expect(tab.answer).to_contain_text(told, timeout=SLOW_MS)


def test_what_waits_through_kill_9_is_allowed_then_and_done_once(place: Place) -> None:
    tab, made = place.tab, place.project / "made.txt"
    tab.watch.allow(AWAY)
    steps = ["@@text Before.\n" + running(place.name, place.project, "echo x >> made.txt"), "@@text All done."]
    # As a model would, it does again what it was about to do.
    script = place.scripts[GO_ON_AFTER] = "\n@@next\n".join(steps)
    tab.send(script)
    expect(place.card()).to_contain_text("echo x >> made.txt")

    place.server.kill()
    place.server.start()

    expect(place.card()).to_contain_text("echo x >> made.txt")
    place.picture("after-kill")
    assert not made.exists()
    place.allow()
    expect(tab.answer).to_contain_text("All done.", timeout=SLOW_MS)
    tab.wait_for_answer(SLOW_MS)
    assert made.read_text() == "x\n"
    place.picture("once")
