"""Folders that other machines write to."""

from pathlib import Path

import pytest

from api.sessions.disk.drives import warning_about

MOUNTS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 22 0:40 / /home/ann/far rw,relatime shared:1 - nfs4 server:/export rw
41 40 0:41 / /home/ann/far/near rw - ext4 /dev/vdb rw
42 22 0:42 / /media/with\\040space rw - cifs //nas/share rw
43 22 0:43 / /mnt/twice rw - fuse.sshfs host: rw
44 22 0:44 / /mnt/twice rw - tmpfs none rw
a line that is none
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("/home/ann/far/fireside", "nfs4"), ("/media/with space/a/b", "cifs"), ("/home/ann/far", "nfs4")],
)
def test_a_network_drive_is_named(folder: str, kind: str) -> None:
    said = warning_about(Path(folder), MOUNTS)

    assert said is not None
    assert f"network drive ({kind})" in said


@pytest.mark.parametrize(
    ("folder", "name"),
    [("/home/ann/Dropbox/fireside", "Dropbox"), ("/home/ann/Library/Mobile Documents/x", "iCloud Drive")],
)
def test_a_folder_that_a_sync_program_keeps_is_named(folder: str, name: str) -> None:
    said = warning_about(Path(folder), MOUNTS)

    assert said is not None
    assert f"by {name}" in said


@pytest.mark.parametrize(
    "folder", ["/home/ann/.local/share/fireside", "/home/ann/far/near/x", "/mnt/twice/x", "/dropboxes"]
)
def test_a_disk_of_this_machine_is_not_talked_about(folder: str) -> None:
    assert warning_about(Path(folder), MOUNTS) is None
