"""Fill the disk that the folder is on with sessions, see what still works, make room, go on. Prints what was seen."""

import json
import sys
from pathlib import Path
from typing import Any

from api.domain.errors import StorageFailed
from api.sessions.disk.files import AppendFile
from api.sessions.documents.session import Session
from api.sessions.store import SessionStore
from tests.faults.scenarios import store_on


def main(folder: Path) -> dict[str, Any]:
    room = [folder / f"room-{number}" for number in range(8)]
    for path in room:
        path.write_bytes(b"x" * 16_384)
    journal = AppendFile(folder / "run.jsonl")
    journal.write_line(b"first")
    store = store_on(folder / "sessions")
    (folder / "sessions").mkdir()
    store.start_indexing()
    accepted: list[str] = []
    failed, failure = _fill(store, accepted)
    seen: dict[str, Any] = {"code": failure.code, "message": failure.message, "accepted": len(accepted)}

    seen["readable"] = _complete(folder, accepted)
    seen["listed"] = store.rows(limit=500).counts["active"]
    seen["temps"] = [path.name for path in folder.rglob(".*.tmp")]
    seen["line_refused"] = _refuses_a_line(journal)
    store.delete(accepted[0])
    seen["deleted"] = accepted.pop(0) not in {row["session_id"] for row in store.rows(limit=500).rows}

    for path in room:
        path.unlink()
    journal.write_line(b"after")
    failed.save()
    accepted.append(failed.session_id)
    seen["journal"] = (folder / "run.jsonl").read_text().split()
    seen["saved_once_there_was_room"] = failed.revision == 1 and failed.path.exists()
    seen["complete_after"] = _complete(folder, accepted)
    store.close()
    return seen


def _fill(store: SessionStore, accepted: list[str]) -> tuple[Session, StorageFailed]:
    while True:
        session = store.new(messages=[{"role": "user", "content": "word " * 2_000}])
        try:
            session.save()
        except StorageFailed as error:
            return session, error
        accepted.append(session.session_id)


def _complete(folder: Path, accepted: list[str]) -> int:
    """How many of the sessions that were accepted a new life finds whole."""
    store = store_on(folder / "sessions")
    whole = sum(len(store.get(one).messages[0]["content"]) == 10_000 for one in accepted)
    store.close()
    return whole


def _refuses_a_line(journal: AppendFile) -> bool:
    try:
        journal.write_line(b"x" * 200_000)
    except OSError:
        return True
    return False


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
