"""From a backup to a state folder: checked as a whole first, built beside, and then in its place by one rename.

An archive may come from anywhere. Its names, sizes and checksums are looked at before the first byte is written.
"""

import contextlib
import hashlib
import os
import re
import stat
import struct
import time
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from api.sessions.disk.files import make_folder, move_file, new_folder, open_regular, write_new_file
from api.sessions.keeping.backup import ARCHIVE_FORMAT, MANIFEST, NOT_KEPT, Kept, Manifest
from api.sessions.keeping.format import NewerFormat, check_format

LARGEST_MANIFEST = 1 << 28
MOST_FILES = 1_000_000
_DEEPEST = 8
_LARGEST_RATIO = 300
"""How many times its own size an archive may hold; JSON that was packed holds some ten times."""

_TOO_NEW = "A newer version of Fireside wrote this backup. Restore it with that version."
_SMALL = 1 << 30
_CHUNK = 1 << 20
_NAME = re.compile(r"[^\x00-\x1f\x7f/\\:*?\"<>|]{1,255}")


class NotRestored(Exception):
    """The message is a sentence; nothing was changed."""


def restore_backup(source: Path, state_dir: Path, *, move_aside: bool = False) -> tuple[Manifest, Path | None]:
    """Make `state_dir` what `source` holds; gives where the folder that was there went, None where none was.

    Raises:
        NotRestored: see there.
        OSError: the disk refused; `state_dir` is what it was.
    """
    if state_dir.is_symlink() or (state_dir.exists() and not state_dir.is_dir()):
        raise NotRestored(f"{state_dir} is no folder of its own. Name another place with --state-dir.")
    is_used = state_dir.is_dir() and any(state_dir.iterdir())
    if is_used and not move_aside:
        raise NotRestored(
            f"The folder {state_dir} is not empty. Name an empty one with --state-dir, or add --move-aside "
            "to keep what is there beside it."
        )
    with _opened(source) as archive:
        manifest = _checked(archive, source.stat().st_size)
        parent = state_dir.absolute().parent
        make_folder(parent)
        _check_space(manifest, parent)
        with new_folder(state_dir) as built:
            for name, kept in manifest.files.items():
                write_new_file(built / name, _unpacked(archive, name, kept))
            _check_format(built)
            return manifest, _moved_aside(state_dir) if is_used else None


@contextlib.contextmanager
def _opened(source: Path) -> Iterator[zipfile.ZipFile]:
    """What is wrong with the archive, before or while it is unpacked, as a sentence."""
    try:
        with open_regular(source) as file, zipfile.ZipFile(file) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, struct.error) as error:
        raise NotRestored(f"{source} is damaged, or no backup of Fireside: {str(error).rstrip('.')}.") from error


def _checked(archive: zipfile.ZipFile, archive_size: int) -> Manifest:
    """The manifest, once everything that it names is in the archive under a name that may become a path."""
    manifest = _manifest(archive)
    entries = {entry.filename: entry for entry in archive.infolist()}
    if len(entries) != len(archive.infolist()) or len(entries) > MOST_FILES:
        raise NotRestored("This archive holds one name twice, or too many files.")
    if len({_folded(name) for name in manifest.files}) != len(manifest.files):
        raise NotRestored("This archive holds names that some disks cannot tell apart.")
    for name, kept in manifest.files.items():
        entry = entries.get(name)
        if entry is None or entry.file_size != kept.size or kept.size < 0:
            raise NotRestored(f"This backup is not whole: {name!r} is missing, or has another size.")
        if not _is_plain(entry) or not _is_allowed(name):
            raise NotRestored(f"This archive holds {name!r}, which no backup of Fireside has. Nothing of it was used.")
    total = sum(kept.size for kept in manifest.files.values())
    if total > max(_SMALL, _LARGEST_RATIO * archive_size):
        raise NotRestored("This archive would unpack to far more than a backup of its size holds.")
    return manifest


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    try:
        entry = archive.getinfo(MANIFEST)
        if entry.file_size > LARGEST_MANIFEST:
            raise NotRestored("The list of files in this archive is too large to be one of ours.")
        manifest = msgspec.json.decode(archive.read(entry), type=Manifest)
    except (KeyError, msgspec.DecodeError, UnicodeDecodeError):
        raise NotRestored("This file is no backup of Fireside: it has no list of its files.") from None
    if manifest.fireside_backup > ARCHIVE_FORMAT:
        raise NotRestored(_TOO_NEW)
    return manifest


def _is_plain(entry: zipfile.ZipInfo) -> bool:
    """A file, and not encrypted; archives of other systems give no mode."""
    mode = entry.external_attr >> 16
    return stat.S_IFMT(mode) in (0, stat.S_IFREG) and not entry.is_dir() and not entry.flag_bits & 1


def _is_allowed(name: str) -> bool:
    parts = name.split("/")
    own = len(parts) <= _DEEPEST and parts[0] not in NOT_KEPT
    return own and all(_NAME.fullmatch(part) and part.strip(". ") for part in parts)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _check_format(built: Path) -> None:
    try:
        check_format(built)
    except NewerFormat:
        raise NotRestored(_TOO_NEW) from None


def _check_space(manifest: Manifest, folder: Path) -> None:
    disk = os.statvfs(folder)
    needed = sum(kept.size for kept in manifest.files.values())
    if needed > disk.f_bavail * disk.f_frsize:
        raise NotRestored(f"The disk of {folder} has no room for the {needed >> 20} MB that this backup holds.")


def _unpacked(archive: zipfile.ZipFile, name: str, kept: Kept) -> Iterator[bytes]:
    digest, size = hashlib.sha256(), 0
    with archive.open(name) as entry:
        while chunk := entry.read(_CHUNK):
            size += len(chunk)
            if size > kept.size:
                break
            digest.update(chunk)
            yield chunk
    if (size, digest.hexdigest()) != (kept.size, kept.sha256):
        raise NotRestored(f"This backup is damaged: {name!r} is not what it was.")


def _moved_aside(state_dir: Path) -> Path:
    aside = state_dir.with_name(f"{state_dir.name}.before-{time.strftime('%Y%m%dT%H%M%S')}")
    if aside.exists():
        raise NotRestored(f"{aside} is there already. Try again in a second.")
    move_file(state_dir, aside)
    return aside
