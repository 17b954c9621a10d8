"""What is removed for good."""

from contextlib import suppress
from pathlib import Path

from tests.http.conftest import until
from tests.serving import ServerProcess

WORD = "xqjellyfish"
"""Where another word begins with the same letters, the index may keep only those that follow."""


def files_with(folder: Path, piece: bytes) -> set[str]:
    found = set()
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # gone since it was listed
            if path.is_file() and piece in path.read_bytes():
                found.add(str(path.relative_to(folder)))
    return found


def test_no_byte_of_a_conversation_is_left_when_it_was_removed_for_good_also_after_kill_9(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "state") as server:
        client = server.client()
        for number in range(5):
            client.answer(client.new_session(), f"others stay: {number} xqjay xqjet")
        session_id = client.new_session()
        file = client.attach(session_id, f"all about {WORD}".encode(), f"{WORD}.txt")
        client.answer(session_id, f"one of a kind: {WORD}", message_id="m1", attachments=[file["id"]])
        client.post("/api/session/rename", session_id=session_id, title=f"About {WORD}")
        client.post("/api/session/draft", session_id=session_id, text=f"more about {WORD}")
        until(lambda: client.get("/api/sessions/search", q=WORD)["results"] != [])
        assert len(files_with(server.state_dir, WORD[3:].encode())) >= 6, "document, journal, index, draft, file"

        client.post("/api/session/delete", session_id=session_id)
        client.post("/api/trash/remove", session_id=session_id)
        server.kill()
        server.start()

        until(lambda: files_with(server.state_dir, WORD[3:].encode()) == set())
        assert len(server.client().get("/api/sessions/search", q="others stay")["results"]) == 5
