"""A backup: the state folder as one zip file, whole up to some moment, while the server goes on writing.

`manifest.json` in it names every file that counts, with its size and SHA-256. What is copied first is what comes first
when something happens: journals before documents, documents before the trash. So what happens meanwhile can only make
the copy look as the folder looks after a death of the server, which the next start puts in order.
"""

import hashlib
import os
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from api.sessions.disk.attached import FOLDER as ATTACHMENTS
from api.sessions.disk.files import new_file, open_regular, sweep_temps

MANIFEST = "manifest.json"
ARCHIVE_FORMAT = 1
SECRETS = ("access.json", "secrets.json", "agents.json", "mcp.json", "config.toml")
NOT_KEPT = frozenset({"lock", "server.json", "backups", "agents"})
"""Of this process, copies themselves, or installed programs: those can be installed again."""

_CHUNK = 1 << 20
_ROUNDS = 5


class BackupFailed(Exception):
    """The message is a sentence."""


class Kept(msgspec.Struct, frozen=True):
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds, by path in it. `made_at` in seconds since 1970; `skipped`: links, pipes and the like."""

    fireside_backup: int
    made_at: float
    with_secrets: bool
    files: dict[str, Kept]
    skipped: list[str] = []


def write_backup(state_dir: Path, target: Path, *, with_secrets: bool) -> Manifest:
    """Copy the state folder into a new file `target`, and read it back.

    Raises:
        BackupFailed: it may not be there, or does not hold what was written.
        OSError: the disk refused, or `target` is there already. No file is left.
    """
    if not state_dir.is_dir():
        raise BackupFailed(f"There is nothing to back up: {state_dir} is no folder.")
    inside = state_dir.resolve() in (target.resolve(), *target.resolve().parents)
    if inside and target.parent != state_dir / "backups":
        raise BackupFailed("A backup does not belong into the folder that it is of. Name a place elsewhere.")
    sweep_temps(target.parent)
    with new_file(target) as file:
        writing = _Writing(state_dir, file, with_secrets=with_secrets)
        manifest = writing.write()
        file.flush()
        check_backup(file)
    return manifest


def check_backup(file: BinaryIO) -> Manifest:
    """Read a backup through and compare every file in it with the manifest.

    Raises:
        BackupFailed: something in it is not what was written.
    """
    with zipfile.ZipFile(file) as archive:
        manifest = msgspec.json.decode(archive.read(MANIFEST), type=Manifest)
        for name, kept in manifest.files.items():
            digest = hashlib.sha256()
            with archive.open(name) as entry:
                while chunk := entry.read(_CHUNK):
                    digest.update(chunk)
            if digest.hexdigest() != kept.sha256:
                raise BackupFailed(f"The backup was not written well: {name} reads differently. Try another disk.")
    return manifest


class _Writing:
    def __init__(self, state_dir: Path, file: BinaryIO, *, with_secrets: bool) -> None:
        self._root = state_dir
        self._with_secrets = with_secrets
        self._archive = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3)
        self._files: dict[str, Kept] = {}
        self._skipped: list[str] = []

    def write(self) -> Manifest:
        with self._archive as archive:
            sessions = self._root / "sessions"
            for path in sorted((self._root / "runs").glob("*.jsonl")):
                self._take(path)
            for path in self._walk(self._root):
                if sessions not in path.parents:
                    self._take(path)
            self._take_sessions(sessions)
            for path in self._walk(self._root / ATTACHMENTS):
                self._take(path)  # what was given meanwhile may be named by a document that was copied
            manifest = Manifest(ARCHIVE_FORMAT, time.time(), self._with_secrets, self._files, self._skipped)
            archive.writestr(_entry(MANIFEST), msgspec.json.format(msgspec.json.encode(manifest)))
        return manifest

    def _take_sessions(self, sessions: Path) -> None:
        """A session that is deleted or restored meanwhile is in one place when it is looked for in the other."""
        for _ in range(_ROUNDS):
            fresh = [path for path in self._walk(sessions) if self._name(path) not in self._files]
            taken = [self._take(path) for path in fresh]
            if not any(taken):
                break
        for name in [one for one in self._files if one.startswith("sessions/_trash/")]:
            live = f"sessions/{name.rpartition('/')[2]}"
            if live in self._files:
                # Copied from both places. What is in neither any more does not count; what is in both is kept so.
                gone = [one for one in (live, name) if not (self._root / one).exists()]
                for one in gone[:1]:
                    del self._files[one]

    def _walk(self, folder: Path) -> Iterator[Path]:
        for parent, folders, names in os.walk(folder):
            top = Path(parent)
            folders[:] = sorted(one for one in folders if top != self._root or one not in NOT_KEPT)
            for name in sorted(names):
                if self._is_kept(top / name):
                    yield top / name

    def _is_kept(self, path: Path) -> bool:
        if path.name.endswith(".tmp") or (path.parent == self._root and path.name in NOT_KEPT):
            return False
        if path.parent == self._root / "sessions" and path.name.startswith("_index"):
            return False  # derived
        return self._with_secrets or not path.name.startswith(SECRETS)

    def _name(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

    def _take(self, path: Path) -> bool:
        """Copy a file as it is at this moment; False when it is there already, or cannot be copied."""
        name = self._name(path)
        if name in self._files or name in self._skipped:
            return False
        try:
            name.encode()
            file = open_regular(path)
        except FileNotFoundError:
            return False  # moved meanwhile, to where it is looked for later
        except (OSError, UnicodeEncodeError):
            self._skipped.append(name.encode(errors="replace").decode())
            return False
        with file:
            self._files[name] = self._copy(name, file)
        return True

    def _copy(self, name: str, file: BinaryIO) -> Kept:
        size = os.fstat(file.fileno()).st_size  # a journal grows; what it is now is enough
        digest, left = hashlib.sha256(), size
        with self._archive.open(_entry(name), "w", force_zip64=size > 1 << 30) as entry:
            while left and (chunk := file.read(min(_CHUNK, left))):
                digest.update(chunk)
                entry.write(chunk)
                left -= len(chunk)
        return Kept(size - left, digest.hexdigest())


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=time.localtime(max(time.time(), 315_619_200))[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry
