"""Whether a folder lies on a drive that other machines write to, where promises about a disk do not hold."""

import contextlib
import re
from pathlib import Path

_NETWORK = {
    *("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "glusterfs", "lustre", "davfs", "ncpfs"),
    *("fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.davfs2", "fuse.glusterfs", "fuse.goofys"),
}
_SYNCED = {
    "dropbox": "Dropbox",
    "onedrive": "OneDrive",
    "google drive": "Google Drive",
    "googledrive": "Google Drive",
    "mobile documents": "iCloud Drive",
    "nextcloud": "Nextcloud",
    "owncloud": "ownCloud",
    "seafile": "Seafile",
}
_ESCAPED = re.compile(r"\\([0-7]{3})")


def warning_about(folder: Path, mounts: str | None = None) -> str | None:
    """A sentence for whoever keeps data in `folder`, or None where it is a disk of this machine as far as can be seen.

    `mounts` is what `/proc/self/mountinfo` says, read if it is not given; elsewhere than on Linux only names can tell.
    """
    folder = folder.resolve()
    if kind := _network_kind(folder, _mounts() if mounts is None else mounts):
        return (
            f"The folder {folder} lies on a network drive ({kind}). Such a drive may lose what it confirmed, and must "
            "be used by one machine at a time; a folder on a disk of this machine is safer (--state-dir)."
        )
    if name := _synced_by(folder):
        return (
            f"The folder {folder} seems to be shared with other machines by {name}. Run Fireside on one of them at a "
            "time: what changes elsewhere is noticed, and where both changed, a conversation is there twice."
        )
    return None


def _mounts() -> str:
    with contextlib.suppress(OSError):
        return Path("/proc/self/mountinfo").read_text(errors="surrogateescape")
    return ""


def _network_kind(folder: Path, mounts: str) -> str | None:
    """The type of the file system that `folder` is on, when it is one of a network."""
    found: tuple[int, str] = (-1, "")
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after:
            continue
        place = Path(_ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), fields[4]))
        # Of several at the same place, the last one is on top.
        if folder.is_relative_to(place) and len(place.parts) >= found[0]:
            found = (len(place.parts), after.split()[0])
    return found[1] if found[1] in _NETWORK else None


def _synced_by(folder: Path) -> str | None:
    for part in folder.parts:
        for mark, name in _SYNCED.items():
            if re.match(rf"{mark}\b", part.lower()):
                return name
    return None
