"""Skills in the settings: where each is from and what it says, switched off, and what cannot be used."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import MODEL
from tests.browser.devices import on_both
from tests.browser.tab import Tab
from tests.browser.test_for_everyone import wrong_with
from tests.serving import Client

HERE = "In the conversation’s folder"


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Of a server whose home folder is empty, so that the skills are those of the test."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        yield home / "state"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path / "project/.agents/skills/release", "---\ndescription: How a release is made\n---\nFirst the tag.\n")
    return tmp_path / "project"


def write(folder: Path, text: str) -> None:
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text(text)


def open_settings(tab: Tab, session_id: str) -> Locator:
    """The section, for a conversation that the person comes from."""
    tab.go(f"/s/{session_id}")
    expect(tab.answers).to_have_count(1)
    tab.touch(tab.open_sessions().get_by_role("link", name="Settings"))
    section = tab.page.locator("section").filter(has=tab.page.get_by_role("heading", name="Skills", exact=True))
    return section.last


@on_both
def test_a_skill_is_read_switched_off_for_good_and_told_to_be_gone(
    tab: Tab, client: Client, project: Path, tidy: None
) -> None:
    tab.watch.allow("status of 404")
    session_id = client.post("/api/session/new", workspace=str(project))["session"]["session_id"]
    client.answer(session_id, "Hello", model=MODEL)
    section = open_settings(tab, session_id)
    here = section.get_by_role("group", name=HERE, exact=True)
    expect(here).to_contain_text("How a release is made")
    expect(here).to_contain_text(str(project / ".agents/skills"))

    read = here.get_by_role("button", name="Read it: release")
    read.scroll_into_view_if_needed()
    assert wrong_with(tab) == []
    tab.touch(read)
    expect(tab.page.get_by_role("dialog", name="release")).to_contain_text("First the tag.")
    assert wrong_with(tab) == []
    tab.page.keyboard.press("Escape")
    expect(read).to_be_focused()

    here.get_by_role("switch", name="release").press("Space")
    expect(here.get_by_role("switch", name="release")).not_to_be_checked()
    section = open_settings(tab, session_id)
    expect(here.get_by_role("switch", name="release")).not_to_be_checked()
    [listed] = client.get("/api/skills", session_id=session_id)["skills"]
    assert not listed["is_on"]

    write(project / ".claude/skills/odd", "No head.")
    tab.touch(section.get_by_role("button", name="Look again"))
    odd = section.get_by_role("group", name=f"{HERE} · Claude Code")
    expect(odd).to_contain_text("does not begin with a name and a description")
    expect(odd.get_by_role("switch")).to_have_count(0)

    shutil.rmtree(project / ".agents")
    here.get_by_role("switch", name="release").press("Space")
    expect(tab.toast("This skill is not there any more. Look again.")).to_be_visible()
    expect(here).to_have_count(0)
    shutil.rmtree(project / ".claude")
    tab.touch(section.get_by_role("button", name="Look again"))
    expect(section).to_contain_text("None was found.")
    expect(section).to_contain_text("/state/skills")
