"""Skills through the server: all are listed with where they are from, and what is switched off reaches no model."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.provider import FakeProvider
from tests.faults.rights import without_privileges
from tests.http.test_approvals import end
from tests.http.test_at_work import begin, call, results, steps
from tests.serving import Client, ServerProcess


def skill(description: str, text: str = "") -> str:
    return f"---\ndescription: {description}\n---\n{text}"


HOME = {
    ".claude/skills/letters": skill("How letters begin", "Dear …"),
    ".codex/skills/letters": skill("How letters end"),
    ".hermes/skills/writing/notes": skill("How notes go"),
    ".gemini/skills/plain": "No head, so no skill.",
    ".gemini/skills/silent": "---\nname: silent\n---\n",
    ".gemini/skills/技能": skill("A name that no model can call"),
    ".gemini/skills/large": skill("Too much", "x" * 100_000),
    ".gemini/skills/endless": "---" + "\n" * 99_000,  # slow to take apart for a careless pattern
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with skills that are fine, and whatever someone may have put beside them."""
    home = tmp_path_factory.mktemp("skills") / "home"
    for place, text in HOME.items():
        (home / place).mkdir(parents=True)
        (home / place / "SKILL.md").write_text(text)
    hostile = home / ".qwen/skills"
    for name in ("pipe", "folder", "link"):
        (hostile / name).mkdir(parents=True)
    os.mkfifo(hostile / "pipe/SKILL.md")
    (hostile / "folder/SKILL.md").mkdir()
    (hostile / "link/SKILL.md").symlink_to("/etc/hostname")
    (hostile / "circle").symlink_to("circle")
    (hostile / "above").symlink_to("..")
    (hostile / os.fsdecode(b"\xff\xfe")).mkdir()
    (hostile / os.fsdecode(b"\xff\xfe/SKILL.md")).write_text(skill("A folder whose name is no text"))
    (home / ".goose").mkdir()
    (home / ".goose/skills").write_text("A file where a folder should be.")
    return home


@pytest.fixture(scope="module")
def house(home: Path) -> Iterator[tuple[ServerProcess, FakeProvider]]:
    with pytest.MonkeyPatch.context() as patch, FakeProvider() as provider:
        patch.setenv("HOME", str(home))
        with ServerProcess(home.parent / "state", provider_url=provider.url) as server:
            yield server, provider


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / ".agents/skills/release").mkdir(parents=True)
    (folder / ".agents/skills/release/SKILL.md").write_text(skill("How a release is made", "First the changelog."))
    return folder


def listed(client: Client, session_id: str | None = None) -> dict[str, Any]:
    query = {"session_id": session_id} if session_id else {}
    return {one["path"]: one for one in client.get("/api/skills", **query)["skills"]}


# Bad input 103
def test_every_skill_is_listed_with_where_it_is_from_and_why_it_is_not_offered(
    house: tuple[ServerProcess, FakeProvider], home: Path, project: Path
) -> None:
    client = house[0].client()
    outside = project.parent / "elsewhere"
    outside.mkdir()
    (outside / "SKILL.md").write_text(skill("What a link brings in"))
    (project / ".claude/skills").mkdir(parents=True)
    (project / ".claude/skills/away").symlink_to(outside)
    session_id = client.post("/api/session/new", workspace=str(project))["session"]["session_id"]

    answer = client.get("/api/skills", session_id=session_id)

    told = {(one["origin"], one["whose"], one["name"]): one["problem"] for one in answer["skills"]}
    assert told == {
        ("folder", "", "release"): None,
        ("folder", "Claude Code", "away"): "outside",
        ("home", "Claude Code", "letters"): None,
        ("home", "Codex", "letters"): "name_taken",
        ("home", "Gemini CLI", "endless"): "no_head",
        ("home", "Gemini CLI", "large"): "too_large",
        ("home", "Gemini CLI", "plain"): "no_head",
        ("home", "Gemini CLI", "silent"): "no_description",
        ("home", "Gemini CLI", "技能"): "no_name",
        ("home", "Qwen Code", "folder"): "unreadable",
        ("home", "Qwen Code", "link"): "outside",
        ("home", "Qwen Code", "pipe"): "unreadable",
        ("home", "Qwen Code", "\ufffd\ufffd"): "no_name",
        ("home", "Hermes", "notes"): None,
    }
    assert answer["folder"] == str(project) and answer["own"] == str(house[0].state_dir / "skills")
    assert all(one["is_on"] for one in answer["skills"])
    assert not [one for one in listed(client).values() if one["origin"] == "folder"]


# Bad input 71
def test_skills_that_may_not_be_read_are_told_and_fail_neither_the_list_nor_an_answer(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("file", "listed", "shut", "theirs"):
        (project / ".claude/skills" / name).mkdir(parents=True)
        (project / ".claude/skills" / name / "SKILL.md").write_text(skill("What nobody may read"))
    (project / ".claude/skills/file/SKILL.md").chmod(0)
    (project / ".claude/skills/listed").chmod(0o400)
    (project / ".claude/skills/shut").chmod(0)
    (project / ".claude/skills/theirs").rename(project / ".codex")
    (project / ".codex").chmod(0)
    with (
        FakeProvider() as provider,
        ServerProcess(tmp_path / "state", provider_url=provider.url, wrapper=without_privileges()) as server,
    ):
        client = server.client()
        session_id, stream_id = begin(client, "Hello", project)
        end(client, stream_id)

        found = client.get("/api/skills", session_id=session_id)["skills"]

    told = {one["name"]: one["problem"] for one in found}
    assert told == {"release": None} | dict.fromkeys(("file", "listed", "shut"), "unreadable")
    assert "How a release is made" in provider.chats[0].body
    for place in (".claude/skills/listed", ".claude/skills/shut", ".codex"):
        (project / place).chmod(0o700)  # to be tidied up


def test_a_skill_that_was_switched_off_is_told_to_no_model_and_loaded_by_none_also_after_a_restart(
    house: tuple[ServerProcess, FakeProvider], project: Path
) -> None:
    server, provider = house
    client = server.client()
    load = steps(call("load_skill", name="release") + "\n" + call("load_skill", name="notes"), "@@text Done.")
    session_id, stream_id = begin(client, load, project)
    end(client, stream_id)
    [release] = [one for one in listed(client, session_id).values() if one["name"] == "release"]
    assert "How a release is made" in provider.chats[-1].body
    assert "First the changelog." in results(client, session_id)[0]["content"]

    after = client.post("/api/skills/switch", id=release["id"], is_on=False, session_id=session_id)
    assert [one["name"] for one in after["skills"] if not one["is_on"]] == ["release"]
    server.stop()
    server.start()
    client = server.client()
    _, stream_id = begin(client, load, project)
    end(client, stream_id)

    told = provider.chats[-1].body
    assert "How a release is made" not in told and "How notes go" in told
    assert "First the changelog." not in told and "There is no skill called 'release'" in told
    assert (server.state_dir / "skills.json").stat().st_mode & 0o777 == 0o600
    assert listed(client, session_id)[release["path"]] == release | {"is_on": False}
    again = client.post("/api/skills/switch", id=release["id"], is_on=True, session_id=session_id)
    assert all(one["is_on"] for one in again["skills"])


def test_the_text_of_a_skill_can_be_read_and_no_other_file(
    house: tuple[ServerProcess, FakeProvider], home: Path
) -> None:
    client = house[0].client()
    found = listed(client)
    codex, pipe, link = (
        found[str(home / place / "SKILL.md")]["id"]
        for place in (".codex/skills/letters", ".qwen/skills/pipe", ".qwen/skills/link")
    )

    read = client.get("/api/skills/text", id=codex)
    refused = [client.http.get("/api/skills/text", params={"id": one}) for one in (pipe, link, "0" * 32)]
    unknown = client.http.post("/api/skills/switch", json={"id": "0" * 32, "is_on": False})

    assert read == {"text": HOME[".codex/skills/letters"]}
    assert [(one.status_code, one.json()["code"]) for one in refused] == [
        (400, "bad_request"),
        (403, "forbidden"),
        (404, "skill_not_found"),
    ]
    assert (unknown.status_code, unknown.json()["code"]) == (404, "skill_not_found")
