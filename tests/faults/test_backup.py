"""A backup of a running server, and what becomes of it; and archives that are none."""

import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.sessions.keeping import backup
from api.sessions.keeping.backup import MANIFEST, BackupFailed, write_backup
from api.sessions.keeping.restoring import NotRestored, restore_backup
from tests.faults.conftest import Dice, times
from tests.pictures import png
from tests.serving import ROOT, Client, ServerProcess, Watcher, text_of

WORDS = " ".join(f"w{number}" for number in range(4000))


def run(server: ServerProcess, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(server.command(*words), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def texts(client: Client, session_id: str) -> list[str]:
    return [message["content"] for message in client.messages(session_id)]


def shown(client: Client, session_id: str) -> dict[str, Any]:
    """All of a session but the number of a draft that is empty, which lives no longer than the server."""
    answer = client.get("/api/session", session_id=session_id)
    return answer | {"draft": answer["draft"]["text"]}


def test_a_backup_taken_while_answers_are_written_starts_with_every_session_whole(tmp_path: Path, dice: Dice) -> None:
    with ServerProcess(tmp_path / "state") as server:
        client = server.client()
        kept = client.new_session()
        client.answer(kept, "hello")
        deleted = client.new_session()
        client.answer(deleted, "deleted")
        client.post("/api/session/delete", session_id=deleted)
        for number in range(times(5, 50, 100)):
            writing = [client.new_session() for _ in range(3)]
            script = f"@@pace 0.002\n@@text {WORDS}"
            watchers = [Watcher(server.client(), client.start(one, script)["stream_id"]) for one in writing]
            for watcher in watchers:
                watcher.wait_for(dice.randrange(3, 40))
            before = [text_of(watcher.seen) for watcher in watchers]
            archive = str(tmp_path / f"{number}.zip")
            made = run(server, "backup", archive)
            assert made.returncode == 0, made.stderr
            for watcher in watchers:
                client.post("/api/chat/cancel", stream_id=watcher.stream_id)

            copy = ServerProcess(tmp_path / f"copy-{number}")
            assert run(copy, "restore", archive).returncode == 0
            with copy:
                other = copy.client()
                assert texts(other, kept) == ["hello", "hello"]
                for session, shown in zip(writing, before, strict=True):
                    asked, answer = other.messages(session)
                    assert asked["content"] == script
                    assert WORDS.startswith(answer["content"])
                    assert answer["content"].startswith(shown)
                    assert answer["outcome"] == "interrupted"
                assert [one["session_id"] for one in other.get("/api/trash")["items"]] == [deleted]
                assert copy.doctor().endswith("Nothing is wrong.\n")
                assert other.answer(kept, "and now") == "and now"
            shutil.rmtree(copy.state_dir)


def test_a_restored_folder_says_word_for_word_what_the_first_one_said(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "state") as server:
        client = server.client()
        sessions = [client.new_session() for _ in range(4)]
        for session in sessions:
            client.answer(session, '@@think Hm.\n@@tool shell {"command": "ls"}\n@@result a\n@@text Done.')
            client.post("/api/session/rename", session_id=session, title=f"Title of {session} #tag")
        picture = client.attach(sessions[0], png(9, 9), "a.png")
        client.answer(sessions[0], "look", attachments=[picture["id"]])
        client.post("/api/session/draft", session_id=sessions[0], text="half a thought")
        client.post("/api/projects/create", name="Garden")
        known = {session: shown(client, session) for session in sessions}
        projects = client.get("/api/projects")
        assert run(server, "backup", str(tmp_path / "b.zip")).returncode == 0
    other = ServerProcess(tmp_path / "other")
    assert run(other, "restore", str(tmp_path / "b.zip")).returncode == 0

    with other:
        client = other.client()
        for session in sessions:
            assert shown(client, session) == known[session]
        query = {"session_id": sessions[0], "id": picture["id"]}
        assert client.http.get("/api/attachment", params=query).content == png(9, 9)
        assert client.get("/api/projects") == projects
        assert client.get("/api/sessions/search", q="done")["results"]


def test_what_is_attached_while_a_backup_is_taken_is_in_it_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    (state / "sessions").mkdir(parents=True)
    take_sessions = backup._Writing._take_sessions

    def attach_and_take(writing: backup._Writing, sessions: Path) -> None:
        (state / "attachments/a1").mkdir(parents=True)
        for name in ("attachments/a1/att-1", "attachments/a1/att-1.json", "sessions/a1.json"):
            (state / name).write_text("{}")
        take_sessions(writing, sessions)

    monkeypatch.setattr(backup._Writing, "_take_sessions", attach_and_take)
    manifest = write_backup(state, tmp_path / "b.zip", with_secrets=False)

    assert set(manifest.files) == {"attachments/a1/att-1", "attachments/a1/att-1.json", "sessions/a1.json"}


def test_secrets_are_in_a_backup_only_when_they_are_asked_for(tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "quarantine").mkdir(parents=True)
    for name in ("secrets.json", "access.json", "config.toml", "quarantine/secrets.json.20260101T000000.abcdef"):
        (state / name).write_text('{"secret": "CANARY"}')
    (state / "projects.json").write_text("{}")

    without = write_backup(state, tmp_path / "without.zip", with_secrets=False)
    with_them = write_backup(state, tmp_path / "with.zip", with_secrets=True)

    assert set(without.files) == {"projects.json"}
    assert len(with_them.files) == 5
    with zipfile.ZipFile(tmp_path / "without.zip") as archive:
        assert not any(b"CANARY" in archive.read(name) for name in archive.namelist())
    assert (tmp_path / "with.zip").stat().st_mode & 0o777 == 0o600


def test_a_backup_overwrites_nothing_and_is_not_put_into_what_it_copies(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "state") as server:
        (tmp_path / "mine.zip").write_text("mine")
        refused = [
            run(server, "backup", path) for path in (str(tmp_path / "mine.zip"), str(server.state_dir / "b.zip"))
        ]
        assert [one.returncode for one in refused] == [2, 2]
        assert (tmp_path / "mine.zip").read_text() == "mine"
        assert not (server.state_dir / "b.zip").exists()
        made = run(server, "backup", str(tmp_path))
        assert made.returncode == 0
        assert len(list(tmp_path.glob("fireside-*.zip"))) == 1
        assert run(server, "backup", str(tmp_path / "no/such/folder.zip")).returncode == 2


def test_installed_agents_are_left_out_for_they_can_be_installed_again(tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "agents/hermes/bin").mkdir(parents=True)
    (state / "agents/hermes/bin/hermes-acp").write_text("a program")
    (state / "agents/hermes.json").write_text("{}")
    (state / "memory.json").write_text("{}")

    manifest = write_backup(state, tmp_path / "b.zip", with_secrets=False)

    assert list(manifest.files) == ["memory.json"]


def test_links_and_pipes_are_left_out_and_named(tmp_path: Path) -> None:
    sessions = tmp_path / "state/sessions"
    sessions.mkdir(parents=True)
    (sessions / "link.json").symlink_to("/etc/passwd")
    (sessions / "good.json").write_text('{"messages": []}')

    manifest = write_backup(tmp_path / "state", tmp_path / "b.zip", with_secrets=True)

    assert (manifest.skipped, set(manifest.files)) == (["sessions/link.json"], {"sessions/good.json"})


def test_a_folder_in_use_is_restored_over_only_when_it_is_moved_aside(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "state") as server:
        session = server.client().new_session()
        server.client().answer(session, "before")
        archive = str(tmp_path / "b.zip")
        assert run(server, "backup", archive).returncode == 0
        server.client().answer(session, "after")
        running = run(server, "restore", archive, "--move-aside")
        assert (running.returncode, str(server.process.pid) in running.stderr) == (2, True)
    server.stop()
    assert run(server, "restore", archive).returncode == 2

    done = run(server, "restore", archive, "--move-aside")

    assert done.returncode == 0, done.stderr
    (aside,) = tmp_path.glob("state.before-*")
    assert str(aside) in done.stdout
    with server:
        assert texts(server.client(), session) == ["before", "before"]
    with ServerProcess(aside) as former:
        assert texts(former.client(), session) == ["before", "before", "after", "after"]


# Archives that no backup of ours is: each is refused, and nothing is written anywhere.


def whole(folder: Path) -> Path:
    (folder / "source/sessions").mkdir(parents=True)
    (folder / "source/sessions/a1.json").write_text('{"messages": []}')
    (folder / "source/projects.json").write_text("{}")
    write_backup(folder / "source", folder / "whole.zip", with_secrets=True)
    return folder / "whole.zip"


def rewritten(archive: Path, change: Callable[[dict[str, bytes], dict[str, Any]], None]) -> None:
    """`change` is handed the files by name, and the manifest."""
    with zipfile.ZipFile(archive) as before:
        files = {name: before.read(name) for name in before.namelist()}
    manifest = json.loads(files.pop(MANIFEST))
    change(files, manifest)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as after:
        for name, data in files.items():
            after.writestr(name, data)
        after.writestr(MANIFEST, json.dumps(manifest))


def renamed(name: str) -> Callable[[Path], None]:
    def change(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
        files[name] = files.pop("projects.json")
        manifest["files"][name] = manifest["files"].pop("projects.json")

    return lambda archive: rewritten(archive, change)


def with_word_changed(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
    files["projects.json"] = b"[]"


def with_file_missing(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
    del files["projects.json"]


def with_size_lied_about(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
    manifest["files"]["projects.json"]["size"] = 10**12


def with_bomb(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
    files["bomb.json"] = bytes(1 << 28)
    size = (1 << 30) + 1
    manifest["files"] |= {f"{n}.json": {"size": size, "sha256": ""} for n in range(2)}


def with_case_twins(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
    files["PROJECTS.json"] = files["projects.json"]
    manifest["files"]["PROJECTS.json"] = manifest["files"]["projects.json"]


def from_the_future(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
    manifest["fireside_backup"] = 2


def with_link(archive: Path) -> None:
    def change(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
        del files["projects.json"]

    rewritten(archive, change)
    entry = zipfile.ZipInfo("projects.json")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(archive, "a") as added:
        added.writestr(entry, b"{}")


def with_name_twice(archive: Path) -> None:
    with pytest.warns(UserWarning), zipfile.ZipFile(archive, "a") as added:
        added.writestr("projects.json", b"{}")


def cut(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-100])


def with_byte_flipped(archive: Path) -> None:
    data = bytearray(archive.read_bytes())
    data[45] ^= 0xFF  # in the first file
    archive.write_bytes(data)


def without_list(archive: Path) -> None:
    with zipfile.ZipFile(archive, "w") as emptied:
        emptied.writestr("sessions/a1.json", b"{}")


def of_no_kind(archive: Path) -> None:
    archive.write_bytes(b"no archive at all")


BAD: dict[str, Callable[[Path], None]] = {
    "cut": cut,
    "byte flipped": with_byte_flipped,
    "no list": without_list,
    "no archive": of_no_kind,
    "link": with_link,
    "name twice": with_name_twice,
    **{one.__name__: lambda archive, one=one: rewritten(archive, one) for one in (
        with_word_changed, with_file_missing, with_size_lied_about, with_bomb, with_case_twins, from_the_future,
    )},
    **{repr(name): renamed(name) for name in (
        "../out.json", "/abs.json", "C:/x.json", "a\\b.json", "sessions/../../out.json", "sessions//x.json", "./x.json",
        "nul\x01.json", "sessions/", "lock", "a/b/c/d/e/f/g/h/i.json", "sessions/ /x.json", "x" * 300,
    )},
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_an_archive_that_is_no_whole_backup_is_refused_and_writes_nothing(kind: str, tmp_path: Path) -> None:
    archive = whole(tmp_path)
    BAD[kind](archive)
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(NotRestored) as raised:
        restore_backup(archive, tmp_path / "state")

    assert str(raised.value).endswith(".")
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_no_folder_of_its_own_is_not_restored_into(tmp_path: Path) -> None:
    archive = whole(tmp_path)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")

    for place in ("file", "link", "source"):
        with pytest.raises(NotRestored):
            restore_backup(archive, tmp_path / place)
    with pytest.raises(BackupFailed):
        write_backup(tmp_path / "nowhere", tmp_path / "b.zip", with_secrets=False)

    assert (tmp_path / "file").read_text() == "mine"
    assert list((tmp_path / "elsewhere").iterdir()) == []
