"""What is being done at the moment something breaks: each way of changing the disk, and what may be true afterwards."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.sessions.attachments import Attachments
from api.sessions.disk.files import AppendFile, StateFile, sweep_temps
from api.sessions.disk.loading import SessionNotFound
from api.sessions.documents.editing import clear
from api.sessions.importing import import_json
from api.sessions.keeping.backup import write_backup
from api.sessions.keeping.restoring import restore_backup
from api.sessions.keeping.trashcan import Trashcan
from api.sessions.store import SessionStore

OLD = "the old words"
NEW = "the new words"
LINES = [b'{"seq":1,"text":"one"}', b'{"seq":2,"text":"two"}', b'{"seq":3,"text":"three"}']


def store_on(folder: Path) -> SessionStore:
    cache: dict[str, Any] = {}
    return SessionStore(lambda: folder, lambda: folder / "_index.db", lambda: cache, clock=lambda: 1_800_000_000.0)


def store_without_index(folder: Path) -> SessionStore:
    cache: dict[str, Any] = {}
    return SessionStore(
        lambda: folder, lambda: folder / "nowhere/_index.db", lambda: cache, clock=lambda: 1_800_000_000.0
    )


class Scenario:
    """`prepare` makes the folder as it is before; `begin` gives what then happens; `judge` reads what is left.

    `judge` gives "old" or "new" where the folder is in one of its two legal states, and fails where it is in any other.
    """

    is_in_crashfs = True
    """Whether all that it writes passes what `crashfs` records."""

    def prepare(self, folder: Path) -> None: ...

    def begin(self, folder: Path) -> Callable[[], None]:
        raise NotImplementedError

    def judge(self, folder: Path) -> str:
        raise NotImplementedError


class Save(Scenario):
    make_store = staticmethod(store_without_index)

    def prepare(self, folder: Path) -> None:
        store = self.make_store(folder)
        store.new(session_id="a1", messages=[{"id": "m1", "role": "user", "content": OLD}]).save()
        store.close()

    def begin(self, folder: Path) -> Callable[[], None]:
        session = self.make_store(folder).get("a1")
        session.messages.append({"id": "m2", "role": "assistant", "content": NEW})
        return session.save

    def judge(self, folder: Path) -> str:
        store = self.make_store(folder)
        store.start_indexing()
        texts = [message["content"] for message in store.get("a1").messages]
        assert store.quarantined() == []
        store.close()
        assert texts in ([OLD], [OLD, NEW])
        return "new" if NEW in texts else "old"


class SaveIndexed(Save):
    make_store = staticmethod(store_on)

    def judge(self, folder: Path) -> str:
        store = self.make_store(folder)
        store.start_indexing()
        assert store.wait_indexed(10)
        (row,) = store.rows().rows
        found = len(store.search("words").results), len(store.search("new").results)
        store.close()
        verdict = super().judge(folder)
        assert (row["message_count"], found) == ((2, (1, 1)) if verdict == "new" else (1, (1, 0)))
        return verdict


class FirstSave(Save):
    def prepare(self, folder: Path) -> None: ...

    def begin(self, folder: Path) -> Callable[[], None]:
        return self.make_store(folder).new(session_id="a1", messages=[{"role": "user", "content": NEW}]).save

    def judge(self, folder: Path) -> str:
        store = self.make_store(folder)
        store.start_indexing()
        assert store.quarantined() == []
        try:
            texts = [message["content"] for message in store.get("a1").messages]
        except SessionNotFound:
            return "old"
        finally:
            store.close()
        assert texts == [NEW]
        return "new"


class Delete(Save):
    def begin(self, folder: Path) -> Callable[[], None]:
        store = self.make_store(folder)
        store.get("a1")
        return lambda: store.delete("a1")

    def judge(self, folder: Path) -> str:
        store = self.make_store(folder)
        try:
            session, verdict = store.get("a1"), "old"
        except SessionNotFound:
            assert store.rows().rows == []
            session, verdict = store.restore("a1"), "new"
        assert [message["content"] for message in session.messages] == [OLD]
        assert len(store.rows().rows) == 1
        store.close()
        return verdict


class DeleteIndexed(Delete):
    make_store = staticmethod(store_on)


class Restore(Save):
    def prepare(self, folder: Path) -> None:
        super().prepare(folder)
        self.make_store(folder).delete("a1")

    def begin(self, folder: Path) -> Callable[[], None]:
        store = self.make_store(folder)
        return lambda: store.restore("a1") and None

    def judge(self, folder: Path) -> str:
        store = self.make_store(folder)
        try:
            session, verdict = store.get("a1"), "new"
        except SessionNotFound:
            session, verdict = store.restore("a1"), "old"
        assert [message["content"] for message in session.messages] == [OLD]
        return verdict


class Clear(Save):
    """The copy that a death may leave in the trash, of a conversation that was not cleared after all, is no harm."""

    def begin(self, folder: Path) -> Callable[[], None]:
        session = self.make_store(folder).get("a1")
        clear(session, 0.0)
        return lambda: session.save("clear")

    def judge(self, folder: Path) -> str:
        store = self.make_store(folder)
        store.start_indexing()
        texts = [message["content"] for message in store.get("a1").messages]
        copies = Trashcan(store, 30).look().items
        store.close()
        assert texts in ([OLD], [])
        assert [one.cleared_from for one in copies] in ([["a1"]] if texts == [] else [[], ["a1"]])
        for copy in copies:
            assert [message["content"] for message in store.restore(copy.session_id).messages] == [OLD]
        return "old" if texts else "new"


class Remove(Restore):
    """Removed from the trash for good, by a person or because it is time."""

    def begin(self, folder: Path) -> Callable[[], None]:
        can = Trashcan(self.make_store(folder), 30)
        return lambda: can.remove("a1")

    def judge(self, folder: Path) -> str:
        store = self.make_store(folder)
        can = Trashcan(store, 30)
        store.start_indexing()
        assert can.empty() == []
        store.close()
        assert store.quarantined() == []
        store.delete("a1")
        if can.look().items == []:
            for act in (store.get, store.restore):
                with pytest.raises(SessionNotFound):
                    act("a1")
            assert not any(OLD.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())
            return "new"
        assert [message["content"] for message in store.restore("a1").messages] == [OLD]
        return "old"


class RestoreBackup(Scenario):
    """Of a folder with one session, into the empty folder `state`."""

    is_in_crashfs = False

    def prepare(self, folder: Path) -> None:
        source = folder / "source"
        store = store_without_index(source / "sessions")
        store.new(session_id="a1", messages=[{"role": "user", "content": OLD}]).save()
        write_backup(source, folder / "backup.zip", with_secrets=True)

    def begin(self, folder: Path) -> Callable[[], None]:
        return lambda: restore_backup(folder / "backup.zip", folder / "state") and None

    def judge(self, folder: Path) -> str:
        verdict = "new" if (folder / "state").exists() else "old"
        if verdict == "old":
            restore_backup(folder / "backup.zip", folder / "state")
        assert [one.name for one in folder.iterdir() if one.name.startswith(".")] == []
        (message,) = store_without_index(folder / "state/sessions").get("a1").messages
        assert message["content"] == OLD
        return verdict


class WriteBackup(RestoreBackup):
    def prepare(self, folder: Path) -> None:
        super().prepare(folder)
        (folder / "backup.zip").unlink()

    def begin(self, folder: Path) -> Callable[[], None]:
        return lambda: write_backup(folder / "source", folder / "backup.zip", with_secrets=True) and None

    def judge(self, folder: Path) -> str:
        verdict = "new" if (folder / "backup.zip").exists() else "old"
        if verdict == "old":
            write_backup(folder / "source", folder / "backup.zip", with_secrets=True)
        super().judge(folder)
        return verdict


class Settings(Scenario):
    def prepare(self, folder: Path) -> None:
        StateFile(folder / "settings.json").write({"model": OLD})

    def begin(self, folder: Path) -> Callable[[], None]:
        return lambda: StateFile(folder / "settings.json").write({"model": NEW})

    def judge(self, folder: Path) -> str:
        sweep_temps(folder)
        stored = StateFile(folder / "settings.json").read()
        assert stored in ({"model": OLD}, {"model": NEW})
        assert not (folder / "quarantine").exists()
        return "new" if stored == {"model": NEW} else "old"


class Journal(Scenario):
    """Three lines, the first of them synced before it begins."""

    def prepare(self, folder: Path) -> None:
        journal = AppendFile(folder / "run.jsonl")
        journal.write_line(LINES[0])
        journal.sync()
        journal.close()

    def begin(self, folder: Path) -> Callable[[], None]:
        journal = AppendFile(folder / "run.jsonl")

        def append() -> None:
            journal.write_line(LINES[1])
            journal.write_line(LINES[2])
            journal.sync()

        return append

    def judge(self, folder: Path) -> str:
        """Reordered by a power cut, a later line may be there without the one before: the first bad line ends it."""
        journal = AppendFile(folder / "run.jsonl")
        journal.write_line(b'{"seq":9}')
        journal.close()
        *lines, last = (folder / "run.jsonl").read_bytes().splitlines()
        assert last == b'{"seq":9}'
        good = [line for line, expected in zip(lines, LINES, strict=False) if line == expected]
        assert good[:1] == LINES[:1]
        for line in lines[: len(good)]:
            json.loads(line)
        return "new" if lines == LINES else "old"


FILE = [
    {"session_id": "a1", "title": "One", "messages": [{"id": "m1", "role": "user", "content": NEW}]},
    {"session_id": "b1", "title": "Two", "messages": [{"id": "m2", "role": "user", "content": NEW}]},
]


class Import(Scenario):
    """Two conversations out of one file, one of which is here already under that id, saying something else."""

    make_store = staticmethod(store_without_index)

    def prepare(self, folder: Path) -> None:
        store = self.make_store(folder)
        store.new(session_id="a1", title="One", messages=[{"id": "m1", "role": "user", "content": OLD}]).save()

    def begin(self, folder: Path) -> Callable[[], None]:
        store = self.make_store(folder)
        return lambda: import_json(store, json.dumps(FILE).encode(), owner="local") and None

    def judge(self, folder: Path) -> str:
        """Whatever was left, importing again completes it and doubles nothing."""
        before = self._texts(folder)
        assert before in ([OLD], [NEW, OLD], [NEW, NEW, OLD])
        for _ in range(2):
            store = self.make_store(folder)
            store.start_indexing()
            import_json(store, json.dumps(FILE).encode(), owner="local")
            assert store.quarantined() == []
            store.close()
            assert self._texts(folder) == [NEW, NEW, OLD]
        return "new" if len(before) == 3 else "old"

    def _texts(self, folder: Path) -> list[str]:
        store = self.make_store(folder)
        texts = [store.get(row["session_id"]).messages[0]["content"] for row in store.all_rows()]
        store.close()
        return sorted(texts)


class Attach(Scenario):
    """A file that is given to a session: it is there whole, or what is left of it does not count."""

    is_in_crashfs = False

    def prepare(self, folder: Path) -> None:
        (folder / "sessions").mkdir()

    def begin(self, folder: Path) -> Callable[[], None]:
        attachments = Attachments(store_without_index(folder / "sessions"))

        def attach() -> None:
            arriving = attachments.begin("a1")
            try:
                attachments.write(arriving, NEW.encode())
                attachments.keep("a1", arriving, "new.txt", attachment_id="att-1")
            finally:
                arriving.discard()

        return attach

    def judge(self, folder: Path) -> str:
        """Whatever was left, giving it again under another id succeeds."""
        attachments = Attachments(store_without_index(folder / "sessions"))
        attachments.sweep()
        assert not list(folder.rglob("*.tmp"))
        known = attachments.known("a1", ["att-1"])
        texts = [attachments.read("a1", one).decode() for one in known]
        assert texts in ([], [NEW])
        arriving = attachments.begin("a1")
        attachments.write(arriving, OLD.encode())
        again = attachments.keep("a1", arriving, "old.txt")
        arriving.discard()
        assert attachments.read("a1", again) == OLD.encode()
        return "new" if texts else "old"


SCENARIOS: dict[str, Scenario] = {
    "attach": Attach(),
    "import": Import(),
    "save": Save(),
    "save_indexed": SaveIndexed(),
    "first_save": FirstSave(),
    "delete": Delete(),
    "delete_indexed": DeleteIndexed(),
    "restore": Restore(),
    "clear": Clear(),
    "remove": Remove(),
    "restore_backup": RestoreBackup(),
    "write_backup": WriteBackup(),
    "settings": Settings(),
    "journal": Journal(),
}
