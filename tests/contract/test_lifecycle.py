"""The lifecycle contract of `api.models`, beyond its first statement."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from api import models
from api.domain.errors import AppError

HOSTILE_IDS = [
    "..",
    ".",
    "",
    "../x",
    "a/b",
    "a\\b",
    "x" * 300,
    "a\0b",
    "a\n",
    "-rf",
    "*",
    "con",
    "x.json",
    "%2e%2e",
    "ａ",
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(models, "SESSION_DIR", tmp_path / "sessions")
    monkeypatch.setattr(models, "SESSIONS", {})
    yield tmp_path / "sessions"
    models.store.close()


def _with_message(text: str = "hello") -> models.Session:
    session = models.new_session()
    session.messages.append({"role": "user", "content": text})
    session.save()
    return session


def test_importing_touches_no_disk(tmp_path: Path) -> None:
    code = "import api.models as m; print(m.SESSION_DIR)"
    environment = {"FIRESIDE_STATE_DIR": str(tmp_path / "state"), "PATH": "/usr/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    root = Path(models.__file__).parents[1]

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == str(tmp_path / "state/sessions")
    assert list(tmp_path.iterdir()) == []


def test_the_names_of_the_contract_are_there() -> None:
    for name in (
        "SESSIONS",
        "SESSION_DIR",
        "SESSION_INDEX_FILE",
        "Session",
        "new_session",
        "get_session",
        "all_sessions",
    ):
        assert hasattr(models, name)
    assert "lost" in (models.new_session.__doc__ or "")


def test_a_thousand_blank_sessions_leave_no_file_and_can_all_be_started(folder: Path) -> None:
    sessions = [models.new_session() for _ in range(1000)]
    assert not folder.exists()

    for session in sessions:
        assert models.get_session(session.session_id) is session
    for session in sessions[:3] + sessions[-3:]:
        session.messages.append({"role": "user", "content": "now"})
        session.save()

    assert len(models.all_sessions()) == 6
    assert len(list(folder.glob("[!_]*.json"))) == 6


def test_sessions_go_to_where_the_folder_points_now(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _with_message("before")
    blank = models.new_session()
    elsewhere = folder.with_name("elsewhere")

    monkeypatch.setattr(models, "SESSION_DIR", elsewhere)
    blank.messages.append({"role": "user", "content": "after"})
    blank.save()

    assert blank.path == elsewhere / f"{blank.session_id}.json"
    assert blank.path.exists()
    assert {path.name for path in folder.glob("[!_]*")} == {f"{first.session_id}.json"}
    models.SESSIONS.clear()
    assert [row["session_id"] for row in models.all_sessions()] == [blank.session_id]
    with pytest.raises(KeyError):
        models.get_session(first.session_id)


def test_re_pointing_only_the_folder_leaves_the_old_index_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    default = models.SESSION_INDEX_FILE

    _with_message()

    assert not default.exists()
    assert (folder / "_index.db").exists()


def test_the_index_lives_at_its_file_whatever_that_is_called(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    monkeypatch.setattr(models, "SESSION_INDEX_FILE", folder / "index.json")

    session = _with_message()

    assert (folder / "index.json").read_bytes().startswith(b"SQLite format 3")
    assert [row["session_id"] for row in models.all_sessions()] == [session.session_id]
    assert models.store.quarantined() == []
    with pytest.raises(KeyError):
        models.get_session("index")


def test_what_is_cleared_from_memory_is_read_from_its_document_again() -> None:
    session = _with_message("kept")
    models.SESSIONS.clear()

    again = models.get_session(session.session_id)

    assert again is not session
    assert [message["content"] for message in again.messages] == ["kept"]
    assert models.get_session(session.session_id) is again


def test_all_sessions_is_the_same_with_an_index_and_without(folder: Path) -> None:
    for text in ("one", "two", "three"):
        _with_message(text)
    with_index = models.all_sessions()

    models.store.close()
    models.SESSIONS.clear()
    for leftover in folder.glob("_index*"):
        leftover.unlink()
    (folder / "_index.db").mkdir()  # nor can there be one
    (folder / "_index.db/in-the-way").touch()

    assert models.all_sessions() == with_index


def test_untitled_sessions_without_messages_are_never_shown_saved_or_not() -> None:
    models.new_session()
    saved = models.new_session()
    saved.save()
    titled = models.new_session(title="Plans")

    shown = [row["session_id"] for row in models.all_sessions()]
    models.SESSIONS.clear()
    shown_from_disk = [row["session_id"] for row in models.all_sessions()]

    assert saved.path.exists()
    assert shown == [titled.session_id]
    assert shown_from_disk == []


@pytest.mark.parametrize("session_id", HOSTILE_IDS)
def test_a_hostile_id_is_refused_before_a_path_is_built(session_id: str, folder: Path) -> None:
    with pytest.raises(KeyError):
        models.get_session(session_id)
    if session_id:
        with pytest.raises(AppError):
            models.Session(session_id).save()
        with pytest.raises(AppError):
            models.new_session(session_id=session_id)

    assert not folder.exists()
    assert session_id not in models.SESSIONS or session_id == ""


def test_threads_that_create_get_and_save_at_once_see_one_session_each(folder: Path) -> None:
    start = threading.Barrier(8)
    problems: list[BaseException] = []
    ids: list[str] = []

    def work() -> None:
        try:
            start.wait()
            for round_ in range(25):
                session = models.new_session()
                ids.append(session.session_id)
                assert models.get_session(session.session_id) is session
                session.messages.append({"role": "user", "content": f"round {round_}"})
                session.save()
                models.get_session(ids[round_]).save()
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    assert len({*ids}) == 200
    assert {row["session_id"] for row in models.all_sessions()} == {*ids}
    models.SESSIONS.clear()
    assert all(len(models.get_session(one).messages) == 1 for one in ids)


def test_threads_that_get_the_same_document_get_the_same_object() -> None:
    session_id = _with_message().session_id
    for _ in range(20):
        models.SESSIONS.clear()
        start = threading.Barrier(6)
        found: list[models.Session] = []

        def work(start: threading.Barrier = start, found: list[models.Session] = found) -> None:
            start.wait()
            found.append(models.get_session(session_id))

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len({id(one) for one in found}) == 1


def test_blank_and_running_sessions_stay_in_memory_when_many_others_come(folder: Path) -> None:
    blank = models.new_session()
    running = _with_message("running")
    running.active_stream_id = "run-1"
    unsaved = _with_message("first")
    unsaved.title = "Not saved yet"
    others = [_with_message(str(number)).session_id for number in range(300)]

    assert models.SESSIONS[blank.session_id] is blank
    assert models.SESSIONS[running.session_id] is running
    assert models.SESSIONS[unsaved.session_id] is unsaved
    assert len(models.SESSIONS) < 230
    assert others[0] not in models.SESSIONS
    assert models.get_session(others[0]).messages[0]["content"] == "0"


def test_an_evicted_session_that_someone_still_holds_is_the_one_that_is_found() -> None:
    held = _with_message("held")
    for number in range(300):
        _with_message(str(number))
    assert held.session_id not in models.SESSIONS

    found = models.get_session(held.session_id)

    assert found is held


def test_two_identical_replies_in_a_row_are_both_kept() -> None:
    session = models.new_session()
    session.messages += [{"role": "assistant", "content": "Yes."}, {"role": "assistant", "content": "Yes."}]
    session.save()
    session.save()
    models.SESSIONS.clear()

    messages = models.get_session(session.session_id).messages

    assert [message["content"] for message in messages] == ["Yes.", "Yes."]
    assert messages[0]["id"] != messages[1]["id"]


def test_a_document_on_disk_is_plain_json_that_others_can_read() -> None:
    session = _with_message("größer 数据 👍")

    document = json.loads(session.path.read_text(encoding="utf-8"))

    assert document["messages"][0]["content"] == "größer 数据 👍"
    assert {
        "session_id",
        "title",
        "messages",
        "created_at",
        "updated_at",
        "revision",
        "owner",
        "schema",
    } <= document.keys()
